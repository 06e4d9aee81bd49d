//! The migration on every spelling of the old system's tables.

use jiff::{Timestamp, civil};
use serde_json::{Value, json};
use wiremock::{MockServer, matchers::body_partial_json};

use crate::dynamodb::{answer, operation, store, transactions};

const AFTER: civil::DateTime = civil::datetime(2026, 2, 10, 14, 10, 0, 0);

fn now() -> Timestamp {
    "2026-02-10T20:10:00Z".parse().unwrap()
}

fn lead(id: &str, date: &str, changes: Value) -> Value {
    let mut lead = json!({
        "lead_id": { "S": id }, "timestamp": { "N": "1769954400" },
        "phone": { "S": "+19042520927" }, "repair_type": { "S": "screen" },
        "device": { "S": "iPhone 12" }, "appointment_date": { "S": date },
        "appointment_time": { "S": "10:00 AM" }, "status": { "S": "booked" },
    });
    for (name, value) in changes.as_object().unwrap() {
        if value.is_null() {
            lead.as_object_mut().unwrap().remove(name);
        } else {
            lead[name] = value.clone();
        }
    }
    lead
}

/// Every spelling that the old tables have, one lead a day.
fn old_leads() -> Vec<Value> {
    vec![
        lead("LEAD-PLAIN", "2026-02-11", json!({})),
        lead("LEAD-NATIONAL", "2026-02-12", json!({ "phone": { "S": "(904) 252-0927" } })),
        lead("LEAD-FLOAT", "2026-02-13", json!({ "timestamp": { "N": "1769954400.123" } })),
        lead("LEAD-STATUSLESS", "2026-02-14", json!({ "status": null })),
        lead("LEAD-LOWER", "2026-02-16", json!({ "appointment_time": { "S": "10:00 am" } })),
        lead("LEAD-24", "2026-02-17", json!({ "appointment_time": { "S": "10:00" } })),
    ]
}

async fn tables(server: &MockServer, leads: &[Value], slots: &[Value]) {
    let found = |items: &[Value]| answer(&json!({ "Items": items, "Count": items.len() }));
    let consistent = || body_partial_json(json!({ "ConsistentRead": true }));
    operation("Scan").and(consistent()).respond_with(found(leads)).mount(server).await;
    operation("Query").and(consistent()).respond_with(found(slots)).mount(server).await;
    operation("GetItem").and(consistent()).respond_with(answer(&json!({}))).mount(server).await;
    operation("TransactWriteItems").respond_with(answer(&json!({}))).mount(server).await;
}

#[tokio::test]
async fn every_spelling_gets_its_rows_on_condition_of_what_was_read() {
    let (server, store) = store().await;
    tables(&server, &old_leads(), &[]).await;
    let report = store.migrate(AFTER, now(), true).await.unwrap();
    assert_eq!((report.written.len(), report.open.len()), (6, 0), "{report:?}");
    let sent = transactions(&server).await;
    assert_eq!(sent.len(), 6);
    for (lead, sent) in old_leads().iter().zip(&sent) {
        let items = sent["TransactItems"].as_array().unwrap();
        let touched = &items[0]["Update"];
        assert_eq!(touched["Key"]["timestamp"], lead["timestamp"]);
        assert_eq!(touched["ExpressionAttributeValues"][":was_phone"], lead["phone"]);
        let condition = touched["ConditionExpression"].as_str().unwrap();
        let statusless = lead.get("status").is_none();
        assert_eq!(condition.contains("attribute_not_exists(#status)"), statusless, "{condition}");
        let slot = &items[1]["Update"];
        assert_eq!(slot["Key"]["slot_time"]["S"], "10:00 AM");
        assert_eq!(slot["Key"]["schedule_date"], lead["appointment_date"]);
        assert!(slot["ConditionExpression"].as_str().unwrap().contains("attribute_not_exists"));
        let booking = &items[3]["Put"];
        assert_eq!(booking["Item"]["phone"]["S"], "+19042520927");
        assert_eq!(booking["ConditionExpression"], "attribute_not_exists(phone)");
    }
}

#[tokio::test]
async fn a_check_writes_nothing_and_names_what_cannot_be_read() {
    let (server, store) = store().await;
    let mut leads = old_leads();
    leads.push(lead("LEAD-LATER", "2026-02-18", json!({ "appointment_time": { "S": "later" } })));
    leads.push(lead("LEAD-PAST", "2026-02-09", json!({})));
    leads.push(lead("LEAD-TWICE", "2026-02-11", json!({ "appointment_time": { "S": "10:30" } })));
    tables(&server, &leads, &[]).await;
    let report = store.migrate(AFTER, now(), false).await.unwrap();
    assert!(transactions(&server).await.is_empty());
    assert!(report.written.is_empty());
    assert_eq!(report.missing[0], "LEAD-PLAIN on 2026-02-11T10:00: slot, booking");
    assert_eq!(report.missing.last().unwrap(), "LEAD-TWICE on 2026-02-11T10:30: booking");
    assert_eq!(
        report.open,
        [
            "LEAD-LATER: a row of Leads is malformed: appointment_time is not a time of day",
            "LEAD-TWICE on 2026-02-11T10:30: the time is held by LEAD-PLAIN",
        ]
    );
}

#[tokio::test]
async fn a_hold_under_another_spelling_needs_no_second_row() {
    let (server, store) = store().await;
    let hold = json!({
        "schedule_date": { "S": "2026-02-11" }, "slot_time": { "S": "10am" },
        "status": { "S": "booked" }, "lead_id": { "S": "LEAD-PLAIN" },
    });
    tables(&server, &[lead("LEAD-PLAIN", "2026-02-11", json!({}))], &[hold]).await;
    let report = store.migrate(AFTER, now(), false).await.unwrap();
    assert_eq!(report.missing, ["LEAD-PLAIN on 2026-02-11T10:00: booking"]);
}
