//! `/state` and `/customers` as pages use them.

use std::sync::Arc;

use axum::Router;
use handlers::{
    adapters::{secrets::StaticCredential, system::RandomIdGenerator},
    app::{
        customers::CustomerService, owner_calendar::OwnerCalendarService,
        owner_page::OwnerPageService, owner_state::OwnerStateService,
    },
    domain::{
        lead::{Lead, LeadId},
        slot::{Slot, SlotTime},
    },
    http,
    ports::{BookOutcome, Credential, Store as _},
};
use jiff::civil::{Date, date};
use serde_json::json;

use crate::events::{TestRequest, request};
use memory_ports::{ANN, BOB, FakeStore, Idle, calendar, phone};

pub fn router() -> (Router, Arc<FakeStore>) {
    let store = Arc::new(FakeStore::default());
    let token = Arc::new(StaticCredential::new("s3cret"));
    (router_on(&store, Some(token)), store)
}

fn router_on(store: &Arc<FakeStore>, token: Option<Arc<dyn Credential>>) -> Router {
    let customers = CustomerService::new(store.clone(), calendar());
    let ids = Arc::new(RandomIdGenerator);
    let owner_page = OwnerPageService::new(store.clone(), ids, Arc::new(Idle), calendar());
    let calendar = OwnerCalendarService::new(store.clone(), calendar());
    let owner = OwnerStateService::new(store.clone(), Arc::new(RandomIdGenerator));
    http::state(owner, calendar, customers, owner_page, token)
}

fn admin(method: &'static str) -> TestRequest {
    request(method, "/state").header("authorization", "Bearer s3cret")
}

#[tokio::test]
async fn without_the_right_token_every_method_is_refused() {
    let (router, _) = router();
    for method in ["GET", "POST", "PUT", "DELETE"] {
        let body = json!({ "status": "gym" });
        for refused in [
            request(method, "/state").json(&body),
            request(method, "/state").json(&body).header("authorization", "Bearer wrong"),
        ] {
            let answer = refused.send(&router).await;
            assert_eq!(answer.status, 401, "{method}");
            assert_eq!(answer.error(), "A valid admin token is required");
            assert_eq!(answer.headers["www-authenticate"], "Bearer");
        }
    }
    let answer = admin("GET").send(&router).await;
    assert_eq!(answer.json()["state"]["status"], "available");
}

#[tokio::test]
async fn without_a_configured_token_everyone_is_refused() {
    let router = router_on(&Arc::new(FakeStore::default()), None);
    assert_eq!(admin("GET").send(&router).await.status, 401);
    let empty = request("GET", "/state").header("authorization", "Bearer ");
    assert_eq!(empty.send(&router).await.status, 401);
}

#[tokio::test]
async fn only_given_fields_change_by_json_form_and_put() {
    let (router, _) = router();
    let answer = admin("POST").json(&json!({ "status": "gym" })).send(&router).await;
    assert_eq!((answer.status.as_u16(), &answer.json()["message"]), (200, &json!("State updated")));
    let answer = admin("POST").form("max_discount=20&ai_answers_sms=false").send(&router).await;
    assert_eq!(answer.status, 200);
    admin("PUT").json(&json!({ "notes": "Back in 2 hours" })).send(&router).await;

    let answer = admin("GET").send(&router).await;
    answer.assert_cors();
    assert_eq!(
        answer.json(),
        json!({ "status": "success", "state": {
            "state_id": "CURRENT", "status": "gym", "location": "shop", "notes": "Back in 2 hours",
            "special_info": "", "assistant_name": "Linda", "greeting": "", "max_discount": 20,
            "ai_answers_sms": false, "auto_upsell": true, "updated_at": 1_770_754_200, "changed_by": "api",
            "version": 3,
        } })
    );

    let answer = admin("DELETE").send(&router).await;
    let state = &answer.json()["state"];
    assert_eq!((&state["status"], &state["version"]), (&json!("available"), &json!(4)));
}

