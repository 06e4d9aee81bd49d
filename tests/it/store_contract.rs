//! The store's contract where it hurts: every method when the database fails, rows that nobody
//! can read, reads that may not lag, and what is sent how often.

use std::{sync::LazyLock, time::Duration};

use handlers::{
    domain::{
        booking::{Booking, Cancellation, Completion, NewBooking, RequestToken, Reschedule},
        calendar::CalendarVersions,
        calendar_settings::CalendarSettings,
        catalogue::Upsell,
        discount::DiscountGrant,
        outbox::{Callback, OutboxText, OwnerAnswer, UnansweredText},
        owner::OwnerState,
        sales::{SalesEvent, SalesRecord},
        time_off::{TimeOffChange, TimeOffRow},
        turn::{
            HandOver, MemoryTurn, NewClaim, QueueEntry, StoredRound, TurnEnd, TurnKey, TurnText,
        },
        usage::{Usage, Use},
    },
    ports::{BookOutcome, Store as _, StoreError},
};
use jiff::civil::date;
use rehearse_core::{
    faults::{Cut, DatabaseFault, Failure, Fault},
    journal::{Exchange, ExchangeDetail},
};
use serde_json::json;

use crate::store::{Lab, ann, at, booking, decided, lead, now};
use crate::store_form_holds::on_friday;

fn key() -> TurnKey {
    TurnKey { phone: ann(), sid: "SM1".into() }
}

fn new_claim(text: &TurnText) -> NewClaim<'_> {
    static KEY: LazyLock<TurnKey> = LazyLock::new(key);
    NewClaim { key: &KEY, holder: "h", text, now: now(), unix_ms: 0, until_ms: 100 }
}

