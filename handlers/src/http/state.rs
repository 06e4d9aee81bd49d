//! The state manager's router: `/state`, the owner's state, `/calendar`, `/customers` and the page
//! `/owner`, for the owner only.

use std::sync::Arc;

use axum::{
    Extension, Json, Router,
    body::Body,
    extract::{Request, State},
    http::{HeaderMap, StatusCode},
    middleware::{Next, from_fn_with_state},
    response::Response,
    routing::{MethodRouter, get},
};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    admin,
    body::{self, ParsedBody},
    calendar, customers,
    error::ApiError,
    layers::{RequestTime, SourceAddress},
    owner_page, routing, time_off,
};
use crate::{
    app::{
        customers::CustomerService,
        error_chain::ErrorChain,
        owner_calendar::OwnerCalendarService,
        owner_page::OwnerPageService,
        owner_state::{OwnerStateError, OwnerStateService},
    },
    domain::{
        changed_by::ChangedBy,
        owner::{OwnerPatch, OwnerState},
    },
    ports::Credential,
};

#[derive(Clone)]
pub(super) struct Endpoint {
    pub(super) state: OwnerStateService,
    pub(super) calendar: OwnerCalendarService,
    pub(super) token: Option<Arc<dyn Credential>>,
}

/// Who asks, and when.
pub(super) struct Caller<'a> {
    pub(super) state: &'a OwnerStateService,
    pub(super) address: &'a str,
    pub(super) now: Timestamp,
}

impl admin::Guesses for Caller<'_> {
    async fn allow_another(self) -> bool {
        self.state.allows_wrong_token(self.address, self.now).await
    }
}

/// Refuses every request without the token, whatever it asks for.
async fn authorize(
    State(endpoint): State<Endpoint>,
    Extension(RequestTime(now)): Extension<RequestTime>,
    Extension(SourceAddress(address)): Extension<SourceAddress>,
    mut request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    let caller = Caller { state: &endpoint.state, address: &address, now };
    admin::authorize(request.headers(), endpoint.token.as_deref(), caller).await?;
    request.extensions_mut().insert(ChangedBy::Api);
    Ok(next.run(request).await)
}

/// Builds the state manager's router: `GET`, `POST`, `PUT` and `DELETE` of `/state` and `/calendar`,
/// `GET`, `POST` and `DELETE /calendar/time-off`, `GET` and `DELETE /customers/{phone}`, and the owner's
/// page below `/owner`. Without a token every request is refused.
pub fn state(
    state: OwnerStateService,
    calendar: OwnerCalendarService,
    customers: CustomerService,
    owner_page: OwnerPageService,
    token: Option<Arc<dyn Credential>>,
) -> Router {
    let endpoint = Endpoint { state, calendar: calendar.clone(), token };
    let for_the_owner = |methods: MethodRouter<Endpoint>| {
        methods
            .route_layer(from_fn_with_state(endpoint.clone(), authorize))
            .fallback(routing::method_not_allowed)
    };
    let routes = [
        ("/state", for_the_owner(methods())),
        ("/calendar", for_the_owner(calendar::methods(calendar.clone()))),
        ("/calendar/time-off", for_the_owner(time_off::methods(calendar))),
        ("/customers/{phone}", for_the_owner(customers::methods(customers.clone()))),
    ];
    let page = owner_page::routes(&endpoint, owner_page, customers);
    routing::function_router(routes.into_iter().chain(page), endpoint)
}

/// `GET`, `POST`, `PUT` and `DELETE`. Whoever routes to them authorizes the caller, and says who it is
/// by the extension [`ChangedBy`].
pub(super) fn methods() -> MethodRouter<Endpoint> {
    get(show).post(change).put(change).delete(reset)
}

async fn show(State(endpoint): State<Endpoint>) -> Result<Json<Value>, ApiError> {
    let owner = endpoint.state.get().await.map_err(to_api_error)?;
    Ok(Json(json!({ "status": "success", "state": state_json(&owner) })))
}

async fn change(
    State(endpoint): State<Endpoint>,
    Extension(by): Extension<ChangedBy>,
    Extension(RequestTime(now)): Extension<RequestTime>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Value>, ApiError> {
    let body = body::read(body).await?;
    let patch = match body::parse(&headers, &body)? {
        ParsedBody::Json(fields) => OwnerPatch::from_json(&fields),
        ParsedBody::Form(pairs) => OwnerPatch::from_pairs(
            pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())),
        ),
    };
    let patch = patch.map_err(|error| ApiError::bad_request(error.to_string()))?;
    let owner = endpoint.state.update(&patch, by, now).await.map_err(to_api_error)?;
    if !patch.blocks_slots() {
        return Ok(changed_response("State updated", &owner));
    }
    let touched = endpoint.calendar.touched_bookings(now).await;
    let message = calendar::with_touched("State updated", touched.as_ref());
    let Json(mut answer) = changed_response(&message, &owner);
    calendar::add_touched(&mut answer, touched.as_ref());
    Ok(Json(answer))
}

async fn reset(
    State(endpoint): State<Endpoint>,
    Extension(by): Extension<ChangedBy>,
    Extension(RequestTime(now)): Extension<RequestTime>,
) -> Result<Json<Value>, ApiError> {
    let owner = endpoint.state.reset(by, now).await.map_err(to_api_error)?;
    Ok(changed_response("State reset to default", &owner))
}

fn changed_response(message: &str, owner: &OwnerState) -> Json<Value> {
    Json(json!({ "status": "success", "message": message, "state": state_json(owner) }))
}

/// The state as JSON, with the names of the old system.
pub(super) fn state_json(owner: &OwnerState) -> Value {
    let mut state = json!({
        "state_id": "CURRENT",
        "status": owner.status.as_str(),
        "location": owner.location,
        "notes": owner.notes,
        "special_info": owner.special_info,
        "assistant_name": owner.assistant_name,
        "greeting": owner.greeting,
        "max_discount": owner.max_discount,
        "ai_answers_sms": owner.ai_answers_sms,
        "auto_upsell": owner.auto_upsell,
        "updated_at": owner.updated_at.map(|time| time.as_second()),
        "changed_by": owner.changed_by.map(ChangedBy::as_str),
        "version": owner.version,
    });
    if let Some(until) = owner.until {
        state["until"] = json!(until.to_string());
    }
    if let Some(voice) = &owner.voice {
        state["voice"] = json!(voice);
    }
    if let Some(calls) = owner.ai_answers_calls {
        state["ai_answers_calls"] = json!(calls);
    }
    state
}

fn to_api_error(error: OwnerStateError) -> ApiError {
    tracing::error!(error = %ErrorChain(&error), "the owner's state failed");
    match error {
        OwnerStateError::Store(_) => ApiError::unavailable(),
        OwnerStateError::Contended => ApiError::new(
            StatusCode::CONFLICT,
            "The state is being changed by somebody else, please try again",
        ),
        OwnerStateError::Outdated(current) => {
            changed_meanwhile("state", current.changed_by, current.version)
                .with("state", state_json(&current))
        }
    }
}

/// Refuses a change of what was changed meanwhile; `what` is the field that has it as it is now.
pub(super) fn changed_meanwhile(what: &str, by: Option<ChangedBy>, version: u64) -> ApiError {
    let by = by.map(|by| format!(", last by {by}")).unwrap_or_default();
    let message = format!(
        "The {what} was changed meanwhile{by}: it has version {version} now. Look at it again"
    );
    ApiError::new(StatusCode::CONFLICT, message).with("version", version)
}
