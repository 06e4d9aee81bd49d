//! Fetching a message's file from the backend, as Twilio does before it sends the message.

use std::{collections::BTreeMap, time::Duration};

use bytes::Bytes;
use http::{StatusCode, header};
use tokio::time::timeout;
use url::{Host, Url};

use crate::webhook::is_of;
use rehearse_core::journal::{CAUSE_HEADER, current_cause};

/// How long one file may take.
const LIMIT: Duration = Duration::from_secs(15);
/// Most redirects that are followed.
const MAX_REDIRECTS: usize = 10;

/// The HTTP status is an error.
const BAD_STATUS: u32 = 11200;
/// There was no response in time, or none at all.
const NO_RESPONSE: u32 = 11205;
const TOO_MANY_REDIRECTS: u32 = 11215;
/// A redirect without a usable `Location`, or one that leads away from this machine.
const BAD_REDIRECT: u32 = 11216;
const TOO_LARGE: u32 = 11751;
const BAD_TYPE: u32 = 12300;

/// A file and its type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fetched {
    pub content_type: String,
    pub bytes: Bytes,
}

/// Whether a URL leads to this machine, so that it is fetched: a loopback address, or one of the hosts whose
/// traffic stays here.
pub(crate) fn is_here(url: &str, hosts: &BTreeMap<String, String>) -> bool {
    let Ok(url) = Url::parse(url) else { return false };
    let local = match url.host() {
        Some(Host::Ipv4(host)) => host.is_loopback(),
        Some(Host::Ipv6(host)) => host.is_loopback(),
        Some(Host::Domain(name)) => {
            hosts.contains_key(name) || name == "localhost" || name.ends_with(".localhost")
        }
        None => false,
    };
    local && matches!(url.scheme(), "http" | "https")
}

/// What files are fetched with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fetcher<'a> {
    pub web: &'a reqwest::Client,
    /// Public hosts that are on this machine, and the base URL of each.
    pub hosts: &'a BTreeMap<String, String>,
    /// The base URL of the emulator's gateway, which is told the cause of a request.
    pub gateway: Option<&'a str>,
}

impl Fetcher<'_> {
    /// Fetches a file of at most `most` bytes. A user name and a password in the URL are sent by Basic
    /// authentication, and redirects are followed while they stay on this machine.
    ///
    /// # Errors
    /// Twilio's code of why there is none.
    pub async fn fetch(self, url: &str, most: usize) -> Result<Fetched, u32> {
        timeout(LIMIT, self.follow(url, most)).await.unwrap_or(Err(NO_RESPONSE))
    }

    async fn follow(self, url: &str, most: usize) -> Result<Fetched, u32> {
        let mut url = url.to_owned();
        for _ in 0..=MAX_REDIRECTS {
            let response = self.get(&url).await?;
            if response.status().is_redirection() && response.status() != StatusCode::NOT_MODIFIED {
                let location = response.headers().get(header::LOCATION);
                let location = location.and_then(|to| to.to_str().ok());
                let next = location.and_then(|to| Url::parse(&url).ok()?.join(to).ok());
                let next = next.map(String::from).filter(|next| is_here(next, self.hosts));
                url = next.ok_or(BAD_REDIRECT)?;
                continue;
            }
            return read(response, most).await;
        }
        Err(TOO_MANY_REDIRECTS)
    }

    async fn get(self, url: &str) -> Result<reqwest::Response, u32> {
        let mut parsed = Url::parse(url).map_err(|_| BAD_REDIRECT)?;
        let (user, word) = (decoded(parsed.username()), parsed.password().map(decoded));
        // A parsed HTTP URL takes both.
        let _ = parsed.set_username("");
        let _ = parsed.set_password(None);
        parsed.set_fragment(None);
        let public =
            parsed.host_str().and_then(|host| Some((host.to_owned(), self.hosts.get(host)?)));
        let (url, host) = match public {
            Some((host, base)) => {
                (format!("{base}{}", &parsed[url::Position::BeforePath..]), Some(host))
            }
            None => (parsed.to_string(), None),
        };
        let is_gateway = self.gateway.is_some_and(|gateway| is_of(gateway, &url));
        let mut request = self.web.get(url);
        if let Some(cause) = current_cause().filter(|_| is_gateway) {
            request = request.header(CAUSE_HEADER, cause.to_string());
        }
        if let Some(host) = host {
            request = request.header(header::HOST, host);
            // What ends TLS in front of a backend says so; without it a backend may redirect to TLS.
            if parsed.scheme() == "https" {
                request = request.header("X-Forwarded-Proto", "https");
            }
        }
        request =
            request.header(header::USER_AGENT, "TwilioProxy/1.1").header(header::ACCEPT, "*/*");
        if !user.is_empty() || word.is_some() {
            request = request.basic_auth(user, word);
        }
        request.send().await.map_err(|_| NO_RESPONSE)
    }
}

fn decoded(part: &str) -> String {
    percent_encoding::percent_decode_str(part).decode_utf8_lossy().into_owned()
}

async fn read(mut response: reqwest::Response, most: usize) -> Result<Fetched, u32> {
    if !response.status().is_success() {
        return Err(BAD_STATUS);
    }
    let content_type = response.headers().get(header::CONTENT_TYPE);
    let content_type = content_type.and_then(|of| of.to_str().ok()).unwrap_or_default();
    let content_type =
        content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if !is_accepted(&content_type) {
        return Err(BAD_TYPE);
    }
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|_| NO_RESPONSE)? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > most {
            return Err(TOO_LARGE);
        }
    }
    Ok(Fetched { content_type, bytes: bytes.into() })
}

/// Source: <https://www.twilio.com/docs/messaging/guides/accepted-mime-types>.
fn is_accepted(content_type: &str) -> bool {
    match content_type.split_once('/') {
        Some(("image" | "audio" | "video", kind)) => kind != "svg+xml",
        Some(("text", kind)) => matches!(
            kind,
            "vcard" | "x-vcard" | "csv" | "rtf" | "richtext" | "calendar" | "directory"
        ),
        Some(("application", kind)) => matches!(kind, "pdf" | "vcard" | "vnd.apple.pkpass"),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_here() {
        let hosts = BTreeMap::from([("shop.test".to_owned(), "http://127.0.0.1:1".to_owned())]);
        for here in [
            "http://127.0.0.1:4/a.png",
            "http://u:p@localhost/a",
            "http://[::1]/a",
            "https://shop.test/a",
            "http://a.localhost:3/b",
        ] {
            assert!(is_here(here, &hosts), "{here}");
        }
        for elsewhere in [
            "https://example.com/a",
            "http://10.0.0.1/a",
            "ftp://127.0.0.1/a",
            "a.png",
            "http://localhost.com/a",
        ] {
            assert!(!is_here(elsewhere, &hosts), "{elsewhere}");
        }
    }

    #[test]
    fn pages_and_data_are_no_media() {
        for good in ["image/jpeg", "video/3gpp", "text/vcard", "application/pdf", "audio/amr"] {
            assert!(is_accepted(good), "{good}");
        }
        for bad in ["", "text/html", "application/json", "application/octet-stream", "text/plain"] {
            assert!(!is_accepted(bad), "{bad}");
        }
    }
}
