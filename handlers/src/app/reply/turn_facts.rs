//! Collects what a turn knows, from its tool results and the conversation's memory.

use std::collections::BTreeSet;

use jiff::{Timestamp, civil};
use serde_json::Value;

use super::tool_outcome::{BOOKED, CANCELLED, MOVED, OUTCOME_UNKNOWN, OWNER_GETS_BACK, TODAY_IS};
use crate::domain::{
    calendar::Calendar,
    catalogue::{Repair, RepairKind},
    claims::{Facts, KnownBooking},
    owner::OwnerState,
    slot::{Slot, SlotTime, parse_date},
    text,
    time_needed::TimeNeeded,
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
        let needed = self.time_needed(arguments);
        self.read_free(output, date(arguments), needed, name == "check_availability");
    }

    /// How long the appointment is that a call is about.
    fn time_needed(&self, arguments: &Value) -> TimeNeeded {
        let booking = arguments["lead_id"].as_str();
        let of_booking = booking.and_then(|reference| self.facts.time_needed_of(reference));
        let (kind, is_visit) = repair(arguments).unwrap_or_default();
        of_booking.unwrap_or_else(|| self.facts.time_needed(kind, is_visit))
    }

    /// Every object with free slots, wherever it stands in the result. `asked`: the date that the
    /// call was about.
    fn read_free(
        &mut self,
        value: &Value,
        asked: Option<civil::Date>,
        needed: TimeNeeded,
        checked: bool,
    ) {
        if let Some(slots) = value["available_slots"].as_array() {
            let times = slots.iter().filter_map(|slot| SlotTime::parse(slot.as_str()?).ok());
            match date(value).or(asked) {
                // A part of what an earlier call may have given in full.
                Some(date) if value["has_more"] == true => {
                    self.facts.add_some_free(date, needed, times);
                }
                Some(date) => self.facts.add_free(date, needed, times),
                None => {}
            }
        } else if checked
            && value["success"] == false
            && let Some(date) = asked
            && value["message"].as_str().unwrap_or_default().contains(TODAY_IS)
        {
            // The shop takes no bookings for that date.
            self.facts.add_closed(date);
        }
        let inner: Vec<&Value> = match value {
            Value::Object(fields) => fields.values().collect(),
            Value::Array(rows) => rows.iter().collect(),
            _ => Vec::new(),
        };
        for value in inner {
            self.read_free(value, None, needed, false);
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
    let (repair, is_visit) = repair(row).or_else(|| repair(arguments)).unwrap_or_default();
    Some(KnownBooking { reference, slot, repair, is_visit })
}

/// The repair that a row or a call names, and whether it is a visit.
fn repair(value: &Value) -> Option<(Option<RepairKind>, bool)> {
    Some(match Repair::from_row(value["repair_type"].as_str()?) {
        Repair::Listed { kind, on_site } => (Some(kind), on_site),
        Repair::Unlisted(_) => (None, false),
    })
}
