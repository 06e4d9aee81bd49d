//! Forms: bodies, Twilio's signature, and what the fake Twilio is asked.

use axum::{
    body::to_bytes,
    http::{
        Request, StatusCode,
        header::{AUTHORIZATION, CONTENT_TYPE},
    },
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use lambda_http::request::RequestContext;
use rehearse_twilio::{Options, hostile};
use tokio::runtime::{Builder, Runtime};
use tower::ServiceExt as _;

use crate::shop::{
    ADMIN, Build, TOKEN, confirming_scheduler, dispatcher, scheduler, send, state_manager,
};

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";

/// Routes that read a body.
const ROUTES: [(Build, &str); 10] = [
    (scheduler, "/scheduler"),
    (scheduler, "/book"),
    (scheduler, "/book/ics"),
    (confirming_scheduler, "/scheduler"),
    (confirming_scheduler, "/scheduler/confirm"),
    (confirming_scheduler, "/book"),
    (state_manager, "/state"),
    (state_manager, "/calendar"),
    (state_manager, "/calendar/time-off"),
    (state_manager, "/owner/api/bookings/LEAD-20260210-201000-1a2b3c/move"),
];

/// The first byte chooses the route and its media type, the rest is the body.
pub(crate) fn form_body(bytes: &[u8]) {
    let Some((first, body)) = bytes.split_first() else { return };
    let (build, path) = ROUTES[usize::from(*first) % ROUTES.len()];
    let media_type = if first & 128 == 0 { FORM } else { JSON };
    let request = Request::post(path)
        .header(CONTENT_TYPE, media_type)
        .header(AUTHORIZATION, format!("Bearer {ADMIN}"))
        .extension(context())
        .body(body.to_vec());
    send(build, request.expect("a request"));
}

/// When the request came: the context that API Gateway gives, at the moment of these tests.
fn context() -> RequestContext {
    let context = serde_json::json!({
        "timeEpoch": 1_770_754_200_000_i64,
        "http": { "method": "POST", "sourceIp": "127.0.0.1" },
    });
    RequestContext::ApiGatewayV2(serde_json::from_value(context).expect("a context"))
}

/// A form that the fake signs is Twilio's to the handlers, and is not when a byte of the signature or of
/// the address is another.
pub(crate) fn signature(bytes: &[u8]) {
    let params: Vec<(String, String)> = form_urlencoded::parse(bytes).into_owned().collect();
    let sign = |url: &str| hostile::sign(TOKEN, url, &params);
    let report = sign("https://shop.example/message-status");
    assert_eq!(webhook("/message-status", bytes, &report), StatusCode::NO_CONTENT);
    assert_eq!(webhook("/dispatcher", bytes, &report), StatusCode::FORBIDDEN);
    let other = if report.starts_with('A') { "B" } else { "A" };
    let wrong = format!("{other}{}", &report[1..]);
    assert_eq!(webhook("/message-status", bytes, &wrong), StatusCode::FORBIDDEN);
    let raw = String::from_utf8_lossy(bytes);
    let header = raw.lines().next().unwrap_or_default();
    assert_eq!(webhook("/message-status", bytes, header), StatusCode::FORBIDDEN);
    // A text of somebody else's is refused as well, so both are right.
    let status = webhook("/dispatcher", bytes, &sign("https://shop.example/dispatcher"));
    assert!([StatusCode::OK, StatusCode::FORBIDDEN].contains(&status), "{status}");
}

fn webhook(path: &str, form: &[u8], signature: &str) -> StatusCode {
    let request = Request::post(format!("https://shop.example{path}"))
        .header(CONTENT_TYPE, FORM)
        .extension(context());
    let header = axum::http::HeaderValue::from_bytes(signature.as_bytes());
    let request = match header {
        Ok(signature) => request.header("x-twilio-signature", signature),
        Err(_) => request,
    };
    send(dispatcher, request.body(form.to_vec()).expect("a request"))
}

thread_local! {
    static RUNTIME: Runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
}

/// Asks the fake to send, change, list and remove a message. Addresses for status callbacks are left
/// out: the fake would call them.
pub(crate) fn twilio_rest(bytes: &[u8]) {
    let options = Options::default();
    let pairs = form_urlencoded::parse(bytes);
    if pairs.into_iter().any(|(name, _)| name.to_ascii_lowercase().contains("callback")) {
        return;
    }
    let messages = format!("/2010-04-01/Accounts/{}/Messages", options.account_sid);
    let credentials = format!("{}:{}", options.account_sid, options.auth_token);
    let authorization = format!("Basic {}", STANDARD.encode(credentials));
    let query = String::from_utf8_lossy(bytes);
    let query: String =
        query.chars().filter(|c| c.is_ascii_alphanumeric() || "=&%+-_".contains(*c)).collect();
    RUNTIME.with(|runtime| {
        runtime.block_on(async {
            let api = hostile::rest_api(options).expect("an API");
            for (method, path) in [
                ("POST", format!("{messages}.json")),
                ("GET", format!("{messages}.json?{query}")),
                ("POST", format!("{messages}/SM00000000000000000000000000000001.json")),
                ("DELETE", format!("{messages}/{query}.json")),
            ] {
                let request = Request::builder()
                    .method(method)
                    .uri(&path)
                    .header(CONTENT_TYPE, FORM)
                    .header(AUTHORIZATION, &authorization)
                    .body(axum::body::Body::from(bytes.to_vec()));
                let Ok(request) = request else { continue };
                let Ok(response) = api.clone().oneshot(request).await;
                let status = response.status();
                let body = to_bytes(response.into_body(), usize::MAX).await.expect("a whole body");
                assert!(
                    !status.is_server_error() && status != StatusCode::UNAUTHORIZED,
                    "{path}: {status}"
                );
                let is_json = serde_json::from_slice::<serde_json::Value>(&body).is_ok();
                assert!(is_json || body.is_empty(), "{path}: {}", String::from_utf8_lossy(&body));
            }
        });
    });
}
