//! The tables in memory. What transactions do to them stands in a file for each topic.

use std::collections::{BTreeMap, BTreeSet};

use handlers::domain::{
    booking::{Booking, FormGuard, IdempotencyRecord},
    calendar::CalendarVersions,
    calendar_settings::CalendarSettings,
    day_schedule::UnreadableRow,
    lead::{Lead, LeadId},
    owner::OwnerState,
    phone::Phone,
    sales::SalesRecord,
    slot::Slot,
    turn::QueueEntry,
    usage::Usage,
};
use jiff::civil;

use super::{
    discounts::DiscountRow,
    form_holds::HoldRow,
    memories::MemoryRow,
    outbox::{Unanswered, Waiting},
    schedule::ScheduleRow,
    turns::Turn,
};

#[derive(Debug, Default)]
pub struct Rows {
    pub owner: OwnerState,
    pub calendar: Option<CalendarSettings>,
    /// By the date and the time as the row spells it.
    pub schedule: BTreeMap<(civil::Date, String), ScheduleRow>,
    /// Rows of the schedule that cannot be read.
    pub unreadable: BTreeMap<civil::Date, Vec<UnreadableRow>>,
    pub leads: BTreeMap<LeadId, Lead>,
    pub bookings: BTreeMap<(Phone, Slot), Booking>,
    pub day_versions: BTreeMap<civil::Date, u64>,
    pub guards: BTreeMap<Phone, FormGuard>,
    pub forms: BTreeMap<String, IdempotencyRecord>,
    /// The last hold of each key.
    pub holds: BTreeMap<String, HoldRow>,
    pub discounts: BTreeMap<Phone, DiscountRow>,
    pub sales: BTreeMap<(Phone, String, usize), SalesRecord>,
    pub opted_out: BTreeSet<Phone>,
    pub usages: BTreeMap<String, Usage>,
    pub turns: BTreeMap<(Phone, String), Turn>,
    /// Turns that were handed over, by their texts' ids: when, and whose.
    pub late: BTreeMap<String, (i64, Phone)>,
    pub queues: BTreeMap<Phone, Vec<QueueEntry>>,
    pub memories: BTreeMap<Phone, MemoryRow>,
    /// When customers had their last turns, in milliseconds since the Unix epoch.
    pub customers: BTreeMap<Phone, i64>,
    pub outbox: BTreeMap<String, Waiting>,
    /// The ids of the texts that were stored once.
    pub enqueued: BTreeSet<String>,
    pub unanswered: BTreeMap<String, Unanswered>,
    /// What was booked, for a planted race.
    pub tokens: BTreeSet<(Phone, Slot)>,
    /// Leads that nobody looks for, since they were reported as somebody else's; only of a planted race.
    pub disowned: BTreeSet<LeadId>,
}

impl Rows {
    pub fn calendar_versions(&self) -> CalendarVersions {
        CalendarVersions {
            settings: self.calendar.as_ref().map_or(0, |settings| settings.version),
            owner: self.owner.version,
        }
    }
}
