//! Sends texts through Twilio's REST API.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use http::{StatusCode, header::RETRY_AFTER};
use jiff::{Timestamp, fmt::rfc2822};
use reqwest::{RequestBuilder, Response};
use serde::Deserialize;

use crate::{
    domain::{phone::Phone, secret::Secret},
    ports::{Credential, Sms, SmsError},
};

/// Twilio's error code for a recipient who opted out.
const RECIPIENT_OPTED_OUT: u32 = 21_610;
/// Twilio's error codes for a request that is wrong on our side, whoever the recipient is: the number
/// that it is sent from is missing (21603), of another form (21212), cannot send texts (21606), not
/// Twilio's (21659), not the account's (21660), or has too much to send (21611).
const OUR_SIDE: [u32; 6] = [21_212, 21_603, 21_606, 21_611, 21_659, 21_660];
/// The longest delay before the one retry after a 429.
const MAX_RETRY_DELAY: Duration = Duration::from_secs(1);

/// Account, credentials and number at Twilio. Has no `Debug`, because of the token.
#[derive(Clone)]
pub struct Settings {
    /// Account, `AC...`.
    pub account_sid: String,
    /// Authenticates the calls.
    pub auth_token: Arc<dyn Credential>,
    /// The shop's number.
    pub from: Phone,
    /// Base URL of the REST API.
    pub base_url: String,
    /// Time for one request.
    pub timeout: Duration,
    /// Where Twilio reports what became of a text whose delivery matters.
    pub status_callback: Option<String>,
}

/// Twilio's Messages API.
#[derive(Clone)]
pub struct Twilio {
    http: reqwest::Client,
    settings: Settings,
}

impl Twilio {
    /// Builds a client over a shared HTTP client; sends nothing.
    pub fn new(http: reqwest::Client, settings: Settings) -> Self {
        Self { http, settings }
    }

    async fn post(&self, text: &Outgoing<'_>, token: &Secret) -> Result<Response, SmsError> {
        let Settings { account_sid, from, status_callback, .. } = &self.settings;
        let mut form = vec![("To", text.to.as_str()), ("From", from.as_str()), ("Body", text.body)];
        if let Some(url) = status_callback.as_deref().filter(|_| text.wants_report) {
            form.push(("StatusCallback", url));
        }
        let request = self.http.post(self.messages_url()).form(&form);
        self.request(request.basic_auth(account_sid, Some(token.expose()))).await
    }

    async fn list(&self, to: &Phone, token: &Secret) -> Result<Response, SmsError> {
        let Settings { account_sid, from, .. } = &self.settings;
        let query = [("To", to.as_str()), ("From", from.as_str()), ("PageSize", "50")];
        let request = self.http.get(self.messages_url()).query(&query);
        self.request(request.basic_auth(account_sid, Some(token.expose()))).await
    }

    fn messages_url(&self) -> String {
        let Settings { base_url, account_sid, .. } = &self.settings;
        format!("{base_url}/2010-04-01/Accounts/{account_sid}/Messages.json")
    }

    async fn request(&self, request: RequestBuilder) -> Result<Response, SmsError> {
        request.timeout(self.settings.timeout).send().await.map_err(unavailable)
    }

    /// Sends a request with the token, and once more with a newer one after 401, if there is one.
    /// Returns the token that was used last.
    async fn authenticated<F>(
        &self,
        send: impl Fn(Secret) -> F + Send,
    ) -> Result<(Response, Secret), SmsError>
    where
        F: Future<Output = Result<Response, SmsError>> + Send,
    {
        let credential = &self.settings.auth_token;
        let token = credential.current().await;
        let token = token.map_err(|error| SmsError::Unavailable(Box::new(error)))?;
        let response = send(token.clone()).await?;
        if response.status() == StatusCode::UNAUTHORIZED
            && let Some(newer) = credential.refresh(&token).await
        {
            return Ok((send(newer.clone()).await?, newer));
        }
        Ok((response, token))
    }
}

