//! The proxy as its clients meet it: over sockets, with TLS, in front of parts that stand for those of a world.

#![expect(clippy::unwrap_used, reason = "a helper of a test fails its test")]

mod support;

use std::collections::BTreeSet;

use futures::future::join_all;
use rehearse_testutils::{until, until_true};
use reqwest::StatusCode;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use support::{Running, SIGNED};

#[tokio::test]
async fn each_host_is_answered_by_its_part_with_what_the_client_sent() {
    let running = Running::start().await;
    let client = running.client();
    for (url, part) in [
        ("https://api.twilio.com/2010-04-01/a?b=c", "twilio"),
        ("https://API.TWILIO.COM:443/2010-04-01/a?b=c", "twilio"),
        ("https://messaging.twilio.com/2010-04-01/a?b=c", "twilio"),
        ("https://api.openai.com/2010-04-01/a?b=c", "openai"),
        ("https://dynamodb.us-east-1.amazonaws.com/2010-04-01/a?b=c", "dynamodb"),
        ("https://123456789012.ddb.us-east-1.amazonaws.com/2010-04-01/a?b=c", "dynamodb"),
        ("https://lambda.us-east-1.amazonaws.com/2010-04-01/a?b=c", "lambda"),
        // In the open: an absolute URL, on the port of HTTP.
        ("http://api.twilio.com/2010-04-01/a?b=c", "twilio"),
    ] {
        let request = client.post(url).basic_auth("AC1", Some("secret")).body("Body=Hi");
        let answer = until("an answer", request.send()).await.unwrap();
        assert_eq!(answer.headers()["x-part"], part, "{url}");
        let text = answer.text().await.unwrap();
        let host = url.split('/').nth(2).unwrap().trim_end_matches(":443").to_ascii_lowercase();
        let expected = format!("POST /2010-04-01/a?b=c {host} Basic QUMxOnNlY3JldA== Body=Hi");
        assert_eq!(text, expected, "{url}");
    }
    assert_eq!(running.proxy.refusals(), []);
}

#[tokio::test]
async fn a_body_of_a_megabyte_goes_there_and_back() {
    let running = Running::start().await;
    let body = "x".repeat(1 << 20);
    let request = running.client().post("https://api.openai.com/echo").body(body.clone());
    let answer = until("an answer", request.send()).await.unwrap();
    assert!(until("its body", answer.text()).await.unwrap() == body);
}

#[tokio::test]
async fn what_is_streamed_arrives_as_it_comes() {
    let running = Running::start().await;
    let request = running.client().get("https://api.openai.com/stream");
    let mut answer = until("the head of the answer", request.send()).await.unwrap();
    let first = until("the first part", answer.chunk()).await.unwrap().unwrap();
    assert_eq!(&first[..], b"data: 1\n\n");
    // The part sends nothing more until then: whoever keeps the answer back waits for ever.
    running.parts.go_on.notify_one();
    let second = until("the second part", answer.chunk()).await.unwrap().unwrap();
    assert_eq!(&second[..], b"data: 2\n\n");
    assert!(until("the end", answer.chunk()).await.unwrap().is_none());
}

#[tokio::test]
async fn a_connection_that_a_part_cuts_is_cut_for_its_client() {
    let running = Running::start().await;
    let client = running.client();
    let cut = until("an end", client.get("https://api.twilio.com/cut").send()).await;
    assert!(cut.unwrap_err().is_request());
    let torn = until("an answer", client.get("https://api.twilio.com/torn").send()).await.unwrap();
    running.parts.go_on.notify_one();
    assert!(until("an end", torn.text()).await.is_err(), "half an answer is no answer");
    let whole = client.post("https://api.twilio.com/echo").body("after that");
    let whole = until("an answer", whole.send()).await.unwrap();
    assert_eq!(whole.text().await.unwrap(), "after that");
}

