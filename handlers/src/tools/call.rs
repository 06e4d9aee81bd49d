//! A tool call in domain values, and why there may be none.

use jiff::civil;

use crate::domain::{
    catalogue::{Repair, UnknownRepair, UnknownUpsell, Upsell},
    discount::PercentError,
    label::LabelError,
    lead::{LeadId, LeadIdError},
    slot::{DateError, Slot, TimeError},
};

/// A call of a tool, with its arguments as domain values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ToolCall {
    /// Which slots of a date are free.
    CheckAvailability(civil::Date),
    /// Book a slot.
    BookSlot {
        /// Which.
        slot: Slot,
        /// What is to be repaired.
        repair: Repair,
        /// On which device.
        device: String,
        /// The customer's name, when known.
        customer_name: Option<String>,
    },
    /// The customer's open bookings.
    ListBookings,
    /// Give a booking back.
    CancelBooking(LeadId),
    /// Move a booking.
    RescheduleBooking {
        /// Which.
        lead_id: LeadId,
        /// Where to.
        to: Slot,
    },
    /// Ask for a discount.
    AuthorizeDiscount {
        /// How much, 1 to 100.
        percent: u8,
        /// Why.
        reason: String,
    },
    /// Note what became of an offered extra.
    LogUpsell {
        /// Which.
        item: Upsell,
        /// Whether the customer took it.
        accepted: bool,
    },
    /// No more texts to this customer.
    StopTexting,
}

/// Why a call cannot be run. The text is for the model, which may try again.
#[derive(Debug, thiserror::Error)]
pub enum ToolError {
    /// Not in the table.
    #[error("There is no tool of that name")]
    UnknownTool,
    /// Not JSON, or not of the schema's types.
    #[error("The arguments do not fit the schema of the tool")]
    Malformed(#[source] serde_json::Error),
    /// No date.
    #[error(transparent)]
    Date(#[from] DateError),
    /// No time.
    #[error(transparent)]
    Time(#[from] TimeError),
    /// No service of the shop.
    #[error(transparent)]
    Repair(#[from] UnknownRepair),
    /// No extra of the shop.
    #[error(transparent)]
    Upsell(#[from] UnknownUpsell),
    /// No reference.
    #[error(transparent)]
    Lead(#[from] LeadIdError),
    /// No percentage.
    #[error(transparent)]
    Percent(#[from] PercentError),
    /// A name or device that cannot be stored.
    #[error("Invalid {field}")]
    Label {
        /// Which argument.
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
