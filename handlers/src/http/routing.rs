//! What all routers have in common.

use axum::{
    Router,
    extract::Request,
    http::StatusCode,
    middleware::from_fn,
    response::{IntoResponse as _, Response},
    routing::MethodRouter,
};

use super::{cors, error::ApiError, request_time, trace};

/// A function's one route: CORS outermost, then the log, then the clock.
///
/// The path of a named stage starts with the stage, that of `$default` does not.
pub(super) fn function_router<S>(path: &str, methods: MethodRouter<S>, state: S) -> Router
where
    S: Clone + Send + Sync + 'static,
{
    Router::new()
        .route(path, methods.clone())
        .route(&format!("/{{stage}}{path}"), methods)
        .with_state(state)
        .fallback(not_found)
        .layer(from_fn(request_time::layer))
        .layer(from_fn(trace::layer))
        .layer(from_fn(cors::layer))
}

async fn not_found() -> ApiError {
    ApiError::new(StatusCode::NOT_FOUND, "Not found")
}

/// For a path that exists with a method that it does not take.
pub(super) async fn method_not_allowed(request: Request) -> Response {
    let message = format!("Method {} not allowed", request.method());
    ApiError::new(StatusCode::METHOD_NOT_ALLOWED, message).into_response()
}
