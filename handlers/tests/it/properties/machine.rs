//! Random histories on the shop's real routers, beside the [`Model`]: every answer and, after each step,
//! the rows must be what it says. A history that fails is shortened and printed as a scenario, which
//! fails under `cargo run -- run` too.

use std::fmt;

use handlers::domain::{
    calendar_settings::CalendarPatch,
    catalogue::Repair,
    slot::{Slot, SlotTime},
    time_needed::TimeNeeded,
};
use jiff::{SignedDuration, civil::Date};
use proptest::{
    prelude::*,
    test_runner::{TestError, TestRunner},
};
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest};
use serde_json::{Map, Value, json};

use super::{
    history::{self, DAYS, Step, When},
    model::Model,
    reference::Minutes,
    routers::Routers,
    script,
    shops::{Shop, clock, holds, repairs, shops},
    wishes::{Booking, Wish},
};

/// What happens next.
#[derive(Debug, Clone)]
pub enum Act {
    Step(Step),
    /// Somebody looks at the form.
    Look(i64, Repair),
}

/// The model, and the steps of a scenario that have led to it.
#[derive(Clone)]
pub struct Expected {
    /// As it was at the beginning.
    pub shop: Shop,
    pub model: Model,
    pub steps: Vec<Value>,
}

/// What a failure's seed is kept with.
impl fmt::Debug for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a shop in {} at {}", self.shop.zone_name, self.shop.now)
    }
}

impl Expected {
    /// A shop whose owner has set his calendar.
    fn of(mut shop: Shop) -> Self {
        // Texts to the owner are another matter.
        shop.settings.booking_texts = false;
        shop.away_until = None;
        let model = Model { shop: shop.clone(), bookings: Vec::new(), time_off: Vec::new() };
        let settings = Value::Object(shop.settings.to_json());
        let steps = vec![script::calendar("PUT /calendar", settings, &[])];
        Self { shop, model, steps }
    }

    /// One of the free times, or any quarter of an hour.
    fn slot(&self, when: &When, repair: &Repair) -> Slot {
        let date = self.model.shop.date(when.days);
        let free = if when.is_free { self.free(date, repair) } else { Vec::new() };
        let time = free.get(usize::from(when.quarter) % free.len().max(1)).copied();
        let quarter = || SlotTime::from_minute_of_day(when.quarter * 15).unwrap();
        Slot::new(date, time.unwrap_or_else(quarter))
    }

    fn free(&self, date: Date, repair: &Repair) -> Vec<SlotTime> {
        let held = holds(self.model.held(date, None));
        let needed = self.model.shop.settings.time_needed(repair);
        Minutes::of(&self.model.shop, date, &held).times(needed)
    }

    fn nth(&self, nth: usize) -> Option<usize> {
        nth.checked_rem(self.model.bookings.len())
    }

    fn wish(&self, wish: &history::Wish) -> Option<Wish> {
        Some(match wish {
            history::Wish::Book(when, repair) => {
                Wish::Book(self.slot(when, repair), repair.clone())
            }
            history::Wish::Cancel(nth) => Wish::Cancel(self.nth(*nth)?),
            history::Wish::Move(nth, when) => self.reschedule(*nth, when)?,
        })
    }

    fn reschedule(&self, nth: usize, when: &When) -> Option<Wish> {
        let at = self.nth(nth)?;
        Some(Wish::Move(at, self.slot(when, &self.model.bookings[at].repair)))
    }

    fn text(&mut self, who: u8, wish: &Wish) {
        let before = self.model.bookings.len();
        let answer = self.model.answer(Some(who), wish);
        let is_new = self.model.bookings.len() > before;
        let number = self.steps.len();
        self.steps.push(script::text(number, who, wish, answer, &self.model, is_new));
    }

    fn form(&mut self, who: u8, key: u8, wish: &Wish) {
        let before = self.model.bookings.len();
        let answer = self.model.answer(Some(who), wish);
        let is_new = self.model.bookings.len() > before;
        self.steps.push(script::form(who, key, wish, answer, &self.model, is_new));
    }

    fn owner(&mut self, wish: &Wish) {
        let answer = self.model.answer(None, wish);
        self.steps.push(script::owner(wish, answer, &self.model));
    }

    fn take_off(&mut self, days: i64, from: u16, until: u16) {
        let (date, start) =
            (self.model.shop.date(days), SlotTime::from_minute_of_day(from).unwrap());
        let off = (Slot::new(date, start), TimeNeeded::in_shop(until - from));
        let touched = self.coming(|one| {
            let (begins, ends) = one.needed.occupied(one.slot.time());
            one.slot.date() == date && begins < until && from < ends
        });
        self.model.time_off.push(off);
        let part = format!("{}-{}", clock(from), clock(until));
        let body = json!({ "date": date.to_string(), "part": part });
        self.steps.push(script::calendar("POST /calendar/time-off", body, &touched));
    }

    fn give_back(&mut self, days: i64) {
        let date = self.model.shop.date(days);
        let before = self.model.time_off.len();
        self.model.time_off.retain(|(slot, _)| slot.date() != date);
        self.steps.push(script::give_back(date, self.model.time_off.len() < before));
    }

