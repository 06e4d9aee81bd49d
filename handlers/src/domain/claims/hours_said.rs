//! Whether opening, break and closing are at the times that a sentence gives for them.

use super::{
    days::{Day, DayMention, days},
    facts::Facts,
    open_days::{State, state},
    opening_hours::latest,
    sentence::Sentence,
    times::TimeMention,
    vocabulary::{BREAK, CLOSED, FREE, UNTIL, weekday},
    words::Token,
};
use crate::domain::{calendar::weekdays, time_span::TimeSpan};

const OPENS: &[&str] = &["opens", "abrimos", "abre", "abren", "reopen", "reopens", "atendemos"];
const CLOSES: &[&str] = &["close", "closes", "closing", "cerramos", "cierra", "cierran"];
const HOURS: &[&str] = &["hours", "horario", "horarios"];
const SHOP: &[&str] = &["we", "shop", "store", "brandon", "tienda", "taller", "and", "hours"];
const ABIERTO: &[&str] = &["abierto", "abierta", "abiertos", "abiertas"];
/// Words of a sentence that is about free times and not about opening hours, beside those for "free".
const OF_SLOTS: &[&str] =
    &["slot", "slots", "everything", "anything", "appointment", "appointments"];

/// What a sentence says happens at a time, or between two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Topic {
    Opens,
    Open,
    /// "Open until": what begins last may be meant.
    Until,
    Closes,
    Closed,
    Break,
}

/// Whether the hours that a sentence gives are those of the days that it names.
pub(super) fn are_true(sentence: &Sentence, facts: &Facts) -> bool {
    let named = open_days_named(sentence, facts);
    let mut at = 0;
    while let Some(mention) = sentence.times.get(at) {
        let second = sentence.times.get(at + 1).filter(|next| is_range(sentence, mention, next));
        at += if second.is_some() { 2 } else { 1 };
        if sentence.asks(mention.at) || is_denied(sentence, mention.at) {
            continue;
        }
        let owners = |m: &TimeMention| m.times.iter().any(|t| facts.owner.times.contains(t));
        let is_true = match second {
            Some(end) if owners(mention) && owners(end) => true,
            Some(end) => range_is_true(sentence, mention, end, &named, facts),
            None => owners(mention) || edge_is_true(sentence, mention, &named, facts),
        };
        if !is_true {
            return false;
        }
    }
    !says_no_break(sentence) || has_no_break(sentence, facts)
}

/// "9 to 5", "between 9 and 12", "de las 9 a las 12".
pub(super) fn is_range(sentence: &Sentence, a: &TimeMention, b: &TimeMention) -> bool {
    let between = sentence.tokens.get(a.end..b.at).unwrap_or_default();
    let before = a.at.checked_sub(1).and_then(|at| sentence.tokens.get(at));
    let pair = before.is_some_and(|t| t.any(&["between", "entre"]));
    !between.is_empty()
        && between.iter().all(|t| {
            t.any(&["to", "-", "until", "till", "through", "a", "la", "las", "hasta"])
                || (pair && t.any(&["and", "y"]))
        })
}

/// "No break" denies nothing but the break.
fn is_denied(sentence: &Sentence, at: usize) -> bool {
    let clause = sentence.clause(at);
    sentence.is_denied(clause.clone()) && !has_no_break_words(sentence.words(clause))
}

fn range_is_true(
    sentence: &Sentence,
    a: &TimeMention,
    b: &TimeMention,
    named: &[DayMention],
    facts: &Facts,
) -> bool {
    let Some(topic) = topic(sentence, a).or_else(|| listed_hours(sentence)) else { return true };
    let straight = says_no_break(sentence);
    all_days(sentence, a, named, facts, |parts| {
        let gaps = parts.windows(2).any(|pair| match pair {
            [one, two] => a.is_minute(one.end()) && b.is_minute(two.start.minute_of_day()),
            _ => false,
        });
        match topic {
            Topic::Break => gaps,
            Topic::Closed | Topic::Closes | Topic::Until => {
                let overnight = || {
                    let opens = parts.first().is_some_and(|p| b.is_minute(p.start.minute_of_day()));
                    opens && parts.last().is_some_and(|part| a.is_minute(part.end()))
                };
                gaps || overnight()
            }
            Topic::Open | Topic::Opens => parts.iter().enumerate().any(|(at, first)| {
                let begins = a.is_minute(first.start.minute_of_day());
                let count = if straight { 1 } else { parts.len() };
                begins && parts.iter().skip(at).take(count).any(|last| ends_at(*last, b, facts))
            }),
        }
    })
}

