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
    lambda_http::run(compose::state_manager(&vars, &clients)?).await
}
