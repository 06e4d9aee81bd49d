//! The port on tables in memory: each method is one operation on the rows.

use async_trait::async_trait;
use handlers::{
    domain::{
        booking::{Cancellation, Completion, IdempotencyRecord, NewBooking, Reschedule},
        calendar_settings::CalendarSettings,
        customer_data::CustomerData,
        day_schedule::{DaySchedule, HeldTimes},
        discount::DiscountGrant,
        form_hold::{FormHold, HoldId, NewFormHold},
        lead::{Lead, LeadId},
        outbox::{Callback, OutboxText, OwnerAnswer, UnansweredText},
        owner::OwnerState,
        phone::Phone,
        sales::SalesRecord,
        time_off::TimeOffChange,
        turn::{
            ConversationMemory, HandOver, LateTurn, MAX_QUEUE, NewClaim, QueueEntry, StoredRound,
            TurnEnd, TurnKey,
        },
        usage::Usage,
    },
    ports::{
        BookOutcome, CancelOutcome, CompleteOutcome, CustomerBookings, EraseOutcome, HoldOutcome,
        OwnerWriteOutcome, RescheduleOutcome, Store, StoreError, TurnClaim,
    },
};
use jiff::{Timestamp, civil};

use super::{FakeStore, memories::MemoryRow, turns::turn_key};

#[async_trait]
impl Store for FakeStore {
    async fn owner(&self) -> Result<OwnerState, StoreError> {
        self.apply("owner", |rows| rows.owner.clone()).await
    }

    async fn put_owner(
        &self,
        owner: &OwnerState,
        expected: u64,
    ) -> Result<OwnerWriteOutcome, StoreError> {
        self.apply("put_owner", |rows| {
            if rows.owner.version == expected {
                rows.owner = owner.clone();
            }
            outcome_of_write(rows.owner == *owner)
        })
        .await
    }

    async fn calendar_settings(&self) -> Result<Option<CalendarSettings>, StoreError> {
        self.apply("calendar_settings", |rows| rows.calendar.clone()).await
    }

    async fn put_calendar_settings(
        &self,
        settings: &CalendarSettings,
        expected: u64,
    ) -> Result<OwnerWriteOutcome, StoreError> {
        self.apply("put_calendar_settings", |rows| {
            if rows.calendar_versions().settings == expected {
                rows.calendar = Some(settings.clone());
            }
            outcome_of_write(rows.calendar.as_ref() == Some(settings))
        })
        .await
    }

    async fn holds_from(&self, date: civil::Date) -> Result<HeldTimes, StoreError> {
        self.apply("holds_from", |rows| rows.holds_from(date)).await
    }

    async fn change_time_off(&self, change: &TimeOffChange) -> Result<bool, StoreError> {
        self.apply("change_time_off", |rows| rows.change_time_off(change)).await
    }

    async fn day_schedule(&self, date: civil::Date) -> Result<DaySchedule, StoreError> {
        self.apply("day_schedule", |rows| DaySchedule { version: 0, ..rows.day(date) }).await
    }

    async fn versioned_day_schedule(&self, date: civil::Date) -> Result<DaySchedule, StoreError> {
        self.apply("versioned_day_schedule", |rows| rows.day(date)).await
    }

    async fn book(&self, new: &NewBooking) -> Result<BookOutcome, StoreError> {
        self.book_with(self.race(), new).await
    }

    async fn open_bookings(
        &self,
        phone: &Phone,
        now: civil::DateTime,
    ) -> Result<CustomerBookings, StoreError> {
        self.apply("open_bookings", |rows| CustomerBookings {
            bookings: rows
                .bookings
                .values()
                .filter(|booking| booking.phone == *phone && booking.is_open_at(now))
                .cloned()
                .collect(),
            guard: rows.guards.get(phone).copied(),
        })
        .await
    }

    async fn lead(&self, id: &LeadId) -> Result<Option<Lead>, StoreError> {
        self.apply("lead", |rows| {
            let lead = rows.leads.get(id).filter(|_| !rows.disowned.contains(id));
            lead.cloned()
        })
        .await
    }

    async fn cancel(&self, cancel: &Cancellation) -> Result<CancelOutcome, StoreError> {
        self.cancel_with(self.race(), cancel).await
    }

    async fn reschedule(&self, change: &Reschedule) -> Result<RescheduleOutcome, StoreError> {
        self.reschedule_with(self.race(), change).await
    }

    async fn complete(&self, done: &Completion) -> Result<CompleteOutcome, StoreError> {
        self.apply("complete", |rows| rows.complete(done)).await
    }

