//! Serves a function on AWS Lambda.

use axum::{
    Router,
    body::{Body, to_bytes},
};
use http::{
    Request, Response, StatusCode,
    header::{CONTENT_ENCODING, CONTENT_TYPE},
};
use lambda_http::{
    Adapter, BoxFuture, IntoResponse,
    lambda_runtime::{self, LambdaEvent, service_fn},
    request::LambdaRequest,
};
use serde_json::Value;
use tower::ServiceExt;

use super::{Clients, plain_event::plain_event};
use crate::{
    config::{ConfigError, Vars},
    log,
};

/// Starts the log, builds the router and answers Lambda's events with it.
///
/// Installs the process's TLS provider, so it can be called once. Returns only with an error.
///
/// # Errors
/// When a TLS provider is installed already, an HTTP client cannot be built, variables are
/// missing or invalid, or the Runtime API fails.
pub async fn serve_lambda(
    vars: &Vars,
    build: fn(&Vars, &Clients) -> Result<Router, ConfigError>,
) -> Result<(), lambda_http::Error> {
    let router = start(vars, build)?;
    let service = ServiceExt::<lambda_http::Request>::map_response(router, LambdaAnswer);
    let adapter = Adapter::from(service);
    lambda_runtime::run(adapter.map_request(|event: LambdaEvent<LambdaRequest>| {
        LambdaEvent::new(plain_event(event.payload), event.context)
    }))
    .await
}

/// A response as Lambda's result: text as it is, anything else and what is compressed in base64.
///
/// Nothing here is written in another encoding than UTF-8, so the conversion of `lambda_http`, whose
/// tables of encodings are a twentieth of the zip, is left out.
struct LambdaAnswer(Response<Body>);

impl IntoResponse for LambdaAnswer {
    fn into_response(self) -> BoxFuture<'static, Response<lambda_http::Body>> {
        Box::pin(async {
            let (mut parts, body) = self.0.into_parts();
            let body = match to_bytes(body, MAX_RESPONSE_BYTES).await {
                Ok(body) if parts.headers.contains_key(CONTENT_ENCODING) => body.to_vec().into(),
                Ok(body) => String::from_utf8(body.into())
                    .map_or_else(|error| error.into_bytes().into(), Into::into),
                Err(error) => {
                    tracing::error!(%error, "a response cannot be read");
                    parts.status = StatusCode::INTERNAL_SERVER_ERROR;
                    parts.headers.clear();
                    lambda_http::Body::Empty
                }
            };
            Response::from_parts(parts, body)
        })
    }
}

/// Starts the log, builds the router and posts Lambda's events to its path `/events`, as AWS
/// Lambda Web Adapter does with events that are not HTTP.
///
/// # Errors
/// As for [`serve_lambda`].
pub async fn serve_lambda_events(
    vars: &Vars,
    build: fn(&Vars, &Clients) -> Result<Router, ConfigError>,
) -> Result<(), lambda_http::Error> {
    let router = start(vars, build)?;
    lambda_runtime::run(service_fn(move |event: LambdaEvent<Value>| {
        post_event(router.clone(), event.payload)
    }))
    .await
}

async fn post_event(router: Router, event: Value) -> Result<Value, lambda_http::Error> {
    let request = Request::post("/events")
        .header(CONTENT_TYPE, "application/json")
        .body(Body::from(serde_json::to_vec(&event)?))?;
    let response = router.oneshot(request).await?;
    let status = response.status();
    let body = to_bytes(response.into_body(), MAX_RESULT_BYTES).await?;
    if status.is_success() {
        Ok(serde_json::from_slice(&body)?)
    } else {
        Err(String::from_utf8_lossy(&body).into_owned().into())
    }
}

/// Longest response, in bytes: Lambda takes 6 MB with what it adds.
const MAX_RESPONSE_BYTES: usize = 6 * 1024 * 1024;
/// Longest result of an event, in bytes.
const MAX_RESULT_BYTES: usize = 64 * 1024;

fn start(
    vars: &Vars,
    build: fn(&Vars, &Clients) -> Result<Router, ConfigError>,
) -> Result<Router, lambda_http::Error> {
    log::init(vars);
    rustls::crypto::ring::default_provider()
        .install_default()
        .map_err(|_| "a TLS provider is installed already")?;
    let clients = Clients::https()?;
    // As text, because the runtime prints a typed error with its `Debug`.
    Ok(build(vars, &clients).map_err(|error| error.to_string())?)
}

#[cfg(test)]
mod tests {
    use futures::executor::block_on;

    use super::*;

    fn answered(body: &'static [u8], encoding: Option<&'static str>) -> lambda_http::Body {
        let mut response = Response::new(Body::from(body));
        if let Some(encoding) = encoding {
            let value = http::HeaderValue::from_static(encoding);
            response.headers_mut().insert(CONTENT_ENCODING, value);
        }
        block_on(LambdaAnswer(response).into_response()).into_body()
    }

    #[test]
    fn text_goes_out_as_text_and_anything_else_as_bytes() {
        let text = "a\u{f1}o \u{1f642}";
        assert_eq!(answered(text.as_bytes(), None), lambda_http::Body::Text(text.into()));
        assert_eq!(answered(&[0xff, 0xfe], None), lambda_http::Body::Binary(vec![0xff, 0xfe]));
        assert_eq!(
            answered(b"packed", Some("gzip")),
            lambda_http::Body::Binary(b"packed".to_vec())
        );
    }
}
