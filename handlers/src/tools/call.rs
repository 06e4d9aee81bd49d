//! Tool calls as domain values, and why a call may be refused.

use jiff::civil;

use crate::domain::{
    catalogue::{Repair, UnknownRepair, UnknownUpsell, Upsell},
    discount::PercentError,
    label::LabelError,
    lead::{LeadId, LeadIdError},
    slot::{DateError, Slot, TimeError},
};

/// A tool call with its arguments as domain values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ToolCall {
    /// List the free slots of a date, or of the dates up to another one.
    CheckAvailability {
        /// The date, or the first one.
        date: civil::Date,
        /// The last date of a range; not before the first.
        until: Option<civil::Date>,
        /// What is to be repaired, when known.
        repair: Option<Repair>,
    },
    /// Book a slot.
    BookSlot {
        /// The slot.
        slot: Slot,
        /// The repair.
        repair: Repair,
        /// The device.
        device: String,
        /// The customer's name, when known.
        customer_name: Option<String>,
        /// Where the owner drives to, for a visit.
        address: Option<String>,
    },
    /// List the customer's open bookings.
    ListBookings,
    /// Cancel a booking.
    CancelBooking(LeadId),
    /// Move a booking.
    RescheduleBooking {
        /// The booking.
        lead_id: LeadId,
        /// The new slot.
        to: Slot,
    },
    /// Ask for a discount.
    AuthorizeDiscount {
        /// Percent, 1 to 100.
        percent: u8,
        /// The reason, in the model's words.
        reason: String,
    },
    /// Record whether an offered extra was taken.
    LogUpsell {
        /// The extra.
        item: Upsell,
        /// Whether the customer took it.
        accepted: bool,
    },
    /// Send no more texts to this customer.
    StopTexting,
}

/// Why a call cannot be run. The text is for the model, which may correct the call.
#[derive(Debug, thiserror::Error)]
pub enum ToolError {
    /// There is no such tool.
    #[error("There is no tool of that name")]
    UnknownTool,
    /// Not JSON, or not of the schema.
    #[error("The arguments do not fit the schema of the tool")]
    Malformed(#[source] serde_json::Error),
    /// Not a date.
    #[error(transparent)]
    Date(#[from] DateError),
    /// A range that ends before it begins.
    #[error("until_date is before date")]
    EmptyRange,
    /// Not a time.
    #[error(transparent)]
    Time(#[from] TimeError),
    /// Not a repair of the shop.
    #[error(transparent)]
    Repair(#[from] UnknownRepair),
    /// Not an extra of the shop.
    #[error(transparent)]
    Upsell(#[from] UnknownUpsell),
    /// Not a reference.
    #[error(transparent)]
    Lead(#[from] LeadIdError),
    /// Not a percentage.
    #[error(transparent)]
    Percent(#[from] PercentError),
    /// A name, device or address that cannot be stored.
    #[error("Invalid {field}")]
    Label {
        /// The argument.
        field: &'static str,
        /// Why.
        #[source]
        source: LabelError,
    },
}

impl From<serde_json::Error> for ToolError {
    fn from(error: serde_json::Error) -> Self {
        Self::Malformed(error)
    }
}
