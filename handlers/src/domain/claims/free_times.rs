//! The free times that were read, by date and by the length of the appointment.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil;

use crate::domain::{
    slot::{Slot, SlotTime},
    time_needed::TimeNeeded,
};

/// Every date whose calendar was read.
#[derive(Debug, Clone, Default)]
pub(super) struct FreeTimes {
    /// The readings of each date, the latest one last.
    readings: BTreeMap<civil::Date, Vec<Reading>>,
}

/// When an appointment of this length may begin.
#[derive(Debug, Clone)]
struct Reading {
    needed: TimeNeeded,
    times: BTreeSet<SlotTime>,
}

impl Reading {
    /// Whether what is free for it is also free for an appointment of this length.
    fn covers(&self, needed: TimeNeeded) -> bool {
        needed.minutes <= self.needed.minutes && needed.travel <= self.needed.travel
    }
}

impl FreeTimes {
    /// A date was read in full.
    pub(super) fn set(
        &mut self,
        date: civil::Date,
        needed: TimeNeeded,
        times: impl IntoIterator<Item = SlotTime>,
    ) {
        let readings = self.readings.entry(date).or_default();
        readings.retain(|reading| reading.needed != needed);
        readings.push(Reading { needed, times: times.into_iter().collect() });
    }

    /// A part of a date was read.
    pub(super) fn extend(
        &mut self,
        date: civil::Date,
        needed: TimeNeeded,
        times: impl IntoIterator<Item = SlotTime>,
    ) {
        let known = self.readings.get(&date).into_iter().flatten();
        let known = known.filter(|reading| reading.needed == needed);
        let known: Vec<SlotTime> = known.flat_map(|reading| reading.times.clone()).collect();
        self.set(date, needed, known.into_iter().chain(times));
    }

    /// Nothing of a date can be booked, however short it is.
    pub(super) fn close(&mut self, date: civil::Date) {
        self.readings.remove(&date);
        self.set(date, TimeNeeded::in_shop(0), []);
    }

    /// An appointment was made: what would overlap it is no longer free.
    pub(super) fn take(&mut self, slot: Slot, needed: TimeNeeded) {
        let (from, until) = needed.occupied(slot.time());
        for reading in self.readings.get_mut(&slot.date()).into_iter().flatten() {
            let needed = reading.needed;
            reading.times.retain(|time| {
                let (begins, ends) = needed.occupied(*time);
                ends <= from || until <= begins
            });
        }
    }

    /// What is free on a date for an appointment of any of these lengths; by the latest reading
    /// when none is given, and `None` when the date was not read.
    pub(super) fn on(
        &self,
        date: civil::Date,
        wanted: &[TimeNeeded],
    ) -> Option<BTreeSet<SlotTime>> {
        let readings = self.readings.get(&date)?;
        if wanted.is_empty() {
            return readings.last().map(|reading| reading.times.clone());
        }
        let covers = |reading: &&Reading| wanted.iter().any(|needed| reading.covers(*needed));
        Some(readings.iter().filter(covers).flat_map(|reading| reading.times.clone()).collect())
    }

    /// The dates that were read.
    pub(super) fn dates(&self) -> impl Iterator<Item = civil::Date> {
        self.readings.keys().copied()
    }

    /// Whether a date was read.
    pub(super) fn has_read(&self, date: civil::Date) -> bool {
        self.readings.contains_key(&date)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DATE: civil::Date = civil::date(2026, 2, 11);

    fn at(hour: u8, minute: u8) -> SlotTime {
        SlotTime::new(hour, minute).unwrap()
    }

    #[test]
    fn a_long_reading_covers_a_short_appointment_and_not_the_other_way_round() {
        let (battery, screen) = (TimeNeeded::in_shop(30), TimeNeeded::in_shop(90));
        let visit = TimeNeeded { minutes: 30, travel: 30 };
        let mut free = FreeTimes::default();
        assert_eq!(free.on(DATE, &[]), None);
        free.set(DATE, screen, [at(15, 30)]);
        free.set(DATE, battery, [at(16, 30)]);
        assert_eq!(free.on(DATE, &[]), Some([at(16, 30)].into()));
        assert_eq!(free.on(DATE, &[screen]), Some([at(15, 30)].into()));
        assert_eq!(free.on(DATE, &[battery]), Some([at(15, 30), at(16, 30)].into()));
        assert_eq!(free.on(DATE, &[visit]), Some([].into()));
        free.extend(DATE, screen, [at(9, 0)]);
        assert_eq!(free.on(DATE, &[]), Some([at(9, 0), at(15, 30)].into()));
        free.close(DATE);
        assert_eq!(free.on(DATE, &[battery]), Some([].into()));
    }

    #[test]
    fn what_overlaps_an_appointment_is_no_longer_free() {
        let hour = TimeNeeded::default();
        let mut free = FreeTimes::default();
        free.set(DATE, hour, [at(12, 30), at(13, 0), at(14, 30), at(15, 30), at(16, 0)]);
        free.take(Slot::new(DATE, at(14, 0)), TimeNeeded::in_shop(90));
        assert_eq!(free.on(DATE, &[]), Some([at(12, 30), at(13, 0), at(15, 30), at(16, 0)].into()));
        free.take(Slot::new(DATE, at(14, 0)), TimeNeeded { minutes: 90, travel: 30 });
        assert_eq!(free.on(DATE, &[]), Some([at(12, 30), at(16, 0)].into()));
    }
}
