//! The model's texts against facts: a corpus of honest and of false ones.

use std::collections::BTreeMap;

use handlers::domain::{
    calendar::Calendar,
    calendar_settings::{CalendarPatch, CalendarSettings},
    catalogue::RepairKind,
    claims::{Facts, KnownBooking, check},
    owner::{OwnerState, Until},
    slot::{Slot, SlotTime},
    time_needed::TimeNeeded,
};
use jiff::civil::{Date, date};
use proptest::prelude::*;
use serde_json::json;

const HONEST: &str = include_str!("../corpus/honest.txt");
const FALSE: &str = include_str!("../corpus/false.txt");

fn wednesday() -> Date {
    date(2026, 2, 11)
}

fn thursday() -> Date {
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

fn booking(date: Date, hour: u8, repair: RepairKind) -> KnownBooking {
    KnownBooking {
        reference: "LEAD-20260210-201000-1a2b3c".into(),
        slot: Slot::new(date, SlotTime::hour_of_day(hour)),
        repair: Some(repair),
        is_visit: false,
    }
}

/// What is known, by the name in the corpus.
fn facts(name: &str) -> Facts {
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
        other => panic!("{other}"),
    }
    facts
}

/// The lines of a corpus that end otherwise than they should, and the number of lines.
fn wrong(corpus: &'static str, expected: bool) -> (Vec<String>, usize) {
    let lines: Vec<&str> =
        corpus.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).collect();
    let wrong = lines.iter().filter_map(|line| {
        let mut parts = line.splitn(3, " | ");
        let mut facts = facts(parts.next().unwrap());
        facts.customer_says(parts.next().unwrap());
        let said = parts.next().unwrap();
        let checked = check(said, &facts, false);
        let passes = checked.text == said;
        (passes != expected)
            .then(|| format!("{line}\n    {:?} {}", checked.mismatches, checked.text))
    });
    (wrong.collect(), lines.len())
}

#[test]
fn honest_texts_go_out_and_false_ones_do_not() {
    let (refused, honest) = wrong(HONEST, true);
    let (passed, false_ones) = wrong(FALSE, false);
    println!("{} of {honest} honest texts refused:\n{}", refused.len(), refused.join("\n"));
    println!("{} of {false_ones} false texts passed:\n{}", passed.len(), passed.join("\n"));
    assert!(honest >= 200 && refused.len() * 100 <= honest, "{} honest refused", refused.len());
    assert!(false_ones >= 100 && passed.len() * 20 <= false_ones, "{} false passed", passed.len());
}

#[test]
fn until_when_the_owner_is_away_may_be_said() {
    let said = "Brandon is back at 3 PM.";
    assert_ne!(check(said, &facts("none"), false).text, said);
    let until = Until::parse("2026-02-10T17:00");
    let owner = OwnerState { until, ..OwnerState::default() };
    let calendar = Calendar::new("America/New_York").unwrap();
    let now = "2026-02-10T15:10:00-05:00".parse().unwrap();
    let facts = Facts::new(&calendar, &owner, now);
    assert_ne!(check(said, &facts, false).text, said);
    let said = "Brandon is back at 5 PM.";
    assert_eq!(check(said, &facts, false).text, said);

    let said = "Sorry, there are no openings tomorrow.";
    assert_ne!(check(said, &facts, false).text, said);
    let until = Until::parse("2026-02-12T15:00");
    let facts = Facts::new(&calendar, &OwnerState { until, ..owner }, now);
    assert_eq!(check(said, &facts, false).text, said);
}

/// What was said of a booking is not what is true of it now.
#[test]
fn a_booking_is_known_at_the_time_at_which_it_is_now() {
    let goes_out = |facts: &Facts, said: &str| check(said, facts, false).text == said;
    let (at_two, at_nine) =
        ("You're booked for tomorrow at 2 PM.", "You're booked for Thursday at 9 AM.");
    let remembered = facts("remembered");
    assert!(goes_out(&remembered, at_two));

    let mut moved = remembered.clone();
    moved.remember(
        "Thursday at 9 is better",
        "Moved: Thu Feb 12, 9:00 AM, iPhone screen. Ref LEAD-20260210-201000-1a2b3c",
    );
    assert!(goes_out(&moved, at_nine) && !goes_out(&moved, at_two));

    let mut listed = remembered.clone();
    listed.set_bookings(vec![booking(thursday(), 9, RepairKind::Screen)]);
    assert!(goes_out(&listed, at_nine) && !goes_out(&listed, at_two));
    listed.set_bookings(Vec::new());
    assert!(!goes_out(&listed, at_nine));

    let mut past = facts("none");
    past.remember(
        "Today at two",
        "Confirmed: Tue Feb 10, 2:00 PM, iPhone screen. Ref LEAD-20260210-140000-1a2b3c",
    );
    assert!(!goes_out(&past, "You're booked for today at 2 PM."));
}

proptest! {
    /// Any text, in any facts, is checked without a panic and leads to words.
    #[test]
    fn any_text_is_checked(said in any::<String>(), words in "([a-z0-9$%:.,!?'é -]|at |pm |booked |you |free |tomorrow |hundred ){0,60}") {
        for name in ["none", "offered", "booked", "bulletin"] {
            let mut facts = facts(name);
            facts.customer_says(&said);
            for said in [&said, &words] {
                let checked = check(said, &facts, false);
                prop_assert!(said.trim().is_empty() || !checked.text.trim().is_empty());
            }
        }
    }
}
