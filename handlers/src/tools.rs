//! The model's tools: one table with name, strict schema and parser of each.
//!
//! Arguments are parsed into domain values here; `app` runs the calls. No tool has an argument for
//! the customer's phone, which is the webhook's `From`. Arguments that a tool does not have, such
//! as a `phone` that the model invented, are ignored: refusing them would cost a round and gain
//! nothing.

mod call;
#[cfg(test)]
mod tests;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    domain::{
        catalogue::{Repair, Upsell},
        discount, label,
        lead::LeadId,
        slot::{self, Slot, SlotTime},
    },
    ports::ToolSpec,
};

pub use call::{ToolCall, ToolError};

/// A tool.
struct Tool {
    name: &'static str,
    description: &'static str,
    /// Properties of the arguments. All are required; optional ones are nullable.
    properties: fn() -> Value,
    parse: fn(&str) -> Result<ToolCall, ToolError>,
}

/// Whether a call of this tool books, cancels or moves an appointment.
pub fn changes_a_booking(name: &str) -> bool {
    matches!(name, "book_slot" | "cancel_booking" | "reschedule_booking")
}

static TOOLS: [Tool; 8] = [
    Tool {
        name: "check_availability",
        description: "The free appointment times of a date, or the first free times of each date up \
                      to until_date, for wishes like any time next week. Call it before offering \
                      any time.",
        properties: || {
            json!({
                "date": date_schema(),
                "until_date": {
                    "type": ["string", "null"],
                    "description": "YYYY-MM-DD, at most two weeks after date; null for one date.",
                },
                "repair_type": {
                    "type": ["string", "null"],
                    "enum": Repair::slugs().map(Value::from).chain([Value::Null]).collect::<Vec<_>>(),
                    "description": "What is to be repaired, as repairs take different times; null \
                                    when unknown.",
                },
            })
        },
        parse: |arguments| {
            let check: CheckAvailabilityArguments = serde_json::from_str(arguments)?;
            let date = slot::parse_date(&check.date)?;
            let until = check.until_date.as_deref().map(slot::parse_date).transpose()?;
            if until.is_some_and(|until| until < date) {
                return Err(ToolError::EmptyRange);
            }
            let repair = check.repair_type.as_deref().map(Repair::parse).transpose()?;
            let until = until.filter(|until| *until > date);
            Ok(ToolCall::CheckAvailability { date, until, repair })
        },
    },
    Tool {
        name: "book_slot",
        description: "Books an appointment for this customer. Call it once the customer has \
                      agreed to date, time and repair.",
        properties: || {
            json!({
                "date": date_schema(),
                "time": time_schema(),
                "repair_type": {
                    "type": "string",
                    "enum": Repair::slugs().collect::<Vec<_>>(),
                    "description": "What is repaired; on_site_ when Brandon drives to the customer.",
                },
                "device": {
                    "type": ["string", "null"],
                    "description": "Such as iPhone 14; null when unknown.",
                },
                "customer_name": {
                    "type": ["string", "null"],
                    "description": "The customer's name; null when they have not given it.",
                },
                "address": {
                    "type": ["string", "null"],
                    "description": "Where Brandon drives to, for an on_site_ repair: ask for it \
                                    before you book; null for a repair in the shop.",
                },
            })
        },
        parse: |arguments| {
            let book: BookSlotArguments = serde_json::from_str(arguments)?;
            let device = text("device", book.device.as_deref())?;
            Ok(ToolCall::BookSlot {
                slot: parse_slot(&book.date, &book.time)?,
                repair: Repair::parse(&book.repair_type)?,
                device: device.unwrap_or_else(|| label::UNKNOWN_DEVICE.to_owned()),
                customer_name: text("customer_name", book.customer_name.as_deref())?,
                address: label::parse_address(book.address.as_deref().unwrap_or_default())
                    .map_err(|source| ToolError::Label { field: "address", source })?,
            })
        },
    },
    Tool {
        name: "list_bookings",
        description: "This customer's open bookings with their references.",
        properties: || json!({}),
        parse: |arguments| no_arguments(arguments, ToolCall::ListBookings),
    },
    Tool {
        name: "cancel_booking",
        description: "Cancels one of this customer's bookings.",
        properties: || json!({ "lead_id": lead_schema() }),
        parse: |arguments| {
            let CancelBookingArguments { lead_id } = serde_json::from_str(arguments)?;
            Ok(ToolCall::CancelBooking(LeadId::parse(&lead_id)?))
        },
    },
    Tool {
        name: "reschedule_booking",
        description: "Moves one of this customer's bookings to another date or time.",
        properties: || json!({ "lead_id": lead_schema(), "date": date_schema(), "time": time_schema() }),
        parse: |arguments| {
            let change: RescheduleBookingArguments = serde_json::from_str(arguments)?;
            Ok(ToolCall::RescheduleBooking {
                lead_id: LeadId::parse(&change.lead_id)?,
                to: parse_slot(&change.date, &change.time)?,
            })
        },
    },
    Tool {
        name: "authorize_discount",
        description: "Asks whether a discount may be given. Promise none without its approval.",
        properties: || {
            json!({
                "discount_percent": { "type": "integer", "description": "Percent, 1 to 100." },
                "reason": { "type": "string", "description": "Why, in a few words." },
            })
        },
        parse: |arguments| {
            let asked: AuthorizeDiscountArguments = serde_json::from_str(arguments)?;
            Ok(ToolCall::AuthorizeDiscount {
                percent: discount::percent(asked.discount_percent)?,
                reason: stored_reason(&asked.reason),
            })
        },
    },
    Tool {
        name: "log_upsell",
        description: "Notes that an extra was offered and whether the customer took it.",
        properties: || {
            json!({
                "upsell_item": {
                    "type": "string",
                    "enum": Upsell::ALL.map(Upsell::slug),
                    "description": "What was offered.",
                },
                "accepted": { "type": "boolean", "description": "Whether the customer took it." },
            })
        },
        parse: |arguments| {
            let offered: LogUpsellArguments = serde_json::from_str(arguments)?;
            let item = Upsell::parse(&offered.upsell_item)?;
            Ok(ToolCall::LogUpsell { item, accepted: offered.accepted })
        },
    },
    Tool {
        name: "stop_texting",
        description: "The customer wants no more texts from the shop. Ends the conversation; \
                      bookings are kept.",
        properties: || json!({}),
        parse: |arguments| no_arguments(arguments, ToolCall::StopTexting),
    },
];

