//! CORS by the API.

use super::*;

fn cors() -> Cors {
    Cors {
        origins: Origins(vec!["https://a.example".into()]),
        methods: Some("GET,POST".into()),
        headers: Some("authorization,content-type".into()),
        expose: Some("x-id".into()),
        credentials: true,
        max_age: Some(300),
    }
}

/// An API with one route whose function has ideas of its own on CORS.
fn with_cors(api: template::Api, route: Route) -> TestGateway {
    let headers = json!({
        "access-control-allow-origin": "*",
        "Access-Control-Allow-Methods": "BREW",
        "x-own": "1",
    });
    let (recorder, _events) =
        Recorder::answering(json!({ "statusCode": 200, "headers": headers, "body": "own" }));
    TestGateway::behind(api, &[route], recorder)
}

/// Status, CORS headers and body.
fn seen(answer: &HttpResponse) -> (u16, Vec<&str>, &str) {
    let mut cors: Vec<_> =
        answer.head.split("\r\n").filter(|line| line.starts_with("access-control-")).collect();
    cors.sort_unstable();
    (answer.status, cors, std::str::from_utf8(&answer.body).unwrap())
}

fn preflight(path: &str, origin: &str) -> String {
    format!("OPTIONS {path} HTTP/1.1\r\nOrigin: {origin}\r\nAccess-Control-Request-Method: GET")
}

#[tokio::test]
async fn an_http_api_answers_preflights_without_a_route() {
    let api = template::Api { cors: Some(cors()), ..template::Api::http("Web") };
    let gateway = with_cors(api, Route::new("GET", "/a"));
    // The path need not even have a route.
    for path in ["/a", "/nowhere"] {
        let answer = gateway.send(&preflight(path, "https://a.example"), "").await;
        let all = vec![
            "access-control-allow-credentials: true",
            "access-control-allow-headers: authorization,content-type",
            "access-control-allow-methods: get,post",
            "access-control-allow-origin: https://a.example",
            "access-control-max-age: 300",
        ];
        assert_eq!(seen(&answer), (204, all, ""), "{path}");
    }
    let answer = gateway.send(&preflight("/a", "https://b.example"), "").await;
    assert_eq!(seen(&answer), (204, vec![], ""));
    assert_eq!(gateway.http()[0].name, "http.OPTIONS /a");
    // Without what makes it a preflight it is an ordinary request.
    assert_eq!(
        gateway.send("OPTIONS /a HTTP/1.1\r\nOrigin: https://a.example", "").await.status,
        404
    );
}

#[tokio::test]
async fn an_http_api_replaces_what_the_function_says() {
    let api = template::Api { cors: Some(cors()), ..template::Api::http("Web") };
    let gateway = with_cors(api, Route::new("GET", "/a"));
    let answer = gateway.send("GET /a HTTP/1.1\r\nOrigin: https://a.example", "").await;
    let theirs = vec![
        "access-control-allow-credentials: true",
        "access-control-allow-origin: https://a.example",
        "access-control-expose-headers: x-id",
    ];
    assert_eq!(seen(&answer), (200, theirs.clone(), "own"));
    assert!(answer.head.contains("x-own: 1"), "{}", answer.head);
    // Whoever may not call, and whoever is no browser, is told nothing.
    let answer = gateway.send("GET /a HTTP/1.1\r\nOrigin: https://b.example", "").await;
    assert_eq!(seen(&answer), (200, vec![], "own"));
    assert_eq!(seen(&gateway.get("/a").await), (200, vec![], "own"));
    // A script may read an error too.
    let answer = gateway.send("GET /b HTTP/1.1\r\nOrigin: https://a.example", "").await;
    assert_eq!((answer.status, seen(&answer).1), (404, theirs));
}

#[tokio::test]
async fn without_a_configuration_the_functions_word_stands() {
    let gateway = with_cors(template::Api::http("Web"), Route::new("GET", "/a"));
    let answer = gateway.send("GET /a HTTP/1.1\r\nOrigin: https://a.example", "").await;
    let own = vec!["access-control-allow-methods: brew", "access-control-allow-origin: *"];
    assert_eq!(seen(&answer), (200, own, "own"));
    assert_eq!(gateway.send(&preflight("/a", "https://a.example"), "").await.status, 404);
}

#[tokio::test]
async fn a_rest_api_has_a_mock_for_each_path_and_leaves_the_function_alone() {
    let cors = Cors { methods: None, credentials: false, ..cors() };
    let api = template::Api { cors: Some(cors), ..template::Api::rest("Web", "Prod") };
    let route = Route { payload: Payload::Rest, ..Route::new("GET", "/a") };
    let gateway = with_cors(api, route);
    let answer = gateway.send("OPTIONS /Prod/a HTTP/1.1", "").await;
    let mock = vec![
        "access-control-allow-headers: authorization,content-type",
        "access-control-allow-methods: get,options",
        "access-control-allow-origin: https://a.example",
        "access-control-max-age: 300",
    ];
    assert_eq!(seen(&answer), (200, mock, "{}\n"));
    let answer = gateway.send("GET /Prod/a HTTP/1.1\r\nOrigin: https://a.example", "").await;
    let own = vec!["access-control-allow-methods: brew", "access-control-allow-origin: *"];
    assert_eq!(seen(&answer), (200, own, "own"));
    assert_eq!(gateway.send("OPTIONS /Prod/b HTTP/1.1", "").await.status, 403);
}
