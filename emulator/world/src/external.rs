//! A backend that somebody else started, of which only the webhook's URL is known.

use std::{fmt, str::FromStr};

use url::{Host, Url};

/// The webhook of a backend on this machine, in any language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExternalBackend(Url);

/// Why a text is not the webhook of a backend on this machine.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExternalBackendError {
    /// It is no URL.
    #[error("'{0}' is not a URL such as http://127.0.0.1:3000/sms")]
    Malformed(String),
    /// It is one but for its beginning.
    #[error("'{0}' lacks its scheme; did you mean http://{0}?")]
    NoScheme(String),
    /// It is not plain HTTP.
    #[error("{0}: a webhook is called by plain HTTP here, so its URL begins with http://")]
    NotHttp(Url),
    /// It would leave this machine.
    #[error(
        "{0} is not on this machine, and nothing here talks to any other: \
         give 127.0.0.1, localhost or [::1]"
    )]
    Elsewhere(Url),
    /// It holds a secret, which would be in every journal.
    #[error("a webhook's URL holds no user name or password here")]
    Secret,
}

impl ExternalBackend {
    /// What is called and signed; a fragment holds Twilio's connection overrides.
    pub fn url(&self) -> &Url {
        &self.0
    }

    /// Where other routes of the backend are, `http://127.0.0.1:3000`.
    pub fn origin(&self) -> String {
        self.0.origin().ascii_serialization()
    }

    /// Its host and port, for connecting.
    pub fn address(&self) -> (String, u16) {
        let host = match self.0.host() {
            Some(Host::Ipv6(host)) => host.to_string(),
            Some(host) => host.to_string(),
            None => String::new(),
        };
        (host, self.0.port_or_known_default().unwrap_or(80))
    }
}

impl FromStr for ExternalBackend {
    type Err = ExternalBackendError;

    fn from_str(text: &str) -> Result<Self, ExternalBackendError> {
        let malformed = || ExternalBackendError::Malformed(text.to_owned());
        // `localhost:3000` alone would be read as the scheme "localhost".
        if !text.contains("://") {
            let whole = Url::parse(&format!("http://{text}"));
            return Err(match whole {
                Ok(url) if url.port().is_some() => ExternalBackendError::NoScheme(text.into()),
                _ => malformed(),
            });
        }
        let url = Url::parse(text).map_err(|_| malformed())?;
        if url.scheme() != "http" {
            return Err(ExternalBackendError::NotHttp(url));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(ExternalBackendError::Secret);
        }
        let local = match url.host() {
            Some(Host::Ipv4(host)) => host.is_loopback(),
            Some(Host::Ipv6(host)) => host.is_loopback(),
            Some(Host::Domain(name)) => name == "localhost",
            None => return Err(malformed()),
        };
        if local { Ok(Self(url)) } else { Err(ExternalBackendError::Elsewhere(url)) }
    }
}

impl fmt::Display for ExternalBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<ExternalBackend, ExternalBackendError> {
        text.parse()
    }

    #[test]
    fn path_and_query_are_kept_and_a_missing_path_is_the_root() {
        let external = parse("http://127.0.0.1:3000/a/b?c=d%20e").unwrap();
        assert_eq!(external.to_string(), "http://127.0.0.1:3000/a/b?c=d%20e");
        assert_eq!(external.origin(), "http://127.0.0.1:3000");
        assert_eq!(external.address(), ("127.0.0.1".into(), 3000));
        assert_eq!(parse("http://localhost:3000").unwrap().to_string(), "http://localhost:3000/");
        assert_eq!(parse("http://[::1]:3000/").unwrap().address(), ("::1".into(), 3000));
    }

    #[test]
    fn whatever_is_not_plain_http_on_this_machine_is_refused() {
        for elsewhere in
            ["http://example.com/", "http://10.0.0.1/", "http://0.0.0.0:1/", "http://localhost.a/"]
        {
            let error = parse(elsewhere).unwrap_err();
            assert!(matches!(error, ExternalBackendError::Elsewhere(_)), "{error}");
        }
        assert!(matches!(parse("https://127.0.0.1/"), Err(ExternalBackendError::NotHttp(_))));
        assert_eq!(parse("http://me:word@127.0.0.1/"), Err(ExternalBackendError::Secret));
        let error = parse("localhost:3000/sms").unwrap_err().to_string();
        assert!(error.contains("did you mean http://localhost:3000/sms?"), "{error}");
        for wrong in ["", "sms", "http://", "lamda"] {
            assert!(matches!(parse(wrong), Err(ExternalBackendError::Malformed(_))), "{wrong}");
        }
    }
}
