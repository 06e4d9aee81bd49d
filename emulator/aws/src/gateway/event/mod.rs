//! Lambda events, field by field as API Gateway builds them from requests.

mod rest;
mod v1;
mod v2;

use std::{
    borrow::Cow,
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use rehearse_core::random::SplitMix64;
use serde::Serialize;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::{request::Request, route::RouteMatch, stage::StageMatch};
use crate::template::Payload;

/// The account that owns everything: that of AWS's own examples.
pub(super) const ACCOUNT: &str = "123456789012";
/// The region of everything.
pub(super) const REGION: &str = "us-east-1";

/// The parts of an event that are not in the request: business time and ids.
#[derive(Debug)]
pub(super) struct EventContext {
    /// Business time.
    pub(super) now: Timestamp,
    /// A REST API's extended request id, and an HTTP API's only one.
    pub(super) request_id: String,
    /// A REST API's request id.
    pub(super) uuid: String,
    pub(super) trace_id: String,
    /// The invocation's own id.
    pub(super) invocation_id: String,
}

/// Makes ids up. They differ from run to run and are not secret, so the system is asked for random
/// bytes once and not for each request.
#[derive(Debug)]
pub(super) struct IdSource(Mutex<SplitMix64>);

impl IdSource {
    pub(super) fn new() -> Self {
        let (high, low) = Uuid::new_v4().as_u64_pair();
        Self(Mutex::new(SplitMix64::new(high ^ low)))
    }

    /// The context of a new request at this business time.
    pub(super) fn context(&self, now: Timestamp) -> EventContext {
        let mut numbers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut random =
            || (u128::from(numbers.next_number()) << 64) | u128::from(numbers.next_number());
        let (bytes, trace, second) = (random(), random(), u32::try_from(now.as_second()));
        let uuid = |bits: u128| uuid::Builder::from_random_bytes(bits.to_be_bytes()).into_uuid();
        EventContext {
            now,
            // AWS's are 16 characters of base64, `JKJaXmPLvHcESHA=`.
            request_id: STANDARD.encode(&bytes.to_be_bytes()[..11]),
            uuid: uuid(random()).to_string(),
            trace_id: format!("Root=1-{:08x}-{:024x}", second.unwrap_or_default(), trace >> 32),
            invocation_id: uuid(random()).to_string(),
        }
    }
}

impl EventContext {
    /// `12/Mar/2020:19:03:58 +0000`.
    fn log_time(&self) -> String {
        self.now.strftime("%d/%b/%Y:%H:%M:%S +0000").to_string()
    }
}

/// The event for a matched request, as JSON.
pub(super) fn build(
    request: &Request,
    matched: &StageMatch<'_>,
    route: &RouteMatch<'_>,
    context: &EventContext,
) -> String {
    match route.payload() {
        Payload::V2 => v2::build(request, matched, route, context),
        Payload::V1 => to_json(&v1::build(request, matched, route, context)),
        Payload::Rest => to_json(&rest::build(request, matched, route, context)),
    }
}

/// An event as text. Nothing in an event fails to serialize.
fn to_json(event: &impl Serialize) -> String {
    serde_json::to_string(event).unwrap_or_default()
}

/// Headers with all their values.
type Headers<'a> = Vec<(&'a str, Vec<Cow<'a, str>>)>;

/// The request's headers and those that API Gateway adds, ordered by name.
fn headers<'a>(
    request: &'a Request,
    matched: &StageMatch<'_>,
    context: &'a EventContext,
) -> Headers<'a> {
    // Never the client's own: Twilio signs the URL as called, and a handler rebuilds it from these.
    let own = ["x-forwarded-proto", "x-forwarded-port", "x-amzn-trace-id"];
    let hop = ["connection", "transfer-encoding", "keep-alive", "te", "upgrade", "x-forwarded-for"];
    let mut headers: Headers<'a> = Vec::with_capacity(request.headers.keys_len() + 4);
    let passed =
        request.header_lists().filter(|(name, _)| !own.contains(name) && !hop.contains(name));
    headers.extend(passed);
    let client = request.client.ip();
    let forwarded = request.headers.get("x-forwarded-for").and_then(|v| v.to_str().ok());
    let forwarded = match forwarded {
        Some(chain) => format!("{chain}, {client}"),
        None => client.to_string(),
    };
    // On AWS a custom domain has TLS, and clients call it so. The gateway's own address has none.
    let (proto, port) = match matched.is_mapped() {
        true => ("https", Cow::Borrowed("443")),
        false => ("http", request.port.to_string().into()),
    };
    headers.extend([
        ("x-amzn-trace-id", vec![context.trace_id.as_str().into()]),
        ("x-forwarded-for", vec![forwarded.into()]),
        ("x-forwarded-port", vec![port]),
        ("x-forwarded-proto", vec![proto.into()]),
    ]);
    headers.sort_unstable_by_key(|(name, _)| *name);
    headers
}

/// The API's domain and its first label. As on AWS, the domain is the Host that the client used.
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

/// Maps of the last value of each name, and of all of them.
fn fold<V: Into<Value> + Clone>(
    lists: impl IntoIterator<Item = (String, Vec<V>)>,
) -> (Map<String, Value>, Map<String, Value>) {
    let mut single = Map::new();
    let mut all = Map::new();
    for (name, values) in lists {
        let last = values.last().cloned().map_or(Value::Null, Into::into);
        single.insert(name.clone(), last);
        all.insert(name, values.into_iter().map(Into::into).collect());
    }
    (single, all)
}

/// A map, or the null that format 1.0 and REST APIs have in matched of an empty one.
fn or_null(map: Map<String, Value>) -> Value {
    if map.is_empty() { Value::Null } else { map.into() }
}

fn texts(map: &BTreeMap<String, String>) -> Map<String, Value> {
    map.iter().map(|(name, value)| (name.clone(), value.clone().into())).collect()
}
