//! The account, its numbers, and the configuration of a number.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use serde::Deserialize;

use super::ServiceConfig;

/// The account and its numbers.
#[derive(Clone)]
pub struct Options {
    /// `AC` and 32 hexadecimal digits.
    pub account_sid: String,
    /// Signs webhooks, and is the password of the REST API.
    pub auth_token: String,
    /// API keys (`SK...`) and their secrets, which the REST API accepts as well.
    pub api_keys: BTreeMap<String, String>,
    /// The account's first number, in E.164 format.
    pub number: String,
    /// The configuration of the first number at the start.
    pub config: NumberConfig,
    /// The account's other numbers and their configurations at the start.
    pub other_numbers: Vec<(String, NumberConfig)>,
    /// The account's Messaging Services at the start.
    pub services: Vec<ServiceConfig>,
    /// Content templates, `HX` and 32 hexadecimal digits, and their texts, with `{{1}}` for variables.
    pub contents: BTreeMap<String, String>,
    /// The account's numbers that are WhatsApp senders as well.
    pub whatsapp: BTreeSet<String>,
    /// What Lookup says of numbers' lines; the others are mobile. A text to a landline is not delivered.
    pub line_types: BTreeMap<String, LineType>,
    /// Equal seeds give equal message sids.
    pub seed: u64,
    /// Public hosts, in lower case, that webhooks reach at another base URL. The signature and the
    /// `Host` header are those of the public URL.
    pub hosts: BTreeMap<String, String>,
    /// The base URL of the emulator's gateway, which is told which webhook a request is of; `None` when
    /// webhooks go to somebody else's server.
    pub gateway: Option<String>,
    /// How many of its latest messages the account keeps, and all since the oldest one that is under
    /// way; every message when `None`, as Twilio itself does.
    pub messages_kept: Option<usize>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            account_sid: "AC0000000000000000000000000000000a".into(),
            auth_token: "rehearse-twilio-auth-token-000000".into(),
            api_keys: BTreeMap::new(),
            number: "+15550100000".into(),
            config: NumberConfig::default(),
            other_numbers: Vec::new(),
            services: Vec::new(),
            contents: BTreeMap::new(),
            whatsapp: BTreeSet::new(),
            line_types: BTreeMap::new(),
            seed: 0,
            hosts: BTreeMap::new(),
            gateway: None,
            messages_kept: None,
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("account_sid", &self.account_sid)
            .field("number", &self.number)
            .field("config", &self.config)
            .field("other_numbers", &self.other_numbers)
            .field("services", &self.services)
            .field("seed", &self.seed)
            .field("hosts", &self.hosts)
            .field("gateway", &self.gateway)
            .field("messages_kept", &self.messages_kept)
            .finish_non_exhaustive()
    }
}

/// What Twilio does with messages to and from a number.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NumberConfig {
    /// Decides the texts about opt-out and the size of segments.
    pub kind: NumberKind,
    /// Called for each text. Its fragment holds connection overrides, such as `#rc=2&rp=ct,5xx`: two
    /// retries after connection failures and 5xx statuses. `None` calls nothing.
    pub webhook_url: Option<String>,
    /// The method of the webhook.
    pub webhook_method: Method,
    /// Called when the last attempt at the webhook failed.
    pub fallback_url: Option<String>,
    /// The method of the fallback.
    pub fallback_method: Method,
    /// Called at each status of a message that has no status callback of its own.
    pub status_callback: Option<String>,
    /// The Messaging Service (`MG...`) that the number belongs to.
    pub messaging_service_sid: Option<String>,
    /// Whether the service has Advanced Opt-Out, which adds `OptOutType` to webhooks.
    pub advanced_opt_out: bool,
}

/// A kind of US number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum NumberKind {
    /// A local ten-digit number.
    #[default]
    Local,
    /// A number such as +1 800. The network, not Twilio, handles its opt-outs.
    TollFree,
}

/// What kind of line a number has, as Lookup says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum LineType {
    /// A mobile phone.
    #[default]
    Mobile,
    /// A line in a house, which takes no texts.
    Landline,
    /// A number of a service such as this one, with a line in a house behind it.
    FixedVoip,
    /// A number of a service such as this one.
    NonFixedVoip,
    /// A number such as +1 800.
    TollFree,
}

impl LineType {
    /// The type as Lookup shows it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Mobile => "mobile",
            Self::Landline => "landline",
            Self::FixedVoip => "fixedVoip",
            Self::NonFixedVoip => "nonFixedVoip",
            Self::TollFree => "tollFree",
        }
    }
}

/// The HTTP method of a webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Method {
    /// The parameters are in the body.
    #[default]
    Post,
    /// The parameters are in the query.
    Get,
}

/// A URL of the backend and the method to call it with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Endpoint {
    pub url: String,
    pub method: Method,
}

impl Method {
    /// The method's name in a request.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Post => "POST",
            Self::Get => "GET",
        }
    }

    /// Reads `GET` or `POST` in any letter case; `None` for another method.
    pub fn parse(text: &str) -> Option<Self> {
        match text.to_ascii_uppercase().as_str() {
            "POST" => Some(Self::Post),
            "GET" => Some(Self::Get),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_account_sid_is_well_formed_and_debug_hides_the_token() {
        let options = Options::default();
        let digits = options.account_sid.strip_prefix("AC").unwrap();
        assert!(digits.len() == 32 && digits.bytes().all(|b| b.is_ascii_hexdigit()));
        assert!(!format!("{options:?}").contains(&options.auth_token));
    }
}
