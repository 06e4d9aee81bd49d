//! Whether the times and dates of a sentence are those that the calendar, a booking, the owner or
//! the customer named.

use std::collections::BTreeSet;

use jiff::civil;

use super::{
    days::are_adjacent,
    durations,
    facts::Facts,
    hours_said, money, open_days,
    opening_hours::HourEdges,
    sentence::Sentence,
    status::{Change, Claim},
    times::TimeMention,
    vocabulary::UNTIL,
};
use crate::domain::{
    slot::{Slot, SlotTime},
    time_needed::TimeNeeded,
};

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
    "break",
    "lunch",
    "descanso",
    "pausa",
];
/// Words before the end of something.
const TO: &[&str] = &["to", "-", "a", "las"];

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
        && open_days::are_true(sentence, facts)
        && hours_said::are_true(sentence, facts)
        && durations::are_true(sentence, facts)
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
    if let Some(known) = durations::end_is_known(sentence, mention, facts) {
        return known;
    }
    let booked = facts.bookings.iter().any(|b| is(&b.slot.time()) && on_date(b.slot));
    let cancelled = facts.cancelled.iter().any(|slot| is(&slot.time()) && on_date(*slot));
    let clause = sentence.clause(mention.at);
    let words = sentence.words(clause.clone());
    let claims_here = claims.iter().any(|claim| clause.contains(&claim.at));
    let denied =
        sentence.is_denied(clause.clone()) || (!claims_here && words.iter().any(|t| t.any(TAKEN)));
    let asks = sentence.asks(mention.at);
    let before = mention.at.checked_sub(1).and_then(|at| sentence.tokens.get(at));

    // "From 2:00 PM to 3:30 PM".
    let ends = before.is_some_and(|t| t.any(TO) || t.any(&UNTIL))
        && facts.bookings.iter().any(|b| mention.is_minute(facts.end_of(b)) && on_date(b.slot));
    let claims_booking = claims.iter().any(|c| matches!(c.change, Change::Booked | Change::Moved));
    if claims_booking && !denied && !asks {
        let old = facts.moved && before.is_some_and(|t| t.any(&["from", "de"]));
        // Without a date of its own, a claim may speak of any booking at that time.
        let booked_at =
            booked || (named.is_none() && facts.bookings.iter().any(|b| is(&b.slot.time())));
        let hours = facts.owner.times.iter().any(is) && sentence.has(&["back", "until", "by"]);
        return booked_at || ends || old || hours;
    }
    if claims.iter().any(|c| c.change == Change::Cancelled) && !denied {
        return cancelled || booked || facts.cancelled.iter().any(|slot| is(&slot.time()));
    }
    if booked || cancelled || ends {
        return true;
    }
    let wanted = lengths(sentence, mention.at, facts);
    let readings = facts.free.dates().filter(|date| dates.is_empty() || dates.contains(date));
    let checked: Vec<_> = readings.filter_map(|date| facts.free.on(date, &wanted)).collect();
    let is_free = checked.iter().any(|free| free.iter().any(is));
    let anywhere = dates.is_empty() || checked.is_empty();
    if is_free {
        // A free time must not be called taken.
        let all_free = checked.iter().all(|free| free.iter().any(is));
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
        && (!words.iter().any(|t| t.any(FREE)) || may_still_be_free(mention, dates, &wanted, facts))
    {
        return true;
    }
    let accepts = words.windows(2).any(|w| matches!(w, [a, b] if a.is("it") && b.is("is")))
        && words.last().is_some_and(|t| t.any(&["is", "!", "."]));
    let offered = (accepts || words.iter().any(|t| t.any(FREE))) && !asks && !wish;
    from_customer && !offered
}

/// How long the repairs take that a sentence names near a token.
fn lengths(sentence: &Sentence, at: usize, facts: &Facts) -> Vec<TimeNeeded> {
    let near = money::repairs(sentence.words(sentence.clause(at)));
    let kinds = if near.is_empty() { money::repairs(&sentence.tokens) } else { near };
    let on_site = money::on_site(&sentence.tokens);
    kinds.into_iter().map(|kind| facts.time_needed(Some(kind), on_site)).collect()
}

/// Whether the calendar as it is now leaves room at a time that an earlier answer offered.
fn may_still_be_free(
    mention: &TimeMention,
    dates: &[civil::Date],
    wanted: &[TimeNeeded],
    facts: &Facts,
) -> bool {
    let slots = |date| mention.times.iter().map(move |time| Slot::new(date, *time));
    dates.is_empty()
        || dates.iter().copied().flat_map(slots).any(|slot| facts.has_room(slot, wanted))
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
    let wanted = lengths(sentence, first.at, facts);
    let mut read = facts.free.dates().filter(|date| dates.is_empty() || dates.contains(date));
    let Some(free) = read.next().and_then(|date| facts.free.on(date, &wanted)) else {
        return true;
    };
    let step = usize::from(facts.calendar.settings().slot_interval_minutes);
    first.times.iter().any(|from| {
        last.times.iter().any(|to| {
            from < to
                && SlotTime::every(step, *from, *to).all(|time| time == *to || free.contains(&time))
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
        && sentence.has(&["have", "free", "available", "is"])
        && !sentence.has(&["last", "first", "latest", "earliest"]);
    let before = mention.at.checked_sub(1).and_then(|at| sentence.tokens.get(at));
    // "By four o'clock": the latest that there is.
    let bound = before.is_some_and(|word| word.any(&["by", "until", "till", "before"]))
        && mention.times.iter().any(|time| edges.latest.contains(time));
    mention.times.iter().any(is_edge) && (both || hours || bound) && !offers
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
            let free = mention.dates.iter().any(|date| facts.free.has_read(*date));
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
    let wanted = lengths(sentence, mention.at, facts);
    let known: Vec<_> =
        mention.dates.iter().filter_map(|date| facts.free.on(*date, &wanted)).collect();
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
