//! Events of API Gateway, as the functions read them.

use lambda_http::{
    RequestExt as _,
    request::{LambdaRequest, RequestContext},
};

use crate::shop::{
    Build, confirming_scheduler, dispatcher, late_reply, scheduler, send, state_manager,
};

const FUNCTIONS: [Build; 4] = [dispatcher, scheduler, confirming_scheduler, state_manager];

/// The first byte chooses the function, the rest is its event. What is none of API Gateway's is refused
/// by the Lambda runtime before any function.
pub(crate) fn gateway_event(bytes: &[u8]) {
    let Some((first, event)) = bytes.split_first() else { return };
    if let Ok(event) = serde_json::from_slice::<LambdaRequest>(event) {
        let request: lambda_http::Request = handlers::compose::plain_event(event).into();
        // An event without a time is not the gateway's, and would be a failure of ours.
        if has_time(&request) {
            send(
                FUNCTIONS[usize::from(*first) % FUNCTIONS.len()],
                request.map(|body| body.to_vec()),
            );
        }
    }
    let request = axum::http::Request::post("/events").body(event.to_vec());
    send(late_reply, request.expect("a request"));
}

/// Whether the event says when it happened, in this millennium.
fn has_time(request: &lambda_http::Request) -> bool {
    let millis = match request.request_context_ref() {
        Some(RequestContext::ApiGatewayV2(context)) => context.time_epoch,
        Some(RequestContext::ApiGatewayV1(context)) => context.request_time_epoch,
        _ => return false,
    };
    (946_684_800_000..32_503_680_000_000).contains(&millis)
}
