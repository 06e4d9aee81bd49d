//! The appointment as a file for calendars, written from what the confirmation page sends: nothing is
//! looked up, so nobody learns of a booking by its reference.

use axum::{
    Extension,
    body::Body,
    extract::State,
    http::{
        HeaderMap, HeaderValue, StatusCode,
        header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS},
    },
    response::{IntoResponse as _, Response},
};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};

use super::texts::Texts;
use crate::{
    app::scheduler::Scheduler,
    domain::{
        catalogue::Repair,
        lead::LeadId,
        slot::{self, Slot, SlotTime},
        time_needed::MAX_MINUTES,
    },
    http::{
        body::{self, ParsedBody},
        error::ApiError,
        layers::RequestTime,
    },
};

/// An appointment. Every part has a form of its own, so no text of a stranger gets into the file.
struct Appointment {
    reference: LeadId,
    slot: Slot,
    minutes: u16,
    repair: Repair,
}

impl Appointment {
    fn from_pairs(pairs: &body::KeyValuePairs) -> Option<Self> {
        let value = |name: &str| {
            pairs.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
        };
        let date = slot::parse_date(value("date")?).ok()?;
        let time = SlotTime::parse(value("time")?).ok()?;
        Some(Self {
            reference: LeadId::parse(value("reference")?).ok()?,
            slot: Slot::new(date, time),
            minutes: value("minutes")?.parse().ok().filter(|minutes| *minutes <= MAX_MINUTES)?,
            repair: Repair::parse(value("repair_type")?).ok()?,
        })
    }
}

pub(super) async fn calendar_file(
    State(scheduler): State<Scheduler>,
    Extension(RequestTime(now)): Extension<RequestTime>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    let body = body::read(body).await?;
    let ParsedBody::Form(pairs) = body::parse(&headers, &body)? else {
        return Err(ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "Send a form"));
    };
    let no_appointment = || ApiError::bad_request("That is no appointment");
    let appointment = Appointment::from_pairs(&pairs).ok_or_else(no_appointment)?;
    let start = scheduler.instant(appointment.slot).ok_or_else(no_appointment)?;
    let file = calendar_text(&appointment, start, now, Texts::for_customer(&headers));
    let mut response = file.into_response();
    let headers = response.headers_mut();
    let value = HeaderValue::from_static;
    headers.insert(CONTENT_TYPE, value("text/calendar; charset=utf-8"));
    headers.insert(CONTENT_DISPOSITION, value("attachment; filename=\"appointment.ics\""));
    headers.insert(CACHE_CONTROL, value("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, value("nosniff"));
    Ok(response)
}

/// RFC 5545. Its times are UTC, so it needs no description of a time zone.
fn calendar_text(
    appointment: &Appointment,
    start: Timestamp,
    now: Timestamp,
    texts: &Texts,
) -> String {
    let Appointment { reference, minutes, repair, .. } = appointment;
    let utc = |time: Timestamp| time.to_zoned(TimeZone::UTC).strftime("%Y%m%dT%H%M%SZ").to_string();
    let length = SignedDuration::from_mins((*minutes).into());
    let end = start.checked_add(length).unwrap_or(start);
    let name = match repair {
        Repair::Listed { kind, .. } => texts.repair(*kind),
        Repair::Unlisted(_) => texts.repair_legend,
    };
    let lines = [
        "BEGIN:VCALENDAR".to_owned(),
        "VERSION:2.0".to_owned(),
        "PRODID:-//rehearse-shop//book//EN".to_owned(),
        "METHOD:PUBLISH".to_owned(),
        "BEGIN:VEVENT".to_owned(),
        format!("UID:{reference}@rehearse-shop"),
        format!("DTSTAMP:{}", utc(now)),
        format!("DTSTART:{}", utc(start)),
        format!("DTEND:{}", utc(end)),
        format!("SUMMARY:{}", escape(&format!("{name} - {}", texts.shop))),
        format!("DESCRIPTION:{}", escape(&format!("{}: {reference}", texts.reference))),
        "END:VEVENT".to_owned(),
        "END:VCALENDAR".to_owned(),
    ];
    lines.map(|line| line + "\r\n").concat()
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | ',' | ';' => escaped.extend(['\\', c]),
            '\r' => {}
            '\n' => escaped.push_str("\\n"),
            c => escaped.push(c),
        }
    }
    escaped
}
