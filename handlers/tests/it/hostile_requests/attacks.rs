//! What nobody sends who means well.

use super::{
    bodies,
    routes::{BOOKED, Caller, Route},
};
use crate::events::{TestRequest, request};

/// Methods, of which some are a route's own.
const METHODS: [&str; 10] =
    ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE", "CONNECT", "PROPFIND"];
/// The admin token of the routers.
const RIGHT_TOKEN: &str = "Bearer s3cret";
const OWN_ORIGIN: &str = "https://shop.example";
const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";
/// Names of fields that some route reads.
const FIELDS: [&str; 8] =
    ["phone", "date", "status", "max_discount", "hours", "token", "hold_id", "Body"];

/// A request, and what must come of it.
pub struct Attack {
    /// Tells it from others in a failed test.
    pub name: String,
    pub request: TestRequest,
    /// Whether it has what lets its caller in.
    pub is_let_in: bool,
    /// Whether its body is right but for one value, so that it comes as far as a request can.
    pub is_nearly_right: bool,
    pub expected: Expected,
}

/// What must come of an attack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// Nothing is written.
    NoWrite,
    /// It is refused, and nothing is written.
    Refusal,
    /// Nothing is written unless it is taken.
    Either,
    /// It is taken: what attacks change only a bit of is right.
    Success,
}

fn attack(name: impl Into<String>, request: TestRequest) -> Attack {
    let (is_let_in, is_nearly_right) = (true, false);
    let expected = Expected::NoWrite;
    Attack { name: name.into(), request, is_let_in, is_nearly_right, expected }
}

/// A request that nobody may be let in by.
fn shut_out(name: impl Into<String>, request: TestRequest) -> Attack {
    let expected = Expected::Refusal;
    Attack { is_let_in: false, expected, ..attack(name, request) }
}

/// Everything for a route. `session` is the cookie of a session that holds.
pub fn on(route: Route, session: &str) -> Vec<Attack> {
    let mut attacks = wrong_methods(route);
    attacks.extend(wrong_tokens(route));
    attacks.extend(wrong_sessions(route, session));
    attacks.extend(odd_places(route));
    attacks.extend(odd_queries(route));
    attacks.extend(odd_headers(route));
    for method in route.methods {
        if route.caller == Caller::Owner && route.needs_no_body(method) {
            continue;
        }
        attacks.extend(odd_bodies(route, method));
        attacks.extend(changed_bodies(route, method));
    }
    attacks
}

/// A request to the route with what lets its caller in, as far as anybody can have it.
fn ask(route: Route, method: &'static str) -> TestRequest {
    ask_at(route, method, "nobody")
}

fn ask_at(route: Route, method: &'static str, place: &str) -> TestRequest {
    let asked = request(method, "").path(route.path_of(place));
    match route.caller {
        Caller::Owner => asked.header("authorization", RIGHT_TOKEN),
        Caller::Twilio => asked.header("x-twilio-signature", "RSOYDt4T1cUTdK1PDd93/VVr8B8="),
        // The owner's own page asks for a session.
        Caller::Anybody if route.path == "/owner/session" => {
            asked.header("origin", OWN_ORIGIN).header("sec-fetch-site", "same-origin")
        }
        Caller::Anybody | Caller::Lambda => asked,
    }
}

fn wrong_methods(route: Route) -> Vec<Attack> {
    let wrong = METHODS.into_iter().filter(|method| !route.methods.contains(method));
    wrong.map(|method| attack(method, ask(route, method).json(&"x".into()))).collect()
}

fn wrong_tokens(route: Route) -> Vec<Attack> {
    let header = match route.caller {
        Caller::Anybody | Caller::Lambda => return Vec::new(),
        Caller::Owner => "authorization",
        Caller::Twilio => "x-twilio-signature",
    };
    let long = format!("Bearer s3cret{}", "s3cret".repeat(10_000));
    let tokens = [
        "",
        " ",
        "Bearer",
        "Bearer ",
        "Bearer s3cre",
        "Bearer 3cret",
        "Bearer S3CRET",
        "Bearer s3crett",
        "Bearer s3cret, Bearer s3cret",
        "Bearer s3cret\u{200f}",
        "Bearer s3cr\u{e9}t",
        "Bearer \u{ff53}3cret",
        "Basic s3cret",
        "RSOYDt4T1cUTdK1PDd93",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAA=",
        &long,
    ];
    let mut attacks = Vec::new();
    for method in route.methods {
        let asked = || request(method, "").path(route.path_of("+19042520927"));
        attacks.push(shut_out(format!("{method} without a token"), asked()));
        for token in tokens {
            let name = format!("{method} with the token {token:.40}");
            attacks.push(shut_out(name, asked().header(header, token).json(&"{}".into())));
        }
    }
    attacks
}

