//! Whether the times and dates of a sentence are those that the calendar, a booking, the owner or
//! the customer named.

use std::collections::BTreeSet;

use jiff::civil;

use super::{
    dates::DateMention,
    facts::Facts,
    opening_hours::HourEdges,
    sentence::Sentence,
    status::{Change, Claim},
    times::TimeMention,
};
use crate::domain::slot::{Slot, SlotTime};

/// Words that say that a time can be had.
const FREE: &[&str] = &[
    "free",
    "available",
    "open",
    "works",
    "work",
    "fits",
    "availability",
    "openings",
    "opening",
    "libre",
    "libres",
    "disponible",
    "disponibles",
    "tengo",
    "tenemos",
    "hay",
    "funciona",
    "do",
    "yours",
    "great",
    "perfect",
    "fine",
    "ok",
    "okay",
    "good",
    "come",
];
/// Words that say that a time cannot be had.
const TAKEN: &[&str] = &[
    "taken",
    "booked",
    "gone",
    "full",
    "busy",
    "unavailable",
    "ocupado",
    "ocupada",
    "ocupadas",
    "reservado",
    "reservada",
    "lleno",
    "closed",
    "cerrado",
    "cerrados",
    "late",
    "early",
    "else",
];
/// Words with which the customer's wish is repeated.
const WISHES: &[&str] = &[
    "want",
    "wanted",
    "asked",
    "check",
    "look",
    "said",
    "mean",
    "meant",
    "prefer",
    "like",
    "see",
    "mentioned",
    "instead",
    "quieres",
    "buscas",
    "reviso",
    "checking",
    "looking",
    "request",
    "requested",
    "whether",
    "tried",
    "move",
    "find",
];
/// Words of a sentence about opening hours.
const HOURS: &[&str] = &[
    "open",
    "opens",
    "close",
    "closes",
    "hours",
    "hourly",
    "hour",
    "abierto",
    "abierta",
    "abiertos",
    "abrimos",
    "cerramos",
    "horario",
    "begin",
    "begins",
    "start",
    "starts",
    "last",
    "first",
    "latest",
    "earliest",
    "run",
    "slots",
    "appointments",
    "citas",
    "daily",
];

/// Whether every time and date of the sentence is known.
pub(super) fn is_known(
    sentence: &Sentence,
    claims: &[Claim],
    context: &[civil::Date],
    facts: &Facts,
) -> bool {
    sentence.times.iter().all(|mention| time_is_known(sentence, mention, claims, context, facts))
        && ranges_are_free(sentence, context, facts)
        && dates_fit(sentence, claims, facts)
        && hours_are_true(sentence, facts)
        && days_are_true(sentence, facts)
}

fn time_is_known(
    sentence: &Sentence,
    mention: &TimeMention,
    claims: &[Claim],
    context: &[civil::Date],
    facts: &Facts,
) -> bool {
    let named = sentence.dates_near(mention.at);
    let dates = named.unwrap_or(context);
    let on_date = |slot: Slot| dates.is_empty() || dates.contains(&slot.date());
    let is = |time: &SlotTime| mention.times.contains(time);
    let booked = facts.bookings.iter().any(|b| is(&b.slot.time()) && on_date(b.slot));
    let cancelled = facts.cancelled.iter().any(|slot| is(&slot.time()) && on_date(*slot));
    let clause = sentence.clause(mention.at);
    let words = sentence.words(clause.clone());
    let claims_here = claims.iter().any(|claim| clause.contains(&claim.at));
    let denied =
        sentence.is_denied(clause.clone()) || (!claims_here && words.iter().any(|t| t.any(TAKEN)));
    let asks = sentence.asks(mention.at);
    let before = mention.at.checked_sub(1).and_then(|at| sentence.tokens.get(at));

    let claims_booking = claims.iter().any(|c| matches!(c.change, Change::Booked | Change::Moved));
    if claims_booking && !denied && !asks {
        let old = facts.moved && before.is_some_and(|t| t.any(&["from", "de"]));
        // Without a date of its own, a claim may speak of any booking at that time.
        let booked_at =
            booked || (named.is_none() && facts.bookings.iter().any(|b| is(&b.slot.time())));
        let hours = facts.owner.times.iter().any(is) && sentence.has(&["back", "until", "by"]);
        return booked_at || old || hours;
    }
    if claims.iter().any(|c| c.change == Change::Cancelled) && !denied {
        return cancelled || booked || facts.cancelled.iter().any(|slot| is(&slot.time()));
    }
    if booked || cancelled {
        return true;
    }
    let checked: Vec<_> =
        facts.free.iter().filter(|(date, _)| dates.is_empty() || dates.contains(date)).collect();
    let is_free = checked.iter().any(|(_, free)| free.iter().any(is));
    let anywhere = dates.is_empty() || checked.is_empty();
    if is_free {
        // A free time must not be called taken.
        let all_free = checked.iter().all(|(_, free)| free.iter().any(is));
        return !(words.iter().any(|t| t.any(&["taken", "booked", "gone", "unavailable", "full"]))
            && all_free
            && !sentence.has(FREE));
    }
    if facts.owner.times.iter().any(is)
        || is_now(sentence, mention, facts)
        || about_hours(sentence, mention, facts)
    {
        return true;
    }
    if denied {
        return true;
    }
    if anywhere && !checked.is_empty() && named.is_none() && facts.said.times.iter().any(is) {
        return true;
    }
    let from_customer = facts.customer.times.iter().any(is);
    let wish = words.iter().any(|t| t.any(WISHES));
    if !checked.is_empty() {
        // The calendar of that date is known, and this time is not free.
        return from_customer && wish && !words.iter().any(|t| t.any(FREE));
    }
    if facts.said.times.iter().any(is)
        && (named.is_none() || dates.iter().any(|d| facts.said.dates.contains(d)))
    {
        return true;
    }
    let accepts = words.windows(2).any(|w| matches!(w, [a, b] if a.is("it") && b.is("is")))
        && words.last().is_some_and(|t| t.any(&["is", "!", "."]));
    let offered = (accepts || words.iter().any(|t| t.any(FREE))) && !asks && !wish;
    from_customer && !offered
}