fn edge_is_true(
    sentence: &Sentence,
    mention: &TimeMention,
    named: &[DayMention],
    facts: &Facts,
) -> bool {
    let Some(topic) = topic(sentence, mention) else { return true };
    all_days(sentence, mention, named, facts, |parts| {
        let mut parts = parts.iter();
        match topic {
            Topic::Opens => parts.any(|part| mention.is_minute(part.start.minute_of_day())),
            Topic::Until => parts.any(|part| ends_at(*part, mention, facts)),
            Topic::Closes => parts.any(|part| mention.is_minute(part.end())),
            Topic::Open | Topic::Closed | Topic::Break => true,
        }
    })
}

fn ends_at(part: TimeSpan, mention: &TimeMention, facts: &Facts) -> bool {
    latest(facts, part).iter().any(|time| mention.times.contains(time))
}

/// What the sentence says of a time: by the last word for it before.
fn topic(sentence: &Sentence, mention: &TimeMention) -> Option<Topic> {
    let from = sentence.times.iter().rev().find(|time| time.end <= mention.at);
    // "We open at 9 and close at 5": each time has its own word. "From 9 to 12 and from 1 to 5"
    // have one together.
    let since = sentence.words(from.map_or(0, |time| time.end)..mention.at);
    let before = sentence.words(0..mention.at);
    let topic = last_topic(before)?;
    let until = since.iter().rev().take(3).any(|t| t.any(&UNTIL) || t.is("by"));
    let starts = since.iter().rev().take(2).any(|t| t.any(&["from", "desde", "since"]));
    match topic {
        Topic::Open if until => Some(Topic::Until),
        Topic::Open if starts => Some(Topic::Opens),
        Topic::Opens | Topic::Closes if !continues(since, from.is_some()) => None,
        topic => Some(topic),
    }
}

/// Whether what stands between two times leaves the second one to the same word: "at 7 PM on
/// Saturdays and at 2 PM on Thursdays", and not "so 8 AM will not work".
fn continues(since: &[Token], is_second: bool) -> bool {
    !is_second
        || last_topic(since).is_some()
        || !since.iter().any(|t| t.any(&["so", "but", "-", "."]))
}

fn last_topic(words: &[Token]) -> Option<Topic> {
    (0..words.len()).rev().find_map(|at| {
        let word = words.get(at)?;
        let near = |from: usize| words.get(at.saturating_sub(from)..at).unwrap_or_default();
        let be = near(2).iter().any(|t| t.any(&["are", "is", "am", "be"]));
        if word.any(&CLOSED) {
            Some(Topic::Closed)
        } else if word.any(CLOSES) {
            Some(Topic::Closes)
        } else if word.any(&BREAK) {
            let none = near(2).iter().any(|t| t.any(&["no", "without", "sin"]));
            (!none).then_some(Topic::Break)
        } else if word.any(OPENS) || (word.is("open") && !be && near(3).iter().any(|t| t.any(SHOP)))
        {
            Some(Topic::Opens)
        } else if word.any(ABIERTO)
            || word.any(HOURS)
            || (word.is("open") && near(4).iter().any(|t| t.any(SHOP)))
        {
            Some(Topic::Open)
        } else {
            None
        }
    })
}

