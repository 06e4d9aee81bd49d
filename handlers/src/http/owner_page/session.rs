//! The owner's session: a signed cookie in place of the admin token, and where changes come from.
//!
//! The cookie is `<end>.<id>.<signature>`, signed with the admin token: nothing is stored, and a new
//! token ends every session.

use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use sha2::Sha256;

use crate::{
    app::error_chain::ErrorChain, domain::secret::Secret, http::error::ApiError, ports::Credential,
};

/// How long a session lasts.
pub(super) const SESSION_SECONDS: i64 = 12 * 60 * 60;
const COOKIE: &str = "session";
/// Tells these signatures from any others with the same key.
const PURPOSE: &str = "owner session 1:";

/// Signs a new session with an id that no other has.
pub(super) fn start(token: &Secret, id: &str, now: Timestamp) -> Option<String> {
    let content = format!("{}.{id}", now.as_second().saturating_add(SESSION_SECONDS));
    let signature = mac(token, &content)?.finalize().into_bytes();
    let signature: String = signature.iter().map(|byte| format!("{byte:02x}")).collect();
    Some(format!("{content}.{signature}"))
}

/// `Set-Cookie` of a session, or of none. Without a path it is for what lies beside `/owner/session`,
/// whatever stands before it there: a stage, which the function sees, or a domain's mapping, which it
/// does not.
pub(super) fn cookie(session: Option<&str>) -> Option<HeaderValue> {
    let (value, age) = session.map_or(("", 0), |session| (session, SESSION_SECONDS));
    let cookie = format!("{COOKIE}={value}; Max-Age={age}; HttpOnly; Secure; SameSite=Strict");
    HeaderValue::from_str(&cookie).ok()
}

/// Lets a request in that has a session, and for a change one that comes from the page itself.
///
/// # Errors
/// 401 without a session that holds, 403 for a change from elsewhere, 503 when the token cannot be
/// fetched.
pub(super) async fn authorize(
    method: &Method,
    headers: &HeaderMap,
    token: Option<&dyn Credential>,
    now: Timestamp,
) -> Result<(), ApiError> {
    let changes = ![Method::GET, Method::HEAD].contains(method);
    if changes {
        refuse_other_origins(headers)?;
    }
    let Some(token) = token else { return Err(no_session()) };
    let sessions: Vec<&str> = sessions(headers).filter(|session| lasts(session, now)).collect();
    if sessions.is_empty() {
        return Err(no_session());
    }
    let current = token.current().await.map_err(|error| {
        tracing::error!(error = %ErrorChain(&error), "failed to fetch the admin token");
        ApiError::unavailable()
    })?;
    let is_signed = |token: &Secret| sessions.iter().any(|session| is_signed(session, token));
    if is_signed(&current) {
        return Ok(());
    }
    // Another instance may have signed it with a token that was rotated since this one started.
    match token.refresh(&current).await {
        Some(newer) if is_signed(&newer) => Ok(()),
        _ => Err(no_session()),
    }
}

/// Refuses what another page makes the owner's browser send. A browser names the origin of a change,
/// and no script can write these headers.
///
/// # Errors
/// 403 when the request does not come from this host.
pub(super) fn refuse_other_origins(headers: &HeaderMap) -> Result<(), ApiError> {
    let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or("unreadable"));
    let host = text(header::HOST).unwrap_or_default();
    let fetch_site = headers.get("sec-fetch-site").map(HeaderValue::as_bytes);
    let is_own = match text(header::ORIGIN) {
        Some(origin) => {
            let origin_host =
                origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
            !host.is_empty() && origin_host.is_some_and(|own| own.eq_ignore_ascii_case(host))
        }
        None => fetch_site == Some(b"same-origin"),
    };
    if is_own && fetch_site.is_none_or(|site| site == b"same-origin") {
        return Ok(());
    }
    tracing::warn!("refused, a change of the owner's page came from elsewhere");
    let message = "This change did not come from the shop's own page. Open the page and try again";
    Err(ApiError::new(StatusCode::FORBIDDEN, message))
}

/// The sessions among the cookies: a browser sends two when two paths have one.
fn sessions(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    cookies
        .flat_map(|cookies| cookies.split(';'))
        .filter_map(|cookie| cookie.trim().strip_prefix(COOKIE)?.strip_prefix('='))
}

/// Whether a session says that it has not ended, and no more than one of this program can.
fn lasts(session: &str, now: Timestamp) -> bool {
    let end = session.split('.').next().and_then(|end| end.parse::<i64>().ok());
    let latest = now.as_second().saturating_add(SESSION_SECONDS);
    end.is_some_and(|end| now.as_second() < end && end <= latest)
}

fn is_signed(session: &str, token: &Secret) -> bool {
    let Some((content, signature)) = session.rsplit_once('.') else { return false };
    let Some(signature) = bytes(signature) else { return false };
    mac(token, content).is_some_and(|mac| mac.verify_slice(&signature).is_ok())
}

fn mac(token: &Secret, content: &str) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(token.expose().as_bytes()).ok()?;
    mac.update(PURPOSE.as_bytes());
    mac.update(content.as_bytes());
    Some(mac)
}

fn bytes(hex: &str) -> Option<Vec<u8>> {
    if hex.len() != 64 || !hex.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    let pairs = (0..hex.len()).step_by(2);
    pairs.map(|at| u8::from_str_radix(hex.get(at..at + 2)?, 16).ok()).collect()
}

fn no_session() -> ApiError {
    ApiError::new(StatusCode::UNAUTHORIZED, "Your session has ended. Please sign in again")
}
