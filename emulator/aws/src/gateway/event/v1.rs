//! Payload format 1.0, as an HTTP API builds it.

use serde_json::{Value, json};

use super::{ACCOUNT, EventContext, domain, fold, headers, or_null, query, texts};
use crate::gateway::{request::Request, route::RouteMatch, stage::StageMatch};

/// The event. The single-value maps have the last of several values; what is absent is null.
pub(super) fn build(
    request: &Request,
    matched: &StageMatch<'_>,
    route: &RouteMatch<'_>,
    context: &EventContext,
) -> Value {
    let (single_headers, all_headers) = fold(
        headers(request, matched, context)
            .into_iter()
            .map(|(name, values)| (name.to_owned(), values)),
    );
    let (single_query, all_query) = fold(query(request));
    let (domain_name, domain_prefix) = domain(request);
    let source = request.client.ip().to_string();
    let body = request.event_body();
    let base64 = body.as_ref().is_some_and(|(_, base64)| *base64);
    let (api, path) = (&matched.stage.api, matched.whole_path());
    json!({
        "version": "1.0",
        "resource": route.path(),
        "path": path,
        "httpMethod": request.method.as_str(),
        "headers": single_headers,
        "multiValueHeaders": all_headers,
        "queryStringParameters": or_null(single_query),
        "multiValueQueryStringParameters": or_null(all_query),
        "requestContext": {
            "accountId": ACCOUNT,
            "apiId": api.url_id(),
            "authorizer": { "claims": null, "scopes": null },
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
                "sourceIp": source,
                "user": null,
                "userAgent": request.user_agent(),
                "userArn": null,
                "clientCert": null,
            },
            "path": path,
            "protocol": request.protocol(),
            "requestId": context.request_id,
            "requestTime": context.log_time(),
            "requestTimeEpoch": context.now.as_millisecond(),
            "resourceId": null,
            "resourcePath": route.path(),
            "stage": api.stage,
        },
        "pathParameters": or_null(texts(&route.parameters)),
        "stageVariables": or_null(texts(&api.variables)),
        "body": body.map(|(body, _)| body),
        "isBase64Encoded": base64,
    })
}
