//! Phrases that say without a participle that something was booked, cancelled or moved.

use super::{
    sentence::Sentence,
    status::{Change, is_chained_to_modal},
    vocabulary::{CANCELLED, MOVED, WordList},
};

/// "All set", "see you tomorrow at two", "tu cita es".
pub(super) fn phrase(sentence: &Sentence, from: usize, end: usize, at: usize) -> Option<Change> {
    let tokens = &sentence.tokens;
    let word = |n: usize| {
        tokens.get(at + n).filter(|_| at + n < end).map(|t| t.text.as_str()).unwrap_or_default()
    };
    let before = sentence.words(from..at);
    let first = before.iter().all(|t| {
        t.is_sign() || t.any(&["ok", "okay", "and", "great", "perfect", "all", "yes", "perfecto"])
    });
    if is_chained_to_modal(before) {
        return None;
    }
    let dated = !sentence.times.is_empty() || !sentence.dates.is_empty();
    let to_you = before.iter().any(|t| t.any(&["you", "your", "u", "everything"]));
    // "Tu cita queda cancelada" is for the participle to say.
    let undone = [word(2), word(3)].iter().any(|w| CANCELLED.has_word(w) || MOVED.has_word(w));
    match (word(0), word(1), word(2)) {
        ("all", "set", _) => Some(Change::Booked),
        ("set", ..) if to_you && !before.iter().any(|t| t.any(&["all"])) => Some(Change::Booked),
        ("good", "to", "go") if to_you => Some(Change::Booked),
        ("squared", "away", _) => Some(Change::Booked),
        ("in", "." | "!" | "" | "for", _)
            if before.last().is_some_and(|t| t.is("are")) && to_you =>
        {
            Some(Change::Booked)
        }
        ("taken", "care", "of") => Some(Change::Something),
        ("you" | "it" | "that", "down" | "in", _)
            if before.last().is_some_and(|t| {
                t.any(&["got", "have", "put", "wrote", "marked", "signed", "fit"])
            }) =>
        {
            Some(Change::Booked)
        }
        (
            "on" | "in",
            "the" | "our" | "my",
            "calendar" | "books" | "schedule" | "system" | "book",
        ) if before.last().is_some_and(|t| {
            t.any(&[
                "are",
                "is",
                "you",
                "it",
                "that",
                "down",
                "in",
                "up",
                "appointment",
                "back",
                "now",
                "already",
            ])
        }) =>
        {
            Some(Change::Booked)
        }
        ("is", "yours", _) | ("all", "yours", _)
            if before.iter().any(|t| t.any(&["slot", "spot", "it", "time", "one", "am", "pm"]))
                && !sentence.has(&["%", "percent", "off"]) =>
        {
            Some(Change::Booked)
        }
        ("see", "you", "then") | ("expect" | "expecting", "you", _) => Some(Change::Booked),
        ("see", "you", _) if !sentence.times.is_empty() => Some(Change::Booked),
        ("appointment" | "booking" | "reservation", "is" | "was", next)
            if before.iter().any(|t| t.any(&["your"]))
                && next != "free"
                && !CANCELLED.has_word(next)
                && dated =>
        {
            Some(Change::Booked)
        }
        ("appointment" | "booking", "has", "been") if before.iter().any(|t| t.is("your")) => tokens
            .get(at + 3)
            .is_some_and(|t| t.any(&["made", "set", "placed"]))
            .then_some(Change::Booked),
        ("you", "have", "an") if word(3) == "appointment" => Some(Change::Booked),
        ("date", ..)
            if before.iter().any(|t| t.is("it")) && before.last().is_some_and(|t| t.is("a")) =>
        {
            Some(Change::Booked)
        }
        ("consider", "it" | "that", "done") => Some(Change::Something),
        ("took", "care", "of") => Some(Change::Something),
        ("booking" | "appointment" | "reservation" | "reserva", ..)
            if sentence.words(at + 1..(at + 4).min(end)).iter().any(|t| {
                t.any(&[
                    "complete",
                    "completed",
                    "through",
                    "successful",
                    "placed",
                    "official",
                    "final",
                    "completa",
                ])
            }) =>
        {
            Some(Change::Booked)
        }
        ("name", "is", "down") | ("todo", "listo", _) => Some(Change::Booked),
        ("off", "the", "books" | "calendar" | "schedule" | "list")
            if before
                .iter()
                .any(|t| t.any(&["it", "you", "that", "appointment", "booking", "is", "are"])) =>
        {
            Some(Change::Cancelled)
        }
        ("new", "time" | "slot" | "appointment" | "date", "is") => Some(Change::Moved),
        ("done", ..) if first && end - from <= 4 => Some(Change::Something),
        ("listo" | "hecho" | "sorted", ..) if first && end - from <= 3 => Some(Change::Something),
        ("cita", "ya", "esta" | "quedo" | "queda" | "fue") if !undone => Some(Change::Booked),
        (
            "cancellation",
            "went" | "is" | "was",
            "through" | "done" | "complete" | "confirmed" | "processed",
        ) => Some(Change::Cancelled),
        ("cita", "es" | "esta" | "queda" | "quedo" | "sera", _) if !undone => Some(Change::Booked),
        ("te", "espero" | "esperamos" | "vemos", _) => Some(Change::Booked),
        ("nos", "vemos", _) if dated => Some(Change::Booked),
        ("tienes", "cita" | "una", _) if sentence.has(&["cita"]) => Some(Change::Booked),
        ("called", "off", _) | ("called", "it", "off") => Some(Change::Cancelled),
        ("taken" | "took", "you" | "it" | "that" | "off", _)
            if sentence.has(&["off"])
                && sentence.has(&["calendar", "books", "schedule", "list"]) =>
        {
            Some(Change::Cancelled)
        }
        _ => None,
    }
}