#[tokio::test]
async fn each_error_names_what_is_wrong() {
    let (router, _) = router();
    for (wrong, status, message) in [
        (admin("POST").json(&json!({ "mood": "good" })), 400, "Unknown field: mood"),
        (
            admin("POST").json(&json!({ "max_discount": 90 })),
            400,
            "Invalid value for max_discount: a whole number from 0 to 25",
        ),
        (
            admin("POST").body("application/json", "{\n\"status\": gym}"),
            400,
            "Malformed JSON at line 2 column 11",
        ),
        (admin("POST").body("application/json", "[]"), 400, "The body must be a JSON object"),
        (
            admin("POST").body("text/plain", "status=gym"),
            415,
            "Send application/json or application/x-www-form-urlencoded",
        ),
        (
            admin("POST").body("application/json", vec![b' '; 64 * 1024 + 1]),
            413,
            "The body may have at most 64 KiB",
        ),
        (admin("PATCH"), 405, "Method PATCH not allowed"),
    ] {
        let answer = wrong.send(&router).await;
        assert_eq!((answer.status.as_u16(), answer.error().as_str()), (status, message));
    }
}

#[tokio::test]
async fn a_preflight_needs_neither_token_nor_time() {
    let (router, _) = router();
    let answer = request("OPTIONS", "/state").time_epoch(None).send(&router).await;
    assert_eq!(answer.status, 200);
    answer.assert_cors();
}

#[tokio::test]
async fn a_missing_time_is_an_error_and_not_1970() {
    let (router, _) = router();
    for time in [None, Some(0)] {
        let answer = admin("GET").time_epoch(time).send(&router).await;
        assert_eq!(answer.status, 500);
        assert_eq!(answer.error(), "Something went wrong on our side");
        let answer = admin("GET").time_epoch(time).send_v1(&router).await;
        assert_eq!(answer.status, 500);
    }
}

#[tokio::test]
async fn both_payload_versions_carry_the_time() {
    let (router, _) = router();
    let answer = admin("POST").json(&json!({ "status": "gym" })).send_v1(&router).await;
    assert_eq!(answer.json()["state"]["updated_at"], 1_770_754_200);
}

#[tokio::test]
async fn a_database_failure_is_503_without_details() {
    let (router, store) = router();
    store.set_down(true);
    let answer = admin("GET").send(&router).await;
    assert_eq!(answer.status, 503);
    assert_eq!(answer.error(), "The service is temporarily unavailable, please try again");
}

#[tokio::test]
async fn other_paths_are_not_found() {
    let (router, _) = router();
    for path in ["/states", "/", "/state/1", "/a/b/state"] {
        let answer = request("GET", path).send(&router).await;
        assert_eq!((answer.status.as_u16(), answer.error().as_str()), (404, "Not found"), "{path}");
    }
}

#[tokio::test]
async fn a_named_stage_is_part_of_the_path() {
    let (router, _) = router();
    assert_eq!(admin("GET").stage("prod").send(&router).await.status, 200);
    assert_eq!(admin("GET").stage("prod").send_v1(&router).await.status, 200);
}

#[tokio::test]
async fn wrong_tokens_are_limited_by_address_and_the_right_one_never_is() {
    let (router, store) = router();
    let guess = request("GET", "/state").header("authorization", "Bearer wrong");
    for _ in 0..10 {
        assert_eq!(guess.clone().send(&router).await.status, 401);
    }
    for _ in 0..3 {
        let answer = guess.clone().send(&router).await;
        assert_eq!(answer.status, 429);
        answer.assert_cors();
        assert_eq!(admin("GET").send(&router).await.status, 200);
    }
    // Neither is anybody let in nor the owner locked out while nothing can be counted.
    store.fail_from_now_on("usage");
    assert_eq!(guess.send(&router).await.status, 401);
    assert_eq!(admin("GET").send(&router).await.status, 200);
}

fn by_admin(method: &'static str, path: &'static str) -> TestRequest {
    request(method, path).header("authorization", "Bearer s3cret")
}

/// Ann books two o'clock on a date.
async fn book(store: &FakeStore, id: &str, on: Date) {
    let slot = Slot::new(on, SlotTime::hour_of_day(14));
    let lead = Lead {
        timestamp: "2026-02-09T17:00:00Z".parse().unwrap(),
        ..memory_ports::lead(LeadId::from_row(id), slot)
    };
    let new = memory_ports::new_booking(lead, &[id]);
    assert_eq!(store.book(&new).await.unwrap(), BookOutcome::Booked);
}

