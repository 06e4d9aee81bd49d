//! `/owner` as the owner's browser uses it: what he sees and changes.

use std::sync::Arc;

use axum::Router;
use handlers::{
    domain::{
        lead::{Lead, LeadId, LeadStatus},
        outbox::{Callback, UnansweredText},
        slot::{Slot, SlotTime},
        turn::TurnKey,
    },
    ports::{BookOutcome, Store as _},
};
use jiff::civil::date;
use serde_json::{Value, json};

use crate::{
    events::{TestRequest, TestResponse, request},
    state::router,
};
use memory_ports::{ANN, FakeStore, phone};

const LEAD: &str = "LEAD-20260210-201000-1a2b3c";

/// A change as the page sends it.
pub fn from_page(method: &'static str, path: &'static str) -> TestRequest {
    request(method, path)
        .header("origin", "https://shop.example")
        .header("sec-fetch-site", "same-origin")
}

pub fn sign_in(token: &str) -> TestRequest {
    from_page("POST", "/owner/session").json(&json!({ "token": token }))
}

pub fn cookie_of(answer: &TestResponse) -> String {
    let set = answer.headers["set-cookie"].to_str().unwrap();
    set.split(';').next().unwrap().to_owned()
}

pub async fn session(router: &Router) -> String {
    cookie_of(&sign_in("s3cret").send(router).await)
}

pub async fn booked(store: &FakeStore) -> LeadId {
    let lead = Lead {
        customer_name: Some("<b>Ann</b>".into()),
        ..memory_ports::lead(
            LeadId::from_row(LEAD),
            Slot::new(date(2026, 2, 11), SlotTime::hour_of_day(14)),
        )
    };
    let id = lead.id.clone();
    let new = memory_ports::new_booking(lead, &["t"]);
    assert!(matches!(store.book(&new).await.unwrap(), BookOutcome::Booked));
    id
}

async fn change(router: &Router, cookie: &str, path: &'static str, body: Value) -> TestResponse {
    from_page("POST", path).header("cookie", cookie).json(&body).send(router).await
}

pub fn status_of(store: &Arc<FakeStore>) -> LeadStatus {
    store.leads()[0].status
}

#[tokio::test]
async fn the_overview_has_what_the_owner_needs_of_each_booking() {
    let (router, store) = router();
    booked(&store).await;
    let unanswered = UnansweredText {
        key: TurnKey { phone: phone(ANN), sid: "SM1".into() },
        words: "<img src=x onerror=alert(1)>".into(),
        media: Vec::new(),
        reason: "the deadline passed".into(),
        now: "2026-02-10T20:00:00Z".parse().unwrap(),
    };
    let callback = Callback { unanswered, notification: Vec::new() };
    store.keep_callback(&callback).await.unwrap();
    let cookie = session(&router).await;
    let read = |query: &str| {
        request("GET", "/owner/api/overview").query(query).header("cookie", cookie.clone())
    };
    let overview = read("").send(&router).await.json();
    assert_eq!(
        (&overview["today"], &overview["time_zone"]),
        (&json!("2026-02-10"), &json!("America/New_York"))
    );
    assert_eq!(overview["days"].as_array().unwrap().len(), 7);
    let entry = &overview["days"][1]["entries"][0];
    assert_eq!(
        entry,
        &json!({
            "kind": "booking", "time": "2:00 PM", "minutes": 60, "travel": 0, "lead_id": LEAD, "phone": ANN,
            "name": "<b>Ann</b>", "device": "iPhone", "repair": "screen", "repair_type": "screen",
            "is_visit": false, "address": null, "price": "$79", "discount_percent": null,
            "source": "sms", "status": "booked",
        })
    );
    assert_eq!(overview["unanswered"][0]["words"], "<img src=x onerror=alert(1)>");
    assert_eq!(overview["calendar"]["version"], 0);
    let one = read("from=2026-02-11&days=1").send(&router).await.json();
    assert_eq!(one["days"].as_array().unwrap().len(), 1);
    for wrong in ["days=0", "days=15", "days=x", "from=tomorrow"] {
        assert_eq!(read(wrong).send(&router).await.status, 400, "{wrong}");
    }
    store.fail("day_schedule");
    assert_eq!(read("").send(&router).await.status, 503, "a failed read is no empty day");
}