/// Sessions that nobody was given, and a right one from another page.
fn wrong_sessions(route: Route, session: &str) -> Vec<Attack> {
    if route.caller != Caller::Owner {
        return Vec::new();
    }
    let opens = route.path.starts_with("/owner/");
    let value = session.split_once('=').map_or("", |(_, value)| value);
    let (end, rest) = value.split_once('.').unwrap_or_default();
    let wrong = [
        "session=".to_owned(),
        "session=..".to_owned(),
        format!("session={}", "a".repeat(8_000)),
        format!("session={rest}.{end}"),
        format!("session=9{end}.{rest}"),
        format!("session={end}.{rest}0"),
        format!("session=-{end}.{rest}"),
        format!("session={}", value.to_uppercase().replace(|c: char| c.is_ascii_digit(), "F")),
        "session=\u{200f}; session=%00".to_owned(),
    ];
    let mut attacks = Vec::new();
    for method in route.methods {
        let asked = || {
            let asked = request(method, "").path(route.path_of(BOOKED)).json(&"{}".into());
            asked.header("origin", OWN_ORIGIN).header("sec-fetch-site", "same-origin")
        };
        for cookie in &wrong {
            let name = format!("{method} with the cookie {cookie:.40}");
            attacks.push(shut_out(name, asked().header("cookie", cookie)));
        }
        if !opens {
            // The session is the page's: other programs' routes do not know it.
            let name = format!("{method} with a session of the page");
            attacks.push(shut_out(name, asked().header("cookie", session)));
        } else if *method != "GET" {
            for origin in ["null", "https://evil.example", "https://shop.example.evil.example", ""]
            {
                let asked = asked().header("cookie", session).header("origin", origin);
                attacks.push(shut_out(format!("{method} from the page {origin}"), asked));
            }
        }
    }
    attacks
}

/// Headers that say something else than the gateway, or nothing that can be read.
fn odd_headers(route: Route) -> Vec<Attack> {
    let long = "a,".repeat(4_000);
    let mut attacks = Vec::new();
    for method in route.methods {
        if route.needs_no_body(method) {
            continue;
        }
        for name in [
            "accept-language",
            "accept",
            "cookie",
            "if-none-match",
            "idempotency-key",
            "origin",
            "sec-fetch-site",
            "user-agent",
            "x-amzn-trace-id",
            "x-forwarded-for",
        ] {
            for value in ["", "\u{200f}\u{e9}", "*;q=1e999", "\"", "-1", &long] {
                let asked = ask(route, method).json(&"x".into()).header(name, value);
                attacks.push(attack(format!("{method} with {name}: {value:.20}"), asked));
            }
        }
    }
    attacks
}

/// Bodies that are right but for one value.
fn changed_bodies(route: Route, method: &'static str) -> Vec<Attack> {
    let right = bodies::right(route, method);
    let is_read = bodies::are_taken(route);
    let asked = || ask_at(route, method, BOOKED);
    let expected = |must_be_refused| match route.caller {
        // What is no task is not repeated, so it is no failure.
        Caller::Lambda => Expected::NoWrite,
        _ if must_be_refused => Expected::Refusal,
        _ => Expected::Either,
    };
    let success = if is_read { Expected::Success } else { Expected::Refusal };
    let mut attacks = Vec::new();
    let mut push = |name: String, request: TestRequest, expected| {
        let attack = attack(format!("{method} {name}"), request);
        attacks.push(Attack { is_nearly_right: true, expected, ..attack });
    };
    for body in &right.json {
        push("of the right JSON".into(), asked().json(body), success);
        for changed in bodies::changed_json(body) {
            push(changed.name, asked().json(&changed.body), expected(changed.must_be_refused));
        }
    }
    for form in &right.forms {
        push("of the right form".into(), asked().form(&bodies::encoded(form)), success);
        for changed in bodies::changed_forms(form) {
            let name = format!("form {}", changed.name);
            push(name, asked().form(&bodies::encoded(&changed.body)), expected(false));
        }
    }
    attacks
}

/// Odd values of a path's variable part, and paths that are not there.
fn odd_places(route: Route) -> Vec<Attack> {
    let long = "9".repeat(8_000);
    let places = ["%00", "%FF%FE", "..%2F..%2Fstate", "%2B19042520927%20x", "%E2%80%8F", &long];
    let mut attacks = Vec::new();
    for method in route.methods {
        for place in places {
            let path = route.path_of(place);
            let path = if path == route.path { format!("{path}/{place}") } else { path };
            let name = format!("{method} {path:.60}");
            attacks.push(attack(name, ask(route, method).path(path)));
        }
    }
    attacks
}

