//! A store in memory, as far as routers need one.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use handlers::{
    domain::{
        booking::{Booking, Cancellation, IdempotencyRecord, NewBooking, Reschedule},
        lead::{Lead, LeadId},
        owner::OwnerState,
        phone::Phone,
        sales::SalesRecord,
        slot::{Slot, SlotTime},
        turn::{ConversationMemory, QueueEntry, StoredRound, TurnEnd, TurnKey, TurnRecord},
    },
    ports::{
        BookOutcome, CancelOutcome, CustomerBookings, OwnerWriteOutcome, RescheduleOutcome, Store,
        StoreError, TurnClaim,
    },
};
use jiff::{Timestamp, civil};

#[derive(Default)]
pub struct InMemoryStore {
    /// While set, everything fails.
    down: AtomicBool,
    rows: Mutex<Rows>,
}

#[derive(Default)]
struct Rows {
    owner: OwnerState,
    leads: BTreeMap<Slot, Lead>,
    claims: BTreeMap<String, IdempotencyRecord>,
    answers: BTreeMap<String, Vec<String>>,
    queue: Vec<QueueEntry>,
}

impl InMemoryStore {
    pub fn take_down(&self) {
        self.down.store(true, Ordering::SeqCst);
    }

    pub fn leads(&self) -> Vec<Lead> {
        self.rows.lock().unwrap().leads.values().cloned().collect()
    }

    fn rows(&self) -> Result<std::sync::MutexGuard<'_, Rows>, StoreError> {
        if self.down.load(Ordering::SeqCst) {
            return Err(StoreError::Unavailable("secret internals of the database".into()));
        }
        Ok(self.rows.lock().unwrap())
    }
}

#[async_trait]
impl Store for InMemoryStore {
    async fn owner(&self) -> Result<OwnerState, StoreError> {
        Ok(self.rows()?.owner.clone())
    }

    async fn put_owner(
        &self,
        owner: &OwnerState,
        expected: u64,
    ) -> Result<OwnerWriteOutcome, StoreError> {
        let mut rows = self.rows()?;
        if rows.owner.version != expected {
            return Ok(OwnerWriteOutcome::Conflict);
        }
        rows.owner = owner.clone();
        Ok(OwnerWriteOutcome::Written)
    }

    async fn taken_slots(&self, date: civil::Date) -> Result<BTreeSet<SlotTime>, StoreError> {
        let rows = self.rows()?;
        Ok(rows.leads.keys().filter(|slot| slot.date() == date).map(|slot| slot.time()).collect())
    }

    async fn book(&self, new: &NewBooking) -> Result<BookOutcome, StoreError> {
        let mut rows = self.rows()?;
        let holder = rows.leads.entry(new.lead.slot).or_insert_with(|| new.lead.clone());
        Ok(if holder.id == new.lead.id { BookOutcome::Booked } else { BookOutcome::SlotTaken })
    }

    async fn open_bookings(
        &self,
        phone: &Phone,
        from: civil::DateTime,
    ) -> Result<CustomerBookings, StoreError> {
        let rows = self.rows()?;
        let mine = rows.leads.values().filter(|lead| lead.phone == *phone);
        let bookings = mine.map(Booking::from).filter(|booking| booking.slot.start() >= from);
        Ok(CustomerBookings { bookings: bookings.collect(), guard: None })
    }

    async fn lead(&self, id: &LeadId) -> Result<Option<Lead>, StoreError> {
        Ok(self.rows()?.leads.values().find(|lead| lead.id == *id).cloned())
    }

    async fn cancel(&self, _: &Cancellation) -> Result<CancelOutcome, StoreError> {
        Ok(CancelOutcome::BookingChanged)
    }

    async fn reschedule(&self, _: &Reschedule) -> Result<RescheduleOutcome, StoreError> {
        Ok(RescheduleOutcome::BookingChanged)
    }

    async fn claim_idempotency_key(
        &self,
        claim: &IdempotencyRecord,
    ) -> Result<IdempotencyRecord, StoreError> {
        let mut rows = self.rows()?;
        Ok(rows.claims.entry(claim.key_hash.clone()).or_insert_with(|| claim.clone()).clone())
    }

    async fn record_sale(&self, _: &SalesRecord) -> Result<(), StoreError> {
        Ok(())
    }

    async fn opted_out(&self, _: &Phone) -> Result<bool, StoreError> {
        self.rows().map(|_| false)
    }

    async fn set_opted_out(&self, _: &Phone, _: bool, _: Timestamp) -> Result<(), StoreError> {
        self.rows().map(|_| ())
    }

    async fn claim_turn(
        &self,
        key: &TurnKey,
        _: &str,
        now: Timestamp,
        _: i64,
        _: i64,
    ) -> Result<TurnClaim, StoreError> {
        Ok(match self.rows()?.answers.get(&key.sid) {
            Some(messages) => TurnClaim::Answered(messages.clone()),
            None => TurnClaim::Acquired(TurnRecord { now, rounds: Vec::new() }),
        })
    }

    async fn renew_turn(&self, _: &TurnKey, _: &str, _: i64) -> Result<bool, StoreError> {
        self.rows().map(|_| true)
    }

    async fn turn_answer(&self, key: &TurnKey) -> Result<Option<Vec<String>>, StoreError> {
        Ok(self.rows()?.answers.get(&key.sid).cloned())
    }

    async fn save_round(
        &self,
        _: &TurnKey,
        _: &str,
        _: usize,
        _: &StoredRound,
    ) -> Result<bool, StoreError> {
        self.rows().map(|_| true)
    }

    async fn finish_turn(&self, end: &TurnEnd) -> Result<bool, StoreError> {
        let mut rows = self.rows()?;
        rows.answers.insert(end.key.sid.clone(), end.messages.clone());
        rows.queue.clear();
        Ok(true)
    }

    async fn join_queue(&self, _: &Phone, me: &QueueEntry) -> Result<Vec<QueueEntry>, StoreError> {
        let mut rows = self.rows()?;
        rows.queue.push(me.clone());
        Ok(rows.queue.clone())
    }

    async fn queue(&self, _: &Phone) -> Result<Vec<QueueEntry>, StoreError> {
        Ok(self.rows()?.queue.clone())
    }

    async fn leave_queue(&self, _: &Phone, at: usize, _: &QueueEntry) -> Result<bool, StoreError> {
        self.rows()?.queue.remove(at);
        Ok(true)
    }

    async fn memory(&self, _: &Phone) -> Result<ConversationMemory, StoreError> {
        self.rows().map(|_| ConversationMemory::default())
    }

    async fn claim_alert(&self, _: &str, _: Timestamp, _: Duration) -> Result<bool, StoreError> {
        self.rows().map(|_| true)
    }
}
