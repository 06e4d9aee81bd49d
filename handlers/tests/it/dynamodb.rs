//! The DynamoDB adapter in situations that an embedded engine never causes: lost acknowledgements,
//! conflicts, pages.

use std::{collections::BTreeSet, sync::Arc};

use handlers::{
    adapters::{
        dynamodb::{DynamoDb, Settings, Tables},
        system::SystemTimer,
    },
    compose::Clients,
    domain::{
        booking::{NewBooking, RequestToken},
        lead::LeadId,
        phone::Phone,
        slot::{Slot, SlotTime},
        turn::{NewClaim, QueueEntry, TurnKey, TurnText},
    },
    ports::{BookOutcome, Store, StoreError, TurnClaim},
};
use jiff::civil::date;
use serde_json::{Value, json};
use wiremock::{
    Mock, MockServer, Request, ResponseTemplate,
    matchers::{body_partial_json, header},
};

const LEAD: &str = "LEAD-20260210-201000-1a2b3c";

pub async fn store() -> (MockServer, DynamoDb) {
    let server = MockServer::start().await;
    let store = {
        let settings = Settings {
            endpoint: Some(&server.uri()),
            region: "us-east-1",
            access_key_id: "local",
            secret_access_key: "local",
            session_token: None,
            tables: Tables {
                leads: "Leads".into(),
                owner: "OwnerState".into(),
                schedule: "Schedule".into(),
                conversations: "Conversations".into(),
                bookings: "CustomerBookings".into(),
                opt_outs: "OptOuts".into(),
            },
            timer: Arc::new(SystemTimer),
        };
        DynamoDb::new(Clients::plain().unwrap().dynamodb, settings)
    };
    (server, store)
}

pub fn operation(name: &str) -> wiremock::MockBuilder {
    Mock::given(header("x-amz-target", format!("DynamoDB_20120810.{name}")))
}

pub fn answer(body: &Value) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_raw(body.to_string(), "application/x-amz-json-1.0")
}

fn failure(status: u16, kind: &str, reasons: &[&str]) -> ResponseTemplate {
    let reasons: Vec<_> = reasons.iter().map(|code| json!({ "Code": code })).collect();
    let kind = format!("com.amazonaws.dynamodb.v20120810#{kind}");
    let body = json!({ "__type": kind, "Message": "no", "CancellationReasons": reasons });
    ResponseTemplate::new(status).set_body_raw(body.to_string(), "application/x-amz-json-1.0")
}

fn server_error() -> ResponseTemplate {
    failure(500, "InternalServerError", &[])
}

fn refused(reasons: &[&str]) -> ResponseTemplate {
    failure(400, "TransactionCanceledException", reasons)
}

fn new_booking() -> NewBooking {
    let lead = memory_ports::lead(
        LeadId::from_row(LEAD),
        Slot::new(date(2026, 2, 11), SlotTime::hour_of_day(14)),
    );
    memory_ports::new_booking(lead, &["SM1", "0"])
}

/// The rows that are read after the transaction.
async fn found(server: &MockServer, lead_phone: Option<&str>, holder: Option<&str>) {
    let lead = lead_phone.map(|phone| {
        json!({
            "lead_id": { "S": LEAD }, "timestamp": { "N": "1770754200" }, "phone": { "S": phone },
            "repair_type": { "S": "screen" }, "device": { "S": "iPhone" },
            "appointment_date": { "S": "2026-02-11" }, "appointment_time": { "S": "2:00 PM" },
            "status": { "S": "booked" },
        })
    });
    let leads: Vec<_> = lead.into_iter().collect();
    let query = json!({ "Items": leads, "Count": leads.len(), "ScannedCount": leads.len() });
    operation("Query")
        .and(body_partial_json(json!({ "ConsistentRead": true })))
        .respond_with(answer(&query))
        .mount(server)
        .await;
    let slot = holder.map_or(json!({}), |holder| {
        json!({ "Item": {
            "schedule_date": { "S": "2026-02-11" }, "slot_time": { "S": "2:00 PM" },
            "status": { "S": "booked" }, "lead_id": { "S": holder },
        } })
    });
    operation("GetItem")
        .and(body_partial_json(json!({ "ConsistentRead": true })))
        .respond_with(answer(&slot))
        .mount(server)
        .await;
}

