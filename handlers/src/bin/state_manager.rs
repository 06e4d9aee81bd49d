//! The Lambda function behind the owner's state.

use handlers::{compose, config::Vars, log};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    let vars: Vars = std::env::vars().collect();
    log::init(&vars);
    rustls::crypto::ring::default_provider()
        .install_default()
        .map_err(|_| "a TLS provider is installed already")?;
    let clients = compose::Clients::https()?;
    // As text: the runtime shows an error of its own kind by its fields.
    let router = compose::state_manager(&vars, &clients).map_err(|error| error.to_string())?;
    lambda_http::run(router).await
}
