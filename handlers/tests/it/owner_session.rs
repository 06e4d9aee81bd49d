//! The session of the owner's page: who gets one, what it opens, where changes come from, and what
//! keeps the page to itself.

use handlers::domain::lead::LeadStatus;
use serde_json::json;

use crate::{
    events::{NOW_MS, request},
    owner_page::{booked, cookie_of, from_page, session, sign_in, status_of},
    state::router,
};

const HOUR_MS: i64 = 60 * 60 * 1000;

/// The page and what it loads.
const FILES: [&str; 5] =
    ["/owner", "/owner/owner.js", "/owner/bookings.js", "/owner/settings.js", "/owner/owner.css"];

#[tokio::test]
async fn the_right_token_starts_a_session_that_only_this_site_can_use() {
    let (router, _) = router();
    let answer = sign_in("s3cret").send(&router).await;
    assert_eq!(answer.status, 200);
    let set = answer.headers["set-cookie"].to_str().unwrap();
    let attributes: Vec<&str> = set.split("; ").skip(1).collect();
    let expected = ["Max-Age=43200", "HttpOnly", "Secure", "SameSite=Strict"];
    assert_eq!(attributes, expected);
    assert!(!answer.text.contains("s3cret") && !set.contains("s3cret"));
    let read = request("GET", "/owner/api/overview").header("cookie", cookie_of(&answer));
    assert_eq!(read.send(&router).await.status, 200);

    // A browser cannot be made to send JSON by a form of another page.
    let form = from_page("POST", "/owner/session").form("token=s3cret").send(&router).await;
    assert_eq!((form.status.as_u16(), form.headers.get("set-cookie")), (400, None));
}

#[tokio::test]
async fn wrong_tokens_start_none_and_are_counted() {
    let (router, _) = router();
    for _ in 0..10 {
        let answer = sign_in("wrong").send(&router).await;
        assert_eq!(answer.status, 401);
        assert!(!answer.headers.contains_key("set-cookie"));
    }
    assert_eq!(sign_in("wrong").send(&router).await.status, 429);
    assert_eq!(sign_in("s3cret").send(&router).await.status, 200, "the owner is let in");
}

#[tokio::test]
async fn a_session_ends_after_twelve_hours_and_cannot_be_made_or_changed() {
    let (router, _) = router();
    let cookie = session(&router).await;
    let read = |cookie: &str, after_ms| {
        request("GET", "/owner/api/overview")
            .header("cookie", cookie)
            .time_epoch(Some(NOW_MS + after_ms))
    };
    assert_eq!(read(&cookie, 12 * HOUR_MS - 1000).send(&router).await.status, 200);
    let ended = read(&cookie, 12 * HOUR_MS).send(&router).await;
    assert_eq!(ended.status, 401);
    assert_eq!(ended.json()["message"], "Your session has ended. Please sign in again");

    let (name, value) = cookie.split_once('=').unwrap();
    let mut parts: Vec<String> = value.split('.').map(str::to_owned).collect();
    let later = (NOW_MS / 1000 + 12 * 60 * 60 + 1).to_string();
    let signature = parts[2].clone();
    parts[0] = later;
    let flipped = if signature.starts_with('0') { "1" } else { "0" };
    for tampered in [
        parts.join("."),
        value.replacen('.', ".f", 1),
        value.replace(&signature, &format!("{flipped}{}", &signature[1..])),
        value.replace(&signature, &signature[..62]),
        value.replace(&signature, ""),
        String::new(),
        "..".into(),
        "é".into(),
    ] {
        let answer = read(&format!("{name}={tampered}"), 0).send(&router).await;
        assert_eq!(answer.status, 401, "{tampered}");
    }
    // Another path's cookie of the same name stands beside it.
    assert_eq!(read(&format!("session=x; {cookie}"), 0).send(&router).await.status, 200);
    assert_eq!(read("other=1", 0).send(&router).await.status, 401);
}

#[tokio::test]
async fn a_change_must_come_from_the_page_itself() {
    let (router, store) = router();
    booked(&store).await;
    let cookie = session(&router).await;
    let path = "/owner/api/bookings/LEAD-20260210-201000-1a2b3c/done";
    let change = || request("POST", path).header("cookie", cookie.clone()).json(&json!({}));
    for refused in [
        change(),
        change().header("origin", "https://evil.example"),
        change().header("origin", "null"),
        change().header("origin", "https://shop.example.evil.example"),
        change().header("origin", "https://shop.example").header("sec-fetch-site", "same-site"),
        change().header("sec-fetch-site", "cross-site"),
    ] {
        assert_eq!(refused.send(&router).await.status, 403);
    }
    assert_eq!(status_of(&store), LeadStatus::Booked);
    let elsewhere = request("POST", "/owner/session").header("origin", "https://evil.example");
    let answer = elsewhere.json(&json!({ "token": "s3cret" })).send(&router).await;
    assert_eq!(answer.status, 403, "nobody is signed in by another page");
    let elsewhere = request("DELETE", "/owner/session").header("origin", "https://evil.example");
    assert_eq!(elsewhere.send(&router).await.status, 403);
    // Browsers that name no origin say where it comes from; programs with the token have neither.
    let answer = change().header("sec-fetch-site", "same-origin").send(&router).await;
    assert_eq!(answer.status, 200);
    let bearer = request("POST", path).header("authorization", "Bearer s3cret").json(&json!({}));
    assert_eq!(bearer.send(&router).await.status, 200);
}

