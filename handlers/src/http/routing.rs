//! What the routers have in common.

use axum::{
    Router,
    extract::Request,
    http::StatusCode,
    middleware::from_fn,
    response::{IntoResponse as _, Response},
    routing::MethodRouter,
};

use super::{error::ApiError, layers};

/// Builds a function's router. The layers from the outside in: CORS, log, request time.
///
/// API Gateway prefixes the path with the stage, unless the stage is `$default`.
pub(super) fn function_router<S>(
    routes: impl IntoIterator<Item = (&'static str, MethodRouter<S>)>,
    state: S,
) -> Router
where
    S: Clone + Send + Sync + 'static,
{
    let router = routes.into_iter().fold(Router::new(), |router, (path, methods)| {
        router.route(path, methods.clone()).route(&format!("/{{stage}}{path}"), methods)
    });
    router
        .with_state(state)
        .fallback(not_found)
        .layer(from_fn(layers::request_time))
        .layer(from_fn(layers::trace))
        .layer(from_fn(layers::cors))
}

/// 404, for an unknown path.
pub(super) async fn not_found() -> ApiError {
    ApiError::new(StatusCode::NOT_FOUND, "Not found")
}

/// 405, for a known path with a method that it does not support.
pub(super) async fn method_not_allowed(request: Request) -> Response {
    let message = format!("Method {} not allowed", request.method());
    ApiError::new(StatusCode::METHOD_NOT_ALLOWED, message).into_response()
}
