//! What the page asks for and changes besides the state and the calendar.

use axum::{
    Extension, Json,
    body::Body,
    extract::{
        Path, Query, State,
        rejection::{PathRejection, QueryRejection},
    },
    http::{HeaderMap, StatusCode},
};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Page, view};
use crate::{
    app::{
        bookings::BookingError,
        error_chain::ErrorChain,
        owner_page::{MAX_DAYS, OwnerPageError, OwnersChange, Told},
    },
    domain::{
        lead::{LeadId, LeadStatus},
        slot::{Slot, SlotTime, parse_date},
    },
    http::{
        body::{self, ParsedBody},
        error::ApiError,
        layers::RequestTime,
    },
    ports::StoreError,
};

/// Dates that are shown unless the page asks for others.
const DAYS: u8 = 7;

#[derive(Deserialize)]
pub(super) struct Dates {
    from: Option<String>,
    days: Option<u8>,
}

/// The path's variable. A stage before the path is another one, which does not matter.
#[derive(Deserialize)]
pub(super) struct BookingPath {
    lead_id: String,
}

#[derive(Deserialize)]
pub(super) struct TextPath {
    sid: String,
}

type PathOf<T> = Result<Path<T>, PathRejection>;
type Now = Extension<RequestTime>;

pub(super) async fn overview(
    State(page): State<Page>,
    Extension(RequestTime(now)): Now,
    dates: Result<Query<Dates>, QueryRejection>,
) -> Result<Json<Value>, ApiError> {
    let Ok(Query(Dates { from, days })) = dates else {
        return Err(ApiError::bad_request("Invalid dates: from=2026-02-10&days=7"));
    };
    let from = from.map(|from| parse_date(&from)).transpose();
    let from = from.map_err(|_| ApiError::bad_request("Invalid value for from: YYYY-MM-DD"))?;
    let days = days.unwrap_or(DAYS);
    if !(1..=MAX_DAYS).contains(&days) {
        return Err(ApiError::bad_request(format!("Invalid value for days: 1 to {MAX_DAYS}")));
    }
    let overview = page.service.overview(from, days, now).await.map_err(unavailable)?;
    Ok(Json(view::overview(&overview, now)))
}

pub(super) async fn conversations(
    State(page): State<Page>,
    Extension(RequestTime(now)): Now,
) -> Result<Json<Value>, ApiError> {
    let conversations = page.service.conversations(now).await.map_err(unavailable)?;
    let conversations: Vec<Value> = conversations.iter().map(view::conversation).collect();
    Ok(Json(json!({ "status": "success", "conversations": conversations })))
}

