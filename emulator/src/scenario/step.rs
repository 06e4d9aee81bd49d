//! What a scenario does, step by step. A step's kind is its first key.

use std::{collections::BTreeMap, fmt};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Deserializer,
    de::{self, MapAccess, Visitor},
};
use serde_json::Value;

use super::{
    dispatch,
    expectation::Expect,
    reply::Replies,
    time::{Delay, Moment, Wait},
};
use crate::{
    faults::{Cut, Failure},
    matcher::Matcher,
    openai::Round,
};

/// One step.
#[derive(Debug, Clone)]
pub enum Step {
    /// `customer:` a text reaches the shop's number.
    Customer(Customer),
    /// `request:` somebody calls the API.
    Request(Box<Request>),
    /// `expect:` a look at tables, texts, calls and cost.
    Expect(ExpectStep),
    /// `wait:` business time passes.
    Wait(WaitStep),
    /// `at:` business time moves to a moment.
    At(AtStep),
    /// `together:` steps at the same time.
    Together(Together),
    /// `faults:` providers fail from here on.
    Faults(FaultsStep),
}

/// The kinds of steps, by their first key.
pub const KINDS: [&str; 7] = ["customer", "request", "expect", "wait", "at", "together", "faults"];

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
    /// Real time from one to the next, `0s` for all at once. Left out: each waits for the answer
    /// of the one before.
    #[serde(default)]
    pub gap: Option<Delay>,
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

/// A call through API Gateway.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// `POST /scheduler`.
    pub request: Line,
    /// Header fields.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// A JSON body.
    #[serde(default)]
    pub json: Option<Value>,
    /// A form body.
    #[serde(default)]
    pub form: Option<serde_json::Map<String, Value>>,
    /// A body as it is; its Content-Type is among the headers.
    #[serde(default)]
    pub body: Option<String>,
    /// What must come back.
    #[serde(default)]
    pub response: Option<Response>,
    /// Names for parts of the response: `{ ref: json.lead_id }`. The response has `status`,
    /// `headers` (lower case), `json` and `text`.
    #[serde(default)]
    pub save: BTreeMap<String, String>,
}

/// A method and a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// GET, POST and so on.
    pub method: http::Method,
    /// Path and query; may hold templates.
    pub path: String,
}

/// What must come back from a request.
#[derive(Debug, Clone, PartialEq, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Response {
    /// The status.
    #[serde(default)]
    pub status: Option<Matcher>,
    /// Header fields, whatever their case.
    #[serde(default)]
    pub headers: BTreeMap<String, Matcher>,
    /// The body as JSON.
    #[serde(default)]
    pub json: Option<Matcher>,
    /// The body as text.
    #[serde(default)]
    pub text: Option<Matcher>,
}

/// `expect:`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExpectStep {
    /// What must be so.
    pub expect: Expect,
}

/// `wait:`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WaitStep {
    /// How much later it is.
    pub wait: Wait,
}

/// `at:`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AtStep {
    /// What time it is from here on.
    pub at: Moment,
}

/// `together:`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Together {
    /// Texts and requests that begin at the same time.
    #[schemars(with = "Vec<Step>")]
    pub together: Vec<Step>,
    /// What must arrive because of all of them, to whom ever.
    #[serde(default, alias = "reply")]
    pub replies: Option<Replies>,
}

/// `faults:`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FaultsStep {
    /// In the order in which they strike.
    pub faults: Vec<Fault>,
}

/// Which calls fail, and how.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// The crossing's name in the journal: `openai.responses`, `twilio.messages.create`.
    pub on: String,
    /// A status, or `{ status, code, retry_after, delay, cut }`.
    pub fail: Fail,
    /// How many calls it strikes; all from here on when left out.
    #[serde(default)]
    pub times: Option<u32>,
    /// How many calls it lets through first.
    #[serde(default)]
    pub skip: u32,
}

/// How a call fails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fail(pub Failure);

impl Step {
    /// The step in short, for progress lines and reports.
    pub fn title(&self) -> String {
        match self {
            Self::Customer(step) => {
                let who = step.from.as_deref().unwrap_or("customer");
                format!("{who}: {}", short(step.text.as_deref().unwrap_or("(pictures)")))
            }
            Self::Request(step) => {
                format!("{} {}", step.request.method, short(&step.request.path))
            }
            Self::Expect(_) => "expect".into(),
            Self::Wait(step) => format!("wait {}", step.wait),
            Self::At(step) => format!("at {}", step.at.as_str()),
            Self::Together(step) => format!("{} steps together", step.together.len()),
            Self::Faults(step) => {
                let on: Vec<_> = step.faults.iter().map(|f| f.on.as_str()).collect();
                format!("faults on {}", on.join(", "))
            }
        }
    }
}

/// At most 60 characters of a text, on one line.
fn short(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(60) {
        Some((end, _)) => format!("{}...", &line[..end]),
        None => line,
    }
}