/// "Mondays 9 to 5, Saturdays 10 to 2", without a word that says of what.
fn listed_hours(sentence: &Sentence) -> Option<Topic> {
    let usual = |date: &super::dates::DateMention| {
        sentence.tokens.get(date.at).is_some_and(|t| weekday(&t.text).is_some())
    };
    let lists = !sentence.dates.is_empty()
        && sentence.dates.iter().all(usual)
        && sentence.times.len() >= 2
        && sentence.times.len().is_multiple_of(2)
        && !sentence.has(&FREE)
        && !sentence.has(OF_SLOTS)
        && sentence.times.chunks(2).all(|pair| match pair {
            [a, b] => is_range(sentence, a, b),
            _ => false,
        });
    lists.then_some(Topic::Open)
}

/// The days that the sentence names and does not call closed.
fn open_days_named(sentence: &Sentence, facts: &Facts) -> Vec<DayMention> {
    let mut named = days(sentence, facts);
    let is_excepted = |day: &DayMention| state(sentence, day) == Some(State::Excepted);
    let excepted: Vec<Day> =
        named.iter().filter(|day| is_excepted(day)).flat_map(|day| day.days.clone()).collect();
    named.retain(|day| !matches!(state(sentence, day), Some(State::Closed | State::Excepted)));
    // "Every day but Sunday".
    let weekdays: Vec<_> = excepted.iter().map(|day| day.weekday()).collect();
    for mention in &mut named {
        mention.days.retain(|day| !weekdays.contains(&day.weekday()));
    }
    named
}

/// Whether something is true of the hours of all days that a time is about: those before it, or
/// after it when no day stands before the first time. Without a day, of any weekday.
fn all_days(
    sentence: &Sentence,
    mention: &TimeMention,
    named: &[DayMention],
    facts: &Facts,
    is_true: impl Fn(&[TimeSpan]) -> bool,
) -> bool {
    let first_time = sentence.times.first().map_or(0, |time| time.at);
    let leads = named.first().is_some_and(|day| day.at < first_time);
    let is_between = |from: usize, until: usize| {
        sentence.times.iter().any(|time| from <= time.at && time.at < until)
    };
    let of_time: Vec<Day> = if leads {
        let last = named.iter().rposition(|day| day.at < mention.at).map_or(0, |at| at + 1);
        let before = named.get(..last).unwrap_or_default();
        let nearest = before.last().map_or(0, |day| day.end);
        let group = before.iter().filter(|day| !is_between(day.end, nearest));
        group.flat_map(|day| day.days.clone()).collect()
    } else {
        let after = named.iter().find(|day| day.at > mention.at).map(|day| day.at);
        let group = named
            .iter()
            .filter(|day| after.is_some_and(|first| day.at >= first && !is_between(first, day.at)));
        group.flat_map(|day| day.days.clone()).collect()
    };
    if of_time.is_empty() {
        return weekdays().any(|day| is_true(Day::Usual(day).parts(facts)));
    }
    of_time.into_iter().all(|day| is_true(day.parts(facts)))
}

fn says_no_break(sentence: &Sentence) -> bool {
    sentence.clauses.iter().any(|clause| has_no_break_words(sentence.words(clause.clone())))
}

/// "No break", "without a lunch break", "straight through", "sin pausa".
fn has_no_break_words(words: &[Token]) -> bool {
    words.windows(2).any(|pair| matches!(pair, [a, b] if a.is("straight") && b.is("through")))
        || words.iter().any(|t| t.any(&["nonstop", "corrido", "continuously"]))
        || words.iter().enumerate().any(|(at, word)| {
            let next = words.get(at + 1..).unwrap_or_default();
            word.any(&["no", "without", "sin"]) && next.iter().take(3).any(|t| t.any(&BREAK))
        })
}

/// Whether the days that the sentence names, or some weekday, have one part only.
fn has_no_break(sentence: &Sentence, facts: &Facts) -> bool {
    let named = days(sentence, facts);
    let mut all = named.iter().flat_map(|mention| mention.days.clone()).peekable();
    if all.peek().is_none() {
        return weekdays().any(|day| Day::Usual(day).parts(facts).len() == 1);
    }
    all.all(|day| day.parts(facts).len() <= 1)
}
