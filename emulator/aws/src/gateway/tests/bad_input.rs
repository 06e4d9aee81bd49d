//! Clients that are slow, broken or up to something: each gets a clear answer,
//! and the gateway goes on.

use super::*;

fn answering() -> TestGateway {
    TestGateway::start(Router::new().route("/", any(|body: Bytes| async move { body })))
}

/// A gateway that waits for no client.
fn impatient() -> TestGateway {
    let short = Duration::from_millis(50);
    let timeouts = Timeouts { head: short, body: short, ..Timeouts::default() };
    let (recorder, _events) = Recorder::answering(json!({ "statusCode": 200, "body": "ok" }));
    let routes = [Route::new("ANY", "$default")];
    TestGateway::waiting(timeouts, template::Api::http("Web"), &routes, recorder)
}

/// A new client is served at once, whatever the others do.
async fn goes_on(gateway: &TestGateway) {
    assert_eq!(gateway.get("/").await.status, 200);
}

/// An answer in the API's words.
#[track_caller]
fn refused(answer: &HttpResponse, status: u16, message: &str) {
    assert_eq!((answer.status, answer.json()), (status, json!({ "message": message })));
    assert!(answer.head.contains("apigw-requestid: "), "{}", answer.head);
}

#[tokio::test]
async fn a_head_that_does_not_come_to_an_end_is_a_408() {
    let gateway = impatient();
    for head in ["GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ", "GE", "GET / HTTP/1.1\r\n"] {
        let mut stream = TcpStream::connect(gateway.address()).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        goes_on(&gateway).await;
        let answer = HttpResponse::read(&mut stream).await;
        assert_eq!((answer.status, answer.json()), (408, json!({ "message": "Request Timeout" })));
        assert!(answer.head.contains("connection: close"), "{}", answer.head);
    }
    goes_on(&gateway).await;
}

#[tokio::test]
async fn a_client_that_says_nothing_is_hung_up_on_without_a_word() {
    let gateway = impatient();
    let mut silent = TcpStream::connect(gateway.address()).await.unwrap();
    let mut idle = TcpStream::connect(gateway.address()).await.unwrap();
    idle.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    let mut bytes = Vec::new();
    silent.read_to_end(&mut bytes).await.unwrap();
    assert_eq!(bytes, b"");
    // After its one answer an idle client hears nothing more.
    idle.read_to_end(&mut bytes).await.unwrap();
    let text = String::from_utf8_lossy(&bytes);
    assert_eq!(text.matches("HTTP/1.1").count(), 1, "{text}");
    assert!(text.starts_with("HTTP/1.1 200"), "{text}");
}

#[tokio::test]
async fn a_body_that_does_not_come_is_a_408() {
    let gateway = impatient();
    for framing in
        ["Content-Length: 10\r\n\r\nhalf", "Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n"]
    {
        let mut stream = TcpStream::connect(gateway.address()).await.unwrap();
        let head = format!("POST / HTTP/1.1\r\nHost: x\r\n{framing}");
        stream.write_all(head.as_bytes()).await.unwrap();
        goes_on(&gateway).await;
        let answer = HttpResponse::read(&mut stream).await;
        assert_eq!((answer.status, answer.json()), (408, json!({ "message": "Request Timeout" })));
        assert!(answer.head.contains("connection: close"), "{}", answer.head);
    }
    goes_on(&gateway).await;
}

#[tokio::test]
async fn many_slow_clients_do_not_keep_others_out() {
    let gateway = answering();
    let mut slow = Vec::new();
    for _ in 0..200 {
        let mut stream = TcpStream::connect(gateway.address()).await.unwrap();
        stream.write_all(b"POST / HTTP/1.1\r\nHost: x\r\n").await.unwrap();
        slow.push(stream);
    }
    goes_on(&gateway).await;
    drop(slow);
    goes_on(&gateway).await;
}

