//! Every server of a running world with what no client sends: wrong methods, paths, types, lengths,
//! encodings and nesting. None answers 5xx, none stops, and nothing panics.

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpStream},
};

use crate::{process::PATIENCE, up::Up};

/// A server, a header that its clients have, and paths of it.
type Surface = (&'static str, &'static str, &'static [&'static str]);

/// The parts that `up` prints, in the order in which they are attacked: the gateway last, because the
/// backend behind it uses the others.
const SURFACES: [Surface; 7] = [
    (
        "control",
        "x-none: 1",
        &[
            "/ready",
            "/endpoints",
            "/sms",
            "/messages",
            "/journal?since=-1&wait=x&phone=%00",
            "/tables/Leads",
            "/tables/%00%FF",
            "/tables/Leads/items?limit=-1",
            "/clock",
            "/faults",
            "/nothing",
        ],
    ),
    (
        "twilio",
        "authorization: Basic QUMwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDowMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMA==",
        &[
            "/2010-04-01/Accounts/AC00000000000000000000000000000000/Messages.json",
            "/2010-04-01/Accounts/AC00000000000000000000000000000000/Messages.json?PageSize=x&DateSent%3E=%FF",
            "/2010-04-01/Accounts/AC00000000000000000000000000000000/Messages/%00.json",
            "/2010-04-01/Accounts/AC00000000000000000000000000000000/IncomingPhoneNumbers.json",
            "/2010-04-01/Accounts/AC1/Messages.json",
            "/",
        ],
    ),
    (
        "openai",
        "authorization: Bearer sk-rehearse",
        &["/v1/responses", "/v1/chat/completions", "/v1/models/%00", "/v1/files", "/"],
    ),
    (
        "dynamodb",
        "x-amz-target: DynamoDB_20120810.PutItem",
        &["/", "/fn/Dispatcher/", "/fn/", "/x"],
    ),
    ("dynamodb", "x-amz-target: DynamoDB_20120810.TransactWriteItems", &["/", "/fn/%00/"]),
    (
        "lambda",
        "x-amz-invocation-type: Event",
        &[
            "/2015-03-31/functions/LateReply/invocations",
            "/2015-03-31/functions/%00/invocations",
            "/",
        ],
    ),
    (
        "gateway",
        "authorization: Bearer wrong",
        &[
            "/dispatcher",
            "/message-status",
            "/scheduler?date=%zz",
            "/scheduler/confirm",
            "/book?date=%00",
            "/book/ics",
            "/state",
            "/calendar/time-off",
            "/customers/%00",
            "/owner",
            "/owner/session",
            "/owner/api/overview?days=-1",
            "/..%2f..%2fetc",
            "//",
            "/%FF%FE",
        ],
    ),
];

const METHODS: [&str; 9] =
    ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE", "PROPFIND"];
const TYPES: [&str; 4] =
    ["application/json", "application/x-www-form-urlencoded", "application/x-amz-json-1.0", ""];

/// Bodies that are nothing in any format, or of another shape than anybody expects.
fn bodies() -> Vec<Vec<u8>> {
    let deep = 50_000;
    vec![
        Vec::new(),
        b"{".to_vec(),
        vec![0],
        vec![0xff; 300],
        b"null".to_vec(),
        b"[1]".to_vec(),
        br#"{"a":1e400}"#.to_vec(),
        br#"{"body":"\ud800","model":7,"input":{},"messages":{},"tools":[[]],"TableName":{},"Item":[],"TransactItems":[7,{"Put":7}]}"#.to_vec(),
        br#"{"now":"yesterday","advance":"-999999999999 years","name":"dynamodb.*","failure":{"status":99}}"#.to_vec(),
        b"To=%FF&From=%00&Body=%&Body=%E0%A4%A&MediaUrl=://&SendAt=x&ValidityPeriod=-1".to_vec(),
        "[".repeat(deep).into_bytes(),
        "{\"a\":".repeat(deep).into_bytes(),
        vec![b'a'; 300_000],
    ]
}

/// Sends a request as it is, and returns the status of the answer; `None` when there is none.
fn status(address: &str, head: &str, body: &[u8]) -> Option<u16> {
    status_when(address, head, body, false)
}

/// The same for a request that may never end: what sends it is closed.
fn status_of_broken(address: &str, head: &str) -> Option<u16> {
    status_when(address, head, b"{}", true)
}

