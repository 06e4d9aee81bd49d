//! A configured URL and the connection overrides in its fragment,
//! `#ct=2000&rt=5000&tt=9000&rc=2&rp=ct,5xx`.

use std::time::Duration;

use url::Url;

/// A class of failures. A retry policy names those after which a call is repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FailureClass {
    /// There was no connection, or it broke (`ct`).
    Connect,
    /// There was no response in time (`rt`).
    Read,
    /// The response had a 4xx status.
    Client,
    /// The response had a 5xx status.
    Server,
    /// Every other failure, which is never retried.
    Fatal,
}

/// A URL to call, with how long and how often to try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct WebhookUrl {
    /// Without the fragment, otherwise as configured: this text is signed.
    pub url: String,
    /// Longest time for one attempt.
    pub read: Duration,
    /// Longest time for all attempts.
    pub total: Duration,
    /// Most attempts after the first.
    pub retries: u32,
    policy: Vec<FailureClass>,
    /// Whether the retry policy was not valid, so that the default applies.
    pub invalid_policy: bool,
}

impl WebhookUrl {
    /// Reads a configured URL; `None` when it is not an HTTP URL with a host. An override that is out
    /// of its range or unknown leaves the default.
    pub fn parse(configured: &str) -> Option<Self> {
        let (url, fragment) = configured.split_once('#').unwrap_or((configured, ""));
        let parsed = Url::parse(url).ok()?;
        if !matches!(parsed.scheme(), "http" | "https") || !parsed.has_host() {
            return None;
        }
        let mut webhook = Self {
            url: url.to_owned(),
            read: Duration::from_secs(15),
            total: Duration::from_secs(15),
            retries: 1,
            policy: vec![FailureClass::Connect],
            invalid_policy: false,
        };
        for (key, value) in form_urlencoded::parse(fragment.as_bytes()) {
            let within = |low: u64, high: u64| {
                value.parse::<u64>().ok().filter(|n| (low..=high).contains(n))
            };
            let time = |low, high| within(low, high).map(Duration::from_millis);
            match key.as_ref() {
                "rt" => webhook.read = time(100, 15_000).unwrap_or(webhook.read),
                "tt" => webhook.total = time(100, 15_000).unwrap_or(webhook.total),
                "rc" => {
                    let count = within(0, 5).and_then(|n| u32::try_from(n).ok());
                    webhook.retries = count.unwrap_or(webhook.retries);
                }
                "rp" => match policy(&value) {
                    Some(policy) => webhook.policy = policy,
                    None => webhook.invalid_policy = true,
                },
                // `rt` covers `ct` here; `e` and `sni` have no meaning on the loopback interface.
                _ => {}
            }
        }
        Some(webhook)
    }

    /// Whether the policy repeats a call after such a failure.
    pub fn retries_after(&self, class: FailureClass) -> bool {
        self.policy.contains(&class)
    }
}

/// The classes that a retry policy names; `None` when it has an unknown name.
fn policy(text: &str) -> Option<Vec<FailureClass>> {
    let mut policy = Vec::new();
    for name in text.split(',') {
        match name {
            "ct" => policy.push(FailureClass::Connect),
            "rt" => policy.push(FailureClass::Read),
            "4xx" => policy.push(FailureClass::Client),
            "5xx" => policy.push(FailureClass::Server),
            "all" => {
                policy.extend([
                    FailureClass::Connect,
                    FailureClass::Read,
                    FailureClass::Client,
                    FailureClass::Server,
                ]);
            }
            _ => return None,
        }
    }
    Some(policy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_fragment_only_connections_are_retried_once() {
        let url = WebhookUrl::parse("https://Shop.test:443/a?b=c").unwrap();
        assert_eq!(url.url, "https://Shop.test:443/a?b=c");
        assert_eq!((url.retries, url.total), (1, Duration::from_secs(15)));
        assert!(url.retries_after(FailureClass::Connect));
        assert!(
            ![FailureClass::Read, FailureClass::Client, FailureClass::Server, FailureClass::Fatal]
                .iter()
                .any(|c| url.retries_after(*c))
        );
    }

    #[test]
    fn overrides_are_read_and_stripped() {
        let url =
            WebhookUrl::parse("http://a/b#rc=2&rp=ct,5xx&rt=200&tt=900&ct=100&e=ashburn").unwrap();
        assert_eq!((url.url.as_str(), url.retries), ("http://a/b", 2));
        assert_eq!((url.read.as_millis(), url.total.as_millis()), (200, 900));
        assert!(
            url.retries_after(FailureClass::Server) && !url.retries_after(FailureClass::Client)
        );
        let all = WebhookUrl::parse("http://a/#rp=all").unwrap();
        assert!(
            [FailureClass::Connect, FailureClass::Read, FailureClass::Client, FailureClass::Server]
                .iter()
                .all(|c| all.retries_after(*c))
        );
    }

    #[test]
    fn bad_overrides_leave_the_defaults() {
        let url = WebhookUrl::parse("http://a/#rp=6xx&rc=9&rt=5&tt=x").unwrap();
        assert!(url.invalid_policy && url.retries_after(FailureClass::Connect));
        assert_eq!((url.retries, url.read.as_secs(), url.total.as_secs()), (1, 15, 15));
    }

    #[test]
    fn what_is_not_http_is_refused() {
        for url in ["", "dispatcher", "ftp://a/b", "http://", "mailto:a@b"] {
            assert_eq!(WebhookUrl::parse(url), None, "{url}");
        }
    }
}
