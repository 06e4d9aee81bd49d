//! Implements the `Store` port by the functions of the topics.

use async_trait::async_trait;
use jiff::{Timestamp, civil};

use super::DynamoDb;
use crate::{
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
            ConversationMemory, HandOver, LateTurn, NewClaim, QueueEntry, StoredRound, TurnEnd,
            TurnKey,
        },
        usage::Usage,
    },
    ports::{
        BookOutcome, CancelOutcome, CompleteOutcome, CustomerBookings, EraseOutcome, HoldOutcome,
        OwnerWriteOutcome, RescheduleOutcome, Store, StoreError, TurnClaim,
    },
};

#[async_trait]
impl Store for DynamoDb {
    async fn owner(&self) -> Result<OwnerState, StoreError> {
        self.read_owner().await
    }

    async fn put_owner(
        &self,
        owner: &OwnerState,
        expected: u64,
    ) -> Result<OwnerWriteOutcome, StoreError> {
        self.write_owner(owner, expected).await
    }

    async fn calendar_settings(&self) -> Result<Option<CalendarSettings>, StoreError> {
        self.read_calendar_settings().await
    }

    async fn put_calendar_settings(
        &self,
        settings: &CalendarSettings,
        expected: u64,
    ) -> Result<OwnerWriteOutcome, StoreError> {
        self.write_calendar_settings(settings, expected).await
    }

    async fn holds_from(&self, date: civil::Date) -> Result<HeldTimes, StoreError> {
        self.read_holds_from(date).await
    }

    async fn change_time_off(&self, change: &TimeOffChange) -> Result<bool, StoreError> {
        self.write_time_off(change).await
    }

    async fn day_schedule(&self, date: civil::Date) -> Result<DaySchedule, StoreError> {
        self.read_day(date).await
    }

    async fn versioned_day_schedule(&self, date: civil::Date) -> Result<DaySchedule, StoreError> {
        self.read_versioned_day(date).await
    }

    async fn book(&self, new: &NewBooking) -> Result<BookOutcome, StoreError> {
        self.write_booking(new).await
    }

    async fn open_bookings(
        &self,
        phone: &Phone,
        now: civil::DateTime,
    ) -> Result<CustomerBookings, StoreError> {
        self.read_bookings(phone, now).await
    }

    async fn lead(&self, id: &LeadId) -> Result<Option<Lead>, StoreError> {
        self.read_lead(id).await
    }

    async fn cancel(&self, cancel: &Cancellation) -> Result<CancelOutcome, StoreError> {
        self.write_cancellation(cancel).await
    }

    async fn reschedule(&self, change: &Reschedule) -> Result<RescheduleOutcome, StoreError> {
        self.write_reschedule(change).await
    }

    async fn complete(&self, done: &Completion) -> Result<CompleteOutcome, StoreError> {
        self.write_completion(done).await
    }

    async fn idempotency_record(
        &self,
        key_hash: &str,
    ) -> Result<Option<IdempotencyRecord>, StoreError> {
        self.read_idempotency_record(key_hash).await
    }

    async fn hold_slot(&self, new: &NewFormHold) -> Result<HoldOutcome, StoreError> {
        self.write_form_hold(new).await
    }

    async fn form_hold(&self, key_hash: &str) -> Result<Option<FormHold>, StoreError> {
        self.read_form_hold(key_hash).await
    }

    async fn count_code_try(&self, id: &HoldId, attempt: &str) -> Result<Option<u32>, StoreError> {
        self.write_code_try(id, attempt).await
    }

    async fn release_slot(&self, hold: &FormHold, now: Timestamp) -> Result<(), StoreError> {
        self.write_release(hold, now).await
    }

    async fn grant_discount(&self, grant: &DiscountGrant) -> Result<bool, StoreError> {
        self.write_grant(grant).await
    }

    async fn open_discount(&self, phone: &Phone, now: Timestamp) -> Result<Option<u8>, StoreError> {
        self.read_discount(phone, now).await
    }

    async fn record_sale(&self, note: &SalesRecord) -> Result<(), StoreError> {
        self.write_sale(note).await
    }

    async fn usage(&self, subject: &str) -> Result<Usage, StoreError> {
        self.read_usage(subject).await
    }

    async fn put_usage(
        &self,
        subject: &str,
        usage: &Usage,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.write_usage(subject, usage, now).await
    }

    async fn opted_out(&self, phone: &Phone) -> Result<bool, StoreError> {
        self.read_opted_out(phone).await
    }

