//! What the world is, its time, and its start.

use std::sync::Arc;

use axum::{Json, extract::State};
use jiff::{SignedDuration, Span, SpanRelativeTo};

use super::SharedState;
use crate::{
    ClockRequest, ClockResponse, Endpoints, People, Person, Ready, Reset,
    error::{ApiError, JsonBody},
    server::ApiState,
};
use rehearse_world::AdvanceError;

pub(crate) async fn ready(State(api): SharedState) -> Json<Ready> {
    let (version, instance) = (env!("CARGO_PKG_VERSION").into(), api.instance.clone());
    Json(Ready { ready: true, version, instance })
}

pub(crate) async fn endpoints(State(api): SharedState) -> Json<Endpoints> {
    Json(api.endpoints.clone())
}

pub(crate) async fn people(State(api): SharedState) -> Json<People> {
    let person =
        |(name, number): (&String, &String)| Person { name: name.clone(), number: number.clone() };
    let shop = api.world.twilio().number().to_owned();
    Json(People { people: api.people.iter().map(person).collect(), shop })
}

pub(crate) async fn clock(State(api): SharedState) -> Json<ClockResponse> {
    Json(time(&api))
}

pub(crate) async fn move_clock(
    State(api): SharedState,
    JsonBody(request): JsonBody<ClockRequest>,
) -> Result<Json<ClockResponse>, ApiError> {
    let world = Arc::clone(&api.world);
    // On a task of its own: what is due is fired even if the caller closes the connection.
    let moved = match request {
        ClockRequest { now: None, advance: None, running: Some(running) } => {
            if running {
                world.let_run();
            } else {
                world.clock().freeze();
            }
            return Ok(Json(time(&api)));
        }
        ClockRequest { now: Some(now), advance: None, running: None } => {
            tokio::spawn(async move { world.set_time(now).await.map_err(AdvanceError::from) })
        }
        ClockRequest { now: None, advance: Some(by), running: None } => {
            let by = length(&by)?;
            tokio::spawn(async move { world.advance(by).await })
        }
        _ => return Err(ApiError::bad_request("give one of now, advance and running")),
    };
    moved.await.map_err(|e| ApiError::failed(&e))?.map_err(|error| match error {
        AdvanceError::Backwards => ApiError::bad_request(error.to_string())
            .help("the body {\"now\": \"2026-02-10T15:10:00-05:00\"} sets a time"),
        AdvanceError::TooFar => ApiError::bad_request(error.to_string()),
        AdvanceError::Unsettled(_) => ApiError::failed(&error),
    })?;
    Ok(Json(time(&api)))
}

pub(crate) async fn reset(State(api): SharedState) -> Result<Json<Reset>, ApiError> {
    // On a task of its own: nothing is left half reset if the caller closes the connection, as a
    // function does that is stopped by the reset that it asked for.
    let reset = tokio::spawn(async move {
        api.scripts.reset();
        api.world.reset().await.map_err(|e| ApiError::failed(&e))?;
        api.world.journal().clear();
        api.recorder.reset().await;
        Ok::<_, ApiError>(())
    });
    reset.await.map_err(|e| ApiError::failed(&e))??;
    Ok(Json(Reset { reset: true }))
}

fn time(api: &ApiState) -> ClockResponse {
    let clock = api.world.clock();
    let time_zone = api.world.time_zone().iana_name().unwrap_or("UTC").to_owned();
    ClockResponse { now: clock.now(), running: clock.is_running(), time_zone }
}

/// Parses a length of time in words or in ISO 8601; a day is 24 hours.
fn length(text: &str) -> Result<SignedDuration, ApiError> {
    let span: Result<Span, _> = text.parse();
    span.and_then(|span| span.to_duration(SpanRelativeTo::days_are_24_hours())).map_err(|_| {
        ApiError::bad_request(format!(
            "'{text}' is not a length of time such as 2h 30m, 1 day or PT2H30M"
        ))
    })
}
