//! The model's texts against facts: a corpus of honest and of false ones.

use handlers::domain::{
    calendar::Calendar,
    catalogue::RepairKind,
    claims::{Facts, KnownBooking, check},
    owner::{OwnerState, Until},
    slot::{Slot, SlotTime},
};
use jiff::civil::{Date, date};
use proptest::prelude::*;

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

fn booking(date: Date, hour: u8, repair: RepairKind) -> KnownBooking {
    KnownBooking {
        reference: "LEAD-20260210-201000-1a2b3c".into(),
        slot: Slot::new(date, SlotTime::hour_of_day(hour)),
        repair: Some(repair),
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
    let calendar = Calendar::new("America/New_York").unwrap();
    let now = "2026-02-10T15:10:00-05:00".parse().unwrap();
    let mut facts = Facts::new(&calendar, &owner, now);
    match name {
        "none" | "bulletin" => {}
        "offered" => facts.add_free(wednesday(), hours(&[9, 10, 12, 13, 15])),
        "days" => {
            facts.add_free(wednesday(), hours(&[9, 10, 12, 13, 15]));
            facts.add_free(thursday(), hours(&[9, 10, 11]));
        }
        "full" => facts.add_free(wednesday(), []),
        "taken" => facts.add_free(wednesday(), hours(&[9, 10, 15])),
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
