//! Calls of the backend's URLs: signed, retried as the URL says, journaled, and read as TwiML.

mod client;
mod cookies;
mod http;
mod url;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use serde_json::Value;
use tokio::time::sleep;
use tracing::Instrument as _;
use uuid::Uuid;

pub use self::client::webhook_client;
pub(crate) use self::http::is_of;
use self::{
    cookies::CookieJar,
    http::{CallFailure, HttpRequest, HttpResponse, send_following_redirects},
    url::{FailureClass, WebhookUrl},
};
use super::{
    Attempt, Method, Sid, Signing, WebhookKind,
    account::Account,
    twiml::{self, DocumentContext, Instructions},
};
use rehearse_core::{
    faults::{Cut, Failure},
    journal::{Cause, ExchangeDetail, Outcome, PendingExchange, caused_by},
};

/// Warning: the URL's retry policy is not valid, and the default applies.
const INVALID_RETRY_POLICY: u32 = 11243;
const INVALID_URL: u32 = 11100;
const BAD_STATUS: u32 = 11200;
/// A 3xx status that is no redirect that Twilio follows, or one without a usable `Location`.
const INVALID_REDIRECT: u32 = 11216;
const TOTAL_TIMEOUT: u32 = 11203;
const READ_TIMEOUT: u32 = 11205;

/// Calls webhooks. Owns the cookies that the backend has set.
pub(crate) struct WebhookClient {
    account: Arc<Account>,
    web: reqwest::Client,
    /// By the numbers of the person who texts and of the account.
    cookies: Mutex<HashMap<(String, String), CookieJar>>,
}

/// A call to make until it succeeds or its attempts are used up.
#[derive(Debug, Clone)]
pub(crate) struct WebhookCall<'a> {
    pub kind: WebhookKind,
    /// The message that it is about.
    pub sid: Sid,
    /// As configured, with its fragment.
    pub url: String,
    pub method: Method,
    pub params: Vec<(String, String)>,
    pub signing: Signing,
    /// The number of the person who texted; empty for status callbacks.
    pub person: &'a str,
    /// The account's number that was texted; empty for status callbacks.
    pub number: &'a str,
    /// All numbers of the account and addresses of its WhatsApp senders, any of which may send a reply.
    pub numbers: &'a [String],
    /// Replies that earlier documents of the same delivery asked for.
    pub replies: usize,
}

#[derive(Debug)]
pub(crate) struct CallResult {
    pub attempts: Vec<Attempt>,
    /// The document of the last attempt, or Twilio's code of why there is none. Status callbacks
    /// succeed with an empty document.
    pub document: Result<Instructions, u32>,
    /// [`INVALID_RETRY_POLICY`], if it applies.
    pub warning: Option<u32>,
    /// The last attempt.
    pub cause: Cause,
}

impl WebhookClient {
    /// `web` follows no redirects and uses no proxy.
    pub fn new(account: Arc<Account>, web: reqwest::Client) -> Self {
        Self { account, web, cookies: Mutex::default() }
    }

    /// Calls a URL, as often as its connection overrides say.
    pub async fn call(&self, call: &WebhookCall<'_>) -> CallResult {
        let Some(url) = WebhookUrl::parse(&call.url) else { return self.invalid_url(call) };
        let warning = url.invalid_policy.then_some(INVALID_RETRY_POLICY);
        let time = self.account.clock.elapsed();
        let until = time.now() + url.total;
        let mut attempts: Vec<Attempt> = Vec::new();
        loop {
            let number = u32::try_from(attempts.len() + 1).unwrap_or(u32::MAX);
            let left = until.saturating_sub(time.now());
            let span = tracing::debug_span!("webhook", sid = %call.sid, attempt = number);
            let attempt = self.attempt(call, &url, number, left, warning).instrument(span);
            let (attempt, document, cause) = attempt.await;
            attempts.push(attempt);
            let retry = match &document {
                Ok(_) => false,
                Err(failure) => url.retries_after(failure.class) && number <= url.retries,
            };
            if !retry || time.now() >= until {
                let document = document.map_err(|failure| failure.code);
                return CallResult { attempts, document, warning, cause };
            }
        }
    }

    /// What calls URLs of the backend.
    pub fn web(&self) -> &reqwest::Client {
        &self.web
    }

    /// Removes all cookies.
    pub fn reset(&self) {
        self.cookies().clear();
    }

    fn invalid_url(&self, call: &WebhookCall<'_>) -> CallResult {
        let exchange = self.account.journal.begin(call.kind.name(), detail(call, &call.url, 1));
        let cause = exchange.cause();
        exchange.end(Outcome::default().with_error(INVALID_URL.to_string()));
        let attempt = Attempt {
            kind: call.kind,
            url: call.url.clone(),
            status: None,
            error: Some(INVALID_URL),
        };
        CallResult { attempts: vec![attempt], document: Err(INVALID_URL), warning: None, cause }
    }

