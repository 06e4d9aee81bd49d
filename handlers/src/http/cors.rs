//! CORS headers, because the web pages are on other origins and the API has no CORS configuration.

use axum::{
    Json,
    extract::Request,
    http::{
        HeaderMap, HeaderValue, Method,
        header::{
            ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
        },
    },
    middleware::Next,
    response::{IntoResponse, Response},
};
use serde_json::json;

/// Answers preflight requests, and adds the headers to every response, errors included.
pub(super) async fn layer(request: Request, next: Next) -> Response {
    let mut response = if request.method() == Method::OPTIONS {
        Json(json!({ "status": "success" })).into_response()
    } else {
        next.run(request).await
    };
    allow(response.headers_mut());
    response
}

fn allow(headers: &mut HeaderMap) {
    let value = HeaderValue::from_static;
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, value("*"));
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, value("GET, POST, PUT, DELETE, OPTIONS"));
    // By name, because `*` does not include Authorization.
    headers.insert(
        ACCESS_CONTROL_ALLOW_HEADERS,
        value("Content-Type, Authorization, Idempotency-Key"),
    );
}
