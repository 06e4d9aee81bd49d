//! The Lambda function behind the owner's state.

use handlers::{compose, config::Vars};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    let vars: Vars = std::env::vars().collect();
    compose::serve_lambda(&vars, compose::state_manager).await
}
