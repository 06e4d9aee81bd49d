//! Whether the times of a sentence are those that the calendar, a booking, the owner or the customer
//! named.

use std::{cell::OnceCell, collections::BTreeSet};

use jiff::civil;

use super::{
    durations,
    facts::Facts,
    hours_said, money,
    opening_hours::HourEdges,
    sentence::Sentence,
    status::{Change, Claim},
    times::TimeMention,
    vocabulary::{FREE, UNTIL, Words},
    words::Token,
};
use crate::domain::{
    slot::{Slot, SlotTime},
    time_needed::TimeNeeded,
};

/// Words that say, beside those for "free", that a time can be had.
static OFFERS: Words = Words::new(
    "open works work fits tengo tenemos hay funciona do yours great perfect fine ok okay \
     good come",
);
/// Words that say that a time cannot be had.
pub(super) static TAKEN: Words = Words::new(
    "taken booked gone full busy unavailable ocupado ocupada ocupadas reservado reservada \
     lleno closed cerrado cerrados went someone somebody alguien late early else",
);
/// Words with which the customer's wish is repeated.
static WISHES: Words = Words::new(
    "revisar buscar consultar si want wanted asked check look said mean meant prefer like see mentioned instead quieres \
     buscas reviso checking looking request requested whether tried move find",
);
/// Words of a sentence about opening hours.
static HOURS: Words = Words::new(
    "open opens close closes hours hourly hour abierto abierta abiertos abrimos cerramos \
     horario begin begins start starts last first latest earliest run slots appointments \
     citas daily break lunch descanso pausa",
);
/// Words before the end of something.
const TO: &[&str] = &["to", "-", "a", "las"];

/// Words of what could be.
static POSSIBLE: Words = Words::new(
    "once unless when whether cuando si can could would should shall may might want wanted like if depends check need needs \
     dejame dejeme reviso revisar ver busco buscar mirar consultar      puedo puede podemos quieres necesito whether",
);
/// Words with which a wish is repeated and nothing is claimed.
static REPEATING: Words = Words::new(
    "so ok okay got it at for on the a an and or to you your said then right correct understood \
     great sure thanks iphone samsung galaxy phone repair with is that request asked el la las los \
     a para de entendido claro mini pro max plus replacement in morning afternoon evening",
);

fn offers(token: &Token) -> bool {
    token.any(&FREE) || token.any(&OFFERS)
}

/// Whether every time of the sentence is known. `context`: the dates that the sentence before spoke
/// of.
pub(super) fn are_known(
    sentence: &Sentence,
    claims: &[Claim],
    context: &[civil::Date],
    facts: &Facts,
) -> bool {
    let times = Times { sentence, claims, context, facts, edges: OnceCell::new() };
    sentence.times.iter().all(|mention| times.is_known(mention)) && times.ranges_are_free()
}

/// The times of a sentence.
struct Times<'a> {
    sentence: &'a Sentence,
    claims: &'a [Claim],
    context: &'a [civil::Date],
    facts: &'a Facts,
    /// Read once for all times, and only for a sentence that needs them.
    edges: OnceCell<HourEdges>,
}

