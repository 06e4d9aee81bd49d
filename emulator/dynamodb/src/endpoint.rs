//! The URL of a DynamoDB-compatible engine.

use std::{
    fmt, io,
    net::{IpAddr, SocketAddr, ToSocketAddrs as _},
};

use url::{Host, Url};

/// Host and port of an engine, from a URL such as `http://127.0.0.1:8000`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    host: Host,
    port: u16,
}

/// Why a text is not an endpoint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// It is no URL.
    #[error("'{0}' is not a URL such as http://127.0.0.1:8000")]
    NotAUrl(String),
    /// Its protocol is not HTTP.
    #[error(
        "'{0}' must begin with http://: calls are not signed anew, so it is for emulators only"
    )]
    NotHttp(String),
    /// It has more than a host and a port.
    #[error("'{0}' must be a host and a port alone, such as http://127.0.0.1:8000")]
    TooMuch(String),
}

impl Endpoint {
    /// Parses a URL.
    ///
    /// # Errors
    /// When it is no URL, not HTTP, or has more than a host and a port.
    pub fn parse(text: &str) -> Result<Self, EndpointError> {
        let wrong = || EndpointError::NotAUrl(text.into());
        let url = Url::parse(text).map_err(|_| wrong())?;
        if url.scheme() != "http" {
            return Err(EndpointError::NotHttp(text.into()));
        }
        let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
        if !bare || !url.username().is_empty() || url.password().is_some() {
            return Err(EndpointError::TooMuch(text.into()));
        }
        let host = url.host().ok_or_else(wrong)?.to_owned();
        Ok(Self { host, port: url.port_or_known_default().ok_or_else(wrong)? })
    }

    /// Whether its host is a loopback address, `localhost` or a subdomain of it.
    pub fn is_loopback(&self) -> bool {
        match &self.host {
            Host::Ipv4(ip) => ip.is_loopback(),
            Host::Ipv6(ip) => ip.is_loopback(),
            Host::Domain(name) => name == "localhost" || name.ends_with(".localhost"),
        }
    }

    /// Host and port as in a `Host` header, which omits port 80.
    pub fn authority(&self) -> String {
        match self.port {
            80 => self.host.to_string(),
            port => format!("{}:{port}", self.host),
        }
    }

    /// Looks its address up. A loopback name resolves to loopback addresses only.
    ///
    /// # Errors
    /// When the lookup fails or finds no address.
    pub(super) fn resolve(&self) -> io::Result<SocketAddr> {
        let mut found: Vec<SocketAddr> = match &self.host {
            Host::Ipv4(ip) => vec![(IpAddr::V4(*ip), self.port).into()],
            Host::Ipv6(ip) => vec![(IpAddr::V6(*ip), self.port).into()],
            Host::Domain(name) => (name.as_str(), self.port).to_socket_addrs()?.collect(),
        };
        if self.is_loopback() {
            found.retain(|address| address.ip().is_loopback());
        }
        // Most local engines listen on IPv4 only.
        found.sort_by_key(SocketAddr::is_ipv6);
        found.first().copied().ok_or_else(|| io::Error::other("the name leads to no address"))
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}", self.authority())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_a_host_and_a_port() {
        let endpoint = Endpoint::parse("http://localhost:8000").unwrap();
        assert_eq!(
            (endpoint.to_string().as_str(), endpoint.is_loopback()),
            ("http://localhost:8000", true)
        );
        assert!(endpoint.resolve().unwrap().ip().is_loopback());
        assert_eq!(Endpoint::parse("http://db").unwrap().authority(), "db");
        for loopback in
            ["http://127.0.0.1:1", "http://127.9.9.9", "http://[::1]:8000", "http://db.localhost/"]
        {
            assert!(Endpoint::parse(loopback).unwrap().is_loopback(), "{loopback}");
        }
        for elsewhere in [
            "http://example.com",
            "http://10.0.0.1:8000",
            "http://localhost.example.com",
            "http://[2001:db8::1]",
        ] {
            assert!(!Endpoint::parse(elsewhere).unwrap().is_loopback(), "{elsewhere}");
        }
    }

    #[test]
    fn other_texts_are_refused() {
        for (text, part) in [
            ("localhost:8000", "must begin with http://"),
            ("https://dynamodb.us-east-1.amazonaws.com", "must begin with http://"),
            ("8000", "is not a URL"),
            ("http://", "is not a URL"),
            ("http://127.0.0.1:8000/shell", "a host and a port alone"),
            ("http://me:secret@127.0.0.1", "a host and a port alone"),
        ] {
            let error = Endpoint::parse(text).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
    }
}
