//! `/scheduler/confirm`: the code that was texted books what the form holds.

use axum::{
    Extension, Json,
    body::Body,
    extract::State,
    http::{HeaderMap, StatusCode},
    routing::{MethodRouter, post},
};
use serde_json::Value;

use super::{SchedulerState, booking_json, text_field, to_api_error};
use crate::{
    app::scheduler::Scheduler,
    http::{
        body::{self, ParsedBody},
        error::ApiError,
        layers::{RequestTime, SourceAddress},
        routing,
    },
};

/// `POST`.
pub(super) fn methods() -> MethodRouter<SchedulerState> {
    post(confirm).fallback(routing::method_not_allowed)
}

async fn confirm(
    State(scheduler): State<Scheduler>,
    Extension(RequestTime(now)): Extension<RequestTime>,
    Extension(SourceAddress(address)): Extension<SourceAddress>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    let body = body::read(body).await?;
    let (hold_id, code) = match body::parse(&headers, &body)? {
        ParsedBody::Json(mut fields) => {
            (text_field(&mut fields, "hold_id")?, text_field(&mut fields, "code")?)
        }
        ParsedBody::Form(pairs) => {
            let field = |name: &str| {
                pairs.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())
            };
            (field("hold_id"), field("code"))
        }
    };
    let confirmed = scheduler.confirm(hold_id.as_deref(), code.as_deref(), &address, now).await;
    Ok((StatusCode::CREATED, Json(booking_json(&confirmed.map_err(to_api_error)?))))
}
