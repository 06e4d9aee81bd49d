//! How long repairs take, and when one is done. Checked once the owner has set their lengths.

use std::{collections::BTreeSet, ops::Range};

use super::{
    facts::Facts,
    money,
    sentence::Sentence,
    times::TimeMention,
    words::{Token, number_at, tokens},
};
use crate::domain::catalogue::RepairKind;

/// Words of a statement about how long something takes.
const TAKES: &[&str] = &[
    "take", "takes", "taking", "took", "tarda", "tardan", "tardamos", "toma", "toman", "lleva",
    "llevan", "demora", "dura", "lasts", "last",
];
/// "Done in", "in and out in".
const DONE: &[&str] = &[
    "done",
    "ready",
    "finished",
    "fixed",
    "complete",
    "out",
    "lista",
    "listo",
    "terminado",
    "terminada",
];
const ON_THE_WAY: &[&str] =
    &["travel", "travels", "drive", "way", "visit", "get", "arrive", "viaje", "camino", "visita"];

/// Whether every length that the sentence gives for a repair is that of the calendar.
pub(super) fn are_true(sentence: &Sentence, facts: &Facts) -> bool {
    if facts.calendar.settings().repair_minutes.is_empty() {
        return true;
    }
    let owners = durations(&tokens(&facts.owner.text));
    sentence.clauses.iter().all(|clause| {
        let words = sentence.words(clause.clone());
        let found = durations(words);
        found.is_empty()
            || !speaks_of_length(words)
            || sentence.asks(clause.start)
            || sentence.is_denied(clause.clone())
            || {
                let known = known_minutes(sentence, clause, facts);
                found.iter().all(|duration| {
                    let is_owners = owners.iter().any(|other| other.least == duration.least);
                    is_owners || known.iter().any(|minutes| duration.can_be(*minutes))
                })
            }
    })
}

/// Whether a time at which something is ready is the end of a booking; `None` when the sentence
/// says nothing of the kind, or no lengths are set.
pub(super) fn end_is_known(
    sentence: &Sentence,
    mention: &TimeMention,
    facts: &Facts,
) -> Option<bool> {
    let words = sentence.words(sentence.clause(mention.at).start..mention.at);
    let before = |n: usize| words.len().checked_sub(n).and_then(|at| words.get(at));
    let done = words.iter().enumerate().any(|(at, word)| {
        let next = words.get(at + 1);
        word.any(DONE)
            && !word.is("out")
            && !next.is_some_and(|t| t.any(&["to", "for", "when", "if"]))
    });
    let until = before(1).is_some_and(|t| t.any(&["until", "till"]));
    let lasts = until && words.iter().any(|t| t.any(TAKES));
    let is_end = facts.bookings.iter().any(|booking| mention.is_minute(facts.end_of(booking)));
    if !(done || lasts) || facts.bookings.is_empty() || sentence.asks(mention.at) {
        return None;
    }
    if is_end {
        return Some(true);
    }
    let sets_lengths = !facts.calendar.settings().repair_minutes.is_empty();
    let denied = sentence.is_denied(sentence.clause(mention.at));
    let by = before(1).is_some_and(|t| t.any(&["by", "before", "after"]));
    let owners = mention.times.iter().any(|time| facts.owner.times.contains(time));
    (sets_lengths && !denied && !by && !owners).then_some(false)
}

fn speaks_of_length(words: &[Token]) -> bool {
    let any = |list: &[&str]| words.iter().any(|t| t.any(list));
    let done_in = any(DONE) && any(&["in", "within", "en"]);
    (any(TAKES) || done_in || (any(&["need", "needs"]) && any(ON_THE_WAY)))
        && !any(&["notice", "aviso", "check", "look", "reply", "answer", "reviso"])
}

/// The lengths that a clause may give: of the repairs that it names, or else that the sentence
/// names before or the customer names, or else of any.
fn known_minutes(sentence: &Sentence, clause: &Range<usize>, facts: &Facts) -> BTreeSet<u16> {
    let words = sentence.words(clause.clone());
    let settings = facts.calendar.settings();
    let before = sentence.words(0..clause.end);
    let named = [money::repairs(words), money::repairs(before), money::repairs(&facts.asked)];
    let kinds = named.into_iter().find(|kinds| !kinds.is_empty());
    let kinds = kinds.unwrap_or_else(|| RepairKind::ALL.to_vec());
    let minutes: Vec<u16> = kinds.iter().map(|kind| settings.minutes(*kind)).collect();
    let way = settings.travel_minutes;
    let mut known: BTreeSet<u16> = minutes.iter().copied().collect();
    if kinds.len() < RepairKind::ALL.len() {
        known.insert(minutes.iter().copied().fold(0, u16::saturating_add));
    }
    if way > 0 && words.iter().any(|t| t.any(ON_THE_WAY)) {
        known.extend(minutes.iter().map(|m| m.saturating_add(way).saturating_add(way)));
        known.extend([way, way.saturating_mul(2)]);
        if words.iter().any(|t| t.any(&["need", "needs", "get", "arrive"]))
            && money::repairs(words).is_empty()
        {
            known.retain(|m| *m == way || *m == way.saturating_mul(2));
        }
    }
    known
}

/// A length of time that a text gives, in minutes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Duration {
    least: u16,
    most: u16,
}

impl Duration {
    fn can_be(self, minutes: u16) -> bool {
        (self.least..=self.most).contains(&minutes)
    }
}

