//! Authorizes changes of the owner's state by the admin token.

use axum::http::{HeaderMap, HeaderValue, StatusCode, header::AUTHORIZATION};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::error::ApiError;
use crate::{app::error_chain::ErrorChain, domain::secret::Secret, ports::Credential};

/// Checks `Authorization: Bearer <token>`. Without a configured token every request is refused.
///
/// # Errors
/// 401 without the right token, 429 after too many wrong ones, 503 when it cannot be fetched.
pub(super) async fn authorize(
    headers: &HeaderMap,
    token: Option<&dyn Credential>,
    guesses: impl Guesses,
) -> Result<(), ApiError> {
    let given = headers.get(AUTHORIZATION).and_then(bearer_token).unwrap_or_default();
    check(given, token, guesses).await.map(|_| ())
}

/// Checks a token that somebody gives. Returns the configured one, which is the same.
///
/// # Errors
/// As for [`authorize`].
pub(super) async fn check(
    given: &[u8],
    token: Option<&dyn Credential>,
    guesses: impl Guesses,
) -> Result<Secret, ApiError> {
    let Some(token) = token else {
        tracing::warn!("refused, no admin token is configured");
        return Err(unauthorized());
    };
    if given.is_empty() {
        tracing::warn!("refused, no admin token was given");
        return Err(unauthorized());
    }
    let current = token.current().await.map_err(|error| {
        tracing::error!(error = %ErrorChain(&error), "failed to fetch the admin token");
        ApiError::unavailable()
    })?;
    if is_same_token(&current, given) {
        return Ok(current);
    }
    // The token may have been rotated since this function started.
    if let Some(newer) = token.refresh(&current).await
        && is_same_token(&newer, given)
    {
        return Ok(newer);
    }
    // Counted only now, so that the right token is let in from any address.
    if guesses.allow_another().await {
        tracing::warn!("refused, wrong admin token");
        Err(unauthorized())
    } else {
        tracing::warn!("refused, too many wrong admin tokens");
        Err(ApiError::new(
            StatusCode::TOO_MANY_REQUESTS,
            "Too many wrong admin tokens. Please try again later",
        ))
    }
}

/// Counts the wrong tokens of a caller.
pub(super) trait Guesses: Send {
    /// Counts one; false when there have been too many.
    fn allow_another(self) -> impl Future<Output = bool> + Send;
}

/// Compares digests, so that the duration reveals nothing, not even the token's length.
fn is_same_token(token: &Secret, given: &[u8]) -> bool {
    let (token, given) = (Sha256::digest(token.expose()), Sha256::digest(given));
    token.as_slice().ct_eq(given.as_slice()).into()
}

fn unauthorized() -> ApiError {
    ApiError::new(StatusCode::UNAUTHORIZED, "A valid admin token is required")
}

fn bearer_token(value: &HeaderValue) -> Option<&[u8]> {
    let (scheme, token) = value.as_bytes().split_at_checked("Bearer ".len())?;
    scheme.eq_ignore_ascii_case(b"Bearer ").then(|| token.trim_ascii())
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;

    use super::*;
    use crate::ports::CredentialError;

    /// A token, and the value that it was rotated to.
    struct Token(&'static str, Option<&'static str>);

    #[async_trait]
    impl Credential for Token {
        async fn current(&self) -> Result<Secret, CredentialError> {
            if self.0 == "away" {
                return Err(CredentialError { variable: "ADMIN_TOKEN", source: "away".into() });
            }
            Ok(Secret::new(self.0))
        }

        async fn refresh(&self, _: &Secret) -> Option<Secret> {
            self.1.map(Secret::new)
        }
    }

    /// Nobody has guessed before.
    struct First;

    impl Guesses for First {
        async fn allow_another(self) -> bool {
            true
        }
    }

    async fn check(header: Option<&str>, token: Option<Token>) -> bool {
        let mut headers = HeaderMap::new();
        if let Some(header) = header {
            headers.insert(AUTHORIZATION, HeaderValue::from_str(header).unwrap());
        }
        let token = token.as_ref().map(|token| token as &dyn Credential);
        authorize(&headers, token, First).await.is_ok()
    }

    #[tokio::test]
    async fn only_the_configured_token_is_let_in() {
        for (header, right) in [
            (Some("Bearer s3cret"), true),
            (Some("bearer s3cret"), true),
            (Some("Bearer s3cre"), false),
            (Some("Basic s3cret"), false),
            (Some("s3cret"), false),
            (Some("Bearer "), false),
            (None, false),
        ] {
            let token = Some(Token("s3cret", None));
            assert_eq!(check(header, token).await, right, "{header:?}");
        }
    }

    #[tokio::test]
    async fn a_rotated_token_is_let_in_and_another_is_not() {
        let rotated = || Some(Token("s3cret", Some("n3w")));
        assert!(check(Some("Bearer n3w"), rotated()).await);
        assert!(!check(Some("Bearer wrong"), rotated()).await);
    }

    #[tokio::test]
    async fn without_a_configured_token_or_without_its_store_everyone_is_refused() {
        for token in [None, Some("away")] {
            let token = || token.map(|token| Token(token, None));
            assert!(!check(Some("Bearer "), token()).await);
            assert!(!check(Some("Bearer s3cret"), token()).await);
            assert!(!check(None, token()).await);
        }
    }
}
