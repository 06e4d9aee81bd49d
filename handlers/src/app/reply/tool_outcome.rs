//! The outcome of a tool call: a result for the model and a confirmation for the customer.

use std::{collections::BTreeSet, fmt};

use serde_json::{Value, json};

use crate::domain::{booking::Booking, label, text};

/// First word of the confirmation of a booking.
pub(super) const BOOKED: &str = "Confirmed";
/// First word of the confirmation of a move.
pub(super) const MOVED: &str = "Moved";
/// First word of the confirmation of a cancellation.
pub(super) const CANCELLED: &str = "Cancelled";
/// How a result ends when the owner has been told.
pub(super) const OWNER_GETS_BACK: &str = "will get back to the customer";
/// How a result begins when a write may have been done.
pub(super) const OUTCOME_UNKNOWN: &str = "It is not known whether this was done";

/// The outcome of a tool call.
pub(super) struct ToolOutcome {
    /// JSON for the model.
    pub(super) output: Value,
    /// Sent to the customer, whatever the model says.
    pub(super) confirmation: Option<String>,
    /// Whether the call found what it confirms and wrote nothing. A repeat of it may find that changed, and
    /// write.
    pub(super) was_there_before: bool,
    /// Whether another attempt has the turn by now.
    pub(super) claim_is_lost: bool,
    /// Whether the call ends the conversation.
    pub(super) ends_conversation: bool,
}

impl ToolOutcome {
    pub(super) fn of(output: Value) -> Self {
        Self {
            output,
            confirmation: None,
            was_there_before: false,
            claim_is_lost: false,
            ends_conversation: false,
        }
    }

    pub(super) fn failure(message: impl fmt::Display) -> Self {
        Self::of(json!({ "success": false, "message": message.to_string() }))
    }

    /// The outcome of a change of a booking, with its confirmation.
    pub(super) fn change(heading: &str, booking: &Booking) -> Self {
        // Somebody typed the device, and it could look like another customer's reference.
        let own = text::find_lead_ids(booking.lead_id.as_str());
        let confirmation =
            text::remove_foreign_lead_ids(&format!("{heading}: {}", booking.summary()), &own);
        let confirmation = match booking.price() {
            Some(price) if heading == BOOKED => format!("{confirmation}. Price: {price}."),
            _ => confirmation,
        };
        let mut output = json!({
            "success": true,
            "lead_id": booking.lead_id.as_str(),
            "date": booking.slot.date().to_string(),
            "time": booking.slot.time().to_string(),
            "message": confirmation,
        });
        put_price(&mut output, booking);
        Self { confirmation: Some(confirmation), ..Self::of(output) }
    }
}

/// With this and today's date ends what the model is told of a date on which nothing can be booked.
pub(super) const TODAY_IS: &str = ". Today is ";

/// The references in a result. A result has only references of the customer who asked.
pub(super) fn own_lead_ids(output: &str) -> BTreeSet<String> {
    let output: Value = serde_json::from_str(output).unwrap_or_default();
    let listed = output["bookings"].as_array().into_iter().flatten();
    std::iter::once(&output)
        .chain(listed)
        .filter_map(|row| row["lead_id"].as_str())
        .flat_map(text::find_lead_ids)
        .collect()
}

/// What a booking costs and the discount that it has, so that an answer may say so.
fn put_price(output: &mut Value, booking: &Booking) {
    if let Some(price) = booking.price() {
        output["price"] = json!(price);
    }
    if let Some(percent) = booking.discount_percent {
        output["discount_percent"] = json!(percent);
    }
}

/// A booking as JSON for the model.
pub(super) fn row(booking: &Booking) -> Value {
    let known = label::known_device(&booking.device);
    let mut row = json!({
        "lead_id": booking.lead_id.as_str(),
        "date": booking.slot.date().to_string(),
        "time": booking.slot.time().to_string(),
        "repair_type": booking.repair.slug(),
        "device": known.unwrap_or(label::UNKNOWN_DEVICE),
    });
    put_price(&mut row, booking);
    if known.is_none() && booking.device != label::UNKNOWN_DEVICE {
        // Anybody may have typed it into the form.
        row["device_as_typed_by_customer"] = json!(booking.device);
    }
    row
}
