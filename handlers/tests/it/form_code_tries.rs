//! Tries at the code that confirms a booking by the form, on ports in memory.

use futures::future::join_all;
use handlers::app::scheduler::SchedulerError;

use crate::form_confirmation::{
    ADDRESS, code, confirm, held, is_free, later, now, scheduler, wrong,
};
use memory_ports::{ANN, World};

#[test]
fn the_right_code_again_is_the_same_booking_and_another_is_none() {
    let world = World::new();
    let hold = held(&world);
    let right = code(&world, ANN);
    let booked = confirm(&world, &hold, &right, now()).unwrap();
    for minutes in (0..20).chain([600]) {
        assert_eq!(confirm(&world, &hold, &right, later(minutes)).unwrap(), booked, "{minutes}");
    }
    let other = confirm(&world, &hold, wrong(&right), now());
    assert!(matches!(other, Err(SchedulerError::HoldEnded)), "{other:?}");
    assert_eq!(world.store.leads().len(), 1);
}

#[test]
fn a_wrong_code_is_told_and_the_right_one_still_books() {
    let world = World::new();
    let hold = held(&world);
    let right = code(&world, ANN);
    for left in [4, 3, 2, 1] {
        match confirm(&world, &hold, wrong(&right), now()) {
            Err(SchedulerError::WrongCode { attempts_left }) => assert_eq!(attempts_left, left),
            other => panic!("{other:?}"),
        }
    }
    let spaced = format!(" {} {}", &right[..3], &right[3..]);
    assert!(confirm(&world, &hold, &spaced, now()).is_ok());
}

#[test]
fn five_wrong_codes_end_a_hold_and_free_its_time_and_its_key() {
    let world = World::new();
    let hold = held(&world);
    let right = code(&world, ANN);
    for _ in 0..5 {
        let answer = confirm(&world, &hold, wrong(&right), now());
        assert!(matches!(answer, Err(SchedulerError::WrongCode { .. })), "{answer:?}");
    }
    let late = confirm(&world, &hold, &right, now());
    assert!(matches!(late, Err(SchedulerError::HoldEnded)), "{late:?}");
    assert!(is_free(&world, 14, now()));
    let next = held(&world);
    assert_ne!(next, hold);
    let late = confirm(&world, &hold, &right, now());
    assert!(matches!(late, Err(SchedulerError::HoldEnded)), "{late:?}");
    assert!(confirm(&world, &next, &code(&world, ANN), now()).is_ok());
}

#[test]
fn guesses_at_the_same_time_are_no_more_than_five() {
    let world = World::new();
    let hold = held(&world);
    let right: u32 = code(&world, ANN).parse().unwrap();
    let guesses: Vec<String> =
        (1..=40).map(|n| format!("{:06}", (right + n) % 1_000_000)).collect();
    let scheduler = scheduler(&world);
    let guess = |code| scheduler.confirm(Some(&hold), Some(code), ADDRESS, now());
    let answers = world.run(join_all(guesses.iter().map(|code| guess(code.as_str()))));
    let mut left: Vec<u32> = answers
        .iter()
        .filter_map(|answer| match answer {
            Err(SchedulerError::WrongCode { attempts_left }) => Some(*attempts_left),
            Err(SchedulerError::HoldEnded) => None,
            other => panic!("{other:?}"),
        })
        .collect();
    left.sort_unstable();
    assert_eq!(left, [0, 1, 2, 3, 4]);
    let late = confirm(&world, &hold, &format!("{right:06}"), now());
    assert!(matches!(late, Err(SchedulerError::HoldEnded)), "{late:?}");
    assert!(world.store.leads().is_empty());
}
