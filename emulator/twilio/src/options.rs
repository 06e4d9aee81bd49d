//! The account, its number, and how the number is configured.

use std::{collections::BTreeMap, fmt};

/// The account and its one number.
#[derive(Clone)]
pub struct Options {
    /// `AC` and 32 hexadecimal digits.
    pub account_sid: String,
    /// Signs webhooks and opens the REST API.
    pub auth_token: String,
    /// An API key (`SK...`) and its secret, accepted beside the token.
    pub api_key: Option<(String, String)>,
    /// The shop's number, E.164.
    pub number: String,
    /// How the number is configured at first.
    pub config: NumberConfig,
    /// Message sids derive from it.
    pub seed: u64,
    /// Public hosts that are on this machine, lower case, and the base URL of each.
    pub hosts: BTreeMap<String, String>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            account_sid: "AC0000000000000000000000000000000a".into(),
            auth_token: "rehearse-twilio-auth-token-000000".into(),
            api_key: None,
            number: "+15550100000".into(),
            config: NumberConfig::default(),
            seed: 0,
            hosts: BTreeMap::new(),
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("account_sid", &self.account_sid)
            .field("number", &self.number)
            .field("config", &self.config)
            .field("seed", &self.seed)
            .field("hosts", &self.hosts)
            .finish_non_exhaustive()
    }
}

/// What Twilio does with texts to and from the number.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NumberConfig {
    /// Decides opt-out wording and segment sizes.
    pub kind: NumberKind,
    /// Called for each text; its `#fragment` holds connection overrides, `#rc=2&rp=ct,5xx`.
    pub webhook_url: Option<String>,
    /// How it is called.
    pub webhook_method: Method,
    /// Called when the webhook failed for good.
    pub fallback_url: Option<String>,
    /// How it is called.
    pub fallback_method: Method,
    /// Where status callbacks go for messages that name no URL of their own.
    pub status_callback: Option<String>,
    /// The Messaging Service (`MG...`) that the number belongs to.
    pub messaging_service_sid: Option<String>,
    /// The service has Advanced Opt-Out: webhooks carry `OptOutType`.
    pub advanced_opt_out: bool,
}

/// Kinds of US numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum NumberKind {
    /// A local ten-digit number.
    #[default]
    Local,
    /// An 8xx number, whose opt-out the network handles.
    TollFree,
}

/// HTTP methods of webhooks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Method {
    /// Parameters in the body.
    #[default]
    Post,
    /// Parameters in the query.
    Get,
}

impl Method {
    /// As on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Post => "POST",
            Self::Get => "GET",
        }
    }

    /// Reads `GET` or `POST` in any case.
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
    fn the_default_account_has_a_real_sids_form_and_keeps_its_token() {
        let options = Options::default();
        let digits = options.account_sid.strip_prefix("AC").unwrap();
        assert!(digits.len() == 32 && digits.bytes().all(|b| b.is_ascii_hexdigit()));
        assert!(!format!("{options:?}").contains(&options.auth_token));
    }
}