/// Every method of the port once, by its name.
async fn every_method(lab: &Lab) -> Vec<(&'static str, Result<(), StoreError>)> {
    let store = &lab.store;
    let two = lead("LEAD-A", &ann(), 14);
    let token = |text: &str| RequestToken::derive(&[text]);
    let me = QueueEntry { sid: "SM1".into(), until_ms: 10 };
    let from = date(2026, 2, 10).at(0, 0, 0, 0);
    let much_later = date(2026, 3, 10).at(0, 0, 0, 0);
    let cancel = Cancellation {
        booking: Booking::from(&two),
        slot_key: Some("2:00 PM".into()),
        token: token("c"),
        now: now(),
        fence: None,
        notification: Vec::new(),
    };
    let done = Completion {
        booking: Booking::from(&two),
        slot_key: Some("2:00 PM".into()),
        token: token("d"),
        now: now(),
    };
    let moved = Reschedule {
        booking: Booking::from(&two),
        to: at(9),
        time_needed: two.time_needed,
        calendar_versions: CalendarVersions { settings: 1, owner: 1 },
        slot_key: Some("2:00 PM".into()),
        day_version: 1,
        token: token("m"),
        now: now(),
        fence: None,
        notification: Vec::new(),
    };
    let text = OutboxText {
        id: "a#0".into(),
        to: ann(),
        body: "Hi".into(),
        created: now(),
        despite_opt_out: false,
    };
    let callback = Callback {
        unanswered: UnansweredText {
            key: key(),
            words: "Hello?".into(),
            media: Vec::new(),
            reason: "the deadline passed".into(),
            now: now(),
        },
        notification: vec![OutboxText { id: "c#0".into(), ..text.clone() }],
    };
    let answer = OwnerAnswer {
        to: ann(),
        texts: vec![OutboxText { id: "owner#SM9#0".into(), ..text.clone() }],
        memory: MemoryTurn {
            user: "[the owner]".into(),
            assistant: "Hi".into(),
            at_ms: None,
            by_owner: true,
        },
        answered: Vec::new(),
        now: now(),
    };
    let new_hold = on_friday();
    let time_off = TimeOffChange {
        date: date(2026, 2, 20),
        day_version: 0,
        rows: vec![TimeOffRow { key: "2:00 PM".into(), minutes: Some(60) }],
        now: now(),
    };
    let turn_text = TurnText::default();
    let claim = new_claim(&turn_text);
    let hand_over = HandOver {
        key: key(),
        holder: "h".into(),
        now: now(),
        messages: vec!["One moment".into()],
    };
    let late_end = TurnEnd {
        key: key(),
        holder: "h2".into(),
        now: now(),
        messages: Vec::new(),
        memory: None,
        dequeue: None,
        callback: None,
        late_answer: Some(vec![OutboxText { id: "late#0".into(), ..text.clone() }]),
    };
    let kind = SalesEvent::Upsell { item: Upsell::Case, accepted: true, price: None };
    let grant = DiscountGrant { key: key(), ordinal: 0, percent: 15, now: now() };
    let note = SalesRecord { key: key(), ordinal: 0, now: now(), kind };
    let usage = Usage { version: 1, uses: vec![Use { id: "a".into(), at_ms: 0 }] };
    let end = TurnEnd {
        key: key(),
        holder: "h".into(),
        now: now(),
        messages: vec!["Hi".into()],
        memory: None,
        dequeue: None,
        callback: None,
        late_answer: None,
    };
    let round = StoredRound::default();
    let settings = CalendarSettings { version: 1, ..CalendarSettings::default() };
    let booked = NewBooking {
        calendar_versions: CalendarVersions { settings: 1, owner: 1 },
        ..booking(&two, "b", None)
    };
    vec![
        ("owner", store.owner().await.map(drop)),
        (
            "put_owner",
            store.put_owner(&OwnerState { version: 1, ..OwnerState::default() }, 0).await.map(drop),
        ),
        ("calendar_settings", store.calendar_settings().await.map(drop)),
        ("put_calendar_settings", store.put_calendar_settings(&settings, 0).await.map(drop)),
        ("holds_from", store.holds_from(date(2026, 2, 11)).await.map(drop)),
        ("day_schedule", store.day_schedule(date(2026, 2, 11)).await.map(drop)),
        ("versioned_day_schedule", store.versioned_day_schedule(date(2026, 2, 11)).await.map(drop)),
        ("book", store.book(&booked).await.map(drop)),
        ("bookings", store.open_bookings(&ann(), from).await.map(drop)),
        ("lead", store.lead(&two.id).await.map(drop)),
        ("reschedule", store.reschedule(&moved).await.map(drop)),
        ("complete", store.complete(&done).await.map(drop)),
        ("cancel", store.cancel(&cancel).await.map(drop)),
        ("idempotency_record", store.idempotency_record("k").await.map(drop)),
        ("hold_slot", store.hold_slot(&new_hold).await.map(drop)),
        ("form_hold", store.form_hold(new_hold.hold.id.key_hash()).await.map(drop)),
        ("count_code_try", store.count_code_try(&new_hold.hold.id, "try").await.map(drop)),
        ("release_slot", store.release_slot(&new_hold.hold, now()).await),
        ("grant_discount", store.grant_discount(&grant).await.map(drop)),
        ("open_discount", store.open_discount(&ann(), now()).await.map(drop)),
        ("record_sale", store.record_sale(&note).await),
        ("usage", store.usage("s").await.map(drop)),
        ("put_usage", store.put_usage("s", &usage, now()).await.map(drop)),
        ("opted_out", store.opted_out(&ann()).await.map(drop)),
        ("set_opted_out", store.set_opted_out(&ann(), true, now()).await),
        ("unset_opted_out", store.set_opted_out(&ann(), false, now()).await),
        ("claim_turn", store.claim_turn(&claim).await.map(drop)),
        ("turn_answer", store.turn_answer(&key()).await.map(drop)),
        ("save_round", store.save_round(&key(), "h", 0, &round).await.map(drop)),
        ("join_queue", store.join_queue(&ann(), &me).await.map(drop)),
        ("queue", store.queue(&ann()).await.map(drop)),
        ("leave_queue", store.leave_queue(&ann(), 0, &me).await.map(drop)),
        ("memory", store.memory(&ann()).await.map(drop)),
        ("hand_over", store.hand_over(&hand_over).await.map(drop)),
        ("late_turns", store.late_turns().await.map(drop)),
        ("claim_late_turn", store.claim_late_turn(&key(), "h2", 0, 100).await.map(drop)),
        ("finish_late_turn", store.finish_turn(&late_end).await.map(drop)),
        ("finish_turn", store.finish_turn(&end).await.map(drop)),
        ("replace_in_queue", store.replace_in_queue(&ann(), 0, &me, &me).await.map(drop)),
        ("enqueue_once", store.enqueue_once(std::slice::from_ref(&text)).await.map(drop)),
        ("keep_callback", store.keep_callback(&callback).await),
        ("unanswered", store.unanswered().await.map(drop)),
        ("mark_answered", store.mark_answered("SM1", now()).await.map(drop)),
        ("recent_customers", store.recent_customers(now()).await.map(drop)),
        ("answer_by_owner", store.answer_by_owner(&answer).await),
        ("change_time_off", store.change_time_off(&time_off).await.map(drop)),
        ("waiting_texts", store.waiting_texts().await.map(drop)),
        ("claim_text", store.claim_text("a#0", "h", 0, 100).await.map(drop)),
        ("release_text", store.release_text("a#0", "h").await),
        ("refuse_text", store.refuse_text("a#0", Some(21_610), now()).await),
        ("remove_text", store.remove_text("a#0").await),
        ("customer_data", store.customer_data(&ann()).await.map(drop)),
        ("erase_customer_with_bookings", store.erase_customer(&ann(), from).await.map(drop)),
        ("erase_customer", store.erase_customer(&ann(), much_later).await.map(drop)),
    ]
}

