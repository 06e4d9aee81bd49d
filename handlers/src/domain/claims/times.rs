//! Times of day in a sentence: `2:00 PM`, `at two`, `half past 2`, `a las dos`.

use super::{
    vocabulary::{PARTS_OF_DAY, Words, is_relative_day, month, small_number, weekday},
    words::{Token, number_at},
};
use crate::domain::slot::SlotTime;

/// A time of day that a sentence names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TimeMention {
    /// First token.
    pub(super) at: usize,
    /// Token after the last.
    pub(super) end: usize,
    /// What it can mean: without `AM` or `PM`, both.
    pub(super) times: Vec<SlotTime>,
}

impl TimeMention {
    /// Whether it can mean a minute of the day; 1440 is midnight.
    pub(super) fn is_minute(&self, minute: u16) -> bool {
        self.times.iter().any(|time| time.minute_of_day() == minute % (24 * 60))
    }
}

/// Words before a bare number that make it a time.
const BEFORE: &[&str] = &[
    "at", "@", "around", "about", "by", "until", "till", "til", "before", "after", "from",
    "between", "for", "to", "las", "la", "since", "past", "maybe", "say", "do", "have", "tengo",
];
/// Words after a bare number that let it be a time.
static AFTER: Words = Words::new(
    ". , ! ? ; : ) - / on for is works work or and to then in this next if with so y o el \
     para de instead as are but would will was it now please sharp too also exactly right \
     because since when",
);
/// What is said of a time that has no word before it: `Three is taken`.
const STATES: &[&str] = &[
    "free",
    "available",
    "open",
    "taken",
    "fine",
    "good",
    "gone",
    "ok",
    "okay",
    "booked",
    "works",
    "great",
    "perfect",
    "yours",
];

/// Units after a number that is no time: "de 2 a 3 horas".
const UNITS: &[&str] = &["dias", "horas", "minutos", "semanas", "meses", "dolares", "%", "percent"];

/// Every time in the tokens.
pub(super) fn times(tokens: &[Token]) -> Vec<TimeMention> {
    let mut found: Vec<TimeMention> = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let after_time = follows_time(tokens, at, found.last());
        match explicit(tokens, at).or_else(|| bare(tokens, at, after_time)) {
            Some((end, times)) => {
                found.push(TimeMention { at, end, times });
                at = end;
            }
            None => at += 1,
        }
    }
    found
}

/// Whether the token continues a list of times, `2, 3 or 4`.
fn follows_time(tokens: &[Token], at: usize, last: Option<&TimeMention>) -> bool {
    last.is_some_and(|last| {
        (last.end < at && at <= last.end + 2)
            && tokens.get(last.end..at).is_some_and(|between| {
                between.iter().all(|t| {
                    t.any(&[",", "/", "or", "and", "y", "o", "-", "to", "&", "a", "hasta", "then"])
                })
            })
    })
}

/// A time that is one by itself.
fn explicit(tokens: &[Token], at: usize) -> Option<(usize, Vec<SlotTime>)> {
    let first = tokens.get(at)?;
    if first.any(&["noon", "mediodia"]) {
        return Some((at + 1, vec![SlotTime::hour_of_day(12)]));
    }
    if first.any(&["midnight", "medianoche"]) {
        return Some((at + 1, vec![SlotTime::hour_of_day(0)]));
    }
    if let Some(found) = past_or_to(tokens, at) {
        return Some(found);
    }
    if first.number.is_none() && small_number(&first.text).is_none() {
        return None;
    }
    let (hour, minute, end) = clock(tokens, at)?;
    let (half, after) = half_of_day(tokens, end);
    let written = minute.is_some();
    if hour > 23 || (half.is_none() && !written && after == end) {
        return None;
    }
    let times = meanings(hour, minute.unwrap_or_default(), half);
    (!times.is_empty()).then_some((after, times))
}

/// `half past two`, `quarter to 3`.
fn past_or_to(tokens: &[Token], at: usize) -> Option<(usize, Vec<SlotTime>)> {
    let word = tokens.get(at)?;
    let minutes = match word.text.as_str() {
        "half" => 30,
        "quarter" => 15,
        _ => return None,
    };
    let (hour, used) = number_at(tokens, at + 2)?;
    let hour = (1..=12).contains(&hour).then_some(hour)?;
    let (hour, minutes) = match tokens.get(at + 1)?.text.as_str() {
        "past" | "after" => (hour, minutes),
        "to" | "till" | "before" => (if hour == 1 { 12 } else { hour - 1 }, 60 - minutes),
        _ => return None,
    };
    let (half, end) = half_of_day(tokens, at + 2 + used);
    Some((end, meanings(hour, minutes, half)))
}

