//! Bodies and queries of requests and responses of the control API.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use rehearse_core::{
    faults::{Failure, FaultTarget},
    journal::{Exchange, Via},
};

/// Response of `GET /ready`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Ready {
    /// Always true: a world that is not ready does not respond.
    pub ready: bool,
    /// Version of the emulator.
    pub version: String,
}

/// Response of `GET /endpoints`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoints {
    /// The parts of the world.
    pub parts: Vec<Part>,
    /// Environment variables that point a backend's SDKs at the world.
    pub environment: BTreeMap<String, String>,
    /// Names of people by phone number.
    pub people: BTreeMap<String, String>,
    /// Logical ids of tables by their names.
    pub tables: BTreeMap<String, String>,
    /// IANA name of the shop's time zone.
    pub time_zone: String,
}

/// A part of the world and where it listens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// What it is: `DynamoDB`.
    pub name: String,
    /// Its URL.
    pub url: String,
    /// What it does, in short.
    pub about: String,
}

/// Body of `POST /sms`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SmsRequest {
    /// A number, or a person's name; the customer when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The text.
    #[serde(default)]
    pub body: String,
    /// URLs of pictures.
    #[serde(default)]
    pub media: Vec<String>,
}

/// Response of `POST /sms`: how the text was delivered, and the replies to it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SmsResponse {
    /// MessageSid of the text.
    pub sid: String,
    /// The webhook's attempts, in order.
    pub attempts: Vec<Attempt>,
    /// What was sent to its sender during the delivery.
    pub replies: Vec<Message>,
}

/// One attempt of Twilio to deliver a text to the webhook.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Attempt {
    /// The URL that was called.
    pub url: String,
    /// Status of the webhook's response, if there was one.
    pub status: Option<u16>,
    /// Twilio's error code, if the attempt failed.
    pub error: Option<String>,
}

/// Response of `GET /messages`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Messages {
    /// Every text that the journal still has, in order.
    pub messages: Vec<Message>,
}

/// A text, received or sent.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Message {
    /// MessageSid.
    pub sid: String,
    /// Business time.
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
}

impl Message {
    /// The text that an exchange carried; `None` when it carried none or was refused.
    pub fn of(exchange: &Exchange) -> Option<Self> {
        use rehearse_core::journal::ExchangeDetail::{SmsReceived, SmsSent};
        if exchange.outcome.as_ref().is_some_and(|outcome| outcome.error.is_some()) {
            return None;
        }
        match &exchange.detail {
            SmsReceived { sid, from, to, body, media } => Some(Self {
                sid: sid.clone(),
                at: exchange.at,
                from: from.clone(),
                to: to.clone(),
                body: body.clone(),
                media: media.clone(),
                via: None,
                segments: 0,
            }),
            SmsSent { sid, from, to, body, media, segments, via, .. } => Some(Self {
                sid: sid.clone(),
                at: exchange.at,
                from: from.clone(),
                to: to.clone(),
                body: body.clone(),
                media: media.clone(),
                via: Some(*via),
                segments: *segments,
            }),
            _ => None,
        }
    }
}

/// Query of `GET /journal`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JournalQuery {
    /// Position of the first exchange wanted; when left out, the first that the journal still has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<u64>,
    /// Phone number or name of a person: only the exchanges of the conversation with this person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// [`JournalPage::changes`] of the last response: wait until there is another change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changes: Option<u64>,
    /// Longest wait, in milliseconds; more than 30,000 counts as 30,000.
    #[serde(default)]
    pub wait: u64,
}

/// Response of `GET /journal`. An exchange that was under way in an earlier response comes again when
/// it has ended, as long as `since` is not past it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct JournalPage {
    /// Counts resets: when it rises, the journal was emptied and positions began anew at 0.
    pub resets: u64,
    /// Counts changes: pass it to the next request to wait for another one.
    pub changes: u64,
    /// Position of the first exchange that the journal still has: how many it has dropped.
    #[serde(default)]
    pub first: u64,
    /// Exchanges from `since` on.
    pub entries: Vec<Exchange>,
}

/// Body of `POST /clock`: exactly one of the two.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClockRequest {
    /// Business time to move to, `2026-02-10T15:10:00-05:00`. It may be earlier than now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub now: Option<Timestamp>,
    /// How far to move forward, `2h 30m` or `PT2H30M`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub advance: Option<String>,
}

/// Response of `POST /clock`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ClockResponse {
    /// Business time.
    pub now: Timestamp,
}

/// Body of `POST /faults`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultRequest {
    /// The exchange's name in the journal: `openai.responses`.
    pub on: String,
    /// How the call fails.
    pub failure: Failure,
    /// Restricts the fault to some of these calls. Only database calls can be restricted.
    #[serde(default)]
    pub target: FaultTarget,
    /// How many calls to let through first.
    #[serde(default)]
    pub skip: u32,
    /// How many calls fail after those; every one when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<u32>,
}

/// Response of `GET /tables/{id}`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Rows {
    /// Logical id of the table.
    pub table: String,
    /// All rows, as plain JSON.
    pub rows: Vec<Value>,
}

/// Response of `GET /tables/{id}/items`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Items {
    /// Logical id of the table.
    pub table: String,
    /// Its name.
    pub name: String,
    /// All rows in DynamoDB's own format, ordered by key.
    pub items: Vec<Map<String, Value>>,
}

/// Body of `PUT /tables/{id}/items`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PutItems {
    /// Rows in DynamoDB's own format.
    pub items: Vec<Map<String, Value>>,
    /// Check the rows, and write none.
    #[serde(default)]
    pub check_only: bool,
}

/// Response of `PUT /tables/{id}/items`: the rows that were written or would be.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Written {
    /// Logical id of the table.
    pub table: String,
    /// The key of each row, as text that is the same for the same key.
    pub keys: Vec<Vec<String>>,
}

/// Body of every error response.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ErrorBody {
    /// What is wrong.
    pub error: String,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// With status 410: position of the first exchange that the journal still has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<u64>,
}
