//! What an exchange was, and how it ended.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One exchange, in the order in which exchanges began.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Exchange {
    /// Position in the journal, from 0.
    pub seq: u64,
    /// Stable name of the detail.
    pub name: String,
    /// How many exchanges of this name came before, from 0.
    pub ordinal: u64,
    /// Business time when it began.
    pub at: Timestamp,
    /// Real microseconds since the world started.
    pub started_us: u64,
    /// Real microseconds that it took; `None` while it is under way.
    pub took_us: Option<u64>,
    /// What crossed.
    #[serde(rename = "crossing")]
    pub detail: ExchangeDetail,
    /// How it ended; `None` while it is under way.
    pub outcome: Option<Outcome>,
}

/// What crossed a boundary.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ExchangeDetail {
    /// A person's text reached the shop's number.
    SmsReceived {
        /// MessageSid.
        sid: String,
        /// The person's number.
        from: String,
        /// The shop's number.
        to: String,
        /// Text; empty for pictures only.
        body: String,
        /// URLs of pictures.
        media: Vec<String>,
    },
    /// Twilio accepted a text for sending to a person.
    SmsSent {
        /// MessageSid.
        sid: String,
        /// The shop's number.
        from: String,
        /// The person's number.
        to: String,
        /// Text.
        body: String,
        /// URLs of pictures.
        media: Vec<String>,
        /// Segments billed.
        segments: u32,
        /// `GSM-7` or `UCS-2`.
        encoding: String,
        /// How it was sent.
        via: Via,
        /// MessageSid of the inbound text that a TwiML reply answers.
        in_reply_to: Option<String>,
    },
    /// Twilio called one of the backend's URLs (`webhook.sms`, `webhook.fallback`, `webhook.status`).
    Webhook {
        /// The message that it is about.
        sid: String,
        /// Attempt of this delivery, from 1.
        attempt: u32,
        /// GET or POST.
        method: String,
        /// URL as called.
        url: String,
        /// Parameters in wire order.
        params: Vec<(String, String)>,
    },
    /// The backend called Twilio's REST API (`twilio.messages.create`).
    Twilio {
        /// HTTP method.
        method: String,
        /// Path and query.
        path: String,
        /// Form parameters in wire order; credentials are never here.
        params: Vec<(String, String)>,
    },
    /// The backend asked the model (`openai.responses`, `openai.chat`).
    Model {
        /// The request's JSON body.
        request: Value,
        /// The script and round that answered, `step 2, round 1`.
        script: Option<String>,
    },
    /// The backend called DynamoDB (`dynamodb.PutItem`).
    Database {
        /// The function that called, when its endpoint URL names it.
        function: Option<String>,
        /// Operation, `TransactWriteItems`.
        operation: String,
        /// Tables that it names, in order, without repeats.
        tables: Vec<String>,
        /// Items that the request carries or keys that it names.
        items: usize,
        /// The request's JSON body.
        request: Value,
    },
    /// The backend asked for a secret (`ssm.GetParameter`, `secretsmanager.GetSecretValue`). Its value is never here.
    Secret {
        /// The function that asked, when its session token is known.
        function: Option<String>,
        /// Operation, `GetParameter`.
        operation: String,
        /// The secret's name.
        name: String,
    },
    /// Somebody called the API through API Gateway (`http.GET /state`).
    Http {
        /// The function that the route leads to; `None` when no route matches.
        function: Option<String>,
        /// HTTP method.
        method: String,
        /// Path and query.
        path: String,
        /// Body as text; base64 when it is not UTF-8.
        body: String,
    },
    /// All rows of a table, read for a check.
    Rows {
        /// Logical id of the table.
        table: String,
        /// Rows as plain JSON.
        rows: Vec<Value>,
    },
    /// A line that a function wrote.
    Log {
        /// The function.
        function: String,
        /// Request id, when known.
        request_id: Option<String>,
        /// The line.
        line: String,
    },
    /// The runner began a step.
    Step {
        /// Position as shown to the user: `3`, or `3.1` inside a group.
        step: String,
        /// What the step says, in short.
        title: String,
    },
}

/// How a text was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Via {
    /// The webhook's TwiML.
    Twiml,
    /// The Messages API.
    Rest,
    /// Twilio's own answer to an opt-out keyword.
    Twilio,
}

/// How an exchange ended.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// HTTP status, where there is one.
    pub status: Option<u16>,
    /// What went wrong, as a stable code: `ConditionalCheckFailedException`, `11200`, `cut`.
    pub error: Option<String>,
    /// The answer; JSON where it was JSON, else a string.
    pub answer: Value,
}

impl Outcome {
    /// The error code of [`Outcome::emulator_failure`].
    pub const EMULATOR_FAILURE: &'static str = "emulator-failure";

    /// A success or an error by its status alone.
    pub fn status(status: u16, answer: Value) -> Self {
        Self { status: Some(status), error: None, answer }
    }

    /// The caller went away, or the answer was withheld.
    pub fn cut() -> Self {
        Self { status: None, error: Some("cut".into()), answer: Value::Null }
    }

    /// The emulator itself failed: neither the backend nor an injected fault is the cause. `reason`
    /// becomes the response, and must contain no secrets and no rows.
    pub fn emulator_failure(reason: impl Into<String>) -> Self {
        let (status, error) = (Some(500), Some(Self::EMULATOR_FAILURE.into()));
        Self { status, error, answer: Value::String(reason.into()) }
    }

    /// Why the emulator itself failed, if this outcome says that it did.
    pub fn as_emulator_failure(&self) -> Option<&str> {
        let failed = self.error.as_deref() == Some(Self::EMULATOR_FAILURE);
        failed.then(|| self.answer.as_str().unwrap_or("it gave no reason"))
    }

    /// Adds an error code.
    #[must_use]
    pub fn with_error(mut self, error: impl Into<String>) -> Self {
        self.error = Some(error.into());
        self
    }
}
