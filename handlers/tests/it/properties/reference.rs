//! What can be booked, decided minute by minute from the settings alone. Slow and plain: what the
//! calendar reckons with spans and offsets is compared with it.

use handlers::domain::{day_schedule::Hold, slot::SlotTime, time_needed::TimeNeeded};
use jiff::{SignedDuration, Span, Timestamp, civil, tz::AmbiguousOffset};

use super::shops::Shop;

const MINUTES_OF_DAY: i64 = 24 * 60;

/// A date of a shop, with each of its minutes.
pub struct Minutes<'a> {
    shop: &'a Shop,
    date: civil::Date,
    held: &'a [Hold],
    /// When each minute of the clock comes first; `None` where clocks skip it.
    moments: Vec<Option<Timestamp>>,
}

impl<'a> Minutes<'a> {
    pub fn of(shop: &'a Shop, date: civil::Date, held: &'a [Hold]) -> Self {
        let zone = shop.zone();
        let moment = |minute| {
            let midnight = date.to_datetime(civil::Time::midnight());
            let clock = midnight.checked_add(Span::new().minutes(minute)).ok()?;
            let time = zone.to_ambiguous_timestamp(clock);
            match time.offset() {
                AmbiguousOffset::Gap { .. } => None,
                AmbiguousOffset::Unambiguous { .. } | AmbiguousOffset::Fold { .. } => {
                    time.earlier().ok()
                }
            }
        };
        Self { shop, date, held, moments: (0..MINUTES_OF_DAY).map(moment).collect() }
    }

    /// When a minute of the day comes first; `None` where clocks skip it, and before and after the day.
    pub fn moment(&self, minute: i64) -> Option<Timestamp> {
        let minute = usize::try_from(minute).ok()?;
        self.moments.get(minute).copied().flatten()
    }

    /// Whether an appointment may begin at a minute.
    pub fn may_begin(&self, start: u16, needed: TimeNeeded) -> bool {
        let settings = &self.shop.settings;
        let today = self.shop.date(0);
        let days = today.until(self.date).map_or(i64::MAX, |span| i64::from(span.get_days()));
        if !(0..=i64::from(settings.horizon_days)).contains(&days)
            || settings.closed_dates.contains(&self.date)
        {
            return false;
        }
        let [start, minutes, travel] = [start, needed.minutes, needed.travel].map(i64::from);
        let owners_minutes = || start - travel..start + minutes + travel;
        // In one part of the day, and on its grid.
        let in_hours = settings.hours.parts(self.date.weekday()).iter().any(|part| {
            let open = i64::from(part.start.minute_of_day())..i64::from(part.end());
            owners_minutes().all(|minute| open.contains(&minute))
                && (start - open.start) % i64::from(settings.slot_interval_minutes) == 0
        });
        if !in_hours || !owners_minutes().all(|minute| self.is_free(minute)) {
            return false;
        }
        // On a clock that runs through it: each minute is at least a minute after the one before.
        let moments: Vec<_> = owners_minutes().map(|minute| self.moment(minute)).collect();
        let runs = moments.windows(2).all(|pair| match (pair[0], pair[1]) {
            (Some(one), Some(next)) => next.duration_since(one) >= SignedDuration::from_mins(1),
            _ => false,
        });
        let notice = SignedDuration::from_mins(settings.notice_minutes.into());
        self.moment(start).filter(|_| runs).is_some_and(|begins| {
            begins.duration_since(self.shop.now) >= notice
                && self.shop.away_until.is_none_or(|until| begins >= until)
        })
    }

    /// Every time at which an appointment may begin, in order.
    pub fn times(&self, needed: TimeNeeded) -> Vec<SlotTime> {
        let minutes = (0u16..1440).filter(|minute| self.may_begin(*minute, needed));
        minutes.filter_map(SlotTime::from_minute_of_day).collect()
    }

    fn is_free(&self, minute: i64) -> bool {
        !self.held.iter().any(|hold| {
            let [start, minutes, travel] =
                [hold.start.minute_of_day(), hold.minutes, hold.travel].map(i64::from);
            (start - travel..start + minutes + travel).contains(&minute)
        })
    }
}
