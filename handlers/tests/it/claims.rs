//! The model's texts against facts: a corpus of honest and of false ones.

mod facts;

use handlers::domain::{
    calendar::Calendar,
    catalogue::RepairKind,
    claims::{
        Facts,
        Mismatch::{self, *},
        check,
    },
    owner::{OwnerState, Until},
};
use proptest::prelude::*;

use self::facts::{booking, facts, thursday};

/// Texts that may go out, by what they are about.
const HONEST: [&str; 7] = [
    include_str!("../corpus/honest/nothing-known.txt"),
    include_str!("../corpus/honest/nothing-known-in-spanish.txt"),
    include_str!("../corpus/honest/prices.txt"),
    include_str!("../corpus/honest/owner-and-discounts.txt"),
    include_str!("../corpus/honest/calendar.txt"),
    include_str!("../corpus/honest/hours.txt"),
    include_str!("../corpus/honest/bookings.txt"),
];
/// Texts that may not, by what is wrong with them.
const FALSE: [(Mismatch, &str); 12] = [
    (Change, include_str!("../corpus/false/change.txt")),
    (Change, include_str!("../corpus/false/change-in-spanish.txt")),
    (Cancellation, include_str!("../corpus/false/cancellation.txt")),
    (Schedule, include_str!("../corpus/false/schedule.txt")),
    (Schedule, include_str!("../corpus/false/hours.txt")),
    (Price, include_str!("../corpus/false/price.txt")),
    (Discount, include_str!("../corpus/false/discount.txt")),
    (Contact, include_str!("../corpus/false/contact.txt")),
    (Keyword, include_str!("../corpus/false/keyword.txt")),
    (Instructions, include_str!("../corpus/false/instructions.txt")),
    (Callback, include_str!("../corpus/false/callback.txt")),
    (Pledge, include_str!("../corpus/false/pledge.txt")),
];
/// Lines that the corpus has at least.
const HONEST_LINES: usize = 1065;
const FALSE_LINES: usize = 1298;

/// The lines of a corpus that are checked wrongly, and the number of lines. `expected`: the first
/// mismatch of each.
fn wrong(corpus: &str, expected: Option<Mismatch>) -> (Vec<String>, usize) {
    let lines: Vec<&str> =
        corpus.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).collect();
    let wrong = lines.iter().filter_map(|line| {
        let mut parts = line.splitn(3, " | ");
        let mut facts = facts(parts.next().unwrap());
        facts.customer_says(parts.next().unwrap());
        let said = parts.next().unwrap();
        let checked = check(said, &facts, false);
        let is_right = match expected {
            None => checked.text == said,
            // Another reason would hide that the check which should refuse the text does not.
            Some(_) => checked.text != said && checked.mismatches.first().copied() == expected,
        };
        (!is_right).then(|| {
            format!(
                "{line}\n    expected {expected:?}, was {:?}: {}",
                checked.mismatches, checked.text
            )
        })
    });
    (wrong.collect(), lines.len())
}

#[test]
fn honest_texts_go_out_and_false_ones_do_not() {
    let (mut refused, mut honest) = (Vec::new(), 0);
    for corpus in HONEST {
        let (wrong, lines) = wrong(corpus, None);
        refused.extend(wrong);
        honest += lines;
    }
    let (mut missed, mut false_ones) = (Vec::new(), 0);
    for (mismatch, corpus) in FALSE {
        let (wrong, lines) = wrong(corpus, Some(mismatch));
        missed.extend(wrong);
        false_ones += lines;
    }
    println!("{} of {honest} honest texts refused:\n{}", refused.len(), refused.join("\n"));
    println!(
        "{} of {false_ones} false texts sent, or refused for another reason:\n{}",
        missed.len(),
        missed.join("\n")
    );
    assert!(honest >= HONEST_LINES && false_ones >= FALSE_LINES, "the corpus has shrunk");
    assert_eq!((refused.len(), missed.len()), (0, 0));
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