#[tokio::test]
async fn every_other_host_is_refused_in_words_and_counted() {
    let running = Running::start().await;
    for (host, words) in [
        ("example.com:443", "api.twilio.com"),
        ("EXAMPLE.com:443", "api.twilio.com"),
        ("93.184.216.34:443", "stand-in"),
        ("api.twilio.com:8443", "ports 443 and 80"),
        ("shop.localhost:3000", "NO_PROXY"),
        ("localhost:3000", "NO_PROXY=localhost,.localhost,127.0.0.1,::1"),
        ("127.0.0.1:3000", "NO_PROXY"),
        ("[::1]:3000", "NO_PROXY"),
    ] {
        let answer = running.raw(&format!("CONNECT {host} HTTP/1.1\r\nHost: {host}\r\n\r\n")).await;
        let named = host.to_ascii_lowercase();
        let line = format!("HTTP/1.1 403 Forbidden: {named} is refused by rehearse\r\n");
        assert!(answer.starts_with(&line), "{answer}");
        assert!(
            answer.contains(&format!("refuses {named}: ")) && answer.contains(words),
            "{answer}"
        );
    }
    let plain = running.client().get("http://example.com/x").send().await.unwrap();
    assert_eq!(plain.status(), StatusCode::FORBIDDEN);
    assert!(plain.text().await.unwrap().contains("example.com:80"));
    let counted: Vec<_> =
        running.proxy.refusals().into_iter().map(|one| (one.destination, one.count)).collect();
    let expected = [
        ("127.0.0.1:3000", 1),
        ("93.184.216.34:443", 1),
        ("[::1]:3000", 1),
        ("api.twilio.com:8443", 1),
        ("example.com:443", 2),
        ("example.com:80", 1),
        ("localhost:3000", 1),
        ("shop.localhost:3000", 1),
    ];
    assert_eq!(counted, expected.map(|(host, count)| (host.to_owned(), count)));
}

#[tokio::test]
async fn other_services_of_aws_are_named_by_their_signature_or_refused() {
    let running = Running::start().await;
    let url = "https://sqs.us-east-1.amazonaws.com/";
    let signed = running.client().post(url).header("authorization", SIGNED).send().await.unwrap();
    assert_eq!(signed.headers()["x-part"], "dynamodb");
    let unsigned = running.client().post(url).send().await.unwrap();
    assert_eq!(unsigned.status(), StatusCode::FORBIDDEN);
    assert!(unsigned.text().await.unwrap().contains("no signature of AWS"));
    assert_eq!(running.proxy.refusals()[0].destination, "sqs.us-east-1.amazonaws.com:443");
}

#[tokio::test]
async fn a_client_that_does_not_trust_the_authority_gets_no_answer_and_is_told_of() {
    let running = Running::start().await;
    let stranger = running.stranger().get("https://api.twilio.com/").send();
    assert!(until("an end", stranger).await.unwrap_err().is_connect());
    until_true("the refusal", || !running.proxy.refusals().is_empty()).await;
    let told = running.proxy.refusals().remove(0);
    assert_eq!((told.destination.as_str(), told.count), ("api.twilio.com:443", 1));
    assert!(told.advice.starts_with("the client does not trust the proxy"), "{}", told.advice);
    assert!(told.advice.contains("SSL_CERT_FILE"), "{}", told.advice);
}

