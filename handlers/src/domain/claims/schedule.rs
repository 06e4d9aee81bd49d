//! Whether the times and dates of a sentence are those that the calendar, a booking, the owner or
//! the customer named.

use std::collections::BTreeSet;

use jiff::civil;

use super::{
    dates::DateMention,
    days::are_adjacent,
    durations,
    facts::Facts,
    hours_said, open_days,
    sentence::Sentence,
    status::{Change, Claim},
    times_said::{self, TAKEN},
    vocabulary::PARTS_OF_DAY,
};

/// Whether every time and date of the sentence is known.
pub(super) fn is_known(
    sentence: &Sentence,
    claims: &[Claim],
    context: &[civil::Date],
    facts: &Facts,
) -> bool {
    times_said::are_known(sentence, claims, context, facts)
        && dates_fit(sentence, claims, facts)
        && open_days::are_true(sentence, facts)
        && hours_said::are_true(sentence, facts)
        && durations::are_true(sentence, facts)
        && days_are_true(sentence, facts)
}

/// Whether dates that stand together are one, and claimed dates those of a booking.
fn dates_fit(sentence: &Sentence, claims: &[Claim], facts: &Facts) -> bool {
    let contradiction = sentence.dates.windows(2).any(|pair| match pair {
        [a, b] => {
            are_adjacent(sentence, a, b) && !a.dates.iter().any(|date| b.dates.contains(date))
        }
        _ => false,
    });
    if contradiction {
        return false;
    }
    let booked: BTreeSet<civil::Date> = facts.bookings.iter().map(|b| b.slot.date()).collect();
    let cancelled: BTreeSet<civil::Date> = facts.cancelled.iter().map(|slot| slot.date()).collect();
    claims.iter().all(|claim| {
        let is_known = |date: &civil::Date| match claim.change {
            Change::Booked | Change::Moved => booked.contains(date),
            Change::Cancelled => cancelled.contains(date),
            Change::Deed => booked.contains(date) || cancelled.contains(date),
            Change::Something => true,
        };
        sentence.dates.iter().all(|mention| {
            let other = sentence.clause(mention.at);
            let from = mention
                .at
                .checked_sub(1)
                .and_then(|at| sentence.tokens.get(at))
                .is_some_and(|t| t.is("from"));
            let free = mention.dates.iter().any(|date| facts.free.has_read(*date));
            from || sentence.asks(mention.at)
                || sentence.is_denied(other.clone())
                || (!other.contains(&claim.at)
                    && sentence.words(other.clone()).iter().any(|t| t.any(&TAKEN)))
                || (!other.contains(&claim.at)
                    && free
                    && sentence.words(other).iter().any(|t| t.any(&["free", "open", "available"])))
                || mention.dates.iter().any(is_known)
        })
    })
}

/// What a day has that is not full.
const ROOM: &[&str] = &[
    "openings",
    "availability",
    "slots",
    "spots",
    "space",
    "room",
    "lugar",
    "espacio",
    "hueco",
    "cupo",
];

/// "Tomorrow is wide open", "Wednesday and Thursday are fully booked".
fn days_are_true(sentence: &Sentence, facts: &Facts) -> bool {
    let one_clause = sentence.dates.first().is_none_or(|first| {
        let clause = sentence.clause(first.at);
        sentence.dates.iter().all(|date| clause.contains(&date.at))
    });
    !sentence.times.is_empty()
        || !one_clause
        || sentence.dates.iter().all(|mention| day_is_true(sentence, mention, facts))
}

fn day_is_true(sentence: &Sentence, mention: &DateMention, facts: &Facts) -> bool {
    if sentence.asks(mention.at) || sentence.is_conditional(mention.at) {
        return true;
    }
    let clause = sentence.clause(mention.at);
    let wanted = times_said::lengths(sentence, mention.at, facts);
    let known: Vec<_> =
        mention.dates.iter().filter_map(|date| facts.free.on(*date, &wanted)).collect();
    let pair = |a: &[&str], b: &[&str]| {
        sentence.tokens.windows(2).any(|w| matches!(w, [x, y] if x.any(a) && y.any(b)))
    };
    let denied = sentence.is_denied(clause);
    let none = sentence.has(ROOM)
        || sentence.has(&["nada"])
        || (sentence.has(&["nothing"]) && sentence.has(&["left", "free", "available", "open"]))
        || pair(&["have", "got"], &["nothing"]);
    let full = pair(&["fully", "all", "completely", "totally"], &["booked", "full"])
        || pair(&["booked", "packed"], &["up", "solid", "out"])
        || pair(&["is", "are", "esta", "estamos"], &["full", "packed", "lleno", "llenos", "llena"])
        || (denied && none);
    let some = (sentence.has(ROOM) || sentence.has(&["something"]))
        && sentence.has(&["have", "is", "are", "hay", "tengo", "tenemos", "still"]);
    // Of a part of a day that was read.
    let part = !known.is_empty()
        && sentence.has(&PARTS_OF_DAY)
        && pair(&["is", "are"], &["open", "free", "available"]);
    let wide = pair(&["wide"], &["open"])
        || pair(&["any", "all"], &["time", "day"])
        || sentence.has(&["anytime", "plenty", "lots"]);
    let owners = mention.dates.iter().any(|date| facts.owner.dates.contains(date))
        || mention.dates.iter().any(|date| facts.calendar.is_closed(*date));
    if full {
        let away = mention
            .dates
            .iter()
            .any(|date| facts.away_until.is_some_and(|until| *date < until.date()));
        return owners || away || known.iter().any(|free| free.is_empty());
    }
    let offers = sentence.has(&[
        "open",
        "free",
        "works",
        "openings",
        "slots",
        "availability",
        "available",
        "spots",
    ]);
    if !denied && (some || part || (wide && offers)) {
        return known.iter().any(|free| !free.is_empty());
    }
    true
}
