use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, OriginalUri, Query},
    http::{HeaderMap, StatusCode, header},
    response::{AppendHeaders, IntoResponse},
    routing::{any, get, post},
};
use futures::future::BoxFuture;
use jiff::Timestamp;
use lambda_http::request::RequestContext;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::{Notify, mpsc},
};

use super::{
    Gateway,
    api::{Api, Target},
    invoke::{Invocation, Invoke, InvokeError},
    route::Routes,
};
use crate::{
    clock::Clock,
    journal::{Crossing, Entry, Journal},
    template::{Function, Payload, Route},
};

/// `2020-03-12T19:03:58Z`, the time of AWS's sample.
const NOW: Timestamp = Timestamp::constant(1_584_039_838, 0);

fn clock() -> Clock {
    Clock::stopped(NOW)
}

fn function(id: &str, routes: Vec<Route>) -> Function {
    Function {
        id: id.into(),
        env: Default::default(),
        unresolved: Vec::new(),
        timeout: Duration::from_secs(10),
        memory: 128,
        routes,
        line: 0,
    }
}

fn listener() -> std::net::TcpListener {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap()
}

/// A gateway and what it records.
struct Lab {
    gateway: Gateway,
    journal: Journal,
}

impl Lab {
    /// One function, `F`, under every path.
    fn start(router: Router) -> Self {
        Self::with(function("F", vec![Route::new("ANY", "$default")]), router)
    }

    fn with(function: Function, router: Router) -> Self {
        let journal = Journal::new(clock());
        let gateway =
            Gateway::start(listener(), vec![(function, router)], journal.clone(), clock()).unwrap();
        Self { gateway, journal }
    }

    /// A function of the test's own under these routes.
    fn custom(routes: &[Route], function: impl Invoke + 'static) -> Self {
        let journal = Journal::new(clock());
        let mut table = Routes::default();
        routes.iter().for_each(|route| table.add(route, 0));
        let target = Target {
            id: "F".into(),
            timeout: Duration::from_secs(10),
            function: Box::new(function),
        };
        let mut api = Api::new(table, vec![target], journal.clone(), clock());
        api.set_integration_timeout(Duration::from_millis(50));
        Self { gateway: Gateway::serve(listener(), api).unwrap(), journal }
    }

    fn address(&self) -> String {
        self.gateway.url().replace("http://", "")
    }

    /// Sends bytes and reads the one answer.
    async fn raw(&self, request: impl AsRef<[u8]>) -> Answer {
        let mut stream = TcpStream::connect(self.address()).await.unwrap();
        stream.write_all(request.as_ref()).await.unwrap();
        Answer::read(&mut stream).await
    }

