//! Verifies AWS Signature Version 4 in the `Authorization` header, by AWS's description of it.
//!
//! The date is part of what is signed and is not compared with any clock: a backend may sign by
//! business time or by the machine's.

use std::{collections::BTreeMap, fmt::Write as _};

use axum::http::{HeaderMap, Method, Uri};
use hmac::{Hmac, KeyInit as _, Mac as _};
use percent_encoding::percent_decode_str;
use sha2::{Digest as _, Sha256};

use super::refusal::Refusal;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
/// The service of a scope.
const SERVICE: &str = "lambda";
const WRONG: &str = "The request signature we calculated does not match the signature you provided. \
                     Check your AWS Secret Access Key and signing method. Consult the service \
                     documentation for details.";

/// The keys of a caller.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// Logical id of the function that has them; `None` for a shell.
    pub function: Option<String>,
    /// `AWS_ACCESS_KEY_ID`.
    pub access_key_id: String,
    /// `AWS_SECRET_ACCESS_KEY`.
    pub secret_access_key: String,
    /// `AWS_SESSION_TOKEN`, without which a function's keys are not valid.
    pub session_token: Option<String>,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials").field("function", &self.function).finish_non_exhaustive()
    }
}

/// A request as it was signed.
pub(super) struct SignedRequest<'r> {
    pub(super) method: &'r Method,
    pub(super) uri: &'r Uri,
    pub(super) headers: &'r HeaderMap,
    pub(super) body: &'r [u8],
}

/// What the `Authorization` header says.
struct Authorization<'h> {
    access_key_id: &'h str,
    /// `20150830/us-east-1/lambda/aws4_request`.
    scope: &'h str,
    signed_headers: Vec<&'h str>,
    signature: &'h str,
}

/// The credentials with which a request was signed; those of `caller` if several functions share them.
///
/// # Errors
/// Lambda's refusal of a request that is not signed, or wrongly.
pub(super) fn verify<'c>(
    request: &SignedRequest<'_>,
    all: &'c [Credentials],
    caller: Option<&str>,
) -> Result<&'c Credentials, Refusal> {
    let Some(header) = text(request.headers, "authorization") else {
        return Err(Refusal::missing_token());
    };
    let given = Authorization::read(header)?;
    let date = text(request.headers, "x-amz-date").ok_or_else(|| {
        Refusal::incomplete(
            "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.",
        )
    })?;
    given.check_scope(date)?;
    if !given.signed_headers.contains(&"host") {
        let message = "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.";
        return Err(Refusal::invalid_signature(message));
    }
    // What is not signed could be changed on the way, such as the type of the invocation.
    if let Some(name) = unsigned_header(request.headers, &given.signed_headers) {
        // The words are unverified for headers other than Host.
        let message = format!("'{name}' must be a 'SignedHeader' in the AWS Authorization.");
        return Err(Refusal::invalid_signature(&message));
    }
    let token = text(request.headers, "x-amz-security-token");
    let known = |credentials: &&Credentials| {
        credentials.access_key_id == given.access_key_id
            && credentials.session_token.as_deref() == token
    };
    let mut candidates = all.iter().filter(known).peekable();
    if candidates.peek().is_none() {
        return Err(Refusal::unrecognized_client());
    }
    let text_to_sign = format!(
        "{ALGORITHM}\n{date}\n{}\n{}",
        given.scope,
        hex(&Sha256::digest(canonical(request, &given.signed_headers)))
    );
    let signed = |credentials: &&Credentials| {
        signature(&credentials.secret_access_key, given.scope, &text_to_sign) == given.signature
    };
    let matching: Vec<&Credentials> = candidates.filter(signed).collect();
    let own = matching.iter().find(|credentials| credentials.function.as_deref() == caller);
    let found = own.or(matching.first()).copied();
    found.ok_or_else(|| Refusal::invalid_signature(WRONG))
}

impl<'h> Authorization<'h> {
    fn read(header: &'h str) -> Result<Self, Refusal> {
        let Some(parts) = header.strip_prefix(ALGORITHM) else {
            return Err(Refusal::incomplete(
                "The Authorization header is not of Signature Version 4 (AWS4-HMAC-SHA256).",
            ));
        };
        let parts: BTreeMap<&str, &str> =
            parts.split(',').filter_map(|part| part.trim().split_once('=')).collect();
        let part = |name: &str| {
            parts.get(name).copied().ok_or_else(|| {
                let message = format!("Authorization header requires '{name}' parameter.");
                Refusal::incomplete(&message)
            })
        };
        let (access_key_id, scope) =
            part("Credential")?.split_once('/').ok_or_else(Refusal::unrecognized_client)?;
        let signed_headers = part("SignedHeaders")?.split(';').collect();
        Ok(Self { access_key_id, scope, signed_headers, signature: part("Signature")? })
    }

