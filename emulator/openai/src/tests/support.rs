//! The harness: a server, a client, and the backend's side of the conversation.

use std::time::Duration;

use jiff::tz::TimeZone;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::{ArmedScript, OpenAi, Options, Round, Script, Trigger};
use rehearse_core::{
    clock::Clock,
    faults::Faults,
    journal::{Exchange, ExchangeDetail, Journal},
    matcher::Vars,
    yaml::Source,
};

/// A running server with its journal, faults, variables and a client.
pub struct TestServer {
    pub openai: OpenAi,
    pub journal: Journal,
    pub clock: Clock,
    pub faults: Faults,
    pub vars: Vars,
    pub web: reqwest::Client,
}

/// The status and body of a response.
#[derive(Debug, PartialEq)]
pub struct ApiResponse {
    pub status: u16,
    pub body: Value,
}

impl ApiResponse {
    /// Code, parameter and message of an error.
    pub fn error(&self) -> (&str, &str, &str) {
        let error = &self.body["error"];
        let text = |key: &str| error[key].as_str().unwrap_or_default();
        (text("code"), text("param"), text("message"))
    }

    /// The text that the model said.
    pub fn text(&self) -> &str {
        let output = self.body["output"].as_array().unwrap();
        let message = output.iter().find(|i| i["type"] == "message").unwrap();
        message["content"][0]["text"].as_str().unwrap()
    }

    /// The output items.
    pub fn items(&self) -> Vec<Value> {
        self.body["output"].as_array().unwrap().clone()
    }
}

/// A client without certificates, whose requests end after 30 seconds.
pub fn web() -> reqwest::Client {
    // Another test may have installed it already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .no_proxy()
        .tls_certs_only([])
        .timeout(Duration::from_secs(30))
        .build()
        .unwrap()
}

/// Starts a server with default options.
pub async fn start() -> TestServer {
    start_with(Options::default()).await
}

/// Starts a server whose clock is stopped at 2026-02-10 15:10 in New York.
pub async fn start_with(options: Options) -> TestServer {
    let clock = Clock::stopped("2026-02-10T20:10:00Z".parse().unwrap());
    let journal = Journal::new(clock.clone());
    let faults = Faults::default();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let openai =
        OpenAi::start(listener, options, journal.clone(), clock.clone(), faults.clone()).unwrap();
    let vars = Vars::new(clock.clone(), TimeZone::UTC);
    TestServer { openai, journal, clock, faults, vars, web: web() }
}

/// Rounds from YAML.
pub fn rounds(yaml: &str) -> Vec<Round> {
    try_rounds(yaml).unwrap_or_else(|e| panic!("{e}"))
}

/// Rounds from YAML, or the error.
pub fn try_rounds(yaml: &str) -> Result<Vec<Round>, String> {
    let source = Source { name: "test.yaml".into(), text: yaml.into() };
    source.parse().map_err(|e| e.to_string())
}

impl TestServer {
    /// Arms a script for the customer's text "Hi".
    pub fn arm(&self, yaml: &str) -> ArmedScript {
        self.arm_for("step 1", "customer", "Hi", yaml)
    }

    /// Arms a script for a text of a person.
    pub fn arm_for(&self, name: &str, person: &str, text: &str, yaml: &str) -> ArmedScript {
        self.openai.arm(Script {
            name: name.into(),
            person: Some(person.into()),
            trigger: Trigger::Text { text: text.into(), media: 0 },
            rounds: rounds(yaml),
            vars: self.vars.clone(),
        })
    }

    /// Sends a request whose response is JSON.
    pub async fn post(&self, path: &str, body: &Value) -> ApiResponse {
        let response = self.send(path, body).await.unwrap();
        ApiResponse { status: response.status().as_u16(), body: response.json().await.unwrap() }
    }

    /// Sends a request.
    pub async fn send(&self, path: &str, body: &Value) -> reqwest::Result<reqwest::Response> {
        let url = format!("{}{path}", self.openai.url());
        self.web.post(url).bearer_auth("sk-rehearse").json(body).send().await
    }

    /// Sends a request to the Responses endpoint.
    pub async fn ask(&self, body: &Value) -> ApiResponse {
        self.post("/responses", body).await
    }

    /// The events of a stream, as name and data.
    pub async fn events(&self, path: &str, body: &Value) -> Vec<(String, Value)> {
        let text = self.send(path, body).await.unwrap().text().await.unwrap();
        text.split_terminator("\n\n").map(event).collect()
    }

    /// Every exchange so far.
    pub fn exchanges(&self) -> Vec<Exchange> {
        self.journal.since(0)
    }

    /// The labels of the rounds that responded, from the journal.
    pub fn responding_rounds(&self) -> Vec<String> {
        let script = |exchange: Exchange| match exchange.detail {
            ExchangeDetail::Model { script, .. } => script.unwrap_or_default(),
            _ => unreachable!(),
        };
        self.exchanges().into_iter().map(script).collect()
    }
}

/// The name and data of one server-sent event.
fn event(text: &str) -> (String, Value) {
    let name = text.lines().find_map(|l| l.strip_prefix("event: ")).unwrap_or_default();
    let data = text.lines().find_map(|l| l.strip_prefix("data: ")).unwrap();
    (name.into(), serde_json::from_str(data).unwrap_or_else(|_| json!(data)))
}

/// A request of the Responses endpoint with two strict tools.
pub fn request(input: Value) -> Value {
    json!({
        "model": "gpt-6-luna",
        "instructions": "You are Linda. Today is 2026-02-10. Brandon is working.",
        "input": input,
        "store": false,
        "include": ["reasoning.encrypted_content"],
        "parallel_tool_calls": true,
        "tools": [tool("check_availability", json!({ "date": { "type": "string" } })), tool("list_bookings", json!({}))]
    })
}

/// A strict tool.
pub fn tool(name: &str, properties: Value) -> Value {
    let required: Vec<&String> = properties.as_object().unwrap().keys().collect();
    json!({
        "type": "function",
        "name": name,
        "description": "What it does.",
        "strict": true,
        "parameters": {
            "type": "object",
            "properties": properties,
            "required": required,
            "additionalProperties": false
        }
    })
}

/// A message of the user.
pub fn user(text: &str) -> Value {
    json!({ "role": "user", "content": text })
}

/// Extends the history with the items of a response and the results of its calls.
pub fn next(history: &mut Vec<Value>, answer: &ApiResponse, results: &[Value]) {
    history.extend(answer.items());
    let calls: Vec<Value> =
        answer.items().into_iter().filter(|i| i["type"] == "function_call").collect();
    assert_eq!(calls.len(), results.len());
    for (call, result) in calls.iter().zip(results) {
        history.push(json!({
            "type": "function_call_output", "call_id": call["call_id"], "output": result.to_string()
        }));
    }
}
