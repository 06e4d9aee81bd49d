//! `/owner`: the page on which the owner sees and changes his bookings, and what it asks for.
//!
//! The page is five files of this program. It asks for its data below `/owner/api`, where the
//! session's cookie goes; the routes that other programs use never see it.
//! The bearer token opens the same routes.

mod api;
mod headers;
mod session;
mod view;

use axum::{
    Extension, Json,
    body::Body,
    extract::{Request, State},
    http::{
        HeaderMap, HeaderName, HeaderValue,
        header::{AUTHORIZATION, CONTENT_TYPE, SET_COOKIE},
    },
    middleware::{Next, from_fn, from_fn_with_state},
    response::{IntoResponse as _, Response},
    routing::{MethodRouter, get, post},
};
use serde_json::json;

pub(super) use self::headers::SAME_ORIGIN;
use super::{
    admin,
    body::{self, ParsedBody},
    calendar, customers,
    error::ApiError,
    layers::{RequestTime, SourceAddress},
    routing,
    state::{self, Caller, Endpoint},
    time_off,
};
use crate::{
    app::{customers::CustomerService, owner_page::OwnerPageService},
    domain::changed_by::ChangedBy,
};

const PAGE: &str = include_str!("owner_page/page.html");
const SCRIPT: &str = include_str!("owner_page/owner.js");
const BOOKINGS: &str = include_str!("owner_page/bookings.js");
const SETTINGS: &str = include_str!("owner_page/settings.js");
const STYLE: &str = include_str!("owner_page/owner.css");

/// What the page's own routes work with.
#[derive(Clone)]
pub(super) struct Page {
    endpoint: Endpoint,
    service: OwnerPageService,
}

/// The page's routes: its files and its session for everybody, the rest for the owner.
pub(super) fn routes(
    endpoint: &Endpoint,
    service: OwnerPageService,
    customers: CustomerService,
) -> Vec<(&'static str, MethodRouter<Endpoint>)> {
    let page = Page { endpoint: endpoint.clone(), service };
    let calendar = endpoint.calendar.clone();
    let for_all = |methods: MethodRouter<Page>| -> MethodRouter<Endpoint> {
        methods
            .fallback(routing::method_not_allowed)
            .layer(from_fn(headers::protect))
            .with_state(page.clone())
    };
    let for_the_owner = |methods: MethodRouter<Endpoint>| {
        methods
            .route_layer(from_fn_with_state(page.clone(), authorize))
            .fallback(routing::method_not_allowed)
            .layer(from_fn(headers::protect))
    };
    let own = |methods: MethodRouter<Page>| for_the_owner(methods.with_state(page.clone()));
    vec![
        ("/owner", for_all(get(async || file("text/html", PAGE)))),
        ("/owner/owner.js", for_all(get(async || file("text/javascript", SCRIPT)))),
        ("/owner/bookings.js", for_all(get(async || file("text/javascript", BOOKINGS)))),
        ("/owner/settings.js", for_all(get(async || file("text/javascript", SETTINGS)))),
        ("/owner/owner.css", for_all(get(async || file("text/css", STYLE)))),
        ("/owner/session", for_all(post(sign_in).delete(sign_out))),
        ("/owner/api/overview", own(get(api::overview))),
        ("/owner/api/conversations", own(get(api::conversations))),
        ("/owner/api/bookings/{lead_id}/cancel", own(post(api::cancel))),
        ("/owner/api/bookings/{lead_id}/move", own(post(api::reschedule))),
        ("/owner/api/bookings/{lead_id}/done", own(post(api::complete))),
        ("/owner/api/unanswered/{sid}/answered", own(post(api::mark_answered))),
        ("/owner/api/state", for_the_owner(state::methods())),
        ("/owner/api/calendar", for_the_owner(calendar::methods(calendar.clone()))),
        ("/owner/api/calendar/time-off", for_the_owner(time_off::methods(calendar))),
        ("/owner/api/customers/{phone}", for_the_owner(customers::methods(customers))),
    ]
}

/// Lets in whoever has the session's cookie or the bearer token.
async fn authorize(
    State(Page { endpoint, .. }): State<Page>,
    Extension(RequestTime(now)): Extension<RequestTime>,
    Extension(SourceAddress(address)): Extension<SourceAddress>,
    mut request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    let (headers, token) = (request.headers(), endpoint.token.as_deref());
    if headers.contains_key(AUTHORIZATION) {
        let caller = Caller { state: &endpoint.state, address: &address, now };
        admin::authorize(headers, token, caller).await?;
        request.extensions_mut().insert(ChangedBy::Api);
    } else {
        session::authorize(request.method(), headers, token, now).await?;
        request.extensions_mut().insert(ChangedBy::OwnersPage);
    }
    Ok(next.run(request).await)
}

fn file(media_type: &str, text: &str) -> Response {
    let media_type = format!("{media_type}; charset=utf-8");
    let media_type = HeaderValue::from_str(&media_type).ok();
    let mut response = text.to_owned().into_response();
    set(&mut response, CONTENT_TYPE, media_type);
    response
}

/// Starts a session with the admin token. A form cannot send JSON, so no page of another origin can ask
/// for it without asking first.
async fn sign_in(
    State(Page { endpoint, service }): State<Page>,
    Extension(RequestTime(now)): Extension<RequestTime>,
    Extension(SourceAddress(address)): Extension<SourceAddress>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    session::refuse_other_origins(&headers)?;
    let body = body::read(body).await?;
    let ParsedBody::Json(fields) = body::parse(&headers, &body)? else {
        return Err(ApiError::bad_request("The token must be sent as JSON"));
    };
    let given = fields.get("token").and_then(|token| token.as_str()).unwrap_or_default();
    let caller = Caller { state: &endpoint.state, address: &address, now };
    let token = admin::check(given.trim().as_bytes(), endpoint.token.as_deref(), caller).await?;
    let session = session::start(&token, &service.session_id(), now);
    let session = session.ok_or_else(ApiError::internal)?;
    tracing::info!("the owner signed in");
    let ends = now.as_second().saturating_add(session::SESSION_SECONDS);
    let mut response = Json(json!({ "status": "success", "ends_at": ends })).into_response();
    set(&mut response, SET_COOKIE, session::cookie(Some(&session)));
    Ok(response)
}

/// Takes the cookie away. Whoever has no session may do so, too.
async fn sign_out(headers: HeaderMap) -> Result<Response, ApiError> {
    session::refuse_other_origins(&headers)?;
    let mut response = Json(json!({ "status": "success" })).into_response();
    set(&mut response, SET_COOKIE, session::cookie(None));
    Ok(response)
}

fn set(response: &mut Response, name: HeaderName, value: Option<HeaderValue>) {
    if let Some(value) = value {
        response.headers_mut().insert(name, value);
    }
}
