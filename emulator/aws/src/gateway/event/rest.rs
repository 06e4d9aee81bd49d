//! A REST API's events, for a Lambda proxy integration.

use serde_json::{Value, json};

use super::{ACCOUNT, EventContext, domain, fold, headers, or_null, query, texts};
use crate::gateway::{request::Request, route::RouteMatch, stage::StageMatch};

/// Header names keep their case, the stage is in `requestContext.path` alone,
/// a body is text unless the API takes its media type for bytes.
pub(super) fn build(
    request: &Request,
    place: &StageMatch<'_>,
    route: &RouteMatch,
    context: &EventContext,
) -> Value {
    let named = headers(request, place, context).into_iter();
    let mut named: Vec<_> = named.map(|(name, values)| (spelt(request, name), values)).collect();
    named.sort();
    let (single_headers, all_headers) = fold(named);
    let (single_query, all_query) = fold(query(request));
    let api = &place.stage.api;
    let (domain_name, domain_prefix) = domain(request);
    let body = request.rest_body(&api.binary_types);
    let base64 = body.as_ref().is_some_and(|(_, base64)| *base64);
    json!({
        "resource": route.path,
        "path": place.rest_path(),
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
            "path": place.whole_path(),
            "protocol": request.protocol(),
            "requestId": context.uuid,
            "requestTime": context.log_time(),
            "requestTimeEpoch": context.now.as_millisecond(),
            "resourceId": resource_id(&route.path),
            "resourcePath": route.path,
            "stage": api.stage,
        },
        "body": body.map(|(body, _)| body),
        "isBase64Encoded": base64,
    })
}

/// As the client spelt it, or as API Gateway spells its own.
fn spelt(request: &Request, name: String) -> String {
    match name.as_str() {
        "x-amzn-trace-id" => "X-Amzn-Trace-Id".into(),
        "x-forwarded-for" => "X-Forwarded-For".into(),
        "x-forwarded-port" => "X-Forwarded-Port".into(),
        "x-forwarded-proto" => "X-Forwarded-Proto".into(),
        "host" => "Host".into(),
        _ => request.header_case.get(&name).cloned().unwrap_or(name),
    }
}

/// On AWS six letters and digits that nobody chose: here they follow from the path.
fn resource_id(path: &str) -> String {
    let mut hash: u32 = 2_166_136_261;
    for byte in path.bytes() {
        hash = (hash ^ u32::from(byte)).wrapping_mul(16_777_619);
    }
    let digit = |at: u32| char::from_digit((hash >> (5 * at)) & 31, 36).unwrap_or('0');
    (0..6).map(digit).collect()
}