    async fn idempotency_record(
        &self,
        key_hash: &str,
    ) -> Result<Option<IdempotencyRecord>, StoreError> {
        self.apply("idempotency_record", |rows| rows.forms.get(key_hash).cloned()).await
    }

    async fn hold_slot(&self, new: &NewFormHold) -> Result<HoldOutcome, StoreError> {
        self.apply("hold_slot", |rows| rows.hold_slot(new)).await
    }

    async fn form_hold(&self, key_hash: &str) -> Result<Option<FormHold>, StoreError> {
        self.apply("form_hold", |rows| rows.holds.get(key_hash).map(|row| row.hold.clone())).await
    }

    async fn count_code_try(&self, id: &HoldId, attempt: &str) -> Result<Option<u32>, StoreError> {
        self.apply("count_code_try", |rows| rows.count_code_try(id, attempt)).await
    }

    async fn release_slot(&self, hold: &FormHold, _now: Timestamp) -> Result<(), StoreError> {
        self.apply("release_slot", |rows| rows.release_slot(hold)).await
    }

    async fn grant_discount(&self, grant: &DiscountGrant) -> Result<bool, StoreError> {
        self.apply("grant_discount", |rows| rows.grant_discount(grant)).await
    }

    async fn open_discount(&self, phone: &Phone, now: Timestamp) -> Result<Option<u8>, StoreError> {
        self.apply("open_discount", |rows| rows.open_discount(phone, now)).await
    }

    async fn record_sale(&self, note: &SalesRecord) -> Result<(), StoreError> {
        self.apply("record_sale", |rows| {
            let key = (note.key.phone.clone(), note.key.sid.clone(), note.ordinal);
            rows.sales.entry(key).or_insert_with(|| note.clone());
        })
        .await
    }

    async fn usage(&self, subject: &str) -> Result<Usage, StoreError> {
        self.apply("usage", |rows| rows.usages.get(subject).cloned().unwrap_or_default()).await
    }

    async fn put_usage(
        &self,
        subject: &str,
        usage: &Usage,
        _now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.apply("put_usage", |rows| {
            let before = rows.usages.get(subject);
            let is_next = before.is_none_or(|before| before.version + 1 == usage.version);
            if is_next {
                rows.usages.insert(subject.to_owned(), usage.clone());
            }
            is_next
        })
        .await
    }

    async fn opted_out(&self, phone: &Phone) -> Result<bool, StoreError> {
        self.apply("opted_out", |rows| rows.opted_out.contains(phone)).await
    }

    async fn set_opted_out(
        &self,
        phone: &Phone,
        out: bool,
        _now: Timestamp,
    ) -> Result<(), StoreError> {
        self.apply("set_opted_out", |rows| {
            if out {
                rows.opted_out.insert(phone.clone());
            } else {
                rows.opted_out.remove(phone);
            }
        })
        .await
    }

    async fn claim_turn(&self, claim: &NewClaim<'_>) -> Result<TurnClaim, StoreError> {
        self.claim_with(self.race(), claim).await
    }

    async fn renew_turn(
        &self,
        key: &TurnKey,
        holder: &str,
        until_ms: i64,
    ) -> Result<bool, StoreError> {
        self.apply("renew_turn", |rows| rows.renew(key, holder, until_ms)).await
    }

    async fn turn_answer(&self, key: &TurnKey) -> Result<Option<Vec<String>>, StoreError> {
        self.apply("turn_answer", |rows| {
            rows.turns.get(&turn_key(key)).and_then(|turn| turn.answer.clone())
        })
        .await
    }

    async fn save_round(
        &self,
        key: &TurnKey,
        holder: &str,
        ordinal: usize,
        round: &StoredRound,
    ) -> Result<bool, StoreError> {
        self.apply("save_round", |rows| rows.save(key, holder, ordinal, round)).await
    }

    async fn finish_turn(&self, end: &TurnEnd) -> Result<bool, StoreError> {
        self.apply("finish_turn", |rows| rows.finish(end)).await
    }

    async fn hand_over(&self, hand_over: &HandOver) -> Result<bool, StoreError> {
        self.apply("hand_over", |rows| rows.hand_over(hand_over)).await
    }

    async fn late_turns(&self) -> Result<Vec<TurnKey>, StoreError> {
        self.apply("late_turns", |rows| rows.late_turns()).await
    }

    async fn claim_late_turn(
        &self,
        key: &TurnKey,
        holder: &str,
        unix_ms: i64,
        until_ms: i64,
    ) -> Result<Option<LateTurn>, StoreError> {
        self.apply("claim_late_turn", |rows| rows.claim_late(key, holder, unix_ms, until_ms)).await
    }

