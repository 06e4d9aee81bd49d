//! `/scheduler` as pages use it.

use std::sync::Arc;

use axum::Router;
use handlers::{
    adapters::system::RandomIdGenerator,
    app::scheduler::Scheduler,
    domain::{calendar::Calendar, form_hold::FormConfirmation},
    http,
};
use serde_json::{Value, json};

use crate::events::{TestRequest, request};
use memory_ports::{FakeStore, Idle};

pub fn router() -> (Router, Arc<FakeStore>) {
    router_with(FormConfirmation::None)
}

/// A form whose bookings are confirmed by a code. The texts stay in the outbox.
pub fn confirming_router() -> (Router, Arc<FakeStore>) {
    router_with(FormConfirmation::Sms)
}

fn router_with(confirmation: FormConfirmation) -> (Router, Arc<FakeStore>) {
    let store = Arc::new(FakeStore::default());
    let calendar = Calendar::new("America/New_York").unwrap();
    let scheduler =
        Scheduler::new(store.clone(), Arc::new(RandomIdGenerator), Arc::new(Idle), calendar, None);
    (http::scheduler(scheduler.with_confirmation(confirmation), http::BookPage::default()), store)
}

fn booking() -> Value {
    json!({
        "phone": "(904) 252-0927", "date": "2026-02-11", "time": "2:00 PM",
        "repair_type": "screen", "device": "iPhone 12", "customer_name": "Ann",
    })
}

fn book(body: &Value) -> TestRequest {
    request("POST", "/scheduler").json(body)
}

#[tokio::test]
async fn a_date_has_its_slots_by_the_clock() {
    let (router, _) = router();
    book(&booking()).send(&router).await;
    let answer = request("GET", "/scheduler").query("date=2026-02-11").send(&router).await;
    answer.assert_cors();
    assert_eq!(
        answer.json(),
        json!({
            "status": "success", "date": "2026-02-11", "available_count": 7,
            "available_slots": [
                "9:00 AM", "10:00 AM", "11:00 AM", "12:00 PM", "1:00 PM", "3:00 PM", "4:00 PM",
            ],
        })
    );
    let again = request("GET", "/scheduler").query("date=2026-02-11").send_v1(&router).await;
    assert_eq!(again.json(), answer.json());
}

#[tokio::test]
async fn booking_answers_what_the_old_system_answered() {
    let (router, store) = router();
    let answer = book(&booking()).send(&router).await;
    assert_eq!(answer.status, 201);
    answer.assert_cors();
    let lead_id = store.leads()[0].id.as_str().to_owned();
    assert_eq!(
        answer.json(),
        json!({
            "status": "success", "message": "Appointment booked for Wed Feb 11, 2:00 PM",
            "lead_id": lead_id, "date": "2026-02-11", "time": "2:00 PM", "repair_type": "screen",
            "device": "iPhone 12", "phone": "+19042520927", "customer_name": "Ann",
        })
    );
}

#[tokio::test]
async fn a_form_body_books_too_and_has_the_old_defaults() {
    let (router, _) = router();
    let form = "phone=%2B19042520927&date=2026-02-11&time=2%3A00+PM&repair_type=battery&page=home";
    let answer = request("POST", "/scheduler").form(form).send(&router).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    assert_eq!(answer.json()["device"], "Unknown Device");
    assert_eq!(answer.json()["customer_name"], "Unknown");
}

#[tokio::test]
async fn a_taken_slot_is_a_conflict_with_what_is_free() {
    let (router, _) = router();
    book(&booking()).send(&router).await;
    let mut other = booking();
    other["phone"] = json!("+19045550123");
    let answer = book(&other).send(&router).await;
    assert_eq!(answer.status, 409);
    assert_eq!(answer.error(), "That time is already taken");
    assert_eq!(answer.json()["available_slots"].as_array().unwrap().len(), 7);
}

#[tokio::test]
async fn an_idempotency_key_belongs_to_one_request() {
    let (router, store) = router();
    let keyed = |body: &Value| book(body).header("idempotency-key", "k-1");
    let first = keyed(&booking()).send(&router).await;
    let again = keyed(&booking()).send(&router).await;
    assert_eq!((again.status.as_u16(), again.text), (201, first.text));
    assert_eq!(store.leads().len(), 1);

    let mut other = booking();
    other["time"] = json!("3:00 PM");
    let answer = keyed(&other).send(&router).await;
    assert_eq!(answer.status, 422);
    assert_eq!(answer.error(), "This Idempotency-Key was used for another request");
    let empty = book(&other).header("idempotency-key", "").send(&router).await;
    assert_eq!(empty.status, 400);
}

#[tokio::test]
async fn a_slow_database_is_503_with_cors_before_the_function_ends() {
    let (router, store) = router();
    let router = http::with_deadline(router, std::time::Duration::from_millis(20));
    store.hang_from_now_on("open_bookings");
    let answer = book(&booking()).send(&router).await;
    assert_eq!(answer.status, 503);
    answer.assert_cors();
}

#[tokio::test]
async fn two_open_bookings_are_enough_for_one_phone() {
    let (router, _) = router();
    for (time, status) in [("1:00 PM", 201), ("2:00 PM", 201), ("3:00 PM", 409)] {
        let mut body = booking();
        body["time"] = json!(time);
        let answer = book(&body).send(&router).await;
        assert_eq!(answer.status, status, "{}", answer.text);
        assert!(answer.json().get("available_slots").is_none());
    }
}

