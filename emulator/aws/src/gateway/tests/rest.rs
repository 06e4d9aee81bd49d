//! REST APIs: their events, answers and errors.

use super::*;

fn route(method: &str, path: &str) -> Route {
    Route { payload: Payload::Rest, ..Route::new(method, path) }
}

fn api() -> template::Api {
    template::Api::rest("Old", "Prod")
}

async fn event(api: template::Api, request: &str) -> Value {
    let (recorder, mut events) = Recorder::answering(json!({ "statusCode": 204 }));
    let gateway = TestGateway::behind(api, &[route("ANY", "/my/{proxy+}")], recorder);
    let answer = gateway.raw(request.replace('\n', "\r\n")).await;
    assert_eq!(answer.status, 204, "{answer:?}");
    events.recv().await.unwrap()
}

#[tokio::test]
async fn an_event_is_as_aws_documents_it() {
    let request = "POST /Prod/my/path%20x?name=me&name=me2&flag HTTP/1.1
Host: old.execute-api.us-east-1.amazonaws.com
headerName: headerValue
headerName: headerValue2
User-Agent: agent
Content-Type: application/x-www-form-urlencoded
content-length: 6
Connection: close

Body=1";
    let mut event = event(api(), request).await;
    let context = event["requestContext"].as_object_mut().unwrap();
    assert_eq!(context.remove("requestId").unwrap().as_str().unwrap().len(), 36);
    assert_eq!(context.remove("extendedRequestId").unwrap().as_str().unwrap().len(), 16);
    assert_eq!(context.remove("resourceId").unwrap().as_str().unwrap().len(), 6);
    for headers in ["headers", "multiValueHeaders"] {
        let headers = event[headers].as_object_mut().unwrap();
        assert!(headers.remove("X-Amzn-Trace-Id").is_some());
        assert!(headers.remove("X-Forwarded-Port").is_some());
    }
    let host = "old.execute-api.us-east-1.amazonaws.com";
    assert_eq!(
        event,
        json!({
            "resource": "/my/{proxy+}",
            "path": "/my/path%20x",
            "httpMethod": "POST",
            "headers": {
                "Content-Type": "application/x-www-form-urlencoded",
                "Host": host,
                "User-Agent": "agent",
                "X-Forwarded-For": "127.0.0.1",
                "X-Forwarded-Proto": "http",
                "content-length": "6",
                "headerName": "headerValue2",
            },
            "multiValueHeaders": {
                "Content-Type": ["application/x-www-form-urlencoded"],
                "Host": [host],
                "User-Agent": ["agent"],
                "X-Forwarded-For": ["127.0.0.1"],
                "X-Forwarded-Proto": ["http"],
                "content-length": ["6"],
                "headerName": ["headerValue", "headerValue2"],
            },
            "queryStringParameters": { "name": "me2", "flag": "" },
            "multiValueQueryStringParameters": { "name": ["me", "me2"], "flag": [""] },
            "pathParameters": { "proxy": "path x" },
            "stageVariables": null,
            "requestContext": {
                "accountId": "123456789012",
                "apiId": "old",
                "domainName": host,
                "domainPrefix": "old",
                "httpMethod": "POST",
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
                    "userAgent": "agent",
                    "userArn": null,
                },
                "path": "/Prod/my/path%20x",
                "protocol": "HTTP/1.1",
                "requestTime": "12/Mar/2020:19:03:58 +0000",
                "requestTimeEpoch": 1_584_039_838_000_i64,
                "resourcePath": "/my/{proxy+}",
                "stage": "Prod",
            },
            "body": "Body=1",
            "isBase64Encoded": false,
        })
    );
}

#[tokio::test]
async fn what_is_not_there_is_null() {
    let (recorder, mut events) = Recorder::answering(json!({ "statusCode": 204 }));
    let gateway = TestGateway::behind(api(), &[route("GET", "/")], recorder);
    assert_eq!(gateway.get("/Prod").await.status, 204);
    let event = events.recv().await.unwrap();
    for field in [
        "queryStringParameters",
        "multiValueQueryStringParameters",
        "pathParameters",
        "stageVariables",
        "body",
    ] {
        assert_eq!(event.get(field), Some(&Value::Null), "{field}");
    }
    assert_eq!((&event["path"], &event["isBase64Encoded"]), (&json!("/"), &json!(false)));
}

