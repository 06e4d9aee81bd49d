//! The days that a sentence speaks of: a date, a weekday in general, or several of them.

use jiff::civil::{self, Weekday};

use super::{
    dates::DateMention,
    facts::Facts,
    sentence::Sentence,
    vocabulary::{is_relative_day, weekday},
    words::Token,
};
use crate::domain::{calendar::weekdays, time_span::TimeSpan};

/// A day of which opening hours are said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Day {
    /// "On February 16", "tomorrow", "this Friday".
    Date(civil::Date),
    /// "Fridays": the hours of the week, whatever single dates have.
    Usual(Weekday),
}

impl Day {
    pub(super) fn weekday(self) -> Weekday {
        match self {
            Self::Date(date) => date.weekday(),
            Self::Usual(day) => day,
        }
    }

    /// The parts of the day in which the shop is open.
    pub(super) fn parts(self, facts: &Facts) -> &[TimeSpan] {
        match self {
            Self::Date(date) => facts.calendar.parts(date),
            Self::Usual(day) => facts.calendar.settings().hours.parts(day),
        }
    }
}

/// Days that a sentence names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct DayMention {
    /// First token.
    pub(super) at: usize,
    /// Token after the last.
    pub(super) end: usize,
    /// More than one for "Monday to Friday".
    pub(super) days: Vec<Day>,
}

/// Words before a weekday that make it a single date.
const SINGLE: &[&str] = &["on", "this", "next", "coming", "el", "este", "proximo", "esta"];
/// Words before a weekday that make it every one of them.
const EACH: &[&str] = &["every", "each", "los", "cada", "usually", "most"];
/// Words between the first and last weekday of a range.
const RANGE: &[&str] = &["to", "-", "through", "thru", "until", "a", "al", "hasta"];

/// Every day in the sentence, in order.
pub(super) fn days(sentence: &Sentence, facts: &Facts) -> Vec<DayMention> {
    let mut found = several(&sentence.tokens);
    let all_general =
        sentence.dates.len() > 1 && !sentence.dates.iter().any(|m| is_single(sentence, m));
    let mut mentions = sentence.dates.iter().enumerate().peekable();
    while let Some((index, mention)) = mentions.next() {
        let range = mentions.peek().and_then(|(_, next)| weekdays_until(sentence, mention, next));
        if let Some(days) = range {
            let end = mentions.next().map_or(mention.end, |(_, next)| next.end);
            found.push(DayMention { at: mention.at, end, days });
        } else if let Some(day) = day(sentence, index, all_general, facts) {
            found.push(DayMention { at: mention.at, end: mention.end, days: vec![day] });
        }
    }
    found.sort_by_key(|mention| mention.at);
    found
}

/// `all_general`: no date of the sentence is a single one.
fn day(sentence: &Sentence, index: usize, all_general: bool, facts: &Facts) -> Option<Day> {
    let today = facts.today();
    let mention = sentence.dates.get(index)?;
    let Some(weekday) = named_weekday(sentence, mention) else {
        return nearest(mention, today).map(Day::Date);
    };
    // "Monday, February 16" is that date.
    let beside = [index.checked_sub(1), Some(index + 1)].into_iter().flatten();
    let dated = beside.filter_map(|at| sentence.dates.get(at)).find(|other| {
        let (first, last) =
            if other.at < mention.at { (*other, mention) } else { (mention, *other) };
        named_weekday(sentence, other).is_none() && are_adjacent(sentence, first, last)
    });
    if let Some(date) = dated.and_then(|other| nearest(other, today)) {
        return Some(Day::Date(date));
    }
    if all_general || is_general(sentence, mention) {
        return Some(Day::Usual(weekday));
    }
    // "Next Tuesday", said on a Tuesday.
    let next = word_before(sentence, mention.at).is_some_and(|t| t.any(&["next", "proximo"]));
    let is_ahead = |date: &&civil::Date| if next { **date > today } else { **date >= today };
    mention.dates.iter().find(is_ahead).copied().map(Day::Date)
}

/// The nearest date from today on that a mention can mean.
fn nearest(mention: &DateMention, today: civil::Date) -> Option<civil::Date> {
    let ahead = mention.dates.iter().filter(|date| **date >= today).min();
    ahead.or(mention.dates.last()).copied()
}