    fn check_scope(&self, date: &str) -> Result<(), Refusal> {
        let scope: Vec<&str> = self.scope.split('/').collect();
        let message = match scope.as_slice() {
            [day, _, SERVICE, "aws4_request"] if date.get(..8) == Some(*day) => return Ok(()),
            [_, _, SERVICE, "aws4_request"] => {
                "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date \
                 from HTTP."
            }
            [_, _, _, "aws4_request"] => {
                "Credential should be scoped to correct service: 'lambda'."
            }
            _ => "Credential should be scoped with a valid terminator: 'aws4_request'.",
        };
        Err(Refusal::invalid_signature(message))
    }
}

/// The first header that AWS requires to be signed if it is sent (`x-amz-*`), and that is not signed.
fn unsigned_header<'h>(headers: &'h HeaderMap, signed: &[&str]) -> Option<&'h str> {
    let mut names = headers.keys().map(|name| name.as_str());
    names.find(|name| name.starts_with("x-amz-") && !signed.contains(name))
}

/// The canonical form of a request.
fn canonical(request: &SignedRequest<'_>, signed_headers: &[&str]) -> String {
    let mut headers = String::new();
    for name in signed_headers {
        let values = request.headers.get_all(*name).iter();
        let values: Vec<String> = values
            .map(|value| {
                let value = String::from_utf8_lossy(value.as_bytes());
                value.split_whitespace().collect::<Vec<_>>().join(" ")
            })
            .collect();
        let _ = writeln!(headers, "{name}:{}", values.join(","));
    }
    format!(
        "{}\n{}\n{}\n{headers}\n{}\n{}",
        request.method,
        // All services but S3 encode the path a second time.
        encoded(request.uri.path(), true),
        canonical_query(request.uri.query().unwrap_or_default()),
        signed_headers.join(";"),
        hex(&Sha256::digest(request.body)),
    )
}

fn canonical_query(query: &str) -> String {
    let recoded = |part: &str| {
        let decoded: Vec<u8> = percent_decode_str(part).collect();
        encoded_bytes(&decoded, false)
    };
    let mut pairs: Vec<(String, String)> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (recoded(name), recoded(value)))
        .collect();
    pairs.sort();
    let pairs: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect();
    pairs.join("&")
}

fn signature(secret: &str, scope: &str, text_to_sign: &str) -> String {
    let mut key = format!("AWS4{secret}").into_bytes();
    for part in scope.split('/') {
        key = hmac(&key, part);
    }
    hex(&hmac(&key, text_to_sign))
}