/// Hour and minute as written, and the token after them.
fn clock(tokens: &[Token], at: usize) -> Option<(u32, Option<u32>, usize)> {
    let first = tokens.get(at)?;
    // 2.30 pm, 10.30 tomorrow
    if let Some((hour, Some(minute))) = first.number {
        let half = half_of_day(tokens, at + 1).0.is_some();
        let money = at.checked_sub(1).and_then(|at| tokens.get(at)).is_some_and(|t| t.is("$"));
        let said = !money
            && minute % 15 == 0
            && tokens.get(at + 1).is_some_and(|t| is_day(t) || t.any(&["is", "works", "would"]));
        return ((half || said) && minute < 60).then_some((hour, Some(minute), at + 1));
    }
    // 1030 am
    if let (Some(written @ 100..=1259), (Some(_), _)) = (first.whole(), half_of_day(tokens, at + 1))
    {
        return (written % 100 < 60).then_some((written / 100, Some(written % 100), at + 1));
    }
    let (hour, used) = number_at(tokens, at)?;
    let end = at + used;
    let colon = tokens.get(end).filter(|t| (t.is(":") || t.is("h")) && t.joined).is_some();
    let digits = tokens.get(end + 1).filter(|t| t.joined && t.text.len() == 2);
    if let (true, Some(minute)) = (colon, digits.and_then(Token::whole).filter(|m| *m < 60)) {
        return Some((hour, Some(minute), end + 2));
    }
    if first.number.is_none() && hour <= 12 {
        // Two thirty, dos y media.
        let (skip, next) = match tokens.get(end) {
            Some(y) if y.is("y") => (1, tokens.get(end + 1)),
            next => (0, next),
        };
        let minute = next.and_then(|word| match word.text.as_str() {
            "thirty" | "media" | "treinta" => Some(30),
            "fifteen" | "cuarto" | "quince" => Some(15),
            "forty" => Some(45),
            _ => None,
        });
        if let Some(minute) = minute {
            let five = usize::from(minute == 45);
            return Some((hour, Some(minute), end + skip + 1 + five));
        }
    }
    Some((hour, None, end))
}

/// Which half of the day follows, in whatever words, and where it ends. Words such as `o'clock` name
/// no half and only move the end.
fn half_of_day(tokens: &[Token], at: usize) -> (Option<u32>, usize) {
    let word = |n: usize| tokens.get(at + n).map(|t| t.text.as_str()).unwrap_or_default();
    match (word(0), word(1), word(2)) {
        ("am", ..) => (Some(0), at + 1),
        ("pm", ..) => (Some(12), at + 1),
        ("a" | "p", "m", _) if tokens.get(at).is_some_and(|t| t.joined) => {
            (Some(if word(0) == "a" { 0 } else { 12 }), at + 2)
        }
        ("a", ..) if tokens.get(at).is_some_and(|t| t.joined) => (Some(0), at + 1),
        ("p", ..) if tokens.get(at).is_some_and(|t| t.joined) => (Some(12), at + 1),
        ("in", "the", "morning") | ("de", "la", "manana") => (Some(0), at + 3),
        ("in", "the", "afternoon" | "evening") | ("de", "la", "tarde" | "noche") => {
            (Some(12), at + 3)
        }
        ("at", "night", _) => (Some(12), at + 2),
        ("oclock" | "ish" | "sharp", ..) => half_of_day(tokens, at + 1),
        ("-", "ish", _) | ("en", "punto", _) => (None, at + 2),
        ("h" | "hrs", ..) if tokens.get(at).is_some_and(|t| t.joined) => (None, at + 1),
        _ => (None, at),
    }
}

/// Days before a bare number: "Tomorrow 9, 10 or 11".
fn is_day(word: &Token) -> bool {
    is_relative_day(&word.text) || weekday(&word.text).is_some() || word.any(&PARTS_OF_DAY)
}

/// The tokens around one, as many as a sentence that is not very long has.
fn near(tokens: &[Token], at: usize) -> &[Token] {
    const NEAR: usize = 60;
    tokens.get(at.saturating_sub(NEAR)..tokens.len().min(at + NEAR)).unwrap_or_default()
}

