//! Requests that Twilio signed, with anything in their fields: a signature covers names and values
//! without the boundaries between them, and a person types what they like.

use http::StatusCode;

use super::{INTERNAL, PRIVATE, bodies::odd_texts};
use crate::{
    dispatcher::{shop, sign},
    events::{TestRequest, request},
    logs::EveryLine,
};

const SID: &str = "SM00000000000000000000000000000007";
/// The fields of a text, and of a report on one.
const TEXT: [(&str, &str); 10] = [
    ("MessageSid", SID),
    ("AccountSid", "AC1"),
    ("From", "+19042520927"),
    ("To", "+19045550100"),
    ("Body", "Hello"),
    ("NumMedia", "1"),
    ("MediaUrl0", "https://api.twilio.example/1"),
    ("OptOutType", "HELP"),
    ("ErrorCode", "11200"),
    ("ErrorUrl", "https://shop.example/dispatcher"),
];
const REPORT: [(&str, &str); 6] = [
    ("MessageSid", SID),
    ("AccountSid", "AC1"),
    ("From", "+19045550100"),
    ("To", "+19042520927"),
    ("MessageStatus", "undelivered"),
    ("ErrorCode", "30003"),
];
/// Words that no line of the log may have, wherever they stand in a request.
const WORDS: [&str; 2] = ["Where is my giraffe? s3cret", "+19042520927 Nightingale"];

fn encoded(fields: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

fn signed(path: &'static str, form: &str) -> TestRequest {
    let signature = sign(&format!("https://shop.example{path}"), form);
    request("POST", path).form(form).header("x-twilio-signature", signature)
}

/// A request with each field left out, repeated, and replaced by each text; and some that no form is.
fn forms(fields: &[(&str, &str)], texts: &[String]) -> Vec<String> {
    let mut all = Vec::new();
    for (at, (name, _)) in fields.iter().enumerate() {
        let mut without = fields.to_vec();
        without.remove(at);
        all.push(encoded(&without));
        for text in texts {
            let mut changed = fields.to_vec();
            changed[at].1 = text;
            all.push(encoded(&changed));
            changed.push(fields[at]);
            all.push(encoded(&changed));
        }
        all.push(format!("{}&{name}=%FF%C0%80", encoded(&without)));
        all.push(format!("{}&{name}", encoded(&without)));
    }
    all.extend(["", "&&&", "=", "%", "Body=%E0%A4%A"].map(str::to_owned));
    all
}

async fn statuses(path: &'static str, forms: &[String]) -> Vec<StatusCode> {
    let mut seen = Vec::new();
    for form in forms {
        let (router, _, _) = shop("Hello", &[]);
        let answer = signed(path, form).send(&router).await;
        for internal in INTERNAL {
            assert!(!answer.text.contains(internal), "{form:.200}: {}", answer.text);
        }
        seen.push(answer.status);
    }
    seen.sort();
    seen.dedup();
    seen
}

/// Too long a body is refused before its signature is looked at.
#[tokio::test]
async fn whatever_is_signed_is_answered_or_refused() {
    let seen = statuses("/dispatcher", &forms(&TEXT, &odd_texts())).await;
    assert_eq!(seen, [200, 403].map(|status| StatusCode::from_u16(status).unwrap()));
    let seen = statuses("/message-status", &forms(&REPORT, &odd_texts())).await;
    assert_eq!(seen, [204].map(|status| StatusCode::from_u16(status).unwrap()));
    let long = encoded(&[("Body", &"a".repeat(70_000))]);
    assert_eq!(statuses("/dispatcher", &[long]).await, [StatusCode::PAYLOAD_TOO_LARGE]);
}

#[tokio::test]
async fn no_field_of_a_signed_request_reaches_the_log() {
    let lines = EveryLine::capture();
    let words = WORDS.map(str::to_owned);
    statuses("/dispatcher", &forms(&TEXT, &words)).await;
    statuses("/message-status", &forms(&REPORT, &words)).await;
    let logged = lines.text();
    for expected in ["text received", "called as the fallback URL", "a confirmation did not arrive"]
    {
        assert!(logged.contains(expected), "nothing was logged of {expected:?}");
    }
    for line in logged.lines() {
        for private in PRIVATE {
            assert!(!line.contains(private), "{private}: {line}");
        }
    }
}
