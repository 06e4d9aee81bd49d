//! Events, field by field.

use super::*;

async fn event(routes: &[Route], request: &str) -> Value {
    let (recorder, mut events) = Recorder::answering(json!({ "statusCode": 204 }));
    let gateway = TestGateway::custom(routes, recorder);
    let answer = gateway.raw(request.replace('\n', "\r\n")).await;
    assert_eq!(answer.status, 204, "{answer:?}");
    events.recv().await.unwrap()
}

/// Takes what differs from run to run out of an event, having looked at it.
fn take_ids(event: &mut Value) {
    let context = event["requestContext"].as_object_mut().unwrap();
    let id = context.remove("requestId").unwrap();
    assert_eq!(id.as_str().unwrap().len(), 16, "{id}");
    for headers in ["headers", "multiValueHeaders"] {
        let Some(headers) = event.get_mut(headers).and_then(Value::as_object_mut) else { continue };
        let trace = headers.remove("x-amzn-trace-id").unwrap().to_string();
        assert!(trace.contains("Root=1-5e6a879e-"), "{trace}");
        let port = headers.remove("x-forwarded-port").unwrap();
        assert!(port != "0");
    }
}

/// The sample of "Working with AWS Lambda proxy integrations for HTTP APIs",
/// with this machine's address and without an authorizer.
#[tokio::test]
async fn an_event_of_format_2_is_as_aws_documents_it() {
    let request = "POST /my/path?parameter1=value1&parameter1=value2&parameter2=value HTTP/1.1
Host: id.execute-api.us-east-1.amazonaws.com
Header1: value1
Header2: value1
Header2: value2
Cookie: cookie1; cookie2
User-Agent: agent
X-Forwarded-Proto: https
X-Forwarded-For: 192.0.2.1
Content-Type: text/plain
Connection: close
Content-Length: 16

Hello from Lambd";
    let mut event = event(&[Route::new("ANY", "$default")], request).await;
    take_ids(&mut event);
    assert_eq!(
        event,
        json!({
            "version": "2.0",
            "routeKey": "$default",
            "rawPath": "/my/path",
            "rawQueryString": "parameter1=value1&parameter1=value2&parameter2=value",
            "cookies": ["cookie1", "cookie2"],
            "headers": {
                "content-length": "16",
                "content-type": "text/plain",
                "header1": "value1",
                "header2": "value1,value2",
                "host": "id.execute-api.us-east-1.amazonaws.com",
                "user-agent": "agent",
                "x-forwarded-for": "192.0.2.1, 127.0.0.1",
                "x-forwarded-proto": "http",
            },
            "queryStringParameters": { "parameter1": "value1,value2", "parameter2": "value" },
            "requestContext": {
                "accountId": "123456789012",
                "apiId": "serverlesshttpapi",
                "domainName": "id.execute-api.us-east-1.amazonaws.com",
                "domainPrefix": "id",
                "http": {
                    "method": "POST",
                    "path": "/my/path",
                    "protocol": "HTTP/1.1",
                    "sourceIp": "127.0.0.1",
                    "userAgent": "agent",
                },
                "routeKey": "$default",
                "stage": "$default",
                "time": "12/Mar/2020:19:03:58 +0000",
                "timeEpoch": 1_584_039_838_000_i64,
            },
            "body": "Hello from Lambd",
            "isBase64Encoded": false,
        })
    );
}