fn status_when(address: &str, head: &str, body: &[u8], is_closed: bool) -> Option<u16> {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    // A server may answer and close before it has read everything.
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body));
    if is_closed {
        let _ = stream.shutdown(Shutdown::Write);
    }
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    let line = String::from_utf8_lossy(&answer[..answer.len().min(20)]).into_owned();
    line.strip_prefix("HTTP/1.1 ").or(line.strip_prefix("HTTP/1.0 "))?.get(..3)?.parse().ok()
}

fn address(up: &Up, part: &str) -> String {
    up.url(part).strip_prefix("http://").unwrap().split('/').next().unwrap().to_owned()
}

#[test]
fn no_server_of_a_world_answers_a_hostile_request_with_5xx() {
    let mut up = Up::start_and_read_errors();
    let bodies = bodies();
    let mut sent = 0;
    let mut wrong = Vec::new();
    for (part, header, paths) in SURFACES {
        let address = address(&up, part);
        for path in paths {
            for (at, method) in METHODS.into_iter().enumerate() {
                for (number, body) in bodies.iter().enumerate() {
                    let kind = TYPES[(at + number) % TYPES.len()];
                    let head = format!(
                        "{method} {path} HTTP/1.1\r\nhost: {address}\r\n{header}\r\ncontent-type: {kind}\r\n\
                         content-length: {}\r\nconnection: close\r\n\r\n",
                        body.len()
                    );
                    let answered = status(&address, &head, body);
                    sent += 1;
                    // A server may refuse a long body and close before it was sent, so that its answer is lost.
                    let is_short = body.len() < 10_000;
                    if answered.map_or(is_short, |status| status >= 500) {
                        let body = String::from_utf8_lossy(&body[..body.len().min(80)]);
                        wrong.push(format!(
                            "{part}: {method} {path} as {kind:?}: {answered:?} {body}"
                        ));
                    }
                }
            }
        }
        for head in broken_heads(&address) {
            let answered = status_of_broken(&address, &head);
            if answered.is_some_and(|status| status >= 500) {
                wrong.push(format!("{part}: {answered:?} to {head:.120?}"));
            }
        }
        // It goes on serving.
        let head = format!("GET / HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
        assert!(status(&address, &head, b"").is_some(), "{part} serves no more");
    }
    assert!(sent > 3_000, "only {sent} requests were sent");
    assert!(wrong.is_empty(), "{} of {sent}:\n{}", wrong.len(), wrong.join("\n"));
    let ran = up.rehearse(&["send", "Do you fix iPhone screens?"]);
    assert!(ran.code == 0 && ran.out.contains("$79"), "the world goes on: {ran:?}");
    let errors = up.interrupt_and_take_errors();
    assert!(!errors.contains("panicked"), "{errors}");
}

/// Heads that no library sends.
fn broken_heads(address: &str) -> Vec<String> {
    let long = "a".repeat(20_000);
    vec![
        "\r\n\r\n".to_owned(),
        "GET\r\n\r\n".to_owned(),
        format!("GET / HTTP/9.9\r\nhost: {address}\r\n\r\n"),
        "GET / HTTP/1.1\r\n\r\n".to_owned(),
        "GET / HTTP/1.1\r\nhost: a b\r\nconnection: close\r\n\r\n".to_owned(),
        "GET / HTTP/1.1\r\nhost: shop.example:99999\r\nconnection: close\r\n\r\n".to_owned(),
        "GET / HTTP/1.1\r\nhost: [\r\nx-forwarded-proto: a b\r\nconnection: close\r\n\r\n"
            .to_owned(),
        format!("GET /?a=<b>\"{{}}|^` HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n"),
        format!("GET /{long} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n"),
        format!("GET / HTTP/1.1\r\nhost: {address}\r\nx: {long}\r\nconnection: close\r\n\r\n"),
        format!(
            "POST / HTTP/1.1\r\nhost: {address}\r\ncontent-length: 99\r\ncontent-length: 2\r\n\r\n"
        ),
        format!("POST / HTTP/1.1\r\nhost: {address}\r\ncontent-length: -1\r\n\r\n"),
        format!("POST / HTTP/1.1\r\nhost: {address}\r\ntransfer-encoding: chunked\r\n\r\nZZ\r\n"),
        format!("POST /v1/responses HTTP/1.1\r\nhost: {address}\r\ncontent-length: 99999\r\n\r\n"),
        "\u{16}\u{3}\u{1}\u{2}\0\u{1}".to_owned(),
    ]
}