    /// Makes one attempt within `left` and journals it.
    async fn attempt(
        &self,
        call: &WebhookCall<'_>,
        url: &WebhookUrl,
        number: u32,
        left: Duration,
        warning: Option<u32>,
    ) -> (Attempt, Result<Instructions, CallFailure>, Cause) {
        let exchange = self.account.journal.begin(call.kind.name(), detail(call, &url.url, number));
        let timeout_code = if left < url.read { TOTAL_TIMEOUT } else { READ_TIMEOUT };
        let _running = self.account.journal.callers().begin_outside(&exchange);
        let answer = self.exchange(call, url, &exchange);
        let time = self.account.clock.elapsed();
        let response = time
            .timeout(left.min(url.read), caused_by(Some(exchange.cause()), answer))
            .await
            .unwrap_or(Err(CallFailure { code: timeout_code, class: FailureClass::Read }));
        let status = response.as_ref().ok().map(|response| response.status);
        let body = response.as_ref().map_or(Value::Null, json_or_text);
        let document = response.and_then(|response| self.read(call, &response));
        let error = match &document {
            Ok(instructions) => instructions.warnings.first().copied(),
            Err(failure) => Some(failure.code),
        };
        tracing::debug!(status, error, "webhook called");
        let shown = error.or(warning).map(|code| code.to_string());
        let cause = exchange.cause();
        exchange.end(Outcome { status, error: shown, response: body });
        (Attempt { kind: call.kind, url: url.url.clone(), status, error }, document, cause)
    }

    /// Sends the request with the person's cookies and keeps the new ones; or injects a fault.
    async fn exchange(
        &self,
        call: &WebhookCall<'_>,
        url: &WebhookUrl,
        pending: &PendingExchange,
    ) -> Result<HttpResponse, CallFailure> {
        let fault = self.account.faults.next_failure(call.kind.name()).unwrap_or_default();
        pending.injected(&fault);
        if fault.delay_ms.is_some() {
            sleep(fault.delay()).await;
        }
        match fault {
            Failure { cut: Some(Cut::Before), .. } => return Err(CallFailure::CONNECTION),
            Failure { cut: None, status: Some(status), .. } => {
                return Ok(HttpResponse { url: url.url.clone(), status, ..Default::default() });
            }
            _ => {}
        }
        let now = self.account.clock.now();
        let auth_token = self.account.state().auth_token.clone();
        let pair = (call.person.to_owned(), call.number.to_owned());
        let cookies = self.cookies().get(&pair).and_then(|jar| jar.header(now));
        let request = HttpRequest {
            url: &url.url,
            hosts: &self.account.options.hosts,
            gateway: self.account.options.gateway.as_deref(),
            method: call.method,
            params: &call.params,
            auth_token: &auth_token,
            signing: call.signing,
            idempotency_token: idempotency_token(call),
            cookies: cookies.as_deref(),
        };
        let response = send_following_redirects(&self.web, request).await?;
        if fault.cut == Some(Cut::After) {
            return Err(CallFailure::CONNECTION);
        }
        if !response.cookies.is_empty() && call.kind != WebhookKind::Status {
            let mut jars = self.cookies();
            let jar = jars.entry(pair).or_insert_with(|| CookieJar::new(now));
            response.cookies.iter().for_each(|cookie| jar.set(cookie, now));
        }
        Ok(response)
    }

    /// Reads a response as TwiML, unless its status says that there is none.
    fn read(
        &self,
        call: &WebhookCall<'_>,
        response: &HttpResponse,
    ) -> Result<Instructions, CallFailure> {
        let (code, class) = match response.status {
            200..=299 if call.kind == WebhookKind::Status || response.status == 204 => {
                return Ok(Instructions::default());
            }
            200..=299 => {
                let context = DocumentContext {
                    url: &response.url,
                    numbers: call.numbers,
                    sender: call.person,
                    number: call.number,
                    replies: call.replies,
                };
                let content_type = response.content_type.as_deref();
                return twiml::read(context, content_type, &response.body)
                    .map_err(|code| CallFailure { code, class: FailureClass::Fatal });
            }
            300..=399 => (INVALID_REDIRECT, FailureClass::Fatal),
            400..=499 => (BAD_STATUS, FailureClass::Client),
            500..=599 => (BAD_STATUS, FailureClass::Server),
            _ => (BAD_STATUS, FailureClass::Fatal),
        };
        Err(CallFailure { code, class })
    }

    fn cookies(&self) -> MutexGuard<'_, HashMap<(String, String), CookieJar>> {
        self.cookies.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The same token for all attempts of one call, and in every run of a world.
fn idempotency_token(call: &WebhookCall<'_>) -> Uuid {
    // A message has one call for each of its statuses.
    let event = call.params.iter().find(|(key, _)| key == "MessageStatus");
    let salt = event.map_or(0, |(_, status)| {
        status.bytes().fold(0_u128, |salt, byte| salt.rotate_left(8) ^ u128::from(byte))
    });
    let bits = call.sid.bits().rotate_left(64) ^ salt;
    uuid::Builder::from_random_bytes(bits.to_be_bytes()).into_uuid()
}

fn detail(call: &WebhookCall<'_>, url: &str, attempt: u32) -> ExchangeDetail {
    ExchangeDetail::Webhook {
        sid: call.sid.to_string(),
        attempt,
        method: call.method.as_str().to_owned(),
        url: url.to_owned(),
        params: call.params.clone(),
    }
}

fn json_or_text(response: &HttpResponse) -> Value {
    let json = response.content_type.as_deref().is_some_and(|t| t.starts_with("application/json"));
    match serde_json::from_slice(&response.body) {
        Ok(value) if json => value,
        _ if response.body.is_empty() => Value::Null,
        _ => Value::String(String::from_utf8_lossy(&response.body).into_owned()),
    }
}
