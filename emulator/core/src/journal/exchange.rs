//! What the journal records of one exchange.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One request and its response, or another event that the journal records.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Exchange {
    /// Position in the journal, from 0, in the order in which exchanges began.
    pub seq: u64,
    /// Stable name: `openai.responses`, `dynamodb.PutItem`, `webhook.sms`.
    pub name: String,
    /// How many exchanges of this name began before.
    pub ordinal: u64,
    /// Business time when it began.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub at: Timestamp,
    /// Real time from the start of the world to its beginning, in microseconds.
    pub started_us: u64,
    /// Real time that it took, in microseconds; `None` while it is under way.
    pub took_us: Option<u64>,
    /// Position of the exchange that caused this one, such as the request that a database call was made
    /// for; missing when nothing did, or it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caused_by: Option<u64>,
    /// Position of the exchange at the root of this one's turn: a text, a request or an event, which has
    /// its own position here; missing when it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turn: Option<u64>,
    /// What was exchanged.
    #[serde(rename = "crossing")]
    pub detail: ExchangeDetail,
    /// How it ended; `None` while it is under way.
    pub outcome: Option<Outcome>,
    /// The failure that a fault injected into it, in words; not there when none did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub injected: Option<String>,
}

/// What was exchanged, by kind.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ExchangeDetail {
    /// A customer's text reached the shop's number.
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
        /// The script and round that gave the response, `step 2, round 1`.
        script: Option<String>,
    },
    /// The backend called an endpoint of OpenAI that asks no model for a text (`openai.embeddings`,
    /// `openai.conversations.create`).
    OpenAi {
        /// HTTP method.
        method: String,
        /// Path and query.
        path: String,
        /// The request's JSON body; null when there is none.
        request: Value,
    },
    /// The backend called DynamoDB (`dynamodb.PutItem`).
    Database {
        /// The function that called, when its endpoint URL names it.
        function: Option<String>,
        /// Operation, `TransactWriteItems`.
        operation: String,
        /// Tables that it names, in order, without repeats.
        tables: Vec<String>,
        /// How many items the request carries or how many keys it names.
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
    /// The backend called a service of AWS that is not emulated (`aws.s3`), and was refused.
    OtherService {
        /// The function that called, when its endpoint URL names it.
        function: Option<String>,
        /// The service, as the credential scope of the signature names it: `s3`.
        service: String,
        /// HTTP method.
        method: String,
        /// Path, without the query.
        path: String,
        /// The operation, where the protocol names it: `SendMessage`.
        operation: Option<String>,
    },
    /// A function, or a client, asked Lambda to invoke a function (`lambda.invoke`).
    Invoke {
        /// The function that asked, when its session token or its endpoint URL names it.
        function: Option<String>,
        /// Logical id of the function to be invoked; its name as given if there is no such function.
        target: String,
        /// That function's name on AWS.
        target_name: String,
        /// `RequestResponse`, `Event` or `DryRun`.
        invocation_type: String,
        /// The payload as JSON; text if it is none.
        payload: Value,
    },
    /// An event that no API brought was given to a function: of a schedule (`schedule.Outbox`), or
    /// of an invocation (`invocation.LateReply`).
    Invocation {
        /// Logical id of the function.
        function: String,
        /// What caused it: `schedule Every`, `lambda.invoke`, `destination of LateReply`.
        cause: String,
        /// The request's id, the same at every attempt.
        request_id: String,
        /// The attempt, from 1.
        attempt: u32,
        /// The event as JSON.
        event: Value,
    },
    /// An asynchronous invocation was given up, and its record is due at the function's destination
    /// (`lambda.destination`).
    Destination {
        /// Logical id of the function that failed.
        function: String,
        /// ARN of the destination, or why it is not known; a function is invoked, nothing else is.
        destination: String,
        /// The record as JSON.
        record: Value,
    },
    /// A request to the backend's API through API Gateway (`http.GET /state`).
    Http {
        /// The function that the route leads to; `None` when no route matches.
        function: Option<String>,
        /// HTTP method.
        method: String,
        /// Path and query.
        path: String,
        /// Body as text; base64 when it is not UTF-8.
        body: String,
        /// The header fields that decide how the body is read and whose request it is, as far as they
        /// came: [`ExchangeDetail::KEPT_HEADERS`]. Of credentials only that there were some.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        headers: Vec<(String, String)>,
    },
    /// All rows of a table, as an expectation read them.
    Rows {
        /// Logical id of the table.
        table: String,
        /// Rows as plain JSON.
        rows: Vec<Value>,
    },
    /// A line of output of a function.
    Log {
        /// The function.
        function: String,
        /// Request id, when known.
        request_id: Option<String>,
        /// The line.
        line: String,
    },
    /// A step of the scenario began.
    Step {
        /// Position as shown to the user: `3`, or `3.1` inside a group.
        step: String,
        /// What the step does, in short.
        title: String,
    },
}

