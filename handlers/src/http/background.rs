//! `/events`: work outside of a request, for a function that is not called by HTTP.
//!
//! The Lambda binary and the emulator post each event here as JSON. A status that means no success
//! makes Lambda repeat the event.

use std::sync::Arc;

use axum::{
    Json, Router,
    body::{Body, to_bytes},
    extract::State,
    http::StatusCode,
    middleware::from_fn,
    response::{IntoResponse as _, Response},
    routing::post,
};
use serde_json::json;

use super::{layers, routing};
use crate::{
    app::{error_chain::ErrorChain, outbox::OutboxService, reply::ReplyService},
    domain::background::{BackgroundTask, NoTask},
};

/// Longest event that is read, in bytes: Lambda takes a megabyte for an asynchronous invocation.
const MAX_EVENT_BYTES: usize = 1024 * 1024;

#[derive(Clone)]
struct Endpoint {
    reply: Arc<ReplyService>,
    outbox: OutboxService,
}

/// Builds the router of the function that works outside of requests: `POST /events`.
pub fn background(reply: ReplyService, outbox: OutboxService) -> Router {
    Router::new()
        .route("/events", post(run).fallback(routing::method_not_allowed))
        .with_state(Endpoint { reply: Arc::new(reply), outbox })
        .fallback(routing::not_found)
        .layer(from_fn(layers::trace))
}

async fn run(State(endpoint): State<Endpoint>, body: Body) -> Response {
    let task = match read(body).await {
        Ok(task) => task,
        Err(error) => {
            // A repeat would be no better.
            tracing::error!(%error, "an event was ignored");
            return Json(json!({ "status": "ignored" })).into_response();
        }
    };
    match endpoint.run(&task).await {
        Ok(()) => Json(json!({ "status": "done" })).into_response(),
        Err(error) => {
            tracing::error!(error = %ErrorChain(error.as_ref()), "a task failed");
            let body = json!({ "status": "failed", "message": error.to_string() });
            (StatusCode::INTERNAL_SERVER_ERROR, Json(body)).into_response()
        }
    }
}

/// Reads an event, whatever its content type.
///
/// # Errors
/// When it is too long, no JSON or no task.
async fn read(body: Body) -> Result<BackgroundTask, NoTask> {
    let body = to_bytes(body, MAX_EVENT_BYTES).await.map_err(|_| NoTask)?;
    BackgroundTask::parse(&serde_json::from_slice(&body).map_err(|_| NoTask)?)
}

impl Endpoint {
    async fn run(
        &self,
        task: &BackgroundTask,
    ) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        match task {
            BackgroundTask::SendTexts { ids, now } => {
                self.outbox.send(ids, *now).await?;
            }
            BackgroundTask::FinishTurn { key, now } => {
                self.reply.finish_late_turn(key, *now).await?;
            }
            BackgroundTask::DoWaiting { now } => {
                // Neither waits for the other, nor keeps it from being done by failing.
                let (late, sent) = futures::join!(
                    self.reply.finish_late_turns(*now),
                    self.outbox.send_waiting(*now)
                );
                late?;
                sent?;
            }
        }
        Ok(())
    }
}