/// The lengths of time in the tokens: `90 minutes`, `an hour and a half`, `30 to 45 minutes`.
fn durations(tokens: &[Token]) -> Vec<Duration> {
    let mut found: Vec<Duration> = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let Some((minutes, end)) = duration(tokens, at) else {
            at += 1;
            continue;
        };
        let before = tokens.get(at.saturating_sub(2)..at).unwrap_or_default();
        let has = |words: &[&str]| before.iter().any(|t| t.any(words));
        let below = has(&["under", "than", "within", "most", "menos"]);
        let least = range_start(tokens, at, end).unwrap_or(if below { 0 } else { minutes });
        let most = if has(&["least", "over", "minimo"]) { u16::MAX } else { minutes };
        found.push(Duration { least, most });
        at = end;
    }
    found
}

/// "30 to 45 minutes" begins at 30.
fn range_start(tokens: &[Token], at: usize, end: usize) -> Option<u16> {
    let is_range = tokens.get(at.checked_sub(1)?)?.any(&["to", "-", "a"]);
    let (number, _) = number_at(tokens, at.checked_sub(2)?).filter(|_| is_range)?;
    let unit = tokens.get(end.checked_sub(1)?).map_or(1, unit).max(1);
    Some(u16::try_from(number).ok()?.saturating_mul(unit))
}

/// The length that begins at a token, in minutes, and the token after it.
fn duration(tokens: &[Token], at: usize) -> Option<(u16, usize)> {
    let word = |n: usize| tokens.get(at + n).map(|t| t.text.as_str()).unwrap_or_default();
    match (word(0), word(1), word(2)) {
        ("half", "an" | "a", "hour") => return Some((30, at + 3)),
        ("half", "hour", _) | ("media", "hora", _) => return Some((30, at + 2)),
        ("quarter", "of", "an") if word(3) == "hour" => return Some((15, at + 4)),
        ("cuarto", "de", "hora") => return Some((15, at + 3)),
        ("hora", "y", "media") => return Some((90, at + 3)),
        _ => {}
    }
    // 1.5 hours is read as 1 . 5
    let tenths = (word(1) == "." && tokens.get(at + 2).is_some_and(|t| t.joined && t.is("5")))
        && tokens.get(at)?.whole().is_some();
    if tenths && unit(tokens.get(at + 3)?) == 60 {
        let hours = u16::try_from(tokens.get(at)?.whole()?).ok()?;
        return Some((hours.saturating_mul(60).saturating_add(30), at + 4));
    }
    let (count, used) = match (number_at(tokens, at), word(0)) {
        (Some((count, used)), _) => (u16::try_from(count).ok()?, used),
        (None, "a" | "an" | "un") => (1, 1),
        _ => return None,
    };
    // One and a half hours.
    let half = [("and", "a", "half", 3), ("y", "media", "", 2)].into_iter().find(|(a, b, c, n)| {
        let is = |n: usize, text: &str| text.is_empty() || word(used + n) == text;
        is(0, a) && is(1, b) && (*n == 2 || is(2, c))
    });
    if let Some((.., more)) = half
        && tokens.get(at + used + more).is_some_and(|t| unit(t) == 60)
    {
        return Some((count.saturating_mul(60).saturating_add(30), at + used + more + 1));
    }
    let unit_at = at + used + usize::from(word(used) == "-");
    let unit = Some(unit(tokens.get(unit_at)?)).filter(|unit| *unit > 0)?;
    let minutes = count.saturating_mul(unit);
    let (more, end) = if unit == 60 { more_minutes(tokens, unit_at + 1) } else { (0, unit_at + 1) };
    Some((minutes.saturating_add(more), end))
}

/// What follows hours: "and a half", "and 15 minutes", "30 minutes", "y media".
fn more_minutes(tokens: &[Token], at: usize) -> (u16, usize) {
    let word = |n: usize| tokens.get(at + n).map(|t| t.text.as_str()).unwrap_or_default();
    match (word(0), word(1), word(2)) {
        ("and", "a", "half") => return (30, at + 3),
        ("y", "media", _) => return (30, at + 2),
        _ => {}
    }
    let from = at + usize::from(matches!(word(0), "and" | "y"));
    match number_at(tokens, from) {
        Some((count, used)) if tokens.get(from + used).is_some_and(|t| unit(t) == 1) => {
            (u16::try_from(count).unwrap_or_default(), from + used + 1)
        }
        _ => (0, at),
    }
}

/// How many minutes a unit has; 0 for another word.
fn unit(token: &Token) -> u16 {
    match token.text.as_str() {
        "minute" | "minutes" | "min" | "mins" | "minuto" | "minutos" => 1,
        "hour" | "hours" | "hr" | "hrs" | "hora" | "horas" => 60,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_read_as_people_write_them() {
        for (text, least, most) in [
            ("90 minutes", 90, 90),
            ("an hour", 60, 60),
            ("an hour and a half", 90, 90),
            ("one and a half hours", 90, 90),
            ("1.5 hours", 90, 90),
            ("1 hour 30 minutes", 90, 90),
            ("half an hour", 30, 30),
            ("30-45 minutes", 30, 45),
            ("1 to 2 hours", 60, 120),
            ("less than 2 hours", 0, 120),
            ("at least an hour", 60, u16::MAX),
            ("media hora", 30, 30),
            ("hora y media", 90, 90),
            ("una hora y media", 90, 90),
            ("45 minutos", 45, 45),
        ] {
            assert_eq!(durations(&tokens(text)), [Duration { least, most }], "{text}");
        }
        assert_eq!(durations(&tokens("at 2 or 3 tomorrow, $90")), []);
    }
}
