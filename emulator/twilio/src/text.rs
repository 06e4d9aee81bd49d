//! Texting the number in one call, for tests in Rust.

use thiserror::Error;

use super::{Direction, Inbound, Message, Status, Twilio, phone};

/// Why [`Twilio::text`] returned no replies.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TextError {
    /// The sender is neither a number in E.164 format nor a short code.
    #[error("the sender is not a phone number such as +15550123456")]
    InvalidSender,
    /// The number has no webhook.
    #[error("the number has no webhook")]
    NoWebhook,
    /// Neither the webhook nor its fallback gave a response that Twilio can use.
    #[error("{url} gave no usable response: {}, Twilio error {code}", status_text(*status))]
    WebhookFailed {
        /// The URL that was called last.
        url: String,
        /// Its status; `None` when there was no response.
        status: Option<u16>,
        /// Twilio's code of what is wrong, such as 11200 for an error status.
        code: u32,
    },
}

impl Twilio {
    /// Texts the number: delivers the text to the webhook, signed, and returns the texts that `from`
    /// received in response, in order.
    ///
    /// It returns when no webhook, REST call or status callback is under way. So the result has the
    /// TwiML replies, what the backend sent to `from` by REST in the meantime, and Twilio's own notice
    /// when the text is an opt-out keyword. A message that the backend sends later is in
    /// [`Twilio::messages`]. A message that Twilio refuses or that is not delivered is in no result.
    /// When two calls with the same sender overlap, the first one may return replies of the second.
    ///
    /// # Errors
    /// The sender is not valid, there is no webhook, or the webhook failed. Twilio waits 15 seconds
    /// for a response, unless the webhook's URL says otherwise.
    pub async fn text(
        &self,
        from: &str,
        body: impl Into<String>,
    ) -> Result<Vec<String>, TextError> {
        if !phone::is_e164(from) && !phone::is_short_code(from) {
            return Err(TextError::InvalidSender);
        }
        if self.config().webhook_url.is_none() {
            return Err(TextError::NoWebhook);
        }
        let text = Inbound { from: from.to_owned(), body: body.into(), ..Inbound::default() };
        let sid = self.accept(text);
        let delivery = self.redeliver(sid).await;
        self.settled().await;
        if let Some(code) = delivery.failure {
            let last = delivery.attempts.last();
            return Err(TextError::WebhookFailed {
                url: last.map(|attempt| attempt.url.clone()).unwrap_or_default(),
                status: last.and_then(|attempt| attempt.status),
                code,
            });
        }
        let received = |message: &Message| {
            message.direction != Direction::Inbound
                && message.to == from
                && message.status == Status::Delivered
        };
        let messages = self.messages_after(sid).into_iter().filter(received);
        Ok(messages.map(|message| message.body).collect())
    }
}

fn status_text(status: Option<u16>) -> String {
    status.map_or_else(|| "no response".into(), |status| format!("status {status}"))
}
