//! What the application asks of the world, in domain types only.
//!
//! Adapters implement these traits on DynamoDB, OpenAI and Twilio; tests and
//! simulators implement them in memory. Nothing else in `app` touches the
//! outside, so whoever owns the ports owns every choice, failure and delay.

use std::{collections::BTreeSet, time::Duration};

use async_trait::async_trait;
use jiff::{Timestamp, civil};

use crate::domain::{
    booking::{Booking, Cancellation, FormGuard, IdempotencyRecord, NewBooking, Reschedule},
    lead::{Lead, LeadId},
    owner::OwnerState,
    phone::Phone,
    sales::SalesRecord,
    secret::Secret,
    slot::SlotTime,
    turn::{
        ConversationItem, ConversationMemory, QueueEntry, StoredRound, TurnEnd, TurnKey, TurnRecord,
    },
};

/// A failure whose cause is for the log, never for a customer.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The assistant's language model.
#[async_trait]
pub trait Model: Send + Sync {
    /// One round: the whole input in, the model's output items out, in order.
    async fn respond(&self, request: ModelRequest<'_>)
    -> Result<Vec<ConversationItem>, ModelError>;
}

/// One request to the model. Nothing is kept by the provider between rounds.
#[derive(Debug)]
pub struct ModelRequest<'a> {
    /// The prompt; holds no customer text.
    pub instructions: &'a str,
    /// The conversation, oldest first.
    pub input: &'a [ConversationItem],
    /// The tools on offer: name, description, strict JSON schema of the arguments.
    pub tools: &'a [ToolSpec],
    /// Opaque identifier of the customer.
    pub safety_identifier: &'a str,
}

/// A tool as the model sees it.
#[derive(Debug, Clone)]
pub struct ToolSpec {
    /// Name that the model calls.
    pub name: &'static str,
    /// When to use it.
    pub description: &'static str,
    /// Strict JSON schema of the arguments.
    pub parameters: serde_json::Value,
}

/// Why a round has no usable answer. Every case leads to the fallback text; they differ in the log.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// Unreachable, overloaded, rate-limited beyond patience, or an error answer.
    #[error("the model is unavailable")]
    Unavailable(#[source] BoxError),
    /// The provider refused the request as wrong: a fault of ours.
    #[error("the model rejected the request")]
    Rejected(#[source] BoxError),
    /// The model declined to answer.
    #[error("the model refused to answer")]
    Refused,
    /// The answer was stopped by a content filter.
    #[error("the answer was filtered")]
    Filtered,
    /// The answer was cut off at its token limit.
    #[error("the answer was incomplete")]
    Incomplete,
    /// Neither text nor call.
    #[error("the answer was empty")]
    Empty,
}

/// A failure of the store. A failed read is never an empty result.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database did not answer, or answered with an error.
    #[error("the database is unavailable")]
    Unavailable(#[source] BoxError),
    /// A row does not have the shape that it must have.
    #[error("a row of {table} is malformed: {what}")]
    Malformed {
        /// The table.
        table: &'static str,
        /// What is wrong; holds no personal data.
        what: String,
    },
}

/// What became of a booking's transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BookOutcome {
    /// Written now, or found written by an earlier attempt with the same lead id.
    Booked,
    /// Somebody else holds the slot.
    SlotTaken,
    /// The form guard moved meanwhile: read the customer's bookings again.
    GuardChanged,
}

/// What became of a cancellation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CancelOutcome {
    /// Cancelled now, or found cancelled by an earlier attempt.
    Cancelled,
    /// The booking changed meanwhile (moved, or completed): read it again.
    BookingChanged,
}

/// What became of a move to another slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RescheduleOutcome {
    /// Moved now, or found at the new slot by an earlier attempt.
    Rescheduled,
    /// Somebody else holds the new slot; the old one is kept.
    SlotTaken,
    /// The booking changed meanwhile: read it again.
    BookingChanged,
}

