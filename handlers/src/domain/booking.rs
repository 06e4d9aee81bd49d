//! What is written when an appointment is booked, cancelled, moved or done.
//!
//! The content of a transaction is complete before it is sent, so a repeat by a retry or by a
//! second attempt at the turn writes the same.

use jiff::{Timestamp, civil};

use super::{
    calendar::CalendarVersions,
    catalogue::Repair,
    digest::sha256_hex,
    lead::{Lead, LeadId, LeadSource, repair_display_name},
    outbox::OutboxText,
    phone::Phone,
    slot::Slot,
    time_needed::TimeNeeded,
    turn::TurnFence,
};

/// Idempotency token of a DynamoDB transaction: 32 hexadecimal digits (36 are allowed).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestToken(String);

impl RequestToken {
    /// The token for what `identity` writes. Different content needs a different identity.
    pub fn derive(identity: &[&str]) -> Self {
        let digest = sha256_hex(identity);
        Self(digest.get(..32).unwrap_or(&digest).to_owned())
    }

    /// The token as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// An open booking: a row among the customer's bookings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Booking {
    /// The customer.
    pub phone: Phone,
    /// The appointment.
    pub slot: Slot,
    /// How long it keeps the owner.
    pub time_needed: TimeNeeded,
    /// The lead that it belongs to.
    pub lead_id: LeadId,
    /// The lead's timestamp, the range key of its row.
    pub timestamp: Timestamp,
    /// The repair.
    pub repair: Repair,
    /// The device to repair.
    pub device: String,
    /// The customer's name, when known.
    pub customer_name: Option<String>,
    /// Where the owner drives to, for a visit.
    pub address: Option<String>,
    /// Where the booking comes from.
    pub source: LeadSource,
    /// The approved discount that was bound to it, in percent.
    pub discount_percent: Option<u8>,
}

impl From<&Lead> for Booking {
    fn from(lead: &Lead) -> Self {
        Self {
            phone: lead.phone.clone(),
            slot: lead.slot,
            time_needed: lead.time_needed,
            lead_id: lead.id.clone(),
            timestamp: lead.timestamp,
            repair: lead.repair.clone(),
            device: lead.device.clone(),
            customer_name: lead.customer_name.clone(),
            address: lead.address.clone(),
            source: lead.source,
            discount_percent: lead.discount_percent,
        }
    }
}

impl Booking {
    /// Whether it is not over at this time of the shop's wall clock.
    pub fn is_open_at(&self, now: civil::DateTime) -> bool {
        self.time_needed.is_open_at(self.slot, now)
    }

    /// `Wed Feb 11, 2:00 PM, iPhone screen. Ref LEAD-...`: what a customer is told.
    pub fn summary(&self) -> String {
        let repair = repair_display_name(&self.repair, &self.device);
        format!("{}, {repair}. Ref {}", self.slot, self.lead_id)
    }

    /// `$99` or `$99 less 15 percent`: the catalogue's price with the surcharge of a visit; `None`
    /// when the price list does not decide it, as for the screen of an unknown make.
    pub fn price(&self) -> Option<String> {
        let price = self.repair.quote(&self.device)?;
        Some(match self.discount_percent {
            None => price,
            Some(percent) => format!("{price} less {percent} percent"),
        })
    }
}

/// Marks an open booking, or one whose time is over, as done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completion {
    /// The booking as it was read.
    pub booking: Booking,
    /// The time as the slot's row spells it; `None` when no row holds it.
    pub slot_key: Option<String>,
    /// The transaction's token.
    pub token: RequestToken,
    /// Business time.
    pub now: Timestamp,
}

/// A booking to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewBooking {
    /// The lead, from which the rows of slot and booking derive.
    pub lead: Lead,
    /// The transaction's token.
    pub token: RequestToken,
    /// Version of the date's schedule on which the booking was decided.
    pub day_version: u64,
    /// Versions of the calendar on which it was decided.
    pub calendar_versions: CalendarVersions,
    /// Whether the booking uses the customer's discount, which is [`Lead::discount_percent`].
    pub uses_discount: bool,
    /// Update of the form guard, for bookings by the form.
    pub guard: Option<FormGuardUpdate>,
    /// What a repeat of the form's request finds.
    pub record: Option<RecordWrite>,
    /// The turn that it belongs to, if it is made by text.
    pub fence: Option<TurnFence>,
    /// Texts that go out because of the booking.
    pub notification: Vec<OutboxText>,
}

/// Binds a request of the form to its booking, in the booking's transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordWrite {
    /// The record.
    pub record: IdempotencyRecord,
    /// An existing record is replaced if it is older than this; `None` never replaces one.
    pub replace_before: Option<Timestamp>,
}

/// Optimistic lock on the number of open bookings by the form. Each booking increments it, on the
/// condition that it is unchanged since the open bookings were counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FormGuard {
    /// Number of bookings by the form so far.
    pub version: u64,
}

/// One increment of the form guard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FormGuardUpdate {
    /// The guard as it was read; `None` if there was none.
    pub expected: Option<FormGuard>,
    /// The guard to write.
    pub next: FormGuard,
}

impl FormGuardUpdate {
    /// The increment of a guard that was read.
    pub fn after(expected: Option<FormGuard>) -> Self {
        let version = expected.map_or(0, |guard| guard.version);
        Self { expected, next: FormGuard { version: version.saturating_add(1) } }
    }
}

/// A cancellation to write, on the condition that the booking is unchanged since it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cancellation {
    /// The booking as it was read; it belongs to the customer who asks.
    pub booking: Booking,
    /// The time as the slot's row spells it; `None` when no row holds it.
    pub slot_key: Option<String>,
    /// The transaction's token.
    pub token: RequestToken,
    /// Business time.
    pub now: Timestamp,
    /// The turn that it belongs to, if it is made by text.
    pub fence: Option<TurnFence>,
    /// Texts that go out because of the cancellation.
    pub notification: Vec<OutboxText>,
}

/// A move to write, on the condition that the booking is unchanged since it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reschedule {
    /// The booking as it was read; it belongs to the customer who asks.
    pub booking: Booking,
    /// The new slot.
    pub to: Slot,
    /// How long it keeps the owner then.
    pub time_needed: TimeNeeded,
    /// The old time as the slot's row spells it; `None` when no row holds it.
    pub slot_key: Option<String>,
    /// Version of the new date's schedule on which the move was decided.
    pub day_version: u64,
    /// Versions of the calendar on which it was decided.
    pub calendar_versions: CalendarVersions,
    /// The transaction's token.
    pub token: RequestToken,
    /// Business time.
    pub now: Timestamp,
    /// The turn that it belongs to, if it is made by text.
    pub fence: Option<TurnFence>,
    /// Texts that go out because of the move.
    pub notification: Vec<OutboxText>,
}

impl Reschedule {
    /// The booking after the move.
    pub fn moved(&self) -> Booking {
        Booking { slot: self.to, time_needed: self.time_needed, ..self.booking.clone() }
    }
}

/// The booking that a request of the form led to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyRecord {
    /// SHA-256 of the key.
    pub key_hash: String,
    /// SHA-256 of the request.
    pub fingerprint: String,
    /// The booking's lead.
    pub lead_id: LeadId,
    /// Business time of the booking.
    pub now: Timestamp,
}
