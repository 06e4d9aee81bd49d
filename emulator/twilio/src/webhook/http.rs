//! One signed HTTP request to the backend, and those that its redirects lead to.

use std::{collections::BTreeMap, error::Error as _, io};

use form_urlencoded::Serializer;
use http::{StatusCode, header};
use url::Url;
use uuid::Uuid;

use super::url::FailureClass;
use crate::{Method, Signing, signature::sign};
use rehearse_core::journal::{CAUSE_HEADER, current_cause};

/// Most bytes of a response body that Twilio reads.
const MAX_BODY: usize = 64 * 1024;
/// Most redirects that Twilio follows.
const MAX_REDIRECTS: usize = 10;

/// A request to sign and send.
#[derive(Debug, Clone, Copy)]
pub(super) struct HttpRequest<'a> {
    pub url: &'a str,
    /// Public hosts that are on this machine, and the base URL of each.
    pub hosts: &'a BTreeMap<String, String>,
    /// The base URL of the emulator's gateway, which is told the cause of a request.
    pub gateway: Option<&'a str>,
    pub method: Method,
    pub params: &'a [(String, String)],
    pub auth_token: &'a str,
    pub signing: Signing,
    pub idempotency_token: Uuid,
    pub cookies: Option<&'a str>,
}

/// The last response, after redirects.
#[derive(Debug, Default)]
pub(super) struct HttpResponse {
    /// The URL that it came from.
    pub url: String,
    pub status: u16,
    pub content_type: Option<String>,
    /// The `Set-Cookie` headers of this response and of the redirects before it.
    pub cookies: Vec<String>,
    pub body: Vec<u8>,
}

/// Why there is no usable response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct CallFailure {
    /// Twilio's code.
    pub code: u32,
    pub class: FailureClass,
}

impl CallFailure {
    /// The connection broke.
    pub const CONNECTION: Self = Self { code: 11205, class: FailureClass::Connect };

    fn fatal(code: u32) -> Self {
        Self { code, class: FailureClass::Fatal }
    }
}

/// Sends a request and follows redirects. Each request is signed for its own URL. A response that
/// Twilio does not follow (see [`follows`]) is returned as it is.
///
/// # Errors
/// 11100, the URL is not valid; 11201, 11202, 11205, 11210 or 11220, there was no connection or it
/// broke; 11215, too many redirects; 11750, the body is too long.
pub(super) async fn send_following_redirects(
    web: &reqwest::Client,
    request: HttpRequest<'_>,
) -> Result<HttpResponse, CallFailure> {
    let mut url = request.url.to_owned();
    let mut method = request.method;
    let mut params = request.params;
    let mut cookies = Vec::new();
    for _ in 0..=MAX_REDIRECTS {
        let hop = HttpRequest { url: &url, method, params, ..request };
        let response = send(web, hop).await?;
        let status = response.status();
        cookies.extend(texts(&response, &header::SET_COOKIE));
        let next = follows(status).then(|| location(&url, &response)).flatten();
        let Some(next) = next else {
            let content_type = texts(&response, &header::CONTENT_TYPE).next();
            let body = read(response).await?;
            return Ok(HttpResponse { url, status: status.as_u16(), content_type, cookies, body });
        };
        url = next;
        // As in a browser, only 307 repeats the method and the parameters.
        if status != StatusCode::TEMPORARY_REDIRECT {
            (method, params) = (Method::Get, &[]);
        }
    }
    Err(CallFailure::fatal(11215))
}

/// Whether Twilio follows this status: 301, 302, 303 and 307, as its dictionary says at 11216.
fn follows(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::MOVED_PERMANENTLY
            | StatusCode::FOUND
            | StatusCode::SEE_OTHER
            | StatusCode::TEMPORARY_REDIRECT
    )
}