/// The tools as the model is offered them.
pub fn specs() -> Vec<ToolSpec> {
    TOOLS
        .iter()
        .map(|tool| ToolSpec {
            name: tool.name,
            description: tool.description,
            parameters: strict_schema((tool.properties)()),
        })
        .collect()
}

/// Parses a call as the model wrote it.
///
/// # Errors
/// Every [`ToolError`]: an unknown tool, or arguments that are malformed or invalid.
pub fn parse(name: &str, arguments: &str) -> Result<ToolCall, ToolError> {
    let tool = TOOLS.iter().find(|tool| tool.name == name).ok_or(ToolError::UnknownTool)?;
    (tool.parse)(arguments)
}

/// A schema in strict mode: every property is required, and no others are allowed.
fn strict_schema(properties: Value) -> Value {
    let required: Vec<String> =
        properties.as_object().map(|map| map.keys().cloned().collect()).unwrap_or_default();
    json!({
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}

fn date_schema() -> Value {
    json!({ "type": "string", "description": "YYYY-MM-DD." })
}

fn time_schema() -> Value {
    json!({ "type": "string", "description": "Such as 2:00 PM." })
}

fn lead_schema() -> Value {
    json!({ "type": "string", "description": "The booking's reference, LEAD-..." })
}

#[derive(Deserialize)]
struct CheckAvailabilityArguments {
    date: String,
    until_date: Option<String>,
    repair_type: Option<String>,
}

#[derive(Deserialize)]
struct BookSlotArguments {
    date: String,
    time: String,
    repair_type: String,
    device: Option<String>,
    customer_name: Option<String>,
    address: Option<String>,
}

#[derive(Deserialize)]
struct CancelBookingArguments {
    lead_id: String,
}

#[derive(Deserialize)]
struct RescheduleBookingArguments {
    lead_id: String,
    date: String,
    time: String,
}

#[derive(Deserialize)]
struct AuthorizeDiscountArguments {
    discount_percent: i64,
    reason: String,
}

#[derive(Deserialize)]
struct LogUpsellArguments {
    upsell_item: String,
    accepted: bool,
}

#[derive(Deserialize)]
struct NoArguments {}

fn no_arguments(arguments: &str, call: ToolCall) -> Result<ToolCall, ToolError> {
    // Some models write nothing instead of `{}`.
    if !arguments.trim().is_empty() {
        let NoArguments {} = serde_json::from_str(arguments)?;
    }
    Ok(call)
}

fn parse_slot(date: &str, time: &str) -> Result<Slot, ToolError> {
    Ok(Slot::new(slot::parse_date(date)?, SlotTime::parse(time)?))
}

fn text(field: &'static str, value: Option<&str>) -> Result<Option<String>, ToolError> {
    label::parse(value.unwrap_or_default()).map_err(|source| ToolError::Label { field, source })
}

/// The reason of a discount as it is stored: at most 200 characters, without control characters.
fn stored_reason(reason: &str) -> String {
    reason.trim().chars().filter(|c| !c.is_control()).take(200).collect()
}
