//! The outcome of a tool call: a result for the model and a confirmation for the customer.

use std::{collections::BTreeSet, fmt};

use serde_json::{Value, json};

use crate::domain::{booking::Booking, text};

/// The outcome of a tool call.
pub(super) struct ToolOutcome {
    /// JSON for the model.
    pub(super) output: Value,
    /// Sent to the customer, whatever the model says.
    pub(super) confirmation: Option<String>,
    /// Whether the call ends the conversation.
    pub(super) ends_conversation: bool,
}

impl ToolOutcome {
    pub(super) fn of(output: Value) -> Self {
        Self { output, confirmation: None, ends_conversation: false }
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
        let output = json!({
            "success": true,
            "lead_id": booking.lead_id.as_str(),
            "date": booking.slot.date().to_string(),
            "time": booking.slot.time().to_string(),
            "message": confirmation,
        });
        Self { output, confirmation: Some(confirmation), ends_conversation: false }
    }
}

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

/// A booking as JSON for the model.
pub(super) fn row(booking: &Booking) -> Value {
    json!({
        "lead_id": booking.lead_id.as_str(),
        "date": booking.slot.date().to_string(),
        "time": booking.slot.time().to_string(),
        "repair_type": booking.repair.slug(),
        "device": booking.device,
    })
}
