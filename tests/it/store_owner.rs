//! The store on the embedded database: what the owner grants, answers and takes off.

use handlers::{
    domain::{
        discount::DiscountGrant,
        outbox::{Callback, OutboxText, OwnerAnswer, UnansweredText},
        slot::SlotTime,
        time_off::{TimeOffChange, TimeOffRow},
        turn::{MemoryTurn, NewClaim, TurnEnd, TurnKey, TurnText},
    },
    ports::{BookOutcome, Store as _},
};
use jiff::{SignedDuration, Timestamp, civil::date};

use crate::store::{Lab, ann, at, booking, lead, now};

fn days(count: i64) -> Timestamp {
    now() + SignedDuration::from_hours(24 * count)
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
    let key = TurnKey { phone: ann(), sid: "SM1".into() };
    let unanswered = UnansweredText {
        key: key.clone(),
        words: "Hello?".into(),
        media: Vec::new(),
        reason: "the deadline passed".into(),
        now: now(),
    };
    store.keep_callback(&Callback { unanswered, notification: Vec::new() }).await.unwrap();
    assert_eq!(store.unanswered().await.unwrap(), [key]);
    let memory = MemoryTurn {
        user: "[the owner]".into(),
        assistant: "I'll be there".into(),
        at_ms: Some(now().as_millisecond()),
        by_owner: true,
    };
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
    let words = |at_ms| MemoryTurn {
        user: "[the owner]".into(),
        assistant: "I'm late".into(),
        at_ms: Some(at_ms),
        by_owner: true,
    };
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
    assert!(schedule.conflict(SlotTime::hour_of_day(15), 60, None).is_some());
    assert!(changed(change("3:00 PM", None, version + 1)).await);
    let schedule = store.versioned_day_schedule(day).await.unwrap();
    assert!(schedule.conflict(SlotTime::hour_of_day(15), 60, None).is_none());
    assert!(schedule.conflict(at(14).time(), 60, None).is_some());
}
