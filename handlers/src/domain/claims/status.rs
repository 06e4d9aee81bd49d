//! Statements that something was booked, cancelled or moved.

use super::{
    deeds,
    facts::Facts,
    money, phrases,
    sentence::Sentence,
    times,
    vocabulary::{APPOINTMENT, BOOKED, CANCELLED, MODALS, MOVED, PROGRESSIVE, SPANISH_PAST},
    words::Token,
};

/// What a statement claims.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    Booked,
    Cancelled,
    Moved,
    /// "I set it aside for you": in words that are not known to say what.
    Deed,
    /// "Done!" does not say what.
    Something,
}

/// A claim and its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Claim {
    pub(super) change: Change,
    pub(super) at: usize,
}

const ABOUT_THE_CUSTOMER: &[&str] = &[
    "you",
    "your",
    "it",
    "that",
    "this",
    "appointment",
    "booking",
    "everything",
    "spot",
    "slot",
    "reservation",
    "visit",
    "both",
    "repair",
    "tu",
    "te",
    "su",
    "le",
    "lo",
    "cita",
    "ya",
    "he",
    "hemos",
    "queda",
    "quedo",
    "quedas",
    "estas",
    "esta",
    "reserva",
    "yours",
    "all",
    "consider",
    "he",
];
const REPORTED: &[&str] = &[
    "said",
    "asked",
    "wanted",
    "mentioned",
    "requested",
    "sounds",
    "somebody",
    "someone",
    "another",
    "else",
    "others",
    "cancellation",
];

/// The claims of a sentence.
pub(super) fn claims(sentence: &Sentence) -> Vec<Claim> {
    let mut claims = Vec::new();
    for clause in &sentence.clauses {
        for at in clause.clone() {
            let found = participle(sentence, clause.start, clause.end, at)
                .or_else(|| phrases::phrase(sentence, clause.start, clause.end, at))
                .or_else(|| deeds::deed(sentence, clause, at));
            let Some(change) = found.or_else(|| deeds::no_longer(sentence, clause, at)) else {
                continue;
            };
            // "You are no longer booked" is a cancellation because of its negation.
            let denied = found.is_some()
                && (sentence.is_denied(clause.start..at + 1)
                    || is_denied_behind(sentence.words(at..clause.end))
                    || sentence
                        .words(at..(at + 4).min(clause.end))
                        .iter()
                        .any(|t| t.any(&["yet", "todavia"])));
            let asks = sentence.asks(at) && !sentence.is_tagged(at);
            if !denied && !asks && !sentence.is_conditional(at) {
                claims.push(Claim { change, at });
            }
        }
    }
    claims
}

/// "Your booking isn't complete".
fn is_denied_behind(words: &[Token]) -> bool {
    matches!(words, [_, be, not, ..]
        if be.any(&["is", "are", "was", "has", "have", "does", "did"]) && not.any(&["not", "never"]))
}

/// Whether the facts bear a claim out. Times and dates of the sentence are checked elsewhere.
pub(super) fn is_true(sentence: &Sentence, claim: Claim, facts: &Facts) -> bool {
    match claim.change {
        Change::Booked => {
            let kinds = money::repairs(&sentence.tokens);
            let named = match kinds.as_slice() {
                [kind] => {
                    facts.bookings.iter().any(|b| b.repair.is_none_or(|repair| repair == *kind))
                }
                _ => !facts.bookings.is_empty(),
            };
            let undated = sentence.times.is_empty() && sentence.dates.is_empty();
            named
                && (!sentence.has(&["both", "ambas", "ambos"]) || facts.bookings.len() > 1)
                && (facts.changed || !undated || !asks_for_a_change(facts))
        }
        Change::Cancelled => {
            // A time that only an open booking has is not that of the cancelled one.
            let clause = sentence.clause(claim.at);
            let is_of_cancelled = |mention: &times::TimeMention| {
                facts.cancelled.iter().any(|slot| mention.times.contains(&slot.time()))
                    || !facts.bookings.iter().any(|b| mention.times.contains(&b.slot.time()))
            };
            let mut mentions = sentence.times.iter().filter(|mention| clause.contains(&mention.at));
            !facts.cancelled.is_empty()
                && mentions.all(is_of_cancelled)
                && (facts.changed || !asks_for_a_change(facts))
        }
        Change::Moved => facts.moved && (facts.changed || !asks_for_a_change(facts)),
        Change::Deed => {
            let known = !facts.bookings.is_empty() || !facts.cancelled.is_empty();
            facts.something_done || facts.changed || (known && !asks_for_a_change(facts))
        }
        // "Done!" is said of what was done just now.
        Change::Something => facts.something_done || facts.changed,
    }
}

/// Whether the customer's last text wants something done: "move it to 3", "yes please". After it,
/// "You're all set!" speaks of more than the booking that exists.
fn asks_for_a_change(facts: &Facts) -> bool {
    let question = &facts.asked;
    let wish = question.iter().any(|t| {
        t.any(&[
            "book",
            "reserve",
            "schedule",
            "reschedule",
            "move",
            "change",
            "switch",
            "push",
            "cancel",
            "instead",
            "make",
            "another",
            "cambiar",
            "mover",
            "cancelar",
            "reservar",
            "agendar",
        ])
    });
    let agrees = question.iter().find(|t| !t.is_sign()).is_some_and(|t| {
        t.any(&["yes", "yeah", "yep", "yup", "sure", "please", "si", "claro", "dale"])
    });
    wish || agrees || !times::times(question).is_empty()
}

