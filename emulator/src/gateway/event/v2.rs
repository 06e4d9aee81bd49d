//! Payload format 2.0.

use serde_json::{Map, Value, json};

use super::{ACCOUNT, API, Moment, domain, headers};
use crate::gateway::{request::Request, route::Match};

/// Duplicates are joined with commas, cookies stand apart, absent parts are left out.
pub(super) fn build(request: &Request, route: &Match, moment: &Moment) -> Value {
    let mut event = Map::new();
    let mut set = |name: &str, value: Value| drop(event.insert(name.to_owned(), value));
    set("version", json!("2.0"));
    set("routeKey", json!(route.key));
    set("rawPath", json!(request.path));
    set("rawQueryString", json!(request.query));

    let mut folded = Map::new();
    for (name, values) in headers(request, moment) {
        if name == "cookie" {
            let cookies = values.iter().flat_map(|line| line.split(';')).map(str::trim);
            set("cookies", cookies.filter(|c| !c.is_empty()).collect());
        } else {
            folded.insert(name, values.join(",").into());
        }
    }
    set("headers", folded.into());

    let mut query = Map::new();
    for (name, value) in request.query_pairs() {
        let value = match query.get(&name).and_then(Value::as_str) {
            Some(before) => format!("{before},{value}"),
            None => value,
        };
        query.insert(name, value.into());
    }
    if !query.is_empty() {
        set("queryStringParameters", query.into());
    }

    let (domain_name, domain_prefix) = domain(request);
    set(
        "requestContext",
        json!({
            "accountId": ACCOUNT,
            "apiId": API,
            "domainName": domain_name,
            "domainPrefix": domain_prefix,
            "http": {
                "method": request.method.as_str(),
                "path": request.path,
                "protocol": request.protocol(),
                "sourceIp": request.client.ip().to_string(),
                "userAgent": request.user_agent(),
            },
            "requestId": moment.request_id,
            "routeKey": route.key,
            "stage": "$default",
            "time": moment.log_time(),
            "timeEpoch": moment.now.as_millisecond(),
        }),
    );
    if !route.parameters.is_empty() {
        set("pathParameters", json!(route.parameters));
    }
    let body = request.event_body();
    let base64 = body.as_ref().is_some_and(|(_, base64)| *base64);
    if let Some((body, _)) = body {
        set("body", body.into());
    }
    set("isBase64Encoded", base64.into());
    event.into()
}