fn calls(lab: &Lab) -> Vec<Exchange> {
    let all = lab.journal.since(0).into_iter();
    all.filter(|entry| matches!(entry.detail, ExchangeDetail::Database { .. })).collect()
}

fn everywhere(lab: &Lab, failure: Failure) {
    lab.faults.arm(Fault { on: "dynamodb.*".into(), failure, ..Fault::default() });
}

#[tokio::test]
async fn with_the_database_down_every_method_is_an_error_and_nothing_is_written() {
    let down = |status| Failure { status: Some(status), ..Failure::default() };
    let cut = Failure { cut: Some(Cut::Before), ..Failure::default() };
    for failure in [down(500), down(503), down(400), cut] {
        let lab = Lab::start().await;
        everywhere(&lab, failure.clone());
        for (method, result) in every_method(&lab).await {
            let unavailable = matches!(result, Err(StoreError::Unavailable(_)));
            assert!(unavailable, "{method} with {failure:?}: {result:?}");
        }
        for table in
            ["Leads", "Schedule", "CustomerBookings", "Conversations", "OwnerState", "OptOuts"]
        {
            assert_eq!(lab.count(table).await, 0, "{table} with {failure:?}");
        }
    }
}

#[tokio::test]
async fn no_read_of_the_store_may_lag() {
    let lab = Lab::start().await;
    everywhere(&lab, Failure { database_fault: Some(DatabaseFault::Stale), ..Failure::default() });
    for (method, result) in every_method(&lab).await {
        assert!(result.is_ok(), "{method}: {result:?}");
    }
    let reads = ["GetItem", "Query", "Scan", "BatchGetItem"];
    let mut seen = 0;
    for entry in calls(&lab) {
        let ExchangeDetail::Database { operation, request, .. } = &entry.detail else { continue };
        if reads.contains(&operation.as_str()) {
            assert_eq!(request["ConsistentRead"], true, "{request}");
            seen += 1;
        }
    }
    assert!(seen >= 7, "only {seen} reads");
}

