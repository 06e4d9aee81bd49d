//! The store on the embedded database: what the owner grants, answers and takes off.

use handlers::{
    domain::{
        booking::{Booking, Completion, RequestToken},
        discount::DiscountGrant,
        lead::LeadStatus,
        outbox::{Callback, OutboxText, OwnerAnswer, UnansweredText},
        slot::SlotTime,
        time_off::{TimeOffChange, TimeOffRow},
        turn::{MemoryTurn, NewClaim, TurnEnd, TurnKey, TurnText},
    },
    ports::{BookOutcome, CompleteOutcome, Store as _},
};
use jiff::{SignedDuration, Timestamp, civil::date};
use rehearse_core::faults::{Cut, Failure};
use serde_json::json;

use crate::store::{Lab, ann, at, booking, lead, now};

fn days(count: i64) -> Timestamp {
    now() + SignedDuration::from_hours(24 * count)
}

/// Ann's text `SM1`, which got no answer.
fn unanswered() -> UnansweredText {
    UnansweredText {
        key: TurnKey { phone: ann(), sid: "SM1".into() },
        words: "Hello?".into(),
        media: Vec::new(),
        reason: "the deadline passed".into(),
        now: now(),
    }
}

fn owners_words(words: &str, at_ms: i64) -> MemoryTurn {
    MemoryTurn {
        user: "[the owner]".into(),
        assistant: words.into(),
        at_ms: Some(at_ms),
        by_owner: true,
    }
}

#[tokio::test]
async fn a_discount_counts_for_thirty_days_and_then_makes_way_for_another() {
    let lab = Lab::start().await;
    let store = &lab.store;
    let grant = |sid: &str, percent, now| DiscountGrant {
        key: TurnKey { phone: ann(), sid: sid.into() },
        ordinal: 0,
        percent,
        now,
    };
    let granted = async |grant: DiscountGrant| store.grant_discount(&grant).await.unwrap();
    assert_eq!(store.open_discount(&ann(), now()).await.unwrap(), None);
    assert!(granted(grant("SM1", 10, now())).await);
    assert!(granted(grant("SM1", 10, now())).await, "own repeat");
    assert!(!granted(grant("SM2", 15, days(30))).await);
    assert_eq!(store.open_discount(&ann(), days(30)).await.unwrap(), Some(10));
    assert_eq!(store.open_discount(&ann(), days(31)).await.unwrap(), None);
    assert!(granted(grant("SM2", 15, days(31))).await, "the first counts no more");
    assert_eq!(store.open_discount(&ann(), days(31)).await.unwrap(), Some(15));
}

#[tokio::test]
async fn an_answer_of_the_owner_goes_out_once_and_is_remembered() {
    let lab = Lab::start().await;
    let store = &lab.store;
    let unanswered = unanswered();
    let callback = Callback { unanswered: unanswered.clone(), notification: Vec::new() };
    store.keep_callback(&callback).await.unwrap();
    assert_eq!(store.unanswered().await.unwrap(), [unanswered]);
    let memory = owners_words("I'll be there", now().as_millisecond());
    let answer = OwnerAnswer {
        to: ann(),
        texts: OutboxText::messages("owner#SM9", &ann(), "I'll be there", now()),
        memory: memory.clone(),
        answered: vec!["SM1".into()],
        now: now(),
    };
    store.answer_by_owner(&answer).await.unwrap();
    store.answer_by_owner(&answer).await.unwrap();
    assert_eq!(store.waiting_texts().await.unwrap().len(), 1);
    assert_eq!(store.memory(&ann()).await.unwrap().turns, [memory]);
    assert!(store.unanswered().await.unwrap().is_empty());
    // What waits no more is answered no more: nothing goes out of an answer that cannot be stored.
    let lost = OwnerAnswer {
        texts: OutboxText::messages("owner#SM10", &ann(), "Hi", now()),
        answered: vec!["SM404".into()],
        ..answer
    };
    assert!(store.answer_by_owner(&lost).await.is_err());
    assert_eq!(store.waiting_texts().await.unwrap().len(), 1);
}

#[tokio::test]
async fn the_owners_words_outlive_a_turn_of_the_customer_that_had_not_seen_them() {
    let lab = Lab::start().await;
    let store = &lab.store;
    let key = TurnKey { phone: ann(), sid: "SM1".into() };
    let text = TurnText { body: "Hi".into(), ..TurnText::default() };
    let claim =
        NewClaim { key: &key, holder: "h", text: &text, now: now(), unix_ms: 0, until_ms: 100 };
    store.claim_turn(&claim).await.unwrap();
    let seen = store.memory(&ann()).await.unwrap();
    let words = |at_ms| owners_words("I'm late", at_ms);
    let answer = |sid: &str, at_ms| OwnerAnswer {
        to: ann(),
        texts: OutboxText::messages(&format!("owner#{sid}"), &ann(), "I'm late", now()),
        memory: words(at_ms),
        answered: Vec::new(),
        now: now(),
    };
    let (first, second) = (now().as_millisecond() - 1, now().as_millisecond() + 1);
    store.answer_by_owner(&answer("SM8", first)).await.unwrap();
    let end = TurnEnd {
        key,
        holder: "h".into(),
        now: now(),
        messages: vec!["Hello!".into()],
        memory: Some(seen.with("Hi".into(), "Hello!".into(), now())),
        dequeue: None,
        callback: None,
        late_answer: None,
    };
    assert!(store.finish_turn(&end).await.unwrap());
    store.answer_by_owner(&answer("SM9", second)).await.unwrap();
    let turns = store.memory(&ann()).await.unwrap().turns;
    assert_eq!(turns.len(), 3, "{turns:?}");
    assert_eq!((&turns[0], &turns[2]), (&words(first), &words(second)));
    assert_eq!(turns[1].assistant, "Hello!");
}