#[tokio::test]
async fn a_body_is_text_unless_the_api_takes_its_type_for_bytes() {
    for (types, kind, expected) in [
        (vec![], "image/png", json!(["a=1", false])),
        (vec!["image/png"], "Image/PNG; q=1", json!(["YT0x", true])),
        (vec!["image/png"], "text/plain", json!(["a=1", false])),
        (vec!["*/*"], "text/plain", json!(["YT0x", true])),
    ] {
        let binary_types = types.iter().map(|kind| (*kind).to_owned()).collect();
        let request = format!(
            "POST /Prod/my/x HTTP/1.1\nHost: x\nContent-Type: {kind}\nConnection: close\nContent-Length: 3\n\na=1"
        );
        let event = event(template::Api { binary_types, ..api() }, &request).await;
        assert_eq!(json!([event["body"], event["isBase64Encoded"]]), expected, "{types:?} {kind}");
    }
}

#[tokio::test]
async fn an_answer_is_bytes_where_the_first_accept_says_so() {
    let answer = json!({ "statusCode": 200, "body": "AP8=", "isBase64Encoded": true });
    let (recorder, _events) = Recorder::answering(answer);
    let api = template::Api { binary_types: vec!["image/png".into()], ..api() };
    let gateway = TestGateway::behind(api, &[route("GET", "/p")], recorder);
    let accept = |kind: &str| format!("GET /Prod/p HTTP/1.1\r\nAccept: {kind}");
    assert_eq!(gateway.send(&accept("image/png, */*"), "").await.body, [0, 255]);
    assert_eq!(gateway.send(&accept("text/html, image/png"), "").await.body, b"AP8=");
}

#[tokio::test]
async fn errors_are_in_a_rest_apis_words() {
    let calls = |gateway: TestGateway, path: &'static str| async move {
        let answer = gateway.get(path).await;
        assert!(answer.head.contains("x-amzn-requestid: "), "{}", answer.head);
        assert!(answer.head.contains("x-amzn-errortype: "), "{}", answer.head);
        (answer.status, answer.json()["message"].as_str().unwrap().to_owned())
    };
    let routes = [route("GET", "/a")];
    let recorder = |answer: Value| Recorder::answering(answer).0;
    let behind = |answer| TestGateway::behind(api(), &routes, recorder(answer));
    let internal = (502, "Internal server error".to_owned());
    assert_eq!(calls(TestGateway::behind(api(), &routes, Failing), "/Prod/a").await, internal);
    // Of format 2.0 this would be an answer.
    assert_eq!(calls(behind(json!({ "available": 8 })), "/Prod/a").await, internal);
    let object = json!({ "statusCode": 200, "body": { "a": 1 } });
    assert_eq!(calls(behind(object), "/Prod/a").await, internal);
    let token = (403, "Missing Authentication Token".to_owned());
    assert_eq!(calls(behind(json!({ "statusCode": 200 })), "/Prod/b").await, token);
    let late = TestGateway::waiting(hasty(), api(), &routes, Waiting(Arc::default()));
    let timed_out = (504, "Endpoint request timed out".to_owned());
    assert_eq!(calls(late, "/Prod/a").await, timed_out);
    let once = Some(Throttle { burst: 0, rate: 0.0 });
    let throttled = [Route { throttle: once, ..route("GET", "/a") }];
    let gateway = TestGateway::behind(api(), &throttled, recorder(json!({ "statusCode": 200 })));
    assert_eq!(calls(gateway, "/Prod/a").await, (429, "Too Many Requests".to_owned()));
    let gateway = behind(json!({ "statusCode": 200 }));
    let answer = gateway.send("POST /Prod/a HTTP/1.1", &"x".repeat((10 << 20) + 1)).await;
    assert_eq!((answer.status, answer.json()), (413, json!({ "message": "Request Too Long" })));
    let answer = gateway.send("GET /Prod/a HTTP/1.1", &"x".repeat(7 << 20)).await;
    assert_eq!(
        (answer.status, answer.json()),
        (500, json!({ "message": "Internal server error" }))
    );
}

#[tokio::test]
async fn a_router_behind_a_rest_api_is_reached_under_its_stage() {
    let seen = |OriginalUri(uri): OriginalUri| async move { uri.path().to_owned() };
    let router = Router::new().route("/Prod/a", any(seen));
    let function = function("F", vec![Route { api: "Old".into(), ..route("ANY", "/a") }]);
    let journal = Journal::new(clock());
    let functions = vec![(function, FunctionCode::Router(router))];
    let server = Gateway::start(listener(), &[api()], functions, journal.clone(), clock()).unwrap();
    let gateway = TestGateway { server, journal };
    assert_eq!(gateway.get("/Prod/a").await.body, b"/Prod/a");
}
