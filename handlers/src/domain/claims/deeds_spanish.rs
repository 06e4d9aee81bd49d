//! Statements of what was done for the customer, in Spanish: "he cancelado", "acabo de reservar",
//! "te veo mañana", "quedamos mañana".

use super::{
    deeds::{EVENTS, HARMLESS, Place},
    status::Change,
    vocabulary::{
        APPOINTMENT, BOOKED, CANCELLED, MOVED, TO_BOOK, TO_CANCEL, TO_MOVE, WordList, Words,
    },
    words::Token,
};

/// The claim that a token makes by its place in the clause.
pub(super) fn deed(place: &Place<'_>) -> Option<Change> {
    let word = place.token(0)?;
    let before = place.before();
    let irregular = word.any(&["hice", "puse", "hicimos", "pusimos"]);
    let first_person = irregular
        || word.stressed
            && word.text.ends_with('e')
            && word.text.len() > 3
            && !["are", "ere", "ire", "dre", "rre"].iter().any(|end| word.text.ends_with(end));
    let is_about =
        |t: &Token| t.any(&["te", "le", "lo", "la", "tu", "su", "ya"]) || t.any(&APPOINTMENT);
    let about = before.iter().rev().take(3).chain(place.after(1).iter().take(3)).any(is_about);
    if first_person && about && !word.any(&HARMLESS) {
        return Some(Change::Deed);
    }
    let is_participle = |t: &Token| {
        // Those of these lists speak for themselves.
        let listed = t.any(&HARMLESS) || t.any(&BOOKED) || t.any(&CANCELLED) || t.any(&MOVED);
        let ends = ["ado", "ada", "ido", "ida", "echa", "echo"].iter().any(|e| t.text.ends_with(e));
        ends && t.text.len() > 4 && !listed
    };
    match (place.word(0), place.word(1), place.word(2)) {
        ("acabo" | "acabamos", "de", verb) => brought_about(verb),
        ("he" | "hemos", ..)
            if place.token(1).is_some_and(is_participle) && place.within(2, 6, is_about) =>
        {
            Some(Change::Deed)
        }
        ("esta" | "queda" | "quedo" | "fue" | "sido", ..)
            if before.iter().any(|t| t.any(&APPOINTMENT))
                && place.within(1, 3, |t| is_participle(t) || t.any(&["lista", "listo"])) =>
        {
            Some(Change::Deed)
        }
        ("tienes" | "tiene", ..)
            if place.within(1, 4, |t| t.any(&APPOINTMENT) && !t.is("hora"))
                && (place.is_dated() || place.within(1, 4, |t| t.any(EVENTS))) =>
        {
            Some(Change::Booked)
        }
        ("ya", "esta" | "quedo", _)
            if place.token(2).is_none_or(Token::is_sign)
                && before.iter().any(|t| t.any(EVENTS)) =>
        {
            Some(Change::Booked)
        }
        ("logre" | "logramos" | "pude" | "pudimos", ..) => brought_about(place.word(1)),
        ("todo", "arreglado" | "resuelto", _) => Some(Change::Something),
        ("di" | "dimos", "de", "baja") => Some(Change::Cancelled),
        ("queda", "para", _) if place.is_dated() => Some(Change::Booked),
        ("cita", "ahora" | "ya", "es" | "sera") => Some(Change::Moved),
        (
            "te" | "le" | "lo" | "la" | "los",
            "veo" | "vemos" | "espero" | "esperamos" | "recibo" | "recibimos",
            _,
        ) if place.is_dated() => Some(Change::Booked),
        ("quedaste" | "quedas", ..)
            if place.within(1, 3, |t| t.any(&BOOKED) || is_participle(t)) =>
        {
            Some(Change::Booked)
        }
        ("quedamos" | "quedas" | "quedaste", ..) if place.is_dated() => Some(Change::Booked),
        _ => None,
    }
}

/// What a verb brings about, as in "acabo de cancelarla".
fn brought_about(verb: &str) -> Option<Change> {
    let bare = ["la", "lo", "te"].iter().find_map(|end| verb.strip_suffix(end));
    let is = |verbs: &Words| [Some(verb), bare].into_iter().flatten().any(|v| verbs.has_word(v));
    match () {
        () if is(&TO_CANCEL) => Some(Change::Cancelled),
        () if is(&TO_MOVE) => Some(Change::Moved),
        () => is(&TO_BOOK).then_some(Change::Booked),
    }
}
