//! The transport below the client: which requests are repeated, and after which delay.
//!
//! The client's own retries obey any `Retry-After` and give up on an error body that is not JSON. A
//! turn has a deadline, so here a longer delay than the policy allows ends the request at once, and
//! the customer gets the fallback text in time.

use std::{sync::Arc, time::Duration};

use async_openai::{
    error::{ApiError, ApiErrorResponse, OpenAIError, WrappedError},
    middleware::HttpRequestFactory,
};
use bytes::Bytes;
use futures::future::{Either, select};
use http::{HeaderMap, HeaderValue, StatusCode, header::AUTHORIZATION};
use reqwest::Response;

use crate::{
    domain::secret::Secret,
    ports::{BoxError, Credential, Timer},
};

/// When and how often a failed request is sent again.
#[derive(Debug, Clone, Copy)]
pub struct RetryPolicy {
    /// Time for one attempt, from connecting to the last byte.
    pub attempt_timeout: Duration,
    /// The longest `Retry-After` that is obeyed; a longer one ends the request.
    pub max_retry_after: Duration,
    /// Delay before the first retry when the provider names none; each further one is four times as
    /// long.
    pub initial_backoff: Duration,
    /// Attempts after the first one.
    pub max_retries: u32,
}

impl RetryPolicy {
    /// The policy that fits into a turn with this deadline.
    pub fn for_deadline(deadline: Duration) -> Self {
        Self {
            // The turn ends first: a request that both end at once would be told as a failure.
            attempt_timeout: deadline * 2,
            max_retry_after: deadline / 4,
            // Short, because most failures concern one connection or one server and pass at once.
            initial_backoff: Duration::from_millis(50).min(deadline / 20),
            max_retries: 2,
        }
    }
}

/// The API key as the header that carries it.
#[derive(Clone)]
pub(super) struct ApiKey(pub(super) Arc<dyn Credential>);

/// The key contains characters that a header cannot carry.
#[derive(Debug, thiserror::Error)]
#[error("OPENAI_API_KEY must be printable ASCII")]
struct InvalidApiKey;

impl ApiKey {
    /// The current key and its header.
    ///
    /// # Errors
    /// When the key cannot be fetched or is not printable ASCII.
    pub(super) async fn current(&self) -> Result<(Secret, HeaderValue), BoxError> {
        let secret = self.0.current().await?;
        let header = bearer(&secret).ok_or(InvalidApiKey)?;
        Ok((secret, header))
    }

    async fn refresh(&self, stale: &Secret) -> Option<HeaderValue> {
        bearer(&self.0.refresh(stale).await?)
    }
}

/// An attempt took longer than the policy allows.
#[derive(Debug, thiserror::Error)]
#[error("did not answer in time")]
pub(super) struct NoAnswerInTime;

fn bearer(secret: &Secret) -> Option<HeaderValue> {
    let mut header = HeaderValue::from_str(&format!("Bearer {}", secret.expose())).ok()?;
    header.set_sensitive(true);
    Some(header)
}

/// Sends a request until it succeeds or the retry policy forbids another attempt.
///
/// # Errors
/// The error of the last attempt; [`OpenAIError::InvalidArgument`] when there is no usable key;
/// [`OpenAIError::Boxed`] with a [`NoAnswerInTime`] when an attempt took too long, which is not repeated.
pub(super) async fn send(
    client: reqwest::Client,
    key: ApiKey,
    retry_policy: RetryPolicy,
    timer: Arc<dyn Timer>,
    request: HttpRequestFactory,
) -> Result<Response, OpenAIError> {
    let (secret, mut header) =
        key.current().await.map_err(|error| OpenAIError::InvalidArgument(error.to_string()))?;
    let mut retry = 0;
    let mut renewed = false;
    loop {
        let attempt = Box::pin(attempt(&client, &header, &request));
        let (error, decision) =
            match select(attempt, timer.sleep(retry_policy.attempt_timeout)).await {
                Either::Left((Ok(response), _)) => return Ok(response),
                Either::Left((Err(failure), _)) => failure,
                Either::Right(_) => {
                    tracing::warn!("the model did not answer in time");
                    return Err(OpenAIError::Boxed(Box::new(NoAnswerInTime)));
                }
            };
        // The key may have been rotated. A request that was refused for its key had no effect, so
        // it can be repeated.
        if is_unauthorized(&error)
            && !std::mem::replace(&mut renewed, true)
            && let Some(newer) = key.refresh(&secret).await
        {
            header = newer;
            continue;
        }
        let delay = match decision {
            RetryDecision::GiveUp => return Err(error),
            RetryDecision::BackOff => {
                retry_policy.initial_backoff.saturating_mul(4_u32.saturating_pow(retry))
            }
            RetryDecision::After(delay) => delay,
        };
        if retry == retry_policy.max_retries || delay > retry_policy.max_retry_after {
            return Err(error);
        }
        retry += 1;
        tracing::warn!(retry, wait_ms = delay.as_millis(), "retrying the request to the model");
        timer.sleep(delay).await;
    }
}

