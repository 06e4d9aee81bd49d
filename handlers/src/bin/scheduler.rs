//! The Lambda function behind the booking form.

use handlers::{compose, config::Vars};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    let vars: Vars = std::env::vars().collect();
    compose::serve_lambda(&vars, compose::scheduler).await
}
