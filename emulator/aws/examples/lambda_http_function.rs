//! A function on the real `lambda_http` that panics when its path says so, for tests.

use lambda_http::{Body, Error, Request, Response, run, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    run(service_fn(|request: Request| async move {
        assert_ne!(request.uri().path(), "/panic", "the handler fell over");
        Ok::<_, Error>(Response::new(Body::Text(std::process::id().to_string())))
    }))
    .await
}