/// "Everything from 9 to 3 is free": also what lies between.
fn ranges_are_free(sentence: &Sentence, context: &[civil::Date], facts: &Facts) -> bool {
    let all = sentence.has(&["everything", "every", "all", "anything", "any", "todo"]);
    let [first, last] = sentence.times.as_slice() else { return true };
    let spans = sentence.tokens.get(first.end..last.at).is_some_and(|between| {
        between.iter().any(|t| t.any(&["to", "-", "until", "through", "and", "a"]))
    });
    if !all || !spans || !sentence.has(FREE) || sentence.has(&["except", "but", "or"]) {
        return true;
    }
    let dates = sentence.dates_near(first.at).unwrap_or(context);
    let checked = facts.free.iter().find(|(date, _)| dates.is_empty() || dates.contains(date));
    let Some((_, free)) = checked else { return true };
    first.times.iter().any(|from| {
        last.times.iter().any(|to| {
            from < to
                && SlotTime::every(60, *from, *to).all(|time| time == *to || free.contains(&time))
        })
    })
}

/// "It is 3:10 PM now."
fn is_now(sentence: &Sentence, mention: &TimeMention, facts: &Facts) -> bool {
    let now = i32::from(facts.now.hour()) * 60 + i32::from(facts.now.minute());
    sentence.has(&["now", "currently", "ahora", "is", "son"])
        && mention
            .times
            .iter()
            .any(|time| (i32::from(time.hour()) * 60 + i32::from(time.minute()) - now).abs() <= 5)
}

/// First and last time in a sentence about opening hours, or both of them.
fn about_hours(sentence: &Sentence, mention: &TimeMention, facts: &Facts) -> bool {
    let edges = HourEdges::of(sentence, facts);
    let is_edge = |time: &SlotTime| edges.all.contains(time);
    let both =
        sentence.times.len() >= 2 && sentence.times.iter().all(|m| m.times.iter().any(is_edge));
    let hours = sentence.has(HOURS);
    // "9 AM is open tomorrow" offers a time.
    let offers = !both
        && sentence.times.len() == 1
        && !sentence.dates.is_empty()
        && sentence.has(&["have", "free", "available", "is"]);
    let before = mention.at.checked_sub(1).and_then(|at| sentence.tokens.get(at));
    // "By four o'clock": the latest that there is.
    let bound = before.is_some_and(|word| word.any(&["by", "until", "till", "before"]))
        && mention.times.iter().any(|time| edges.latest.contains(time));
    mention.times.iter().any(is_edge) && (both || hours || bound) && !offers
}

