//! The backend's cookies for one person, kept for four hours of business time after the last change.

use jiff::{SignedDuration, Timestamp};

const LIFETIME: SignedDuration = SignedDuration::from_hours(4);

#[derive(Debug, Clone)]
pub(super) struct CookieJar {
    cookies: Vec<(String, String)>,
    changed: Timestamp,
}

impl CookieJar {
    pub fn new(now: Timestamp) -> Self {
        Self { cookies: Vec::new(), changed: now }
    }

    /// The value of the `Cookie` header; `None` without cookies or after their lifetime.
    pub fn header(&self, now: Timestamp) -> Option<String> {
        if self.cookies.is_empty() || now.duration_since(self.changed) >= LIFETIME {
            return None;
        }
        let pairs: Vec<String> = self.cookies.iter().map(|(k, v)| format!("{k}={v}")).collect();
        Some(pairs.join("; "))
    }

    /// Stores or removes a cookie as a `Set-Cookie` header says. Ignores a header without `=`.
    pub fn set(&mut self, header: &str, now: Timestamp) {
        let mut parts = header.split(';');
        let Some((name, value)) = parts.next().and_then(|pair| pair.split_once('=')) else {
            return;
        };
        if now.duration_since(self.changed) >= LIFETIME {
            self.cookies.clear();
        }
        self.changed = now;
        let (name, value) = (name.trim(), value.trim());
        self.cookies.retain(|(known, _)| known != name);
        let removed = parts.any(|attribute| {
            let (key, value) = attribute.split_once('=').unwrap_or((attribute, ""));
            key.trim().eq_ignore_ascii_case("max-age")
                && value.trim().parse().is_ok_and(|seconds: i64| seconds <= 0)
        });
        if !removed {
            self.cookies.push((name.to_owned(), value.to_owned()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies_are_replaced_removed_and_forgotten_after_four_hours() {
        let now: Timestamp = "2026-02-10T20:10:00Z".parse().unwrap();
        let mut jar = CookieJar::new(now);
        assert_eq!(jar.header(now), None);
        jar.set("a=1; Path=/; HttpOnly", now);
        jar.set("b=2", now);
        jar.set("a=3", now);
        jar.set("nonsense", now);
        assert_eq!(jar.header(now).as_deref(), Some("b=2; a=3"));
        jar.set("b=; Max-Age=0", now);
        assert_eq!(jar.header(now).as_deref(), Some("a=3"));
        let later = |minutes| now + SignedDuration::from_mins(minutes);
        assert_eq!(jar.header(later(239)).as_deref(), Some("a=3"));
        assert_eq!(jar.header(later(240)), None);
    }
}
