//! Repeats a call as its URL's overrides say, and keeps the journal.

use serde_json::Value;
use tokio::time::{Instant, sleep, timeout};
use uuid::Uuid;

use super::{
    cookies::CookieJar,
    http::{CallFailure, HttpRequest, HttpResponse, send_following_redirects},
    url::{FailureClass, WebhookUrl},
};
use crate::{
    Attempt, Method, Sid, Signing, WebhookKind,
    server::Account,
    twiml::{self, Instructions},
};
use rehearse_core::{
    faults::{Cut, Failure},
    journal::{ExchangeDetail, Outcome},
};

/// A call to make until it succeeds or its attempts are used up.
#[derive(Debug, Clone)]
pub(super) struct WebhookCall<'a> {
    pub kind: WebhookKind,
    pub sid: Sid,
    /// As configured, with its fragment.
    pub url: String,
    pub method: Method,
    pub params: Vec<(String, String)>,
    pub signing: Signing,
    /// The person at the other end, whose cookies are kept and who is replied to.
    pub person: &'a str,
    /// Replies that this delivery has asked for so far.
    pub replies: usize,
}

/// What a call came to.
#[derive(Debug)]
pub(super) struct CallResult {
    pub attempts: Vec<Attempt>,
    /// The document that was read (always empty for status callbacks).
    pub result: Result<Instructions, u32>,
    pub warnings: Vec<u32>,
}

impl Account {
    pub(super) async fn attempt(&self, call: &WebhookCall<'_>) -> CallResult {
        let Some(target) = WebhookUrl::parse(&call.url) else {
            let open = self.journal.begin(call.kind.name(), exchange_detail(call, &call.url, 1));
            open.end(Outcome::default().with_error("11100"));
            let url = call.url.clone();
            let attempt = Attempt { kind: call.kind, url, status: None, error: Some(11100) };
            return CallResult { attempts: vec![attempt], result: Err(11100), warnings: vec![] };
        };
        let mut warnings = Vec::new();
        if target.invalid_policy {
            warnings.push(11243);
        }
        let began = Instant::now();
        let mut attempts: Vec<Attempt> = Vec::new();
        loop {
            let number = u32::try_from(attempts.len() + 1).unwrap_or(u32::MAX);
            let open =
                self.journal.begin(call.kind.name(), exchange_detail(call, &target.url, number));
            let left = target.total.saturating_sub(began.elapsed());
            let late = if left < target.read { 11203 } else { 11205 };
            let response = timeout(left.min(target.read), self.exchange(call, &target))
                .await
                .unwrap_or(Err(CallFailure { code: late, class: FailureClass::Read }));
            let status = response.as_ref().ok().map(|response| response.status);
            let shown = response.as_ref().map_or(Value::Null, shown);
            let result = response.and_then(|response| self.read(call, &response));
            let error = match &result {
                Ok(page) => page.warnings.first().copied(),
                Err(failed) => Some(failed.code),
            };
            let mut outcome = Outcome { status, error: None, response: shown };
            outcome.error = error.or(warnings.first().copied()).map(|code| code.to_string());
            open.end(outcome);
            attempts.push(Attempt { kind: call.kind, url: target.url.clone(), status, error });
            let again = match &result {
                Ok(_) => false,
                Err(failed) => target.retries(failed.class) && number <= target.retries,
            };
            if !again || began.elapsed() >= target.total {
                return CallResult {
                    attempts,
                    result: result.map_err(|failed| failed.code),
                    warnings,
                };
            }
        }
    }

    /// One call, or the fault that strikes it.
    async fn exchange(
        &self,
        call: &WebhookCall<'_>,
        target: &WebhookUrl,
    ) -> Result<HttpResponse, CallFailure> {
        let fault = self.faults.next_failure(call.kind.name()).unwrap_or_default();
        if fault.delay_ms.is_some() {
            sleep(fault.delay()).await;
        }
        match fault {
            Failure { cut: Some(Cut::Before), .. } => return Err(CallFailure::CONNECTION),
            Failure { cut: None, status: Some(status), .. } => {
                return Ok(HttpResponse {
                    url: target.url.clone(),
                    status,
                    ..HttpResponse::default()
                });
            }
            _ => {}
        }
        let now = self.clock.now();
        let token = self.state().auth_token.clone();
        let cookies = self.state().jars.get(call.person).and_then(|jar| jar.header(now));
        let request = HttpRequest {
            url: &target.url,
            hosts: &self.options.hosts,
            method: call.method,
            params: &call.params,
            token: &token,
            signing: call.signing,
            idempotency: idempotency(call),
            cookies: cookies.as_deref(),
        };
        let response = send_following_redirects(&self.web, request).await?;
        if fault.cut == Some(Cut::After) {
            return Err(CallFailure::CONNECTION);
        }
        if !response.cookies.is_empty() && call.kind != WebhookKind::Status {
            let mut state = self.state();
            let jar =
                state.jars.entry(call.person.to_owned()).or_insert_with(|| CookieJar::new(now));
            response.cookies.iter().for_each(|cookie| jar.set(cookie, now));
        }
        Ok(response)
    }

    fn read(
        &self,
        call: &WebhookCall<'_>,
        response: &HttpResponse,
    ) -> Result<Instructions, CallFailure> {
        let class = match response.status {
            200..=299 if call.kind == WebhookKind::Status || response.status == 204 => {
                return Ok(Instructions::default());
            }
            200..=299 => {
                let context = twiml::DocumentContext {
                    url: &response.url,
                    number: &self.options.number,
                    sender: call.person,
                    replies: call.replies,
                };
                return twiml::read(context, response.content_type.as_deref(), &response.body)
                    .map_err(|code| CallFailure { code, class: FailureClass::Fatal });
            }
            400..=499 => FailureClass::Client,
            500..=599 => FailureClass::Server,
            _ => FailureClass::Fatal,
        };
        Err(CallFailure { code: 11200, class })
    }
}

/// One token for all attempts at one event; the same again in the next run.
fn idempotency(call: &WebhookCall<'_>) -> Uuid {
    let event = call.params.iter().find(|(key, _)| key == "MessageStatus");
    let salt = event.map_or(0, |(_, status)| {
        status.bytes().fold(0_u128, |salt, byte| salt.rotate_left(8) ^ u128::from(byte))
    });
    let bits = call.sid.bits().rotate_left(64) ^ salt;
    uuid::Builder::from_random_bytes(bits.to_be_bytes()).into_uuid()
}

fn exchange_detail(call: &WebhookCall<'_>, url: &str, attempt: u32) -> ExchangeDetail {
    ExchangeDetail::Webhook {
        sid: call.sid.to_string(),
        attempt,
        method: call.method.as_str().to_owned(),
        url: url.to_owned(),
        params: call.params.clone(),
    }
}

fn shown(response: &HttpResponse) -> Value {
    let json = response.content_type.as_deref().is_some_and(|t| t.starts_with("application/json"));
    match serde_json::from_slice(&response.body) {
        Ok(value) if json => value,
        _ if response.body.is_empty() => Value::Null,
        _ => Value::String(String::from_utf8_lossy(&response.body).into_owned()),
    }
}
