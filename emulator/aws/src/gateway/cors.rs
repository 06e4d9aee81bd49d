//! CORS by the API. An HTTP API answers preflights without a route and replaces the function's CORS
//! headers. A REST API has an OPTIONS method for each path, and leaves the function's headers alone.

use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode,
    header::{
        ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS,
        ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS,
        ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD, CONTENT_TYPE, ORIGIN,
    },
};

use super::request::Request;
use crate::template::{ApiKind, Cors};

/// The response to a preflight, if the API gives one. `methods` returns the methods of the path's
/// resource.
pub(super) fn preflight(
    kind: ApiKind,
    cors: &Cors,
    request: &Request,
    methods: impl FnOnce() -> Vec<String>,
) -> Option<Response<Bytes>> {
    if request.method != Method::OPTIONS {
        return None;
    }
    match kind {
        ApiKind::Http => http(cors, request),
        ApiKind::Rest => rest(cors, &methods()),
    }
}

/// Replaces a function's CORS headers with the HTTP API's.
pub(super) fn replace(cors: &Cors, request: &Request, response: &mut Response<Bytes>) {
    let headers = response.headers_mut();
    let theirs: Vec<HeaderName> =
        headers.keys().filter(|n| n.as_str().starts_with("access-control-")).cloned().collect();
    theirs.iter().for_each(|name| drop(headers.remove(name)));
    allow(cors, request, headers);
    if headers.contains_key(ACCESS_CONTROL_ALLOW_ORIGIN) {
        set(headers, ACCESS_CONTROL_EXPOSE_HEADERS, cors.expose.as_deref());
    }
}

/// The preflight response of an HTTP API. A request without an origin, or without a method that is
/// asked for, is an ordinary one.
fn http(cors: &Cors, request: &Request) -> Option<Response<Bytes>> {
    let asked = &request.headers;
    if !asked.contains_key(ORIGIN) || !asked.contains_key(ACCESS_CONTROL_REQUEST_METHOD) {
        return None;
    }
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    allow(cors, request, headers);
    // An origin that may not call gets no details.
    if headers.contains_key(ACCESS_CONTROL_ALLOW_ORIGIN) {
        details(cors, cors.methods.as_deref(), headers);
    }
    Some(response)
}

/// The mock that SAM puts behind the OPTIONS method of each path that has none.
fn rest(cors: &Cors, methods: &[String]) -> Option<Response<Bytes>> {
    if methods.is_empty() || methods.iter().any(|method| method == "OPTIONS") {
        return None;
    }
    let mut response = Response::new(Bytes::from_static(b"{}\n"));
    let headers = response.headers_mut();
    set(headers, CONTENT_TYPE, Some("application/json"));
    set(headers, ACCESS_CONTROL_ALLOW_ORIGIN, cors.origins.0.first().map(String::as_str));
    if cors.credentials {
        set(headers, ACCESS_CONTROL_ALLOW_CREDENTIALS, Some("true"));
    }
    let mut of_path: Vec<&str> = match methods.iter().any(|method| method == "ANY") {
        true => vec!["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"],
        false => methods.iter().map(String::as_str).chain(["OPTIONS"]).collect(),
    };
    of_path.sort_unstable();
    details(cors, Some(cors.methods.as_deref().unwrap_or(&of_path.join(","))), headers);
    Some(response)
}

fn allow(cors: &Cors, request: &Request, headers: &mut HeaderMap) {
    let origin = request.headers.get(ORIGIN).and_then(|value| value.to_str().ok());
    let Some(allowed) = origin.and_then(|origin| cors.origins.allowed(origin)) else { return };
    set(headers, ACCESS_CONTROL_ALLOW_ORIGIN, Some(&allowed));
    if cors.credentials {
        set(headers, ACCESS_CONTROL_ALLOW_CREDENTIALS, Some("true"));
    }
}

fn details(cors: &Cors, methods: Option<&str>, headers: &mut HeaderMap) {
    set(headers, ACCESS_CONTROL_ALLOW_METHODS, methods);
    set(headers, ACCESS_CONTROL_ALLOW_HEADERS, cors.headers.as_deref());
    let max_age = cors.max_age.map(|seconds| seconds.to_string());
    set(headers, ACCESS_CONTROL_MAX_AGE, max_age.as_deref());
}

fn set(headers: &mut HeaderMap, name: HeaderName, value: Option<&str>) {
    if let Some(value) = value.and_then(|value| HeaderValue::from_str(value).ok()) {
        headers.insert(name, value);
    }
}