#[tokio::test]
async fn each_error_names_what_is_wrong() {
    let (router, _) = router();
    let with = |name: &str, value: Value| {
        let mut body = booking();
        body[name] = value;
        book(&body)
    };
    for (wrong, status, message) in [
        (request("GET", "/scheduler"), 400, "Missing required field: date"),
        (
            request("GET", "/scheduler").query("date=02%2F11%2F2026"),
            400,
            "Invalid date format. Use YYYY-MM-DD",
        ),
        (with("date", Value::Null), 400, "Missing required field: date"),
        (with("date", json!("2026-02-30")), 400, "Invalid date format. Use YYYY-MM-DD"),
        (with("phone", json!(9_042_520_927_u64)), 400, "Invalid phone: it must be a string"),
        (
            with("customer_name", json!("A\nB")),
            400,
            "Invalid customer_name: control characters are not allowed",
        ),
        (with("date", json!("2026-02-09")), 400, "That date or time is in the past"),
        (with("date", json!("2026-02-15")), 400, "The shop is closed on Sundays"),
        (request("POST", "/scheduler").form("date=a&date=b"), 400, "Repeated field: date"),
        (request("PUT", "/scheduler"), 405, "Method PUT not allowed"),
    ] {
        let answer = wrong.send(&router).await;
        assert_eq!((answer.status.as_u16(), answer.error().as_str()), (status, message));
    }
}

#[tokio::test]
async fn a_failed_read_is_503_and_never_all_free() {
    let (router, store) = router();
    store.set_down(true);
    for failing in [request("GET", "/scheduler").query("date=2026-02-11"), book(&booking())] {
        let answer = failing.send(&router).await;
        assert_eq!(answer.status, 503);
        let message = "The calendar is not available right now. Please try again";
        assert_eq!(answer.error(), message);
    }
}

fn confirm(hold_id: &Value, code: &str) -> TestRequest {
    request("POST", "/scheduler/confirm").json(&json!({ "hold_id": hold_id, "code": code }))
}

#[tokio::test]
async fn a_form_that_is_confirmed_is_answered_202_and_then_as_ever() {
    let (router, store) = confirming_router();
    let pending = book(&booking()).send(&router).await;
    assert_eq!(pending.status, 202, "{}", pending.text);
    pending.assert_cors();
    let hold_id = pending.json()["hold_id"].clone();
    let expected = json!({
        "status": "pending", "hold_id": hold_id, "expires_at": "2026-02-10T20:20:00Z",
    });
    assert_eq!(pending.json(), expected);
    let again = book(&booking()).send(&router).await;
    assert_eq!((again.status.as_u16(), again.json()), (202, expected));

    let texts = store.outbox();
    assert_eq!((texts.len(), texts[0].to.as_str()), (1, "+19042520927"));
    let code = texts[0].body.strip_prefix("Your code is ").unwrap()[..6].to_owned();
    let wrong = if code == "000000" { "111111" } else { "000000" };
    let answer = confirm(&hold_id, wrong).send(&router).await;
    assert_eq!((answer.status.as_u16(), answer.error().as_str()), (403, "That code is not right"));
    assert_eq!(answer.json()["attempts_left"], 4);

    let booked = confirm(&hold_id, &code).send(&router).await;
    assert_eq!(booked.status, 201, "{}", booked.text);
    booked.assert_cors();
    let lead_id = store.leads()[0].id.as_str().to_owned();
    assert_eq!(
        booked.json(),
        json!({
            "status": "success", "message": "Appointment booked for Wed Feb 11, 2:00 PM",
            "lead_id": lead_id, "date": "2026-02-11", "time": "2:00 PM", "repair_type": "screen",
            "device": "iPhone 12", "phone": "+19042520927", "customer_name": "Ann",
        })
    );
    let form = format!("hold_id={}&code={code}", hold_id.as_str().unwrap());
    let again = request("POST", "/scheduler/confirm").form(&form).send(&router).await;
    assert_eq!((again.status.as_u16(), again.text), (201, booked.text));
    let form = book(&booking()).send(&router).await;
    assert_eq!((form.status.as_u16(), &form.json()["lead_id"]), (201, &json!(lead_id)));
}

#[tokio::test]
async fn each_error_of_a_confirmation_names_what_is_wrong_and_no_hold() {
    let (router, _) = confirming_router();
    let hold_id = book(&booking()).send(&router).await.json()["hold_id"].clone();
    let other = json!(hold_id.as_str().unwrap().replace('-', "-0").get(..97).unwrap());
    let post = |body: Value| request("POST", "/scheduler/confirm").json(&body);
    let ended = "That hold has ended: please choose a time again";
    for (wrong, status, message) in [
        (post(json!({ "code": "123456" })), 400, "Missing required field: hold_id"),
        (post(json!({ "hold_id": hold_id, "code": " " })), 400, "Missing required field: code"),
        (
            post(json!({ "hold_id": hold_id, "code": 123_456 })),
            400,
            "Invalid code: it must be a string",
        ),
        (confirm(&hold_id, "12345"), 400, "Invalid code: it is the six digits of the text"),
        (confirm(&json!("hold"), "123456"), 410, ended),
        (confirm(&other, "123456"), 410, ended),
        (request("PUT", "/scheduler/confirm"), 405, "Method PUT not allowed"),
    ] {
        let answer = wrong.send(&router).await;
        assert_eq!((answer.status.as_u16(), answer.error().as_str()), (status, message));
    }
}

#[tokio::test]
async fn without_confirmation_there_is_nothing_to_confirm() {
    let (router, _) = router();
    let answer = confirm(&json!("hold"), "123456").send(&router).await;
    assert_eq!((answer.status.as_u16(), answer.error().as_str()), (404, "Not found"));
}
