//! What functions did.

use std::collections::BTreeMap;

use super::required;
use rehearse_core::journal::{Exchange, ExchangeDetail};

/// What was used, and how often.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Usage(BTreeMap<Permission, u64>);

/// An action that a function used.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Permission {
    /// Logical id.
    pub function: String,
    /// `dynamodb:PutItem`.
    pub action: String,
    /// The resource behind the account in an ARN: `table/Leads`.
    pub resource: String,
}

impl Usage {
    /// Adds what a journal tells.
    pub fn add(&mut self, journal: &[Exchange]) {
        for entry in journal {
            let (function, needed) = match &entry.detail {
                ExchangeDetail::Database {
                    function: Some(function),
                    operation,
                    tables,
                    request,
                    ..
                } => (function, required::dynamodb(operation, tables, request)),
                ExchangeDetail::Secret { function: Some(function), operation, name } => {
                    (function, vec![required::secret(operation, name)])
                }
                _ => continue,
            };
            for (action, resource) in needed {
                let used = Permission { function: function.clone(), action, resource };
                *self.0.entry(used).or_default() += 1;
            }
        }
    }

    /// How often it was used.
    pub fn count(&self, used: &Permission) -> u64 {
        self.0.get(used).copied().unwrap_or(0)
    }

    /// Everything that was used.
    pub fn iter(&self) -> impl Iterator<Item = &Permission> {
        self.0.keys()
    }

    /// Whether nothing was used at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
