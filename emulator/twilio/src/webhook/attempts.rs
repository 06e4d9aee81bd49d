//! Repeats a call as its URL's overrides say, and keeps the journal.

use serde_json::Value;
use tokio::time::{Instant, sleep, timeout};
use uuid::Uuid;

use super::{
    call::{Answer, Failed, Request, call},
    cookies::Jar,
    target::{Class, Target},
};
use crate::{
    Attempt, Hook, Method, Sid, Signing,
    server::Inner,
    twiml::{self, Page},
};
use rehearse_core::{
    faults::{Cut, Failure},
    journal::{ExchangeDetail, Outcome},
};

/// A call to make until it succeeds or its attempts are used up.
#[derive(Debug, Clone)]
pub(super) struct Job<'a> {
    pub hook: Hook,
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

/// What a job came to.
#[derive(Debug)]
pub(super) struct Done {
    pub attempts: Vec<Attempt>,
    /// The document that was read (always empty for status callbacks).
    pub result: Result<Page, u32>,
    pub warnings: Vec<u32>,
}

impl Inner {
    pub(super) async fn attempt(&self, job: &Job<'_>) -> Done {
        let Some(target) = Target::parse(&job.url) else {
            let open = self.journal.begin(job.hook.name(), exchange_detail(job, &job.url, 1));
            open.end(Outcome::default().with_error("11100"));
            let url = job.url.clone();
            let attempt = Attempt { hook: job.hook, url, status: None, error: Some(11100) };
            return Done { attempts: vec![attempt], result: Err(11100), warnings: vec![] };
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
                self.journal.begin(job.hook.name(), exchange_detail(job, &target.url, number));
            let left = target.total.saturating_sub(began.elapsed());
            let late = if left < target.read { 11203 } else { 11205 };
            let answer = timeout(left.min(target.read), self.exchange(job, &target))
                .await
                .unwrap_or(Err(Failed { code: late, class: Class::Read }));
            let status = answer.as_ref().ok().map(|answer| answer.status);
            let shown = answer.as_ref().map_or(Value::Null, shown);
            let result = answer.and_then(|answer| self.read(job, &answer));
            let error = match &result {
                Ok(page) => page.warnings.first().copied(),
                Err(failed) => Some(failed.code),
            };
            let mut outcome = Outcome { status, error: None, response: shown };
            outcome.error = error.or(warnings.first().copied()).map(|code| code.to_string());
            open.end(outcome);
            attempts.push(Attempt { hook: job.hook, url: target.url.clone(), status, error });
            let again = match &result {
                Ok(_) => false,
                Err(failed) => target.retries(failed.class) && number <= target.retries,
            };
            if !again || began.elapsed() >= target.total {
                return Done { attempts, result: result.map_err(|failed| failed.code), warnings };
            }
        }
    }

    /// One call, or the fault that strikes it.
    async fn exchange(&self, job: &Job<'_>, target: &Target) -> Result<Answer, Failed> {
        let fault = self.faults.next_failure(job.hook.name()).unwrap_or_default();
        if fault.delay_ms.is_some() {
            sleep(fault.delay()).await;
        }
        match fault {
            Failure { cut: Some(Cut::Before), .. } => return Err(Failed::CONNECTION),
            Failure { cut: None, status: Some(status), .. } => {
                return Ok(Answer { url: target.url.clone(), status, ..Answer::default() });
            }
            _ => {}
        }
        let now = self.clock.now();
        let token = self.state().auth_token.clone();
        let cookies = self.state().jars.get(job.person).and_then(|jar| jar.header(now));
        let request = Request {
            url: &target.url,
            hosts: &self.options.hosts,
            method: job.method,
            params: &job.params,
            token: &token,
            signing: job.signing,
            idempotency: idempotency(job),
            cookies: cookies.as_deref(),
        };
        let answer = call(&self.web, request).await?;
        if fault.cut == Some(Cut::After) {
            return Err(Failed::CONNECTION);
        }
        if !answer.cookies.is_empty() && job.hook != Hook::Status {
            let mut state = self.state();
            let jar = state.jars.entry(job.person.to_owned()).or_insert_with(|| Jar::new(now));
            answer.cookies.iter().for_each(|cookie| jar.set(cookie, now));
        }
        Ok(answer)
    }

    fn read(&self, job: &Job<'_>, answer: &Answer) -> Result<Page, Failed> {
        let class = match answer.status {
            200..=299 if job.hook == Hook::Status || answer.status == 204 => {
                return Ok(Page::default());
            }
            200..=299 => {
                let context = twiml::Context {
                    url: &answer.url,
                    number: &self.options.number,
                    sender: job.person,
                    replies: job.replies,
                };
                return twiml::read(context, answer.content_type.as_deref(), &answer.body)
                    .map_err(|code| Failed { code, class: Class::Fatal });
            }
            400..=499 => Class::Client,
            500..=599 => Class::Server,
            _ => Class::Fatal,
        };
        Err(Failed { code: 11200, class })
    }
}

/// One token for all attempts at one event; the same again in the next run.
fn idempotency(job: &Job<'_>) -> Uuid {
    let event = job.params.iter().find(|(key, _)| key == "MessageStatus");
    let salt = event.map_or(0, |(_, status)| {
        status.bytes().fold(0_u128, |salt, byte| salt.rotate_left(8) ^ u128::from(byte))
    });
    let bits = job.sid.bits().rotate_left(64) ^ salt;
    uuid::Builder::from_random_bytes(bits.to_be_bytes()).into_uuid()
}

fn exchange_detail(job: &Job<'_>, url: &str, attempt: u32) -> ExchangeDetail {
    ExchangeDetail::Webhook {
        sid: job.sid.to_string(),
        attempt,
        method: job.method.as_str().to_owned(),
        url: url.to_owned(),
        params: job.params.clone(),
    }
}

fn shown(answer: &Answer) -> Value {
    let json = answer.content_type.as_deref().is_some_and(|t| t.starts_with("application/json"));
    match serde_json::from_slice(&answer.body) {
        Ok(value) if json => value,
        _ if answer.body.is_empty() => Value::Null,
        _ => Value::String(String::from_utf8_lossy(&answer.body).into_owned()),
    }
}