#[tokio::test]
async fn a_customers_data_is_for_the_owner_only() {
    let (router, _) = router();
    for method in ["GET", "DELETE"] {
        for path in ["/customers/+19042520927", "/customers/nonsense"] {
            assert_eq!(request(method, path).send(&router).await.status, 401, "{method} {path}");
        }
        let wrong = request(method, "/customers/+19042520927").header("authorization", "Bearer x");
        assert_eq!(wrong.send(&router).await.status, 401, "{method}");
    }
    let answer = by_admin("POST", "/customers/+19042520927").send(&router).await;
    assert_eq!((answer.status.as_u16(), answer.error().as_str()), (405, "Method POST not allowed"));
    assert_eq!(by_admin("GET", "/customers").send(&router).await.status, 404);
    let preflight = request("OPTIONS", "/customers/+19042520927").send(&router).await;
    assert_eq!(preflight.status, 200);
}

#[tokio::test]
async fn a_bad_phone_is_said_and_any_form_of_a_good_one_is_read() {
    let (router, store) = router();
    for method in ["GET", "DELETE"] {
        for path in ["/customers/nonsense", "/customers/911", "/customers/%FF"] {
            let answer = by_admin(method, path).send(&router).await;
            assert_eq!(answer.status, 400, "{method} {path}");
            let told =
                "Invalid phone: a phone number is written like +19045550123 or (904) 555-0123";
            assert_eq!(answer.error(), told, "{method} {path}");
        }
    }
    let answer = by_admin("GET", "/customers/%2B19042520927").send(&router).await;
    assert_eq!(answer.status, 200);
    answer.assert_cors();
    assert_eq!(
        answer.json(),
        json!({
            "phone": ANN, "opted_out": false, "bookings": [], "leads": [], "schedule": [],
            "conversation": [], "unanswered": [], "outbox": [],
        })
    );
    book(&store, "LEAD-A", date(2026, 2, 11)).await;
    for path in [
        "/customers/+19042520927",
        "/customers/9042520927",
        "/customers/(904)%20252-0927",
        "/prod/customers/+19042520927",
    ] {
        let answer = by_admin("GET", path).send(&router).await;
        assert_eq!(answer.json()["leads"], json!([{ "lead_id": "LEAD-A" }]), "{path}");
    }
}

#[tokio::test]
async fn a_customer_is_erased_once_no_booking_is_open() {
    let (router, store) = router();
    // One is over, one begins tomorrow.
    book(&store, "LEAD-A", date(2026, 2, 9)).await;
    book(&store, "LEAD-B", date(2026, 2, 11)).await;
    let answer = by_admin("DELETE", "/customers/+19042520927").send(&router).await;
    assert_eq!(answer.status, 409);
    let told = "The customer has an open booking, cancel it first: LEAD-B";
    assert_eq!(answer.error(), told);
    assert_eq!(answer.json()["references"], json!(["LEAD-B"]));
    assert_eq!(store.leads().len(), 2, "nothing was erased");

    let (router, store) = self::router();
    book(&store, "LEAD-A", date(2026, 2, 9)).await;
    store.set_opted_out(&phone(BOB), true, "2026-02-09T17:00:00Z".parse().unwrap()).await.unwrap();
    let bobs = by_admin("DELETE", "/customers/+19042520928").send(&router).await;
    assert_eq!((bobs.status.as_u16(), &bobs.json()["deleted"]), (200, &json!(0)));
    let message = bobs.json()["message"].as_str().unwrap().to_owned();
    assert!(message.contains("no more texts is kept"), "{message}");
    assert!(store.is_opted_out(&phone(BOB)));
    assert_eq!(store.leads().len(), 1, "another customer's");
    for deleted in [3, 0] {
        let answer = by_admin("DELETE", "/customers/+19042520927").send(&router).await;
        assert_eq!(answer.status, 200);
        let told = json!({ "status": "success", "message": "Customer erased", "deleted": deleted });
        assert_eq!(answer.json(), told);
    }
    let lead = &store.leads()[0];
    let whose = (lead.phone.as_str(), &lead.customer_name, &lead.address);
    assert_eq!(whose, ("+10000000000", &None, &None), "kept for the books, and nobody's");
}

#[tokio::test]
async fn without_the_database_a_customers_data_is_503() {
    let (router, store) = router();
    store.fail_from_now_on("customer_data");
    store.fail_from_now_on("erase_customer");
    for method in ["GET", "DELETE"] {
        let answer = by_admin(method, "/customers/+19042520927").send(&router).await;
        assert_eq!(answer.status, 503, "{method}");
        let told = "The service is temporarily unavailable, please try again";
        assert_eq!(answer.error(), told);
    }
}
