//! The tables, and what comes of changing them.

use async_trait::async_trait;
use jiff::{Timestamp, civil};

use super::BoxError;
use crate::domain::{
    booking::{
        Booking, Cancellation, Completion, FormGuard, IdempotencyRecord, NewBooking, Reschedule,
    },
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
        TurnKey, TurnRecord,
    },
    usage::Usage,
};

/// A failure of the store. A failed read is never an empty result.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database did not answer, or returned an error.
    #[error("the database is unavailable")]
    Unavailable(#[source] BoxError),
    /// A row does not have the expected shape.
    #[error("a row of {table} is malformed: {what}")]
    Malformed {
        /// The table.
        table: &'static str,
        /// What is wrong, without personal data.
        what: String,
    },
}

/// The outcome of booking a slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BookOutcome {
    /// Written now or by an earlier attempt with the same lead id.
    Booked,
    /// An earlier attempt wrote this lead, which may have changed since.
    Exists(Box<Lead>),
    /// Another lead holds the slot.
    SlotTaken,
    /// The date's schedule has changed and must be read again.
    DayChanged,
    /// The customer's discount has been used meanwhile: it must be read again.
    DiscountChanged,
    /// The form guard has changed: the customer's bookings must be read again.
    GuardChanged,
    /// The calendar or the owner's state has changed: both must be read again.
    CalendarChanged,
    /// The form's request has led to a booking meanwhile: its record must be read again.
    RecordExists,
    /// The attempt no longer holds the turn of [`NewBooking::fence`], or the turn is answered.
    ClaimLost,
}

/// The outcome of cancelling a booking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CancelOutcome {
    /// Cancelled by this call.
    Cancelled,
    /// It was cancelled before, by an earlier attempt or by somebody else.
    CancelledBefore,
    /// The booking has changed (moved or completed) and must be read again.
    BookingChanged,
    /// The attempt no longer holds the turn of [`Cancellation::fence`], or the turn is answered.
    ClaimLost,
}

/// The outcome of marking a booking as done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CompleteOutcome {
    /// Done now or by an earlier attempt.
    Completed,
    /// The booking has changed (moved or cancelled) and must be read again.
    BookingChanged,
}

/// The outcome of moving a booking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RescheduleOutcome {
    /// Moved by this call.
    Rescheduled,
    /// It was moved there before, by an earlier attempt or by somebody else.
    RescheduledBefore,
    /// Another lead holds the new slot; the booking keeps the old one.
    SlotTaken,
    /// The booking or a date's schedule has changed and must be read again.
    BookingChanged,
    /// The calendar or the owner's state has changed: both must be read again.
    CalendarChanged,
    /// The attempt no longer holds the turn of [`Reschedule::fence`], or the turn is answered.
    ClaimLost,
}

/// The outcome of holding a time for the form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HoldOutcome {
    /// Held, now or by an earlier attempt with the same name.
    Held,
    /// Somebody else has the time.
    SlotTaken,
    /// The date's schedule has changed and must be read again.
    DayChanged,
    /// The request has another hold meanwhile, which must be read again.
    KeyHeld,
}

/// The outcome of writing the owner's state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OwnerWriteOutcome {
    /// Written with the expected version plus one.
    Written,
    /// Another writer came first: read and merge again.
    Conflict,
}

/// The outcome of claiming a turn.
#[derive(Debug, Clone, PartialEq)]
pub enum TurnClaim {
    /// This attempt holds the turn, which is new (no rounds) or taken over from an attempt whose
    /// lease has ended.
    Acquired(TurnRecord),
    /// The turn has this answer already; no messages mean silence.
    Answered(Vec<String>),
    /// Another attempt holds the turn.
    Busy,
}

/// A customer's open bookings.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CustomerBookings {
    /// Ordered by time.
    pub bookings: Vec<Booking>,
    /// The lock on the number of open bookings by the form; `None` before the first.
    pub guard: Option<FormGuard>,
}

/// The outcome of erasing a customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EraseOutcome {
    /// No row names the customer any more but an opt-out. So many rows were deleted, or lost what
    /// tells whose they are.
    Erased(usize),
    /// Nothing was changed, because of these open bookings; ordered, each once.
    HasOpenBookings(Vec<LeadId>),
}

