//! What makes two requests of the form the same.

use jiff::{SignedDuration, Timestamp};

use super::{FormRequest, SchedulerError};
use crate::domain::digest::sha256_hex;

/// Time within which the same form from the same address is the same request.
const DOUBLE_CLICK: SignedDuration = SignedDuration::from_secs(60);
/// Longest idempotency key, in bytes.
const MAX_KEY: usize = 255;

/// What makes two requests the same.
pub(super) struct RepeatKey {
    pub(super) hash: String,
    /// A booking that is older is of another request.
    pub(super) replace_before: Option<Timestamp>,
}

impl RepeatKey {
    /// The key of a request: the caller's own, or one that derives from form and address.
    pub(super) fn of(
        key: Option<&str>,
        request: &FormRequest,
        address: &str,
        now: Timestamp,
    ) -> Result<Self, SchedulerError> {
        match key {
            Some(key) => Self::given(key),
            None => Ok(Self::of_form(request, address, now)),
        }
    }

    /// The caller's own key, which holds for as long as it is remembered.
    fn given(key: &str) -> Result<Self, SchedulerError> {
        let printable = key.chars().all(|c| c.is_ascii_graphic() || c == ' ');
        if key.trim().is_empty() || key.len() > MAX_KEY || !printable {
            return Err(SchedulerError::InvalidKey);
        }
        Ok(Self { hash: sha256_hex(&[key]), replace_before: None })
    }

    /// The same form from the same address, such as by a double click.
    fn of_form(request: &FormRequest, address: &str, now: Timestamp) -> Self {
        let hash = sha256_hex(&["same form", &request.fingerprint(), address]);
        Self { hash, replace_before: Some(now - DOUBLE_CLICK) }
    }
}
