//! Connects the log lines of a request.

use axum::{extract::Request, middleware::Next, response::Response};
use lambda_http::{Context, request::RequestContext};
use tracing::Instrument as _;

/// Runs the request in a span with its id, and logs the status of its response.
pub(super) async fn layer(request: Request, next: Next) -> Response {
    let span = tracing::info_span!(
        "request",
        request_id = request_id(&request),
        method = %request.method(),
        // Without the query, which holds the customer's words in a GET webhook.
        path = request.uri().path(),
    );
    async move {
        let response = next.run(request).await;
        tracing::info!(status = response.status().as_u16(), "answered");
        response
    }
    .instrument(span)
    .await
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