#[tokio::test]
async fn garbage_and_direct_requests_are_answered_and_harm_nobody() {
    let running = Running::start().await;
    for (sent, begins) in [
        ("GET /2010-04-01 HTTP/1.1\r\nHost: api.twilio.com\r\n\r\n", "HTTP/1.1 400"),
        ("CONNECT api.twilio.com HTTP/1.1\r\n\r\n", "HTTP/1.1 400"),
        ("CONNECT api.twilio.com:99999 HTTP/1.1\r\n\r\n", "HTTP/1.1 400"),
        ("\u{16}\u{3}\u{1}\u{0}\u{5}hello\r\n\r\n", "HTTP/1.1 400"),
        ("\r\n\r\nNONSENSE\r\n\r\n", "HTTP/1.1 400"),
    ] {
        let answer = running.raw(sent).await;
        assert!(answer.starts_with(begins), "{sent:?}: {answer}");
    }
    // No TLS where TLS is due, and a tunnel that is left alone.
    for more in ["nonsense\r\n\r\n", ""] {
        let mut stream = running.tunnel("api.twilio.com:443").await;
        stream.write_all(more.as_bytes()).await.unwrap();
        stream.shutdown().await.unwrap();
        let mut rest = Vec::new();
        until("the end", stream.read_to_end(&mut rest)).await.unwrap();
    }
    assert_eq!(running.client().get("https://api.twilio.com/").send().await.unwrap().status(), 200);
    // Nobody said that the certificate is not trusted.
    let ended = || running.proxy.refusals().first().is_some_and(|one| one.count == 2);
    until_true("both ends", ended).await;
    let told = running.proxy.refusals().remove(0);
    assert_eq!(told.destination, "api.twilio.com:443");
    assert!(told.advice.starts_with("the connection ended before a request"), "{}", told.advice);
}

#[tokio::test]
async fn an_absolute_url_goes_before_the_host_that_its_client_names() {
    let running = Running::start().await;
    let mut stream = TcpStream::connect(running.address()).await.unwrap();
    let request =
        "GET http://api.twilio.com/x HTTP/1.1\r\nHost: other.example\r\nConnection: close\r\n\r\n";
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    until("the answer", stream.read_to_string(&mut answer)).await.unwrap();
    assert!(answer.contains("GET /x api.twilio.com - "), "{answer}");
}

#[tokio::test]
async fn a_slow_client_is_served_and_keeps_nobody_waiting() {
    let running = Running::start().await;
    let mut slow = TcpStream::connect(running.address()).await.unwrap();
    let request = b"GET http://api.twilio.com/slow HTTP/1.1\r\nHost: api.twilio.com\r\n\r\n";
    let (first, rest) = request.split_at(20);
    for byte in first {
        slow.write_all(&[*byte]).await.unwrap();
        tokio::task::yield_now().await;
    }
    let other = running.client().get("https://api.twilio.com/").send();
    assert_eq!(until("another's answer", other).await.unwrap().status(), 200);
    for byte in rest {
        slow.write_all(&[*byte]).await.unwrap();
    }
    let mut head = [0; 15];
    until("an answer", slow.read_exact(&mut head)).await.unwrap();
    assert_eq!(&head, b"HTTP/1.1 200 OK");
}

#[tokio::test]
async fn many_at_once_each_get_their_own_answer() {
    let running = Running::start().await;
    let asked = (0..100).map(|number| {
        // A client of its own, so that each has its own tunnel.
        let client = running.client();
        async move {
            let host = ["api.twilio.com", "api.openai.com"][number % 2];
            let request =
                client.post(format!("https://{host}/echo")).body(format!("number {number}"));
            request.send().await.unwrap().text().await.unwrap()
        }
    });
    let answers = until("all answers", join_all(asked)).await;
    let expected: BTreeSet<_> = (0..100).map(|number| format!("number {number}")).collect();
    assert_eq!(answers.into_iter().collect::<BTreeSet<_>>(), expected);
}

#[tokio::test]
async fn a_tunnel_ends_with_the_proxy_and_its_world_may_end_before() {
    let running = Running::start().await;
    let mut tunnel = running.tunnel("api.twilio.com:443").await;
    let plain = running.client();
    let Running { proxy, parts } = running;
    drop(parts);
    let lost = until("an answer", plain.get("http://api.twilio.com/").send()).await.unwrap();
    assert_eq!(lost.status(), StatusCode::BAD_GATEWAY);
    drop(proxy);
    let mut rest = Vec::new();
    let end = until("the end of the tunnel", tunnel.read_to_end(&mut rest)).await;
    assert_eq!(end.unwrap_or(0), 0);
}
