//! Published events, field by field: those of AWS's documentation and of the
//! crate `aws_lambda_events`, and that crate's types for our own.

use std::collections::BTreeMap;

use aws_lambda_events::apigw::{ApiGatewayProxyRequest, ApiGatewayV2httpRequest};
use http::{HeaderName, HeaderValue};

use super::*;
use crate::gateway::{
    event::{self, EventContext},
    request::Request,
    server::stages,
};

fn sample(name: &str) -> Value {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let path = root.join("../../fixtures/gateway").join(name);
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// The event of the request that a sample came from.
fn rebuilt(sample: &Value, payload: Payload) -> Value {
    let context = &sample["requestContext"];
    let v2 = payload == Payload::V2;
    let at = |v2_pointer: &str, pointer: &str| {
        text(sample, if v2 { v2_pointer } else { pointer }).to_owned()
    };
    let mut headers = HeaderMap::new();
    let mut header_case = BTreeMap::new();
    let source = at("/requestContext/http/sourceIp", "/requestContext/identity/sourceIp");
    let mut add = |name: &str, value: &str| {
        // The gateway's own.
        if name == "x-forwarded-for" && value == source {
            return;
        }
        header_case.insert(name.to_ascii_lowercase(), name.to_owned());
        let name: HeaderName = name.parse().unwrap();
        headers.append(name, HeaderValue::from_str(value).unwrap());
    };
    let lists = sample.get("multiValueHeaders").unwrap_or(&sample["headers"]);
    for (name, value) in lists.as_object().unwrap() {
        let values: Vec<&str> = match value {
            Value::Array(list) => list.iter().filter_map(Value::as_str).collect(),
            // Only the samples' own names hold lists.
            value if name == "Header2" => value.as_str().unwrap().split(',').collect(),
            value => vec![value.as_str().unwrap()],
        };
        values.iter().for_each(|value| add(name, value));
    }
    if let Some(cookies) = sample.get("cookies").and_then(Value::as_array) {
        let cookies: Vec<&str> = cookies.iter().filter_map(Value::as_str).collect();
        add("cookie", &cookies.join("; "));
    }
    let agent = at("/requestContext/http/userAgent", "/requestContext/identity/userAgent");
    let body = text(sample, "/body").to_owned();
    let known =
        |name: &str| lists.as_object().unwrap().keys().any(|k| k.eq_ignore_ascii_case(name));
    if !known("user-agent") {
        add("User-Agent", &agent);
    }
    if !known("host") {
        add("Host", text(context, "/domainName"));
    }
    // A body without a type would be base64.
    if !body.is_empty() && !known("content-type") {
        add("Content-Type", "text/plain");
    }
    let query = match sample.get("multiValueQueryStringParameters").and_then(Value::as_object) {
        Some(lists) => {
            let mut query = form_urlencoded::Serializer::new(String::new());
            for (name, values) in lists {
                for value in values.as_array().unwrap() {
                    query.append_pair(name, value.as_str().unwrap());
                }
            }
            query.finish()
        }
        None => text(sample, "/rawQueryString").to_owned(),
    };
    let stage = text(context, "/stage");
    let variables = sample.get("stageVariables").and_then(Value::as_object).into_iter().flatten();
    let base = match payload {
        Payload::Rest => template::Api::rest(text(context, "/apiId"), stage),
        _ => template::Api::http(text(context, "/apiId")),
    };
    let api = template::Api {
        variables: variables.map(|(k, v)| (k.clone(), v.as_str().unwrap().into())).collect(),
        ..base
    };
    let path = format!("{}{}", api.stage_path(), at("/rawPath", "/path"));
    let route_path = at("/routeKey", "/resource");
    let route = Route { api: api.id.clone(), payload, ..Route::new("ANY", &route_path) };
    let function = function("F", vec![route]);
    let stages = stages(&[api], [function].iter());
    let request = Request {
        method: at("/requestContext/http/method", "/httpMethod").parse().unwrap(),
        path,
        query,
        version: http::Version::HTTP_11,
        host: headers["host"].to_str().unwrap().to_owned(),
        headers,
        header_case,
        body: body.into(),
        client: SocketAddr::new(source.parse().unwrap_or([192, 0, 2, 1].into()), 50_000),
        port: 443,
    };
    let epoch = context.get("timeEpoch").or(context.get("requestTimeEpoch"));
    let epoch = epoch.and_then(Value::as_i64).unwrap_or_default();
    let own_id = text(context, "/extendedRequestId");
    let context = EventContext {
        now: Timestamp::from_millisecond(epoch).unwrap(),
        request_id: if own_id.is_empty() { text(context, "/requestId") } else { own_id }.into(),
        uuid: text(context, "/requestId").into(),
        trace_id: text(sample, "/headers/x-amzn-trace-id").into(),
        invocation_id: String::new(),
    };
    let matched = stages.find(&request.host, &request.method, &request.path).unwrap();
    let route = matched.stage.routes.find(&request.method, matched.path()).unwrap();
    serde_json::from_str(&event::build(&request, &matched, &route, &context)).unwrap()
}

/// Every leaf by its place; header names in lower case where the format does not keep them.
fn leaves(value: &Value, place: &str, lower: bool, all: &mut BTreeMap<String, Value>) {
    match value {
        Value::Object(map) if !map.is_empty() => {
            for (key, value) in map {
                let header = place.ends_with("eaders");
                let key = if header && lower { key.to_ascii_lowercase() } else { key.clone() };
                leaves(value, &format!("{place}/{key}"), lower, all);
            }
        }
        Value::Array(list) if !list.is_empty() => {
            for (at, value) in list.iter().enumerate() {
                leaves(value, &format!("{place}/{at}"), lower, all);
            }
        }
        leaf => drop(all.insert(place.to_owned(), leaf.clone())),
    }
}

fn flat(value: &Value, lower: bool) -> BTreeMap<String, Value> {
    let mut all = BTreeMap::new();
    leaves(value, "", lower, &mut all);
    all
}

/// Compares a sample's event with ours, but for these places, each of which must differ.
fn assert_sample(name: &str, payload: Payload, but: &[(&str, &str)]) {
    let theirs = sample(name);
    let ours = rebuilt(&theirs, payload);
    let lower = payload != Payload::Rest;
    let (theirs, ours) = (flat(&theirs, lower), flat(&ours, lower));
    let places = theirs.keys().chain(ours.keys()).filter(|p| theirs.get(*p) != ours.get(*p));
    let differing: std::collections::BTreeSet<&String> = places.collect();
    let excused = |place: &str| but.iter().position(|(known, _)| place.starts_with(known));
    for place in &differing {
        assert!(
            excused(place).is_some(),
            "{name} {place}: theirs {:?}, ours {:?}",
            theirs.get(*place),
            ours.get(*place)
        );
    }
    for (known, why) in but {
        let needed = differing.iter().any(|place| place.starts_with(known));
        assert!(needed, "{name}: nothing differs at {known} ({why})");
    }
}

const NO_AUTHORIZER: (&str, &str) = ("/requestContext/authorizer", "no authorizers here");
const NO_CERT: (&str, &str) = ("/requestContext/authentication", "no mutual TLS here");
const NO_ADDRESS: &str = "an address of documentation";

#[test]
fn the_samples_of_awss_documentation() {
    assert_sample(
        "v2-documented.json",
        Payload::V2,
        &[
            NO_AUTHORIZER,
            NO_CERT,
            ("/requestContext/http/sourceIp", NO_ADDRESS),
            ("/requestContext/time", "contradicts timeEpoch"),
            ("/pathParameters", "`$default` has none"),
            ("/headers/content-type", "without it the body would be base64"),
            ("/headers/host", "left out of the sample"),
            ("/headers/user-agent", "left out of the sample"),
            ("/headers/x-", "left out of the sample"),
        ],
    );
    assert_sample(
        "v1-documented.json",
        Payload::V1,
        &[
            ("/requestContext/identity/clientCert", "no mutual TLS here"),
            ("/requestContext/identity/sourceIp", NO_ADDRESS),
            ("/requestContext/requestId", "the same as the extended one"),
            ("/queryStringParameters/parameter1", "AWS takes the last, as for headers"),
            ("/headers/content-type", "without it the body would be base64"),
            ("/headers/host", "left out of the sample"),
            ("/headers/user-agent", "left out of the sample"),
            ("/headers/x-", "left out of the sample"),
            ("/multiValueHeaders/content-type", "without it the body would be base64"),
            ("/multiValueHeaders/host", "left out of the sample"),
            ("/multiValueHeaders/user-agent", "left out of the sample"),
            ("/multiValueHeaders/x-", "left out of the sample"),
        ],
    );
    assert_sample(
        "rest-documented.json",
        Payload::Rest,
        &[
            ("/requestContext/accountId", "eleven digits"),
            ("/requestContext/domain", "older than it"),
            ("/requestContext/extendedRequestId", "older than it"),
            ("/requestContext/identity/a", "accessKey for apiKey, since then"),
            ("/requestContext/identity/principalOrgId", "older than it"),
            ("/requestContext/path", "older than it"),
            ("/requestContext/protocol", "older than it"),
            ("/requestContext/requestTime", "older than it"),
            ("/requestContext/resourceId", "AWS's own"),
            ("/headers/X-", "CloudFront's, and no TLS here"),
            ("/multiValueHeaders/X-", "CloudFront's, and no TLS here"),
        ],
    );
}

#[test]
fn the_samples_of_aws_lambda_events() {
    assert_sample(
        "v2-recorded.json",
        Payload::V2,
        &[NO_CERT, ("/headers/x-forwarded-proto", "no TLS here")],
    );
    assert_sample(
        "v2-multi-value.json",
        Payload::V2,
        &[
            NO_AUTHORIZER,
            NO_CERT,
            ("/requestContext/http/sourceIp", NO_ADDRESS),
            ("/requestContext/time", "contradicts timeEpoch, and lacks a blank"),
            ("/pathParameters", "`$default` has none"),
            ("/headers/content-type", "without it the body would be base64"),
            ("/headers/host", "left out of the sample"),
            ("/headers/user-agent", "left out of the sample"),
            ("/headers/x-", "left out of the sample"),
        ],
    );
    let rest = [
        NO_AUTHORIZER,
        ("/isBase64Encoded", "left out of the sample"),
        ("/requestContext/accountId", "eleven digits"),
        ("/requestContext/domain", "contradict Host"),
        ("/requestContext/extendedRequestId", "left out of the sample"),
        ("/requestContext/identity/a", "no keys here"),
        ("/requestContext/identity/c", "no Cognito here"),
        ("/requestContext/identity/principalOrgId", "left out of the sample"),
        ("/requestContext/identity/user", "no users here"),
        ("/requestContext/path", "lacks the stage"),
        ("/requestContext/resourceId", "AWS's own"),
        ("/headers/X-", "CloudFront's, and no TLS here"),
        ("/multiValueHeaders/X-", "CloudFront's, and no TLS here"),
    ];
    assert_sample("rest-proxy.json", Payload::Rest, &rest);
    let several = ("/queryStringParameters/name", "AWS's documentation takes the last");
    assert_sample("rest-multi-value.json", Payload::Rest, &[&rest[..], &[several]].concat());
}

/// A request with everything in it, as an event of each format.
async fn rich(payload: Payload) -> Value {
    let (recorder, mut events) = Recorder::answering(json!({ "statusCode": 204 }));
    let base = match payload {
        Payload::Rest => template::Api::rest("Web", "prod"),
        _ => template::Api { stage: "prod".into(), ..template::Api::http("Web") },
    };
    let variables = [("table".to_owned(), "Leads".to_owned())].into();
    let route = Route { payload, ..Route::new("ANY", "/pets/{id}") };
    let gateway = TestGateway::behind(template::Api { variables, ..base }, &[route], recorder);
    let request = "PUT /prod/pets/a%20b?q=1&q=2&empty=&plus=a+b%2C HTTP/1.1\r\nHost: api.example\r\n\
        X-Two: 1\r\nX-Two: 2\r\nCookie: a=1; b=2\r\nUser-Agent: agent\r\nConnection: close\r\n\
        Content-Type: image/png\r\nContent-Length: 4\r\n\r\nbody";
    assert_eq!(gateway.raw(request).await.status, 204);
    events.recv().await.unwrap()
}

/// Asserts that all of `ours` is in `theirs`, but for what that type has no field for.
fn assert_kept(ours: &Value, theirs: &Value, unknown: &[&str]) {
    let (ours, theirs) = (flat(ours, true), flat(theirs, true));
    for (place, value) in &ours {
        if unknown.iter().any(|known| place.starts_with(known)) {
            continue;
        }
        assert_eq!(theirs.get(place), Some(value), "{place}");
    }
}

#[tokio::test]
async fn nothing_is_lost_in_the_types_of_aws_lambda_events() {
    let event = rich(Payload::V2).await;
    let read: ApiGatewayV2httpRequest = serde_json::from_value(event.clone()).unwrap();
    assert_eq!(read.cookies.as_deref(), Some(&["a=1".to_owned(), "b=2".to_owned()][..]));
    assert_eq!(read.path_parameters["id"], "a b");
    assert_kept(&event, &serde_json::to_value(read).unwrap(), &[]);
    for payload in [Payload::V1, Payload::Rest] {
        let event = rich(payload).await;
        let read: ApiGatewayProxyRequest = serde_json::from_value(event.clone()).unwrap();
        assert_eq!(read.query_string_parameters.first("q"), Some("2"));
        let all: Vec<&str> = read.multi_value_query_string_parameters.all("q").unwrap_or_default();
        assert_eq!(all, ["1", "2"]);
        let unknown = [
            "/version",
            "/requestContext/authorizer",
            "/requestContext/extendedRequestId",
            "/requestContext/identity/clientCert",
            "/requestContext/identity/principalOrgId",
        ];
        assert_kept(&event, &serde_json::to_value(read).unwrap(), &unknown);
    }
}
