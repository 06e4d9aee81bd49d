//! The layers around every router: CORS, log and business time.

use std::time::Duration;

use axum::{
    Json, Router,
    extract::{MatchedPath, Request},
    http::{
        HeaderMap, HeaderValue, Method,
        header::{
            ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
        },
    },
    middleware::{Next, from_fn},
    response::{IntoResponse as _, Response},
};
use jiff::Timestamp;
use lambda_http::{Context, request::RequestContext};
use serde_json::json;
use tracing::Instrument as _;

use super::{error::ApiError, owner_page::SAME_ORIGIN};

/// Business time: API Gateway's clock when the request reached it. There is no other source of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestTime(pub Timestamp);

/// The address from which the request came; empty when API Gateway does not say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SourceAddress(pub(super) String);

/// Answers CORS preflight requests, and adds CORS headers to every response, errors included.
///
/// The web pages are on other origins, and the API has no CORS configuration.
pub(super) async fn cors(request: Request, next: Next) -> Response {
    let mut response = if request.method() == Method::OPTIONS {
        Json(json!({ "status": "success" })).into_response()
    } else {
        next.run(request).await
    };
    // The owner's page is on this origin, and gives nothing to others.
    if response.headers().get(SAME_ORIGIN).is_none_or(|policy| policy != "same-origin") {
        add_cors_headers(response.headers_mut());
    }
    response
}

/// Runs the request in a span with its id, and logs the status of its response.
pub(super) async fn trace(request: Request, next: Next) -> Response {
    let span = tracing::info_span!(
        "request",
        request_id = request_id(&request),
        method = %request.method(),
        path = route_path(&request),
    );
    async move {
        let response = next.run(request).await;
        tracing::info!(status = response.status().as_u16(), "answered");
        response
    }
    .instrument(span)
    .await
}

/// The route of the request for the log, without what its sender writes into it: numbers stand in
/// paths, a customer's words in the query of a webhook, and anything in a path that is no route.
fn route_path(request: &Request) -> &str {
    let route = request.extensions().get::<MatchedPath>().map_or("unknown", MatchedPath::as_str);
    route.strip_prefix("/{stage}").unwrap_or(route)
}

/// Adds [`RequestTime`] and [`SourceAddress`] to the request. A request without time gets 500, so that it is never taken
/// for 1970.
pub(super) async fn request_time(mut request: Request, next: Next) -> Response {
    let context = request.extensions().get::<RequestContext>();
    let Some(now) = context.and_then(time_epoch) else {
        tracing::error!("the request context has no time");
        return ApiError::internal().into_response();
    };
    let address = context.and_then(source_address).unwrap_or_default();
    request.extensions_mut().insert(RequestTime(now));
    request.extensions_mut().insert(SourceAddress(address));
    next.run(request).await
}

/// Answers 503 with CORS headers when the router takes longer than `deadline`, before Lambda ends
/// the function without a word. What the request has begun is dropped; its repeat finds what was
/// written.
pub fn with_deadline(router: Router, deadline: Duration) -> Router {
    router.layer(from_fn(move |request: Request, next: Next| async move {
        match tokio::time::timeout(deadline, next.run(request)).await {
            Ok(response) => response,
            Err(_) => {
                tracing::error!("the deadline of a request passed");
                let mut response = ApiError::unavailable().into_response();
                add_cors_headers(response.headers_mut());
                response
            }
        }
    }))
}

fn add_cors_headers(headers: &mut HeaderMap) {
    let value = HeaderValue::from_static;
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, value("*"));
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, value("GET, POST, PUT, DELETE, OPTIONS"));
    // By name, because `*` does not include Authorization.
    headers.insert(
        ACCESS_CONTROL_ALLOW_HEADERS,
        value("Content-Type, Authorization, Idempotency-Key"),
    );
}

/// Lambda's id of the invocation, or the gateway's id of the request.
fn request_id(request: &Request) -> String {
    let extensions = request.extensions();
    let invocation = extensions
        .get::<Context>()
        .map(|context| context.request_id.clone())
        .filter(|id| !id.is_empty());
    let gateway = || match extensions.get::<RequestContext>()? {
        RequestContext::ApiGatewayV2(context) => context.request_id.clone(),
        RequestContext::ApiGatewayV1(context) => context.request_id.clone(),
        _ => None,
    };
    invocation.or_else(gateway).unwrap_or_default()
}

fn source_address(context: &RequestContext) -> Option<String> {
    match context {
        RequestContext::ApiGatewayV2(context) => context.http.source_ip.clone(),
        RequestContext::ApiGatewayV1(context) => context.identity.source_ip.clone(),
        _ => None,
    }
}

/// `timeEpoch` of payload 2.0, `requestTimeEpoch` of payload 1.0; both are 0 when absent.
fn time_epoch(context: &RequestContext) -> Option<Timestamp> {
    let millis = match context {
        RequestContext::ApiGatewayV2(context) => context.time_epoch,
        RequestContext::ApiGatewayV1(context) => context.request_time_epoch,
        _ => return None,
    };
    if millis <= 0 {
        return None;
    }
    Timestamp::from_millisecond(millis).ok()
}
