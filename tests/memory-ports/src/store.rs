//! Tables in memory, for tests to set up, to look into and to have fail. Each call is atomic, and fails,
//! hangs or loses its acknowledgement on demand. `store_port` implements the port with it.

use std::{
    collections::{BTreeMap, BTreeSet},
    future::pending,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use handlers::{
    domain::{
        booking::Booking,
        calendar_settings::CalendarSettings,
        day_schedule::{DaySchedule, UnreadableRow},
        lead::Lead,
        outbox::{OutboxText, UnansweredText},
        owner::OwnerState,
        phone::Phone,
        sales::SalesRecord,
        turn::{ConversationMemory, QueueEntry, TurnKey},
    },
    ports::StoreError,
};

use jiff::civil;

use super::{
    executor::pass,
    memories::MemoryRow,
    races::PlantedRace,
    rows::Rows,
    schedule::{ScheduleRow, row_key},
    turns::turn_key,
};

/// How a call fails.
#[derive(Debug, Clone, Copy)]
enum Fault {
    /// It returns an error and does nothing.
    Fail,
    /// It returns that a row cannot be read.
    Malformed,
    /// It does its work and never returns.
    HangAfter,
    /// It does nothing and never returns.
    HangBefore,
}

/// The tables in memory.
#[derive(Default)]
pub struct FakeStore {
    rows: Mutex<Rows>,
    faults: Mutex<Vec<(&'static str, Fault)>>,
    calls: Mutex<Vec<&'static str>>,
    down: Mutex<bool>,
    hanging: Mutex<BTreeSet<&'static str>>,
    failing: Mutex<BTreeSet<&'static str>>,
    last: Mutex<BTreeSet<&'static str>>,
    slow: Mutex<BTreeMap<&'static str, usize>>,
    race: Mutex<Option<PlantedRace>>,
    chance: Mutex<Option<Arc<dyn CallChance>>>,
}

/// What may happen to a call of a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallFate {
    /// It works.
    Works,
    /// It returns an error and does nothing.
    FailsBefore,
    /// It does its work and returns an error, as if the acknowledgement was lost.
    FailsAfter,
    /// It takes this long before it works, and this long after.
    Slow(Duration, Duration),
}

/// Decides what happens to each call of a port.
#[async_trait]
pub trait CallChance: Send + Sync {
    /// What happens to the next call of an operation.
    fn fate(&self, operation: &'static str) -> CallFate;

    /// Waits, on the clock of whoever decides.
    async fn wait(&self, time: Duration);
}

impl FakeStore {
    /// The next call of an operation returns an error and does nothing.
    pub fn fail(&self, operation: &'static str) {
        self.faults.lock().unwrap().push((operation, Fault::Fail));
    }

    /// The next call of an operation finds a row that it cannot read.
    pub fn malformed(&self, operation: &'static str) {
        self.faults.lock().unwrap().push((operation, Fault::Malformed));
    }

    /// The next call of an operation does its work and never returns.
    pub fn hang_after(&self, operation: &'static str) {
        self.faults.lock().unwrap().push((operation, Fault::HangAfter));
    }

    /// The next call of an operation does nothing and never returns.
    pub fn hang_before(&self, operation: &'static str) {
        self.faults.lock().unwrap().push((operation, Fault::HangBefore));
    }

    /// From now on no call of an operation returns.
    pub fn hang_from_now_on(&self, operation: &'static str) {
        self.hanging.lock().unwrap().insert(operation);
    }

    /// From now on every call of an operation returns an error and does nothing.
    pub fn fail_from_now_on(&self, operation: &'static str) {
        self.failing.lock().unwrap().insert(operation);
    }

    /// The next call of an operation works, and no later one returns.
    pub fn hang_from_the_second(&self, operation: &'static str) {
        self.last.lock().unwrap().insert(operation);
    }

    /// From now on other futures are polled `turns` times before an operation reads or writes.
    pub fn slow(&self, operation: &'static str, turns: usize) {
        self.slow.lock().unwrap().insert(operation, turns);
    }

    /// From now on every call fails, or works again.
    pub fn set_down(&self, down: bool) {
        *self.down.lock().unwrap() = down;
    }

    /// Plants a race.
    pub fn plant(&self, race: PlantedRace) {
        *self.race.lock().unwrap() = Some(race);
    }

    pub(super) fn race(&self) -> Option<PlantedRace> {
        *self.race.lock().unwrap()
    }

    /// From now on this decides what happens to each call.
    pub fn set_chance(&self, chance: Arc<dyn CallChance>) {
        *self.chance.lock().unwrap() = Some(chance);
    }

    /// Every operation called so far.
    pub fn calls(&self) -> Vec<&'static str> {
        self.calls.lock().unwrap().clone()
    }

    /// Ends every claim on a turn.
    pub fn expire_claims(&self) {
        let mut rows = self.rows.lock().unwrap();
        rows.turns.values_mut().for_each(|turn| turn.until_ms = i64::MIN);
    }

    /// From now on no existing claim or queue entry expires.
    pub fn never_expire(&self) {
        let mut rows = self.rows.lock().unwrap();
        rows.turns.values_mut().for_each(|turn| turn.until_ms = i64::MAX);
        rows.queues.values_mut().flatten().for_each(|entry| entry.until_ms = i64::MAX);
    }

    /// Puts the owner's row.
    pub fn set_owner(&self, owner: OwnerState) {
        self.rows.lock().unwrap().owner = owner;
    }

    /// Puts the calendar's row.
    pub fn set_calendar(&self, settings: CalendarSettings) {
        self.rows.lock().unwrap().calendar = Some(settings);
    }

    /// Puts a row that no program can read into the schedule of a date.
    pub fn put_unreadable_row(&self, date: civil::Date) {
        let row = UnreadableRow { key: "lunch".into(), lead_id: String::new() };
        self.rows.lock().unwrap().unreadable.entry(date).or_default().push(row);
    }

    /// The schedule of a date, with what the form no longer holds.
    pub fn schedule(&self, date: civil::Date) -> DaySchedule {
        self.rows.lock().unwrap().day(date)
    }

    /// Every lead, by its reference.
    pub fn leads(&self) -> Vec<Lead> {
        self.rows.lock().unwrap().leads.values().cloned().collect()
    }

    /// Every open booking, by customer and slot.
    pub fn open_bookings(&self) -> Vec<Booking> {
        self.rows.lock().unwrap().bookings.values().cloned().collect()
    }

    /// Every record of sales.
    pub fn sales(&self) -> Vec<SalesRecord> {
        self.rows.lock().unwrap().sales.values().cloned().collect()
    }

    /// What is remembered of the conversation with a customer.
    pub fn memory_of(&self, phone: &Phone) -> ConversationMemory {
        let rows = self.rows.lock().unwrap();
        rows.memories.get(phone).map(MemoryRow::read).unwrap_or_default()
    }

    /// Whether the answer of a turn is stored.
    pub fn is_answered(&self, key: &TurnKey) -> bool {
        let rows = self.rows.lock().unwrap();
        rows.turns.get(&turn_key(key)).is_some_and(|turn| turn.answer.is_some())
    }

    /// The texts of a customer that wait or are being answered.
    pub fn queue_of(&self, phone: &Phone) -> Vec<QueueEntry> {
        self.rows.lock().unwrap().queues.get(phone).cloned().unwrap_or_default()
    }

    /// Whether a customer has opted out.
    pub fn is_opted_out(&self, phone: &Phone) -> bool {
        self.rows.lock().unwrap().opted_out.contains(phone)
    }

    /// The texts in the outbox that Twilio has neither taken nor refused.
    pub fn outbox(&self) -> Vec<OutboxText> {
        self.rows.lock().unwrap().sendable().cloned().collect()
    }

    /// The texts that wait for the owner's answer.
    pub fn unanswered(&self) -> Vec<UnansweredText> {
        self.rows.lock().unwrap().unanswered_texts()
    }

    /// All rows but those that count tries, to compare with later ones.
    pub fn printed(&self) -> String {
        let mut rows = self.rows.lock().unwrap();
        let usages = std::mem::take(&mut rows.usages);
        let printed = format!("{:#?}", *rows);
        rows.usages = usages;
        printed
    }

    /// Adds a lead of the old system: it holds its slot, but has no row among the customer's
    /// bookings.
    pub fn put_old_lead(&self, lead: Lead) {
        let mut rows = self.rows.lock().unwrap();
        rows.schedule.insert(row_key(lead.slot), ScheduleRow::of_lead(&lead));
        rows.leads.insert(lead.id.clone(), lead);
    }

    /// Runs an operation on the rows, with the fault that is set for it.
    pub(super) async fn apply<T>(
        &self,
        operation: &'static str,
        work: impl FnOnce(&mut Rows) -> T + Send,
    ) -> Result<T, StoreError> {
        pass().await;
        let chance = self.chance.lock().unwrap().clone();
        if let Some(chance) = chance {
            return self.apply_by(chance.as_ref(), operation, work).await;
        }
        self.calls.lock().unwrap().push(operation);
        let turns = self.slow.lock().unwrap().get(operation).copied().unwrap_or_default();
        for _ in 0..turns {
            pass().await;
        }
        let hangs = self.hanging.lock().unwrap().contains(operation);
        if hangs {
            pending::<()>().await;
        }
        let fault = {
            let mut faults = self.faults.lock().unwrap();
            let at = faults.iter().position(|(name, _)| *name == operation);
            at.map(|at| faults.remove(at).1)
        };
        if self.last.lock().unwrap().remove(operation) {
            self.hanging.lock().unwrap().insert(operation);
        }
        let down = *self.down.lock().unwrap() || self.failing.lock().unwrap().contains(operation);
        match fault {
            _ if down => {
                return Err(StoreError::Unavailable("secret internals of the database".into()));
            }
            Some(Fault::Fail) => {
                return Err(StoreError::Unavailable("secret internals of the database".into()));
            }
            Some(Fault::Malformed) => {
                return Err(StoreError::Malformed { table: "a table", what: "it is odd".into() });
            }
            Some(Fault::HangBefore) => pending().await,
            Some(Fault::HangAfter) | None => {}
        }
        let done = work(&mut self.rows.lock().unwrap());
        if matches!(fault, Some(Fault::HangAfter)) {
            pending::<()>().await;
        }
        pass().await;
        Ok(done)
    }

    async fn apply_by<T>(
        &self,
        chance: &dyn CallChance,
        operation: &'static str,
        work: impl FnOnce(&mut Rows) -> T + Send,
    ) -> Result<T, StoreError> {
        let fate = chance.fate(operation);
        if fate == CallFate::FailsBefore {
            return Err(StoreError::Unavailable("it failed".into()));
        }
        if let CallFate::Slow(before, _) = fate {
            chance.wait(before).await;
        }
        let done = work(&mut self.rows.lock().unwrap());
        pass().await;
        match fate {
            CallFate::FailsAfter => Err(StoreError::Unavailable("the answer was lost".into())),
            CallFate::Slow(_, after) => {
                chance.wait(after).await;
                Ok(done)
            }
            CallFate::Works | CallFate::FailsBefore => Ok(done),
        }
    }
}
