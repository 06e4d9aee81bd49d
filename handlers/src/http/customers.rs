//! `/customers/{phone}`: what is stored about a customer, for the owner only.

use axum::{
    Extension, Json,
    extract::{Path, State, rejection::PathRejection},
    http::StatusCode,
    routing::{MethodRouter, get},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{error::ApiError, layers::RequestTime};
use crate::{
    app::{customers::CustomerService, error_chain::ErrorChain},
    domain::{lead::LeadId, phone::Phone},
    ports::{EraseOutcome, StoreError},
};

/// The path's variables. A stage before the path is another one, which does not matter.
#[derive(Deserialize)]
struct CustomerPath {
    phone: String,
}

type PathOfCustomer = Result<Path<CustomerPath>, PathRejection>;

/// `GET` and `DELETE`. Whoever routes to them authorizes the caller.
pub(super) fn methods<S>(customers: CustomerService) -> MethodRouter<S> {
    get(export).delete(erase).with_state(customers)
}

async fn export(
    path: PathOfCustomer,
    State(customers): State<CustomerService>,
) -> Result<Json<Value>, ApiError> {
    let phone = parse_phone(path)?;
    let data = customers.export(&phone).await.map_err(to_api_error)?;
    Ok(Json(json!({
        "phone": phone.as_str(),
        "opted_out": data.opted_out,
        "bookings": data.bookings,
        "leads": data.leads,
        "schedule": data.schedule,
        "conversation": data.conversation,
        "unanswered": data.unanswered,
        "outbox": data.outbox,
    })))
}

async fn erase(
    path: PathOfCustomer,
    Extension(RequestTime(now)): Extension<RequestTime>,
    State(customers): State<CustomerService>,
) -> Result<Json<Value>, ApiError> {
    let phone = parse_phone(path)?;
    let erasure = customers.erase(&phone, now).await.map_err(to_api_error)?;
    let rows = match erasure.outcome {
        EraseOutcome::Erased(rows) => rows,
        EraseOutcome::HasOpenBookings(open) => return Err(open_bookings(&open)),
    };
    let message = if erasure.opted_out {
        "Customer erased. That they want no more texts is kept, so that they get none"
    } else {
        "Customer erased"
    };
    Ok(Json(json!({ "status": "success", "message": message, "deleted": rows })))
}

/// A number in any form that people write.
fn parse_phone(path: PathOfCustomer) -> Result<Phone, ApiError> {
    let given = path.map(|Path(CustomerPath { phone })| phone).unwrap_or_default();
    Phone::parse(&given).map_err(|error| ApiError::bad_request(format!("Invalid phone: {error}")))
}

fn open_bookings(open: &[LeadId]) -> ApiError {
    let references: Vec<&str> = open.iter().map(LeadId::as_str).collect();
    let message =
        format!("The customer has an open booking, cancel it first: {}", references.join(", "));
    ApiError::new(StatusCode::CONFLICT, message).with("references", references)
}

fn to_api_error(error: StoreError) -> ApiError {
    tracing::error!(error = %ErrorChain(&error), "a customer's data failed");
    ApiError::unavailable()
}