fn named_weekday(sentence: &Sentence, mention: &DateMention) -> Option<Weekday> {
    sentence
        .tokens
        .get(mention.at)
        .filter(|_| mention.end == mention.at + 1)
        .and_then(|t| weekday(&t.text))
}

fn word_before(sentence: &Sentence, at: usize) -> Option<&Token> {
    sentence.tokens.get(at.checked_sub(1)?)
}

/// Whether a weekday is every one of its name by itself: "Fridays", "los viernes". So is one of
/// several that are listed without "on" or "this".
fn is_general(sentence: &Sentence, mention: &DateMention) -> bool {
    let before = word_before(sentence, mention.at);
    let plural = sentence.tokens.get(mention.at).is_some_and(|t| {
        let text = t.text.as_str();
        text.ends_with("days") || matches!(text, "sabados" | "domingos")
    });
    // A line of a table, "Monday: 9 to 5".
    let heads = sentence.tokens.get(mention.end).is_some_and(|t| t.is(":"));
    plural || heads || before.is_some_and(|t| t.any(EACH))
}

/// "On Friday", "this Friday", "February 13".
fn is_single(sentence: &Sentence, mention: &DateMention) -> bool {
    named_weekday(sentence, mention).is_none()
        || word_before(sentence, mention.at).is_some_and(|t| t.any(SINGLE))
}

/// The weekdays of "Monday to Friday".
fn weekdays_until(sentence: &Sentence, a: &DateMention, b: &DateMention) -> Option<Vec<Day>> {
    let (first, last) = (named_weekday(sentence, a)?, named_weekday(sentence, b)?);
    let between = sentence.tokens.get(a.end..b.at)?;
    let is_range = matches!(between, [word] if word.any(RANGE));
    is_range.then(|| {
        let count = usize::from(first.until(last).unsigned_abs()) + 1;
        first.cycle_forward().take(count).map(Day::Usual).collect()
    })
}

/// "Every day", "7 days a week", "on weekends".
fn several(tokens: &[Token]) -> Vec<DayMention> {
    let week = |days: &[Weekday]| days.iter().copied().map(Day::Usual).collect::<Vec<_>>();
    let all: Vec<Weekday> = weekdays().collect();
    let (working, weekend) = all.split_at(5);
    let found = (0..tokens.len()).filter_map(|at| {
        let word = |n: usize| tokens.get(at + n).map(|t| t.text.as_str()).unwrap_or_default();
        let (used, days) = match (word(0), word(1), word(2), word(3)) {
            ("everyday", ..) => (1, week(&all)),
            ("every" | "each", "day", ..) => (2, week(&all)),
            ("todos", "los", "dias", _) => (3, week(&all)),
            ("7" | "seven" | "siete", "days" | "dias", "a" | "per" | "por" | "each", _) => {
                (4, week(&all))
            }
            ("weekdays", ..) => (1, week(working)),
            ("weekends", ..) => (1, week(weekend)),
            ("fines", "de", "semana", _) => (3, week(weekend)),
            _ => return None,
        };
        Some(DayMention { at, end: at + used, days })
    });
    found.collect()
}

/// "Wednesday Feb 11", "tomorrow (Wed)", "Wed, the 11th".
pub(super) fn are_adjacent(sentence: &Sentence, a: &DateMention, b: &DateMention) -> bool {
    let between = sentence.tokens.get(a.end..b.at).unwrap_or_default();
    let is_weekday = |mention| named_weekday(sentence, mention).is_some();
    // "Tomorrow is Thursday", "Today is the 11th", "Friday is the 14th".
    let relative = |mention: &DateMention| {
        sentence.tokens.get(mention.at).is_some_and(|t| is_relative_day(&t.text))
    };
    let equated = between.first().is_some_and(|t| t.any(&["is", "es"]))
        && between.iter().all(|t| t.any(&["is", "es", "the", "el", "dia", "on", ","]));
    if equated {
        return is_weekday(a) != is_weekday(b) || relative(a) != relative(b);
    }
    (is_weekday(a) != is_weekday(b))
        && between.len() <= 2
        && between.iter().all(|t| t.any(&[",", "(", "the", ".", "el"]))
        && between.iter().filter(|t| t.is(",")).count() <= 1
        && !(between.is_empty() && sentence.tokens.get(b.at).is_some_and(|t| t.is("tomorrow")))
}
