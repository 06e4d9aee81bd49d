//! Sends texts through Twilio's REST API.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use http::{StatusCode, header::RETRY_AFTER};
use jiff::{Timestamp, fmt::rfc2822};
use reqwest::Response;
use serde::Deserialize;

use crate::{
    domain::{phone::Phone, secret::Secret},
    ports::{Credential, Sms, SmsError},
};

/// Twilio's error code for a recipient who opted out.
const RECIPIENT_OPTED_OUT: u32 = 21_610;
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

    async fn post(&self, to: &Phone, body: &str, token: &Secret) -> Result<Response, SmsError> {
        let Settings { account_sid, from, base_url, timeout, .. } = &self.settings;
        let url = format!("{base_url}/2010-04-01/Accounts/{account_sid}/Messages.json");
        self.http
            .post(url)
            .basic_auth(account_sid, Some(token.expose()))
            .form(&[("To", to.as_str()), ("From", from.as_str()), ("Body", body)])
            .timeout(*timeout)
            .send()
            .await
            .map_err(|error| SmsError::Unavailable(Box::new(error)))
    }

    async fn list(&self, to: &Phone, token: &Secret) -> Result<Response, SmsError> {
        let Settings { account_sid, from, base_url, timeout, .. } = &self.settings;
        let url = format!("{base_url}/2010-04-01/Accounts/{account_sid}/Messages.json");
        self.http
            .get(url)
            .query(&[("To", to.as_str()), ("From", from.as_str()), ("PageSize", "50")])
            .basic_auth(account_sid, Some(token.expose()))
            .timeout(*timeout)
            .send()
            .await
            .map_err(|error| SmsError::Unavailable(Box::new(error)))
    }
}

#[async_trait]
impl Sms for Twilio {
    /// A request that timed out may have been carried out and is not repeated. A request answered
    /// 429 or 401 was not: after 429 it is repeated once, after 401 once with a newer token, if
    /// there is one.
    async fn send(&self, to: &Phone, body: &str) -> Result<(), SmsError> {
        let credential = &self.settings.auth_token;
        let token = credential.current().await;
        let mut token = token.map_err(|error| SmsError::Unavailable(Box::new(error)))?;
        let mut response = self.post(to, body, &token).await?;
        if response.status() == StatusCode::UNAUTHORIZED
            && let Some(newer) = credential.refresh(&token).await
        {
            token = newer;
            response = self.post(to, body, &token).await?;
        }
        if response.status() == StatusCode::TOO_MANY_REQUESTS {
            tokio::time::sleep(retry_delay(&response)).await;
            response = self.post(to, body, &token).await?;
        }
        delivery_result(response).await
    }

    /// Lists the newest messages to this number, of which the text would be one.
    async fn was_sent(&self, to: &Phone, body: &str, since: Timestamp) -> Result<bool, SmsError> {
        let credential = &self.settings.auth_token;
        let token = credential.current().await;
        let mut token = token.map_err(|error| SmsError::Unavailable(Box::new(error)))?;
        let mut response = self.list(to, &token).await?;
        if response.status() == StatusCode::UNAUTHORIZED
            && let Some(newer) = credential.refresh(&token).await
        {
            token = newer;
            response = self.list(to, &token).await?;
        }
        let status = response.status();
        if !status.is_success() {
            return Err(SmsError::Unavailable(Box::new(UnexpectedStatus { status, code: None })));
        }
        let page: MessagePage =
            response.json().await.map_err(|error| SmsError::Unavailable(Box::new(error)))?;
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

/// A status that means neither success nor refusal.
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
    if status.is_client_error() && status != StatusCode::TOO_MANY_REQUESTS {
        return Err(SmsError::Refused { code });
    }
    Err(SmsError::Unavailable(Box::new(UnexpectedStatus { status, code })))
}
