//! Texts.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use rehearse_core::{
    journal::{Exchange, ExchangeDetail, Via},
    matcher::Matcher,
};
use rehearse_scenario::Delay;

/// Body of `POST /sms`.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SmsRequest {
    /// A number, or a person's name; the customer when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Which of the account's numbers is texted; the first one when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// The text, which may be empty.
    #[serde(default)]
    pub body: String,
    /// URLs of pictures.
    #[serde(default)]
    pub media: Vec<String>,
}

/// Response of `POST /sms`: how the text was delivered, and the replies to it.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct SmsResponse {
    /// MessageSid of the text.
    pub sid: String,
    /// A position of the journal: everything that came of this delivery is after it. `after` of
    /// `POST /messages/wait` and `GET /journal` takes it.
    #[serde(default)]
    pub seq: u64,
    /// The webhook's attempts, in order.
    pub attempts: Vec<Attempt>,
    /// What was sent to its sender during the delivery.
    pub replies: Vec<Message>,
    /// What the backend wanted to send to its sender during the delivery, and Twilio refused.
    #[serde(default)]
    pub refused: Vec<RefusedText>,
    /// Twilio's errors and warnings about the delivery, in order, as its debugger shows them.
    #[serde(default)]
    pub problems: Vec<TwilioProblem>,
    /// Why the delivery failed in the end: neither the webhook nor its fallback gave a response that
    /// Twilio can use. `None` when it succeeded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<TwilioProblem>,
}

/// An error or a warning of Twilio's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TwilioProblem {
    /// Its code, such as 11200.
    pub code: u32,
    /// The words of Twilio's dictionary.
    pub text: String,
}

impl TwilioProblem {
    /// The problem with this code.
    pub fn of(code: u32) -> Self {
        let text = rehearse_twilio::error_text(code).unwrap_or("not in rehearse's dictionary");
        Self { code, text: text.to_owned() }
    }
}

/// A text that the backend wanted to send, and Twilio refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RefusedText {
    /// The recipient, as the backend wrote it.
    pub to: String,
    /// The text.
    pub body: String,
    /// Why.
    pub error: TwilioProblem,
}

impl RefusedText {
    /// The text that an exchange was refused: a TwiML reply or a call of the Messages API; `None` for
    /// every other exchange.
    pub fn of(exchange: &Exchange) -> Option<Self> {
        let error = exchange.outcome.as_ref()?.error.as_ref()?;
        let error = TwilioProblem::of(error.parse().ok()?);
        match &exchange.detail {
            ExchangeDetail::SmsSent { to, body, .. } => {
                Some(Self { to: to.clone(), body: body.clone(), error })
            }
            ExchangeDetail::Twilio { params, .. } if exchange.name == "twilio.messages.create" => {
                let param = |key: &str| {
                    let found = params.iter().find(|(name, _)| name == key);
                    found.map(|(_, value)| value.clone()).unwrap_or_default()
                };
                Some(Self { to: param("To"), body: param("Body"), error })
            }
            _ => None,
        }
    }
}

/// One attempt of Twilio to deliver a text to the webhook.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Attempt {
    /// The URL that was called.
    pub url: String,
    /// Status of the webhook's response, if there was one.
    pub status: Option<u16>,
    /// Twilio's error code, if the attempt failed.
    pub error: Option<String>,
}

/// Response of `GET /messages`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Messages {
    /// Every text that the journal still has, in order.
    pub messages: Vec<Message>,
}

/// A text, received or sent.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Message {
    /// MessageSid.
    pub sid: String,
    /// Its position in the journal.
    #[serde(default)]
    pub seq: u64,
    /// Business time.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub at: Timestamp,
    /// Sender's number.
    pub from: String,
    /// Recipient's number.
    pub to: String,
    /// Text.
    pub body: String,
    /// URLs of pictures.
    pub media: Vec<String>,
    /// How the shop sent it; `None` for a text to the shop.
    pub via: Option<Via>,
    /// Segments billed; 0 for a text to the shop.
    pub segments: u32,
    /// Twilio's status of it: `delivered`, `undelivered`. Not there when Twilio has it no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// Twilio's code of why it did not arrive: 30003.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_code: Option<u32>,
}

impl Message {
    /// The text that an exchange carried; `None` when it carried none or was refused.
    pub fn of(exchange: &Exchange) -> Option<Self> {
        use ExchangeDetail::{SmsReceived, SmsSent};
        if exchange.outcome.as_ref().is_some_and(|outcome| outcome.error.is_some()) {
            return None;
        }
        match &exchange.detail {
            SmsReceived { sid, from, to, body, media } => Some(Self {
                sid: sid.clone(),
                seq: exchange.seq,
                at: exchange.at,
                from: from.clone(),
                to: to.clone(),
                body: body.clone(),
                media: media.clone(),
                via: None,
                segments: 0,
                status: None,
                error_code: None,
            }),
            // Whether Twilio takes it is not known yet.
            SmsSent { .. } if exchange.outcome.is_none() => None,
            SmsSent { sid, from, to, body, media, segments, via, .. } => Some(Self {
                sid: sid.clone(),
                seq: exchange.seq,
                at: exchange.at,
                from: from.clone(),
                to: to.clone(),
                body: body.clone(),
                media: media.clone(),
                via: Some(*via),
                segments: *segments,
                status: None,
                error_code: None,
            }),
            _ => None,
        }
    }
}

/// Body of `POST /messages/wait`: which text to wait for. A text that is in the journal already counts.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WaitRequest {
    /// Who gets it, by name or number: a text of the shop.
    #[serde(default)]
    pub to: Option<String>,
    /// Who sent it, by name or number: a text to the shop.
    #[serde(default)]
    pub from: Option<String>,
    /// What its words must be, as a scenario's matchers say it; anything when left out.
    #[serde(default)]
    pub body: Option<Matcher>,
    /// Only texts after this position of the journal: the `seq` of an answer of `POST /sms`, or of a
    /// message.
    #[serde(default)]
    pub after: Option<u64>,
    /// Longest wait, such as `5s` or `300ms`; `10s` when left out. More than `60s` counts as that.
    #[serde(default)]
    pub timeout: Option<Delay>,
}

/// Body of `POST /messages/{sid}/status`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StatusRequest {
    /// What the carrier says.
    pub status: DeliveryStatus,
    /// Twilio's code of why it did not arrive, with `undelivered` and `failed` only; 30008 (unknown error)
    /// when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 10_000, max = 99_999))]
    pub error_code: Option<u32>,
}

/// A status that a text of the shop can get.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryStatus {
    /// It is about to be sent.
    Queued,
    /// The carrier has it.
    Sent,
    /// It arrived.
    Delivered,
    /// The carrier could not deliver it.
    Undelivered,
    /// Twilio could not send it.
    Failed,
}
