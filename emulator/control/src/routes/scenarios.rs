//! Scenarios that are recorded.

use axum::{Json, extract::State};

use super::{SharedState, number};
use crate::error::{ApiError, JsonBody};
use rehearse_scenario::record::{RecordError, RecordRequest, RecordedScenario};

pub(crate) async fn record(
    State(api): SharedState,
    JsonBody(mut request): JsonBody<RecordRequest>,
) -> Result<Json<RecordedScenario>, ApiError> {
    request.phone = request.phone.map(|who| number(&api.people, &who)).transpose()?;
    api.recorder.record(&request).await.map(Json).map_err(|error| failed(&error))
}

fn failed(error: &RecordError) -> ApiError {
    match error {
        RecordError::Request(message) => ApiError::bad_request(message.clone())
            .help("the body {\"name\": \"A customer asks for a price\"} records the last turn"),
        RecordError::Nothing => ApiError::bad_request(error.to_string())
            .help("GET /journal has what happened; `from` and `to` are positions there"),
        RecordError::Dropped { .. } => ApiError::conflict(error.to_string()).help(
            "record later turns; [journal] in rehearse.toml sets how many exchanges are kept",
        ),
        RecordError::Changed { at } => ApiError::conflict(error.to_string())
            .help(format!("record what is before, or {{\"from\": {at}}}")),
        RecordError::Entangled { .. } => ApiError::conflict(error.to_string())
            .help("record without `phone`, or a part that has both turns"),
        RecordError::Unsayable(_) => {
            ApiError::conflict(error.to_string()).help("record a part without it")
        }
        RecordError::Fails { .. } => ApiError::conflict(error.to_string())
            .help("record fewer turns; what a recording cannot say is in docs/recording.md"),
        RecordError::Unsettled(_) => {
            ApiError::conflict(error.to_string()).help("try again when it has ended")
        }
        RecordError::Rows(_) | RecordError::Replay(_) => ApiError::failed(error),
    }
}
