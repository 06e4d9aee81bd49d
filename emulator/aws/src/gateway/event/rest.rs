//! A REST API's events, for a Lambda proxy integration.

use serde_json::{Value, json};

use super::{ACCOUNT, EventContext, domain, fold, headers, or_null, query, texts};
use crate::gateway::{request::Request, route::RouteMatch, stage::StageMatch};

/// The event. Header names keep their case, the stage is in `requestContext.path` alone, and a body
/// is text unless its media type is among the API's binary types.
pub(super) fn build(
    request: &Request,
    matched: &StageMatch<'_>,
    route: &RouteMatch<'_>,
    context: &EventContext,
) -> Value {
    let named = headers(request, matched, context).into_iter();
    let mut named: Vec<_> =
        named.map(|(name, values)| (as_written(request, name), values)).collect();
    named.sort();
    let (single_headers, all_headers) = fold(named);
    let (single_query, all_query) = fold(query(request));
    let api = &matched.stage.api;
    let (domain_name, domain_prefix) = domain(request);
    let body = request.rest_body(&api.binary_types);
    let base64 = body.as_ref().is_some_and(|(_, base64)| *base64);
    json!({
        "resource": route.path(),
        "path": matched.rest_path(),
        "httpMethod": request.method.as_str(),
        "headers": single_headers,
        "multiValueHeaders": all_headers,
        "queryStringParameters": or_null(single_query),
        "multiValueQueryStringParameters": or_null(all_query),
        "pathParameters": or_null(texts(&route.parameters)),
        "stageVariables": or_null(texts(&api.variables)),
        "requestContext": {
            "accountId": ACCOUNT,
            "apiId": api.url_id(),
            "domainName": domain_name,
            "domainPrefix": domain_prefix,
            "extendedRequestId": context.request_id,
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
                "sourceIp": request.client.ip().to_string(),
                "user": null,
                "userAgent": request.user_agent(),
                "userArn": null,
            },
            "path": matched.whole_path(),
            "protocol": request.protocol(),
            "requestId": context.uuid,
            "requestTime": context.log_time(),
            "requestTimeEpoch": context.now.as_millisecond(),
            "resourceId": resource_id(route.path()),
            "resourcePath": route.path(),
            "stage": api.stage,
        },
        "body": body.map(|(body, _)| body),
        "isBase64Encoded": base64,
    })
}

/// A header's name as the client wrote it, or as API Gateway writes its own.
fn as_written(request: &Request, name: &str) -> String {
    match name {
        "x-amzn-trace-id" => "X-Amzn-Trace-Id".into(),
        "x-forwarded-for" => "X-Forwarded-For".into(),
        "x-forwarded-port" => "X-Forwarded-Port".into(),
        "x-forwarded-proto" => "X-Forwarded-Proto".into(),
        "host" => "Host".into(),
        _ => request.header_case.get(name).cloned().unwrap_or_else(|| name.to_owned()),
    }
}

/// A resource's id: on AWS six arbitrary letters and digits, here derived from the path.
fn resource_id(path: &str) -> String {
    let mut hash: u32 = 2_166_136_261;
    for byte in path.bytes() {
        hash = (hash ^ u32::from(byte)).wrapping_mul(16_777_619);
    }
    let digit = |at: u32| char::from_digit((hash >> (5 * at)) & 31, 36).unwrap_or('0');
    (0..6).map(digit).collect()
}