/// What became of writing the owner's state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OwnerWriteOutcome {
    /// Written; its version is the expected one plus one.
    Written,
    /// Somebody else wrote first: read again and merge again.
    Conflict,
}

/// What became of claiming a turn.
#[derive(Debug, Clone, PartialEq)]
pub enum TurnClaim {
    /// It is ours; either new (no rounds) or taken over from an attempt whose lease has run out.
    Acquired(TurnRecord),
    /// It has been answered with these messages (maybe none).
    Answered(Vec<String>),
    /// Another attempt holds it.
    Busy,
}

/// A customer's open bookings.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CustomerBookings {
    /// Ordered by the clock.
    pub bookings: Vec<Booking>,
    /// Guards the limit on open bookings from the form; `None` before the first.
    pub guard: Option<FormGuard>,
}

/// The tables. All reads are consistent.
#[async_trait]
pub trait Store: Send + Sync {
    /// The owner's state; the default one (version 0) when there is no row.
    async fn owner(&self) -> Result<OwnerState, StoreError>;
    /// Writes the state if the row still has version `expected` (0: no row, or one without a version).
    /// The version written is that of `owner`, which is `expected` plus one.
    async fn put_owner(
        &self,
        owner: &OwnerState,
        expected: u64,
    ) -> Result<OwnerWriteOutcome, StoreError>;

    /// The slot times of a date that are not free: any row whose status is not `available`.
    async fn taken_slots(&self, date: civil::Date) -> Result<BTreeSet<SlotTime>, StoreError>;

    /// One transaction: slot, lead, customer's booking row (and the form guard when given).
    /// A lost acknowledgement is resolved by reading who holds the slot.
    async fn book(&self, new: &NewBooking) -> Result<BookOutcome, StoreError>;
    /// The customer's open bookings that start at or after `from` (shop's wall clock).
    async fn open_bookings(
        &self,
        phone: &Phone,
        from: civil::DateTime,
    ) -> Result<CustomerBookings, StoreError>;
    /// A lead by its id.
    async fn lead(&self, id: &LeadId) -> Result<Option<Lead>, StoreError>;
    /// One transaction: frees the slot, marks the lead, drops the booking row; only for its own customer.
    async fn cancel(&self, cancel: &Cancellation) -> Result<CancelOutcome, StoreError>;
    /// One transaction: takes the new slot, frees the old one, moves lead and booking row.
    async fn reschedule(&self, change: &Reschedule) -> Result<RescheduleOutcome, StoreError>;
    /// Binds an idempotency key to a request and to the first attempt's time, or finds what it is bound to.
    async fn claim_idempotency_key(
        &self,
        claim: &IdempotencyRecord,
    ) -> Result<IdempotencyRecord, StoreError>;
    /// Stores a discount or an upsell under the turn's key and ordinal; a repeat changes nothing.
    async fn record_sale(&self, note: &SalesRecord) -> Result<(), StoreError>;

    /// Whether the customer asked for no more texts.
    async fn opted_out(&self, phone: &Phone) -> Result<bool, StoreError>;
    /// Records or removes the opt-out.
    async fn set_opted_out(
        &self,
        phone: &Phone,
        out: bool,
        now: Timestamp,
    ) -> Result<(), StoreError>;

