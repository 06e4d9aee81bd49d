//! Dates in a sentence: `tomorrow`, `Wed Feb 11`, `the 12th`, `el viernes`.

use jiff::{Span, civil};

use super::{
    vocabulary::{month, weekday},
    words::{Token, number_at},
};

/// A date that a sentence names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct DateMention {
    /// First token.
    pub(super) at: usize,
    /// Token after the last.
    pub(super) end: usize,
    /// What it can mean: a weekday, this week's or the next one's.
    pub(super) dates: Vec<civil::Date>,
}

/// Every date in the tokens, reckoned from today.
pub(super) fn dates(tokens: &[Token], today: civil::Date) -> Vec<DateMention> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        match date_at(tokens, at, today) {
            Some((end, dates)) => {
                found.push(DateMention { at, end, dates });
                at = end.max(at + 1);
            }
            None => at += 1,
        }
    }
    found
}

fn date_at(tokens: &[Token], at: usize, today: civil::Date) -> Option<(usize, Vec<civil::Date>)> {
    let first = tokens.get(at)?;
    let after = |days: i32| today.saturating_add(Span::new().days(days));
    let word = |n: usize| tokens.get(at + n).map(|t| t.text.as_str()).unwrap_or_default();
    let of_the_day = at.checked_sub(2).is_some_and(|from| {
        tokens
            .get(from..at)
            .is_some_and(|t| t.iter().all(|t| t.any(&["de", "la", "por", "en", "las"])))
    });
    match first.text.as_str() {
        "today" | "tonight" | "hoy" => return Some((at + 1, vec![today])),
        "day" if word(1) == "after" && word(2) == "tomorrow" => {
            return Some((at + 3, vec![after(2)]));
        }
        "pasado" if word(1) == "manana" => return Some((at + 2, vec![after(2)])),
        "tomorrow" => return Some((at + 1, vec![after(1)])),
        // "por la mañana" is the morning.
        "manana" if !of_the_day => return Some((at + 1, vec![after(1)])),
        _ => {}
    }
    if let Some(day) = weekday(&first.text) {
        let ahead = i32::from(today.weekday().until(day));
        return Some((at + 1, vec![after(ahead), after(ahead + 7)]));
    }
    if let Some(month) = month(&first.text) {
        // Feb 11, February 11th
        let (day, used) = number_at(tokens, at + 1).filter(|(day, _)| (1..=31).contains(day))?;
        let clock =
            tokens.get(at + 1 + used).is_some_and(|t| t.joined && t.any(&[":", "am", "pm"]));
        let suffix = usize::from(is_suffix(tokens.get(at + 1 + used)));
        return (!clock).then(|| (at + 1 + used + suffix, in_year(today, month, day)));
    }
    let day = first.whole()?;
    // 2026-02-11, 2/11
    if first.text.len() == 4 && word(1) == "-" && word(3) == "-" {
        let (month, day) = (tokens.get(at + 2)?.whole()?, tokens.get(at + 4)?.whole()?);
        let date =
            civil::Date::new(i16::try_from(day_year(first)?).ok()?, small(month)?, small(day)?);
        return date.ok().map(|date| (at + 5, vec![date]));
    }
    if word(1) == "/" && tokens.get(at + 1)?.joined && day <= 12 {
        let of_month =
            tokens.get(at + 2)?.whole().filter(|_| tokens.get(at + 2).is_some_and(|t| t.joined))?;
        let year = if word(3) == "/" { 2 } else { 0 };
        return (1..=31)
            .contains(&of_month)
            .then(|| (at + 3 + year, in_year(today, day, of_month)));
    }
    if !(1..=31).contains(&day) {
        return None;
    }
    // 11 Feb, 11 de febrero, 11th of February, the 12th
    let suffix = usize::from(is_suffix(tokens.get(at + 1)));
    let of = usize::from(matches!(word(1 + suffix), "de" | "of"));
    if let Some(month) = tokens.get(at + 1 + suffix + of).and_then(|t| month(&t.text)) {
        return Some((at + 2 + suffix + of, in_year(today, month, day)));
    }
    let announced =
        at.checked_sub(1).and_then(|at| tokens.get(at)).is_some_and(|t| t.any(&["the", "dia"]));
    if suffix == 1 || (announced && tokens.get(at.checked_sub(1)?).is_some_and(|t| t.is("dia"))) {
        return Some((at + 1 + suffix, this_or_next_month(today, day)));
    }
    None
}

fn day_year(token: &Token) -> Option<u32> {
    token.whole().filter(|year| (2000..2100).contains(year))
}

fn is_suffix(token: Option<&Token>) -> bool {
    token.is_some_and(|t| t.joined && t.any(&["st", "nd", "rd", "th"]))
}

fn small(number: u32) -> Option<i8> {
    i8::try_from(number).ok()
}

/// A day of a month without its year: this year's or the next one's.
fn in_year(today: civil::Date, month: u32, day: u32) -> Vec<civil::Date> {
    [today.year(), today.year().saturating_add(1)]
        .into_iter()
        .filter_map(|year| civil::Date::new(year, small(month)?, small(day)?).ok())
        .filter(|date| *date >= today.saturating_sub(Span::new().days(60)))
        .collect()
}

fn this_or_next_month(today: civil::Date, day: u32) -> Vec<civil::Date> {
    let this = today.first_of_month();
    let next = this.saturating_add(Span::new().months(1));
    [this, next]
        .into_iter()
        .filter_map(|first| civil::Date::new(first.year(), first.month(), small(day)?).ok())
        .collect()
}
