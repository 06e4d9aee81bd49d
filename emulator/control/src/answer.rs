//! Errors of the API: `{"error", "help"}` with their status.

use axum::{
    Json,
    body::Bytes,
    extract::{FromRequest, Request},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::de::DeserializeOwned;

use super::ErrorBody;

/// An error as it is answered.
#[derive(Debug)]
pub(super) struct Answer {
    status: StatusCode,
    body: ErrorBody,
}

impl Answer {
    pub fn new(status: StatusCode, error: impl Into<String>) -> Self {
        Self { status, body: ErrorBody { error: error.into(), help: None } }
    }

    /// The caller sent something wrong.
    pub fn bad(error: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, error)
    }

    /// The world could not do it.
    pub fn failed(error: &dyn std::error::Error) -> Self {
        let mut text = error.to_string();
        let mut source = error.source();
        while let Some(error) = source {
            text = format!("{text}: {error}");
            source = error.source();
        }
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, text)
    }

    pub fn unknown_path() -> Self {
        let paths = "/ready /endpoints /sms /messages /journal /tables/{id} /tables/{id}/items /clock /faults /reset";
        Self::new(StatusCode::NOT_FOUND, "there is no such path")
            .help(format!("the control API has {paths}"))
    }

    pub fn wrong_method() -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "this path does not take that method")
            .help("the Allow header names those that it takes")
    }

    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.body.help = Some(help.into());
        self
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        (self.status, Json(self.body)).into_response()
    }
}

/// A JSON body; what is wrong with it is said with its position.
pub(super) struct Body<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Answer;

    async fn from_request(request: Request, state: &S) -> Result<Self, Answer> {
        let body = Bytes::from_request(request, state)
            .await
            .map_err(|refused| Answer::new(refused.status(), refused.body_text()))?;
        serde_json::from_slice(&body)
            .map(Self)
            .map_err(|e| Answer::bad(format!("the body is not as expected: {e}")))
    }
}
