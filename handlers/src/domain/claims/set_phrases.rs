//! Fixed ways of saying that something was booked, cancelled or moved: "done deal", "all sorted",
//! "I was able to book you in".

use super::{
    deeds::{Place, SUBJECTS},
    status::Change,
    vocabulary::APPOINTMENT,
    words::Token,
};

/// The claim of a fixed phrase that begins at a token.
pub(super) fn deed(place: &Place<'_>) -> Option<Change> {
    let before = place.before();
    let ends = |n: usize| place.token(n).is_none_or(Token::is_sign);
    let is = before.last().is_some_and(|t| t.any(&["is", "are"]));
    let yours = before.iter().rev().take(3).any(|t| t.is("your"));
    match (place.word(0), place.word(1), place.word(2)) {
        _ if place.is_possible() => None,
        ("done", ..) | ("all", "done", _)
            if ends(1 + usize::from(place.word(0) == "all"))
                && is
                && before.iter().any(|t| t.any(&["that", "it", "this", "everything"])) =>
        {
            Some(Change::Something)
        }
        ("did", verb, _) if before.last().is_some_and(|t| t.any(SUBJECTS)) => brought_about(verb),
        ("able" | "managed", "to", verb)
            if before.iter().any(|t| t.any(&["was", "were"])) || place.word(0) == "managed" =>
        {
            brought_about(verb)
        }
        ("got", "in", _) if ends(2) && before.last().is_some_and(|t| t.is("you")) => {
            Some(Change::Booked)
        }
        ("good", "for" | "on", _)
            if place.is_dated() && before.last().is_some_and(|t| t.is("are")) =>
        {
            Some(Change::Booked)
        }
        ("on" | "in", "brandon", "is")
            if place.within(3, 4, |t| t.any(&["calendar", "schedule", "books"]))
                && before.last().is_some_and(|t| t.any(&["is", "are", "it", "you", "that"])) =>
        {
            Some(Change::Booked)
        }
        ("confirmation" | "reservation" | "booking", ..)
            if !before.iter().any(|t| t.any(&["will", "get", "once", "when"]))
                && (before.iter().any(|t| t.is("sent"))
                    || before
                        .windows(2)
                        .any(|w| matches!(w, [a, b] if a.is("here") && b.is("is")))
                    || place.within(1, 8, |t| t.any(&["sent", "way", "attached", "below"]))) =>
        {
            Some(Change::Booked)
        }
        ("appointment" | "booking" | "reservation", "stands" | "exists" | "holds", _) => {
            Some(Change::Booked)
        }
        ("for", "booking" | "scheduling", _) | ("por", "reservar" | "agendar", _)
            if before.last().is_some_and(|t| t.any(&["thanks", "you", "gracias"])) =>
        {
            Some(Change::Booked)
        }
        ("done", "deal", _) => Some(Change::Booked),
        ("all", "sorted" | "arranged", _) => Some(Change::Something),
        ("all", "good", "for" | "on") if place.is_dated() => Some(Change::Booked),
        ("a", "go", _) if is => Some(Change::Booked),
        ("belongs", "to", "you") | ("your", "name", "on") | ("in" | "under", "your", "name")
            if before.iter().any(|t| t.any(&["has", "is", "now", "it"]) || t.any(&APPOINTMENT)) =>
        {
            Some(Change::Booked)
        }
        ("all", "yours", _) if is && place.sentence.times.iter().any(|t| t.at < place.at) => {
            Some(Change::Booked)
        }
        ("took" | "taken", "you" | "it" | "that", "off") if ends(3) => Some(Change::Cancelled),
        ("is", "free" | "open", "again") if before.iter().any(|t| t.is("your")) => {
            Some(Change::Cancelled)
        }
        ("rid", "of", _) if before.last().is_some_and(|t| t.is("got")) => Some(Change::Cancelled),
        ("appointment" | "booking" | "reservation", "is", "off" | "gone" | "history")
            if before.last().is_some_and(|t| t.any(&["your", "that", "the"])) =>
        {
            Some(Change::Cancelled)
        }
        ("cancellation", next, _) if ["confirmed", "done", "complete"].contains(&next) => {
            Some(Change::Cancelled)
        }
        ("appointment" | "booking" | "slot" | "time", "has", "been")
            if yours && place.within(3, 5, |t| t.any(&["brought", "put", "taken"])) =>
        {
            Some(Change::Moved)
        }
        // A check mark after a time, "Wed 2 PM \u{2705}".
        ("\u{2705}" | "\u{2714}" | "\u{2611}", ..)
            if !place.sentence.times.is_empty() && !place.sentence.dates.is_empty() =>
        {
            Some(Change::Booked)
        }
        _ => None,
    }
}

/// What "did" and "was able to" bring about with a verb.
fn brought_about(verb: &str) -> Option<Change> {
    match verb {
        "cancel" | "remove" | "delete" => Some(Change::Cancelled),
        "move" | "reschedule" | "change" | "switch" | "push" | "postpone" => Some(Change::Moved),
        "book" | "reserve" | "schedule" | "confirm" | "get" | "fit" | "squeeze" | "secure"
        | "grab" | "hold" | "lock" | "save" | "snag" | "add" | "put" | "slot" => {
            Some(Change::Booked)
        }
        _ => None,
    }
}
