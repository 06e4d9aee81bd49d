//! The OpenAPI document is true: each operation responds as it says, errors included.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::support::{Running, asking};
use crate::{loopback_client, operations::Operations};
use rehearse_core::journal::Limits;
use rehearse_testutils::{Folder, TEMPLATE};

/// A client that checks every response against the document.
struct Walk {
    running: Running,
    document: Value,
    /// The operations that have succeeded, and those that have failed as described.
    succeeded: BTreeSet<String>,
    failed: BTreeSet<String>,
}

impl Walk {
    /// Calls an operation by its id; `parts` are the parts of its path that vary, with the query after
    /// them. Returns the body.
    async fn call(&mut self, id: &str, parts: &[&str], body: &str, status: u16) -> Value {
        let (path, method, operation) = self.operation(id);
        let mut url = path.clone();
        let mut query = "";
        for part in parts {
            match url.find('{') {
                Some(start) => {
                    let end = url.find('}').unwrap();
                    url.replace_range(start..=end, part);
                }
                None => query = part,
            }
        }
        assert!(!url.contains('{'), "{url}");
        let (came, value) =
            self.running.call(&method.to_uppercase(), &format!("{url}{query}"), body).await;
        assert_eq!(came, status, "{id}: {value}");
        self.check(id, &operation, status, &value);
        let all = if status < 400 { &mut self.succeeded } else { &mut self.failed };
        all.insert(if status < 400 { id.into() } else { format!("{id} {status}") });
        value
    }

