//! `customer:`

use schemars::JsonSchema;
use serde::Deserialize;

use super::Crash;
use crate::{reply::Replies, time::Gap};
use rehearse_core::matcher::Matcher;
use rehearse_openai::Round;

/// A text of a person to the shop.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Customer {
    /// The text; null or empty when there are only pictures.
    #[serde(rename = "customer")]
    pub text: Option<String>,
    /// Who sends it: a person of the scenario, `customer` when left out.
    #[serde(default)]
    pub from: Option<String>,
    /// URLs of pictures.
    #[serde(default)]
    pub media: Vec<String>,
    /// A webhook that Twilio did not sign as it should; it stands for somebody else's request.
    #[serde(default)]
    pub signature: Option<Signature>,
    /// The same webhook again.
    #[serde(default)]
    pub duplicate: Option<Duplicate>,
    /// A function ends while the text is answered.
    #[serde(default)]
    pub crash: Option<Crash>,
    /// How the webhook's attempts went, in order.
    #[serde(default)]
    pub deliveries: Option<Vec<Delivery>>,
    /// The model's side of the conversation while this text is answered.
    #[serde(default)]
    pub model: Option<Vec<Round>>,
    /// What must arrive because of this text; anything may when left out.
    #[serde(default, alias = "reply")]
    pub replies: Option<Replies>,
}

/// What is wrong with a webhook's signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Signature {
    /// There is none.
    Missing,
    /// It was made with another token.
    Wrong,
    /// It belongs to another body.
    OtherBody,
}

/// The same webhook, with the same MessageSid, more than once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Duplicate {
    /// Deliveries in all, at least 2.
    pub times: u32,
    /// Business time from an answer to the next delivery, for which nobody really waits; `0s`
    /// delivers all at once. Left out: each waits for the answer of the one before.
    #[serde(default)]
    pub gap: Option<Gap>,
}

/// How one attempt of a webhook went.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Delivery {
    /// The HTTP status; `{ absent: true }` when no answer came.
    #[serde(default)]
    pub answer: Option<Matcher>,
    /// Twilio's error code, such as `11200`; `{ absent: true }` when there was none.
    #[serde(default)]
    pub error: Option<Matcher>,
}
