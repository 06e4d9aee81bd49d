//! A number of the account: its configuration, and what the API keeps of it besides.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

use super::NumberConfig;

/// One number of the account.
#[derive(Debug, Clone)]
pub(crate) struct Number {
    /// In E.164 format.
    pub phone: String,
    /// `PN` and 32 hexadecimal digits.
    pub sid: String,
    pub friendly_name: String,
    pub config: NumberConfig,
    /// What the API was told of voice calls and addresses, by the key that shows it. It is given back
    /// and has no other effect.
    pub kept: BTreeMap<&'static str, Value>,
    pub created: Timestamp,
    pub updated: Timestamp,
}

impl Number {
    /// A number with its own sid among the numbers of a world with this seed.
    pub fn new(
        phone: &str,
        config: NumberConfig,
        seed: u64,
        index: usize,
        created: Timestamp,
    ) -> Self {
        Self {
            phone: phone.to_owned(),
            sid: format!("PN{index:016x}{seed:016x}"),
            friendly_name: phone.to_owned(),
            config,
            kept: BTreeMap::new(),
            created,
            updated: created,
        }
    }
}
