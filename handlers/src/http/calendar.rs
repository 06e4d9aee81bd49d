//! `/calendar`: what the owner decides about the calendar, for the owner only.

use axum::{
    Extension, Json,
    body::Body,
    extract::State,
    http::{HeaderMap, StatusCode},
    routing::{MethodRouter, get},
};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    body::{self, ParsedBody},
    error::ApiError,
    layers::RequestTime,
    state::changed_meanwhile,
};
use crate::{
    app::{
        error_chain::ErrorChain,
        owner_calendar::{OwnerCalendarError, OwnerCalendarService},
    },
    domain::{
        calendar_settings::{CalendarPatch, CalendarSettings},
        changed_by::ChangedBy,
        day_schedule::{HeldTime, HeldTimes},
    },
};

/// `GET`, `POST`, `PUT` and `DELETE`. Whoever routes to them authorizes the caller, and says who it is
/// by the extension [`ChangedBy`].
pub(super) fn methods<S>(calendar: OwnerCalendarService) -> MethodRouter<S> {
    get(show).post(change).put(change).delete(reset).with_state(calendar)
}

async fn show(State(calendar): State<OwnerCalendarService>) -> Result<Json<Value>, ApiError> {
    let settings = calendar.get().await;
    let settings = settings.map_err(|error| to_api_error(&error, calendar.zone_name()))?;
    let calendar = settings_json(&settings, calendar.zone_name());
    Ok(Json(json!({ "status": "success", "calendar": calendar })))
}

async fn change(
    State(calendar): State<OwnerCalendarService>,
    Extension(by): Extension<ChangedBy>,
    Extension(RequestTime(now)): Extension<RequestTime>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Value>, ApiError> {
    let body = body::read(body).await?;
    let ParsedBody::Json(fields) = body::parse(&headers, &body)? else {
        return Err(ApiError::bad_request("The calendar must be sent as JSON"));
    };
    let patch = CalendarPatch::from_json(&fields)
        .map_err(|error| ApiError::bad_request(error.to_string()))?;
    let settings = calendar.update(&patch, by, now).await;
    let settings = settings.map_err(|error| to_api_error(&error, calendar.zone_name()))?;
    Ok(changed_response("Calendar updated", &calendar, &settings, now).await)
}

async fn reset(
    State(calendar): State<OwnerCalendarService>,
    Extension(by): Extension<ChangedBy>,
    Extension(RequestTime(now)): Extension<RequestTime>,
) -> Result<Json<Value>, ApiError> {
    let settings = calendar.reset(by, now).await;
    let settings = settings.map_err(|error| to_api_error(&error, calendar.zone_name()))?;
    Ok(changed_response("Calendar reset to default", &calendar, &settings, now).await)
}

async fn changed_response(
    done: &str,
    calendar: &OwnerCalendarService,
    settings: &CalendarSettings,
    now: Timestamp,
) -> Json<Value> {
    let touched = calendar.touched_bookings(now).await;
    let mut answer = json!({
        "status": "success",
        "message": with_touched(done, touched.as_ref()),
        "calendar": settings_json(settings, calendar.zone_name()),
    });
    add_touched(&mut answer, touched.as_ref());
    Json(answer)
}

/// What was done, and that bookings stand all the same.
pub(super) fn with_touched(done: &str, touched: Option<&HeldTimes>) -> String {
    let Some(HeldTimes { times, unreadable }) = touched else {
        return format!("{done}. Its bookings cannot be read right now, please look later");
    };
    let touched = match times.as_slice() {
        [] => String::new(),
        [_] => ". One booking is touched and stands all the same".to_owned(),
        several => {
            format!(". {} bookings are touched and stand all the same", several.len())
        }
    };
    let dates: Vec<String> = unreadable.iter().map(ToString::to_string).collect();
    if dates.is_empty() {
        return format!("{done}{touched}");
    }
    let dates = dates.join(", ");
    format!("{done}{touched}. The schedule has rows that cannot be read, please look: {dates}")
}

/// Adds the bookings that a change touches; `null` when they cannot be read.
pub(super) fn add_touched(answer: &mut Value, touched: Option<&HeldTimes>) {
    answer["touched_bookings"] = json!(touched.map(|touched| bookings_json(&touched.times)));
    let unreadable = touched.map(|touched| &touched.unreadable);
    if let Some(dates) = unreadable.filter(|dates| !dates.is_empty()) {
        let dates: Vec<String> = dates.iter().map(ToString::to_string).collect();
        answer["unreadable_dates"] = json!(dates);
    }
}

/// Bookings with what the owner needs to call the customer.
pub(super) fn bookings_json(bookings: &[HeldTime]) -> Vec<Value> {
    let booking = |HeldTime { date, hold }: &HeldTime| {
        json!({
            "date": date.to_string(),
            "time": hold.start.to_string(),
            "minutes": hold.minutes,
            "lead_id": hold.lead_id,
            "phone": hold.phone.as_ref().map(|phone| phone.as_str()),
        })
    };
    bookings.iter().map(booking).collect()
}

pub(super) fn settings_json(settings: &CalendarSettings, zone_name: &str) -> Value {
    let mut fields = settings.to_json();
    fields.insert("time_zone".into(), json!(zone_name));
    fields.insert("updated_at".into(), json!(settings.updated_at.map(|time| time.as_second())));
    fields.insert("changed_by".into(), json!(settings.changed_by.map(ChangedBy::as_str)));
    fields.insert("version".into(), json!(settings.version));
    Value::Object(fields)
}

pub(super) fn to_api_error(error: &OwnerCalendarError, zone_name: &str) -> ApiError {
    tracing::error!(error = %ErrorChain(error), "the calendar's settings failed");
    match error {
        OwnerCalendarError::Store(_) => ApiError::unavailable(),
        OwnerCalendarError::Contended => ApiError::new(
            StatusCode::CONFLICT,
            "The calendar is being changed by somebody else, please try again",
        ),
        OwnerCalendarError::Outdated(current) => {
            changed_meanwhile("calendar", current.changed_by, current.version)
                .with("calendar", settings_json(current, zone_name))
        }
    }
}
