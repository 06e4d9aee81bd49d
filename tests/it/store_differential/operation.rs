//! The operations of the port, and what of them is known only once they are played.

use handlers::domain::{
    booking::{Cancellation, Completion, NewBooking, Reschedule},
    calendar_settings::CalendarSettings,
    discount::DiscountGrant,
    form_hold::{FormHold, HoldId, NewFormHold},
    lead::LeadId,
    outbox::{Callback, OutboxText, OwnerAnswer},
    owner::OwnerState,
    phone::Phone,
    sales::SalesRecord,
    time_off::TimeOffChange,
    turn::{HandOver, QueueEntry, StoredRound, TurnEnd, TurnKey, TurnText},
    usage::Usage,
};
use jiff::{Timestamp, civil};

use super::strategies::{
    DATES, END, KEYS, LEADS, START, SUBJECTS, key_hash, last_holder, lead_id, phones, turn_keys,
};

/// A version that a write was decided on, beside the one that the row has.
#[derive(Debug, Clone, Copy)]
pub enum Version {
    Current,
    Before,
    After,
}

impl Version {
    pub fn of(self, current: u64) -> u64 {
        match self {
            Self::Current => current,
            Self::Before => current.saturating_sub(1),
            Self::After => current + 1,
        }
    }
}

/// The versions that a booking or a move was decided on.
#[derive(Debug, Clone, Copy)]
pub struct Versions {
    pub day: Version,
    pub settings: Version,
    pub owner: Version,
}

/// How a booking was read, beside what it is now.
#[derive(Debug, Clone, Copy)]
pub enum Reading {
    Current,
    OtherTime,
    OtherCustomer,
}

/// The time as a slot's row spells it.
#[derive(Debug, Clone, Copy)]
pub enum SlotKey {
    Right,
    Wrong,
    None,
}

/// The hold that another one takes the place of.
#[derive(Debug, Clone, Copy)]
pub enum Replaced {
    None,
    Last,
    Another,
}

/// An operation of the port. Versions and readings beside a value are put into it when it is played.
#[derive(Debug, Clone)]
pub enum Operation {
    Owner,
    PutOwner(OwnerState, Version),
    CalendarSettings,
    PutCalendarSettings(CalendarSettings, Version),
    HoldsFrom(civil::Date),
    ChangeTimeOff(TimeOffChange, Version),
    DaySchedule(civil::Date),
    VersionedDaySchedule(civil::Date),
    Book(Box<NewBooking>, Versions, Option<Version>),
    OpenBookings(Phone, civil::DateTime),
    Lead(LeadId),
    Cancel(Box<Cancellation>, Reading, SlotKey),
    Reschedule(Box<Reschedule>, Versions, Reading, SlotKey),
    Complete(Box<Completion>, Reading, SlotKey),
    IdempotencyRecord(String),
    HoldSlot(Box<NewFormHold>, Version, Replaced),
    FormHold(String),
    CountCodeTry(HoldId, String),
    ReleaseSlot(Box<FormHold>, Timestamp),
    GrantDiscount(DiscountGrant),
    OpenDiscount(Phone, Timestamp),
    RecordSale(SalesRecord),
    Usage(String),
    PutUsage(String, Usage, Version),
    OptedOut(Phone),
    SetOptedOut(Phone, bool),
    ClaimTurn {
        key: TurnKey,
        holder: String,
        text: TurnText,
        now: Timestamp,
        at: Lease,
    },
    RenewTurn(TurnKey, String, Lease),
    TurnAnswer(TurnKey),
    SaveRound(TurnKey, String, usize, StoredRound),
    FinishTurn(Box<TurnEnd>),
    HandOver(HandOver),
    LateTurns,
    ClaimLateTurn(TurnKey, String, Lease),
    JoinQueue(Phone, QueueEntry),
    /// More entries than find a place.
    FillQueue(Phone),
    Queue(Phone),
    LeaveQueue(Phone, usize, QueueEntry),
    ReplaceInQueue(Phone, usize, QueueEntry, QueueEntry),
    Memory(Phone),
    KeepCallback(Callback),
    Unanswered,
    MarkAnswered(String, Timestamp),
    RecentCustomers(Timestamp),
    AnswerByOwner(Box<OwnerAnswer>),
    EnqueueOnce(Vec<OutboxText>),
    WaitingTexts,
    ClaimText(String, String, Lease),
    ReleaseText(String, String),
    RemoveText(String),
    RefuseText(String, Option<u32>),
    CustomerData(Phone),
    EraseCustomer(Phone, civil::DateTime),
}

/// When a claim is made and until when, in milliseconds since the Unix epoch.
#[derive(Debug, Clone, Copy)]
pub struct Lease {
    pub unix_ms: i64,
    pub until_ms: i64,
}

/// Reads all that the port can read. Claims at the end of time tell who holds what, too.
pub fn every_read() -> Vec<Operation> {
    let mut reads = vec![
        Operation::Owner,
        Operation::CalendarSettings,
        Operation::LateTurns,
        Operation::Unanswered,
        Operation::WaitingTexts,
        Operation::RecentCustomers(Timestamp::UNIX_EPOCH),
    ];
    for date in DATES {
        reads.push(Operation::VersionedDaySchedule(date));
        reads.push(Operation::HoldsFrom(date));
    }
    reads.extend((0..LEADS).map(|lead| Operation::Lead(lead_id(lead))));
    for phone in phones() {
        reads.push(Operation::OpenBookings(phone.clone(), START));
        reads.push(Operation::OptedOut(phone.clone()));
        reads.push(Operation::OpenDiscount(phone.clone(), Timestamp::UNIX_EPOCH));
        reads.push(Operation::Queue(phone.clone()));
        reads.push(Operation::Memory(phone.clone()));
        reads.push(Operation::CustomerData(phone));
    }
    for key in 0..KEYS {
        reads.push(Operation::IdempotencyRecord(key_hash(key)));
        reads.push(Operation::FormHold(key_hash(key)));
    }
    reads.extend(SUBJECTS.map(|subject| Operation::Usage(subject.to_owned())));
    let end = Lease { unix_ms: i64::MAX, until_ms: i64::MAX };
    for key in turn_keys() {
        reads.push(Operation::TurnAnswer(key.clone()));
        reads.push(Operation::ClaimLateTurn(key.clone(), last_holder(), end));
        let (text, now) = (TurnText::default(), Timestamp::UNIX_EPOCH);
        reads.push(Operation::ClaimTurn { key, holder: last_holder(), text, now, at: end });
    }
    reads.extend(phones().map(|phone| Operation::EraseCustomer(phone, END)));
    reads
}
