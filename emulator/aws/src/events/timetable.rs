//! The moments at which schedules are due, in order.

use std::collections::VecDeque;

use jiff::{SignedDuration, Timestamp};

use crate::template::Schedule;

/// How many moments of one schedule are due when the clock jumps, if there are no more.
pub const MOST_MOMENTS: usize = 60;
/// How many of the last moments are due when there are more.
pub const LAST_MOMENTS: usize = 5;

/// The schedules of a world's functions, and which of their moments are still to be fired.
#[derive(Debug)]
pub(super) struct Timetable {
    schedules: Vec<Planned>,
    /// When the schedules were created, from which rates count.
    start: Timestamp,
    /// Moments until this one were planned.
    planned: Timestamp,
    /// The moments that are due, the earliest first, and whose.
    due: VecDeque<(Timestamp, usize)>,
}

/// A schedule, and the logical id of its function.
#[derive(Debug, Clone)]
pub(super) struct Planned {
    pub(super) function: String,
    pub(super) schedule: Schedule,
}

impl Timetable {
    pub(super) fn new(schedules: Vec<Planned>, now: Timestamp) -> Self {
        Self { schedules, start: now, planned: now, due: VecDeque::new() }
    }

    /// Begins anew, as if the schedules were created now.
    pub(super) fn restart(&mut self, now: Timestamp) {
        (self.start, self.planned) = (now, now);
        self.due.clear();
    }

    /// Plans the moments until this one. Returns the schedules of which earlier ones were left out.
    /// When time has gone back, moments count anew from there.
    pub(super) fn plan(&mut self, until: Timestamp) -> Vec<Planned> {
        let mut cut = Vec::new();
        if until < self.planned {
            self.due.retain(|(at, _)| *at <= until);
        } else {
            let mut more = Vec::new();
            for (index, Planned { schedule, .. }) in self.schedules.iter().enumerate() {
                let (moments, left_out) = last(schedule, self.planned, until, self.start);
                more.extend(moments.into_iter().map(|at| (at, index)));
                if left_out {
                    cut.push(self.schedules[index].clone());
                }
            }
            // Stable: at one moment, schedules are due in the template's order.
            more.sort_by_key(|(at, _)| *at);
            self.due.extend(more);
        }
        self.planned = until;
        cut
    }

    /// The next moment that is planned.
    pub(super) fn next_due(&self) -> Option<Timestamp> {
        self.due.front().map(|(at, _)| *at)
    }

    /// Takes the next moment that is planned, with its schedule.
    pub(super) fn take(&mut self) -> Option<(Timestamp, Planned)> {
        let (at, index) = self.due.pop_front()?;
        Some((at, self.schedules[index].clone()))
    }

    /// The next moment at which something is due, planned or not.
    pub(super) fn next_moment(&self) -> Option<Timestamp> {
        let next = |planned: &Planned| planned.schedule.next_after(self.planned, self.start);
        self.next_due().or_else(|| self.schedules.iter().filter_map(next).min())
    }
}

/// The last moments after `after` until `until`, and whether there were earlier ones.
///
/// Looks back by ever longer times, so that a jump over years does not count its minutes.
fn last(
    schedule: &Schedule,
    after: Timestamp,
    until: Timestamp,
    start: Timestamp,
) -> (VecDeque<Timestamp>, bool) {
    let hours = [1, 24, 31 * 24, 366 * 24].map(SignedDuration::from_hours);
    let backs = hours.into_iter().filter_map(|back| until.checked_sub(back).ok());
    for from in backs.filter(|from| *from > after).chain([after]) {
        let mut moments = VecDeque::new();
        let first = schedule.next_after(after, start);
        let (mut at, mut left_out) = (from, first.is_some_and(|first| first <= from));
        while let Some(next) = schedule.next_after(at, start).filter(|next| *next <= until) {
            moments.push_back(next);
            if moments.len() > MOST_MOMENTS {
                moments.pop_front();
                left_out = true;
            }
            at = next;
        }
        if from == after || moments.len() == MOST_MOMENTS {
            if left_out {
                let excess = moments.len().saturating_sub(LAST_MOMENTS);
                moments.drain(..excess);
            }
            return (moments, left_out);
        }
    }
    (VecDeque::new(), false)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn timetable(expressions: &[&str]) -> Timetable {
        let planned = expressions.iter().map(|expression| Planned {
            function: (*expression).into(),
            schedule: Schedule::rule("R", expression).unwrap(),
        });
        Timetable::new(planned.collect(), at("2026-02-10T20:10:00Z"))
    }

    fn taken(timetable: &mut Timetable) -> Vec<String> {
        std::iter::from_fn(|| timetable.take())
            .map(|(at, planned)| format!("{} {}", at.strftime("%H:%M"), planned.function))
            .collect()
    }

    #[test]
    fn moments_of_all_schedules_are_due_in_order_and_once() {
        let mut timetable = timetable(&["rate(2 minutes)", "cron(11,12 * * * ? *)"]);
        assert!(timetable.plan(at("2026-02-10T20:12:00Z")).is_empty());
        let every = "rate(2 minutes)";
        let at_minutes = "cron(11,12 * * * ? *)";
        let expected = [
            format!("20:11 {at_minutes}"),
            format!("20:12 {every}"),
            format!("20:12 {at_minutes}"),
        ];
        assert_eq!(taken(&mut timetable), expected);
        timetable.plan(at("2026-02-10T20:13:59Z"));
        assert_eq!(timetable.next_moment(), Some(at("2026-02-10T20:14:00Z")));
        assert!(taken(&mut timetable).is_empty());
    }

    #[test]
    fn a_jump_fires_the_last_moments_and_says_that_there_were_more() {
        let mut timetable = timetable(&["rate(1 minute)", "cron(0 * * * ? *)", "rate(1 day)"]);
        let cut = timetable.plan(at("2036-02-10T20:10:00Z"));
        let cut: Vec<&str> = cut.iter().map(|planned| planned.function.as_str()).collect();
        assert_eq!(cut, ["rate(1 minute)", "cron(0 * * * ? *)", "rate(1 day)"]);
        let taken = taken(&mut timetable);
        assert_eq!(taken.len(), 3 * LAST_MOMENTS);
        assert_eq!(taken.last().unwrap(), "20:10 rate(1 day)");
    }

    #[test]
    fn exactly_as_many_moments_as_are_fired_leave_out_none() {
        let mut timetable = timetable(&["rate(1 minute)"]);
        assert!(timetable.plan(at("2026-02-10T21:10:00Z")).is_empty());
        assert_eq!(taken(&mut timetable).len(), MOST_MOMENTS);
    }

    #[test]
    fn when_time_goes_back_moments_count_from_there() {
        let mut timetable = timetable(&["rate(1 minute)"]);
        timetable.plan(at("2026-02-10T20:12:00Z"));
        taken(&mut timetable);
        timetable.plan(at("2026-02-10T20:10:30Z"));
        timetable.plan(at("2026-02-10T20:11:30Z"));
        assert_eq!(taken(&mut timetable), ["20:11 rate(1 minute)"]);
    }
}