    async fn join_queue(
        &self,
        phone: &Phone,
        entry: &QueueEntry,
    ) -> Result<Vec<QueueEntry>, StoreError> {
        self.apply("join_queue", |rows| {
            let queue = rows.queues.entry(phone.clone()).or_default();
            if !queue.contains(entry) && queue.len() < MAX_QUEUE {
                queue.push(entry.clone());
            }
            queue.clone()
        })
        .await
    }

    async fn queue(&self, phone: &Phone) -> Result<Vec<QueueEntry>, StoreError> {
        self.apply("queue", |rows| rows.queues.get(phone).cloned().unwrap_or_default()).await
    }

    async fn leave_queue(
        &self,
        phone: &Phone,
        position: usize,
        entry: &QueueEntry,
    ) -> Result<bool, StoreError> {
        self.apply("leave_queue", |rows| {
            let queue = rows.queues.get_mut(phone);
            let there = queue.filter(|queue| queue.get(position) == Some(entry));
            there.map(|queue| queue.remove(position)).is_some()
        })
        .await
    }

    async fn replace_in_queue(
        &self,
        phone: &Phone,
        position: usize,
        entry: &QueueEntry,
        new: &QueueEntry,
    ) -> Result<bool, StoreError> {
        self.apply("replace_in_queue", |rows| {
            let place = rows.queues.get_mut(phone).and_then(|queue| queue.get_mut(position));
            let there = place.filter(|place| *place == entry);
            there.map(|place| *place = new.clone()).is_some()
        })
        .await
    }

    async fn memory(&self, phone: &Phone) -> Result<ConversationMemory, StoreError> {
        self.apply("memory", |rows| {
            rows.memories.get(phone).map(MemoryRow::read).unwrap_or_default()
        })
        .await
    }

    async fn keep_callback(&self, callback: &Callback) -> Result<(), StoreError> {
        self.apply("keep_callback", |rows| rows.keep_callback(callback)).await
    }

    async fn unanswered(&self) -> Result<Vec<UnansweredText>, StoreError> {
        self.apply("unanswered", |rows| rows.unanswered_texts()).await
    }

    async fn mark_answered(&self, sid: &str, _now: Timestamp) -> Result<bool, StoreError> {
        self.apply("mark_answered", |rows| rows.mark_answered(sid)).await
    }

    async fn recent_customers(&self, since: Timestamp) -> Result<Vec<Phone>, StoreError> {
        self.apply("recent_customers", |rows| rows.recent_customers(since)).await
    }

    async fn answer_by_owner(&self, answer: &OwnerAnswer) -> Result<(), StoreError> {
        self.apply("answer_by_owner", |rows| rows.answer_by_owner(answer)).await?
    }

    async fn enqueue_once(&self, texts: &[OutboxText]) -> Result<bool, StoreError> {
        self.apply("enqueue_once", |rows| rows.enqueue(texts)).await
    }

    async fn waiting_texts(&self) -> Result<Vec<String>, StoreError> {
        self.apply("waiting_texts", |rows| rows.waiting_texts()).await
    }

    async fn claim_text(
        &self,
        id: &str,
        holder: &str,
        unix_ms: i64,
        until_ms: i64,
    ) -> Result<Option<(OutboxText, u32)>, StoreError> {
        self.apply("claim_text", |rows| rows.claim_text(id, holder, unix_ms, until_ms)).await
    }

    async fn release_text(&self, id: &str, holder: &str) -> Result<(), StoreError> {
        self.apply("release_text", |rows| rows.release_text(id, holder)).await
    }

    async fn remove_text(&self, id: &str) -> Result<(), StoreError> {
        self.apply("remove_text", |rows| {
            rows.outbox.remove(id);
        })
        .await
    }

    async fn refuse_text(
        &self,
        id: &str,
        _code: Option<u32>,
        _now: Timestamp,
    ) -> Result<(), StoreError> {
        self.apply("refuse_text", |rows| rows.refuse_text(id)).await
    }

    async fn customer_data(&self, phone: &Phone) -> Result<CustomerData, StoreError> {
        self.apply("customer_data", |rows| rows.customer_data(phone)).await
    }

    async fn erase_customer(
        &self,
        phone: &Phone,
        now: civil::DateTime,
    ) -> Result<EraseOutcome, StoreError> {
        self.apply("erase_customer", |rows| rows.erase_customer(phone, now)).await
    }
}

/// A write whose rows are there was made by this call or an earlier one.
fn outcome_of_write(is_there: bool) -> OwnerWriteOutcome {
    if is_there { OwnerWriteOutcome::Written } else { OwnerWriteOutcome::Conflict }
}
