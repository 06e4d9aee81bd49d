//! What is written when a customer books, cancels or moves an appointment.
//!
//! Everything that a transaction writes is fixed before it is sent, so that a
//! repeat of it, by a retry or by a second attempt at the turn, writes the same.

use jiff::Timestamp;

use super::{
    catalogue::Repair,
    digest::sha256_hex,
    lead::{Lead, LeadId, LeadSource, repair_display_name},
    phone::Phone,
    slot::Slot,
};

/// The database's idempotency token of a transaction: 32 hexadecimal digits (36 are allowed).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestToken(String);

impl RequestToken {
    /// The token of what `identity` writes. Another content needs another identity.
    pub fn derive(identity: &[&str]) -> Self {
        let digest = sha256_hex(identity);
        Self(digest.get(..32).unwrap_or(&digest).to_owned())
    }

    /// The token.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// An open booking: a row of the customer's bookings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Booking {
    /// The customer.
    pub phone: Phone,
    /// The appointment.
    pub slot: Slot,
    /// The lead that it belongs to.
    pub lead_id: LeadId,
    /// The lead's timestamp, the range key of its row.
    pub timestamp: Timestamp,
    /// What is to be repaired.
    pub repair: Repair,
    /// On which device.
    pub device: String,
    /// The customer's name, when known.
    pub customer_name: Option<String>,
    /// Where it comes from.
    pub source: LeadSource,
}

impl From<&Lead> for Booking {
    fn from(lead: &Lead) -> Self {
        Self {
            phone: lead.phone.clone(),
            slot: lead.slot,
            lead_id: lead.id.clone(),
            timestamp: lead.timestamp,
            repair: lead.repair.clone(),
            device: lead.device.clone(),
            customer_name: lead.customer_name.clone(),
            source: lead.source,
        }
    }
}

impl Booking {
    /// `Wed Feb 11, 2:00 PM, iPhone screen. Ref LEAD-...`: what a customer is told, from the row.
    pub fn summary(&self) -> String {
        let repair = repair_display_name(&self.repair, &self.device);
        format!("{}, {repair}. Ref {}", self.slot, self.lead_id)
    }
}

/// A booking to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewBooking {
    /// The lead; slot and booking row follow from it.
    pub lead: Lead,
    /// The transaction's token.
    pub token: RequestToken,
    /// The step of the form guard, for bookings by the form.
    pub guard: Option<FormGuardUpdate>,
}

/// Guards the limit on open bookings by the form: each of them moves it, on the condition that
/// it is still as it was read together with the bookings that were counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FormGuard {
    /// Counts the bookings by the form.
    pub version: u64,
}

/// One step of the form guard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FormGuardUpdate {
    /// As it was read; `None`: there was none.
    pub expected: Option<FormGuard>,
    /// As it is to be written.
    pub next: FormGuard,
}

impl FormGuardUpdate {
    /// The step from a guard as it was read.
    pub fn after(expected: Option<FormGuard>) -> Self {
        let version = expected.map_or(0, |guard| guard.version);
        Self { expected, next: FormGuard { version: version.saturating_add(1) } }
    }
}

/// A cancellation to be written, on the condition that the booking is still as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cancellation {
    /// The booking as it was read; its phone is the customer who asks.
    pub booking: Booking,
    /// The transaction's token.
    pub token: RequestToken,
    /// Business time.
    pub now: Timestamp,
}

/// A move to be written, on the condition that the booking is still as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reschedule {
    /// The booking as it was read; its phone is the customer who asks.
    pub booking: Booking,
    /// The new appointment.
    pub to: Slot,
    /// The transaction's token.
    pub token: RequestToken,
    /// Business time.
    pub now: Timestamp,
}

impl Reschedule {
    /// The booking after the move.
    pub fn moved(&self) -> Booking {
        Booking { slot: self.to, ..self.booking.clone() }
    }
}

/// What an idempotency key of the form is bound to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyRecord {
    /// SHA-256 of the key.
    pub key_hash: String,
    /// SHA-256 of the request.
    pub fingerprint: String,
    /// Business time of the first attempt; with the key it gives the lead's id.
    pub now: Timestamp,
}
