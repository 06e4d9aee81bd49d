//! Dates as people write them.

use jiff::{Span, civil};

use crate::domain::{
    calendar::{weekday_name, weekdays},
    slot::parse_date,
};

/// Shortest abbreviation of weekdays and months.
const SHORTEST: usize = 3;
const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

/// The date with which the words begin, and the words after it. A weekday is the next such day,
/// today included; a date without a year is not in the past.
pub(super) fn take_date<'a, 'b>(
    words: &'a [&'b str],
    today: civil::Date,
) -> Option<(civil::Date, &'a [&'b str])> {
    let words = match words.split_first() {
        Some((&("on" | "this" | "for"), rest)) => rest,
        _ => words,
    };
    let (first, rest) = words.split_first()?;
    if let Some(date) = single(first, today) {
        return Some((date, rest));
    }
    let (second, rest) = rest.split_first()?;
    let month = MONTHS.iter().position(|name| abbreviates(first, name))?;
    let day = ["st", "nd", "rd", "th"].iter().find_map(|end| second.strip_suffix(end));
    let date = coming(i8::try_from(month + 1).ok()?, day.unwrap_or(second), today)?;
    Some((date, rest))
}

fn single(word: &str, today: civil::Date) -> Option<civil::Date> {
    match word {
        "today" | "tonight" => return Some(today),
        "tomorrow" | "tmrw" | "tmr" | "tomorow" | "tommorow" => return today.tomorrow().ok(),
        _ => {}
    }
    if let Ok(date) = parse_date(word) {
        return Some(date);
    }
    if let Some((month, day)) = word.split_once('/') {
        return coming(number(month)?, day, today);
    }
    let weekday = weekdays().find(|day| abbreviates(word, &weekday_name(*day).to_lowercase()))?;
    (0..7)
        .filter_map(|days| today.checked_add(Span::new().days(days)).ok())
        .find(|date| date.weekday() == weekday)
}

/// `fri` and `thurs`, not `f`.
fn abbreviates(word: &str, name: &str) -> bool {
    word == name
        || word.len() >= SHORTEST && name.starts_with(word)
        || word == "weds" && name == "wednesday"
}

fn coming(month: i8, day: &str, today: civil::Date) -> Option<civil::Date> {
    let day = number(day)?;
    [today.year(), today.year().checked_add(1)?]
        .into_iter()
        .filter_map(|year| civil::Date::new(year, month, day).ok())
        .find(|date| *date >= today)
}

/// One or two digits, without a sign.
fn number(digits: &str) -> Option<i8> {
    let sound = (1..=2).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    if sound { digits.parse().ok() } else { None }
}
