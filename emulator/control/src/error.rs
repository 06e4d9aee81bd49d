//! Error responses of the API: a status and the JSON body `{"error", "help"}`.

use axum::{
    Json,
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Path, Query, Request},
    http::{StatusCode, request::Parts},
    response::{IntoResponse, Response},
};
use serde::de::DeserializeOwned;

use rehearse_core::{errors::with_causes, yaml::Source};

use super::ErrorBody;

/// An error response.
#[derive(Debug)]
pub(super) struct ApiError {
    status: StatusCode,
    body: ErrorBody,
}

impl ApiError {
    pub fn new(status: StatusCode, error: impl Into<String>) -> Self {
        Self { status, body: ErrorBody { error: error.into(), help: None, first: None } }
    }

    /// Status 400: the request is wrong.
    pub fn bad_request(error: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, error)
    }

    /// Status 500: the request is right, and the world failed.
    pub fn failed(error: &(dyn std::error::Error + 'static)) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, with_causes(error))
    }

    /// Status 410: the journal has dropped what was asked for. `first` is the position of the first
    /// exchange that it still has.
    pub fn dropped(first: u64) -> Self {
        let mut error = Self::new(
            StatusCode::GONE,
            format!("the journal no longer has the exchanges before position {first}"),
        )
        .help(format!(
            "ask with since={first}; [journal] in rehearse.toml sets how many exchanges are kept"
        ));
        error.body.first = Some(first);
        error
    }

    /// Status 404: there is no such thing.
    pub fn not_found(error: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, error)
    }

    /// Status 409: it cannot be done now.
    pub fn conflict(error: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, error)
    }

    /// Status 404 with the paths that there are.
    pub fn unknown_path(paths: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "there is no such path")
            .help(format!("the control API has {paths}"))
    }

    /// Status 405.
    pub fn wrong_method() -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "this path does not take that method")
            .help("the Allow header names those that it takes")
    }

    /// Adds what to do about it.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.body.help = Some(help.into());
        self
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        (self.status, Json(self.body)).into_response()
    }
}

/// Extracts a JSON body. An error names the line and column where the body is wrong.
pub(super) struct JsonBody<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for JsonBody<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let body = bytes(request, state).await?;
        serde_json::from_slice(&body)
            .map(Self)
            .map_err(|e| ApiError::bad_request(format!("the body is not as expected: {e}")))
    }
}

/// As [`JsonBody`], of a body that may be left out.
pub(super) struct OptionalJsonBody<T>(pub T);

impl<T: DeserializeOwned + Default, S: Send + Sync> FromRequest<S> for OptionalJsonBody<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let body = bytes(request, state).await?;
        if body.is_empty() {
            return Ok(Self(T::default()));
        }
        serde_json::from_slice(&body)
            .map(Self)
            .map_err(|e| ApiError::bad_request(format!("the body is not as expected: {e}")))
    }
}

/// Extracts a body of YAML or JSON as a text that errors can point into.
pub(super) struct YamlBody(pub Source);

impl<S: Send + Sync> FromRequest<S> for YamlBody {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let body = bytes(request, state).await?;
        let text = String::from_utf8(body.into())
            .map_err(|_| ApiError::bad_request("the body is not UTF-8"))?;
        Ok(Self(Source::new("body", text)))
    }
}

async fn bytes<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, ApiError> {
    let body = Bytes::from_request(request, state).await;
    body.map_err(|refused| ApiError::new(refused.status(), refused.body_text()))
}

/// Extracts the part of the path that varies.
pub(super) struct PathPart(pub String);

impl<S: Send + Sync> FromRequestParts<S> for PathPart {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let path = Path::<String>::from_request_parts(parts, state).await;
        let Path(part) = path.map_err(|refused| ApiError::bad_request(refused.body_text()))?;
        Ok(Self(part))
    }
}

/// Extracts the part of the path that varies, a number.
pub(super) struct PathNumber(pub u64);

impl<S: Send + Sync> FromRequestParts<S> for PathNumber {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let PathPart(part) = PathPart::from_request_parts(parts, state).await?;
        let number = part
            .parse()
            .map_err(|_| ApiError::bad_request(format!("'{part}' is not a number such as 1")));
        number.map(Self)
    }
}

/// Extracts the query.
pub(super) struct QueryOf<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for QueryOf<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let query = Query::<T>::from_request_parts(parts, state).await;
        let Query(query) = query.map_err(|refused| ApiError::bad_request(refused.body_text()))?;
        Ok(Self(query))
    }
}
