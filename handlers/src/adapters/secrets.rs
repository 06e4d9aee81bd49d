//! Secrets: those that are known, and those that a store of AWS keeps.
//!
//! The store is asked through the AWS Parameters and Secrets Lambda Extension,
//! which is HTTP on localhost and needs no SDK. It serves invocations only, not
//! the initialisation of a function, so a secret is fetched when the first
//! request needs it. A failure then answers that request with an error and is
//! mended by the next one: nobody is let in because a secret was not to be had.

mod extension;
#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use tokio::sync::Mutex;

use self::extension::{Extension, FetchError};
pub use self::extension::{Settings, Store};
use crate::{
    domain::secret::Secret,
    ports::{Credential, CredentialError, Timer},
};

/// How long a secret that did not fit is not asked for again: whoever sends forged requests must
/// not make the store busy.
const REFRESH_INTERVAL_MS: u64 = 60_000;
/// What was tried and failed is tried again after these waits.
const RETRY_DELAYS: [Duration; 3] =
    [Duration::from_millis(50), Duration::from_millis(150), Duration::from_millis(400)];

/// A secret whose value stands in the environment.
#[derive(Debug, Clone)]
pub struct StaticCredential(Secret);

impl StaticCredential {
    /// A secret of this value.
    pub fn new(value: impl Into<String>) -> Self {
        Self(Secret::new(value))
    }
}

#[async_trait]
impl Credential for StaticCredential {
    async fn current(&self) -> Result<Secret, CredentialError> {
        Ok(self.0.clone())
    }

    async fn refresh(&self, _: &Secret) -> Option<Secret> {
        None
    }
}

/// A secret that is fetched from a store.
pub struct StoredCredential {
    variable: &'static str,
    extension: Extension,
    timer: Arc<dyn Timer>,
    cached: Mutex<CachedSecret>,
}

#[derive(Default)]
struct CachedSecret {
    secret: Option<Secret>,
    /// When it was last asked for because it did not fit.
    refreshed_ms: Option<i64>,
}

impl StoredCredential {
    /// Composes a secret over a shared HTTP client; sends nothing.
    pub fn new(http: reqwest::Client, settings: &Settings<'_>, timer: Arc<dyn Timer>) -> Self {
        let extension = Extension::new(http, settings);
        Self { variable: settings.variable, extension, timer, cached: Mutex::default() }
    }

    async fn fetch(&self) -> Result<Secret, CredentialError> {
        let mut waits = RETRY_DELAYS.iter();
        loop {
            let error = match self.extension.fetch().await {
                Ok(secret) => return Ok(secret),
                Err(error) => error,
            };
            match waits.next() {
                Some(wait) if error.is_retryable() => self.timer.sleep(*wait).await,
                _ => return Err(self.error(error)),
            }
        }
    }

    fn error(&self, error: FetchError) -> CredentialError {
        CredentialError { variable: self.variable, source: Box::new(error) }
    }
}

#[async_trait]
impl Credential for StoredCredential {
    async fn current(&self) -> Result<Secret, CredentialError> {
        let mut cached = self.cached.lock().await;
        if let Some(secret) = &cached.secret {
            return Ok(secret.clone());
        }
        let secret = self.fetch().await?;
        cached.secret = Some(secret.clone());
        Ok(secret)
    }

    async fn refresh(&self, stale: &Secret) -> Option<Secret> {
        let mut cached = self.cached.lock().await;
        // Another request found it out before.
        if let Some(secret) = cached.secret.as_ref().filter(|secret| *secret != stale) {
            return Some(secret.clone());
        }
        let now = self.timer.unix_ms();
        if cached.refreshed_ms.is_some_and(|asked| now.abs_diff(asked) < REFRESH_INTERVAL_MS) {
            return None;
        }
        // Before the question, so that one whose asker went away counts too.
        cached.refreshed_ms = Some(now);
        match self.fetch().await {
            Ok(secret) if secret == *stale => None,
            Ok(secret) => {
                tracing::info!(variable = self.variable, "a secret was rotated");
                cached.secret = Some(secret.clone());
                Some(secret)
            }
            Err(error) => {
                let cause = error.source.to_string();
                tracing::error!(variable = self.variable, cause, "a secret is cached as it was");
                None
            }
        }
    }
}