    async fn get(&self, path: &str) -> Answer {
        let host = self.address();
        self.raw(format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")).await
    }

    async fn send(&self, head: &str, body: &str) -> Answer {
        let host = self.address();
        let length = body.len();
        self.raw(format!(
            "{head}\r\nHost: {host}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"
        ))
        .await
    }

    fn http(&self) -> Vec<Entry> {
        let entries = self.journal.since(0).into_iter();
        entries.filter(|e| matches!(e.crossing, Crossing::Http { .. })).collect()
    }
}

#[derive(Debug)]
struct Answer {
    status: u16,
    /// Lower case.
    head: String,
    body: Vec<u8>,
}

impl Answer {
    async fn read(stream: &mut TcpStream) -> Self {
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).await.unwrap();
        let end = bytes.windows(4).position(|w| w == b"\r\n\r\n").expect("an answer");
        let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Self { status, head, body: bytes[end + 4..].to_vec() }
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// A function that hands its events to the test.
struct Recorder(mpsc::UnboundedSender<Value>);

impl Invoke for Recorder {
    fn invoke(&self, invocation: Invocation) -> BoxFuture<'_, Result<Value, InvokeError>> {
        let event = serde_json::from_str(&invocation.event).unwrap();
        self.0.send(event).unwrap();
        Box::pin(async { Ok(json!({ "statusCode": 204 })) })
    }
}

async fn event(routes: &[Route], request: &str) -> Value {
    let (send, mut events) = mpsc::unbounded_channel();
    let lab = Lab::custom(routes, Recorder(send));
    let answer = lab.raw(request.replace('\n', "\r\n")).await;
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
                "apiId": "rehearse",
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
                "apiId": "rehearse",
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

/// What a handler sees of a request after the way through the event.
async fn echo(
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
    Query(query): Query<Vec<(String, String)>>,
    axum::Extension(context): axum::Extension<RequestContext>,
    body: Bytes,
) -> axum::Json<Value> {
    let RequestContext::ApiGatewayV2(context) = context else { panic!("another context") };
    axum::Json(json!({
        "uri": uri.to_string(),
        "proto": headers["x-forwarded-proto"].to_str().unwrap(),
        "cookie": headers.get("cookie").map(|c| c.to_str().unwrap()),
        "query": query,
        "epoch": context.time_epoch,
        "body": String::from_utf8_lossy(&body),
    }))
}

#[tokio::test]
async fn a_form_reaches_the_router_byte_for_byte_with_the_url_as_called() {
    let lab = Lab::start(Router::new().route("/dispatcher", any(echo)));
    let form = "From=%2B19042520927&Body=Hi+there%21&Body=again";
    let head = "POST /dispatcher?a=1&a=%2B2 HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded\r\nCookie: a=1; b=2";
    let seen = lab.send(head, form).await.json();
    assert_eq!(
        seen,
        json!({
            "uri": format!("{}/dispatcher?a=1&a=%2B2", lab.gateway.url()),
            "proto": "http",
            "cookie": "a=1; b=2",
            "query": [["a", "1"], ["a", "+2"]],
            "epoch": 1_584_039_838_000_i64,
            "body": form,
        })
    );
}

#[tokio::test]
async fn business_time_is_the_scripted_clock() {
    let journal = Journal::new(clock());
    let clock = clock();
    let routes = vec![Route::new("GET", "/now")];
    let router = Router::new().route("/now", get(echo));
    let functions = vec![(function("F", routes), router)];
    let gateway = Gateway::start(listener(), functions, journal.clone(), clock.clone()).unwrap();
    let lab = Lab { gateway, journal };
    clock.set("2030-01-01T00:00:00.5Z".parse().unwrap());
    assert_eq!(lab.get("/now").await.json()["epoch"], 1_893_456_000_500_i64);
}

#[tokio::test]
async fn answers_keep_status_headers_cookies_and_bytes() {
    async fn picture() -> impl IntoResponse {
        let cookies = AppendHeaders([(header::SET_COOKIE, "a=1"), (header::SET_COOKIE, "b=2")]);
        (StatusCode::CREATED, [(header::CONTENT_TYPE, "image/png")], cookies, vec![0_u8, 159, 255])
    }
    let lab = Lab::start(Router::new().route("/p", get(picture)));
    let answer = lab.get("/p").await;
    assert_eq!(answer.status, 201);
    assert_eq!(answer.body, [0, 159, 255]);
    assert!(answer.head.contains("content-type: image/png"), "{}", answer.head);
    assert!(answer.head.contains("set-cookie: a=1\r\nset-cookie: b=2"), "{}", answer.head);
    assert!(answer.head.contains("apigw-requestid: "), "{}", answer.head);
    assert!(answer.head.contains("content-length: 3"), "{}", answer.head);
}

async fn panicking() -> StatusCode {
    panic!("the handler fell over")
}

#[tokio::test]
async fn a_panic_is_a_500_and_the_next_request_is_fine() {
    let router = Router::new().route("/p", get(panicking)).route("/ok", get(|| async { "fine" }));
    let lab = Lab::start(router);
    let answer = lab.get("/p").await;
    assert_eq!(
        (answer.status, answer.json()),
        (500, json!({ "message": "Internal Server Error" }))
    );
    assert_eq!(lab.get("/ok").await.body, b"fine");
    let entries = lab.http();
    assert_eq!(entries[0].outcome.as_ref().unwrap().error.as_deref(), Some("panic"));
    let log = lab.journal.since(0).into_iter().find_map(|e| match e.crossing {
        Crossing::Log { function, line, .. } => Some((e.name, function, line)),
        _ => None,
    });
    let (name, function, line) = log.unwrap();
    assert_eq!((name.as_str(), function.as_str()), ("log.F", "F"));
    assert!(line.contains("the handler fell over"), "{line}");
}

#[tokio::test]
async fn a_function_that_runs_too_long_is_stopped() {
    let (dropped, mut told) = mpsc::unbounded_channel::<()>();
    let slow = get(move || {
        let guard = dropped.clone();
        async move {
            std::future::pending::<()>().await;
            drop(guard);
        }
    });
    let function = Function {
        timeout: Duration::from_millis(30),
        ..function("F", vec![Route::new("GET", "/slow")])
    };
    let lab = Lab::with(function, Router::new().route("/slow", slow));
    let answer = lab.get("/slow").await;
    assert_eq!(
        (answer.status, answer.json()),
        (500, json!({ "message": "Internal Server Error" }))
    );
    let outcome = lab.http()[0].outcome.clone().unwrap();
    assert_eq!(outcome.error.as_deref(), Some("function_timeout"));
    drop(lab);
    // Only the router's own sender was left, and it goes with the gateway.
    assert_eq!(told.recv().await, None);
}

/// A function that waits until it is told to end.
struct Waiting(Arc<Notify>);

impl Invoke for Waiting {
    fn invoke(&self, _: Invocation) -> BoxFuture<'_, Result<Value, InvokeError>> {
        Box::pin(async {
            self.0.notified().await;
            Ok(json!({ "statusCode": 200, "body": "late" }))
        })
    }
}

#[tokio::test]
async fn an_integration_that_takes_too_long_is_a_503() {
    let lab = Lab::custom(&[Route::new("GET", "/a")], Waiting(Arc::default()));
    let answer = lab.get("/a").await;
    assert_eq!((answer.status, answer.json()), (503, json!({ "message": "Service Unavailable" })));
    assert!(answer.head.contains("apigw-requestid: "));
    let outcome = lab.http()[0].outcome.clone().unwrap();
    assert_eq!(outcome.error.as_deref(), Some("integration_timeout"));
}

#[tokio::test]
async fn when_the_client_goes_away_the_function_goes_on() {
    let (go, started) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let router = {
        let (go, started) = (Arc::clone(&go), Arc::clone(&started));
        Router::new().route(
            "/work",
            post(move || async move {
                started.notify_one();
                go.notified().await;
                "done"
            }),
        )
    };
    let lab = Lab::start(router);
    let mut stream = TcpStream::connect(lab.address()).await.unwrap();
    stream.write_all(b"POST /work HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n").await.unwrap();
    started.notified().await;
    drop(stream);
    // The gateway hears of it: a request on a new connection is answered meanwhile.
    assert_eq!(lab.get("/none").await.status, 404);
    go.notify_one();
    let mut changes = lab.journal.watch();
    while lab.http()[0].outcome.is_none() {
        changes.changed().await.unwrap();
    }
    let outcome = lab.http()[0].outcome.clone().unwrap();
    assert_eq!((outcome.status, outcome.answer), (Some(200), json!("done")));
}

#[tokio::test]
async fn the_journal_names_route_function_and_bodies() {
    let routes = vec![Route::new("POST", "/leads/{id}")];
    let router =
        Router::new().route("/leads/{id}", post(|| async { axum::Json(json!({ "ok": true })) }));
    let lab = Lab::with(function("Scheduler", routes), router);
    let head = "POST /leads/7?x=1 HTTP/1.1\r\nContent-Type: application/json";
    assert_eq!(lab.send(head, "{}").await.status, 200);
    assert_eq!(lab.get("/leads/7").await.status, 404);

    let entries = lab.http();
    assert_eq!(entries[0].name, "http.POST /leads/{id}");
    assert_eq!(entries[0].at, NOW);
    let Crossing::Http { function, method, path, body } = &entries[0].crossing else { panic!() };
    assert_eq!(function.as_deref(), Some("Scheduler"));
    assert_eq!((method.as_str(), path.as_str(), body.as_str()), ("POST", "/leads/7?x=1", "{}"));
    let outcome = entries[0].outcome.as_ref().unwrap();
    assert_eq!((outcome.status, &outcome.answer), (Some(200), &json!({ "ok": true })));

    assert_eq!(entries[1].name, "http.GET /leads/7");
    let Crossing::Http { function, .. } = &entries[1].crossing else { panic!() };
    assert_eq!(*function, None);
    let outcome = entries[1].outcome.as_ref().unwrap();
    assert_eq!(outcome.answer, json!({ "message": "Not Found" }));
}

#[tokio::test]
async fn hosts_of_which_no_url_can_be_made_are_refused() {
    let lab = Lab::start(Router::new().route("/", get(|| async { "ok" })));
    for host in ["Host: a b\r\n", "Host: u@x\r\n", "Host: x\r\nHost: y\r\n", "", "Host: \r\n"] {
        let request = format!("GET / HTTP/1.1\r\n{host}Connection: close\r\n\r\n");
        assert_eq!(lab.raw(request).await.status, 400, "{host:?}");
    }
    assert_eq!(lab.get("/").await.body, b"ok");
}

#[tokio::test]
async fn limits_are_awss() {
    let count = any(|body: Bytes| async move { body.len().to_string() });
    let router = Router::new().route("/", count).layer(DefaultBodyLimit::disable());
    let lab = Lab::start(router);
    let answer = lab.get(&format!("/?{}", "q".repeat(10_240))).await;
    assert_eq!(answer.status, 431);
    let head = "POST / HTTP/1.1\r\nContent-Type: text/plain";
    let mut body = "x".repeat(10 << 20);
    assert_eq!(lab.send(head, &body).await.body, b"10485760");
    body.push('x');
    let answer = lab.send(head, &body).await;
    assert_eq!(answer.status, 413);
    assert_eq!(answer.json(), json!({ "message": "Request Entity Too Large" }));
    // What was refused before any route saw it is no crossing.
    assert_eq!(lab.http().len(), 1);
}

#[tokio::test]
async fn malformed_requests_are_400_and_the_gateway_goes_on() {
    let lab = Lab::start(Router::new().route("/", get(|| async { "ok" })));
    for request in [
        "GARBAGE\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\nzz\r\n",
    ] {
        assert_eq!(lab.raw(request).await.status, 400, "{request:?}");
    }
    assert_eq!(lab.get("/").await.body, b"ok");
}

#[tokio::test]
async fn several_requests_share_a_connection() {
    let lab = Lab::start(Router::new().route("/{n}", get(|| async { "ok" })));
    let mut stream = TcpStream::connect(lab.address()).await.unwrap();
    stream
        .write_all(
            b"GET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        )
        .await
        .unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await.unwrap();
    assert_eq!(String::from_utf8_lossy(&bytes).matches("200 OK").count(), 2);
}

#[tokio::test]
async fn a_dropped_gateway_stops_serving_and_ends_its_invocations() {
    let started = Arc::new(Notify::new());
    let router = {
        let started = Arc::clone(&started);
        Router::new().route(
            "/work",
            get(move || async move {
                started.notify_one();
                std::future::pending::<()>().await;
            }),
        )
    };
    let lab = Lab::start(router);
    let address: SocketAddr = lab.address().parse().unwrap();
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"GET /work HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    started.notified().await;
    let Lab { gateway, journal } = lab;
    drop(gateway);
    let mut changes = journal.watch();
    while journal.since(0)[0].outcome.is_none() {
        changes.changed().await.unwrap();
    }
    assert_eq!(journal.since(0)[0].outcome.as_ref().unwrap().error.as_deref(), Some("cut"));
    while TcpStream::connect(address).await.is_ok() {
        tokio::task::yield_now().await;
    }
}
