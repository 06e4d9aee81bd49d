//! What goes wrong: functions, clients, requests.

use super::*;

async fn panicking() -> StatusCode {
    panic!("the handler fell over")
}

#[tokio::test]
async fn a_panic_is_a_500_and_the_next_request_is_fine() {
    let router = Router::new().route("/p", get(panicking)).route("/ok", get(|| async { "fine" }));
    let gateway = TestGateway::start(router);
    let answer = gateway.get("/p").await;
    assert_eq!(
        (answer.status, answer.json()),
        (500, json!({ "message": "Internal Server Error" }))
    );
    assert_eq!(gateway.get("/ok").await.body, b"fine");
    let exchanges = gateway.http();
    assert_eq!(exchanges[0].outcome.as_ref().unwrap().error.as_deref(), Some("panic"));
    let log = gateway.journal.since(0).into_iter().find_map(|e| match e.detail {
        ExchangeDetail::Log { function, line, .. } => Some((e.name, function, line)),
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
    let gateway = TestGateway::with(function, Router::new().route("/slow", slow));
    let answer = gateway.get("/slow").await;
    assert_eq!(
        (answer.status, answer.json()),
        (500, json!({ "message": "Internal Server Error" }))
    );
    let outcome = gateway.http()[0].outcome.clone().unwrap();
    assert_eq!(outcome.error.as_deref(), Some("function_timeout"));
    drop(gateway);
    // Only the router's own sender was left, and it goes with the gateway.
    assert_eq!(told.recv().await, None);
}

#[tokio::test]
async fn an_integration_that_takes_too_long_is_a_503() {
    let api = template::Api::http("Web");
    let gateway =
        TestGateway::waiting(hasty(), api, &[Route::new("GET", "/a")], Waiting(Arc::default()));
    let answer = gateway.get("/a").await;
    assert_eq!((answer.status, answer.json()), (503, json!({ "message": "Service Unavailable" })));
    assert!(answer.head.contains("apigw-requestid: "));
    let outcome = gateway.http()[0].outcome.clone().unwrap();
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
    let gateway = TestGateway::start(router);
    let mut stream = TcpStream::connect(gateway.address()).await.unwrap();
    stream.write_all(b"POST /work HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n").await.unwrap();
    started.notified().await;
    drop(stream);
    // The gateway hears of it: a request on a new connection is answered meanwhile.
    assert_eq!(gateway.get("/none").await.status, 404);
    go.notify_one();
    let mut changes = gateway.journal.watch();
    while gateway.http()[0].outcome.is_none() {
        changes.changed().await.unwrap();
    }
    let outcome = gateway.http()[0].outcome.clone().unwrap();
    assert_eq!((outcome.status, outcome.response), (Some(200), json!("done")));
}

#[tokio::test]
async fn the_journal_names_route_function_and_bodies() {
    let routes = vec![Route::new("POST", "/leads/{id}")];
    let router =
        Router::new().route("/leads/{id}", post(|| async { axum::Json(json!({ "ok": true })) }));
    let gateway = TestGateway::with(function("Scheduler", routes), router);
    let head = "POST /leads/7?x=1 HTTP/1.1\r\nContent-Type: application/json";
    assert_eq!(gateway.send(head, "{}").await.status, 200);
    assert_eq!(gateway.get("/leads/7").await.status, 404);

    let exchanges = gateway.http();
    assert_eq!(exchanges[0].name, "http.POST /leads/{id}");
    assert_eq!(exchanges[0].at, NOW);
    let ExchangeDetail::Http { function, method, path, body, .. } = &exchanges[0].detail else {
        panic!()
    };
    assert_eq!(function.as_deref(), Some("Scheduler"));
    assert_eq!((method.as_str(), path.as_str(), body.as_str()), ("POST", "/leads/7?x=1", "{}"));
    let outcome = exchanges[0].outcome.as_ref().unwrap();
    assert_eq!((outcome.status, &outcome.response), (Some(200), &json!({ "ok": true })));

    assert_eq!(exchanges[1].name, "http.GET /leads/7");
    let ExchangeDetail::Http { function, .. } = &exchanges[1].detail else { panic!() };
    assert_eq!(*function, None);
    let outcome = exchanges[1].outcome.as_ref().unwrap();
    assert_eq!(outcome.response, json!({ "message": "Not Found" }));
}

#[tokio::test]
async fn a_route_with_patience_of_its_own() {
    let route = Route { timeout: Some(Duration::from_millis(50)), ..Route::new("GET", "/a") };
    let gateway = TestGateway::custom(&[route], Waiting(Arc::default()));
    assert_eq!(gateway.get("/a").await.status, 503);
}

#[tokio::test]
async fn limits_are_awss() {
    let count = any(|body: Bytes| async move { body.len().to_string() });
    let router = Router::new().route("/", count).layer(DefaultBodyLimit::disable());
    let gateway = TestGateway::start(router);
    let answer = gateway.get(&format!("/?{}", "q".repeat(10_240))).await;
    assert_eq!(answer.status, 431);
    let head = "POST / HTTP/1.1\r\nContent-Type: text/plain";
    let answer = gateway.send(head, &"x".repeat((10 << 20) + 1)).await;
    assert_eq!(answer.status, 413);
    assert_eq!(answer.json(), json!({ "message": "Request Entity Too Large" }));
    // What was refused before any route saw it is no exchange.
    assert_eq!(gateway.http().len(), 0);
    // API Gateway takes this one, and Lambda does not.
    assert_eq!(gateway.send(head, &"x".repeat(7 << 20)).await.status, 413);
    assert_eq!(gateway.outcome().error.as_deref(), Some("payload_too_large"));
    assert_eq!(gateway.send(head, &"x".repeat((6 << 20) - 4096)).await.status, 200);
    // In base64 it is a third larger.
    let head = "POST / HTTP/1.1\r\nContent-Type: image/png";
    assert_eq!(gateway.send(head, &"x".repeat(5 << 20)).await.status, 413);
    assert_eq!(gateway.send(head, &"x".repeat(4 << 20)).await.body, b"4194304");
}

#[tokio::test]
async fn an_answer_over_lambdas_limit_is_a_500_and_is_named() {
    let router = Router::new()
        .route("/large", get(|| async { "x".repeat(7 << 20) }))
        // Each of these is six bytes in JSON.
        .route("/escaped", get(|| async { "\u{1}".repeat(2 << 20) }))
        .route("/fits", get(|| async { "x".repeat((6 << 20) - 4096) }));
    let gateway = TestGateway::start(router);
    for path in ["/large", "/escaped"] {
        let answer = gateway.get(path).await;
        let internal = json!({ "message": "Internal Server Error" });
        assert_eq!((answer.status, answer.json()), (500, internal), "{path}");
        assert_eq!(gateway.outcome().error.as_deref(), Some("payload_too_large"), "{path}");
    }
    assert_eq!(gateway.get("/fits").await.body.len(), (6 << 20) - 4096);
}

#[tokio::test]
async fn a_status_that_does_not_end_an_exchange_is_a_malformed_answer_of_either_kind() {
    let answering = |status: u16| Recorder::answering(json!({ "statusCode": status })).0;
    let routes = [Route::new("GET", "/a")];
    for status in [100, 101, 103, 199, 600] {
        let http = TestGateway::custom(&routes, answering(status));
        assert_eq!(http.get("/a").await.status, 500, "{status}");
        let route = Route { payload: Payload::Rest, ..Route::new("GET", "/a") };
        let rest =
            TestGateway::behind(template::Api::rest("Old", "Prod"), &[route], answering(status));
        assert_eq!(rest.get("/Prod/a").await.status, 502, "{status}");
        for (gateway, told) in [(http, 500), (rest, 502)] {
            let outcome = gateway.outcome();
            assert_eq!(outcome.status, Some(told), "{status}");
            assert_eq!(outcome.error.as_deref(), Some("malformed_response"), "{status}");
        }
    }
}

#[tokio::test]
async fn a_route_takes_its_burst_and_then_no_more() {
    let limited = Some(Throttle { burst: 2, rate: 0.0 });
    let route = Route { throttle: limited, ..Route::new("GET", "/limited") };
    let (recorder, _events) = Recorder::answering(json!({ "statusCode": 204 }));
    let gateway = TestGateway::custom(&[route, Route::new("GET", "/free")], recorder);
    let mut statuses = Vec::new();
    for path in ["/limited", "/limited", "/limited", "/free"] {
        statuses.push(gateway.get(path).await.status);
    }
    assert_eq!(statuses, [204, 204, 429, 204]);
    let answer = gateway.get("/limited").await;
    assert_eq!(answer.json(), json!({ "message": "Too Many Requests" }));
    assert_eq!(gateway.outcome().error.as_deref(), Some("throttled"));
}

#[tokio::test]
async fn what_no_route_can_take_is_a_405_and_what_this_one_does_not_a_404() {
    let (recorder, _events) = Recorder::answering(json!({ "statusCode": 204 }));
    let gateway = TestGateway::custom(&[Route::new("GET", "/a")], recorder);
    let answer = gateway.send("TRACE /a HTTP/1.1", "").await;
    assert_eq!((answer.status, answer.json()), (405, json!({ "message": "Method Not Allowed" })));
    assert_eq!(gateway.send("POST /a HTTP/1.1", "").await.status, 404);
    let answer = gateway.get("/b").await;
    assert_eq!((answer.status, answer.json()), (404, json!({ "message": "Not Found" })));
    assert!(answer.head.contains("apigw-requestid: "), "{}", answer.head);
}

#[tokio::test]
async fn a_header_that_is_not_utf8_still_reaches_the_function() {
    let gateway = TestGateway::start(Router::new().route("/", get(|| async { "ok" })));
    let request = b"GET / HTTP/1.1\r\nHost: x\r\nX-Name: caf\xe9\r\nConnection: close\r\n\r\n";
    assert_eq!(gateway.raw(request).await.body, b"ok");
}

#[tokio::test]
async fn several_requests_share_a_connection() {
    let gateway = TestGateway::start(Router::new().route("/{n}", get(|| async { "ok" })));
    let mut stream = TcpStream::connect(gateway.address()).await.unwrap();
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
    let gateway = TestGateway::start(router);
    let address: SocketAddr = gateway.address().parse().unwrap();
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"GET /work HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    started.notified().await;
    let TestGateway { server, journal } = gateway;
    drop(server);
    let mut changes = journal.watch();
    while journal.since(0)[0].outcome.is_none() {
        changes.changed().await.unwrap();
    }
    assert_eq!(journal.since(0)[0].outcome.as_ref().unwrap().error.as_deref(), Some("cut"));
    while TcpStream::connect(address).await.is_ok() {
        tokio::task::yield_now().await;
    }
}
