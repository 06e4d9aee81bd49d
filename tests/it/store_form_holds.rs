//! The store on the embedded database: times that the form holds until they are confirmed.

use futures::future::join_all;
use handlers::{
    domain::{
        booking::{Booking, NewBooking, RequestToken, Reschedule},
        form_hold::{CODE_TRIES, FormCode, FormHold, HoldId, NewFormHold},
        lead::{Lead, LeadId},
        outbox::OutboxText,
        slot::Slot,
        time_needed::TimeNeeded,
    },
    ports::{BookOutcome, HoldOutcome, RescheduleOutcome, Store as _},
};
use jiff::{SignedDuration, Timestamp, civil::date};
use rehearse_core::faults::{Cut, Failure};
use serde_json::json;

use crate::store::{Lab, ann, at, booking, decided, lead, now, phone};

fn later(minutes: i64) -> Timestamp {
    now() + SignedDuration::from_mins(minutes)
}

fn code() -> FormCode {
    FormCode::parse("735104").unwrap()
}

/// A hold for Ann that begins so many minutes later. The first letter tells keys apart, the second
/// one holds.
fn hold(name: &str, hour: u8, minutes: i64) -> FormHold {
    let (key, nonce) = name.split_at(1);
    let lead = Lead { timestamp: later(minutes), ..lead(&format!("LEAD-{name}"), &ann(), hour) };
    let id = HoldId::new(&key.repeat(64), &nonce.repeat(32));
    FormHold::new(id, lead, format!("fingerprint {key}"), &code())
}

/// A hold to write on a date that nothing else changes.
pub fn on_friday() -> NewFormHold {
    let mut hold = hold("aa", 14, 0);
    hold.lead.slot = Slot::new(date(2026, 2, 13), hold.lead.slot.time());
    let token = RequestToken::derive(&["friday"]);
    NewFormHold { hold, token, day_version: 0, replaces: None, texts: Vec::new() }
}

/// A hold to write as decided on the date as it is now.
async fn wish(lab: &Lab, hold: &FormHold, replaces: Option<&FormHold>) -> NewFormHold {
    let day = lab.store.versioned_day_schedule(hold.lead.slot.date()).await.unwrap();
    let replaced = replaces.map_or("none", |hold| hold.id.nonce());
    let (name, version) = (hold.id.to_string(), day.version.to_string());
    NewFormHold {
        token: RequestToken::derive(&[&name, &version, replaced]),
        day_version: day.version,
        replaces: replaces.map(|hold| hold.id.clone()),
        texts: hold.code_text(&code(), hold.lead.timestamp),
        hold: hold.clone(),
    }
}

async fn outcome(lab: &Lab, hold: &FormHold, replaces: Option<&FormHold>) -> HoldOutcome {
    let new = wish(lab, hold, replaces).await;
    lab.store.hold_slot(&new).await.unwrap()
}

/// A booking of Bob at two o'clock as decided so many minutes later.
async fn bobs(lab: &Lab, minutes: i64) -> NewBooking {
    let bob = lead(&format!("LEAD-BOB-{minutes}"), &phone("+19045550123"), 14);
    let bob = Lead { timestamp: later(minutes), ..bob };
    decided(&lab.store, booking(&bob, &minutes.to_string(), None)).await
}

/// The hours that are taken so many minutes later.
async fn taken(lab: &Lab, minutes: i64) -> Vec<u8> {
    let day = lab.store.day_schedule(date(2026, 2, 11)).await.unwrap().at(later(minutes));
    day.holds.iter().map(|hold| hold.start.hour()).collect()
}

#[tokio::test]
async fn a_hold_takes_its_time_until_its_end_and_its_text_waits() {
    let lab = Lab::start().await;
    let two = hold("aa", 14, 0);
    assert_eq!(outcome(&lab, &two, None).await, HoldOutcome::Held);
    assert_eq!(lab.store.form_hold(two.id.key_hash()).await.unwrap(), Some(two.clone()));
    assert_eq!(lab.store.form_hold("another").await.unwrap(), None);
    let id = lab.store.waiting_texts().await.unwrap().pop().unwrap();
    let (text, _) = lab.store.claim_text(&id, "h", 0, 100).await.unwrap().unwrap();
    let expected: Vec<OutboxText> = two.code_text(&code(), now());
    assert_eq!(vec![text], expected);
    // The schedule names nobody, and no row but the text's has the code.
    let rows = lab.database.rows("Schedule").await.unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!((&rows[0]["status"], &rows[0]["lead_id"]), (&json!("held"), &json!("LEAD-aa")));
    assert_eq!(rows[0].get("phone"), None);
    lab.store.remove_text(&id).await.unwrap();
    for table in ["Schedule", "Conversations"] {
        let rows = lab.database.rows(table).await.unwrap();
        assert!(!json!(rows).to_string().contains("735104"), "{table}");
    }

    assert_eq!((taken(&lab, 9).await, taken(&lab, 10).await), (vec![14], vec![]));
    assert_eq!(lab.store.book(&bobs(&lab, 9).await).await.unwrap(), BookOutcome::SlotTaken);
    assert_eq!(lab.store.book(&bobs(&lab, 10).await).await.unwrap(), BookOutcome::Booked);
    let rows = lab.database.rows("Schedule").await.unwrap();
    assert_eq!(rows[0]["status"], "booked");
    assert_eq!(rows[0].get("held_until"), None);
    assert_eq!(taken(&lab, 600).await, [14]);
}