    fn check(&self, id: &str, operation: &Value, status: u16, value: &Value) {
        let mut response = &operation["responses"][status.to_string()];
        if let Some(to) = response["$ref"].as_str() {
            response = self.document.pointer(to.strip_prefix('#').unwrap()).unwrap();
        }
        let schema = &response["content"]["application/json"]["schema"];
        assert!(schema.is_object(), "{id} says nothing of {status}");
        let mut whole = schema.clone();
        whole["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
        whole["components"] = self.document["components"].clone();
        let validator = jsonschema::validator_for(&whole).unwrap();
        let wrong: Vec<String> = validator
            .iter_errors(value)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(wrong.is_empty(), "{id} {status}: {}\n{value}", wrong.join("\n"));
    }

    /// The path, the method and the description of an operation.
    fn operation(&self, id: &str) -> (String, String, Value) {
        for (path, methods) in self.document["paths"].as_object().unwrap() {
            for (method, operation) in methods.as_object().unwrap() {
                if operation["operationId"] == id {
                    return (path.clone(), method.clone(), operation.clone());
                }
            }
        }
        panic!("the document has no operation {id}");
    }
}

#[tokio::test]
async fn every_response_is_as_the_document_says() {
    let folder = Folder::new();
    folder.write("fixtures/dynamodb/one.yaml", "Leads: [{ id: a }]\n");
    folder.write("fixtures/dynamodb/wrong.yaml", "Leads: [{ name: a }]\n");
    let limits = Limits { exchanges: 40, ..Limits::default() };
    let running = Running::with_root(asking(), Some(limits), TEMPLATE, folder.path()).await;
    let document = running.ok("GET", "/openapi.json", "").await;
    let (succeeded, failed) = (BTreeSet::new(), BTreeSet::new());
    let mut walk = Walk { running, document, succeeded, failed };
    for id in ["openapi", "ready", "endpoints", "people", "clock", "tables", "fixtures"] {
        walk.call(id, &[], "", 200).await;
    }
    walk.call("moveClock", &[], r#"{"advance": "1h"}"#, 200).await;
    walk.call("moveClock", &[], "{}", 400).await;

    let script = "{ text: Hi, model: [{ sees: { input: Hi }, call: { look_up: {} } }, { sees: { results: [{ id: L2 }] }, say: Hello }] }";
    walk.call("armScript", &[], script, 201).await;
    walk.call("armScript", &[], "{ text: Hi }", 400).await;
    let sent = walk.call("sms", &[], r#"{"body": "Hi"}"#, 200).await;
    walk.call("sms", &[], "{}", 400).await;
    walk.call("steer", &[], r#"{"to": "customer", "code": 30003, "times": 1}"#, 200).await;
    walk.call("steer", &[], r#"{"status": "queued"}"#, 400).await;
    walk.call("stopSteering", &[], "", 200).await;
    // Its unmet expectation has mismatches, calls and results.
    let script = walk.call("script", &["1"], "", 200).await;
    assert_eq!(script["unmet"][0]["mismatches"].as_array().unwrap().len(), 1);
    walk.call("sms", &[], r#"{"body": "Hello?"}"#, 200).await;
    let all = walk.call("scripts", &[], "", 200).await;
    assert!(all["unexpected"][0]["nearest"].is_object());
    walk.call("script", &["9"], "", 404).await;
    walk.call("script", &["x"], "", 400).await;
    walk.call("removeScript", &["9"], "", 404).await;
    walk.call("removeScript", &["x"], "", 400).await;
    walk.call("removeScript", &["1"], "", 200).await;
    walk.call("removeScripts", &[], "", 200).await;

    let sid = sent["sid"].as_str().unwrap();
    let reply = sent["replies"][0]["sid"].as_str().unwrap();
    walk.call("messages", &[], "", 200).await;
    walk.call("message", &[sid], "", 200).await;
    walk.call("message", &["SM1"], "", 404).await;
    walk.call("redeliver", &[sid], "", 200).await;
    walk.call("redeliver", &[reply], "", 404).await;
    walk.call("setStatus", &[reply], r#"{"status": "failed"}"#, 200).await;
    walk.call("setStatus", &[reply], "{}", 400).await;
    walk.call("setStatus", &[sid], r#"{"status": "sent"}"#, 404).await;
    walk.call("waitForMessage", &[], "{ to: customer }", 200).await;
    walk.call("waitForMessage", &[], "{ to: nobody }", 400).await;
    walk.call("waitForMessage", &[], "{ body: never, timeout: 1ms }", 408).await;

    walk.call("putItems", &["Leads"], r#"{"items": [{"id": {"S": "a"}}]}"#, 200).await;
    walk.call("putItems", &["Leads"], r#"{"items": [{}]}"#, 400).await;
    walk.call("putItems", &["Lead"], r#"{"items": []}"#, 404).await;
    walk.call("deleteItems", &["Leads"], r#"{"keys": [{"id": {"S": "a"}}]}"#, 200).await;
    walk.call("deleteItems", &["Leads"], r#"{"keys": [{}]}"#, 400).await;
    walk.call("deleteItems", &["Lead"], r#"{"keys": []}"#, 404).await;
    for id in ["rows", "items"] {
        walk.call(id, &["Leads"], "", 200).await;
        walk.call(id, &["Lead"], "", 404).await;
    }
    walk.call("loadFixture", &["one"], "", 200).await;
    walk.call("loadFixture", &["wrong"], "", 400).await;
    walk.call("loadFixture", &["two"], "", 404).await;

    let fault =
        "{ on: dynamodb.*, table: Leads, key: { id: a }, fail: { as: conflict, delay: 1ms } }";
    walk.call("armFault", &[], fault, 200).await;
    let first_form = r#"{"on": "openai.chat", "failure": {"status": 429, "retry_after": 1}}"#;
    walk.call("armFault", &[], first_form, 200).await;
    walk.call("armFault", &[], "{ on: nothing, fail: 503 }", 400).await;
    walk.call("faults", &[], "", 200).await;
    walk.call("fault", &["0"], "", 200).await;
    for id in ["fault", "disarmFault"] {
        walk.call(id, &["9"], "", 404).await;
        walk.call(id, &["x"], "", 400).await;
    }
    walk.call("disarmFault", &["0"], "", 200).await;
    walk.call("disarmFaults", &[], "", 200).await;

    walk.call(
        "armScript",
        &[],
        "{ text: Bye, model: [{ call: { look_up: {} } }, { say: Bye }] }",
        201,
    )
    .await;
    walk.call("sms", &[], r#"{"body": "Bye"}"#, 200).await;
    walk.call("record", &[], r#"{"name": "Recorded"}"#, 200).await;
    walk.call("record", &[], r#"{"name": ""}"#, 400).await;

    walk.call("hold", &[], r#"{"from": "nobody"}"#, 400).await;
    walk.call("hold", &[], r#"{"from": "customer"}"#, 200).await;
    let url = format!("{}/sms", walk.running.server.url());
    let body = r#"{"body": "Be the model"}"#;
    let sent = tokio::spawn(loopback_client().unwrap().post(url).body(body).send());
    super::model::held(&walk.running).await;
    let held = walk.call("model", &[], "", 200).await;
    assert_eq!(held["held"][0]["tools"][0]["name"], "look_up");
    walk.call("answerRound", &["1"], "{ call: { fly: {} } }", 400).await;
    walk.call("answerRound", &["9"], "{ say: Hi }", 404).await;
    walk.call("answerRound", &["1"], "{ call: { look_up: {} } }", 200).await;
    super::model::held(&walk.running).await;
    walk.call("releaseRound", &["x"], "", 400).await;
    walk.call("releaseRound", &["9"], "", 404).await;
    walk.call("releaseRound", &["2"], "", 200).await;
    assert_eq!(sent.await.unwrap().unwrap().status(), 200);
    walk.call("stopHolding", &[], "", 200).await;

    walk.call("takeSnapshot", &[], "", 201).await;
    walk.call("takeSnapshot", &[], r#"{"name": ""}"#, 400).await;
    walk.call("snapshots", &[], "", 200).await;
    walk.call("restoreSnapshot", &["1"], "", 200).await;
    walk.call("restoreSnapshot", &["2"], "", 404).await;
    walk.call("removeSnapshot", &["1"], "", 200).await;
    walk.call("removeSnapshot", &["1"], "", 404).await;

    // Every kind of exchange that there was.
    walk.call("journal", &["?limit=100"], "", 200).await;
    walk.call("journal", &["?limit=0"], "", 400).await;
    walk.call("exchange", &["1000000"], "", 404).await;
    walk.call("exchange", &["x"], "", 400).await;
    super::log_lines(&walk.running.world, 60);
    walk.call("journal", &["?since=0"], "", 410).await;
    walk.call("exchange", &["0"], "", 410).await;
    let last = (walk.running.world.journal().mark() - 1).to_string();
    walk.call("exchange", &[&last], "", 200).await;
    walk.call("reset", &[], "", 200).await;

    // The stream has tests of its own.
    let untold = ["journalEvents"];
    let all = Operations::all().list;
    let missing: Vec<&str> = all
        .iter()
        .map(|operation| operation.id)
        .filter(|id| !walk.succeeded.contains(*id) && !untold.contains(id))
        .collect();
    assert!(missing.is_empty(), "not called: {missing:?}");
    // These need a failure of the world, a body that is too large, or too much of something.
    let rare = [409, 413, 500];
    let unseen: Vec<String> = all
        .iter()
        .flat_map(|operation| operation.errors.iter().map(move |e| (operation.id, *e)))
        .filter(|(id, status)| !rare.contains(status) && !untold.contains(id))
        .map(|(id, status)| format!("{id} {status}"))
        .filter(|error| !walk.failed.contains(error))
        .collect();
    assert!(unseen.is_empty(), "no such error was seen: {unseen:?}");
}

#[tokio::test]
async fn the_document_and_the_router_have_the_same_paths_and_methods() {
    let running = Running::start().await;
    let document = running.ok("GET", "/openapi.json", "").await;
    let mut described = BTreeSet::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        described.extend(methods.as_object().unwrap().keys().map(|m| format!("{m} {path}")));
    }
    let routed: BTreeSet<String> = Operations::all()
        .list
        .iter()
        .map(|operation| format!("{} {}", operation.method.as_str(), operation.path))
        .collect();
    assert_eq!(described, routed);
    // What the router does not have, it says; what it has, it does not take for something else.
    let help = running.raw("GET", "/nowhere", "").await.1.help.unwrap();
    for operation in Operations::all().list {
        assert!(help.contains(operation.path), "{}: {help}", operation.path);
        let method = operation.method.as_str().to_uppercase();
        if operation.id == "journalEvents" {
            continue;
        }
        let path = operation.path.replace("{id}", "x").replace("{seq}", "x");
        let path = path.replace(['{', '}'], "");
        let (status, value) = running.call(&method, &path, "").await;
        assert!(status != 405, "{method} {path}");
        assert!(value["error"] != "there is no such path", "{method} {path}");
    }
    let methods = ["GET", "POST", "PUT", "DELETE"];
    for (path, has) in document["paths"].as_object().unwrap() {
        for method in methods {
            if has.get(method.to_lowercase()).is_none() {
                let path = path.replace(['{', '}'], "");
                let (status, value) = running.call(method, &path, "").await;
                // The path of one exchange is the pattern of the stream's as well, and so on.
                assert!([405, 404].contains(&status), "{method} {path}: {value}");
            }
        }
    }
}

#[tokio::test]
async fn every_reference_in_the_document_leads_somewhere() {
    let running = Running::start().await;
    let document = running.ok("GET", "/openapi.json", "").await;
    let mut open = vec![&document];
    let mut references = 0;
    while let Some(value) = open.pop() {
        match value {
            Value::Object(map) => {
                if let Some(Value::String(to)) = map.get("$ref") {
                    references += 1;
                    assert!(document.pointer(to.strip_prefix('#').unwrap()).is_some(), "{to}");
                }
                open.extend(map.values());
            }
            Value::Array(list) => open.extend(list),
            _ => {}
        }
    }
    assert!(references > 50, "{references}");
}