impl<'de> Deserialize<'de> for Step {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct StepVisitor;

        impl<'de> Visitor<'de> for StepVisitor {
            type Value = Step;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "a step, whose first key is one of {}", KINDS.join(", "))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Step, A::Error> {
                let Some(kind) = map.next_key::<String>()? else {
                    return Err(de::Error::custom(format_args!(
                        "an empty step; its first key is one of {}",
                        KINDS.join(", ")
                    )));
                };
                match kind.as_str() {
                    "customer" => dispatch::whole(kind, map).map(Step::Customer),
                    "request" => dispatch::whole(kind, map).map(|r| Step::Request(Box::new(r))),
                    "expect" => dispatch::whole(kind, map).map(Step::Expect),
                    "wait" => dispatch::whole(kind, map).map(Step::Wait),
                    "at" => dispatch::whole(kind, map).map(Step::At),
                    "together" => dispatch::whole(kind, map).map(Step::Together),
                    "faults" => dispatch::whole(kind, map).map(Step::Faults),
                    other => Err(de::Error::custom(format_args!(
                        "unknown kind of step '{other}'; a step's first key is one of {}",
                        KINDS.join(", ")
                    ))),
                }
            }
        }

        deserializer.deserialize_map(StepVisitor)
    }
}

impl<'de> Deserialize<'de> for Line {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let line = text.split_once(' ').and_then(|(method, path)| {
            let known = ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"];
            let method = known.contains(&method).then(|| method.parse().ok())??;
            path.starts_with('/').then(|| Self { method, path: path.into() })
        });
        line.ok_or_else(|| {
            de::Error::custom(format_args!(
                "'{text}' is not a method and a path such as GET /state"
            ))
        })
    }
}

impl<'de> Deserialize<'de> for Fail {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FailVisitor;

        impl<'de> Visitor<'de> for FailVisitor {
            type Value = Fail;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a status, or { status, code, retry_after, delay, cut }")
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Fail, E> {
                let status = status(number).map_err(E::custom)?;
                Ok(Fail(Failure { status: Some(status), ..Failure::default() }))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fail, A::Error> {
                let Some(key) = map.next_key::<String>()? else {
                    return Err(de::Error::custom("say how it fails"));
                };
                let fields: Fields = dispatch::whole(key, map)?;
                let delay = fields.delay.map(|d| u64::try_from(d.0.as_millis()));
                Ok(Fail(Failure {
                    status: fields.status.map(status).transpose().map_err(de::Error::custom)?,
                    code: fields.code,
                    retry_after: fields.retry_after,
                    delay_ms: delay.transpose().map_err(de::Error::custom)?,
                    cut: fields.cut,
                }))
            }
        }

        deserializer.deserialize_any(FailVisitor)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields {
    status: Option<u64>,
    code: Option<String>,
    retry_after: Option<u32>,
    delay: Option<Delay>,
    cut: Option<Cut>,
}

fn status(number: u64) -> Result<u16, String> {
    u16::try_from(number)
        .ok()
        .filter(|status| (100..600).contains(status))
        .ok_or_else(|| format!("{number} is not an HTTP status"))
}

impl JsonSchema for Line {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "RequestLine".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "A method and a path: GET /state",
            "pattern": "^(GET|POST|PUT|DELETE|PATCH|HEAD|OPTIONS) /",
        })
    }
}

impl JsonSchema for Fail {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "CallFailure".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let delay = generator.subschema_for::<Delay>();
        json_schema!({
            "description": "A status, or how the call fails in detail",
            "type": ["integer", "object"],
            "minimum": 100,
            "maximum": 599,
            "properties": {
                "status": { "type": "integer", "minimum": 100, "maximum": 599 },
                "code": { "type": ["string", "integer"], "description": "The provider's own code" },
                "retry_after": { "type": "integer", "minimum": 0 },
                "delay": delay,
                "cut": { "enum": ["before", "after"] },
            },
            "additionalProperties": false,
            "minProperties": 1,
        })
    }
}

impl JsonSchema for Step {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Step".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let kinds = [
            generator.subschema_for::<Customer>(),
            generator.subschema_for::<Request>(),
            generator.subschema_for::<ExpectStep>(),
            generator.subschema_for::<WaitStep>(),
            generator.subschema_for::<AtStep>(),
            generator.subschema_for::<Together>(),
            generator.subschema_for::<FaultsStep>(),
        ];
        // An `anyOf` of kinds would make editors list every kind's errors at once.
        let rules: Vec<Value> = KINDS
            .iter()
            .zip(kinds)
            .map(|(key, kind)| serde_json::json!({ "if": { "required": [key] }, "then": kind }))
            .collect();
        let one: Vec<Value> =
            KINDS.iter().map(|key| serde_json::json!({ "required": [key] })).collect();
        json_schema!({
            "description": "One step; its kind is its first key",
            "type": "object",
            "allOf": rules,
            "oneOf": one,
        })
    }
}