/// The tables. All reads are consistent. Every method fails with [`StoreError::Unavailable`] when
/// the database fails, and those that read rows with [`StoreError::Malformed`] for one of an
/// unexpected shape.
#[async_trait]
pub trait Store: Send + Sync {
    /// The owner's state; the default (version 0) without a row.
    async fn owner(&self) -> Result<OwnerState, StoreError>;
    /// Writes the state if the row's version is still `expected` (0: no row, or one without a
    /// version). `owner` must have version `expected` plus one.
    async fn put_owner(
        &self,
        owner: &OwnerState,
        expected: u64,
    ) -> Result<OwnerWriteOutcome, StoreError>;

    /// What the owner decided about the calendar; `None` before his first change.
    async fn calendar_settings(&self) -> Result<Option<CalendarSettings>, StoreError>;
    /// Writes the settings if the row's version is still `expected` (0: no row). They must have
    /// version `expected` plus one.
    async fn put_calendar_settings(
        &self,
        settings: &CalendarSettings,
        expected: u64,
    ) -> Result<OwnerWriteOutcome, StoreError>;
    /// The bookings and the time off of a date and of later ones, without what the form holds until it
    /// is confirmed. Reads the whole schedule: about one unit of reading for each 4 KB of it.
    async fn holds_from(&self, date: civil::Date) -> Result<HeldTimes, StoreError>;

    /// Takes time off or gives it back; false when the date's schedule has changed.
    async fn change_time_off(&self, change: &TimeOffChange) -> Result<bool, StoreError>;
    /// The rows of a date: every one whose status is not `available` holds its time. The version
    /// is not read.
    async fn day_schedule(&self, date: civil::Date) -> Result<DaySchedule, StoreError>;
    /// The same with the version, which is read before the rows: a booking that is written
    /// meanwhile changes it, and is noticed.
    async fn versioned_day_schedule(&self, date: civil::Date) -> Result<DaySchedule, StoreError>;

    /// Writes slot, lead, the customer's booking row, the date's next version and what else is
    /// given in one transaction. After a lost acknowledgement, reads who holds the slot.
    async fn book(&self, new: &NewBooking) -> Result<BookOutcome, StoreError>;
    /// The customer's bookings that are not over at `now`, which is on the shop's wall clock.
    async fn open_bookings(
        &self,
        phone: &Phone,
        now: civil::DateTime,
    ) -> Result<CustomerBookings, StoreError>;
    /// The lead with this id.
    async fn lead(&self, id: &LeadId) -> Result<Option<Lead>, StoreError>;
    /// Frees the slot, marks the lead as cancelled and deletes the booking row in one transaction;
    /// only for the booking's own customer.
    async fn cancel(&self, cancel: &Cancellation) -> Result<CancelOutcome, StoreError>;
    /// Takes the new slot, frees the old one and moves lead and booking row in one transaction.
    async fn reschedule(&self, change: &Reschedule) -> Result<RescheduleOutcome, StoreError>;
    /// Marks the lead and its row of the schedule as completed and deletes the booking row in one
    /// transaction. The time stays held: it was used.
    async fn complete(&self, done: &Completion) -> Result<CompleteOutcome, StoreError>;
    /// The booking that a request of the form led to, by the hash of its key.
    async fn idempotency_record(
        &self,
        key_hash: &str,
    ) -> Result<Option<IdempotencyRecord>, StoreError>;
    /// Holds a time until it is confirmed: the slot's row, the hold, which takes the place of
    /// [`NewFormHold::replaces`] and of no other, the date's next version and the texts, in one
    /// transaction. After a lost acknowledgement, reads whose the hold is.
    async fn hold_slot(&self, new: &NewFormHold) -> Result<HoldOutcome, StoreError>;
    /// The last hold for the request with the hash of this key, whether it stands or has ended.
    async fn form_hold(&self, key_hash: &str) -> Result<Option<FormHold>, StoreError>;
    /// Counts a try at a hold's code, before it is compared. Returns how many are left after it;
    /// `None` when there was none left, or no such hold. `attempt` names the try: one whose
    /// acknowledgement is lost counts once.
    async fn count_code_try(&self, id: &HoldId, attempt: &str) -> Result<Option<u32>, StoreError>;
    /// Frees the time of a hold before its end, unless somebody else has it or it is booked.
    async fn release_slot(&self, hold: &FormHold, now: Timestamp) -> Result<(), StoreError>;
    /// Grants a discount; false when the customer has one that no booking has used, or has used one,
    /// that still counts ([`discounts_count_from`](crate::domain::discount::discounts_count_from)).
    /// A repeat of the same call is granted again.
    async fn grant_discount(&self, grant: &DiscountGrant) -> Result<bool, StoreError>;
    /// The customer's discount that counts at `now` and that no booking has used, in percent.
    async fn open_discount(&self, phone: &Phone, now: Timestamp) -> Result<Option<u8>, StoreError>;
    /// Stores a discount or an upsell by turn and ordinal; a repeat changes nothing.
    async fn record_sale(&self, note: &SalesRecord) -> Result<(), StoreError>;

