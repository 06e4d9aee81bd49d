//! HTTP to Lambda events, field by field as API Gateway builds them.

mod rest;
mod v1;
mod v2;

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::{request::Request, route::RouteMatch, stage::StageMatch};
use crate::template::Payload;

/// The account that everything here belongs to; AWS's own example.
pub(super) const ACCOUNT: &str = "123456789012";
/// And the region.
pub(super) const REGION: &str = "us-east-1";

/// What of an event is not in the request.
#[derive(Debug)]
pub(super) struct EventContext {
    /// Business time, from the scripted clock.
    pub(super) now: Timestamp,
    pub(super) request_id: String,
    /// A REST API calls the above the extended one, and has this besides.
    pub(super) uuid: String,
    pub(super) trace_id: String,
}

impl EventContext {
    /// A new request at this business time.
    pub(super) fn new(now: Timestamp) -> Self {
        let bytes = Uuid::new_v4().into_bytes();
        let trace = Uuid::new_v4().simple().to_string();
        let second = u32::try_from(now.as_second()).unwrap_or_default();
        Self {
            now,
            // AWS's are 16 characters of base64, `JKJaXmPLvHcESHA=`.
            request_id: STANDARD.encode(&bytes[..11]),
            uuid: Uuid::new_v4().to_string(),
            trace_id: format!("Root=1-{second:08x}-{}", &trace[..24]),
        }
    }

    /// `12/Mar/2020:19:03:58 +0000`.
    fn log_time(&self) -> String {
        self.now.strftime("%d/%b/%Y:%H:%M:%S +0000").to_string()
    }
}

/// The event for a matched request.
pub(super) fn build(
    request: &Request,
    place: &StageMatch<'_>,
    route: &RouteMatch,
    context: &EventContext,
) -> Value {
    match route.payload {
        Payload::V2 => v2::build(request, place, route, context),
        Payload::V1 => v1::build(request, place, route, context),
        Payload::Rest => rest::build(request, place, route, context),
    }
}

/// The request's headers with what API Gateway adds, names in order.
fn headers(
    request: &Request,
    place: &StageMatch<'_>,
    context: &EventContext,
) -> Vec<(String, Vec<String>)> {
    // Twilio signs the URL as called, and a handler rebuilds it from these: they are never the client's.
    let own = ["x-forwarded-proto", "x-forwarded-port", "x-amzn-trace-id"];
    let hop = ["connection", "transfer-encoding", "keep-alive", "te", "upgrade", "x-forwarded-for"];
    let mut headers: Vec<(String, Vec<String>)> = request
        .header_lists()
        .filter(|(name, _)| !own.contains(name) && !hop.contains(name))
        .map(|(name, values)| (name.to_owned(), values))
        .collect();
    let client = request.client.ip().to_string();
    let forwarded = request.headers.get("x-forwarded-for").and_then(|v| v.to_str().ok());
    let forwarded = forwarded.map_or_else(|| client.clone(), |chain| format!("{chain}, {client}"));
    // A custom domain has TLS on AWS, and is called by such a URL; the laptop's own has none.
    let (proto, port) = match place.is_mapped() {
        true => ("https", "443".to_owned()),
        false => ("http", request.port.to_string()),
    };
    for (name, value) in [
        ("x-amzn-trace-id", context.trace_id.clone()),
        ("x-forwarded-for", forwarded),
        ("x-forwarded-port", port),
        ("x-forwarded-proto", proto.to_owned()),
    ] {
        headers.push((name.to_owned(), vec![value]));
    }
    headers.sort();
    headers
}

/// On AWS the domain is the Host that the caller used.
fn domain(request: &Request) -> (&str, &str) {
    let host = request.host.as_str();
    (host, host.split('.').next().unwrap_or(host))
}

/// Query parameters by name, in the order of their first values.
fn query(request: &Request) -> Vec<(String, Vec<String>)> {
    let mut query: Vec<(String, Vec<String>)> = Vec::new();
    for (name, value) in request.query_pairs() {
        match query.iter_mut().find(|(known, _)| *known == name) {
            Some((_, values)) => values.push(value),
            None => query.push((name, vec![value])),
        }
    }
    query
}

/// The last of several values, and all of them.
fn fold(lists: Vec<(String, Vec<String>)>) -> (Map<String, Value>, Map<String, Value>) {
    let mut single = Map::new();
    let mut all = Map::new();
    for (name, values) in lists {
        single.insert(name.clone(), values.last().cloned().into());
        all.insert(name, values.into());
    }
    (single, all)
}

/// Formats 1.0 and REST have null where nothing is.
fn or_null(map: Map<String, Value>) -> Value {
    if map.is_empty() { Value::Null } else { map.into() }
}

fn texts(map: &BTreeMap<String, String>) -> Map<String, Value> {
    map.iter().map(|(name, value)| (name.clone(), value.clone().into())).collect()
}
