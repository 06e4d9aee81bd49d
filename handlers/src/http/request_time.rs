//! Business time: API Gateway's clock at the moment of the request.

use axum::{
    extract::Request,
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use jiff::Timestamp;
use lambda_http::request::RequestContext;

use super::error::ApiError;

/// When the request reached the gateway. The only source of business time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestTime(pub Timestamp);

/// Adds [`RequestTime`] to the request. A request without time gets 500, so that it is never taken
/// for 1970.
pub(super) async fn layer(mut request: Request, next: Next) -> Response {
    let context = request.extensions().get::<RequestContext>();
    let Some(now) = context.and_then(time_epoch) else {
        tracing::error!("the request context has no time");
        return ApiError::internal().into_response();
    };
    request.extensions_mut().insert(RequestTime(now));
    next.run(request).await
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
