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
    ports::{BookOutcome, CompleteOutcome, EraseOutcome, Store as _},
};
use jiff::{SignedDuration, Timestamp, civil::date};
use rehearse_core::faults::{Cut, Failure};
use serde_json::{Value, json};

use crate::store::{Lab, ann, at, booking, decided, lead, now, phone};

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

const BOB: &str = "+19045550123";
const TABLES: [&str; 4] = ["Leads", "Schedule", "CustomerBookings", "Conversations"];

/// Rows that name Ann, in the forms of old and new programs, and the same of Bob.
async fn put_customers(lab: &Lab) {
    let put = async |table: &str, row: Value| lab.database.put_rows(table, &[row]).await.unwrap();
    for (who, number, written) in
        [("A", ann().as_str(), "(904) 252-0927"), ("B", BOB, "904.555.0123")]
    {
        // An appointment that is over.
        put(
            "Leads",
            json!({
                "lead_id": format!("LEAD-{who}"), "timestamp": 1_769_954_400, "phone": written,
                "customer_name": "Dana", "address": "12 Main St", "repair_type": "screen",
                "device": "iPhone", "appointment_date": "2026-02-02",
                "appointment_time": "2:00 PM", "status": "booked",
            }),
        )
        .await;
        put(
            "Schedule",
            json!({
                "schedule_date": "2026-02-02", "slot_time": format!("2:00 PM {who}"),
                "status": "booked", "lead_id": format!("LEAD-{who}"), "phone": written,
            }),
        )
        .await;
        for start in ["2026-02-02T14:00", "#form"] {
            let row = json!({ "phone": number, "start": start, "version": 1 });
            put("CustomerBookings", row).await;
        }
        let sid = format!("SM{who}");
        let turn = format!("turn#{sid}");
        for (partition, item, rest) in [
            (number, "memory", json!({ "turns": [{ "user": "Hi", "assistant": "Hello" }] })),
            (number, turn.as_str(), json!({ "now": 1_769_954_400_000_i64, "media": 0 })),
            ("customers", number, json!({ "last_ms": 1_769_954_400_000_i64 })),
            ("late", sid.as_str(), json!({ "phone": number })),
            ("holds", sid.as_str(), json!({ "phone": number })),
            ("unanswered", sid.as_str(), json!({ "phone": number, "words": "Hello?" })),
            ("outbox", sid.as_str(), json!({ "to": number, "body": "Hi" })),
            (
                "outbox",
                turn.as_str(),
                json!({ "to": "+19045550199", "body": format!("Cancelled: {number}") }),
            ),
        ] {
            let mut row = rest;
            row["conversation_id"] = json!(partition);
            row["item_id"] = json!(item);
            put("Conversations", row).await;
        }
    }
    // Nobody's: neither an error nor in the way.
    let odd = json!({ "lead_id": "LEAD-X", "timestamp": 1, "phone": "call the front desk" });
    put("Leads", odd).await;
}

/// The rows of the tables, by table, that name somebody by any of these words.
async fn naming(lab: &Lab, words: [&str; 3]) -> Vec<String> {
    let mut found = Vec::new();
    for table in TABLES {
        for row in lab.database.rows(table).await.unwrap() {
            let text = row.to_string();
            if words.iter().any(|word| text.contains(word)) {
                found.push(format!("{table} {text}"));
            }
        }
    }
    found
}

const NAMES_ANN: [&str; 3] = ["2520927", "252-0927", "SMA"];
const NAMES_BOB: [&str; 3] = ["5550123", "555.0123", "SMB"];

#[tokio::test]
async fn a_customers_rows_are_exported_from_every_table_and_no_others() {
    let lab = Lab::start().await;
    put_customers(&lab).await;
    lab.store.set_opted_out(&ann(), true, now()).await.unwrap();
    let data = lab.store.customer_data(&ann()).await.unwrap();
    assert!(data.opted_out);
    assert_eq!(data.leads.len(), 1);
    assert_eq!(data.leads[0]["phone"], "(904) 252-0927");
    assert_eq!(data.leads[0]["timestamp"], 1_769_954_400);
    assert_eq!(data.schedule.len(), 1);
    assert_eq!(data.bookings.len(), 2);
    let ids: Vec<&Value> = data.conversation.iter().map(|row| &row["item_id"]).collect();
    assert_eq!(ids, ["memory", "turn#SMA", "+19042520927", "SMA", "SMA"]);
    assert_eq!(data.conversation[0]["turns"][0]["user"], "Hi");
    assert_eq!(data.unanswered.len(), 1);
    assert_eq!(data.outbox.len(), 2);
    let all = json!([
        data.bookings,
        data.leads,
        data.schedule,
        data.conversation,
        data.unanswered,
        data.outbox
    ]);
    let all = all.to_string();
    assert!(NAMES_BOB.iter().all(|word| !all.contains(word)), "{all}");

    let nobody = lab.store.customer_data(&phone("+19045550177")).await.unwrap();
    assert!(!nobody.opted_out);
    assert!(nobody.leads.is_empty() && nobody.conversation.is_empty() && nobody.outbox.is_empty());
}

