//! Counts what strangers do, by the address that they do it from or the number that they name.

use jiff::Timestamp;

use crate::{
    domain::{
        digest::sha256_hex,
        usage::{UsageLimit, address_group},
    },
    ports::{Store, StoreError},
};

/// Attempts at a count that others come before. Each of those made the limit come nearer.
const ATTEMPTS: usize = 24;

/// Limits on one kind of thing, for one address, for one number or for all together.
#[derive(Clone, Copy)]
pub struct RateLimit<'a> {
    /// The database.
    pub store: &'a dyn Store,
    /// The kind of thing.
    pub what: &'a str,
    /// All of them hold.
    pub limits: &'a [UsageLimit],
    /// The address or number; empty for all together.
    pub who: &'a str,
}

impl RateLimit<'_> {
    /// Counts a use; false when a limit allows no more, and then nothing is counted. The same `id`
    /// counts once, also when the acknowledgement of its write is lost.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn take(&self, id: &str, now: Timestamp) -> Result<bool, StoreError> {
        let subject = self.subject();
        for _ in 0..ATTEMPTS {
            let usage = self.store.usage(&subject).await?;
            if usage.contains(id) {
                return Ok(true);
            }
            let Some(next) = usage.with(id, self.limits, now) else { return Ok(false) };
            if self.store.put_usage(&subject, &next, now).await? {
                return Ok(true);
            }
        }
        // So much at once is what the limit is for.
        Ok(false)
    }

    /// Whether a use would be allowed now. Nothing is counted.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn allows(&self, id: &str, now: Timestamp) -> Result<bool, StoreError> {
        let usage = self.store.usage(&self.subject()).await?;
        Ok(usage.contains(id) || usage.with(id, self.limits, now).is_some())
    }

    /// Takes a use back that led to nothing.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn give_back(&self, id: &str, now: Timestamp) -> Result<(), StoreError> {
        let subject = self.subject();
        for _ in 0..ATTEMPTS {
            let usage = self.store.usage(&subject).await?;
            if !usage.contains(id)
                || self.store.put_usage(&subject, &usage.without(id), now).await?
            {
                break;
            }
        }
        Ok(())
    }

    /// The row's name, without the address or number itself.
    fn subject(&self) -> String {
        sha256_hex(&[self.what, &address_group(self.who)])
    }
}