#[tokio::test]
async fn a_cancellation_tells_the_customer_if_he_wants_and_they_do() {
    let path = "/owner/api/bookings/LEAD-20260210-201000-1a2b3c/cancel";
    for (tell, opted_out, told) in [(true, false, true), (true, true, false), (false, false, false)]
    {
        let (router, store) = router();
        booked(&store).await;
        store
            .set_opted_out(&phone(ANN), opted_out, "2026-02-10T20:00:00Z".parse().unwrap())
            .await
            .unwrap();
        let cookie = session(&router).await;
        let answer = change(&router, &cookie, path, json!({ "tell_customer": tell })).await;
        assert_eq!((answer.status.as_u16(), &answer.json()["told"]), (200, &json!(told)));
        assert_eq!(status_of(&store), LeadStatus::Cancelled);
        let texts = store.outbox();
        assert_eq!(texts.len(), usize::from(told));
        assert!(
            texts
                .iter()
                .all(|text| text.to == phone(ANN) && text.body.contains("Wed Feb 11, 2:00 PM"))
        );
        // A repeat is no second text, and is told what is true.
        let again = change(&router, &cookie, path, json!({ "tell_customer": tell })).await;
        assert_eq!((again.status.as_u16(), store.outbox().len()), (200, usize::from(told)));
        let before = "It was cancelled before: nothing was changed now, and no text is sent";
        assert_eq!(again.json()["message"], before);
        assert_eq!(
            (&answer.json()["was_so_before"], &again.json()["was_so_before"]),
            (&json!(false), &json!(true))
        );
        let done = "/owner/api/bookings/LEAD-20260210-201000-1a2b3c/done";
        let done = change(&router, &cookie, done, json!({})).await;
        assert_eq!(done.status, 409);
        assert_eq!(
            done.json()["message"],
            "This booking was cancelled before: nothing was changed"
        );
    }
}

/// Both read the booking as open; only one of them cancels it.
#[tokio::test]
async fn of_two_cancellations_at_once_one_says_that_the_customer_is_told() {
    let path = "/owner/api/bookings/LEAD-20260210-201000-1a2b3c/cancel";
    for (first, second) in [(true, true), (false, true)] {
        let (router, store) = router();
        booked(&store).await;
        let cookie = session(&router).await;
        store.slow("day_schedule", 3);
        let (one, two) = tokio::join!(
            change(&router, &cookie, path, json!({ "tell_customer": first })),
            change(&router, &cookie, path, json!({ "tell_customer": second })),
        );
        let answers = [one.json(), two.json()];
        let count = |name: &str| answers.iter().filter(|answer| answer[name] == true).count();
        assert_eq!(count("was_so_before"), 1, "{answers:?}");
        assert_eq!(count("told"), store.outbox().len(), "{answers:?}");
    }
}

#[tokio::test]
async fn a_move_tells_the_customer_and_keeps_to_the_calendar() {
    let path = "/owner/api/bookings/LEAD-20260210-201000-1a2b3c/move";
    let (router, store) = router();
    booked(&store).await;
    let cookie = session(&router).await;
    let to = |date, time| json!({ "date": date, "time": time, "tell_customer": true });
    for (wrong, status) in [
        (to("2026-02-15", "2:00 PM"), 400),
        (to("2026-02-12", "soon"), 400),
        (json!({ "date": "2026-02-12", "time": "2:00 PM" }), 400),
        (json!({ "date": "2026-02-12", "time": "2:00 PM", "tell_customer": true, "x": 1 }), 400),
    ] {
        let answer = change(&router, &cookie, path, wrong.clone()).await;
        assert_eq!(answer.status, status, "{wrong}: {}", answer.text);
    }
    assert!(store.outbox().is_empty());
    let answer = change(&router, &cookie, path, to("2026-02-12", "3:00 PM")).await;
    assert_eq!(answer.json()["message"], "Moved, the customer gets a text");
    assert_eq!(store.leads()[0].slot, Slot::new(date(2026, 2, 12), SlotTime::hour_of_day(15)));
    assert!(store.outbox()[0].body.contains("from Wed Feb 11, 2:00 PM to Thu Feb 12, 3:00 PM"));
    let again = change(&router, &cookie, path, to("2026-02-12", "3:00 PM")).await;
    let before = "It stood there before: nothing was changed now, and no text is sent";
    assert_eq!((again.status.as_u16(), &again.json()["message"]), (200, &json!(before)));
    assert_eq!(store.outbox().len(), 1);
}

