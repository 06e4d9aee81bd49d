//! What is due by business time: moments of schedules, and repetitions of what failed.

use std::time::Duration;

use jiff::Timestamp;
use uuid::Uuid;

use super::{
    Events,
    queue::{Later, LaterWork, QueuedEvent},
    timetable::{LAST_MOMENTS, Planned},
};

/// The longest time that a running clock is not looked at, since the machine's may be set.
const LONGEST_SLEEP: Duration = Duration::from_secs(3600);

/// The right to fire what is due; nobody else does while this lives.
#[derive(Debug)]
pub struct FiringLock<'e>(#[expect(dead_code, reason = "held")] tokio::sync::MutexGuard<'e, ()>);

/// Something that is due.
enum Due {
    Later(Later),
    Schedule(Timestamp, Planned),
}

impl Events {
    /// Takes the right to fire what is due, waiting until nobody else has it.
    pub async fn lock_firing(&self) -> FiringLock<'_> {
        FiringLock(self.0.firing.lock().await)
    }

    /// Plans what is due until a moment: what falls due by moving the clock there. Of each schedule
    /// at most [`MOST_MOMENTS`](super::MOST_MOMENTS) moments are due; of more
    /// the last 5, and the function's log says so.
    pub fn plan(&self, until: Timestamp) {
        let cut = self.state().timetable.plan(until);
        for Planned { function, schedule } in cut {
            let line = format!(
                "rehearse: only the last {LAST_MOMENTS} moments of the schedule {} are due; the \
                 clock jumped over more",
                schedule.name
            );
            self.log(&function, None, line);
        }
    }

    /// The next moment until `until` at which something is due.
    pub fn next_due(&self, until: Timestamp) -> Option<Timestamp> {
        let state = self.state();
        let later = state.later.iter().map(|later| later.at).min();
        let next = state.timetable.next_due().into_iter().chain(later).min();
        next.filter(|at| *at <= until)
    }

    /// Fires what is due at a moment, one after the other, without waiting for its end. A repetition
    /// goes before a schedule.
    pub fn fire(&self, at: Timestamp) {
        while let Some(work) = self.take(at) {
            match work {
                Due::Later(Later { event, what: LaterWork::Repeat, .. }) => {
                    drop(self.begin(event, true));
                }
                Due::Later(Later { event, what: LaterWork::GiveUp(given_up), .. }) => {
                    self.give_up(&event, &given_up);
                }
                Due::Schedule(at, Planned { function, schedule }) => {
                    let id = Uuid::new_v4().to_string();
                    drop(self.begin(
                        QueuedEvent {
                            caused_by: None,
                            name: format!("schedule.{function}"),
                            cause: format!("schedule {}", schedule.name),
                            payload: schedule.event(at, &id),
                            request_id: id.into(),
                            function,
                            accepted: self.0.clock.now(),
                            attempt: 1,
                            throttled: 0,
                        },
                        true,
                    ));
                }
            }
        }
    }

    /// Fires what is due as the clock runs.
    pub(super) async fn follow(&self) {
        let mut moves = self.0.clock.watch();
        loop {
            let next = {
                let state = self.state();
                let later = state.later.iter().map(|later| later.at);
                state.timetable.next_moment().into_iter().chain(later).min()
            };
            let wait = next.map_or(LONGEST_SLEEP, |next| {
                let wait = next.duration_since(self.0.clock.now());
                Duration::try_from(wait).unwrap_or_default().min(LONGEST_SLEEP)
            });
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                _ = moves.changed() => {}
                () = self.0.changed.notified() => {}
            }
            let _firing = self.lock_firing().await;
            let now = self.0.clock.now();
            self.plan(now);
            while let Some(at) = self.next_due(now) {
                self.fire(at);
            }
        }
    }

    /// Takes the first thing that is due until a moment.
    fn take(&self, until: Timestamp) -> Option<Due> {
        let mut state = self.state();
        let later = state.later.iter().enumerate().min_by_key(|(_, later)| later.at);
        let later = later.map(|(index, later)| (index, later.at));
        let scheduled = state.timetable.next_due();
        if let Some((index, at)) = later.filter(|(_, at)| scheduled.is_none_or(|s| *at <= s)) {
            return (at <= until).then(|| Due::Later(state.later.remove(index)));
        }
        scheduled.filter(|at| *at <= until)?;
        state.timetable.take().map(|(at, planned)| Due::Schedule(at, planned))
    }
}
