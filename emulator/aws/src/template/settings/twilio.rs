//! `[twilio]`: the backend's account at the fake Twilio.

use std::collections::BTreeMap;

use rehearse_core::random::mix;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Phone, RoutePath, values};

/// The backend's account at the fake Twilio.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Twilio {
    /// The number that customers text.
    pub number: Phone,
    /// Account, `AC` and 32 hexadecimal digits.
    #[serde(deserialize_with = "values::account_sid")]
    pub account_sid: String,
    /// The key that signs webhooks and authenticates calls.
    pub auth_token: String,
    /// API keys, `SK` and 32 hexadecimal digits, and their secrets, which authenticate calls as well.
    pub api_keys: BTreeMap<String, String>,
    /// The account's other numbers.
    pub numbers: Vec<OtherNumber>,
    /// The account's Messaging Services.
    #[serde(default)]
    pub services: Vec<MessagingService>,
    /// Content templates, `HX` and 32 hexadecimal digits, and their texts, with `{{1}}` for variables.
    #[serde(default)]
    pub contents: BTreeMap<String, String>,
    /// The account's numbers that are WhatsApp senders as well.
    #[serde(default)]
    pub whatsapp: Vec<Phone>,
    /// What Lookup says of numbers' lines; the others are mobile. Landlines take no texts.
    pub line_types: BTreeMap<String, LineType>,
}

/// One of the account's other numbers.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OtherNumber {
    /// The number.
    pub number: Phone,
    /// The route that texts to it are posted to; that of `[webhook]` when left out.
    pub route: Option<RoutePath>,
}

/// One of the account's Messaging Services.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MessagingService {
    /// Its name.
    pub name: String,
    /// `MG` and 32 hexadecimal digits; made from the name when left out.
    #[serde(default, deserialize_with = "values::service_sid")]
    pub sid: Option<String>,
    /// The account's numbers that belong to it.
    #[serde(default)]
    pub numbers: Vec<Phone>,
    /// The route that texts to its numbers are posted to. When left out they go to the webhook of the
    /// number.
    pub route: Option<RoutePath>,
    /// The route of the fallback URL; that of `[webhook]` when left out.
    pub fallback: Option<RoutePath>,
    /// Whether texts go to the webhook of the number, although there is a route.
    pub use_inbound_webhook_on_number: Option<bool>,
    /// The route that is told of each status of a message without a status callback of its own.
    pub status_callback: Option<RoutePath>,
    /// Whether a person always gets messages from the same number.
    #[serde(default = "yes")]
    pub sticky_sender: bool,
    /// Whether typographic characters become similar ones that take less room.
    #[serde(default = "yes")]
    pub smart_encoding: bool,
    /// Whether numbers with the recipient's area code go before others.
    #[serde(default = "yes")]
    pub area_code_geomatch: bool,
    /// For how many seconds a message may wait to be sent, 1 to 36000.
    #[serde(default = "ten_hours", deserialize_with = "values::validity_period")]
    pub validity_period: u32,
}

/// What kind of line a number has, in Lookup's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum LineType {
    /// A mobile phone.
    Mobile,
    /// A line in a house.
    Landline,
    /// A number of a service, with a line in a house behind it.
    FixedVoip,
    /// A number of a service.
    NonFixedVoip,
    /// A number such as +1 800.
    TollFree,
}

impl MessagingService {
    /// Its sid; without one of its own the same one for the same name, in every world.
    pub fn sid(&self) -> String {
        self.sid.clone().unwrap_or_else(|| {
            let low = self.name.bytes().fold(0, |hash, byte| mix(hash ^ u64::from(byte)));
            format!("MG{:016x}{low:016x}", mix(low))
        })
    }
}

impl Default for Twilio {
    /// An account and a number that are nobody's.
    fn default() -> Self {
        Self {
            number: Phone::fixed("+19045550100"),
            account_sid: format!("AC{}", "0".repeat(32)),
            auth_token: "0".repeat(32),
            api_keys: BTreeMap::new(),
            numbers: Vec::new(),
            services: Vec::new(),
            contents: BTreeMap::new(),
            whatsapp: Vec::new(),
            line_types: BTreeMap::new(),
        }
    }
}

fn yes() -> bool {
    true
}

fn ten_hours() -> u32 {
    36_000
}
