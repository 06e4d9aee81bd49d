//! `/state`: the owner's state, for the owner only.

use std::sync::Arc;

use axum::{
    Extension, Json, Router,
    body::Body,
    extract::State,
    http::{HeaderMap, StatusCode},
    routing::get,
};
use serde_json::{Value, json};

use super::{
    admin,
    body::{self, ParsedBody},
    error::ApiError,
    layers::RequestTime,
    routing,
};
use crate::{
    app::{
        error_chain::ErrorChain,
        owner_state::{OwnerStateError, OwnerStateService},
    },
    domain::owner::{OwnerPatch, OwnerState},
    ports::Credential,
};

#[derive(Clone)]
struct Endpoint {
    state: OwnerStateService,
    token: Option<Arc<dyn Credential>>,
}

/// Builds the state manager's router: `GET`, `POST`, `PUT` and `DELETE /state`. Without a token
/// every request is refused.
pub fn state(state: OwnerStateService, token: Option<Arc<dyn Credential>>) -> Router {
    let endpoint = Endpoint { state, token };
    let methods =
        get(show).post(change).put(change).delete(reset).fallback(routing::method_not_allowed);
    routing::function_router([("/state", methods)], endpoint)
}

async fn show(
    State(endpoint): State<Endpoint>,
    headers: HeaderMap,
) -> Result<Json<Value>, ApiError> {
    admin::authorize(&headers, endpoint.token.as_deref()).await?;
    let owner = endpoint.state.get().await.map_err(to_api_error)?;
    Ok(Json(json!({ "status": "success", "state": state_json(&owner) })))
}

async fn change(
    State(endpoint): State<Endpoint>,
    Extension(RequestTime(now)): Extension<RequestTime>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Value>, ApiError> {
    admin::authorize(&headers, endpoint.token.as_deref()).await?;
    let body = body::read(body).await?;
    let patch = match body::parse(&headers, &body)? {
        ParsedBody::Json(fields) => OwnerPatch::from_json(&fields),
        ParsedBody::Form(pairs) => OwnerPatch::from_pairs(
            pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())),
        ),
    };
    let patch = patch.map_err(|error| ApiError::bad_request(error.to_string()))?;
    let owner = endpoint.state.update(&patch, now).await.map_err(to_api_error)?;
    Ok(changed_response("State updated", &owner))
}

async fn reset(
    State(endpoint): State<Endpoint>,
    Extension(RequestTime(now)): Extension<RequestTime>,
    headers: HeaderMap,
) -> Result<Json<Value>, ApiError> {
    admin::authorize(&headers, endpoint.token.as_deref()).await?;
    let owner = endpoint.state.reset(now).await.map_err(to_api_error)?;
    Ok(changed_response("State reset to default", &owner))
}

fn changed_response(message: &str, owner: &OwnerState) -> Json<Value> {
    Json(json!({ "status": "success", "message": message, "state": state_json(owner) }))
}

/// The state as JSON, with the names of the old system.
fn state_json(owner: &OwnerState) -> Value {
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
    }
}