/// A number that is a time because of the words around it.
fn bare(tokens: &[Token], at: usize, after_time: bool) -> Option<(usize, Vec<SlotTime>)> {
    let (hour, used) = number_at(tokens, at)?;
    let end = at + used;
    if !(1..=12).contains(&hour) || tokens.get(at)?.text.len() > 8 {
        return None;
    }
    let before = at.checked_sub(1).and_then(|at| tokens.get(at));
    let next = tokens.get(end);
    let one = tokens.get(at).is_some_and(|t| t.any(&["one", "una"]));
    let announced = before.is_some_and(|word| {
        (word.any(BEFORE)
            && (!one || word.any(&["at", "@", "la", "around", "until", "before", "after"])))
            || is_day(word)
    });
    // "for 2 phones", "in about 2 hours"; "for three." can be a time.
    let free_standing = next.is_none_or(|next| next.any(&AFTER) || is_day(next));
    // 1.5 hours
    let decimal = next.is_some_and(|next| next.is(".") && next.joined)
        && tokens.get(end + 1).is_some_and(|t| t.joined && t.number.is_some());
    let dated = before.is_some_and(|word| word.any(&["/"]) && word.joined)
        || next.is_some_and(|next| next.is("/") && next.joined);
    let stated = before.is_none_or(|word| {
        word.is_sign()
            || word.any(&["and", "but", "or", "yes", "sorry", "would", "does", "will", "about"])
    }) && match (next, tokens.get(end + 1), tokens.get(end + 2)) {
        (Some(is), Some(state), _) if is.any(&["is", "was"]) && state.any(STATES) => true,
        (Some(is), Some(_), Some(state)) if is.any(&["is", "was"]) => state.any(STATES),
        // "Ten tomorrow is gone".
        (Some(day), Some(_), _) if is_day(day) => true,
        (Some(works), ..) => works.any(&["works", "funciona"]),
        _ => false,
    };
    // "9, 10 and 11 are free"
    let lists = before.is_none_or(Token::is_sign)
        && next.is_some_and(|next| next.any(&[",", "and", "or", "y", "o"]))
        && number_at(tokens, end + 1).is_some_and(|(second, _)| (1..=12).contains(&second))
        && near(tokens, at)
            .iter()
            .any(|t| t.any(STATES) || t.any(&["libres", "disponibles", "have"]));
    let spanish = before.is_some_and(|word| word.any(&["las"]))
        && next.is_none_or(|next| !next.any(&["personas", "horas", "pantallas"]));
    // "de 9 a 12", and not "de 2 a 3 dias"
    let from = before.is_some_and(|word| word.any(&["de", "desde"]))
        && next.is_some_and(|next| next.any(&["a", "hasta"]))
        && number_at(tokens, end + 1).is_some_and(|(until, used)| {
            let unit = tokens.get(end + 1 + used);
            (1..=12).contains(&until) && !unit.is_some_and(|t| t.any(UNITS))
        });
    // "9 to 5, every day"
    let heads_range = before.is_none_or(Token::is_sign)
        && next.is_some_and(|next| next.any(&["to", "-", "until"]))
        && number_at(tokens, end + 1).is_some_and(|(until, used)| {
            let behind = tokens.get(end + 1 + used);
            (1..=12).contains(&until)
                && behind.is_none_or(|t| t.any(&AFTER) || is_day(t) || t.any(&["am", "pm"]))
        });
    let listed = after_time && free_standing && next.is_none_or(|next| !next.is(":"));
    // "10 de febrero"
    let of_month = next.is_some_and(|next| next.any(&["de", "of"]))
        && tokens.get(end + 1).is_some_and(|t| month(&t.text).is_some());
    // Whatever follows "at 2", unless it is what is counted.
    let at_time = before.is_some_and(|word| word.any(&["at", "@"]))
        && next.is_none_or(|next| {
            !next.is("%") && !next.joined && !next.any(UNITS) && !next.text.ends_with('s')
        });
    let counts = !dated
        && !decimal
        && !of_month
        && ((announced && free_standing)
            || at_time
            || stated
            || lists
            || spanish
            || from
            || heads_range
            || listed);
    counts.then(|| (end, meanings(hour, 0, None)))
}

/// The times that an hour and minute can mean.
fn meanings(hour: u32, minute: u32, half: Option<u32>) -> Vec<SlotTime> {
    let hours = match half {
        Some(half) if (1..=12).contains(&hour) => vec![hour % 12 + half],
        _ if hour == 12 || hour == 0 || hour > 12 => vec![hour],
        _ => vec![hour, hour + 12],
    };
    hours
        .into_iter()
        .filter_map(|hour| SlotTime::new(u8::try_from(hour).ok()?, u8::try_from(minute).ok()?))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::claims::words::tokens;

    #[test]
    fn a_number_with_a_unit_is_no_time() {
        for text in ["about 1.5 hours", "de 2 a 3 horas", "de 9 a 12 dias"] {
            assert_eq!(times(&tokens(text)), [], "{text}");
        }
        assert_eq!(times(&tokens("de 9 a 12")).len(), 2);
        assert_eq!(times(&tokens("about 1.")).len(), 1);
    }
}