/// "You're booked", "I've cancelled it", "Moved to three".
fn participle(sentence: &Sentence, from: usize, end: usize, at: usize) -> Option<Change> {
    let tokens = &sentence.tokens;
    let word = tokens.get(at)?;
    let change = if word.any(&BOOKED) {
        Change::Booked
    } else if word.any(&CANCELLED) {
        Change::Cancelled
    } else if word.any(&MOVED) {
        Change::Moved
    } else {
        return None;
    };
    let before = sentence.words(from..at);
    let clause = sentence.words(from..end);
    let previous =
        |n: usize| at.checked_sub(n).filter(|at| *at >= from).and_then(|at| tokens.get(at));
    let next = tokens.get(at + 1).filter(|_| at + 1 < end);
    // "As requested, it's booked" reports nothing.
    let is_reported = clause.iter().enumerate().any(|(n, t)| {
        let as_asked = n.checked_sub(1).and_then(|n| clause.get(n)).is_some_and(|t| t.is("as"));
        t.any(REPORTED) && !as_asked
    });
    if is_reported || is_chained_to_modal(before) {
        return None;
    }
    if word.any(&PROGRESSIVE) {
        // "I am booking you in"; not "your booking is", "for booking".
        let acts = previous(1).is_some_and(|t| t.any(&["am", "are"]))
            || (before.iter().all(Token::is_sign)
                && next.is_some_and(|t| t.any(&["you", "your", "it", "that"])));
        let object = next.is_some_and(|t| t.any(&["you", "it", "that", "your", "this"]));
        return (acts && object).then_some(change);
    }
    if word.any(&SPANISH_PAST) {
        // "Te reservo", without the stress, is an offer.
        let spoken = word.stressed
            || (!word.text.ends_with('o')
                && previous(1).is_some_and(|t| t.any(&["ya", "te", "lo", "la", "le", "se"])))
            || (word.text.ends_with('o') && previous(1).is_some_and(|t| t.is("se")))
            || (before.iter().all(Token::is_sign)
                && !word.text.ends_with('o')
                && next.is_some_and(|t| t.any(&["tu", "su", "la", "el"])));
        return spoken.then_some(change);
    }
    let full = previous(1).is_some_and(|t| {
        t.any(&["fully", "completely", "almost", "pretty", "nearly", "get", "totally"])
    }) || next.is_some_and(|t| t.any(&["up", "solid", "out"]));
    let to_you = before.iter().any(|t| t.any(&["you", "your", "tu", "te"]));
    // "Tomorrow's all booked", and not "that's all booked".
    let full = full
        || (previous(1).is_some_and(|t| t.is("all"))
            && sentence.dates.iter().any(|date| date.at < at)
            && !before.iter().any(|t| t.any(&["you", "it", "that", "i", "we"])));
    let first = before.iter().all(|t| {
        t.is_sign()
            || t.any(&[
                "ok", "okay", "great", "and", "all", "now", "just", "done", "yes", "yep", "si",
                "ya", "todo", "esta", "estas", "queda", "quedo", "fue",
            ])
    });
    let already = before.iter().any(|t| t.any(&["already", "sorry", "just"]));
    let we_are = previous(1).is_some_and(|t| t.any(&["are", "is"]))
        && previous(2).is_some_and(|t| t.any(&["we", "he", "brandon", "there"]));
    let for_you = sentence.words(at..end).windows(2).any(
        |pair| matches!(pair, [a, b] if a.any(&["for", "para"]) && b.any(&["you", "ti", "usted"])),
    );
    // "I booked it", not "I'm afraid 2 PM is booked".
    let i = before.iter().enumerate().any(|(n, t)| {
        t.any(&["i", "we"])
            && before.get(n + 1).is_none_or(|next| {
                !next.any(&["am", "see", "think", "are", "do", "only", "just", "open", "close"])
            })
    });
    let about = i
        || before.iter().any(|t| t.any(ABOUT_THE_CUSTOMER))
        || before.last().is_some_and(|t| t.any(&["we", "have", "got"]));
    // "Confirmed" of a time: "2 PM is confirmed", while "2 PM is booked" is taken.
    let confirmed_time = word.any(&["confirmed", "locked", "secured", "held", "saved", "reserved"])
        && previous(1).is_some_and(|t| t.any(&["is", "are"]));
    // What was removed or changed must be the customer's.
    let object = clause.iter().any(|t| {
        t.any(&APPOINTMENT)
            || t.any(&[
                "you",
                "your",
                "it",
                "that",
                "appointment",
                "booking",
                "cita",
                "tu",
                "reservation",
                "time",
                "slot",
                "la",
                "lo",
                "visit",
                "both",
                "everything",
            ])
    });
    let claimed = match change {
        Change::Booked if full || we_are => to_you && !full,
        Change::Booked if already && !to_you && !first && !i => false,
        Change::Booked => for_you || about || first || confirmed_time,
        _ => object || first || i,
    };
    let done_to_other = word.any(&["saved", "held"]) && !for_you && !to_you;
    (claimed && !done_to_other).then_some(change)
}

/// Whether "to", "can" or "will" stands before without an assertion in between: "to get you
/// booked", "can be moved".
pub(super) fn is_chained_to_modal(before: &[Token]) -> bool {
    for (at, word) in before.iter().enumerate().rev() {
        let governed =
            at.checked_sub(1).and_then(|at| before.get(at)).is_some_and(|t| t.any(&MODALS));
        if word.any(&["are", "is", "am", "was", "has", "got", "esta", "queda", "quedo", "i"])
            || (word.any(&["have", "been", "he"])
                && !governed
                && !before.iter().any(|t| t.any(&MODALS)))
        {
            return false;
        }
        if word.any(&MODALS) {
            return true;
        }
    }
    false
}
