//! Whether the shop is open or closed on the days of which a sentence says so.

use super::{
    days::{Day, DayMention, days},
    facts::Facts,
    sentence::Sentence,
    vocabulary::{CLOSED, OPEN as SHOP_OPEN},
    words::{Token, tokens},
};
use crate::domain::{calendar::weekdays, slot::SlotTime, time_span::TimeSpan};

/// Words that say that the shop is open or has time.
const OPEN: &[&str] = &[
    "open",
    "opens",
    "abierto",
    "abierta",
    "abre",
    "abrimos",
    "abiertos",
    "available",
    "free",
    "works",
    "work",
    "tengo",
    "have",
    "atendemos",
    "come",
    "swing",
    "drop",
];
/// Words that leave out the days after them.
const EXCEPT: &[&str] = &["except", "but", "excepto", "menos", "salvo"];

/// What is said of a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Open,
    Closed,
    /// "Except Sundays".
    Excepted,
}

/// Whether every day that is called open or closed is so.
pub(super) fn are_true(sentence: &Sentence, facts: &Facts) -> bool {
    round_the_clock_is_true(sentence, facts)
        && days(sentence, facts).iter().all(|mention| match state(sentence, mention) {
            Some(State::Open) => is_open(sentence, mention, facts),
            Some(State::Closed) => is_closed(sentence, mention, facts),
            Some(State::Excepted) | None => true,
        })
}

/// What a sentence says of the days: by the last word for it before them, or the first one after.
pub(super) fn state(sentence: &Sentence, mention: &DayMention) -> Option<State> {
    let clause = sentence.clause(mention.at);
    let before = sentence.words(clause.start..mention.at);
    if before.iter().rev().take(3).any(|t| t.any(EXCEPT)) {
        return Some(State::Excepted);
    }
    let after = sentence.words(mention.end..clause.end);
    let words: Vec<&Token> = before.iter().rev().chain(after).collect();
    let word = *words.iter().find(|t| t.any(OPEN) || is_closing(t))?;
    // "We're not open on Mondays" is "closed".
    let clause = sentence.words(clause);
    let at = clause.iter().position(|t| std::ptr::eq(t, word)).unwrap_or_default();
    let denied = clause
        .get(at.saturating_sub(2)..at)
        .is_some_and(|near| near.iter().any(|t| t.any(&["not", "no", "never", "nunca"])));
    let closed = is_closing(word) || (denied && word.any(&SHOP_OPEN));
    Some(if closed { State::Closed } else { State::Open })
}

fn is_closing(word: &Token) -> bool {
    word.any(&CLOSED) || word.is("cerramos")
}

fn is_open(sentence: &Sentence, mention: &DayMention, facts: &Facts) -> bool {
    let clause = sentence.clause(mention.at);
    let dates =
        || sentence.dates.iter().filter(|date| date.at == mention.at).flat_map(|d| &d.dates);
    let is_open = |day: &Day| !day.parts(facts).is_empty();
    let excepts =
        sentence.tokens.get(mention.end..).is_some_and(|rest| rest.iter().any(|t| t.any(EXCEPT)));
    // "Moved to Sunday", "from Sunday to Monday", and not "Sunday to help you".
    let is_to = |at: usize| sentence.tokens.get(at).is_some_and(|t| t.any(&["to", "through"]));
    let moves = mention.days.len() == 1
        && (mention.at.checked_sub(1).is_some_and(is_to)
            || (is_to(mention.end) && sentence.is_time_or_date(mention.end + 1)));
    mention.days.iter().all(is_open)
        || sentence.asks(mention.at)
        || sentence.is_denied(clause)
        || (mention.days.len() > 1 && excepts)
        || moves
        || dates().any(|date| facts.owner.dates.contains(date))
        || dates().any(|date| facts.free.on(*date, &[]).is_some_and(|free| !free.is_empty()))
}

fn is_closed(sentence: &Sentence, mention: &DayMention, facts: &Facts) -> bool {
    let clause = sentence.clause(mention.at);
    // "Closed from 12 to 1", "closed by then".
    let partly = sentence.times.iter().any(|time| clause.contains(&time.at))
        || sentence.words(clause.clone()).iter().any(|t| t.any(&["then", "lunch", "if"]));
    // "We're not open on Mondays" is no denial of "closed".
    let denied =
        sentence.is_denied(clause.clone()) && sentence.words(clause.clone()).iter().any(is_closing);
    let owner_says = tokens(&facts.owner.text).iter().any(is_closing);
    partly
        || owner_says
        || sentence.asks(mention.at)
        || denied
        || sentence.is_conditional(mention.at)
        || mention.days.iter().all(|day| is_closed_on(*day, facts))
}

fn is_closed_on(day: Day, facts: &Facts) -> bool {
    if day.parts(facts).is_empty() {
        return true;
    }
    let Day::Date(date) = day else { return false };
    let now = SlotTime::of(facts.now);
    let is_over = || {
        let is_in = |part: &TimeSpan| part.start <= now && now.minute_of_day() < part.end();
        !day.parts(facts).iter().any(is_in)
    };
    facts.away_until.is_some_and(|until| date < until.date() || date == facts.today())
        || (date == facts.today() && is_over())
        || facts.owner.dates.contains(&date)
        || facts.free.on(date, &[]).is_some_and(|free| free.is_empty())
}

/// "24/7", "open 24 hours".
fn round_the_clock_is_true(sentence: &Sentence, facts: &Facts) -> bool {
    let said = sentence.tokens.windows(3).any(|w| {
        matches!(w, [a, b, c] if a.is("24") && (b.is("/") && c.is("7") || b.any(&["hours", "horas"]) && c.any(&["a", "al", "per"])))
    }) || sentence.tokens.windows(2).any(|w| {
        matches!(w, [a, b] if a.is("24") && b.any(&["hours", "horas"]))
    }) && sentence.has(&["open", "abierto", "abiertos", "abrimos"]);
    let owners = tokens(&facts.owner.text);
    let owner_says = owners.windows(2).any(
        |pair| matches!(pair, [a, b] if a.is("24") && (b.is("/") || b.any(&["hours", "horas"]))),
    );
    if !said || owner_says {
        return true;
    }
    let is_whole = |day: Day| day.parts(facts).iter().any(|part| part.minutes == 24 * 60);
    let named = days(sentence, facts);
    let named = named.iter().flat_map(|mention| mention.days.clone());
    let mut days: Vec<Day> = named.collect();
    if days.is_empty() {
        days.extend(weekdays().map(Day::Usual));
    }
    days.into_iter().all(is_whole)
}
