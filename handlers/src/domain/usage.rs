//! How often something was done lately, for limits on it.

use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};

/// At most `most` uses within any span of `within`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UsageLimit {
    /// Uses.
    pub most: usize,
    /// In business time.
    pub within: SignedDuration,
}

/// How much one address may book by the form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FormLimits {
    /// Bookings within an hour.
    pub per_hour: usize,
    /// Bookings within a day.
    pub per_day: usize,
}

impl Default for FormLimits {
    fn default() -> Self {
        Self { per_hour: 5, per_day: 20 }
    }
}

impl FormLimits {
    /// The same as limits on uses.
    pub fn usage(self) -> [UsageLimit; 2] {
        [
            UsageLimit { most: self.per_hour, within: SignedDuration::from_hours(1) },
            UsageLimit { most: self.per_day, within: SignedDuration::from_hours(24) },
        ]
    }
}

/// One use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Use {
    /// Tells it from others, so that a repeat of its write counts once.
    pub id: String,
    /// Business time, in milliseconds since the Unix epoch.
    pub at_ms: i64,
}

/// The uses that still count, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Usage {
    /// Counts the writes; 0 before the first.
    pub version: u64,
    /// The uses.
    pub uses: Vec<Use>,
}

impl Usage {
    /// Whether this use is counted already.
    pub fn contains(&self, id: &str) -> bool {
        self.uses.iter().any(|one| one.id == id)
    }

    /// With one use more, and without those that count for no limit any longer; `None` when a limit
    /// allows no more.
    #[must_use]
    pub fn with(&self, id: &str, limits: &[UsageLimit], now: Timestamp) -> Option<Self> {
        let since = |within: SignedDuration| (now - within).as_millisecond();
        let is_reached = |limit: &UsageLimit| {
            let recent = self.uses.iter().filter(|one| one.at_ms > since(limit.within));
            recent.count() >= limit.most
        };
        if limits.iter().any(is_reached) {
            return None;
        }
        let longest = limits.iter().map(|limit| limit.within).max().unwrap_or_default();
        let kept = self.uses.iter().filter(|one| one.at_ms > since(longest)).cloned();
        let new = Use { id: id.to_owned(), at_ms: now.as_millisecond() };
        Some(Self { version: self.version + 1, uses: kept.chain([new]).collect() })
    }

    /// Without this use.
    #[must_use]
    pub fn without(&self, id: &str) -> Self {
        let uses = self.uses.iter().filter(|one| one.id != id).cloned().collect();
        Self { version: self.version + 1, uses }
    }
}

/// What stands for everybody behind an address: itself, or the /64 of an IPv6 address, all of which
/// one household has. What is no address stands for itself.
pub fn address_group(address: &str) -> String {
    match address.parse::<IpAddr>().map(|address| address.to_canonical()) {
        Ok(IpAddr::V6(address)) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
        Ok(IpAddr::V4(address)) => address.to_string(),
        Err(_) => address.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: [UsageLimit; 2] = [
        UsageLimit { most: 2, within: SignedDuration::from_hours(1) },
        UsageLimit { most: 3, within: SignedDuration::from_hours(24) },
    ];

    fn minute(minute: i64) -> Timestamp {
        Timestamp::from_second(1_770_754_200 + minute * 60).unwrap()
    }

    #[test]
    fn each_limit_holds_in_every_span_of_its_time() {
        let mut usage = Usage::default();
        for (at, allowed) in [
            (0, true),
            (50, true),
            (59, false),
            (60, true),
            (61, false),
            (120, false),
            (1439, false),
            (1440, true),
        ] {
            let next = usage.with(&at.to_string(), &LIMITS, minute(at));
            assert_eq!(next.is_some(), allowed, "minute {at}");
            usage = next.unwrap_or(usage);
        }
        assert_eq!(usage.uses.len(), 3, "what no longer counts is forgotten");
        assert!(usage.contains("1440") && !usage.without("1440").contains("1440"));
    }

    #[test]
    fn a_household_has_one_address() {
        assert_eq!(address_group("2001:db8:1:2::5"), address_group("2001:db8:1:2:ffff::1"));
        assert_ne!(address_group("2001:db8:1:2::5"), address_group("2001:db8:1:3::5"));
        assert_eq!(address_group("::ffff:192.0.2.1"), "192.0.2.1");
        assert_eq!(address_group(""), "");
    }
}