    /// Claims a turn for `holder` until `until_ms` of [`Timer::unix_ms`], recording `now` on the first attempt.
    async fn claim_turn(
        &self,
        key: &TurnKey,
        holder: &str,
        now: Timestamp,
        unix_ms: i64,
        until_ms: i64,
    ) -> Result<TurnClaim, StoreError>;
    /// Holds a claim until a later time; false when `holder` lost the turn or it is answered.
    async fn renew_turn(
        &self,
        key: &TurnKey,
        holder: &str,
        until_ms: i64,
    ) -> Result<bool, StoreError>;
    /// What has become of a turn that another attempt holds; `None` while unanswered.
    async fn turn_answer(&self, key: &TurnKey) -> Result<Option<Vec<String>>, StoreError>;
    /// Stores round `ordinal`, in place of an earlier state of it, if `holder` still holds the turn;
    /// false when it does not.
    async fn save_round(
        &self,
        key: &TurnKey,
        holder: &str,
        ordinal: usize,
        round: &StoredRound,
    ) -> Result<bool, StoreError>;
    /// Stores the answer (and the memory when given), and gives up the conversation; false when `holder` lost the turn.
    /// A queue whose head is no longer [`TurnEnd::dequeue`] does not fail it.
    async fn finish_turn(&self, end: &TurnEnd) -> Result<bool, StoreError>;

    /// Adds an entry to the conversation's queue (order of arrival is the database's) and returns the queue.
    /// An entry that is already there is not added again, so that a repeat after a lost answer is harmless.
    async fn join_queue(
        &self,
        phone: &Phone,
        me: &QueueEntry,
    ) -> Result<Vec<QueueEntry>, StoreError>;
    /// The queue as it is.
    async fn queue(&self, phone: &Phone) -> Result<Vec<QueueEntry>, StoreError>;
    /// Removes the entry at `position` if it is still `entry`; false when the queue has moved.
    async fn leave_queue(
        &self,
        phone: &Phone,
        position: usize,
        entry: &QueueEntry,
    ) -> Result<bool, StoreError>;
    /// What was said before, oldest first.
    async fn memory(&self, phone: &Phone) -> Result<ConversationMemory, StoreError>;

    /// True for the first alert of this cause in the window; false when one went out already.
    async fn claim_alert(
        &self,
        cause: &str,
        now: Timestamp,
        window: Duration,
    ) -> Result<bool, StoreError>;
}

/// Sends texts outside the webhook's answer.
#[async_trait]
pub trait Sms: Send + Sync {
    /// Sends one text from the shop's number.
    async fn send(&self, to: &Phone, body: &str) -> Result<(), SmsError>;
}

/// Why a text was not sent.
#[derive(Debug, thiserror::Error)]
pub enum SmsError {
    /// The recipient has opted out (Twilio 21610): not to be tried again.
    #[error("the recipient has opted out")]
    OptedOut,
    /// The provider refused it for another reason.
    #[error("the provider refused the message (code {code:?})")]
    Refused {
        /// Twilio's error code, when the body had one.
        code: Option<u32>,
    },
    /// Whether it was sent is unknown.
    #[error("the provider is unavailable")]
    Unavailable(#[source] BoxError),
}

/// A secret that may be rotated while the function is warm.
#[async_trait]
pub trait Credential: Send + Sync {
    /// The secret as it is known; it is fetched when it is needed for the first time.
    async fn current(&self) -> Result<Secret, CredentialError>;
    /// Another value than `stale`, which did not fit. `None` when there is none, when it cannot be
    /// had, and when it was asked for less than a minute ago.
    async fn refresh(&self, stale: &Secret) -> Option<Secret>;
}

/// A secret is not to be had.
#[derive(Debug, thiserror::Error)]
#[error("{variable} cannot be fetched")]
pub struct CredentialError {
    /// The variable that it stands for.
    pub variable: &'static str,
    /// Why.
    #[source]
    pub source: BoxError,
}

/// Random identifiers. The only source of randomness.
pub trait IdGenerator: Send + Sync {
    /// 128 random bits as 32 lower-case hexadecimal digits.
    fn generate(&self) -> String;
}

/// Elapsed time: deadlines, leases, backoff. Never business time.
#[async_trait]
pub trait Timer: Send + Sync {
    /// Milliseconds since the Unix epoch on the machine's clock, for leases shared between machines.
    fn unix_ms(&self) -> i64;
    /// Waits.
    async fn sleep(&self, time: Duration);
}
