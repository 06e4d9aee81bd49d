//! Payload format 1.0, as an HTTP API builds it.

use serde_json::{Map, Value, json};

use super::{ACCOUNT, API, Moment, domain, headers};
use crate::gateway::{request::Request, route::Match};

/// The last of several values stands in the single-value maps; absent parts are null.
pub(super) fn build(request: &Request, route: &Match, moment: &Moment) -> Value {
    let (single_headers, all_headers) = fold(headers(request, moment));
    let mut query: Vec<(String, Vec<String>)> = Vec::new();
    for (name, value) in request.query_pairs() {
        match query.iter_mut().find(|(known, _)| *known == name) {
            Some((_, values)) => values.push(value),
            None => query.push((name, vec![value])),
        }
    }
    let (single_query, all_query) = fold(query);
    let or_null = |map: Map<String, Value>| if map.is_empty() { Value::Null } else { map.into() };

    let (domain_name, domain_prefix) = domain(request);
    let source = request.client.ip().to_string();
    let body = request.event_body();
    let base64 = body.as_ref().is_some_and(|(_, base64)| *base64);
    let parameters = &route.parameters;
    json!({
        "version": "1.0",
        "resource": route.path,
        "path": request.path,
        "httpMethod": request.method.as_str(),
        "headers": single_headers,
        "multiValueHeaders": all_headers,
        "queryStringParameters": or_null(single_query),
        "multiValueQueryStringParameters": or_null(all_query),
        "requestContext": {
            "accountId": ACCOUNT,
            "apiId": API,
            "authorizer": { "claims": null, "scopes": null },
            "domainName": domain_name,
            "domainPrefix": domain_prefix,
            "extendedRequestId": moment.request_id,
            "httpMethod": request.method.as_str(),
            "identity": {
                "accessKey": null,
                "accountId": null,
                "caller": null,
                "cognitoAuthenticationProvider": null,
                "cognitoAuthenticationType": null,
                "cognitoIdentityId": null,
                "cognitoIdentityPoolId": null,
                "principalOrgId": null,
                "sourceIp": source,
                "user": null,
                "userAgent": request.user_agent(),
                "userArn": null,
                "clientCert": null,
            },
            "path": request.path,
            "protocol": request.protocol(),
            "requestId": moment.request_id,
            "requestTime": moment.log_time(),
            "requestTimeEpoch": moment.now.as_millisecond(),
            "resourceId": null,
            "resourcePath": route.path,
            "stage": "$default",
        },
        "pathParameters": if parameters.is_empty() { Value::Null } else { json!(parameters) },
        "stageVariables": null,
        "body": body.map(|(body, _)| body),
        "isBase64Encoded": base64,
    })
}

fn fold(lists: Vec<(String, Vec<String>)>) -> (Map<String, Value>, Map<String, Value>) {
    let mut single = Map::new();
    let mut all = Map::new();
    for (name, values) in lists {
        single.insert(name.clone(), values.last().cloned().into());
        all.insert(name, values.into());
    }
    (single, all)
}
