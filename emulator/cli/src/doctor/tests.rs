use axum::{
    Router,
    http::{HeaderMap, HeaderName, StatusCode},
    routing::{get, post},
};

use super::*;
use rehearse_core::serve::Serving;
use rehearse_testutils as testing;

const TEMPLATE: &str = "
Resources:
  Hello:
    Type: AWS::Serverless::Function
    Properties:
      Events:
        Sms: { Type: HttpApi, Properties: { Path: /sms, Method: POST } }
        Read: { Type: HttpApi, Properties: { Path: /state, Method: GET } }
        Write: { Type: HttpApi, Properties: { Path: /state, Method: POST } }
        Ask: { Type: HttpApi, Properties: { Path: /state, Method: OPTIONS } }
        One: { Type: HttpApi, Properties: { Path: '/leads/{id}', Method: GET } }
";

const DOCTOR: &str = r#"
[doctor]
headers = ["Authorization"]
[[doctor.checks]]
name = "the state is shown"
get = "/state?on={tomorrow}"
status = 200
contains = "free"
"#;

/// How the backend is broken.
#[derive(Clone, Copy, Default, PartialEq)]
struct Broken {
    webhook: Option<u16>,
    signed: Option<u16>,
    state: Option<(u16, &'static str)>,
    preflight: Option<u16>,
    without: Option<&'static str>,
    nowhere: Option<u16>,
}

fn code(status: u16) -> StatusCode {
    StatusCode::from_u16(status).unwrap()
}

fn backend(broken: Broken) -> Router {
    let webhook = move |headers: HeaderMap| async move {
        let signed = headers.contains_key("x-twilio-signature");
        code(if signed { broken.signed } else { broken.webhook }.unwrap_or(403))
    };
    let show = move || async move {
        let (status, body) = broken.state.unwrap_or((200, "free: 9:00 AM"));
        (code(status), body)
    };
    let preflight = move || async move {
        let all = [
            ("access-control-allow-origin", "*"),
            ("access-control-allow-methods", "GET, POST"),
            ("access-control-allow-headers", "Content-Type, authorization"),
        ];
        let headers: HeaderMap = all
            .into_iter()
            .filter(|(name, _)| Some(*name) != broken.without)
            .map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap()))
            .collect();
        (code(broken.preflight.unwrap_or(204)), headers)
    };
    Router::new()
        .route("/sms", post(webhook))
        .route("/state", get(show).options(preflight))
        .fallback(move || async move { code(broken.nowhere.unwrap_or(404)) })
}

/// The names of the checks that fail.
async fn failing(broken: Broken) -> Vec<String> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let serving = Serving::router(listener, backend(broken)).unwrap();
    let client = Client::new(serving.url()).unwrap();
    let settings = testing::settings(&format!("{}{DOCTOR}", testing::SETTINGS));
    let mut failing = Vec::new();
    for check in all(&testing::template(TEMPLATE), &settings) {
        if !check.run(&client).await.passed {
            failing.push(check.name);
        }
    }
    failing
}

#[tokio::test]
async fn what_is_right_passes() {
    assert_eq!(failing(Broken::default()).await, [""; 0]);
}

/// Every check fails for what it names, and for nothing else.
#[tokio::test]
async fn what_is_broken_is_named() {
    let right = Broken::default();
    let pages = &["a page may GET /state", "a page may POST /state"][..];
    for (broken, expected) in [
        (Broken { webhook: Some(200), ..right }, &["an unsigned webhook is refused"][..]),
        (Broken { signed: Some(503), ..right }, &["a webhook with a wrong signature is refused"]),
        (Broken { state: Some((500, "")), ..right }, &["/state answers", "the state is shown"]),
        (Broken { state: Some((200, "nothing")), ..right }, &["the state is shown"]),
        (Broken { state: Some((201, "free")), ..right }, &["the state is shown"]),
        (Broken { preflight: Some(500), ..right }, pages),
        (Broken { without: Some("access-control-allow-origin"), ..right }, pages),
        (Broken { without: Some("access-control-allow-methods"), ..right }, pages),
        (Broken { without: Some("access-control-allow-headers"), ..right }, pages),
        (Broken { nowhere: Some(200), ..right }, &["other paths lead nowhere"]),
    ] {
        assert_eq!(failing(broken).await, expected);
    }
}

#[test]
fn a_base_url_has_a_scheme_and_nothing_behind_its_path() {
    assert_eq!(base("https://a.example/prod/").unwrap(), "https://a.example/prod");
    for wrong in ["a.example", "ftp://a.example", "https://a.example/?x=1", "https://a.example/#a"]
    {
        assert!(base(wrong).is_err(), "{wrong}");
    }
}