async fn send(
    web: &reqwest::Client,
    request: HttpRequest<'_>,
) -> Result<reqwest::Response, CallFailure> {
    let encode =
        |params: &[(String, String)]| Serializer::new(String::new()).extend_pairs(params).finish();
    let url_with = |params: &[(String, String)]| match params {
        [] => request.url.to_owned(),
        _ => {
            let join = if request.url.contains('?') { '&' } else { '?' };
            format!("{}{join}{}", request.url, encode(params))
        }
    };
    let signed = |token: &str, params: &[(String, String)]| match request.method {
        Method::Post => sign(token, request.url, params),
        Method::Get => sign(token, &url_with(params), &[]),
    };
    let signature = match request.signing {
        Signing::Valid => Some(signed(request.auth_token, request.params)),
        Signing::Missing => None,
        Signing::Wrong => Some(signed("not the account's token", request.params)),
        Signing::OtherBody => {
            let mut other = request.params.to_vec();
            other.iter_mut().filter(|(key, _)| key == "Body").for_each(|(_, body)| body.push('!'));
            Some(signed(request.auth_token, &other))
        }
    };
    let local = |url: &str| reachable(request.hosts, url);
    let url = match request.method {
        Method::Post => request.url.to_owned(),
        Method::Get => url_with(request.params),
    };
    let (url, host) = local(&url);
    let is_gateway = request.gateway.is_some_and(|gateway| is_of(gateway, &url));
    let mut builder = match request.method {
        Method::Post => web.post(url),
        Method::Get => web.get(url),
    };
    if let Some(cause) = current_cause().filter(|_| is_gateway) {
        builder = builder.header(CAUSE_HEADER, cause.to_string());
    }
    if request.method == Method::Post {
        builder = builder
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded; charset=utf-8")
            .body(encode(request.params));
    }
    if let Some(host) = host {
        builder = builder.header(header::HOST, host);
        // What ends TLS in front of a backend says so; the URL that a backend checks is made of it.
        if request.url.starts_with("https:") {
            builder = builder.header("X-Forwarded-Proto", "https");
        }
    }
    builder = builder
        .header(header::USER_AGENT, "TwilioProxy/1.1")
        .header(header::ACCEPT, "*/*")
        .header("I-Twilio-Idempotency-Token", request.idempotency_token.to_string());
    if let Some(signature) = signature {
        builder = builder.header("X-Twilio-Signature", signature);
    }
    if let Some(cookies) = request.cookies {
        builder = builder.header(header::COOKIE, cookies);
    }
    builder.send().await.map_err(|error| classify(&error))
}

/// Whether a URL is one of the server with this base URL.
pub(crate) fn is_of(base: &str, url: &str) -> bool {
    url.strip_prefix(base).is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']))
}

/// The URL to connect to, and the `Host` header if that is not the URL's own host.
fn reachable(hosts: &BTreeMap<String, String>, url: &str) -> (String, Option<String>) {
    let host = Url::parse(url).ok().and_then(|url| url.host_str().map(str::to_owned));
    let Some(base) = host.as_ref().and_then(|host| hosts.get(host)) else {
        return (url.to_owned(), None);
    };
    // Not the parsed URL's path, since parsing changes how some paths are written.
    let after = url.split_once("://").map_or(url, |(_, after)| after);
    let (authority, path) = after.split_at(after.find(['/', '?']).unwrap_or(after.len()));
    let host = authority.rsplit('@').next().unwrap_or(authority);
    (format!("{base}{path}"), Some(host.to_owned()))
}

async fn read(mut response: reqwest::Response) -> Result<Vec<u8>, CallFailure> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| classify(&error))? {
        body.extend_from_slice(&chunk);
        if body.len() > MAX_BODY {
            return Err(CallFailure::fatal(11750));
        }
    }
    Ok(body)
}

fn texts(response: &reqwest::Response, name: &header::HeaderName) -> impl Iterator<Item = String> {
    let values: Vec<String> = response
        .headers()
        .get_all(name)
        .iter()
        .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
        .collect();
    values.into_iter()
}

/// The absolute URL of a `Location` header, without fragment; `None` when there is none that leads to
/// an HTTP URL.
fn location(base: &str, response: &reqwest::Response) -> Option<String> {
    let location = response.headers().get(header::LOCATION)?.to_str().ok()?;
    let mut next = Url::parse(base).ok()?.join(location).ok()?;
    if location.is_empty() || !matches!(next.scheme(), "http" | "https") {
        return None;
    }
    next.set_fragment(None);
    Some(next.into())
}

/// Twilio's code and class of a request that got no response.
fn classify(error: &reqwest::Error) -> CallFailure {
    if error.is_builder() {
        return CallFailure::fatal(11100);
    }
    if !error.is_connect() {
        return CallFailure::CONNECTION;
    }
    let mut code = if error.is_timeout() { 11201 } else { CallFailure::CONNECTION.code };
    let secure = error.url().is_some_and(|url| url.scheme() == "https");
    let mut source = error.source();
    let mut refused = false;
    while let Some(cause) = source {
        if let Some(io) = cause.downcast_ref::<io::Error>() {
            refused |= io.kind() == io::ErrorKind::ConnectionRefused;
        }
        // The type of the resolver's error is private, so its text has to do.
        if cause.to_string().contains("dns error") {
            code = 11210;
        }
        source = cause.source();
    }
    match code {
        _ if refused => CallFailure { code: 11202, class: FailureClass::Connect },
        11205 if secure => CallFailure { code: 11220, class: FailureClass::Connect },
        code => CallFailure { code, class: FailureClass::Connect },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_public_host_is_called_here_under_its_own_name() {
        let hosts = BTreeMap::from([("a.example".to_owned(), "http://127.0.0.1:4000".to_owned())]);
        let at = |url| reachable(&hosts, url);
        let host = |host: &str| Some(host.to_owned());
        assert_eq!(
            at("https://A.example/v1/%41?b=%2B"),
            ("http://127.0.0.1:4000/v1/%41?b=%2B".into(), host("A.example"))
        );
        assert_eq!(
            at("https://u:p@a.example:8443"),
            ("http://127.0.0.1:4000".into(), host("a.example:8443"))
        );
        assert_eq!(at("http://b.example/a"), ("http://b.example/a".into(), None));
    }
}