    async fn set_opted_out(
        &self,
        phone: &Phone,
        out: bool,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write_opted_out(phone, out, now).await
    }

    async fn claim_turn(&self, claim: &NewClaim<'_>) -> Result<TurnClaim, StoreError> {
        self.write_claim(claim).await
    }

    async fn renew_turn(
        &self,
        key: &TurnKey,
        holder: &str,
        until_ms: i64,
    ) -> Result<bool, StoreError> {
        self.write_renewal(key, holder, until_ms).await
    }

    async fn turn_answer(&self, key: &TurnKey) -> Result<Option<Vec<String>>, StoreError> {
        self.read_answer(key).await
    }

    async fn save_round(
        &self,
        key: &TurnKey,
        holder: &str,
        ordinal: usize,
        round: &StoredRound,
    ) -> Result<bool, StoreError> {
        self.write_round(key, holder, ordinal, round).await
    }

    async fn finish_turn(&self, end: &TurnEnd) -> Result<bool, StoreError> {
        self.write_end(end).await
    }

    async fn hand_over(&self, hand_over: &HandOver) -> Result<bool, StoreError> {
        self.write_hand_over(hand_over).await
    }

    async fn late_turns(&self) -> Result<Vec<TurnKey>, StoreError> {
        self.read_late_turns().await
    }

    async fn claim_late_turn(
        &self,
        key: &TurnKey,
        holder: &str,
        unix_ms: i64,
        until_ms: i64,
    ) -> Result<Option<LateTurn>, StoreError> {
        self.write_late_claim(key, holder, unix_ms, until_ms).await
    }

    async fn join_queue(
        &self,
        phone: &Phone,
        entry: &QueueEntry,
    ) -> Result<Vec<QueueEntry>, StoreError> {
        self.write_join(phone, entry).await
    }

    async fn queue(&self, phone: &Phone) -> Result<Vec<QueueEntry>, StoreError> {
        self.read_queue(phone).await
    }

    async fn leave_queue(
        &self,
        phone: &Phone,
        position: usize,
        entry: &QueueEntry,
    ) -> Result<bool, StoreError> {
        self.write_leave(phone, position, entry).await
    }

    async fn replace_in_queue(
        &self,
        phone: &Phone,
        position: usize,
        entry: &QueueEntry,
        new: &QueueEntry,
    ) -> Result<bool, StoreError> {
        self.write_replacement(phone, position, entry, new).await
    }

    async fn memory(&self, phone: &Phone) -> Result<ConversationMemory, StoreError> {
        self.read_memory(phone).await
    }

    async fn keep_callback(&self, callback: &Callback) -> Result<(), StoreError> {
        self.write_callback(callback).await
    }

    async fn unanswered(&self) -> Result<Vec<UnansweredText>, StoreError> {
        self.read_unanswered().await
    }

    async fn mark_answered(&self, sid: &str, now: Timestamp) -> Result<bool, StoreError> {
        self.write_answered(sid, now).await
    }

    async fn recent_customers(&self, since: Timestamp) -> Result<Vec<Phone>, StoreError> {
        self.read_recent_customers(since).await
    }

    async fn answer_by_owner(&self, answer: &OwnerAnswer) -> Result<(), StoreError> {
        self.write_owner_answer(answer).await
    }

    async fn enqueue_once(&self, texts: &[OutboxText]) -> Result<bool, StoreError> {
        self.write_texts(texts).await
    }

    async fn waiting_texts(&self) -> Result<Vec<String>, StoreError> {
        self.read_waiting().await
    }

    async fn claim_text(
        &self,
        id: &str,
        holder: &str,
        unix_ms: i64,
        until_ms: i64,
    ) -> Result<Option<(OutboxText, u32)>, StoreError> {
        self.write_text_claim(id, holder, unix_ms, until_ms).await
    }

    async fn release_text(&self, id: &str, holder: &str) -> Result<(), StoreError> {
        self.drop_text_claim(id, holder).await
    }

    async fn remove_text(&self, id: &str) -> Result<(), StoreError> {
        self.delete_text(id).await
    }

    async fn refuse_text(
        &self,
        id: &str,
        code: Option<u32>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.mark_refused(id, code, now).await
    }

    async fn customer_data(&self, phone: &Phone) -> Result<CustomerData, StoreError> {
        self.read_customer(phone).await
    }

    async fn erase_customer(
        &self,
        phone: &Phone,
        now: civil::DateTime,
    ) -> Result<EraseOutcome, StoreError> {
        self.write_erasure(phone, now).await
    }
}
