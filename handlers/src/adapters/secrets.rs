//! Secrets: those given in the environment and those in a store of AWS.
//!
//! Stores are read through the AWS Parameters and Secrets Lambda Extension, which is HTTP on
//! localhost and needs no SDK. The extension answers only during invocations, not while a function
//! initialises, so a secret is fetched when the first request needs it. If that fails, the request
//! gets an error and the next one tries again. A secret that could not be fetched never lets
//! anybody in.

mod extension;
#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use tokio::sync::Mutex;

use self::extension::{Extension, FetchError};
pub use self::extension::{Settings, StoreKind};
use crate::{
    domain::secret::Secret,
    ports::{Credential, CredentialError, Timer},
};

/// How long [`Credential::refresh`] does not ask the store again: forged requests must not overload
/// it.
const REFRESH_INTERVAL_MS: u64 = 60_000;
/// Delays before the retries of a failed fetch.
const RETRY_DELAYS: [Duration; 3] =
    [Duration::from_millis(50), Duration::from_millis(150), Duration::from_millis(400)];

/// A secret with a fixed value, such as one from the environment.
#[derive(Debug, Clone)]
pub struct StaticCredential(Secret);

impl StaticCredential {
    /// A credential with this value.
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

/// A secret that is fetched from a store when it is first needed, and cached.
pub struct StoredCredential {
    variable: &'static str,
    extension: Extension,
    timer: Arc<dyn Timer>,
    cached: Mutex<CachedSecret>,
}

#[derive(Default)]
struct CachedSecret {
    secret: Option<Secret>,
    /// When the store was last asked for a newer value, in milliseconds since the Unix epoch.
    refreshed_ms: Option<i64>,
}

impl StoredCredential {
    /// Builds a credential over a shared HTTP client; sends nothing.
    pub fn new(http: reqwest::Client, settings: &Settings<'_>, timer: Arc<dyn Timer>) -> Self {
        let extension = Extension::new(http, settings);
        Self { variable: settings.variable, extension, timer, cached: Mutex::default() }
    }

    async fn fetch(&self) -> Result<Secret, CredentialError> {
        let mut delays = RETRY_DELAYS.iter();
        loop {
            let error = match self.extension.fetch().await {
                Ok(secret) => return Ok(secret),
                Err(error) => error,
            };
            match delays.next() {
                Some(delay) if error.is_retryable() => self.timer.sleep(*delay).await,
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
        // Another request has fetched the newer value already.
        if let Some(secret) = cached.secret.as_ref().filter(|secret| *secret != stale) {
            return Some(secret.clone());
        }
        let now = self.timer.unix_ms();
        if cached.refreshed_ms.is_some_and(|asked| now.abs_diff(asked) < REFRESH_INTERVAL_MS) {
            return None;
        }
        // Set before the request, so that one whose caller is dropped counts too.
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