/// Whether dates that stand together are one, and claimed dates those of a booking.
fn dates_fit(sentence: &Sentence, claims: &[Claim], facts: &Facts) -> bool {
    let contradiction = sentence.dates.windows(2).any(|pair| match pair {
        [a, b] => adjacent(sentence, a, b) && !a.dates.iter().any(|date| b.dates.contains(date)),
        _ => false,
    });
    if contradiction {
        return false;
    }
    let booked: BTreeSet<civil::Date> = facts.bookings.iter().map(|b| b.slot.date()).collect();
    let cancelled: BTreeSet<civil::Date> = facts.cancelled.iter().map(|slot| slot.date()).collect();
    claims.iter().all(|claim| {
        let known = match claim.change {
            Change::Booked | Change::Moved => &booked,
            Change::Cancelled => &cancelled,
            Change::Something => return true,
        };
        sentence.dates.iter().all(|mention| {
            let other = sentence.clause(mention.at);
            let from = mention
                .at
                .checked_sub(1)
                .and_then(|at| sentence.tokens.get(at))
                .is_some_and(|t| t.is("from"));
            let free = mention.dates.iter().any(|date| facts.free.contains_key(date));
            from || sentence.asks(mention.at)
                || sentence.is_denied(other.clone())
                || (!other.contains(&claim.at)
                    && sentence.words(other.clone()).iter().any(|t| t.any(TAKEN)))
                || (!other.contains(&claim.at)
                    && free
                    && sentence.words(other).iter().any(|t| t.any(&["free", "open", "available"])))
                || mention.dates.iter().any(|date| known.contains(date))
        })
    })
}

/// "Wednesday Feb 11", "tomorrow (Wed)", "Wed, the 11th".
fn adjacent(sentence: &Sentence, a: &DateMention, b: &DateMention) -> bool {
    let between = sentence.tokens.get(a.end..b.at).unwrap_or_default();
    let weekday = |mention: &DateMention| mention.dates.len() == 2 && mention.end == mention.at + 1;
    (weekday(a) != weekday(b))
        && between.len() <= 2
        && between.iter().all(|t| t.any(&[",", "(", "the", ".", "el"]))
        && between.iter().filter(|t| t.is(",")).count() <= 1
        && !(between.is_empty() && sentence.tokens.get(b.at).is_some_and(|t| t.is("tomorrow")))
}

/// "Open on Sundays", "24/7".
fn hours_are_true(sentence: &Sentence, facts: &Facts) -> bool {
    let round_the_clock = sentence.tokens.windows(3).any(|w| {
        matches!(w, [a, b, c] if a.is("24") && (b.is("/") && c.is("7") || b.any(&["hours", "horas"]) && c.any(&["a", "al", "per"])))
    }) || sentence.tokens.windows(2).any(|w| matches!(w, [a, b] if a.is("24") && b.any(&["hours"])) && sentence.has(&["open"]));
    if round_the_clock && !facts.owner.text.contains("24") {
        return false;
    }
    let openers = [
        "open",
        "opens",
        "abierto",
        "abrimos",
        "abiertos",
        "available",
        "free",
        "works",
        "work",
        "tengo",
        "have",
    ];
    sentence.dates.iter().all(|mention| {
        let clause = sentence.clause(mention.at);
        let closed = !mention.dates.is_empty()
            && mention.dates.iter().all(|date| facts.calendar.is_closed(*date));
        let opens = sentence.words(clause.clone()).iter().any(|t| t.any(&openers));
        !(closed && opens)
            || sentence.asks(mention.at)
            || sentence.is_denied(clause.clone())
            || sentence.words(clause).iter().any(|t| {
                t.any(&["closed", "except", "excepto", "cerrado", "cerrados", "to", "through"])
            })
            || mention.dates.iter().any(|date| facts.owner.dates.contains(date))
    })
}

/// "Tomorrow is wide open", "Wednesday is fully booked".
fn days_are_true(sentence: &Sentence, facts: &Facts) -> bool {
    if !sentence.times.is_empty() || sentence.dates.len() != 1 {
        return true;
    }
    let Some(mention) = sentence.dates.first() else { return true };
    if sentence.asks(mention.at) || sentence.is_conditional(mention.at) {
        return true;
    }
    let clause = sentence.clause(mention.at);
    let known: Vec<_> = mention.dates.iter().filter_map(|date| facts.free.get(date)).collect();
    let pair = |a: &[&str], b: &[&str]| {
        sentence.tokens.windows(2).any(|w| matches!(w, [x, y] if x.any(a) && y.any(b)))
    };
    let denied = sentence.is_denied(clause);
    let full = pair(&["fully", "all", "completely", "totally"], &["booked", "full"])
        || pair(&["booked", "packed"], &["up", "solid", "out"])
        || (denied && sentence.has(&["openings", "availability", "slots", "nada"]));
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
    if wide
        && !denied
        && sentence.has(&[
            "open",
            "free",
            "works",
            "openings",
            "slots",
            "availability",
            "available",
            "spots",
        ])
    {
        return known.iter().any(|free| !free.is_empty());
    }
    true
}
