//! `/scheduler`: the booking form.

mod confirm;

use std::sync::Arc;

use axum::{
    Extension, Json, Router,
    body::Body,
    extract::{FromRef, RawQuery, State},
    http::{HeaderMap, StatusCode},
    routing::get,
};
use serde_json::{Map, Value, json};

use super::{
    body::{self, ParsedBody},
    book::{self, BookPage},
    error::ApiError,
    layers::{RequestTime, SourceAddress},
    routing,
};
use crate::{
    app::{
        error_chain::ErrorChain,
        scheduler::{FormAnswer, FormBooking, FormFields, Scheduler, SchedulerError},
    },
    domain::{lead::LeadStatus, slot::time_texts},
};

/// `customer_name` in the response for a customer without a name, as in the old system.
const UNKNOWN_NAME: &str = "Unknown";

/// What the scheduler's handlers share.
#[derive(Clone)]
pub(super) struct SchedulerState {
    scheduler: Scheduler,
    page: Arc<BookPage>,
}

impl FromRef<SchedulerState> for Scheduler {
    fn from_ref(state: &SchedulerState) -> Self {
        state.scheduler.clone()
    }
}

impl FromRef<SchedulerState> for Arc<BookPage> {
    fn from_ref(state: &SchedulerState) -> Self {
        Self::clone(&state.page)
    }
}

/// Builds the scheduler's router: `GET` and `POST /scheduler`, `POST /scheduler/confirm` if bookings
/// must be confirmed, and the page `/book` with what belongs to it.
pub fn scheduler(scheduler: Scheduler, page: BookPage) -> Router {
    let methods = get(available).post(submit).fallback(routing::method_not_allowed);
    let mut routes = vec![("/scheduler", methods)];
    if scheduler.asks_for_confirmation() {
        routes.push(("/scheduler/confirm", confirm::methods()));
    }
    routes.extend(book::routes());
    routing::function_router(routes, SchedulerState { scheduler, page: Arc::new(page) })
}

async fn available(
    State(scheduler): State<Scheduler>,
    Extension(RequestTime(now)): Extension<RequestTime>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, ApiError> {
    let query = body::pairs(query.unwrap_or_default().as_bytes());
    let value = |name: &str| query.iter().find(|(key, _)| key == name).map(|(_, v)| v.as_str());
    let (date, slots) = scheduler
        .availability(value("date"), value("repair_type"), now)
        .await
        .map_err(to_api_error)?;
    Ok(Json(json!({
        "status": "success",
        "date": date.to_string(),
        "available_slots": time_texts(&slots),
        "available_count": slots.len(),
    })))
}

async fn submit(
    State(scheduler): State<Scheduler>,
    Extension(RequestTime(now)): Extension<RequestTime>,
    Extension(SourceAddress(address)): Extension<SourceAddress>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    let body = body::read(body).await?;
    let fields = match body::parse(&headers, &body)? {
        ParsedBody::Json(fields) => from_json(fields)?,
        ParsedBody::Form(pairs) => from_pairs(pairs),
    };
    // Bytes that are not text become an empty key, which the use case refuses.
    let key = headers.get("idempotency-key").map(|key| key.to_str().unwrap_or_default());
    let answer = scheduler.submit(&fields, key, &address, now).await.map_err(to_api_error)?;
    Ok(match answer {
        FormAnswer::Booked(booking) => (StatusCode::CREATED, Json(booking_json(&booking))),
        FormAnswer::Pending { id, until } => {
            let (hold_id, expires_at) = (id.to_string(), until.to_string());
            let pending = json!({
                "status": "pending", "hold_id": hold_id, "expires_at": expires_at,
            });
            (StatusCode::ACCEPTED, Json(pending))
        }
    })
}

fn booking_json(FormBooking { booking, status }: &FormBooking) -> Value {
    let message = match status {
        LeadStatus::Booked => format!("Appointment booked for {}", booking.slot),
        LeadStatus::Cancelled => format!("The appointment for {} was cancelled", booking.slot),
        LeadStatus::Completed => format!("The appointment for {} has taken place", booking.slot),
    };
    json!({
        "status": "success",
        "message": message,
        "lead_id": booking.lead_id.as_str(),
        "date": booking.slot.date().to_string(),
        "time": booking.slot.time().to_string(),
        "repair_type": booking.repair.slug(),
        "device": booking.device,
        "phone": booking.phone.as_str(),
        "customer_name": booking.customer_name.as_deref().unwrap_or(UNKNOWN_NAME),
    })
}

/// Ignores other fields, because pages send their own along.
fn from_json(mut fields: Map<String, Value>) -> Result<FormFields, ApiError> {
    let mut text = |name: &str| text_field(&mut fields, name);
    Ok(FormFields {
        phone: text("phone")?,
        date: text("date")?,
        time: text("time")?,
        repair_type: text("repair_type")?,
        device: text("device")?,
        customer_name: text("customer_name")?,
        address: text("address")?,
    })
}

/// A field that may be left out.
fn text_field(fields: &mut Map<String, Value>, name: &str) -> Result<Option<String>, ApiError> {
    match fields.remove(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(ApiError::bad_request(format!("Invalid {name}: it must be a string"))),
    }
}

pub(super) fn from_pairs(pairs: body::KeyValuePairs) -> FormFields {
    let mut fields = FormFields::default();
    for (name, value) in pairs {
        let field = match name.as_str() {
            "phone" => &mut fields.phone,
            "date" => &mut fields.date,
            "time" => &mut fields.time,
            "repair_type" => &mut fields.repair_type,
            "device" => &mut fields.device,
            "customer_name" => &mut fields.customer_name,
            "address" => &mut fields.address,
            _ => continue,
        };
        *field = Some(value);
    }
    fields
}

/// The use case's texts are for whoever filled in the form.
pub(super) fn to_api_error(error: SchedulerError) -> ApiError {
    let status = status_of(&error);
    if status.is_server_error() {
        tracing::error!(error = %ErrorChain(&error), "the booking form failed");
    }
    let answer = ApiError::new(status, error.to_string());
    match &error {
        SchedulerError::Taken { available } => {
            answer.with("available_slots", time_texts(available))
        }
        SchedulerError::WrongCode { attempts_left } => answer.with("attempts_left", *attempts_left),
        _ => answer,
    }
}

pub(super) fn status_of(error: &SchedulerError) -> StatusCode {
    match error {
        SchedulerError::Missing(_)
        | SchedulerError::Invalid { .. }
        | SchedulerError::InvalidKey
        | SchedulerError::Unbookable(_) => StatusCode::BAD_REQUEST,
        SchedulerError::KeyReused => StatusCode::UNPROCESSABLE_ENTITY,
        SchedulerError::Taken { .. } | SchedulerError::TooMany => StatusCode::CONFLICT,
        SchedulerError::AddressLimit => StatusCode::TOO_MANY_REQUESTS,
        SchedulerError::WrongCode { .. } => StatusCode::FORBIDDEN,
        SchedulerError::HoldEnded => StatusCode::GONE,
        SchedulerError::Contended | SchedulerError::Store(_) => StatusCode::SERVICE_UNAVAILABLE,
    }
}