#[tokio::test]
async fn a_row_that_cannot_be_read_is_an_error_and_never_nothing() {
    let lab = Lab::start().await;
    let put = async |table: &str, row| lab.database.put_rows(table, &[row]).await.unwrap();
    put("OwnerState", json!({ "state_id": "CURRENT", "status": 7 })).await;
    put("OwnerState", json!({ "state_id": "CALENDAR", "version": 1, "settings": "{" })).await;
    put("Schedule", json!({ "schedule_date": "2026-02-11", "slot_time": "noonish" })).await;
    put("Leads", json!({ "lead_id": "LEAD-A", "timestamp": 1, "phone": "nobody" })).await;
    put("CustomerBookings", json!({ "phone": ann().as_str(), "start": "2026-02-11T14:00" })).await;
    put(
        "Conversations",
        json!({ "conversation_id": ann().as_str(), "item_id": "memory", "turns": "x" }),
    )
    .await;
    put(
        "Conversations",
        json!({ "conversation_id": ann().as_str(), "item_id": "queue", "waiting": "x" }),
    )
    .await;
    put(
        "Conversations",
        json!({ "conversation_id": ann().as_str(), "item_id": "turn#SM1", "messages": 1 }),
    )
    .await;
    put(
        "Conversations",
        json!({ "conversation_id": "usage#s", "item_id": "uses", "version": 1, "uses": "x" }),
    )
    .await;
    put("Conversations", json!({ "conversation_id": "holds", "item_id": "k", "nonce": 1 })).await;
    let store = &lab.store;
    let from = date(2026, 2, 10).at(0, 0, 0, 0);
    let turn_text = TurnText::default();
    // A row of the schedule that cannot be read empties its date instead.
    assert_eq!(store.day_schedule(date(2026, 2, 11)).await.unwrap().unreadable.len(), 1);
    let results = [
        ("owner", store.owner().await.map(drop)),
        ("calendar_settings", store.calendar_settings().await.map(drop)),
        ("lead", store.lead(&lead("LEAD-A", &ann(), 14).id).await.map(drop)),
        ("bookings", store.open_bookings(&ann(), from).await.map(drop)),
        ("memory", store.memory(&ann()).await.map(drop)),
        ("usage", store.usage("s").await.map(drop)),
        ("form_hold", store.form_hold("k").await.map(drop)),
        ("queue", store.queue(&ann()).await.map(drop)),
        ("turn_answer", store.turn_answer(&key()).await.map(drop)),
        ("claim_turn", store.claim_turn(&new_claim(&turn_text)).await.map(drop)),
    ];
    for (method, result) in results {
        assert!(matches!(result, Err(StoreError::Malformed { .. })), "{method}: {result:?}");
    }
}

/// A customer with more than a megabyte of bookings has all of them.
#[tokio::test]
async fn bookings_are_read_beyond_the_first_page() {
    let lab = Lab::start().await;
    // Engines differ in whether the row that crosses a megabyte is still in the page: of these there
    // are two or three in one.
    let note = "x".repeat(390_000);
    for hour in 9..17 {
        let two = lead(&format!("LEAD-{hour:02}"), &ann(), hour);
        let new = decided(&lab.store, booking(&two, &hour.to_string(), None)).await;
        lab.store.book(&new).await.unwrap();
        let mut rows = lab.database.rows("CustomerBookings").await.unwrap();
        let mut row = rows.pop().unwrap();
        row["note"] = json!(note);
        lab.database.put_rows("CustomerBookings", &[row]).await.unwrap();
    }
    let before = lab.journal.exchanges().named("dynamodb.Query").count();
    let open = lab.store.open_bookings(&ann(), date(2026, 2, 10).at(0, 0, 0, 0)).await.unwrap();
    assert_eq!(open.bookings.len(), 8);
    assert!(lab.journal.exchanges().named("dynamodb.Query").count() >= before + 3, "in pages");
}

