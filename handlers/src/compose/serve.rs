//! Serves a function on AWS Lambda.

use axum::{
    Router,
    body::{Body, to_bytes},
};
use http::{Request, header::CONTENT_TYPE};
use lambda_http::lambda_runtime::{self, LambdaEvent, service_fn};
use serde_json::Value;
use tower::ServiceExt as _;

use super::Clients;
use crate::{
    config::{ConfigError, Vars},
    log,
};

/// Starts the log, builds the router and answers Lambda's events with it.
///
/// Installs the process's TLS provider, so it can be called once. Returns only with an error.
///
/// # Errors
/// When a TLS provider is installed already, an HTTP client cannot be built, variables are
/// missing or invalid, or the Runtime API fails.
pub async fn serve_lambda(
    vars: &Vars,
    build: fn(&Vars, &Clients) -> Result<Router, ConfigError>,
) -> Result<(), lambda_http::Error> {
    let router = start(vars, build)?;
    lambda_http::run(router).await
}

/// Starts the log, builds the router and posts Lambda's events to its path `/events`, as AWS
/// Lambda Web Adapter does with events that are not HTTP.
///
/// # Errors
/// As for [`serve_lambda`].
pub async fn serve_lambda_events(
    vars: &Vars,
    build: fn(&Vars, &Clients) -> Result<Router, ConfigError>,
) -> Result<(), lambda_http::Error> {
    let router = start(vars, build)?;
    lambda_runtime::run(service_fn(move |event: LambdaEvent<Value>| {
        post_event(router.clone(), event.payload)
    }))
    .await
}

async fn post_event(router: Router, event: Value) -> Result<Value, lambda_http::Error> {
    let request = Request::post("/events")
        .header(CONTENT_TYPE, "application/json")
        .body(Body::from(serde_json::to_vec(&event)?))?;
    let response = router.oneshot(request).await?;
    let status = response.status();
    let body = to_bytes(response.into_body(), MAX_RESULT_BYTES).await?;
    if status.is_success() {
        Ok(serde_json::from_slice(&body)?)
    } else {
        Err(String::from_utf8_lossy(&body).into_owned().into())
    }
}

/// Longest result of an event, in bytes.
const MAX_RESULT_BYTES: usize = 64 * 1024;

fn start(
    vars: &Vars,
    build: fn(&Vars, &Clients) -> Result<Router, ConfigError>,
) -> Result<Router, lambda_http::Error> {
    log::init(vars);
    rustls::crypto::ring::default_provider()
        .install_default()
        .map_err(|_| "a TLS provider is installed already")?;
    let clients = Clients::https()?;
    // As text, because the runtime prints a typed error with its `Debug`.
    Ok(build(vars, &clients).map_err(|error| error.to_string())?)
}