fn odd_queries(route: Route) -> Vec<Attack> {
    let mut queries: Vec<String> =
        ["%", "date=%zz", "date=%FF", "date=%00", "=&=&&", "date=2026-02-11&date=2026-02-12"]
            .map(str::to_owned)
            .into();
    queries.push(format!("date={}", "9".repeat(7_000)));
    queries.push("a=b&".repeat(2_000));
    let query = |query: &String| {
        attack(format!("GET with the query {query:.40}"), ask(route, "GET").query(query))
    };
    queries.iter().filter(|_| route.methods.contains(&"GET")).map(query).collect()
}

fn odd_bodies(route: Route, method: &'static str) -> Vec<Attack> {
    let mut attacks = Vec::new();
    let mut send = |name: &str, media_type: &str, body: Vec<u8>| {
        let name = format!("{method} of {name} as {media_type:.60}");
        attacks.push(attack(name, ask(route, method).body(media_type, body)));
    };
    let long_type = "a".repeat(8_000);
    for media_type in [
        "",
        JSON,
        FORM,
        "application/json; charset=utf-16",
        "APPLICATION/JSON;;;",
        "application/json, text/plain",
        "multipart/form-data; boundary=",
        "text/plain",
        "application/xml",
        &long_type,
    ] {
        for (name, body) in broken() {
            send(name, media_type, body);
        }
    }
    for media_type in [JSON, FORM] {
        send("10 KB", media_type, vec![b'a'; 10_000]);
        send("a megabyte", media_type, vec![b'a'; 1_000_000]);
    }
    for (name, body) in odd_json() {
        send(&name, JSON, body.into_bytes());
    }
    for field in FIELDS {
        send("a repeated field", FORM, format!("{field}=a&{field}=b").into_bytes());
    }
    for (name, value) in [
        ("content-length", "1, 2"),
        ("content-length", "99999999999999999999"),
        ("content-length", "-1"),
        ("transfer-encoding", "chunked"),
        ("content-encoding", "gzip"),
    ] {
        let asked = ask(route, method).body(JSON, b"\x1f\x8b\x08".to_vec()).header(name, value);
        attacks.push(attack(format!("{method} with {name}: {value}"), asked));
    }
    attacks
}

/// Bodies that are nothing in any encoding.
fn broken() -> Vec<(&'static str, Vec<u8>)> {
    let utf16 = "{\"status\":\"gym\"}".encode_utf16().flat_map(u16::to_le_bytes);
    vec![
        ("nothing", Vec::new()),
        ("one byte", b"{".to_vec()),
        ("NUL", vec![0]),
        ("invalid UTF-8", b"{\"status\":\"\xff\xfe\"}".to_vec()),
        ("a half percent sign", b"status%=%&phone=%E0%A4%A".to_vec()),
        ("half a gzip header", b"\x1f\x8b\x08".to_vec()),
        ("UTF-16", [0xff, 0xfe].into_iter().chain(utf16).collect()),
        ("a byte order mark", b"\xef\xbb\xbf{\"status\":\"gym\"}".to_vec()),
        (
            "half a customer",
            b"{\"phone\":\"+19042520927\",\"customer_name\":\"Nightingale".to_vec(),
        ),
        ("a customer's words", b"Where is my giraffe? +19042520927 s3cret".to_vec()),
    ]
}

/// JSON that is too deep, too large, ambiguous, or of the wrong type in every field that is read.
fn odd_json() -> Vec<(String, String)> {
    let deep = 10_000;
    let mut all = vec![
        ("deep lists".to_owned(), "[".repeat(deep) + &"]".repeat(deep)),
        ("deep objects".to_owned(), "{\"a\":".repeat(deep) + "1" + &"}".repeat(deep)),
        ("an open depth".to_owned(), "{\"hours\":[".repeat(deep / 2)),
    ];
    for field in FIELDS {
        for value in [
            "1e400",
            "-1e400",
            "99999999999999999999999999",
            "1.5",
            "null",
            "[]",
            "{\"a\":{}}",
            "\"\\ud800\"",
            "\"\\u0000\\u202e\\u200f\"",
        ] {
            all.push((format!("{field} {value}"), format!("{{\"{field}\":{value}}}")));
        }
        let twice = format!("{{\"{field}\":\"gym\",\"{field}\":\"driving\"}}");
        all.push((format!("{field} twice"), twice));
    }
    all
}