#[tokio::test]
async fn time_off_takes_no_bookings_row_and_wants_the_days_version() {
    let lab = Lab::start().await;
    let store = &lab.store;
    let day = date(2026, 2, 11);
    let change = |key: &str, minutes, day_version| TimeOffChange {
        date: day,
        day_version,
        rows: vec![TimeOffRow { key: key.into(), minutes }],
        now: now(),
    };
    let two = lead("LEAD-A", &ann(), 14);
    assert!(matches!(store.book(&booking(&two, "b", None)).await.unwrap(), BookOutcome::Booked));
    let version = store.versioned_day_schedule(day).await.unwrap().version;
    let changed = async |change: TimeOffChange| store.change_time_off(&change).await.unwrap();
    assert!(!changed(change("2:00 PM", Some(60), version)).await, "a booking's row");
    assert!(!changed(change("3:00 PM", Some(60), version + 1)).await, "another version");
    assert!(changed(change("3:00 PM", Some(60), version)).await);
    let schedule = store.versioned_day_schedule(day).await.unwrap();
    assert_eq!(schedule.version, version + 1);
    assert!(schedule.conflict(SlotTime::hour_of_day(15), Default::default(), None).is_some());
    assert!(changed(change("3:00 PM", None, version + 1)).await);
    let schedule = store.versioned_day_schedule(day).await.unwrap();
    assert!(schedule.conflict(SlotTime::hour_of_day(15), Default::default(), None).is_none());
    assert!(schedule.conflict(at(14).time(), Default::default(), None).is_some());
}

#[tokio::test]
async fn a_booking_that_is_done_keeps_its_time_and_is_open_no_more() {
    let lab = Lab::start().await;
    let store = &lab.store;
    let two = lead("LEAD-A", &ann(), 14);
    assert!(matches!(store.book(&booking(&two, "b", None)).await.unwrap(), BookOutcome::Booked));
    let done = |token: &str, booking| Completion {
        booking,
        slot_key: Some("2:00 PM".into()),
        token: RequestToken::derive(&[token]),
        now: now(),
    };
    // One that was moved meanwhile is read again before it is done.
    let elsewhere = Booking { slot: at(9), ..Booking::from(&two) };
    let complete = async |done: Completion| store.complete(&done).await.unwrap();
    assert_eq!(complete(done("x", elsewhere)).await, CompleteOutcome::BookingChanged);
    for token in ["d", "d", "again"] {
        let outcome = complete(done(token, Booking::from(&two))).await;
        assert_eq!(outcome, CompleteOutcome::Completed, "{token}");
    }
    assert_eq!(store.lead(&two.id).await.unwrap().unwrap().status, LeadStatus::Completed);
    assert_eq!(lab.count("CustomerBookings").await, 0);
    let day = store.day_schedule(date(2026, 2, 11)).await.unwrap();
    assert!(day.hold_of(&two.id).is_some_and(|hold| hold.is_done && !hold.is_expected()));
    assert_eq!(store.holds_from(date(2026, 2, 11)).await.unwrap().times[0].hold, day.holds[0]);
}

/// Of the SDK's three calls one, two or all lose their answer.
#[tokio::test]
async fn a_booking_is_done_although_the_acknowledgement_is_lost() {
    for lost in 1..=3 {
        let lab = Lab::start().await;
        let two = lead("LEAD-A", &ann(), 14);
        lab.store.book(&booking(&two, "b", None)).await.unwrap();
        lab.fail(
            "TransactWriteItems",
            lost,
            Failure { cut: Some(Cut::After), ..Failure::default() },
        );
        let done = Completion {
            booking: Booking::from(&two),
            slot_key: Some("2:00 PM".into()),
            token: RequestToken::derive(&["d"]),
            now: now(),
        };
        let outcome = lab.store.complete(&done).await.unwrap();
        assert_eq!(outcome, CompleteOutcome::Completed, "{lost} lost");
        assert_eq!(lab.count("CustomerBookings").await, 0, "{lost} lost");
    }
}

#[tokio::test]
async fn a_text_is_marked_as_answered_once_and_an_unknown_one_is_told() {
    let lab = Lab::start().await;
    let store = &lab.store;
    let unanswered = unanswered();
    store.keep_callback(&Callback { unanswered, notification: Vec::new() }).await.unwrap();
    assert!(!store.mark_answered("SM404", now()).await.unwrap());
    assert!(store.mark_answered("SM1", now()).await.unwrap());
    let marked = lab.database.rows("Conversations").await.unwrap();
    assert_eq!(marked.len(), 1, "an unknown one leaves no row");
    assert_eq!(marked[0]["answered_ms"], json!(now().as_millisecond()));
    assert!(store.unanswered().await.unwrap().is_empty());
    // The first answer counts, whoever gives another.
    assert!(store.mark_answered("SM1", days(1)).await.unwrap(), "a repeat");
    let answer = OwnerAnswer {
        to: ann(),
        texts: OutboxText::messages("owner#SM9", &ann(), "Hi", now()),
        memory: owners_words("Hi", now().as_millisecond()),
        answered: vec!["SM1".into()],
        now: days(2),
    };
    store.answer_by_owner(&answer).await.unwrap();
    let rows = lab.database.rows("Conversations").await.unwrap();
    assert!(rows.contains(&marked[0]), "{rows:?}");
}
