//! Collects what a turn knows, from its tool results and the conversation's memory.

use std::collections::BTreeSet;

use jiff::{Timestamp, civil};
use serde_json::Value;

use super::tool_outcome::{BOOKED, CANCELLED, MOVED, OUTCOME_UNKNOWN, OWNER_GETS_BACK, TODAY_IS};
use crate::domain::{
    calendar::Calendar,
    catalogue::Repair,
    claims::{Facts, KnownBooking},
    owner::OwnerState,
    slot::{Slot, SlotTime, parse_date},
    text,
    turn::{ConversationItem, ConversationMemory},
};

/// What a turn knows when the model has spoken.
pub(super) struct TurnFacts {
    /// Against which the model's text is checked.
    pub(super) facts: Facts,
    /// References that the customer typed, theirs or not.
    pub(super) typed_lead_ids: BTreeSet<String>,
    /// A tool has failed and told the owner to get back to the customer.
    pub(super) owner_is_told: bool,
}

impl TurnFacts {
    /// What is known after these items. `items` is the input of the last request to the model: the
    /// memory, the customer's text, calls and results.
    pub(super) fn collect(
        calendar: &Calendar,
        owner: &OwnerState,
        now: Timestamp,
        memory: &ConversationMemory,
        items: &[ConversationItem],
    ) -> Self {
        let mut known = Self {
            facts: Facts::new(calendar, owner, now),
            typed_lead_ids: BTreeSet::new(),
            owner_is_told: false,
        };
        for turn in &memory.turns {
            if turn.by_owner {
                known.facts.owner_says(&turn.assistant);
                continue;
            }
            known.facts.remember(&turn.user, &turn.assistant);
            known.typed_lead_ids.extend(text::find_lead_ids(&turn.user));
        }
        for item in items.iter().skip(memory.turns.len() * 2) {
            match item {
                ConversationItem::User(said) => {
                    known.facts.customer_says(said);
                    known.typed_lead_ids.extend(text::find_lead_ids(said));
                }
                ConversationItem::Result { call_id, output } => {
                    let call = items.iter().find_map(|item| match item {
                        ConversationItem::Call { call_id: id, name, arguments, .. }
                            if id == call_id =>
                        {
                            Some((name.as_str(), arguments.as_str()))
                        }
                        _ => None,
                    });
                    let (name, arguments) = call.unwrap_or_default();
                    known.read_result(name, &parsed(arguments), &parsed(output));
                }
                _ => {}
            }
        }
        known
    }

    fn read_result(&mut self, name: &str, arguments: &Value, output: &Value) {
        let message = output["message"].as_str().unwrap_or_default();
        self.owner_is_told |= message.ends_with(OWNER_GETS_BACK);
        if message.starts_with(OUTCOME_UNKNOWN) {
            self.facts.add_unknown_outcome();
        }
        let succeeded = output["success"] == true;
        match (name, booking(output, arguments)) {
            ("cancel_booking", Some(booking)) if succeeded => {
                self.facts.add_cancellation(&booking);
                self.facts.add_change();
            }
            ("reschedule_booking", Some(booking)) if succeeded => {
                self.facts.add_move(booking);
                self.facts.add_change();
            }
            ("book_slot", Some(booking)) if succeeded => {
                self.facts.add_booking(booking);
                self.facts.add_change();
            }
            // Also a refusal that names the customer's own booking.
            (_, Some(booking)) => self.facts.add_booking(booking),
            ("log_upsell", _) if succeeded => self.facts.add_something_done(),
            _ => {}
        }
        if output["approved"] == true
            && let Some(percent) = output["discount_percent"].as_u64()
        {
            self.facts.add_discount(u32::try_from(percent).unwrap_or_default());
        }
        // That of a booking, and the one that waits for a booking; 0 is a refusal.
        let listed = output["bookings"].as_array().into_iter().flatten();
        for row in listed.chain([output]) {
            for name in ["discount_percent", "open_discount_percent"] {
                if let Some(percent) = row[name].as_u64().filter(|percent| *percent > 0) {
                    self.facts.add_known_discount(u32::try_from(percent).unwrap_or_default());
                }
            }
        }
        if let Some(rows) = output["bookings"].as_array() {
            let listed = rows.iter().filter_map(|row| booking(row, &Value::Null));
            self.facts.set_bookings(listed.collect());
        }
        self.read_free(output, arguments, name == "check_availability");
    }

    /// Every object with free slots, wherever it stands in the result.
    fn read_free(&mut self, value: &Value, arguments: &Value, checked: bool) {
        if let Some(slots) = value["available_slots"].as_array() {
            let date = date(value).or_else(|| date(arguments));
            let times = slots.iter().filter_map(|slot| SlotTime::parse(slot.as_str()?).ok());
            match date {
                // A part of what an earlier call may have given in full.
                Some(date) if value["has_more"] == true => self.facts.add_some_free(date, times),
                Some(date) => self.facts.add_free(date, times),
                None => {}
            }
        } else if checked
            && value["success"] == false
            && let Some(date) = date(arguments)
            && value["message"].as_str().unwrap_or_default().contains(TODAY_IS)
        {
            // The shop takes no bookings for that date.
            self.facts.add_free(date, []);
        }
        let inner: Vec<&Value> = match value {
            Value::Object(fields) => fields.values().collect(),
            Value::Array(rows) => rows.iter().collect(),
            _ => Vec::new(),
        };
        for value in inner {
            self.read_free(value, &Value::Null, false);
        }
    }
}

/// The references in confirmations, which code wrote from rows. What else an answer contains is no
/// proof that it is the customer's.
pub(super) fn confirmed_lead_ids(answer: &str) -> BTreeSet<String> {
    answer
        .lines()
        .filter(|line| {
            [BOOKED, MOVED, CANCELLED].iter().any(|heading| {
                line.strip_prefix(heading).is_some_and(|rest| rest.starts_with(": "))
            })
        })
        .flat_map(text::find_lead_ids)
        .collect()
}

fn parsed(json: &str) -> Value {
    serde_json::from_str(json).unwrap_or_default()
}

fn date(value: &Value) -> Option<civil::Date> {
    parse_date(value["date"].as_str()?).ok()
}

fn booking(row: &Value, arguments: &Value) -> Option<KnownBooking> {
    let reference = row["lead_id"].as_str()?.to_owned();
    let slot = Slot::new(date(row)?, SlotTime::parse(row["time"].as_str()?).ok()?);
    let repair = row["repair_type"].as_str().or_else(|| arguments["repair_type"].as_str());
    let repair = repair.and_then(|repair| match Repair::from_row(repair) {
        Repair::Listed { kind, .. } => Some(kind),
        Repair::Unlisted(_) => None,
    });
    Some(KnownBooking { reference, slot, repair })
}