#[tokio::test]
async fn done_is_final_and_answered_is_answered() {
    let (router, store) = router();
    booked(&store).await;
    let cookie = session(&router).await;
    let done = "/owner/api/bookings/LEAD-20260210-201000-1a2b3c/done";
    for message in [
        "Done, the customer gets no text",
        "It was marked as done before: nothing was changed now, and no text is sent",
    ] {
        let answer = change(&router, &cookie, done, json!({})).await;
        assert_eq!((answer.status.as_u16(), &answer.json()["message"]), (200, &json!(message)));
    }
    assert_eq!(status_of(&store), LeadStatus::Completed);
    assert!(store.open_bookings().is_empty());
    let cancel = "/owner/api/bookings/LEAD-20260210-201000-1a2b3c/cancel";
    let answer = change(&router, &cookie, cancel, json!({ "tell_customer": true })).await;
    assert_eq!(answer.status, 409);
    assert_eq!(
        answer.json()["message"],
        "This booking was marked as done before: nothing was changed"
    );
    let unknown = change(&router, &cookie, "/owner/api/bookings/LEAD-1/done", json!({})).await;
    assert_eq!(unknown.status, 404);
    let answered = "/owner/api/unanswered/SM404/answered";
    assert_eq!(change(&router, &cookie, answered, json!({})).await.status, 404);
}

#[tokio::test]
async fn a_state_that_was_changed_meanwhile_is_not_overwritten_unseen() {
    let (router, _) = router();
    let cookie = session(&router).await;
    let put = |body: Value| {
        from_page("PUT", "/owner/api/state").header("cookie", cookie.clone()).json(&body)
    };
    let first = put(json!({ "if_version": 0, "special_info": "a" })).send(&router).await;
    assert_eq!(first.json()["state"]["version"], 1);
    let second = put(json!({ "if_version": 0, "special_info": "b" })).send(&router).await;
    let refused = second.json();
    assert_eq!((second.status.as_u16(), &refused["version"]), (409, &json!(1)));
    let message = "The state was changed meanwhile, last by the owner's page: it has version 1 now. \
                   Look at it again";
    assert_eq!(refused["message"], message);
    let now = &refused["state"];
    assert_eq!((&now["special_info"], &now["changed_by"]), (&json!("a"), &json!("owners_page")));
    // The same route by a program is a change of the API.
    let program = request("PUT", "/owner/api/calendar").header("authorization", "Bearer s3cret");
    let answer = program.json(&json!({ "travel_minutes": 20 })).send(&router).await;
    assert_eq!(answer.json()["calendar"]["changed_by"], "api");
    let late = from_page("PUT", "/owner/api/calendar").header("cookie", cookie.clone());
    let late = late.json(&json!({ "version": 0, "travel_minutes": 30 })).send(&router).await;
    let refused = late.json();
    assert!(refused["message"].as_str().unwrap().contains("last by the API"), "{}", late.text);
    assert_eq!(refused["calendar"]["travel_minutes"], 20);
    let one_tap = put(json!({ "status": "gym" })).send(&router).await;
    assert_eq!(one_tap.json()["state"]["special_info"], "a");
}