impl Times<'_> {
    fn is_known(&self, mention: &TimeMention) -> bool {
        let Self { sentence, claims, context, facts, .. } = *self;
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
        let denied = sentence.is_denied(clause.clone())
            || (!claims_here && words.iter().any(|t| t.any(&TAKEN)));
        let asks = sentence.asks(mention.at);
        let before = mention.at.checked_sub(1).and_then(|at| sentence.tokens.get(at));

        // "From 2:00 PM to 3:30 PM".
        let ends = before.is_some_and(|t| t.any(TO) || t.any(&UNTIL))
            && facts.bookings.iter().any(|b| mention.is_minute(facts.end_of(b)) && on_date(b.slot));
        let claims_booking = claims
            .iter()
            .any(|c| matches!(c.change, Change::Booked | Change::Moved | Change::Deed));
        if claims_booking && !denied && !asks {
            let old = facts.moved && before.is_some_and(|t| t.any(&["from", "de"]));
            // Without a date of its own, a claim may speak of any booking at that time.
            let booked_at =
                booked || (named.is_none() && facts.bookings.iter().any(|b| is(&b.slot.time())));
            let hours = facts.owner.times.iter().any(is) && sentence.has(&["back", "until", "by"]);
            // What was done in other words may be a cancellation.
            let deed = claims.iter().any(|c| c.change == Change::Deed) && cancelled;
            return booked_at || ends || old || hours || deed;
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
        if !asks
            && !denied
            && let Some(is_right) = superlative(words, sentence, &checked, mention)
        {
            return is_right
                || self.is_of_hours(mention) && words.iter().any(|t| t.is("appointment"));
        }
        if is_free {
            // A free time must not be called taken.
            let all_free = checked.iter().all(|free| free.iter().any(is));
            return !(words
                .iter()
                .any(|t| t.any(&["taken", "booked", "gone", "unavailable", "full"]))
                && all_free
                && !sentence.tokens.iter().any(offers));
        }
        if facts.owner.times.iter().any(is) || self.is_now(mention) || self.is_of_hours(mention) {
            return true;
        }
        if denied {
            return true;
        }
        if anywhere && !checked.is_empty() && named.is_none() && facts.said.times.iter().any(is) {
            return true;
        }
        let from_customer = facts.customer.times.iter().any(is);
        // "Brandon can see you tomorrow at 2" offers it.
        let sees_you = |n: usize| {
            words.get(n).is_some_and(|t| t.is("see"))
                && words.get(n + 1).is_some_and(|t| t.any(&["you", "ya"]))
        };
        let takes_you = (0..words.len()).any(sees_you);
        let wish = words.iter().enumerate().any(|(n, t)| t.any(&WISHES) && !sees_you(n));
        if !checked.is_empty() {
            // The calendar of that date is known, and this time is not free.
            return from_customer && wish && !words.iter().any(offers);
        }
        if facts.said.times.iter().any(is)
            && (named.is_none() || dates.iter().any(|d| facts.said.dates.contains(d)))
            && (!words.iter().any(offers) || may_still_be_free(mention, dates, &wanted, facts))
        {
            return true;
        }
        let accepts = words.windows(2).any(|w| matches!(w, [a, b] if a.is("it") && b.is("is")))
            && words.last().is_some_and(|t| t.any(&["is", "!", "."]));
        let offered = (accepts || takes_you || words.iter().any(offers)) && !asks && !wish;
        from_customer && !offered && (asks || wish || self.is_repeated())
    }

    /// Whether the sentence only repeats the customer's wish, or speaks of what could be. Whatever
    /// else is said of a time that no calendar has is a claim: "2 PM has your name on it".
    fn is_repeated(&self) -> bool {
        let Self { sentence, .. } = *self;
        let lets_see = sentence
            .tokens
            .windows(2)
            .any(|pair| matches!(pair, [a, b] if a.is("let") && b.any(&["me", "us"])));
        // "Your repair is on for Friday" says how things are.
        let states = sentence.has(&["your", "tu", "su"]) && sentence.has(&["is", "es", "esta"]);
        lets_see
            || sentence.has(&POSSIBLE)
            || (!states
                && sentence.tokens.iter().enumerate().all(|(at, token)| {
                    token.is_sign()
                        || sentence.is_time_or_date(at)
                        || token.any(&REPEATING)
                        || !money::repairs(std::slice::from_ref(token)).is_empty()
                }))
    }

    /// "Everything from 9 to 3 is free": also what lies between.
    fn ranges_are_free(&self) -> bool {
        let Self { sentence, context, facts, .. } = *self;
        let all = sentence.has(&["everything", "every", "all", "anything", "any", "todo"]);
        let [first, last] = sentence.times.as_slice() else { return true };
        let spans = sentence.tokens.get(first.end..last.at).is_some_and(|between| {
            between.iter().any(|t| t.any(&["to", "-", "until", "through", "and", "a"]))
        });
        if !all
            || !spans
            || !sentence.tokens.iter().any(offers)
            || sentence.has(&["except", "but", "or"])
        {
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
                    && SlotTime::every(step, *from, *to)
                        .all(|time| time == *to || free.contains(&time))
            })
        })
    }

    /// "It is 3:10 PM now."
    fn is_now(&self, mention: &TimeMention) -> bool {
        let Self { sentence, facts, .. } = *self;
        let now = i32::from(facts.now.hour()) * 60 + i32::from(facts.now.minute());
        sentence.has(&["now", "currently", "ahora", "is", "son"])
            && mention.times.iter().any(|time| {
                (i32::from(time.hour()) * 60 + i32::from(time.minute()) - now).abs() <= 5
            })
    }

    /// First and last time in a sentence about opening hours, or both of them.
    fn is_of_hours(&self, mention: &TimeMention) -> bool {
        let Self { sentence, facts, .. } = *self;
        let edges = self.edges.get_or_init(|| HourEdges::of(sentence, facts));
        let is_edge = |time: &SlotTime| edges.all.contains(time);
        let is_range =
            |pair: &[TimeMention]| matches!(pair, [a, b] if hours_said::is_range(sentence, a, b));
        let both = sentence.times.windows(2).any(is_range)
            && sentence.times.iter().all(|m| m.times.iter().any(is_edge));
        let hours = sentence.has(&HOURS);
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
}

/// How long the repairs take that a sentence names near a token.
pub(super) fn lengths(sentence: &Sentence, at: usize, facts: &Facts) -> Vec<TimeNeeded> {
    let near = money::repairs(sentence.words(sentence.clause(at)));
    let kinds = if near.is_empty() { money::repairs(&sentence.tokens) } else { near };
    let on_site = money::on_site(&sentence.tokens);
    kinds.into_iter().map(|kind| facts.time_needed(Some(kind), on_site)).collect()
}

/// Whether the time that is called the first or last free one is so; `None` when none is.
fn superlative(
    words: &[Token],
    sentence: &Sentence,
    checked: &[BTreeSet<SlotTime>],
    mention: &TimeMention,
) -> Option<bool> {
    let after = |word: &[&str]| {
        words.windows(2).any(|pair| {
            matches!(pair, [a, b] if a.any(word)
                && b.any(&["one", "free", "available", "slot", "opening", "time", "tomorrow"]))
        })
    };
    let says = |list: &[&str]| words.iter().any(|t| t.any(list));
    let of_part = says(&["after", "before", "morning", "afternoon", "evening"]);
    let [free] = checked else { return None };
    if of_part || sentence.times.len() != 1 || free.is_empty() {
        return None;
    }
    let extreme = if says(&["earliest", "soonest"]) || after(&["first"]) {
        free.first()
    } else if says(&["latest"]) || after(&["last"]) {
        free.last()
    } else {
        None
    };
    extreme.map(|time| mention.times.contains(time))
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