/// What to do after a failed attempt.
#[derive(Debug, PartialEq)]
enum RetryDecision {
    GiveUp,
    BackOff,
    After(Duration),
}

/// Makes one attempt. Reads the whole body, so that a connection cut within it counts as a failure.
async fn attempt(
    client: &reqwest::Client,
    authorization: &HeaderValue,
    request: &HttpRequestFactory,
) -> Result<Response, (OpenAIError, RetryDecision)> {
    let mut request = request.build().await.map_err(|error| (error, RetryDecision::GiveUp))?;
    request.headers_mut().insert(AUTHORIZATION, authorization.clone());
    let failed = |error: reqwest::Error| {
        // To connect has a time of its own, after which none is left for another attempt.
        let decision =
            if error.is_timeout() { RetryDecision::GiveUp } else { RetryDecision::BackOff };
        (OpenAIError::Reqwest(error), decision)
    };
    let response = client.execute(request).await.map_err(failed)?;
    let (status, headers) = (response.status(), response.headers().clone());
    let body = response.bytes().await.map_err(failed)?;
    if status.is_success() {
        let mut answer = http::Response::new(body);
        *answer.status_mut() = status;
        return Ok(Response::from(answer));
    }
    let error = api_error(&body);
    let decision = retry_decision(status, &headers, &error);
    let response = ApiErrorResponse { status_code: status, api_error: error };
    Err((OpenAIError::ApiError(response), decision))
}

fn is_unauthorized(error: &OpenAIError) -> bool {
    matches!(error, OpenAIError::ApiError(answer) if answer.status_code == StatusCode::UNAUTHORIZED)
}

/// Overload passes with time; a wrong request or an exhausted quota does not.
fn retry_decision(status: StatusCode, headers: &HeaderMap, error: &ApiError) -> RetryDecision {
    let quota = Some("insufficient_quota");
    if error.r#type.as_deref() == quota || error.code.as_deref() == quota {
        return RetryDecision::GiveUp;
    }
    match status.as_u16() {
        408 | 409 | 429 | 500..=599 => {
            retry_after(headers).map_or(RetryDecision::BackOff, RetryDecision::After)
        }
        _ => RetryDecision::GiveUp,
    }
}

fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let number = |name: &str| headers.get(name)?.to_str().ok()?.trim().parse::<u64>().ok();
    number("retry-after-ms")
        .map(Duration::from_millis)
        .or_else(|| number("retry-after").map(Duration::from_secs))
}

/// The provider's error; nothing of any other body.
fn api_error(body: &Bytes) -> ApiError {
    serde_json::from_slice::<WrappedError>(body).map(|wrapped| wrapped.error).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decide(status: u16, headers: &[(&'static str, &str)], body: &str) -> RetryDecision {
        let headers = headers
            .iter()
            .map(|(name, value)| (http::HeaderName::from_static(name), value.parse().unwrap()))
            .collect();
        let error = api_error(&Bytes::copy_from_slice(body.as_bytes()));
        retry_decision(StatusCode::from_u16(status).unwrap(), &headers, &error)
    }

    #[test]
    fn load_is_waited_out_and_mistakes_are_not() {
        assert_eq!(decide(503, &[], "busy"), RetryDecision::BackOff);
        assert_eq!(decide(429, &[], "not json"), RetryDecision::BackOff);
        assert_eq!(decide(400, &[], "{}"), RetryDecision::GiveUp);
        assert_eq!(decide(401, &[("retry-after", "1")], "{}"), RetryDecision::GiveUp);
    }

    #[test]
    fn retry_after_is_read_in_seconds_and_milliseconds() {
        let seconds = [("retry-after", "2")];
        assert_eq!(decide(429, &seconds, ""), RetryDecision::After(Duration::from_secs(2)));
        let both = [("retry-after", "2"), ("retry-after-ms", "20")];
        assert_eq!(decide(429, &both, ""), RetryDecision::After(Duration::from_millis(20)));
        let date = [("retry-after", "Wed, 21 Oct 2026 07:28:00 GMT")];
        assert_eq!(decide(429, &date, ""), RetryDecision::BackOff);
    }

    #[test]
    fn an_empty_account_is_not_a_matter_of_waiting() {
        let body = r#"{"error":{"message":"You exceeded your current quota","type":"insufficient_quota","param":null,"code":"insufficient_quota"}}"#;
        assert_eq!(decide(429, &[("retry-after", "1")], body), RetryDecision::GiveUp);
    }
}
