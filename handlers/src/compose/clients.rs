//! The HTTP clients that the adapters use, and the timer of their deadlines.

use std::{fmt, sync::Arc};

use aws_sdk_dynamodb::config::SharedHttpClient;
use aws_smithy_http_client::{
    Builder,
    tls::{Provider, rustls_provider::CryptoMode},
};
use rustls::{ClientConfig, RootCertStore, crypto::ring};

use crate::{adapters::system::SystemTimer, ports::Timer};

/// HTTP clients to be shared: building one takes milliseconds, cloning one is free.
#[derive(Clone)]
pub struct Clients {
    /// For DynamoDB's SDK.
    pub dynamodb: SharedHttpClient,
    /// For OpenAI and Twilio.
    pub web: reqwest::Client,
    /// Of leases, deadlines and delays.
    pub timer: Arc<dyn Timer>,
}

/// The clients could not be built.
#[derive(Debug, thiserror::Error)]
pub enum ClientsError {
    /// TLS could not be set up.
    #[error("TLS cannot be set up")]
    Tls(#[from] rustls::Error),
    /// The client could not be built.
    #[error("the HTTP client cannot be built")]
    Web(#[from] reqwest::Error),
}

impl Clients {
    /// Clients for providers on this machine: HTTP only, no certificates, no proxies.
    ///
    /// # Errors
    /// [`ClientsError::Tls`] or [`ClientsError::Web`] when they cannot be built.
    pub fn plain() -> Result<Self, ClientsError> {
        let dynamodb = Builder::new().build_http();
        // An empty root store costs nothing, and makes every HTTPS connection fail.
        let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(RootCertStore::empty())
            .with_no_client_auth();
        let web = web().tls_backend_preconfigured(tls).no_proxy().build()?;
        Ok(Self { dynamodb, web, timer: Arc::new(SystemTimer) })
    }

    /// Clients for the real providers. The process's rustls provider must be installed before.
    ///
    /// # Errors
    /// [`ClientsError::Web`] when they cannot be built.
    pub fn https() -> Result<Self, ClientsError> {
        let dynamodb =
            Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
        Ok(Self { dynamodb, web: web().build()?, timer: Arc::new(SystemTimer) })
    }

    /// The same clients with another timer.
    #[must_use]
    pub fn with_timer(self, timer: Arc<dyn Timer>) -> Self {
        Self { timer, ..self }
    }
}

impl fmt::Debug for Clients {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Clients").finish_non_exhaustive()
    }
}

/// Redirects are not followed: an API that redirects is not the one that was configured.
fn web() -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .tcp_nodelay(true)
        .connect_timeout(std::time::Duration::from_secs(3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_clients_need_no_provider_of_the_process() {
        assert!(Clients::plain().is_ok());
    }
}