#[tokio::test]
async fn an_event_of_format_1_is_as_aws_documents_it() {
    let request = "GET /my/path%20x?parameter1=value1&parameter1=value2&parameter2=value HTTP/1.1
Host: id.execute-api.us-east-1.amazonaws.com
Header2: value1
Header2: value2
Cookie: cookie1; cookie2
Connection: close

";
    let route = Route { payload: Payload::V1, ..Route::new("GET", "/my/{name}") };
    let mut event = event(&[route], request).await;
    take_ids(&mut event);
    let extended = event["requestContext"].as_object_mut().unwrap().remove("extendedRequestId");
    assert!(extended.is_some());
    assert_eq!(
        event,
        json!({
            "version": "1.0",
            "resource": "/my/{name}",
            "path": "/my/path%20x",
            "httpMethod": "GET",
            "headers": {
                "cookie": "cookie1; cookie2",
                "header2": "value2",
                "host": "id.execute-api.us-east-1.amazonaws.com",
                "x-forwarded-for": "127.0.0.1",
                "x-forwarded-proto": "http",
            },
            "multiValueHeaders": {
                "cookie": ["cookie1; cookie2"],
                "header2": ["value1", "value2"],
                "host": ["id.execute-api.us-east-1.amazonaws.com"],
                "x-forwarded-for": ["127.0.0.1"],
                "x-forwarded-proto": ["http"],
            },
            "queryStringParameters": { "parameter1": "value2", "parameter2": "value" },
            "multiValueQueryStringParameters": {
                "parameter1": ["value1", "value2"],
                "parameter2": ["value"],
            },
            "requestContext": {
                "accountId": "123456789012",
                "apiId": "serverlesshttpapi",
                "authorizer": { "claims": null, "scopes": null },
                "domainName": "id.execute-api.us-east-1.amazonaws.com",
                "domainPrefix": "id",
                "httpMethod": "GET",
                "identity": {
                    "accessKey": null,
                    "accountId": null,
                    "caller": null,
                    "cognitoAuthenticationProvider": null,
                    "cognitoAuthenticationType": null,
                    "cognitoIdentityId": null,
                    "cognitoIdentityPoolId": null,
                    "principalOrgId": null,
                    "sourceIp": "127.0.0.1",
                    "user": null,
                    "userAgent": "",
                    "userArn": null,
                    "clientCert": null,
                },
                "path": "/my/path%20x",
                "protocol": "HTTP/1.1",
                "requestTime": "12/Mar/2020:19:03:58 +0000",
                "requestTimeEpoch": 1_584_039_838_000_i64,
                "resourceId": null,
                "resourcePath": "/my/{name}",
                "stage": "$default",
            },
            "pathParameters": { "name": "path x" },
            "stageVariables": null,
            "body": null,
            "isBase64Encoded": false,
        })
    );
}

#[tokio::test]
async fn a_body_is_base64_unless_its_type_is_text() {
    for (kind, base64) in [
        ("Content-Type: application/x-www-form-urlencoded", true),
        ("Content-Type: application/json; charset=utf-8", false),
        ("Content-Type: text/xml", false),
        ("Content-Type: application/vnd.api+json", true),
        ("X-No: type", true),
    ] {
        let request = format!(
            "POST /a HTTP/1.1\nHost: x\n{kind}\nConnection: close\nContent-Length: 3\n\na=1"
        );
        let event = event(&[Route::new("POST", "/a")], &request).await;
        assert_eq!(event["isBase64Encoded"], base64, "{kind}");
        assert_eq!(event["body"], if base64 { "YT0x" } else { "a=1" }, "{kind}");
        assert_eq!(event.get("queryStringParameters"), None);
        assert_eq!(event.get("cookies"), None);
    }
    let event = event(
        &[Route::new("GET", "/{proxy+}")],
        "GET /a/b%2Fc?q=%FF&plus=a+b&q=2 HTTP/1.1\nHost: x\nConnection: close\n\n",
    )
    .await;
    assert_eq!(event.get("body"), None);
    assert_eq!(event["rawPath"], "/a/b%2Fc");
    assert_eq!(event["rawQueryString"], "q=%FF&plus=a+b&q=2");
    assert_eq!(event["queryStringParameters"], json!({ "q": "\u{fffd},2", "plus": "a b" }));
    assert_eq!(event["pathParameters"], json!({ "proxy": "a/b/c" }));
    assert_eq!(event["routeKey"], "GET /{proxy+}");
}
