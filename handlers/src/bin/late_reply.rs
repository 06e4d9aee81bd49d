//! The Lambda function that sends the outbox and finishes turns past the webhook's deadline.

use handlers::{compose, config::Vars};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    let vars: Vars = std::env::vars().collect();
    compose::serve_lambda_events(&vars, compose::late_reply).await
}