pub async fn transactions(server: &MockServer) -> Vec<Value> {
    let is_transaction = |request: &Request| {
        request.headers["x-amz-target"] == "DynamoDB_20120810.TransactWriteItems"
    };
    let requests = server.received_requests().await.unwrap();
    let bodies = requests.iter().filter(|request| is_transaction(request));
    bodies.map(|request| serde_json::from_slice(&request.body).unwrap()).collect()
}

#[tokio::test]
async fn a_lost_acknowledgement_is_resolved_by_reading_the_lead() {
    let (server, store) = store().await;
    operation("TransactWriteItems").respond_with(server_error()).mount(&server).await;
    found(&server, Some("+19042520927"), Some(LEAD)).await;
    let found = store.book(&new_booking()).await.unwrap();
    assert!(matches!(found, BookOutcome::Exists(_)), "{found:?}");
    let sent = transactions(&server).await;
    assert_eq!(sent.len(), 3, "the first attempt and two retries");
    assert!(sent.iter().all(|body| *body == sent[0]), "a repeat must be the same request");
    let token = RequestToken::derive(&["SM1", "0"]);
    assert_eq!(sent[0]["ClientRequestToken"], token.as_str());
    assert_eq!(sent[0]["TransactItems"].as_array().unwrap().len(), 6);
}

#[tokio::test]
async fn a_repeat_that_meets_its_own_rows_is_a_success() {
    let (server, store) = store().await;
    let reasons = ["None", "ConditionalCheckFailed", "ConditionalCheckFailed", "None"];
    operation("TransactWriteItems").respond_with(refused(&reasons)).mount(&server).await;
    found(&server, Some("+19042520927"), Some(LEAD)).await;
    let found = store.book(&new_booking()).await.unwrap();
    assert!(matches!(found, BookOutcome::Exists(_)), "{found:?}");
}

#[tokio::test]
async fn taken_is_said_when_somebody_else_holds_the_slot() {
    for failing in [server_error(), refused(&["ConditionalCheckFailed", "None", "None", "None"])] {
        let (server, store) = store().await;
        operation("TransactWriteItems").respond_with(failing).mount(&server).await;
        found(&server, None, Some("LEAD-OTHER")).await;
        assert_eq!(store.book(&new_booking()).await.unwrap(), BookOutcome::SlotTaken);
    }
}

#[tokio::test]
async fn a_failure_that_left_no_rows_is_a_failure() {
    let (server, store) = store().await;
    operation("TransactWriteItems").respond_with(server_error()).mount(&server).await;
    found(&server, None, None).await;
    assert!(matches!(store.book(&new_booking()).await, Err(StoreError::Unavailable(_))));
}

#[tokio::test]
async fn an_id_that_somebody_else_has_is_no_success() {
    let (server, store) = store().await;
    let reasons = ["None", "None", "ConditionalCheckFailed", "None"];
    operation("TransactWriteItems").respond_with(refused(&reasons)).mount(&server).await;
    found(&server, Some("+19045550123"), None).await;
    let error = store.book(&new_booking()).await.unwrap_err();
    assert_eq!(error.to_string(), "a row of Leads is malformed: the id of a new lead is in use");
}

#[tokio::test]
async fn conflicts_with_other_transactions_are_waited_out() {
    let (server, store) = store().await;
    let conflict = refused(&["TransactionConflict", "None", "None"]);
    let conflicts = operation("TransactWriteItems").respond_with(conflict);
    conflicts.up_to_n_times(2).mount(&server).await;
    operation("TransactWriteItems").respond_with(answer(&json!({}))).mount(&server).await;
    assert_eq!(store.book(&new_booking()).await.unwrap(), BookOutcome::Booked);
    assert_eq!(transactions(&server).await.len(), 3);
}