#[tokio::test]
async fn a_head_over_the_limit_is_a_431() {
    let gateway = answering();
    // 10,240 bytes are let through, one more is not.
    let fill = |total: usize| {
        let head = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX: \r\n";
        let fill = "f".repeat(total - head.len());
        format!("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX: {fill}\r\n\r\n")
    };
    assert_eq!(gateway.raw(fill(10_240)).await.status, 200);
    let answer = gateway.raw(fill(10_241)).await;
    let too_large = json!({ "message": "Request Header Fields Too Large" });
    assert_eq!((answer.status, answer.json()), (431, too_large));
    // More than the parser keeps, or takes for a URI.
    refused(&gateway.raw(fill(1 << 20)).await, 431, "Request Header Fields Too Large");
    let uri = format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "u".repeat(70_000));
    refused(&gateway.raw(uri).await, 431, "Request Header Fields Too Large");
    goes_on(&gateway).await;
}

#[tokio::test]
async fn any_number_of_headers_within_the_bytes_is_accepted() {
    let gateway = answering();
    let many = |count: usize| {
        let many: String = (0..count).map(|n| format!("h{n}: v\r\n")).collect();
        format!("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{many}\r\n")
    };
    assert_eq!(gateway.raw(many(500)).await.status, 200);
    for over in [2_000, 4_000] {
        assert_eq!(gateway.raw(many(over)).await.status, 431, "{over}");
    }
    // After another request on the same connection too, and with a body behind it.
    let many = |count: usize, body: &str| {
        let many: String = (0..count).map(|n| format!("h{n}: v\r\n")).collect();
        let length = body.len();
        format!("POST / HTTP/1.1\r\nHost: x\r\n{many}Content-Length: {length}\r\n\r\n{body}")
    };
    let mut stream = TcpStream::connect(gateway.address()).await.unwrap();
    let requests = [many(1, "one"), many(500, "two"), many(1, "three"), many(500, "four")].concat();
    stream.write_all(requests.as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await.unwrap();
    let text = String::from_utf8_lossy(&bytes);
    assert_eq!(text.matches("HTTP/1.1 200").count(), 4, "{text}");
    let at = ["one", "two", "three", "four"].map(|body| text.find(body));
    assert!(at.is_sorted() && at[0].is_some(), "{text}");
    goes_on(&gateway).await;
}

#[tokio::test]
async fn hosts_of_which_no_url_can_be_made_are_refused() {
    let gateway = answering();
    for host in [
        "Host: a b\r\n",
        "Host: u@x\r\n",
        "Host: x\r\nHost: y\r\n",
        "",
        "Host: \r\n",
        "Host: x/y\r\n",
        "Host: [::1\r\n",
        "Host: x:port\r\n",
        "Host: x:99999\r\n",
        "Host: \u{e9}\r\n",
    ] {
        let answer =
            gateway.raw(format!("GET / HTTP/1.1\r\n{host}Connection: close\r\n\r\n")).await;
        assert_eq!(answer.status, 400, "{host:?}");
        assert_eq!(answer.json(), json!({ "message": "Bad Request" }), "{host:?}");
    }
    goes_on(&gateway).await;
}

#[tokio::test]
async fn a_query_that_is_not_utf8_reaches_the_function_or_is_refused() {
    let (recorder, mut events) = Recorder::answering(json!({ "statusCode": 204 }));
    let gateway = TestGateway::custom(&[Route::new("GET", "/a")], recorder);
    assert_eq!(gateway.get("/a?q=%FF%C3%28&q=%zz&%=").await.status, 204);
    let event = events.recv().await.unwrap();
    assert_eq!(event["rawQueryString"], "q=%FF%C3%28&q=%zz&%=");
    let expected = json!({ "q": "\u{fffd}\u{fffd}(,%zz", "%": "" });
    assert_eq!(event["queryStringParameters"], expected);
    // Bytes that are not encoded at all are no URL.
    let answer =
        gateway.raw(b"GET /a?q=\xff HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
    refused(&answer, 400, "Bad Request");
    assert_eq!(gateway.get("/a").await.status, 204);
}

#[tokio::test]
async fn framing_that_can_be_read_in_two_ways_is_refused() {
    let gateway = answering();
    for framing in [
        "Content-Length: 1\r\nContent-Length: 2",
        "Content-Length: 3, 4",
        "Content-Length: +3",
        "Content-Length: -1",
        "Content-Length: 0x3",
        "Content-Length: 99999999999999999999",
        "Transfer-Encoding: xchunked",
        "Transfer-Encoding: chunked, identity",
        "Transfer-Encoding: identity",
        "Transfer-Encoding : chunked",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
    ] {
        let rest = "Connection: close\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
        let request = format!("POST / HTTP/1.1\r\nHost: x\r\n{framing}\r\n{rest}");
        let mut stream = TcpStream::connect(gateway.address()).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).await.unwrap();
        let text = String::from_utf8_lossy(&bytes);
        assert!(text.starts_with("HTTP/1.1 400"), "{framing:?}: {text}");
        assert!(text.ends_with(r#"{"message":"Bad Request"}"#), "{framing:?}: {text}");
        assert_eq!(text.matches("HTTP/1.1").count(), 1, "{framing:?}: {text}");
        goes_on(&gateway).await;
    }
    assert!(
        gateway.http().iter().all(|exchange| exchange.name == "http.GET $default"),
        "{:?}",
        gateway.http()
    );
}

/// By RFC 9112 the chunks count, and nothing after them is believed.
#[tokio::test]
async fn with_two_lengths_the_chunks_count_and_the_connection_ends() {
    let gateway = answering();
    for framing in [
        "Transfer-Encoding: chunked\r\nContent-Length: 4",
        "Content-Length: 4\r\nTransfer-Encoding: chunked",
        "Content-Length: 4\r\nTransfer-Encoding: chunked\r\nContent-Length: 99",
    ] {
        let smuggled = "GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n";
        let request = format!(
            "POST / HTTP/1.1\r\nHost: x\r\n{framing}\r\n\r\n3\r\nabc\r\n0\r\n\r\n{smuggled}"
        );
        let answer = gateway.raw(request).await;
        assert_eq!((answer.status, answer.body), (200, b"abc".to_vec()), "{framing:?}");
        assert!(answer.head.contains("connection: close"), "{framing:?}: {}", answer.head);
        goes_on(&gateway).await;
    }
    let paths = gateway.http().into_iter().filter_map(|exchange| match exchange.detail {
        ExchangeDetail::Http { path, .. } => Some(path),
        _ => None,
    });
    assert!(paths.into_iter().all(|path| path == "/"));
}

#[tokio::test]
async fn chunks_are_read_and_bad_ones_refused() {
    let gateway = answering();
    let chunked = |chunks: &str| {
        format!(
            "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n{chunks}"
        )
    };
    let answer = gateway.raw(chunked("3;x=y\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")).await;
    assert_eq!((answer.status, answer.body), (200, b"abcde".to_vec()));
    for chunks in ["zz\r\n", "-1\r\n", "3\r\nabcd\r\n0\r\n\r\n", "FFFFFFFFFFFFFFFFF\r\nabc", "\r\n"]
    {
        let answer = gateway.raw(chunked(chunks)).await;
        assert_eq!(answer.status, 400, "{chunks:?}");
        assert_eq!(answer.json(), json!({ "message": "Bad Request" }), "{chunks:?}");
        goes_on(&gateway).await;
    }
}

#[tokio::test]
async fn what_is_not_http_is_refused() {
    let gateway = answering();
    for request in [
        "GARBAGE\r\n\r\n",
        "GET / HTTP/9.9\r\n\r\n",
        "\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\nA\u{0}: b\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\n folded: b\r\n\r\n",
    ] {
        refused(&gateway.raw(request).await, 400, "Bad Request");
    }
    goes_on(&gateway).await;
}

#[tokio::test]
async fn what_is_not_http_is_refused_after_answers_on_the_same_connection_too() {
    let gateway = answering();
    for body in ["", "body"] {
        let length = body.len();
        let good = format!("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n{body}");
        let mut stream = TcpStream::connect(gateway.address()).await.unwrap();
        stream.write_all(format!("{good}{good}GARBAGE\r\n\r\n").as_bytes()).await.unwrap();
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).await.unwrap();
        let text = String::from_utf8_lossy(&bytes);
        let statuses = ["HTTP/1.1 200", "HTTP/1.1 400"].map(|line| text.matches(line).count());
        assert_eq!(statuses, [2, 1], "{text}");
        assert!(text.ends_with(r#"{"message":"Bad Request"}"#), "{text}");
    }
    goes_on(&gateway).await;
}
