//! Serves a function on AWS Lambda.

use axum::Router;

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
    log::init(vars);
    rustls::crypto::ring::default_provider()
        .install_default()
        .map_err(|_| "a TLS provider is installed already")?;
    let clients = Clients::https()?;
    // As text, because the runtime prints a typed error with its `Debug`.
    let router = build(vars, &clients).map_err(|error| error.to_string())?;
    lambda_http::run(router).await
}