#[tokio::test]
async fn joining_the_queue_outlasts_the_end_of_another_turn() {
    let (server, store) = store().await;
    let conflict = failure(400, "TransactionConflictException", &[]);
    operation("UpdateItem").respond_with(conflict).up_to_n_times(3).mount(&server).await;
    let entry = json!({ "M": { "sid": { "S": "SM1" }, "until_ms": { "N": "10" } } });
    let row = json!({ "Attributes": { "waiting": { "L": [entry] } } });
    operation("UpdateItem").respond_with(answer(&row)).mount(&server).await;
    let phone = Phone::parse("+19042520927").unwrap();
    let me = QueueEntry { sid: "SM1".into(), until_ms: 10 };
    assert_eq!(store.join_queue(&phone, &me).await.unwrap(), [me]);
}

#[tokio::test]
async fn a_claim_outlasts_the_end_of_the_attempt_that_it_repeats() {
    let (server, store) = store().await;
    let conflict = failure(400, "TransactionConflictException", &[]);
    operation("UpdateItem").respond_with(conflict).up_to_n_times(3).mount(&server).await;
    let mut body: Value =
        json!({ "__type": "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException" });
    body["Item"] = json!({ "messages": { "L": [{ "S": "Hi" }] }, "now": { "N": "1" } });
    let refusal =
        ResponseTemplate::new(400).set_body_raw(body.to_string(), "application/x-amz-json-1.0");
    operation("UpdateItem").respond_with(refusal).mount(&server).await;
    let key = TurnKey { phone: Phone::parse("+19042520927").unwrap(), sid: "SM1".into() };
    let now = "2026-02-10T20:10:00Z".parse().unwrap();
    let text = TurnText::default();
    let claim = NewClaim { key: &key, holder: "h2", text: &text, now, unix_ms: 0, until_ms: 10 };
    let claimed = store.claim_turn(&claim).await.unwrap();
    assert_eq!(claimed, TurnClaim::Answered(vec!["Hi".into()]));
}

#[tokio::test]
async fn a_throttled_call_is_tried_again() {
    let (server, store) = store().await;
    let throttled = failure(400, "ProvisionedThroughputExceededException", &[]);
    operation("GetItem").respond_with(throttled).up_to_n_times(1).mount(&server).await;
    operation("GetItem").respond_with(answer(&json!({}))).mount(&server).await;
    assert_eq!(store.owner().await.unwrap().version, 0);
}

#[tokio::test]
async fn availability_reads_every_page() {
    let (server, store) = store().await;
    let row = |time: &str, status: &str| {
        json!({
            "schedule_date": { "S": "2026-02-11" }, "slot_time": { "S": time },
            "status": { "S": status },
        })
    };
    let last = json!({ "schedule_date": { "S": "2026-02-11" }, "slot_time": { "S": "2:00 PM" } });
    let first = json!({ "Items": [row("2:00 PM", "booked")], "LastEvaluatedKey": last });
    let second = json!({ "Items": [row("3:00 PM", "available"), row("9:00 AM", "blocked")] });
    operation("Query")
        .and(body_partial_json(json!({ "ExclusiveStartKey": last, "ConsistentRead": true })))
        .respond_with(answer(&second))
        .mount(&server)
        .await;
    operation("Query").respond_with(answer(&first)).mount(&server).await;
    let day = store.day_schedule(date(2026, 2, 11)).await.unwrap();
    let starts: BTreeSet<_> = day.holds.iter().map(|hold| hold.start).collect();
    assert_eq!(starts, BTreeSet::from([SlotTime::hour_of_day(9), SlotTime::hour_of_day(14)]));
}

#[tokio::test]
async fn a_date_that_changed_is_decided_again() {
    let (server, store) = store().await;
    let reasons = ["None", "ConditionalCheckFailed", "None", "None"];
    operation("TransactWriteItems").respond_with(refused(&reasons)).mount(&server).await;
    found(&server, None, None).await;
    assert_eq!(store.book(&new_booking()).await.unwrap(), BookOutcome::DayChanged);
}

#[tokio::test]
async fn a_failed_page_is_never_all_free() {
    let (server, store) = store().await;
    operation("Query").respond_with(server_error()).mount(&server).await;
    let taken = store.day_schedule(date(2026, 2, 11)).await;
    assert!(matches!(taken, Err(StoreError::Unavailable(_))), "{taken:?}");
}
