//! Rounds of the model that are answered by hand.

use axum::{Json, extract::State};

use super::{SharedState, number};
use crate::{
    HoldRequest, ModelState,
    error::{ApiError, OptionalJsonBody, PathNumber, YamlBody},
    server::ApiState,
};
use rehearse_openai::{HandError, HoldEnd, HoldRule, Round};

pub(crate) async fn state(State(api): SharedState) -> Json<ModelState> {
    Json(now(&api))
}

pub(crate) async fn hold(
    State(api): SharedState,
    OptionalJsonBody(HoldRequest { text, from }): OptionalJsonBody<HoldRequest>,
) -> Result<Json<ModelState>, ApiError> {
    if text.as_ref().is_some_and(|text| text.trim().is_empty()) {
        return Err(ApiError::bad_request("an empty text is in every text")
            .help("leave text out to hold every request"));
    }
    let from = from.map(|from| number(&api.people, &from)).transpose()?;
    api.world.openai().holding().begin(HoldRule { text, from });
    Ok(Json(now(&api)))
}

pub(crate) async fn stop_holding(State(api): SharedState) -> Json<ModelState> {
    api.world.openai().holding().end();
    Json(now(&api))
}

pub(crate) async fn answer(
    State(api): SharedState,
    PathNumber(id): PathNumber,
    YamlBody(source): YamlBody,
) -> Result<Json<ModelState>, ApiError> {
    let round: Round = source.parse().map_err(|error| ApiError::bad_request(error.to_string()))?;
    if round.expectation.is_some() || !round.either.is_empty() || !round.save.is_empty() {
        return Err(ApiError::bad_request("an answer by hand has no sees, either and save")
            .help("such as { say: Hello } or { call: [{ check_availability: { date: ... } }] }"));
    }
    let answered = api.world.openai().holding().answer(id, round, api.scripts.vars()).await;
    answered.map_err(|error| refused(&api, error))?;
    Ok(Json(now(&api)))
}

pub(crate) async fn release(
    State(api): SharedState,
    PathNumber(id): PathNumber,
) -> Result<Json<ModelState>, ApiError> {
    let released = api.world.openai().holding().release(id);
    released.map_err(|error| refused(&api, error))?;
    Ok(Json(now(&api)))
}

fn now(api: &ApiState) -> ModelState {
    let holding = api.world.openai().holding();
    let rule = holding.rule();
    ModelState {
        holding: rule.map(|HoldRule { text, from }| HoldRequest { text, from }),
        time_stands_still: api.world.clock().elapsed().stands_still(),
        held: holding.held().into_iter().map(Into::into).collect(),
        ended: holding.ended().into_iter().map(Into::into).collect(),
    }
}

fn refused(api: &ApiState, error: HandError) -> ApiError {
    match error {
        HandError::NotHeld { id, ended } => {
            let how = match ended {
                Some(HoldEnd::Answered) => "it was answered",
                Some(HoldEnd::Released) => "it went to its script or to the persona",
                Some(HoldEnd::HungUp) => "its client closed the connection",
                None => "GET /model says what is held",
            };
            let held = api.world.openai().holding().held();
            let ids: Vec<String> = held.iter().map(|round| round.id.to_string()).collect();
            let help = if ids.is_empty() {
                how.to_owned()
            } else {
                format!("{how}; held are {}", ids.join(", "))
            };
            ApiError::not_found(format!("no round {id} is held")).help(help)
        }
        HandError::Impossible { reason, details } if details.is_empty() => {
            ApiError::bad_request(reason)
        }
        HandError::Impossible { reason, details } => {
            ApiError::bad_request(reason).help(details.join("\n"))
        }
    }
}
