//! What may be said of the opening hours: when parts of a day begin, their last slot and their end.

use std::collections::BTreeSet;

use super::{facts::Facts, sentence::Sentence};
use crate::domain::{calendar::weekdays, slot::SlotTime, time_span::TimeSpan};

/// Words that say that the dates of a sentence are those on which other hours hold.
const OTHERWISE: &[&str] =
    &["except", "but", "closed", "excepto", "menos", "cerrado", "cerrados", "not"];

/// The times at which something begins or ends.
#[derive(Debug, Default)]
pub(super) struct HourEdges {
    /// When a part of a day begins, its last slot and its end.
    pub(super) all: BTreeSet<SlotTime>,
    /// The last slot of a part and its end.
    pub(super) latest: BTreeSet<SlotTime>,
}

impl HourEdges {
    /// Those of the dates that a sentence names, or of any weekday when it names none on which the
    /// shop is open.
    pub(super) fn of(sentence: &Sentence, facts: &Facts) -> Self {
        let mut edges = Self::default();
        if !sentence.has(OTHERWISE) {
            for date in sentence.dates.iter().flat_map(|mention| &mention.dates) {
                edges.add(facts, facts.calendar.parts(*date));
            }
        }
        if edges.all.is_empty() {
            for day in weekdays() {
                edges.add(facts, facts.calendar.settings().hours.parts(day));
            }
        }
        edges
    }

    fn add(&mut self, facts: &Facts, parts: &[TimeSpan]) {
        for part in parts {
            let latest = latest(facts, *part);
            let earliest = facts
                .calendar
                .lengths()
                .into_iter()
                .filter_map(|needed| facts.calendar.starts(*part, needed).next());
            self.all.extend(std::iter::once(part.start).chain(earliest).chain(latest.clone()));
            self.latest.extend(latest);
        }
    }
}

/// The end of a part of a day, and the last slots of it for appointments of any length.
pub(super) fn latest(facts: &Facts, part: TimeSpan) -> BTreeSet<SlotTime> {
    let last = |needed| facts.calendar.starts(part, needed).next_back();
    let lasts = facts.calendar.lengths().into_iter().filter_map(last);
    lasts.chain(end(part)).collect()
}

/// When a part of a day ends: midnight is the hour 0.
pub(super) fn end(part: TimeSpan) -> Option<SlotTime> {
    SlotTime::from_minute_of_day(part.end() % (24 * 60))
}
