use std::sync::{Arc, Mutex};

use axum::{
    Router,
    extract::RawQuery,
    http::{HeaderMap, HeaderName, StatusCode},
    routing::{get, post},
};

use jiff::civil::{Date, Weekday, date};

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

/// A Saturday.
const TODAY: Date = date(2026, 11, 28);

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
    for check in all(&testing::template(TEMPLATE), &settings, TODAY) {
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

const SLOTS: &str = r#"
[[doctor.checks]]
name = "free slots are listed"
get = "/slots?{day}"
status = 200
contains = "9:00"
"#;

/// Runs the check for free slots on a day, against a backend that has some on every weekday but
/// `closed`. Returns the result and the dates that were asked for.
async fn slots(today: Date, closed: &'static [Weekday]) -> (CheckResult, Vec<Date>) {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&asked);
    let list = move |RawQuery(query): RawQuery| async move {
        let day: Date = query.unwrap().parse().unwrap();
        log.lock().unwrap().push(day);
        if closed.contains(&day.weekday()) { "closed" } else { "9:00 AM" }
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let serving = Serving::router(listener, Router::new().route("/slots", get(list))).unwrap();
    let client = Client::new(serving.url()).unwrap();
    let settings = testing::settings(&format!("{}{SLOTS}", testing::SETTINGS));
    let check = all(&testing::template(TEMPLATE), &settings, today).pop().unwrap();
    let result = check.run(&client).await;
    let asked = asked.lock().unwrap().clone();
    (result, asked)
}

#[tokio::test]
async fn a_day_on_which_the_backend_is_open_is_found_from_any_day() {
    let week = (0..7).map(|days| TODAY.checked_add(jiff::Span::new().days(days)).unwrap());
    let clocks_change = [date(2026, 3, 7), date(2026, 3, 8), date(2026, 10, 31), date(2026, 11, 1)];
    let calendar = [date(2028, 2, 28), date(2028, 2, 29), date(2027, 2, 28), date(2026, 12, 31)];
    for today in week.chain(clocks_change).chain(calendar) {
        let (result, asked) = slots(today, &[Weekday::Sunday]).await;
        assert!(result.passed, "{today}: {}", result.summary);
        let tomorrow = today.tomorrow().unwrap();
        let open = match tomorrow.weekday() {
            Weekday::Sunday => vec![tomorrow, tomorrow.tomorrow().unwrap()],
            _ => vec![tomorrow],
        };
        assert_eq!(asked, open, "no more days than are needed");
        // One day a week is enough.
        use Weekday::{Friday, Monday, Saturday, Sunday, Thursday, Tuesday};
        let (result, _) =
            slots(today, &[Monday, Tuesday, Thursday, Friday, Saturday, Sunday]).await;
        assert!(result.passed, "{today}: {}", result.summary);
    }
}

#[tokio::test]
async fn a_backend_that_is_never_open_fails_after_a_week() {
    use Weekday::{Friday, Monday, Saturday, Sunday, Thursday, Tuesday, Wednesday};
    let always = &[Monday, Tuesday, Wednesday, Thursday, Friday, Saturday, Sunday];
    let (result, asked) = slots(date(2028, 2, 27), always).await;
    assert!(!result.passed);
    assert_eq!(result.summary, "on none of 7 days; the last one: 200 without 9:00");
    assert_eq!(asked.first(), Some(&date(2028, 2, 28)));
    assert_eq!(asked.last(), Some(&date(2028, 3, 5)));
}

#[test]
fn a_base_url_has_a_scheme_and_nothing_behind_its_path() {
    assert_eq!(base("https://a.example/prod/").unwrap(), "https://a.example/prod");
    for wrong in ["a.example", "ftp://a.example", "https://a.example/?x=1", "https://a.example/#a"]
    {
        assert!(base(wrong).is_err(), "{wrong}");
    }
}
