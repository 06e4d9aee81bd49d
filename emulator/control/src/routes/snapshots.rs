//! Snapshots: rows, business time and opt-outs of a moment, to go back to.

use std::{sync::Arc, time::Duration};

use axum::{Json, extract::State, http::StatusCode};

use super::SharedState;
use crate::{
    SnapshotInfo, SnapshotRequest, Snapshots,
    error::{ApiError, OptionalJsonBody, PathPart},
    kept_snapshots::{self, info},
    server::ApiState,
};
use rehearse_world::SnapshotError;

/// How long to wait until nothing is under way.
const LIMIT: Duration = Duration::from_secs(10);
/// Most characters of a name.
const MAX_NAME: usize = 100;

pub(crate) async fn list(State(api): SharedState) -> Json<Snapshots> {
    Json(Snapshots { snapshots: api.snapshots.list() })
}

pub(crate) async fn take(
    State(api): SharedState,
    OptionalJsonBody(SnapshotRequest { name }): OptionalJsonBody<SnapshotRequest>,
) -> Result<(StatusCode, Json<SnapshotInfo>), ApiError> {
    let is_wrong = |name: &String| {
        name.is_empty() || name.chars().count() > MAX_NAME || name.contains(['/', '\0'])
    };
    if name.as_ref().is_some_and(is_wrong) {
        return Err(ApiError::bad_request(format!(
            "a snapshot's name has 1 to {MAX_NAME} characters and no slash"
        )));
    }
    if !api.snapshots.has_room_for(name.as_deref()) {
        return Err(full());
    }
    let snapshot = api.world.snapshot(LIMIT).await.map_err(|error| failed(&error))?;
    let kept = api.snapshots.keep(name, snapshot).ok_or_else(full)?;
    Ok((StatusCode::CREATED, Json(kept)))
}

fn full() -> ApiError {
    let most = kept_snapshots::MOST;
    ApiError::conflict(format!("{most} snapshots are kept already"))
        .help("DELETE /snapshots/{name} forgets one")
}

pub(crate) async fn restore(
    State(api): SharedState,
    PathPart(name): PathPart,
) -> Result<Json<SnapshotInfo>, ApiError> {
    let snapshot = api.snapshots.get(&name).ok_or_else(|| unknown(&api, &name))?;
    let (world, restored) = (Arc::clone(&api.world), Arc::clone(&snapshot));
    // On a task of its own: nothing is left half restored if the caller closes the connection.
    let restoring = tokio::spawn(async move { world.restore(&restored, LIMIT).await });
    let restored = restoring.await.map_err(|error| ApiError::failed(&error))?;
    api.recorder.rows_written().await;
    restored.map_err(|error| failed(&error))?;
    Ok(Json(info(&name, &snapshot)))
}

pub(crate) async fn remove(
    State(api): SharedState,
    PathPart(name): PathPart,
) -> Result<Json<SnapshotInfo>, ApiError> {
    api.snapshots.remove(&name).map(Json).ok_or_else(|| unknown(&api, &name))
}

fn failed(error: &SnapshotError) -> ApiError {
    match error {
        SnapshotError::Unsettled(unsettled) => ApiError::conflict(unsettled.to_string())
            .help("try again when it has ended: a snapshot would cut it in half"),
        SnapshotError::Database(_) => ApiError::failed(error),
    }
}

fn unknown(api: &ApiState, name: &str) -> ApiError {
    let names = api.snapshots.names();
    let help = if names.is_empty() {
        "there is none; POST /snapshots takes one".into()
    } else {
        format!("there are {}", names.join(", "))
    };
    ApiError::not_found(format!("there is no snapshot '{name}'")).help(help)
}