#[tokio::test]
async fn a_hold_is_as_long_as_its_repair() {
    let lab = Lab::start().await;
    let mut two = hold("aa", 14, 0);
    two.lead.time_needed = TimeNeeded { minutes: 90, travel: 30 };
    assert_eq!(outcome(&lab, &two, None).await, HoldOutcome::Held);
    let day = lab.store.day_schedule(date(2026, 2, 11)).await.unwrap();
    assert_eq!(day.hold_of(&two.lead.id).unwrap().time_needed(), two.lead.time_needed);
    // Who takes the time later has it for as long as that repair needs.
    assert_eq!(lab.store.book(&bobs(&lab, 10).await).await.unwrap(), BookOutcome::Booked);
    let day = lab.store.day_schedule(date(2026, 2, 11)).await.unwrap();
    assert_eq!(day.holds[0].time_needed(), TimeNeeded::default());
}

#[tokio::test]
async fn the_lead_of_a_hold_books_its_time() {
    let lab = Lab::start().await;
    let two = hold("aa", 14, 0);
    assert_eq!(outcome(&lab, &two, None).await, HoldOutcome::Held);
    let mine = decided(&lab.store, booking(&two.lead, "mine", None)).await;
    assert_eq!(lab.store.book(&mine).await.unwrap(), BookOutcome::Booked);
    let again = NewBooking { token: RequestToken::derive(&["again"]), ..mine };
    let exists = BookOutcome::Exists(Box::new(two.lead.clone()));
    assert_eq!(lab.store.book(&again).await.unwrap(), exists);
    assert_eq!(taken(&lab, 10).await, [14], "no hold any more");
    // What is booked is not released.
    lab.store.release_slot(&two, now()).await.unwrap();
    assert_eq!(taken(&lab, 10).await, [14]);
}

#[tokio::test]
async fn a_booking_moves_onto_a_hold_that_is_over_and_onto_none_before() {
    let lab = Lab::start().await;
    assert_eq!(outcome(&lab, &hold("aa", 14, 0), None).await, HoldOutcome::Held);
    let nine = lead("LEAD-9", &ann(), 9);
    let new = decided(&lab.store, booking(&nine, "nine", None)).await;
    assert_eq!(lab.store.book(&new).await.unwrap(), BookOutcome::Booked);
    for (minutes, expected) in
        [(9, RescheduleOutcome::SlotTaken), (10, RescheduleOutcome::Rescheduled)]
    {
        let day = lab.store.versioned_day_schedule(date(2026, 2, 11)).await.unwrap();
        let change = Reschedule {
            booking: Booking::from(&nine),
            to: at(14),
            time_needed: nine.time_needed,
            slot_key: Some("9:00 AM".into()),
            day_version: day.version,
            calendar_versions: Default::default(),
            token: RequestToken::derive(&["move", &minutes.to_string()]),
            now: later(minutes),
            fence: None,
            notification: Vec::new(),
        };
        assert_eq!(lab.store.reschedule(&change).await.unwrap(), expected, "{minutes}");
    }
    assert_eq!(taken(&lab, 600).await, [14]);
}

#[tokio::test]
async fn a_time_has_one_hold_and_a_key_one_that_stands() {
    let lab = Lab::start().await;
    let two = hold("aa", 14, 0);
    assert_eq!(outcome(&lab, &two, None).await, HoldOutcome::Held);
    assert_eq!(outcome(&lab, &two, None).await, HoldOutcome::Held, "its own repeat");
    assert_eq!(outcome(&lab, &hold("bb", 14, 9), None).await, HoldOutcome::SlotTaken);
    let three = hold("ab", 15, 9);
    assert_eq!(outcome(&lab, &three, None).await, HoldOutcome::KeyHeld);
    let other = hold("ac", 15, 9);
    assert_eq!(outcome(&lab, &three, Some(&other)).await, HoldOutcome::KeyHeld);
    let early = NewFormHold {
        day_version: 0,
        token: RequestToken::derive(&["early"]),
        ..wish(&lab, &three, Some(&two)).await
    };
    assert_eq!(lab.store.hold_slot(&early).await.unwrap(), HoldOutcome::DayChanged);
    assert_eq!(lab.store.waiting_texts().await.unwrap().len(), 1, "nothing of them was written");
    assert_eq!(outcome(&lab, &three, Some(&two)).await, HoldOutcome::Held);
    // The first one's name means nothing any more.
    assert_eq!(lab.store.count_code_try(&two.id, "try").await.unwrap(), None);
    assert_eq!(lab.store.form_hold(two.id.key_hash()).await.unwrap(), Some(three));
    assert_eq!(outcome(&lab, &hold("bb", 14, 10), None).await, HoldOutcome::Held);
}