/// What `send` is asked to send.
struct Outgoing<'a> {
    to: &'a Phone,
    body: &'a str,
    wants_report: bool,
}

/// Without the URL, which contains a phone number when messages are listed.
fn unavailable(error: reqwest::Error) -> SmsError {
    // Without a connection nothing was asked for.
    let is_unknown = !error.is_connect() && !error.is_builder();
    let source = Box::new(error.without_url());
    if is_unknown { SmsError::Unknown(source) } else { SmsError::Unavailable(source) }
}

#[async_trait]
impl Sms for Twilio {
    /// A request that timed out may have been carried out and is not repeated. A request answered
    /// 429 or 401 was not: after 429 it is repeated once, after 401 once with a newer token, if
    /// there is one.
    async fn send(&self, to: &Phone, body: &str, wants_report: bool) -> Result<(), SmsError> {
        let text = &Outgoing { to, body, wants_report };
        let (mut response, token) =
            self.authenticated(|token| async move { self.post(text, &token).await }).await?;
        if response.status() == StatusCode::TOO_MANY_REQUESTS {
            tokio::time::sleep(retry_delay(&response)).await;
            response = self.post(text, &token).await?;
        }
        delivery_result(response).await
    }

    /// Lists the newest messages to this number, of which the text would be one.
    async fn was_sent(&self, to: &Phone, body: &str, since: Timestamp) -> Result<bool, SmsError> {
        let (response, _) =
            self.authenticated(|token| async move { self.list(to, &token).await }).await?;
        let status = response.status();
        if !status.is_success() {
            return Err(SmsError::Unavailable(Box::new(UnexpectedStatus { status, code: None })));
        }
        let page: MessagePage = response.json().await.map_err(unavailable)?;
        Ok(page.messages.iter().any(|message| {
            message.body == body
                && rfc2822::parse(&message.date_created)
                    // A date that cannot be read must not lead to a second text.
                    .map_or(true, |created| created.timestamp() >= since)
        }))
    }
}

fn retry_delay(response: &Response) -> Duration {
    response
        .headers()
        .get(RETRY_AFTER)
        .and_then(|value| value.to_str().ok()?.parse().ok())
        .map_or(MAX_RETRY_DELAY / 4, Duration::from_secs)
        .min(MAX_RETRY_DELAY)
}

/// The part of a list of messages that is used.
#[derive(Deserialize)]
struct MessagePage {
    messages: Vec<ListedMessage>,
}

#[derive(Deserialize)]
struct ListedMessage {
    body: String,
    date_created: String,
}

/// The part of an error body that is used. The message is left out, because it may contain the
/// phone number.
#[derive(Deserialize)]
struct ErrorBody {
    code: Option<u32>,
}

/// A status that means neither success nor refusal of this text.
#[derive(Debug, thiserror::Error)]
#[error("answered {status}, code {code:?}")]
struct UnexpectedStatus {
    status: StatusCode,
    code: Option<u32>,
}

async fn delivery_result(response: Response) -> Result<(), SmsError> {
    let status = response.status();
    if status.is_success() {
        // Twilio has accepted the message; whether it is delivered is not known at this point.
        return Ok(());
    }
    let body = response.bytes().await.unwrap_or_default();
    let code = serde_json::from_slice::<ErrorBody>(&body).ok().and_then(|body| body.code);
    if code == Some(RECIPIENT_OPTED_OUT) {
        return Err(SmsError::OptedOut);
    }
    // 401, 403 and 404 are about the account, which will be put right: the text is not lost.
    let ours = code.is_some_and(|code| OUR_SIDE.contains(&code));
    if status == StatusCode::BAD_REQUEST && !ours {
        return Err(SmsError::Refused { code });
    }
    let source = Box::new(UnexpectedStatus { status, code });
    // Twilio says only of 429 that nothing was done.
    if status.is_server_error() {
        Err(SmsError::Unknown(source))
    } else {
        Err(SmsError::Unavailable(source))
    }
}