fn hmac(key: &[u8], text: &str) -> Vec<u8> {
    // A key of any length is a key.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return Vec::new() };
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

fn encoded(text: &str, keep_slash: bool) -> String {
    encoded_bytes(text.as_bytes(), keep_slash)
}

fn encoded_bytes(bytes: &[u8], keep_slash: bool) -> String {
    let mut text = String::new();
    for byte in bytes {
        let plain = byte.is_ascii_alphanumeric() || b"-._~".contains(byte);
        if plain || (keep_slash && *byte == b'/') {
            text.push(char::from(*byte));
        } else {
            let _ = write!(text, "%{byte:02X}");
        }
    }
    text
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// The header of a request with the keys `rehearse`, for tests of what comes after it.
#[cfg(test)]
pub(super) fn sign(request: &SignedRequest<'_>) -> String {
    let scope = "20260210/us-east-1/lambda/aws4_request";
    let names = request.headers.keys().map(|name| name.as_str());
    let mut signed: Vec<&str> =
        names.filter(|name| *name == "host" || name.starts_with("x-amz-")).collect();
    signed.sort_unstable();
    let hash = hex(&Sha256::digest(canonical(request, &signed)));
    let text = format!("{ALGORITHM}\n20260210T201000Z\n{scope}\n{hash}");
    let signature = signature("rehearse", scope, &text);
    let headers = signed.join(";");
    format!(
        "{ALGORITHM} Credential=rehearse/{scope}, SignedHeaders={headers}, Signature={signature}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A request that botocore 1.43.11 signed on 10 February 2026 at 20:10:00.
    struct Signed {
        path: &'static str,
        body: &'static str,
        token: Option<&'static str>,
        more: &'static [(&'static str, &'static str)],
        headers: &'static str,
        signature: &'static str,
    }

    const SIGNED: [Signed; 3] = [
        Signed {
            path: "/2015-03-31/functions/Late/invocations",
            body: r#"{"sid":"SM1"}"#,
            token: Some("rehearse-session-Dispatcher"),
            more: &[("x-amz-invocation-type", "Event")],
            headers: "host;x-amz-date;x-amz-invocation-type;x-amz-security-token",
            signature: "e182c9c60dcbcb87c4ec33818d8794c688cc3902adafff498067927ce745af3b",
        },
        Signed {
            path: "/2015-03-31/functions/Late/invocations",
            body: "",
            token: None,
            more: &[],
            headers: "host;x-amz-date",
            signature: "bc7ebc50d9f25e33563439ba9ba15f12db031c590e1617ff4b909bcb8a6e8c7d",
        },
        Signed {
            path: "/fn/Dispatcher/2015-03-31/functions/\
                   arn%3Aaws%3Alambda%3Aus-east-1%3A123456789012%3Afunction%3Alate-reply/invocations\
                   ?Qualifier=%24LATEST",
            body: r#"{"a":"ü  b"}"#,
            token: Some("rehearse-session-Dispatcher"),
            more: &[
                ("x-amz-invocation-type", "RequestResponse"),
                ("x-amz-client-context", "a   b"),
            ],
            headers: "host;x-amz-client-context;x-amz-date;x-amz-invocation-type;x-amz-security-token",
            signature: "ad55d79ed3e97e15decf97b135502d3cf0d971b15398d0e078fe7b153e75b9b9",
        },
    ];

    fn credentials(token: Option<&str>) -> Vec<Credentials> {
        let key = |secret: &str| Credentials {
            function: token.map(|_| "Dispatcher".to_owned()),
            access_key_id: "rehearse".into(),
            secret_access_key: secret.into(),
            session_token: token.map(str::to_owned),
        };
        // Two functions may have the same key's id.
        vec![key("another"), key("rehearse")]
    }

    /// Verifies a request of which `change` has changed something.
    fn verified(
        signed: &Signed,
        change: impl Fn(&mut HeaderMap, &mut String, &mut String),
    ) -> Result<(), Refusal> {
        let mut headers = HeaderMap::new();
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential=rehearse/20260210/us-east-1/lambda/aws4_request, \
             SignedHeaders={}, Signature={}",
            signed.headers, signed.signature
        );
        let token = signed.token.map(|token| ("x-amz-security-token", token));
        let all = [
            ("host", "127.0.0.1:4060"),
            ("x-amz-date", "20260210T201000Z"),
            ("authorization", authorization.as_str()),
        ];
        for (name, value) in all.into_iter().chain(token).chain(signed.more.iter().copied()) {
            headers.insert(name, value.parse().unwrap());
        }
        let (mut path, mut body) = (signed.path.to_owned(), signed.body.to_owned());
        change(&mut headers, &mut path, &mut body);
        let uri = path.parse().unwrap();
        let request = SignedRequest {
            method: &Method::POST,
            uri: &uri,
            headers: &headers,
            body: body.as_bytes(),
        };
        verify(&request, &credentials(signed.token), None).map(drop)
    }

    #[test]
    fn what_boto_signs_is_right() {
        for signed in &SIGNED {
            assert_eq!(verified(signed, |_, _, _| {}), Ok(()), "{}", signed.path);
        }
    }

    #[test]
    fn a_header_that_changes_the_call_must_be_signed() {
        let added = |name: &'static str| {
            verified(&SIGNED[0], |headers, _, _| {
                headers.insert(name, "1".parse().unwrap());
            })
        };
        assert_eq!(added("x-amzn-trace-id"), Ok(()), "clients leave it unsigned");
        let refusal = added("x-amz-log-type").unwrap_err();
        assert_eq!((refusal.status, refusal.kind.as_str()), (403, "InvalidSignatureException"));
        let message = "'x-amz-log-type' must be a 'SignedHeader' in the AWS Authorization.";
        assert_eq!(refusal.body["message"], message);
    }

    #[test]
    fn whatever_is_changed_is_noticed() {
        let kind = |change: &dyn Fn(&mut HeaderMap, &mut String, &mut String)| {
            verified(&SIGNED[0], change).unwrap_err().kind
        };
        let invalid = "InvalidSignatureException";
        assert_eq!(kind(&|_, _, body| body.push(' ')), invalid);
        assert_eq!(kind(&|_, path, _| path.push_str("?a=b")), invalid);
        let set = |name: &'static str, value: &'static str| {
            kind(&move |headers: &mut HeaderMap, _: &mut String, _: &mut String| {
                headers.insert(name, value.parse().unwrap());
            })
        };
        assert_eq!(set("host", "127.0.0.1:4061"), invalid);
        assert_eq!(set("x-amz-invocation-type", "DryRun"), invalid);
        assert_eq!(set("x-amz-date", "20260210T201001Z"), invalid);
        assert_eq!(set("x-amz-date", "20260211T201000Z"), invalid);
        assert_eq!(set("x-amz-security-token", "somebody-else's"), "UnrecognizedClientException");
        assert_eq!(set("authorization", "Bearer x"), "IncompleteSignatureException");
        assert_eq!(
            kind(&|headers, _, _| drop(headers.remove("authorization"))),
            "MissingAuthenticationTokenException"
        );
        assert_eq!(
            kind(&|headers, _, _| drop(headers.remove("x-amz-security-token"))),
            "UnrecognizedClientException",
            "a function's keys without its token"
        );
        for (part, by, expected) in [
            ("/lambda/", "/dynamodb/", invalid),
            ("Credential=rehearse/", "Credential=nobody/", "UnrecognizedClientException"),
            ("SignedHeaders=host;", "SignedHeaders=", invalid),
            ("aws4_request", "aws5_request", invalid),
            (", Signature=", ", Sig=", "IncompleteSignatureException"),
        ] {
            let found = kind(&|headers, _, _| {
                let header = headers["authorization"].to_str().unwrap().replace(part, by);
                headers.insert("authorization", header.parse().unwrap());
            });
            assert_eq!(found, expected, "{part} -> {by}");
        }
    }
}