#[tokio::test]
async fn five_tries_are_counted_however_many_come_at_once() {
    let lab = Lab::start().await;
    let two = hold("aa", 14, 0);
    assert_eq!(lab.store.count_code_try(&two.id, "try").await.unwrap(), None, "there is no hold");
    assert_eq!(outcome(&lab, &two, None).await, HoldOutcome::Held);
    for _ in 0..2 {
        let left = lab.store.count_code_try(&two.id, "sent twice").await.unwrap();
        assert_eq!(left, Some(CODE_TRIES - 1), "one try that was sent twice");
    }
    let attempts: Vec<String> = (0..20).map(|n| n.to_string()).collect();
    let tries = attempts.iter().map(|attempt| lab.store.count_code_try(&two.id, attempt));
    let tries = join_all(tries).await;
    let mut left: Vec<u32> = tries.into_iter().filter_map(Result::unwrap).collect();
    left.sort_unstable();
    assert_eq!(left, [0, 1, 2, 3]);
    assert_eq!(lab.store.form_hold(two.id.key_hash()).await.unwrap().unwrap().tries, 5);
}

#[tokio::test]
async fn a_released_time_is_free_at_once_and_only_the_holds_own() {
    let lab = Lab::start().await;
    let (two, other) = (hold("aa", 14, 0), hold("bb", 14, 0));
    assert_eq!(outcome(&lab, &two, None).await, HoldOutcome::Held);
    lab.store.release_slot(&other, now()).await.unwrap();
    assert_eq!(taken(&lab, 0).await, [14]);
    let stale = bobs(&lab, 1).await;
    lab.store.release_slot(&two, now()).await.unwrap();
    assert_eq!(taken(&lab, 0).await, Vec::<u8>::new());
    assert_eq!(lab.store.book(&stale).await.unwrap(), BookOutcome::DayChanged);
    assert_eq!(outcome(&lab, &other, None).await, HoldOutcome::Held);
}

/// Of the SDK's three calls one, two or all lose their answer.
#[tokio::test]
async fn a_lost_acknowledgement_is_a_hold_and_a_call_that_never_arrived_is_none() {
    for lost in 1..=3 {
        let lab = Lab::start().await;
        let two = hold("aa", 14, 0);
        let cut = Failure { cut: Some(Cut::After), ..Failure::default() };
        lab.fail("TransactWriteItems", lost, cut);
        assert_eq!(outcome(&lab, &two, None).await, HoldOutcome::Held, "{lost} lost");
        assert_eq!(lab.store.waiting_texts().await.unwrap().len(), 1, "{lost} lost");
    }
    let lab = Lab::start().await;
    let new = wish(&lab, &hold("aa", 14, 0), None).await;
    lab.fail("TransactWriteItems", 3, Failure { cut: Some(Cut::Before), ..Failure::default() });
    assert!(lab.store.hold_slot(&new).await.is_err());
    assert_eq!((lab.count("Schedule").await, lab.count("Conversations").await), (0, 0));
}

/// Nobody is told that a time is taken when its hold is over.
#[tokio::test]
async fn a_booking_of_unknown_outcome_is_not_taken_by_a_hold_that_is_over() {
    for (minutes, is_taken) in [(9, true), (10, false)] {
        let lab = Lab::start().await;
        assert_eq!(outcome(&lab, &hold("aa", 14, 0), None).await, HoldOutcome::Held);
        let new = bobs(&lab, minutes).await;
        lab.fail("TransactWriteItems", 3, Failure { cut: Some(Cut::Before), ..Failure::default() });
        let booked = lab.store.book(&new).await;
        assert_eq!(matches!(booked, Ok(BookOutcome::SlotTaken)), is_taken, "{booked:?}");
        assert_eq!(booked.is_err(), !is_taken);
    }
}

#[tokio::test]
async fn erasing_a_customer_erases_their_holds() {
    let lab = Lab::start().await;
    let two = hold("aa", 14, 0);
    assert_eq!(outcome(&lab, &two, None).await, HoldOutcome::Held);
    let data = lab.store.customer_data(&ann()).await.unwrap();
    assert_eq!((data.conversation.len(), data.outbox.len(), data.schedule.len()), (1, 1, 0));
    lab.store.erase_customer(&ann(), date(2026, 2, 10).at(0, 0, 0, 0)).await.unwrap();
    assert_eq!(lab.store.form_hold(two.id.key_hash()).await.unwrap(), None);
    for table in ["Schedule", "Conversations"] {
        let rows = json!(lab.database.rows(table).await.unwrap()).to_string();
        assert!(!rows.contains("2520927"), "{table}: {rows}");
    }
    assert_eq!(lab.store.lead(&LeadId::from_row("LEAD-aa")).await.unwrap(), None);
}