#[tokio::test]
async fn no_change_of_any_kind_comes_from_another_page() {
    let (router, store) = router();
    booked(&store).await;
    let cookie = session(&router).await;
    for (method, path) in [
        ("POST", "/owner/session"),
        ("DELETE", "/owner/session"),
        ("POST", "/owner/api/bookings/LEAD-20260210-201000-1a2b3c/cancel"),
        ("POST", "/owner/api/bookings/LEAD-20260210-201000-1a2b3c/move"),
        ("POST", "/owner/api/bookings/LEAD-20260210-201000-1a2b3c/done"),
        ("POST", "/owner/api/unanswered/SM1/answered"),
        ("POST", "/owner/api/state"),
        ("PUT", "/owner/api/state"),
        ("DELETE", "/owner/api/state"),
        ("POST", "/owner/api/calendar"),
        ("PUT", "/owner/api/calendar"),
        ("DELETE", "/owner/api/calendar"),
        ("POST", "/owner/api/calendar/time-off"),
        ("DELETE", "/owner/api/calendar/time-off"),
        ("DELETE", "/owner/api/customers/9042520927"),
    ] {
        let change = request(method, path).header("cookie", cookie.clone()).json(&json!({}));
        let answer = change.header("origin", "https://evil.example").send(&router).await;
        assert_eq!(answer.status, 403, "{method} {path}: {}", answer.text);
        assert!(!answer.headers.contains_key("access-control-allow-origin"), "{method} {path}");
    }
    assert_eq!(status_of(&store), LeadStatus::Booked);
}

#[tokio::test]
async fn the_session_opens_nothing_outside_of_the_page() {
    let (router, _) = router();
    let cookie = session(&router).await;
    for path in ["/state", "/calendar", "/calendar/time-off", "/customers/9042520927"] {
        let answer = request("GET", path).header("cookie", cookie.clone()).send(&router).await;
        assert_eq!(answer.status, 401, "{path}");
    }
    for path in [
        "/owner/api/state",
        "/owner/api/calendar",
        "/owner/api/calendar/time-off",
        "/owner/api/customers/9042520927",
        "/owner/api/conversations",
        "/prod/owner/api/overview",
    ] {
        let answer = request("GET", path).header("cookie", cookie.clone()).send(&router).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        assert_eq!(request("GET", path).send(&router).await.status, 401, "{path}");
    }
}

#[tokio::test]
async fn every_answer_is_kept_from_caches_frames_and_other_origins() {
    let (router, _) = router();
    for path in FILES.into_iter().chain(["/owner/api/overview", "/prod/owner"]) {
        let headers = request("GET", path).send(&router).await.headers;
        assert_eq!(headers["cache-control"], "no-store", "{path}");
        assert_eq!(headers["x-frame-options"], "DENY", "{path}");
        assert_eq!(headers["x-content-type-options"], "nosniff", "{path}");
        assert_eq!(headers["referrer-policy"], "same-origin", "{path}");
        let policy = headers["content-security-policy"].to_str().unwrap();
        for part in ["default-src 'none'", "script-src 'self';", "frame-ancestors 'none'"] {
            assert!(policy.contains(part), "{path}: {policy}");
        }
        assert!(!policy.contains("unsafe"), "{path}: {policy}");
        assert!(!headers.contains_key("access-control-allow-origin"), "{path}");
    }
    let signed_out = from_page("DELETE", "/owner/session").send(&router).await;
    assert!(
        signed_out.headers["set-cookie"]
            .to_str()
            .unwrap()
            .starts_with("session=; Max-Age=0; HttpOnly;")
    );
}

#[tokio::test]
async fn the_page_is_small_and_has_no_script_of_its_own() {
    let (router, _) = router();
    let mut bytes = 0;
    for path in FILES {
        let answer = request("GET", path).send(&router).await;
        assert_eq!(answer.status, 200, "{path}");
        bytes += answer.text.len();
        for unsafe_call in
            ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("]
        {
            assert!(!answer.text.contains(unsafe_call), "{path}: {unsafe_call}");
        }
        if path == "/owner" {
            assert!(!answer.text.contains("style=") && !answer.text.contains("onclick="));
        }
    }
    assert!(bytes <= 60 * 1024, "{bytes}");
}