impl ExchangeDetail {
    /// The header fields of a request through API Gateway that the journal keeps.
    pub const KEPT_HEADERS: [&str; 7] = [
        "content-type",
        "idempotency-key",
        "accept-language",
        "origin",
        "sec-fetch-site",
        "authorization",
        "cookie",
    ];
    /// What stands in the journal in place of a credential.
    pub const WITHHELD: &str = "withheld";

    /// Whether a turn begins here if nothing is known to have caused it.
    pub(super) fn starts_turn(&self) -> bool {
        matches!(
            self,
            Self::SmsReceived { .. }
                | Self::Http { .. }
                | Self::Webhook { .. }
                | Self::Invocation { .. }
        )
    }
}

/// How a text to a customer was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Via {
    /// In the webhook's TwiML.
    Twiml,
    /// Over the Messages API.
    Rest,
    /// By Twilio itself, in reply to an opt-out keyword.
    Twilio,
}

/// How an exchange ended.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Outcome {
    /// HTTP status, where there is one.
    pub status: Option<u16>,
    /// Stable code of the error, if it failed: `ConditionalCheckFailedException`, `11200`, `cut`.
    pub error: Option<String>,
    /// Body of the response: JSON where it was JSON, else a string; null when there was none.
    #[serde(rename = "answer")]
    pub response: Value,
}

impl Outcome {
    /// The error code of [`Outcome::emulator_failure`].
    pub const EMULATOR_FAILURE: &'static str = "emulator-failure";

    /// The error code of a request that a provider may have an answer to and its fake has not. The response says
    /// so in words, with what to do.
    pub const NOT_REPRODUCED: &'static str = "not-reproduced";

    /// A response with this status and body, and no error code.
    pub fn status(status: u16, response: Value) -> Self {
        Self { status: Some(status), error: None, response }
    }

    /// The caller closed the connection, or the response was withheld.
    pub fn cut() -> Self {
        Self { status: None, error: Some("cut".into()), response: Value::Null }
    }

    /// The emulator itself failed: neither the backend nor an injected fault is the cause. `reason`
    /// becomes the response, and must contain no secrets and no rows.
    pub fn emulator_failure(reason: impl Into<String>) -> Self {
        let (status, error) = (Some(500), Some(Self::EMULATOR_FAILURE.into()));
        Self { status, error, response: Value::String(reason.into()) }
    }

    /// Why the emulator itself failed, if this outcome says that it did.
    pub fn as_emulator_failure(&self) -> Option<&str> {
        let failed = self.error.as_deref() == Some(Self::EMULATOR_FAILURE);
        failed.then(|| self.response.as_str().unwrap_or("it gave no reason"))
    }

    /// Adds an error code.
    #[must_use]
    pub fn with_error(mut self, error: impl Into<String>) -> Self {
        self.error = Some(error.into());
        self
    }
}
