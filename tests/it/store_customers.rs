//! The store on the embedded database: what is stored of a customer is exported and erased.

use handlers::ports::{BookOutcome, EraseOutcome, Store as _};
use jiff::civil::date;
use rehearse_core::faults::Failure;
use serde_json::{Value, json};

use crate::store::{Lab, ann, booking, decided, lead, now, phone};

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
