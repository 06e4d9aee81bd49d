//! `/dispatcher`: Twilio's webhook for incoming texts.
//!
//! A request without a valid signature of Twilio, or about another account or number, gets 403. Any
//! other text is answered 200 with TwiML, because Twilio ignores the body of any other answer and the
//! customer would get no text.

mod inbound;
mod status;
mod urls;

pub(crate) use status::beside as message_status_url;

use std::sync::Arc;

use axum::{
    Extension, Router,
    body::Body,
    extract::State,
    http::{HeaderMap, Method, StatusCode, Uri, header::HeaderName},
    response::{IntoResponse as _, Response},
    routing::{get, post},
};

use super::{
    body::{self, KeyValuePairs},
    error::ApiError,
    layers::RequestTime,
    routing,
    signature::{SignedContent, is_valid_signature},
    twiml,
};
use crate::{
    app::{error_chain::ErrorChain, reply::ReplyService},
    domain::{phone::Phone, text},
    ports::Credential,
};

const SIGNATURE: HeaderName = HeaderName::from_static("x-twilio-signature");

/// How webhooks are authenticated. Has no `Debug`, because of the token.
pub struct WebhookAuthentication {
    /// The token that signs webhooks.
    pub auth_token: Arc<dyn Credential>,
    /// URLs that may have been signed; when empty, the request's own.
    pub public_urls: Vec<String>,
    /// The account at Twilio, `AC...`.
    pub account_sid: String,
    /// The shop's number.
    pub number: Phone,
}

#[derive(Clone)]
struct Endpoint {
    reply: Arc<ReplyService>,
    authentication: Arc<WebhookAuthentication>,
}

/// Builds the dispatcher's router: `GET` and `POST /dispatcher`, and `POST /message-status`.
pub fn dispatcher(reply: ReplyService, authentication: WebhookAuthentication) -> Router {
    let endpoint = Endpoint { reply: Arc::new(reply), authentication: Arc::new(authentication) };
    let methods = get(by_query).post(by_form).fallback(routing::method_not_allowed);
    let reports = post(report).fallback(routing::method_not_allowed);
    routing::function_router([("/dispatcher", methods), (status::PATH, reports)], endpoint)
}

async fn by_query(
    State(endpoint): State<Endpoint>,
    Extension(now): Extension<RequestTime>,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, ApiError> {
    let received_ms = endpoint.reply.unix_ms();
    endpoint
        .verify(&endpoint.candidates(&Method::GET, &uri), &headers, SignedContent::Query)
        .await?;
    let fields = body::pairs(uri.query().unwrap_or_default().as_bytes());
    endpoint.answer(&fields, now, received_ms).await
}

async fn by_form(
    State(endpoint): State<Endpoint>,
    Extension(now): Extension<RequestTime>,
    headers: HeaderMap,
    uri: Uri,
    body: Body,
) -> Result<Response, ApiError> {
    let received_ms = endpoint.reply.unix_ms();
    let body = body::read(body).await?;
    let candidates = endpoint.candidates(&Method::POST, &uri);
    match body::media_type(&headers).as_str() {
        "application/x-www-form-urlencoded" => {
            let fields = body::pairs(&body);
            endpoint.verify(&candidates, &headers, SignedContent::Form(&fields)).await?;
            endpoint.answer(&fields, now, received_ms).await
        }
        "application/json" => {
            // Twilio signs JSON too, but never sends a text that way.
            endpoint.verify(&candidates, &headers, SignedContent::Json(&body)).await?;
            tracing::error!("an authentic webhook is JSON, so it is not a text");
            Ok(twiml::response(&[], |_| None))
        }
        _ => Err(unsupported_media_type()),
    }
}

/// Twilio's report on a text that was sent. It ignores the response.
async fn report(
    State(endpoint): State<Endpoint>,
    Extension(RequestTime(now)): Extension<RequestTime>,
    headers: HeaderMap,
    uri: Uri,
    body: Body,
) -> Result<Response, ApiError> {
    let body = body::read(body).await?;
    if body::media_type(&headers) != "application/x-www-form-urlencoded" {
        return Err(unsupported_media_type());
    }
    let fields = body::pairs(&body);
    let WebhookAuthentication { public_urls, account_sid, number, .. } = &*endpoint.authentication;
    let urls: Vec<String> = public_urls.iter().map(|url| status::beside(url)).collect();
    let candidates = urls::candidates(&urls, &Method::POST, &uri);
    endpoint.verify(&candidates, &headers, SignedContent::Form(&fields)).await?;
    if let Some(text) = status::undelivered(&fields, account_sid, number) {
        tracing::error!(code = text.code, sid = text.sid, "a confirmation did not arrive");
        endpoint.reply.report_undelivered(&text.to, &text.sid, &text.code, now).await;
    }
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn unsupported_media_type() -> ApiError {
    let message = "Send application/x-www-form-urlencoded";
    ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, message)
}

impl Endpoint {
    /// The addresses that Twilio may have signed for a webhook.
    fn candidates(&self, method: &Method, uri: &Uri) -> Vec<String> {
        urls::candidates(&self.authentication.public_urls, method, uri)
    }

    async fn verify(
        &self,
        candidates: &[String],
        headers: &HeaderMap,
        signed: SignedContent<'_>,
    ) -> Result<(), ApiError> {
        let auth_token = &self.authentication.auth_token;
        let signature = headers.get(SIGNATURE).and_then(|value| value.to_str().ok());
        let Some(signature) = signature else {
            tracing::warn!(tried = urls::for_log(candidates), "refused, no signature");
            return Err(forbidden());
        };
        // Without the token no request can be verified, so Twilio is asked to try again.
        let token = auth_token.current().await.map_err(|error| {
            tracing::error!(error = %ErrorChain(&error), "failed to fetch the token that verifies webhooks");
            ApiError::unavailable()
        })?;
        if is_valid_signature(token.expose(), signature, candidates, signed) {
            return Ok(());
        }
        // The token may have been rotated since this function started.
        if let Some(token) = auth_token.refresh(&token).await
            && is_valid_signature(token.expose(), signature, candidates, signed)
        {
            return Ok(());
        }
        tracing::warn!(tried = urls::for_log(candidates), "refused, wrong signature");
        Err(forbidden())
    }

    /// Answers an authentic request. One that is not a text gets an empty response, one that is not
    /// about the shop's number 403.
    async fn answer(
        &self,
        fields: &KeyValuePairs,
        RequestTime(now): RequestTime,
        received_ms: i64,
    ) -> Result<Response, ApiError> {
        let WebhookAuthentication { account_sid, number, .. } = &*self.authentication;
        if !inbound::is_ours(fields, account_sid, number) {
            tracing::warn!("refused, not about the shop's number or not split as it was signed");
            return Err(forbidden());
        }
        let text = match inbound::parse(fields, now, received_ms) {
            Ok(text) => text,
            Err(error) => {
                tracing::error!(%error, "an authentic webhook is not a text");
                return Ok(twiml::response(&[], |_| None));
            }
        };
        if let Some(code) = inbound::error_code(fields) {
            // It is the same turn, so the answer that the first request stored is given.
            tracing::warn!(code, sid = text.sid, "called as the fallback URL");
        }
        Ok(twiml::response(&self.reply.answer(&text).await, |message| {
            text::is_confirmation(message).then_some(status::RELATIVE_URL)
        }))
    }
}

fn forbidden() -> ApiError {
    ApiError::new(StatusCode::FORBIDDEN, "Invalid signature")
}