    fn settings(&mut self, fields: &Value) {
        let patch = CalendarPatch::from_json(fields.as_object().unwrap()).unwrap();
        let settings = self.model.shop.settings.with(&patch);
        let is_outside = |one: &Booking| {
            let (begins, ends) = one.needed.occupied(one.slot.time());
            let parts = settings.hours.parts(one.slot.date().weekday());
            let fits =
                parts.iter().any(|part| part.start.minute_of_day() <= begins && ends <= part.end());
            settings.closed_dates.contains(&one.slot.date()) || !fits
        };
        let touched = self.coming(is_outside);
        self.steps.push(script::calendar("PUT /calendar", fields.clone(), &touched));
        self.model.shop.settings = settings;
    }

    /// The bookings that are not over and that a change touches, by time.
    fn coming(&self, is_touched: impl Fn(&Booking) -> bool) -> Vec<usize> {
        let (bookings, clock) = (&self.model.bookings, self.model.shop.clock());
        let is_coming = |at: &usize| bookings[*at].is_open_at(clock) && is_touched(&bookings[*at]);
        let mut coming: Vec<usize> = (0..bookings.len()).filter(is_coming).collect();
        coming.sort_by_key(|at| bookings[*at].slot);
        coming
    }

    fn make(&mut self, step: &Step) {
        match step {
            Step::Text(who, wish) => {
                if let Some(wish) = self.wish(wish) {
                    self.text(*who, &wish);
                }
            }
            Step::Again => {
                script::repeat(&mut self.steps);
            }
            Step::Form(who, key, when, repair) => {
                let wish = Wish::Form(*key, self.slot(when, repair), repair.clone());
                self.form(*who, *key, &wish);
            }
            Step::OwnersCancel(nth) => {
                self.nth(*nth).into_iter().for_each(|at| self.owner(&Wish::Cancel(at)));
            }
            Step::OwnersMove(nth, when) => {
                if let Some(wish) = self.reschedule(*nth, when) {
                    self.owner(&wish);
                }
            }
            Step::Done(nth) => {
                self.nth(*nth).into_iter().for_each(|at| self.owner(&Wish::Complete(at)));
            }
            Step::TakeOff(days, quarter) => {
                self.take_off(*days, quarter * 15, (quarter * 15 + 120).min(1440));
            }
            Step::GiveBack(days) => self.give_back(*days),
            Step::Close(days) => {
                let date = self.model.shop.date(*days).to_string();
                self.settings(&json!({ "closed_dates": [date] }));
            }
            Step::Hours(from, until) => {
                let part = [format!("{}-{}", clock(*from), clock(*until))];
                let days = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];
                let hours: Map<_, _> =
                    days.iter().map(|day| ((*day).to_owned(), json!(part))).collect();
                self.settings(&json!({ "hours": hours }));
            }
            Step::Later(0) => {}
            Step::Later(minutes) => {
                self.model.shop.now += SignedDuration::from_mins(*minutes);
                self.steps.push(script::later(*minutes));
            }
        }
    }
}

/// The histories and what the model says of them.
pub struct Histories;

impl ReferenceStateMachine for Histories {
    type State = Expected;
    type Transition = Act;

    fn init_state() -> BoxedStrategy<Expected> {
        shops().prop_map(Expected::of).boxed()
    }

    fn transitions(_: &Expected) -> BoxedStrategy<Act> {
        let look = (0..DAYS, repairs()).prop_map(|(days, repair)| Act::Look(days, repair));
        prop_oneof![9 => history::step().prop_map(Act::Step), 1 => look].boxed()
    }

    fn apply(mut expected: Expected, act: &Act) -> Expected {
        match act {
            Act::Step(step) => expected.make(step),
            Act::Look(days, repair) => {
                let date = expected.model.shop.date(*days);
                let free = expected.free(date, repair);
                let free: Vec<String> = free.iter().map(ToString::to_string).collect();
                expected.steps.push(script::look(date, &repair.slug(), &free));
            }
        }
        expected
    }
}

impl StateMachineTest for Routers {
    type SystemUnderTest = Self;
    type Reference = Histories;

    fn init_test(expected: &Expected) -> Self {
        let mut routers = Self::of(&expected.shop);
        routers.play(&expected.steps);
        routers
    }

    fn apply(mut routers: Self, expected: &Expected, _: Act) -> Self {
        routers.play(&expected.steps);
        routers
    }

    fn check_invariants(routers: &Self, expected: &Expected) {
        routers.check_rows(&expected.model);
    }
}

/// Every answer to a text, a form and the owner, and the rows after it, are those of the model.
#[test]
fn a_history_is_answered_as_the_model_of_the_calendar_says() {
    let config = ProptestConfig { source_file: Some(file!()), ..ProptestConfig::default() };
    let histories = Histories::sequential_strategy(1..12);
    let outcome = TestRunner::new(config.clone()).run(&histories, |(expected, acts, seen)| {
        Routers::test_sequential(config.clone(), expected, acts, seen);
        Ok(())
    });
    match outcome {
        Ok(()) => {}
        Err(TestError::Fail(reason, (beginning, acts, _))) => {
            let end = acts.iter().fold(beginning.clone(), Histories::apply);
            let notes = format!("The shortest history that was found:\n{reason}");
            let scenario = script::scenario(&end.shop, &end.steps, &end.model, &notes);
            let file = format!("{}/history.yaml", env!("CARGO_TARGET_TMPDIR"));
            std::fs::write(&file, &scenario).unwrap();
            panic!("{scenario}\nagain: cargo run -- run {file}");
        }
        Err(TestError::Abort(reason)) => panic!("{reason}"),
    }
}
