//! Payload format 2.0.

use serde_json::{Map, Value, json};

use super::{ACCOUNT, EventContext, domain, headers, query, texts};
use crate::gateway::{request::Request, route::RouteMatch, stage::StageMatch};

/// Duplicates are joined with commas, cookies stand apart, absent parts are left out.
pub(super) fn build(
    request: &Request,
    place: &StageMatch<'_>,
    route: &RouteMatch,
    context: &EventContext,
) -> Value {
    let (api, path) = (&place.stage.api, place.raw_path());
    let mut event = Map::new();
    let mut set = |name: &str, value: Value| drop(event.insert(name.to_owned(), value));
    set("version", json!("2.0"));
    set("routeKey", json!(route.key));
    set("rawPath", json!(path));
    set("rawQueryString", json!(request.query));

    let mut folded = Map::new();
    for (name, values) in headers(request, place, context) {
        if name == "cookie" {
            let cookies = values.iter().flat_map(|line| line.split(';')).map(str::trim);
            set("cookies", cookies.filter(|c| !c.is_empty()).collect());
        } else {
            folded.insert(name, values.join(",").into());
        }
    }
    set("headers", folded.into());

    let query = query(request).into_iter();
    let query: Map<_, _> = query.map(|(name, values)| (name, values.join(",").into())).collect();
    if !query.is_empty() {
        set("queryStringParameters", query.into());
    }

    let (domain_name, domain_prefix) = domain(request);
    set(
        "requestContext",
        json!({
            "accountId": ACCOUNT,
            "apiId": api.url_id(),
            "domainName": domain_name,
            "domainPrefix": domain_prefix,
            "http": {
                "method": request.method.as_str(),
                "path": path,
                "protocol": request.protocol(),
                "sourceIp": request.client.ip().to_string(),
                "userAgent": request.user_agent(),
            },
            "requestId": context.request_id,
            "routeKey": route.key,
            "stage": api.stage,
            "time": context.log_time(),
            "timeEpoch": context.now.as_millisecond(),
        }),
    );
    if !route.parameters.is_empty() {
        set("pathParameters", texts(&route.parameters).into());
    }
    if !api.variables.is_empty() {
        set("stageVariables", texts(&api.variables).into());
    }
    let body = request.event_body();
    let base64 = body.as_ref().is_some_and(|(_, base64)| *base64);
    if let Some((body, _)) = body {
        set("body", body.into());
    }
    set("isBase64Encoded", base64.into());
    event.into()
}
