//! What nobody sends who means well.

use super::routes::{Caller, Route};
use crate::events::{TestRequest, request};

/// Methods, of which some are a route's own.
const METHODS: [&str; 10] =
    ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE", "CONNECT", "PROPFIND"];
/// The admin token of the routers.
const RIGHT_TOKEN: &str = "Bearer s3cret";
const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";
/// Names of fields that some route reads.
const FIELDS: [&str; 8] =
    ["phone", "date", "status", "max_discount", "hours", "token", "hold_id", "Body"];

/// A request, and what tells it from others in a failed test.
pub struct Attack {
    pub name: String,
    pub request: TestRequest,
}

fn attack(name: impl Into<String>, request: TestRequest) -> Attack {
    Attack { name: name.into(), request }
}

/// Everything for a route.
pub fn on(route: Route) -> Vec<Attack> {
    let mut attacks = wrong_methods(route);
    attacks.extend(wrong_tokens(route));
    attacks.extend(odd_places(route));
    attacks.extend(odd_queries(route));
    for method in route.methods {
        if route.caller == Caller::Owner && route.needs_no_body(method) {
            continue;
        }
        attacks.extend(odd_bodies(route, method));
    }
    attacks
}

/// A request to the route with what lets its caller in, as far as anybody can have it.
fn ask(route: Route, method: &'static str) -> TestRequest {
    let asked = request(method, "").path(route.path_of("nobody"));
    match route.caller {
        Caller::Owner => asked.header("authorization", RIGHT_TOKEN),
        Caller::Twilio => asked.header("x-twilio-signature", "RSOYDt4T1cUTdK1PDd93/VVr8B8="),
        Caller::Anybody => asked,
    }
}

fn wrong_methods(route: Route) -> Vec<Attack> {
    let wrong = METHODS.into_iter().filter(|method| !route.methods.contains(method));
    wrong.map(|method| attack(method, ask(route, method).json(&"x".into()))).collect()
}

fn wrong_tokens(route: Route) -> Vec<Attack> {
    let header = match route.caller {
        Caller::Anybody => return Vec::new(),
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
        attacks.push(attack(format!("{method} without a token"), asked()));
        for token in tokens {
            let name = format!("{method} with the token {token:.40}");
            attacks.push(attack(name, asked().header(header, token).json(&"{}".into())));
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