    /// What was done lately under this name; nothing without a row.
    async fn usage(&self, subject: &str) -> Result<Usage, StoreError>;
    /// Replaces it; false when the row's version is no longer the one before `usage`'s.
    async fn put_usage(
        &self,
        subject: &str,
        usage: &Usage,
        now: Timestamp,
    ) -> Result<bool, StoreError>;

    /// Whether the customer opted out of texts.
    async fn opted_out(&self, phone: &Phone) -> Result<bool, StoreError>;
    /// Records or removes an opt-out.
    async fn set_opted_out(
        &self,
        phone: &Phone,
        out: bool,
        now: Timestamp,
    ) -> Result<(), StoreError>;

    /// Claims a turn, if no other claim holds at its [`NewClaim::unix_ms`]. Stores text and time on
    /// the first attempt.
    async fn claim_turn(&self, claim: &NewClaim<'_>) -> Result<TurnClaim, StoreError>;
    /// Extends a claim until `until_ms`; false when `holder` lost the turn or it is answered.
    async fn renew_turn(
        &self,
        key: &TurnKey,
        holder: &str,
        until_ms: i64,
    ) -> Result<bool, StoreError>;
    /// The stored answer of a turn; `None` while there is none.
    async fn turn_answer(&self, key: &TurnKey) -> Result<Option<Vec<String>>, StoreError>;
    /// Stores round `ordinal`, replacing an earlier state of it; false when `holder` lost the turn
    /// or it is answered.
    async fn save_round(
        &self,
        key: &TurnKey,
        holder: &str,
        ordinal: usize,
        round: &StoredRound,
    ) -> Result<bool, StoreError>;
    /// Stores the answer and, if given, memory and callback, and removes [`TurnEnd::dequeue`] from
    /// the queue if it is still the head; false when `holder` lost the turn.
    async fn finish_turn(&self, end: &TurnEnd) -> Result<bool, StoreError>;

    /// Stores what the webhook is answered and that the turn must be finished later; false when its
    /// holder lost the turn or it is answered.
    async fn hand_over(&self, hand_over: &HandOver) -> Result<bool, StoreError>;
    /// The turns that were handed over and are not finished.
    async fn late_turns(&self) -> Result<Vec<TurnKey>, StoreError>;
    /// Claims a turn that was handed over for `holder`, as [`Store::claim_turn`] does; `None` when
    /// it is finished or another claim holds.
    async fn claim_late_turn(
        &self,
        key: &TurnKey,
        holder: &str,
        unix_ms: i64,
        until_ms: i64,
    ) -> Result<Option<LateTurn>, StoreError>;

    /// Appends an entry to the conversation's queue, in the order in which the database receives
    /// them, and returns the queue. Does not append an entry twice, so a repeat is harmless, nor to a
    /// queue of [`MAX_QUEUE`](crate::domain::turn::MAX_QUEUE) entries, which is returned without it.
    async fn join_queue(
        &self,
        phone: &Phone,
        entry: &QueueEntry,
    ) -> Result<Vec<QueueEntry>, StoreError>;
    /// The conversation's queue.
    async fn queue(&self, phone: &Phone) -> Result<Vec<QueueEntry>, StoreError>;
    /// Removes `entry` if it is still at `position`; false when the queue has changed.
    async fn leave_queue(
        &self,
        phone: &Phone,
        position: usize,
        entry: &QueueEntry,
    ) -> Result<bool, StoreError>;
    /// Replaces `entry` by `new` if it is still at `position`; false when the queue has changed.
    async fn replace_in_queue(
        &self,
        phone: &Phone,
        position: usize,
        entry: &QueueEntry,
        new: &QueueEntry,
    ) -> Result<bool, StoreError>;
    /// Earlier turns of the conversation, oldest first.
    async fn memory(&self, phone: &Phone) -> Result<ConversationMemory, StoreError>;

    /// Stores a callback outside of a turn: the customer's text, and the owner's texts in the
    /// outbox, all or none. A repeat changes nothing.
    async fn keep_callback(&self, callback: &Callback) -> Result<(), StoreError>;
    /// The texts that wait for the owner's answer.
    async fn unanswered(&self) -> Result<Vec<UnansweredText>, StoreError>;
    /// Marks a text as answered without a text to the customer; false when there is no such text. A
    /// repeat changes nothing.
    async fn mark_answered(&self, sid: &str, now: Timestamp) -> Result<bool, StoreError>;
    /// The customers who had a turn at `since` or later, the latest first.
    async fn recent_customers(&self, since: Timestamp) -> Result<Vec<Phone>, StoreError>;
    /// Puts the owner's text to a customer into the outbox, remembers it in the conversation and
    /// marks what it answers, in one transaction. A repeat changes nothing.
    async fn answer_by_owner(&self, answer: &OwnerAnswer) -> Result<(), StoreError>;
    /// Puts texts into the outbox, all or none. Returns false when the first one's id was used
    /// before, even if that text has gone out since.
    async fn enqueue_once(&self, texts: &[OutboxText]) -> Result<bool, StoreError>;
    /// The ids of the texts in the outbox that Twilio has neither taken nor refused, oldest first.
    async fn waiting_texts(&self) -> Result<Vec<String>, StoreError>;
    /// Reserves a waiting text for `holder` until `until_ms`, if nobody else holds it; both as of
    /// [`Timer::unix_ms`](super::Timer::unix_ms). Returns the text and the number of earlier attempts to send it; `None`
    /// when it is held or has gone out.
    async fn claim_text(
        &self,
        id: &str,
        holder: &str,
        unix_ms: i64,
        until_ms: i64,
    ) -> Result<Option<(OutboxText, u32)>, StoreError>;
    /// Gives a text that was not sent back, so that the next attempt need not wait.
    async fn release_text(&self, id: &str, holder: &str) -> Result<(), StoreError>;
    /// Removes a text that Twilio has taken.
    async fn remove_text(&self, id: &str) -> Result<(), StoreError>;
    /// Keeps a text that is not sent, with Twilio's error code if it refused it for good, for the owner
    /// to see.
    async fn refuse_text(
        &self,
        id: &str,
        code: Option<u32>,
        now: Timestamp,
    ) -> Result<(), StoreError>;

    /// Every row that names the customer, in whatever form the number is written. Reads all leads
    /// and all of the schedule, which cannot be found by number: about one unit of reading for each
    /// 4 KB of them.
    async fn customer_data(&self, phone: &Phone) -> Result<CustomerData, StoreError>;
    /// Deletes the rows of [`Store::customer_data`], but for leads and times of the schedule, which
    /// stay for the books without what tells whose they are, and the opt-out. Does nothing while a
    /// booking is not over at `now`, which is on the shop's wall clock. Not one
    /// transaction: a failure leaves a part, which a repeat erases. Costs one write for each row
    /// beside the reads.
    async fn erase_customer(
        &self,
        phone: &Phone,
        now: civil::DateTime,
    ) -> Result<EraseOutcome, StoreError>;
}