/// The SDK's own retries, set once: three calls of an operation, each of them in the journal.
#[tokio::test]
async fn an_operation_is_tried_three_times_and_every_attempt_is_seen() {
    for (failure, code) in [
        (Failure { status: Some(500), ..Failure::default() }, "InternalServerError"),
        (Failure { status: Some(503), ..Failure::default() }, "ServiceUnavailable"),
        (Failure { status: Some(400), ..Failure::default() }, "ThrottlingException"),
        (Failure { cut: Some(Cut::Before), ..Failure::default() }, "cut"),
        (Failure { cut: Some(Cut::After), ..Failure::default() }, "cut"),
        (
            Failure { database_fault: Some(DatabaseFault::Truncated), ..Failure::default() },
            "truncated",
        ),
    ] {
        let lab = Lab::start().await;
        lab.fail("GetItem", 2, failure.clone());
        assert!(!lab.store.opted_out(&ann()).await.unwrap(), "{code}");
        let errors = || -> Vec<_> {
            calls(&lab).into_iter().map(|call| call.outcome.unwrap().error).collect()
        };
        let failed = || Some(code.to_owned());
        assert_eq!(errors(), [failed(), failed(), None], "{code}");
        lab.fail("GetItem", 9, failure);
        assert!(lab.store.opted_out(&ann()).await.is_err(), "{code}");
        assert_eq!(errors().len(), 6, "{code}: three more and no fourth");
    }
}

/// What is no passing trouble is not tried again.
#[tokio::test]
async fn a_refusal_is_final() {
    let lab = Lab::start().await;
    let refused = Failure { code: Some("ValidationException".into()), ..Failure::default() };
    lab.fail("GetItem", 9, refused);
    assert!(lab.store.opted_out(&ann()).await.is_err());
    assert_eq!(calls(&lab).len(), 1);
}

/// The deadline drops the call: no attempt begins after it.
#[tokio::test]
async fn whoever_stops_waiting_stops_the_retries() {
    let lab = Lab::start().await;
    let slow = Failure { status: Some(500), delay_ms: Some(60_000), ..Failure::default() };
    lab.fail("GetItem", 9, slow);
    let phone = ann();
    let read = lab.store.opted_out(&phone);
    assert!(tokio::time::timeout(Duration::from_millis(100), read).await.is_err());
    let mut changes = lab.journal.watch();
    while calls(&lab).first().is_none_or(|call| call.outcome.is_none()) {
        changes.changed().await.unwrap();
    }
    assert_eq!(calls(&lab).len(), 1);
}

#[tokio::test]
async fn conflicts_are_waited_out_and_a_lasting_one_is_no_claim() {
    let conflict =
        || Failure { database_fault: Some(DatabaseFault::Conflict), ..Failure::default() };
    let lab = Lab::start().await;
    lab.fail("TransactWriteItems", 3, conflict());
    let two = lead("LEAD-A", &ann(), 14);
    assert_eq!(lab.store.book(&booking(&two, "a", None)).await.unwrap(), BookOutcome::Booked);
    assert_eq!(lab.journal.exchanges().named("dynamodb.TransactWriteItems").count(), 4);
    lab.fail("UpdateItem", 3, conflict());
    lab.store.claim_turn(&new_claim(&TurnText::default())).await.unwrap();

    let lab = Lab::start().await;
    lab.fail("TransactWriteItems", 99, conflict());
    assert!(lab.store.book(&booking(&two, "a", None)).await.is_err(), "neither yes nor taken");
    assert_eq!(lab.count("Leads").await, 0);
}

/// Ten minutes later the token says nothing: the rows do.
#[tokio::test]
async fn a_repeat_after_the_token_has_expired_is_the_same_booking() {
    let lab = Lab::start().await;
    let two = lead("LEAD-A", &ann(), 14);
    let new = booking(&two, "a", None);
    assert_eq!(lab.store.book(&new).await.unwrap(), BookOutcome::Booked);
    let expired =
        Failure { database_fault: Some(DatabaseFault::ExpiredToken), ..Failure::default() };
    lab.fail("TransactWriteItems", 1, expired);
    let again = lab.store.book(&new).await.unwrap();
    assert_eq!(again, BookOutcome::Exists(Box::new(two)));
    assert_eq!((lab.count("Leads").await, lab.count("Schedule").await), (1, 1));
}
