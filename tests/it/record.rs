//! Conversations of a running world become scenarios that pass at once.

use rehearse_testutils::Folder;
use reqwest::Method;
use serde_json::{Value, json};

use crate::process::rehearse;
use crate::support::{project, root};
use crate::up::Up;

/// Where every conversation begins.
const NOW: &str = "2026-02-10T15:10:00-05:00";
/// The token of the owner's API.
const TOKEN: &str = "rehearse-admin-token";

/// A running world, and a project of its own for what is recorded.
struct Studio {
    up: Up,
    web: reqwest::Client,
    folder: Folder,
    names: Vec<String>,
}

/// What happens in a conversation, besides texts of the customer.
enum Line<'a> {
    Text(&'a str),
    From(&'a str, &'a str),
    Pictures(&'a str, &'a [&'a str]),
    /// Both at the same time.
    Together([(&'a str, &'a str); 2]),
    Request(&'a str, &'a str, Value),
    Owner(&'a str, &'a str, Value),
    Fault(Value),
    Script(Value),
    Wait(&'a str),
}

use Line::{Fault, From, Owner, Pictures, Request, Script, Text, Together, Wait};

impl Studio {
    fn new() -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let web = reqwest::Client::builder().no_proxy().tls_certs_only([]).build().unwrap();
        Self { up: Up::start(), web, folder: project(), names: Vec::new() }
    }

    async fn control(&self, method: Method, path: &str, body: Value) -> Value {
        let url = format!("{}{path}", self.up.url("control"));
        let response = self.web.request(method, url).json(&body).send().await.unwrap();
        let status = response.status();
        let text = response.text().await.unwrap();
        assert!(status.is_success(), "{path} {body}: {status} {text}");
        serde_json::from_str(&text).unwrap()
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        self.control(Method::POST, path, body).await
    }

    /// A world at its start, with the owner at the shop.
    async fn fresh(&self) {
        self.post("/reset", json!({})).await;
        self.control(Method::DELETE, "/scripts", json!({})).await;
        self.post("/clock", json!({ "now": NOW })).await;
        self.post("/fixtures/owner-at-shop", json!({})).await;
    }

    async fn play(&self, lines: &[Line<'_>]) {
        for line in lines {
            match line {
                Text(text) => self.text("customer", text).await,
                From(who, text) => self.text(who, text).await,
                Pictures(text, media) => {
                    self.post("/sms", json!({ "body": text, "media": media })).await;
                }
                Together([(ann, first), (bob, second)]) => {
                    tokio::join!(self.text(ann, first), self.text(bob, second));
                }
                Request(method, path, body) => self.request(method, path, body, false).await,
                Owner(method, path, body) => self.request(method, path, body, true).await,
                Fault(fault) => {
                    self.post("/faults", fault.clone()).await;
                }
                Script(script) => {
                    self.post("/scripts", script.clone()).await;
                }
                Wait(length) => {
                    self.post("/clock", json!({ "advance": length })).await;
                }
            }
        }
    }

    async fn text(&self, who: &str, text: &str) {
        let sent = self.post("/sms", json!({ "from": who, "body": text })).await;
        assert_eq!(sent["failure"], Value::Null, "{who}: {text}: {sent}");
    }

    async fn request(&self, method: &str, path: &str, body: &Value, is_owner: bool) {
        let url = format!("{}{path}", self.up.url("gateway"));
        let mut request = self.web.request(method.parse().unwrap(), url);
        if !body.is_null() {
            request = request.json(body);
        }
        if is_owner {
            request = request.bearer_auth(TOKEN);
        }
        let status = request.send().await.unwrap().status();
        assert!(status.is_success(), "{method} {path}: {status}");
    }

    /// Records what happened since the last reset; returns the file's text.
    async fn record(&mut self, name: &str, what: Value) -> String {
        let mut request = json!({ "name": name });
        request.as_object_mut().unwrap().extend(what.as_object().unwrap().clone());
        let recorded = self.post("/scenarios", request).await;
        let yaml = recorded["yaml"].as_str().unwrap().to_owned();
        let file = recorded["file"].as_str().unwrap();
        self.folder.write(&format!("scenarios/{file}"), &yaml);
        self.names.push(name.to_owned());
        yaml
    }

    /// Why something is not recorded.
    async fn refused(&self, what: Value) -> String {
        let mut request = json!({ "name": "refused" });
        request.as_object_mut().unwrap().extend(what.as_object().unwrap().clone());
        let url = format!("{}/scenarios", self.up.url("control"));
        let response = self.web.post(url).json(&request).send().await.unwrap();
        assert_eq!(response.status(), 409);
        response.json::<Value>().await.unwrap()["error"].as_str().unwrap().to_owned()
    }

    /// One conversation from the start, as a file.
    async fn scene(&mut self, name: &str, lines: &[Line<'_>]) -> String {
        self.fresh().await;
        self.play(lines).await;
        self.record(name, json!({ "all": true })).await
    }

    /// Everything that was recorded passes, and says so.
    fn all_pass(&self) {
        let checked = rehearse(self.folder.path(), &["check"]);
        assert_eq!(checked.code, 0, "{checked:?}");
        let ran = rehearse(self.folder.path(), &["run", "--jobs", "4"]);
        let passed = ran.out.lines().filter(|line| line.trim_start().starts_with("ok ")).count();
        assert_eq!((ran.code, passed), (0, self.names.len()), "{}\n{}", ran.out, ran.err);
    }
}

/// What must not stand in a file: it is another one in every run, or somebody's number.
fn is_clean(yaml: &str) {
    assert!(!yaml.contains("+1512"), "a stranger's number in\n{yaml}");
    let steps = yaml.split_once("\nsteps:").unwrap().1;
    for pattern in [
        r"LEAD-\d{8}-\d{6}",
        r"\bSM[0-9a-f]{32}\b",
        r"\b1[67]\d{8}\b",
        r"\b1[67]\d{11}\b",
        r"[0-9a-f]{32}",
        r"\+1904",
        TOKEN,
    ] {
        let found = regex::Regex::new(pattern).unwrap().find(steps).map(|found| found.as_str());
        assert_eq!(found, None, "{pattern} in\n{yaml}");
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

#[test]
fn conversations_with_the_persona_become_scenarios_that_pass() {
    let scenes: Vec<(&str, Vec<Line<'_>>)> = vec![
        ("price", vec![Text("Do you fix iPhone screens?")]),
        ("hello", vec![Text("Hello"), Text("Thanks"), Text("Bye")]),
        ("hours", vec![Text("When are you open?")]),
        ("free times", vec![Text("What times do you have tomorrow?")]),
        (
            "free afternoon",
            vec![Text("Can I come on Thursday afternoon?"), Text("2pm with my iPhone 13 screen")],
        ),
        ("books in one text", vec![Text("Book me tomorrow at 2pm for an iPhone screen")]),
        (
            "books over three texts",
            vec![
                Text("My iPhone screen is cracked"),
                Text("Any time this Thursday?"),
                Text("Yes, 2pm please, I'm Ana"),
            ],
        ),
        (
            "books and lists",
            vec![
                Text("Book me tomorrow at 3pm for a Samsung battery"),
                Text("What do I have booked?"),
            ],
        ),
        (
            "books and cancels",
            vec![
                Text("Book me tomorrow at 10am for an iPhone screen"),
                Text("Please call off my appointment"),
            ],
        ),
        (
            "books and moves",
            vec![
                Text("Book me tomorrow at 11am for an iPhone screen"),
                Text("Move my appointment to Friday at 9am"),
            ],
        ),
        (
            "books two and cancels one",
            vec![
                Text("Book me tomorrow at 9am for an iPhone screen"),
                Text("Book me tomorrow at 1pm for a Samsung battery"),
                Text("I need to call off a booking"),
                Text("The one at 1pm"),
            ],
        ),
        ("nothing to cancel", vec![Text("Please call off my appointment")]),
        ("closed day", vec![Text("Can I come on Sunday?")]),
        (
            "taken time",
            vec![
                From("customer2", "Book me tomorrow at 2pm for an iPhone screen"),
                Text("Book me tomorrow at 2pm for an iPhone screen"),
            ],
        ),
        ("discount", vec![Text("Can I get a discount?")]),
        ("water", vec![Text("My phone fell into the pool"), Text("It is an iPhone 14")]),
        ("stop and start", vec![Text("STOP"), Text("START"), Text("Hello again")]),
        ("stop in words", vec![Text("please don't text me anymore")]),
        ("asks for a person", vec![Text("Can I talk to a real person?")]),
        (
            "special characters",
            vec![
                Text(
                    "# \"quoted\" 'single' {{ customer }} {% if %} {# c #}\nline two\n\n- a: b 🙂",
                ),
                Text("yes"),
                Text("1e3"),
                Text("null"),
                Text("{{"),
                Text("  ~ "),
                Text("é🙂\u{2028}x\u{7f}"),
            ],
        ),
        (
            "pictures",
            vec![
                Pictures(
                    "Look at my cracked iPhone screen",
                    &["https://example.com/one.jpg", "https://example.com/two.png?a={{b}}"],
                ),
                Pictures("", &["https://example.com/only.jpg"]),
            ],
        ),
        (
            "two people in turn",
            vec![
                From("customer", "My iPhone screen is cracked"),
                From("customer2", "My Samsung battery dies fast"),
                From("customer", "Tomorrow at 2"),
                From("customer2", "Tomorrow at 3"),
                From("customer", "Yes"),
                From("customer2", "Yes"),
            ],
        ),
        (
            "two people at once",
            vec![
                Together([
                    ("customer", "Do you fix iPhone screens?"),
                    ("customer2", "How much is a Samsung battery?"),
                ]),
                Together([("customer", "Yes"), ("customer2", "Yes")]),
            ],
        ),
        (
            "a stranger",
            vec![
                From("+15125550123", "Book me tomorrow at 2pm for an iPhone screen"),
                From("+15125550123", "What do I have booked?"),
            ],
        ),
        (
            "the owner",
            vec![
                From("owner", "/gym back at 5pm"),
                Text("What times do you have tomorrow?"),
                From("owner", "/status"),
                From("owner", "hello there"),
            ],
        ),
        (
            "the owner's state by request",
            vec![
                Owner(
                    "PUT",
                    "/state",
                    json!({ "status": "break", "location": "Corner Cafe", "notes": "Back at four" }),
                ),
                Text("Hello"),
                Owner("GET", "/state", Value::Null),
            ],
        ),
        (
            "a form",
            vec![
                Request("GET", "/scheduler?date=2026-02-11", Value::Null),
                Request(
                    "POST",
                    "/scheduler",
                    json!({ "phone": "+19042520927", "date": "2026-02-11", "time": "2:00 PM", "repair_type": "screen", "device": "iPhone 15", "customer_name": "Sam" }),
                ),
                Text("What do I have booked?"),
                Text("Please call off my appointment"),
            ],
        ),
        (
            "time passes",
            vec![
                Text("Book me tomorrow at 2pm for an iPhone screen"),
                Wait("26h"),
                Text("What do I have booked?"),
                Wait("90s"),
                Text("Can I come tomorrow?"),
            ],
        ),
        (
            "the model is away once",
            vec![
                Fault(json!({ "on": "openai.responses", "fail": 503, "times": 1 })),
                Text("Do you fix iPhone screens?"),
            ],
        ),
        (
            "the model is away",
            vec![
                Fault(json!({ "on": "openai.responses", "fail": 500, "times": 9 })),
                Text("Do you fix iPhone screens?"),
            ],
        ),
        (
            "the database throttles",
            vec![
                Text("Hello"),
                Fault(
                    json!({ "on": "dynamodb.TransactWriteItems", "fail": "throttled", "times": 1 }),
                ),
                Text("Book me tomorrow at 2pm for an iPhone screen"),
            ],
        ),
        (
            "the acknowledgement is lost",
            vec![
                Fault(
                    json!({ "on": "dynamodb.TransactWriteItems", "table": "Schedule", "fail": "cut-after", "times": 1 }),
                ),
                Text("Book me tomorrow at 2pm for an iPhone screen"),
            ],
        ),
        (
            "twilio is busy",
            vec![
                Fault(json!({ "on": "twilio.messages.create", "fail": 503, "times": 1 })),
                Text("Book me tomorrow at 2pm for an iPhone screen"),
            ],
        ),
        (
            "a scripted model",
            vec![
                Script(
                    json!({ "text": "Tell me a lot", "model": [{ "say": format!("none\n{}\n# yes: \"{{{{ '{{{{' }}}}\" end", "A long line with many words. ".repeat(12)) }] }),
                ),
                Text("Tell me a lot"),
                Script(json!({ "text": "none", "model": [{ "say": "none" }] })),
                Text("none"),
                Script(
                    json!({ "text": "refuse", "model": [{ "fail": { "refusal": "I can't help with that." } }] }),
                ),
                Text("refuse"),
            ],
        ),
    ];
    assert!(scenes.len() >= 20);
    runtime().block_on(async {
        let mut studio = Studio::new();
        for (name, lines) in &scenes {
            let yaml = studio.scene(name, lines).await;
            is_clean(&yaml);
        }
        studio.all_pass();
    });
}

#[test]
fn the_last_turns_begin_with_the_rows_of_that_moment() {
    runtime().block_on(async {
        let mut studio = Studio::new();
        studio.fresh().await;
        studio
            .play(&[
                From("customer2", "Book me tomorrow at 10am for a Samsung battery"),
                Text("My iPhone screen is cracked"),
                Text("Tomorrow at 2"),
                Text("Yes"),
                Text("What do I have booked?"),
                Text("Please call off my appointment"),
            ])
            .await;
        let yaml = studio.record("the last one", json!({})).await;
        assert!(
            yaml.contains("customer: Please call off") && !yaml.contains("customer: Tomorrow at 2"),
            "{yaml}"
        );
        assert!(yaml.contains("owner-at-shop") && yaml.contains("Leads:"), "{yaml}");
        studio.record("the last three", json!({ "turns": 3 })).await;
        studio.record("only one person", json!({ "all": true, "phone": "customer" })).await;
        let journal =
            studio.control(Method::GET, "/journal?name=sms.received&wait=0", json!({})).await;
        let seq = |at: usize| journal["entries"][at]["seq"].as_u64().unwrap();
        let middle = json!({ "from": seq(1), "to": seq(3) - 1 });
        let yaml = studio.record("two in the middle", middle).await;
        assert!(
            yaml.contains("customer: Tomorrow at 2")
                && !yaml.contains("customer: \"Yes\"")
                && !yaml.contains("Samsung battery"),
            "{yaml}"
        );
        studio.all_pass();
    });
}

#[test]
fn turns_of_others_stay_out_of_a_recording_or_refuse_it() {
    runtime().block_on(async {
        let mut studio = Studio::new();
        studio.fresh().await;
        studio
            .play(&[
                Text("My iPhone screen is cracked"),
                From("customer2", "Book me tomorrow at 10am for a Samsung battery"),
                Text("Hello"),
            ])
            .await;
        let ann = json!({ "all": true, "phone": "customer" });
        let yaml = studio.record("only one of two", ann.clone()).await;
        assert!(!yaml.contains("customer2") && !yaml.contains("Samsung"), "{yaml}");
        studio.all_pass();

        // Which times are free depends on the other's booking.
        studio.play(&[Text("What times do you have tomorrow?")]).await;
        let refused = studio.refused(ann).await;
        assert!(refused.contains("a turn that is left out wrote rows"), "{refused}");
    });
}

#[test]
fn what_no_step_says_is_refused() {
    runtime().block_on(async {
        let studio = Studio::new();
        studio.fresh().await;
        studio.text("customer", "Hello").await;
        studio.post("/clock", json!({ "now": "2026-02-09T15:10:00-05:00" })).await;
        studio.text("customer", "Hello").await;
        let refused = studio.refused(json!({ "all": true })).await;
        assert!(refused.contains("business time was put back"), "{refused}");
    });
}

#[test]
fn the_command_writes_the_file_once() {
    let studio = Studio::new();
    let folder = studio.folder.path();
    let control = studio.up.url("control");
    let run = |words: &[&str]| rehearse(folder, &[words, &["--control", &control]].concat());
    let nothing = run(&["record", "Nothing yet"]);
    assert_eq!(nothing.code, 2, "{nothing:?}");
    assert!(nothing.err.contains("nothing to record"), "{nothing:?}");

    assert_eq!(run(&["send", "Do you fix iPhone screens?"]).code, 0);
    let first = run(&["record", "A price: iPhone?"]);
    assert_eq!(first.code, 0, "{first:?}");
    assert!(first.out.starts_with("scenarios/recorded/a-price-iphone.yaml"), "{first:?}");
    let again = run(&["record", "A price: iPhone?"]);
    assert_eq!(again.code, 2, "{again:?}");
    assert!(again.err.contains("is there already") && again.err.contains("--force"), "{again:?}");
    assert_eq!(run(&["record", "A price: iPhone?", "--force"]).code, 0);
    let printed = run(&["record", "Printed", "--output", "-"]);
    assert!(printed.out.contains("name: Printed\n"), "{printed:?}");
    let passed = rehearse(folder, &["run", "scenarios/recorded/a-price-iphone.yaml"]);
    assert_eq!(passed.code, 0, "{passed:?}");
    for wrong in [
        &["record", "x", "--turns", "0"][..],
        &["record", "x", "--all", "--turns", "2"],
        &["record", " "],
    ] {
        assert_eq!(run(wrong).code, 2, "{wrong:?}");
    }
}

#[test]
fn a_chat_is_saved_by_a_line() {
    let folder = project();
    let ran = crate::process::command(folder.path(), &["chat", "--now", NOW])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .and_then(|mut child| {
            use std::io::Write as _;
            let lines = "Do you fix iPhone screens?\nTomorrow at 2\n/save My first chat\n";
            child.stdin.take().unwrap().write_all(lines.as_bytes())?;
            child.wait_with_output()
        })
        .unwrap();
    assert!(ran.status.success(), "{ran:?}");
    let passed = rehearse(folder.path(), &["run", "scenarios/recorded/my-first-chat.yaml"]);
    assert_eq!(passed.code, 0, "{passed:?}");
    assert!(root().join("scenarios").exists());
}