pub(super) async fn cancel(
    path: PathOf<BookingPath>,
    State(page): State<Page>,
    Extension(RequestTime(now)): Now,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Value>, ApiError> {
    let id = lead_id(path)?;
    let fields = fields(&headers, body, &["tell_customer"]).await?;
    let changed = page.service.cancel(&id, tells(&fields)?, now).await.map_err(to_api_error)?;
    Ok(answer("Cancelled", "It was cancelled before", &changed))
}

pub(super) async fn reschedule(
    path: PathOf<BookingPath>,
    State(page): State<Page>,
    Extension(RequestTime(now)): Now,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Value>, ApiError> {
    let id = lead_id(path)?;
    let fields = fields(&headers, body, &["date", "time", "tell_customer"]).await?;
    let text = |name| fields.get(name).and_then(Value::as_str);
    let date = text("date").and_then(|date| parse_date(date).ok());
    let date = date.ok_or_else(|| ApiError::bad_request("Invalid value for date: YYYY-MM-DD"))?;
    let time = text("time").and_then(|time| SlotTime::parse(time).ok());
    let time =
        time.ok_or_else(|| ApiError::bad_request("Invalid value for time: such as 2:00 PM"))?;
    let moved = page.service.reschedule(&id, Slot::new(date, time), tells(&fields)?, now).await;
    Ok(answer("Moved", "It stood there before", &moved.map_err(to_api_error)?))
}

pub(super) async fn complete(
    path: PathOf<BookingPath>,
    State(page): State<Page>,
    Extension(RequestTime(now)): Now,
) -> Result<Json<Value>, ApiError> {
    let id = lead_id(path)?;
    let changed = page.service.complete(&id, now).await.map_err(to_api_error)?;
    Ok(answer("Done", "It was marked as done before", &changed))
}

pub(super) async fn mark_answered(
    path: PathOf<TextPath>,
    State(page): State<Page>,
    Extension(RequestTime(now)): Now,
) -> Result<Json<Value>, ApiError> {
    let Path(TextPath { sid }) = path.map_err(|_| unknown_text())?;
    if sid.is_empty() || !page.service.mark_answered(&sid, now).await.map_err(unavailable)? {
        return Err(unknown_text());
    }
    Ok(Json(json!({ "status": "success", "message": "Marked as answered" })))
}

/// What was done, and whether the customer hears of it; or that it was so before, which a repeat is
/// told after an answer that was lost.
fn answer(done: &str, before: &str, change: &OwnersChange) -> Json<Value> {
    let OwnersChange { changed, told } = change;
    let text = match told {
        Told::ByText => "the customer gets a text",
        Told::OptedOut => "the customer wants no more texts: please call",
        Told::No => "the customer gets no text",
    };
    let message = match changed.was_so_before {
        true => format!("{before}: nothing was changed now, and no text is sent"),
        false => format!("{done}, {text}"),
    };
    Json(json!({
        "status": "success",
        "message": message,
        "was_so_before": changed.was_so_before,
        "told": *told == Told::ByText,
        "lead_id": changed.booking.lead_id.as_str(),
        "date": changed.booking.slot.date().to_string(),
        "time": changed.booking.slot.time().to_string(),
    }))
}

/// The id as it stands in the row, which may be of the old system.
fn lead_id(path: PathOf<BookingPath>) -> Result<LeadId, ApiError> {
    let Path(BookingPath { lead_id }) = path.map_err(|_| no_booking())?;
    if lead_id.is_empty() || lead_id.len() > 100 {
        return Err(no_booking());
    }
    Ok(LeadId::from_row(lead_id))
}

async fn fields(
    headers: &HeaderMap,
    body: Body,
    known: &[&str],
) -> Result<Map<String, Value>, ApiError> {
    let body = body::read(body).await?;
    let ParsedBody::Json(fields) = body::parse(headers, &body)? else {
        return Err(ApiError::bad_request("Changes must be sent as JSON"));
    };
    match fields.keys().find(|name| !known.contains(&name.as_str())) {
        None => Ok(fields),
        Some(unknown) => {
            let unknown: String = unknown.chars().take(40).collect();
            Err(ApiError::bad_request(format!("Unknown field: {unknown}")))
        }
    }
}

fn tells(fields: &Map<String, Value>) -> Result<bool, ApiError> {
    fields
        .get("tell_customer")
        .and_then(Value::as_bool)
        .ok_or_else(|| ApiError::bad_request("Invalid value for tell_customer: true or false"))
}

fn no_booking() -> ApiError {
    ApiError::new(StatusCode::NOT_FOUND, "There is no booking with that reference")
}

fn unknown_text() -> ApiError {
    ApiError::new(StatusCode::NOT_FOUND, "There is no such text")
}

fn unavailable(error: StoreError) -> ApiError {
    tracing::error!(error = %ErrorChain(&error), "the owner's page failed");
    ApiError::unavailable()
}

fn to_api_error(error: OwnerPageError) -> ApiError {
    let error = match error {
        OwnerPageError::NoBooking => return no_booking(),
        OwnerPageError::Over(status) => {
            let over = match status {
                LeadStatus::Booked => "The time of this booking is over",
                LeadStatus::Cancelled => "This booking was cancelled before",
                LeadStatus::Completed => "This booking was marked as done before",
            };
            let message = format!("{over}: nothing was changed");
            return ApiError::new(StatusCode::CONFLICT, message);
        }
        OwnerPageError::Booking(error) => error,
    };
    let conflict = |message: String| ApiError::new(StatusCode::CONFLICT, message);
    match error {
        BookingError::Store(error) => unavailable(error),
        BookingError::Unbookable(reason) => ApiError::bad_request(reason.to_string()),
        BookingError::Taken { available } => {
            let free: Vec<String> = available.slots.iter().map(ToString::to_string).collect();
            conflict("That time is already taken".to_owned()).with("available_slots", free)
        }
        BookingError::NotFound => {
            conflict("The booking is over, cancelled or done meanwhile".to_owned())
        }
        other => conflict(other.to_string()),
    }
}
