//! Verifies Twilio's signature: base64 of an HMAC-SHA1 over the URL and the sorted parameters.
//!
//! Twilio signs the configured URL exactly, with query and without fragment. A function behind a
//! gateway may see a different one, so all candidates are tried, each with and without its port, as
//! the official validators do. A GET request's parameters are part of the URL, and a JSON body is
//! bound to the URL by its SHA-256 in the query.

use std::collections::{BTreeMap, BTreeSet};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;
use sha2::{Digest as _, Sha256};
use url::Url;

use crate::domain::digest::hex;

/// What is signed besides the URL.
#[derive(Debug, Clone, Copy)]
pub(super) enum SignedContent<'a> {
    /// Nothing; the parameters are in the query.
    Query,
    /// The fields of a form, exactly as they were sent.
    Form(&'a [(String, String)]),
    /// A JSON body, by `bodySHA256` in the query.
    Json(&'a [u8]),
}

/// Whether `signature` is valid for this token and any of the URLs.
pub(super) fn is_valid_signature(
    token: &str,
    signature: &str,
    urls: &[String],
    signed: SignedContent<'_>,
) -> bool {
    let Ok(signature) = STANDARD.decode(signature) else {
        return false;
    };
    let parameters = parameters(signed);
    urls.iter()
        .filter(|url| is_body_bound(url, signed))
        .flat_map(|url| with_port_variants(url))
        .any(|url| matches_url(token, &signature, &url, &parameters))
}

fn matches_url(token: &str, signature: &[u8], url: &str, parameters: &str) -> bool {
    // HMAC accepts keys of any length, so this cannot fail.
    let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(token.as_bytes()) else {
        return false;
    };
    mac.update(url.as_bytes());
    mac.update(parameters.as_bytes());
    // Compares in constant time.
    mac.verify_slice(signature).is_ok()
}

/// The parameters as Twilio signs them: names sorted, values of a name sorted, equal pairs once.
fn parameters(signed: SignedContent<'_>) -> String {
    let SignedContent::Form(fields) = signed else {
        return String::new();
    };
    let mut sorted: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (key, value) in fields {
        sorted.entry(key).or_default().insert(value);
    }
    let mut text = String::new();
    for (key, values) in sorted {
        for value in values {
            text.push_str(key);
            text.push_str(value);
        }
    }
    text
}

/// For JSON, whether the query contains the digest of this body.
fn is_body_bound(url: &str, signed: SignedContent<'_>) -> bool {
    let SignedContent::Json(body) = signed else {
        return true;
    };
    let digest = hex(Sha256::digest(body).as_slice());
    Url::parse(url).is_ok_and(|url| {
        url.query_pairs().any(|(key, value)| key == "bodySHA256" && value == digest)
    })
}

/// The URL as it is, and with its port removed or its scheme's default port added.
fn with_port_variants(url: &str) -> Vec<String> {
    let mut variants = vec![url.to_owned()];
    let Some((scheme, rest)) = url.split_once("://") else {
        return variants;
    };
    let authority_end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(authority_end);
    let host_start = authority.rfind('@').map_or(0, |at| at + 1);
    // The colons of an IPv6 address are inside its brackets.
    let port = match authority[host_start..].rfind(']') {
        Some(bracket) => authority[host_start + bracket..].find(':').map(|at| at + bracket),
        None => authority[host_start..].find(':'),
    };
    if let Some(port) = port {
        let host = &authority[..host_start + port];
        variants.push(format!("{scheme}://{host}{path}"));
    } else {
        let default = if scheme == "https" { 443 } else { 80 };
        variants.push(format!("{scheme}://{authority}:{default}{path}"));
    }
    variants
}

#[cfg(test)]
mod tests;
