//! The permissions that functions used, as journals tell.

use std::collections::BTreeMap;

use super::required;
use rehearse_core::journal::{Exchange, ExchangeDetail};

/// The permissions that were used, and how often.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Usage(BTreeMap<Permission, u64>);

/// An action of a function on a resource.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Permission {
    /// Logical id.
    pub function: String,
    /// `dynamodb:PutItem`.
    pub action: String,
    /// The part of the resource's ARN after the account: `table/Leads`.
    pub resource: String,
}

impl Usage {
    /// Adds the exchanges of a journal.
    pub fn add(&mut self, journal: &[Exchange]) {
        for exchange in journal {
            let (function, needed) = match &exchange.detail {
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
                ExchangeDetail::Invoke { function: Some(function), target_name, .. } => {
                    (function, vec![required::invocation(target_name)])
                }
                _ => continue,
            };
            for (action, resource) in needed {
                let used = Permission { function: function.clone(), action, resource };
                *self.0.entry(used).or_default() += 1;
            }
        }
    }

    /// How often a permission was used.
    pub fn count(&self, used: &Permission) -> u64 {
        self.0.get(used).copied().unwrap_or(0)
    }

    /// Every permission that was used.
    pub fn iter(&self) -> impl Iterator<Item = &Permission> {
        self.0.keys()
    }

    /// Whether nothing was used at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
