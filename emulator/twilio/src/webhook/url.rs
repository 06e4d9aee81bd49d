//! A configured URL: what is called and signed, and the connection overrides in
//! its fragment, `#ct=2000&rt=5000&tt=9000&rc=2&rp=ct,5xx`.

use std::time::Duration;

use url::Url;

/// A failure that a retry policy may name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FailureClass {
    /// No connection, or it broke.
    Connect,
    /// No answer in time.
    Read,
    /// A 4xx answer.
    Client,
    /// A 5xx answer.
    Server,
    /// Nothing that a retry could mend.
    Fatal,
}

/// A URL with its overrides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct WebhookUrl {
    /// Verbatim without the fragment: what is signed.
    pub url: String,
    pub read: Duration,
    pub total: Duration,
    pub retries: u32,
    policy: Vec<FailureClass>,
    /// The policy was not valid (11243), the default stands.
    pub invalid_policy: bool,
}

impl WebhookUrl {
    /// `None` when it is not an HTTP URL.
    pub fn parse(configured: &str) -> Option<Self> {
        let (url, fragment) = configured.split_once('#').unwrap_or((configured, ""));
        let parsed = Url::parse(url).ok()?;
        if !matches!(parsed.scheme(), "http" | "https") || !parsed.has_host() {
            return None;
        }
        let mut target = Self {
            url: url.to_owned(),
            read: Duration::from_secs(15),
            total: Duration::from_secs(15),
            retries: 1,
            policy: vec![FailureClass::Connect],
            invalid_policy: false,
        };
        for (key, value) in form_urlencoded::parse(fragment.as_bytes()) {
            // A value out of its range leaves the default.
            let within = |low: u64, high: u64| {
                value.parse::<u64>().ok().filter(|n| (low..=high).contains(n))
            };
            let time = |low, high| within(low, high).map(Duration::from_millis);
            match key.as_ref() {
                "rt" => target.read = time(100, 15_000).unwrap_or(target.read),
                "tt" => target.total = time(100, 15_000).unwrap_or(target.total),
                "rc" => {
                    let count = within(0, 5).and_then(|n| u32::try_from(n).ok());
                    target.retries = count.unwrap_or(target.retries);
                }
                "rp" => match policy(&value) {
                    Some(policy) => target.policy = policy,
                    None => target.invalid_policy = true,
                },
                // `ct` is covered by `rt` here, `e` and `sni` have no meaning on loopback.
                _ => {}
            }
        }
        Some(target)
    }

    pub fn retries(&self, class: FailureClass) -> bool {
        self.policy.contains(&class)
    }
}

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
        let target = WebhookUrl::parse("https://Shop.test:443/a?b=c").unwrap();
        assert_eq!(target.url, "https://Shop.test:443/a?b=c");
        assert_eq!((target.retries, target.total), (1, Duration::from_secs(15)));
        assert!(target.retries(FailureClass::Connect));
        assert!(
            ![FailureClass::Read, FailureClass::Client, FailureClass::Server, FailureClass::Fatal]
                .iter()
                .any(|c| target.retries(*c))
        );
    }

    #[test]
    fn overrides_are_read_and_stripped() {
        let target =
            WebhookUrl::parse("http://a/b#rc=2&rp=ct,5xx&rt=200&tt=900&ct=100&e=ashburn").unwrap();
        assert_eq!((target.url.as_str(), target.retries), ("http://a/b", 2));
        assert_eq!((target.read.as_millis(), target.total.as_millis()), (200, 900));
        assert!(target.retries(FailureClass::Server) && !target.retries(FailureClass::Client));
        let all = WebhookUrl::parse("http://a/#rp=all").unwrap();
        assert!(
            [FailureClass::Connect, FailureClass::Read, FailureClass::Client, FailureClass::Server]
                .iter()
                .all(|c| all.retries(*c))
        );
    }

    #[test]
    fn bad_overrides_leave_the_defaults() {
        let target = WebhookUrl::parse("http://a/#rp=6xx&rc=9&rt=5&tt=x").unwrap();
        assert!(target.invalid_policy && target.retries(FailureClass::Connect));
        assert_eq!((target.retries, target.read.as_secs(), target.total.as_secs()), (1, 15, 15));
    }

    #[test]
    fn what_is_not_http_is_refused() {
        for url in ["", "dispatcher", "ftp://a/b", "http://", "mailto:a@b"] {
            assert_eq!(WebhookUrl::parse(url), None, "{url}");
        }
    }
}
