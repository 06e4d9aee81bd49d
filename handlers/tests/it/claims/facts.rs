//! What is known in a turn, by the name that a line of the corpus gives it.

use std::collections::BTreeMap;

use handlers::domain::{
    calendar::Calendar,
    calendar_settings::{CalendarPatch, CalendarSettings},
    catalogue::RepairKind,
    claims::{Facts, KnownBooking},
    owner::OwnerState,
    slot::{Slot, SlotTime},
    time_needed::TimeNeeded,
};
use jiff::civil::{Date, date};
use serde_json::json;

pub(super) fn wednesday() -> Date {
    date(2026, 2, 11)
}

pub(super) fn thursday() -> Date {
    date(2026, 2, 12)
}

fn hours(hours: &[u8]) -> Vec<SlotTime> {
    hours.iter().map(|hour| SlotTime::hour_of_day(*hour)).collect()
}

/// Every half hour of a day from one hour to another.
fn half_hours(from: u8, until: u8) -> Vec<SlotTime> {
    (from..until)
        .flat_map(|hour| [0, 30].map(|minute| SlotTime::new(hour, minute).unwrap()))
        .collect()
}

/// The owner's calendar, by the name in the corpus; `None` is the usual one.
fn settings(name: &str) -> Option<CalendarSettings> {
    let fields = match name {
        "own hours" => json!({
            "slot_interval_minutes": 30, "repair_minutes": { "screen": 90, "battery": 30 },
            "travel_minutes": 30, "closed_dates": ["2026-02-16", "2026-12-25"],
            "hours": {
                "wednesday": [], "thursday": ["09:00-12:00", "13:00-19:00"],
                "saturday": ["10:00-14:00"],
            },
        }),
        "lunch" => {
            let days = ["monday", "tuesday", "wednesday", "thursday", "friday"];
            let days = days.into_iter().map(|day| (day, &["09:00-12:00", "13:00-17:00"][..]));
            json!({ "hours": days.chain([("saturday", &[][..])]).collect::<BTreeMap<_, _>>() })
        }
        "midnight" => {
            json!({ "hours": { "friday": ["00:00-24:00"], "saturday": ["10:00-24:00"] } })
        }
        "battery, screen" | "screen, battery" | "long booking" => json!({
            "slot_interval_minutes": 30, "repair_minutes": { "screen": 90, "battery": 30 },
        }),
        _ => return None,
    };
    let patch = CalendarPatch::from_json(fields.as_object().unwrap()).unwrap();
    Some(CalendarSettings::default().with(&patch))
}

pub(super) fn booking(date: Date, hour: u8, repair: RepairKind) -> KnownBooking {
    KnownBooking {
        reference: "LEAD-20260210-201000-1a2b3c".into(),
        slot: Slot::new(date, SlotTime::hour_of_day(hour)),
        repair: Some(repair),
        is_visit: false,
    }
}

/// What is known, by the name in the corpus. It is Tuesday, February 10, 2026, 3:10 PM.
pub(super) fn facts(name: &str) -> Facts {
    let owner = match name {
        "bulletin" => OwnerState {
            special_info:
                "15% off for students this week. See www.brandonsrepair.com or call 904-555-0199"
                    .into(),
            notes: "Back at 4 PM".into(),
            location: "123 Main Street".into(),
            ..OwnerState::default()
        },
        _ => OwnerState::default(),
    };
    let calendar = Calendar::new("America/New_York").unwrap().with_settings(settings(name));
    let now = "2026-02-10T15:10:00-05:00".parse().unwrap();
    let mut facts = Facts::new(&calendar, &owner, now);
    let (battery, screen) = (TimeNeeded::in_shop(30), TimeNeeded::in_shop(90));
    match name {
        "none" | "bulletin" | "own hours" | "lunch" | "midnight" => {}
        "battery, screen" => {
            facts.add_free(wednesday(), battery, half_hours(9, 17));
            facts.add_free(wednesday(), screen, half_hours(9, 16));
        }
        "screen, battery" => {
            facts.add_free(wednesday(), screen, half_hours(9, 16));
            facts.add_free(wednesday(), battery, half_hours(9, 17));
        }
        "long booking" => {
            facts.add_free(wednesday(), battery, half_hours(9, 17));
            facts.add_booking(booking(wednesday(), 14, RepairKind::Screen));
            facts.add_change();
        }
        "offered" => {
            facts.add_free(wednesday(), TimeNeeded::default(), hours(&[9, 10, 12, 13, 15]));
        }
        "days" => {
            facts.add_free(wednesday(), TimeNeeded::default(), hours(&[9, 10, 12, 13, 15]));
            facts.add_free(thursday(), TimeNeeded::default(), hours(&[9, 10, 11]));
        }
        "full" => facts.add_free(wednesday(), TimeNeeded::default(), []),
        "taken" => facts.add_free(wednesday(), TimeNeeded::default(), hours(&[9, 10, 15])),
        "booked" => {
            facts.add_booking(booking(wednesday(), 14, RepairKind::Screen));
            facts.add_change();
        }
        "listed" => facts.add_booking(booking(thursday(), 10, RepairKind::Battery)),
        "moved" => {
            facts.add_move(booking(thursday(), 9, RepairKind::Screen));
            facts.add_change();
        }
        "cancelled" => {
            facts.add_cancellation(&booking(wednesday(), 14, RepairKind::Screen));
            facts.add_change();
        }
        "discount" => facts.add_discount(10),
        "remembered" => facts.remember(
            "Tomorrow at 2",
            "Done!\nConfirmed: Wed Feb 11, 2:00 PM, iPhone screen. Ref LEAD-20260210-201000-1a2b3c",
        ),
        "cancelled earlier" => {
            facts.remember(
                "Cancel my 2 PM",
                "Done!\nCancelled: Wed Feb 11, 2:00 PM, iPhone screen. Ref LEAD-20260210-201000-1a2b3c",
            );
            facts.add_booking(KnownBooking {
                reference: "LEAD-20260210-201000-4d5e6f".into(),
                ..booking(wednesday(), 15, RepairKind::Screen)
            });
        }
        "proposed" => facts.remember("Tomorrow?", "I have 9 AM or 10 AM tomorrow."),
        "unknown" => facts.add_unknown_outcome(),
        "unreachable" => facts = facts.with_owner_reachable(false),
        other => panic!("{other}"),
    }
    facts
}
