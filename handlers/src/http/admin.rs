//! Who may change the owner's state: whoever has the admin token.

use std::fmt;

use axum::http::{HeaderMap, HeaderValue, StatusCode, header::AUTHORIZATION};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::error::ApiError;

/// What the admin token must be, as its digest: the token itself is not kept.
#[derive(Clone)]
pub struct AdminToken([u8; 32]);

/// Not even the digest: a short token could be found by trying.
impl fmt::Debug for AdminToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AdminToken(hidden)")
    }
}

impl AdminToken {
    /// The token that lets its bearer in.
    pub fn new(token: &str) -> Self {
        Self(Sha256::digest(token).into())
    }

    /// Digests are compared, so that not even the length shows in the time it takes.
    fn is(&self, given: &[u8]) -> bool {
        let given: [u8; 32] = Sha256::digest(given).into();
        self.0.ct_eq(&given).into()
    }
}

/// Checks `Authorization: Bearer <token>`. Without a configured token nobody is let in.
pub(super) fn authorize(headers: &HeaderMap, token: Option<&AdminToken>) -> Result<(), ApiError> {
    let given = headers.get(AUTHORIZATION).and_then(bearer).unwrap_or_default();
    let Some(token) = token else {
        tracing::warn!("refused: no admin token is configured");
        return Err(refusal());
    };
    if token.is(given) {
        Ok(())
    } else {
        tracing::warn!("refused: wrong or missing admin token");
        Err(refusal())
    }
}

fn refusal() -> ApiError {
    ApiError::new(StatusCode::UNAUTHORIZED, "A valid admin token is required")
}

fn bearer(value: &HeaderValue) -> Option<&[u8]> {
    let (scheme, token) = value.as_bytes().split_at_checked("Bearer ".len())?;
    scheme.eq_ignore_ascii_case(b"Bearer ").then(|| token.trim_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(header: Option<&str>, token: Option<&str>) -> bool {
        let mut headers = HeaderMap::new();
        if let Some(header) = header {
            headers.insert(AUTHORIZATION, HeaderValue::from_str(header).unwrap());
        }
        authorize(&headers, token.map(AdminToken::new).as_ref()).is_ok()
    }

    #[test]
    fn only_the_configured_token_is_let_in() {
        assert!(check(Some("Bearer s3cret"), Some("s3cret")));
        assert!(check(Some("bearer s3cret"), Some("s3cret")));
        assert!(!check(Some("Bearer s3cre"), Some("s3cret")));
        assert!(!check(Some("Basic s3cret"), Some("s3cret")));
        assert!(!check(Some("s3cret"), Some("s3cret")));
        assert!(!check(Some("Bearer "), Some("s3cret")));
        assert!(!check(None, Some("s3cret")));
    }

    #[test]
    fn it_is_not_printed() {
        assert_eq!(format!("{:?}", AdminToken::new("s3cret")), "AdminToken(hidden)");
    }

    #[test]
    fn without_a_configured_token_everyone_is_refused() {
        assert!(!check(Some("Bearer "), None));
        assert!(!check(Some("Bearer s3cret"), None));
        assert!(!check(None, None));
    }
}