#[tokio::test]
async fn erasing_a_customer_leaves_nobody_but_the_others_and_may_be_repeated() {
    let lab = Lab::start().await;
    put_customers(&lab).await;
    lab.store.set_opted_out(&ann(), true, now()).await.unwrap();
    let bobs = naming(&lab, NAMES_BOB).await;
    let from = date(2026, 2, 10).at(14, 10, 1, 0);
    // A failure in the middle is told, and a repeat erases the rest.
    lab.fail("DeleteItem", 9, Failure { status: Some(500), ..Failure::default() });
    assert!(lab.store.erase_customer(&ann(), from).await.is_err());
    lab.faults.clear();
    assert!(!naming(&lab, NAMES_ANN).await.is_empty());
    let outcome = lab.store.erase_customer(&ann(), from).await.unwrap();
    assert!(matches!(outcome, EraseOutcome::Erased(1..)), "{outcome:?}");
    assert_eq!(naming(&lab, NAMES_ANN).await, Vec::<String>::new());
    assert_eq!(naming(&lab, NAMES_BOB).await, bobs, "another customer's");
    assert!(lab.store.opted_out(&ann()).await.unwrap());

    // For the books: the lead without its customer can be read, and holds what was done.
    let rows = lab.database.rows("Leads").await.unwrap();
    let kept = rows.iter().find(|row| row["lead_id"] == "LEAD-A").unwrap();
    for taken in ["customer_name", "address", "device"] {
        assert!(kept.get(taken).is_none(), "{kept}");
    }
    assert_eq!(kept["repair_type"], "screen");
    let id = handlers::domain::lead::LeadId::from_row("LEAD-A");
    assert_eq!(lab.store.lead(&id).await.unwrap().unwrap().customer_name, None);
    let again = lab.store.erase_customer(&ann(), from).await.unwrap();
    assert_eq!(again, EraseOutcome::Erased(0));
}

#[tokio::test]
async fn nothing_is_erased_while_a_booking_is_open() {
    let lab = Lab::start().await;
    let store = &lab.store;
    for (id, hour) in [("LEAD-B", 14), ("LEAD-A", 15)] {
        let new = decided(store, booking(&lead(id, &ann(), hour), id, None)).await;
        assert_eq!(store.book(&new).await.unwrap(), BookOutcome::Booked);
    }
    // As the old system left it: an open lead without a row among the bookings.
    let old = json!({
        "lead_id": "LEAD-C", "timestamp": 1_769_954_400, "phone": "904-252-0927",
        "repair_type": "screen", "appointment_date": "2026-02-12", "appointment_time": "9:00 AM",
    });
    lab.database.put_rows("Leads", &[old]).await.unwrap();
    let open_from = async |day, hour| {
        let from = date(2026, 2, day).at(hour, 0, 0, 0);
        match store.erase_customer(&ann(), from).await.unwrap() {
            EraseOutcome::HasOpenBookings(open) => {
                open.iter().map(|id| id.as_str().to_owned()).collect::<Vec<_>>()
            }
            EraseOutcome::Erased(_) => Vec::new(),
        }
    };
    assert_eq!(open_from(11, 14).await, ["LEAD-A", "LEAD-B", "LEAD-C"]);
    assert_eq!(open_from(11, 15).await, ["LEAD-A", "LEAD-C"]);
    assert_eq!(open_from(12, 9).await, ["LEAD-C"]);
    assert_eq!((lab.count("Leads").await, lab.count("CustomerBookings").await), (3, 2));
    assert_eq!(open_from(12, 10).await, Vec::<String>::new());
    assert_eq!(lab.count("CustomerBookings").await, 0);
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
