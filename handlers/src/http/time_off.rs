//! `/calendar/time-off`: time that the owner takes off, for the owner only.

use axum::{
    Extension, Json,
    body::Body,
    extract::State,
    http::{HeaderMap, StatusCode},
    routing::{MethodRouter, get},
};
use jiff::civil;
use serde_json::{Map, Value, json};

use super::{
    body::{self, ParsedBody},
    calendar::{add_touched, to_api_error, with_touched},
    error::ApiError,
    layers::RequestTime,
};
use crate::{
    app::{
        error_chain::ErrorChain, owner_calendar::OwnerCalendarService, owner_desk::TimeOffError,
    },
    domain::{day_schedule::HeldTime, slot::parse_date, time_span::TimeSpan},
};

/// `GET`, `POST` and `DELETE`. Whoever routes to them authorizes the caller.
pub(super) fn methods<S>(calendar: OwnerCalendarService) -> MethodRouter<S> {
    get(list).post(take).delete(give_back).with_state(calendar)
}

async fn list(
    State(calendar): State<OwnerCalendarService>,
    Extension(RequestTime(now)): Extension<RequestTime>,
) -> Result<Json<Value>, ApiError> {
    let time_off = calendar.time_off(now).await;
    let time_off = time_off.map_err(|error| to_api_error(&error, calendar.zone_name()))?;
    let row = |HeldTime { date, hold }: &HeldTime| {
        json!({
            "date": date.to_string(),
            "time": hold.start.to_string(),
            "minutes": hold.minutes,
        })
    };
    let rows: Vec<Value> = time_off.iter().map(row).collect();
    Ok(Json(json!({ "status": "success", "time_off": rows })))
}

async fn take(
    State(calendar): State<OwnerCalendarService>,
    Extension(RequestTime(now)): Extension<RequestTime>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Value>, ApiError> {
    let (date, part) = parse(&headers, body).await?;
    let touched = calendar.take_off(date, part, now).await.map_err(to_time_off_error)?;
    let mut answer =
        json!({ "status": "success", "message": with_touched("Time off taken", Some(&touched)) });
    add_touched(&mut answer, Some(&touched));
    Ok(Json(answer))
}

async fn give_back(
    State(calendar): State<OwnerCalendarService>,
    Extension(RequestTime(now)): Extension<RequestTime>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Value>, ApiError> {
    let (date, part) = parse(&headers, body).await?;
    let was_off = calendar.give_back(date, part, now).await.map_err(to_time_off_error)?;
    let message = if was_off { "Time off ended" } else { "There was no time off" };
    Ok(Json(json!({ "status": "success", "message": message })))
}

/// `date`, and `part` such as `14:00-16:00` unless the whole day is meant.
async fn parse(
    headers: &HeaderMap,
    body: Body,
) -> Result<(civil::Date, Option<TimeSpan>), ApiError> {
    let body = body::read(body).await?;
    let fields: Map<String, Value> = match body::parse(headers, &body)? {
        ParsedBody::Json(fields) => fields,
        ParsedBody::Form(pairs) => {
            pairs.into_iter().map(|(name, value)| (name, Value::from(value))).collect()
        }
    };
    if let Some(unknown) = fields.keys().find(|name| !["date", "part"].contains(&name.as_str())) {
        let unknown: String = unknown.chars().take(40).collect();
        return Err(ApiError::bad_request(format!(
            "Unknown field: {unknown}. Fields are date and part"
        )));
    }
    let date = fields
        .get("date")
        .and_then(Value::as_str)
        .and_then(|date| parse_date(date).ok())
        .ok_or_else(|| ApiError::bad_request("Invalid value for date: YYYY-MM-DD"))?;
    let part = match fields.get("part") {
        None | Some(Value::Null) => None,
        Some(part) => Some(part.as_str().and_then(TimeSpan::parse).ok_or_else(|| {
            ApiError::bad_request("Invalid value for part: hours such as 14:00-16:00, or null")
        })?),
    };
    Ok((date, part))
}

fn to_time_off_error(error: TimeOffError) -> ApiError {
    match error {
        TimeOffError::Over(_) => ApiError::new(StatusCode::BAD_REQUEST, error.to_string()),
        TimeOffError::Store(_) => {
            tracing::error!(error = %ErrorChain(&error), "time off failed");
            ApiError::unavailable()
        }
    }
}
