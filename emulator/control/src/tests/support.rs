//! A small world behind its API, and a client that sees statuses.

use std::{
    collections::{BTreeMap, HashMap},
    path::Path,
    sync::Arc,
};

use axum::{
    Form, Router,
    http::header,
    routing::{get, post},
};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::{
    Client, ControlledWorld, Endpoints, ErrorBody, Message, Messages, Server, SmsRequest,
    SmsResponse, loopback_client,
};
use rehearse_aws::Function;
use rehearse_core::{clock::Clock, journal::Limits};
use rehearse_openai::Persona;
use rehearse_testutils::{self as testing, Folder, SETTINGS, TEMPLATE};
use rehearse_world::{Backend, World, WorldConfig};

/// Number of the person `customer`.
pub const CUSTOMER: &str = "+19042520927";

/// A small world; everything stops when it is dropped.
pub struct Running {
    pub client: Client,
    pub world: Arc<World>,
    pub server: Server,
    web: reqwest::Client,
}

pub async fn loopback() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.unwrap()
}

/// A function that passes each text on to the model, calls the tool `look_up` as the model asks, and
/// replies what the model says.
pub fn asking() -> Function {
    Function::new("Hello", |environment| {
        let url = format!("{}/chat/completions", environment["OPENAI_BASE_URL"]);
        let key = environment["OPENAI_API_KEY"].clone();
        let sms = move |Form(text): Form<HashMap<String, String>>| async move {
            let said = ask(&url, &key, &text["Body"]).await;
            let said = said.unwrap_or_else(|| "Sorry.".into());
            let twiml = format!("<Response><Message>{said}</Message></Response>");
            ([(header::CONTENT_TYPE, "text/xml")], twiml)
        };
        Ok(Router::new().route("/sms", post(sms)).route("/state", get(|| async { "fine" })))
    })
}

async fn ask(url: &str, key: &str, text: &str) -> Option<String> {
    let mut messages = vec![json!({ "role": "user", "content": text })];
    loop {
        let parameters = json!({ "type": "object", "properties": {} });
        let tool = json!({ "name": "look_up", "parameters": parameters });
        let body = json!({
            "model": "gpt-4.1",
            "messages": messages,
            "tools": [{ "type": "function", "function": tool }],
        });
        let request = loopback_client().ok()?.post(url).bearer_auth(key).json(&body);
        let answer = request.send().await.ok()?.error_for_status().ok()?;
        let answer: Value = answer.json().await.ok()?;
        let message = answer["choices"][0]["message"].clone();
        if let Some(said) = message["content"].as_str() {
            return Some(said.into());
        }
        let id = message["tool_calls"][0]["id"].clone();
        messages.push(message);
        let content = json!({ "id": "L1" }).to_string();
        messages.push(json!({ "role": "tool", "tool_call_id": id, "content": content }));
    }
}

/// A persona that says one thing.
pub fn persona(says: &str) -> Persona {
    let text = format!("name: Linda\ntimezone: UTC\nrules:\n  - say: {says}\n");
    let folder = Folder::new();
    Persona::read(&folder.write("persona.yaml", text)).unwrap()
}

impl Running {
    pub async fn start() -> Self {
        Self::with(testing::hello(), None).await
    }

    /// A world with this function, whose journal has these limits.
    pub async fn with(function: Function, journal: Option<Limits>) -> Self {
        Self::with_template(function, journal, TEMPLATE).await
    }

    pub async fn with_template(
        function: Function,
        journal: Option<Limits>,
        template: &str,
    ) -> Self {
        Self::with_root(function, journal, template, &std::env::temp_dir()).await
    }

    /// `root` is the project's folder.
    pub async fn with_root(
        function: Function,
        journal: Option<Limits>,
        template: &str,
        root: &Path,
    ) -> Self {
        let environment =
            "[environment]\nOPENAI_BASE_URL = \"{openai}/v1\"\nOPENAI_API_KEY = \"{api_key}\"\n";
        let settings = testing::settings(&format!("{SETTINGS}{environment}"));
        let backend =
            Backend::new(vec![function], testing::template(template), settings, root).unwrap();
        let config = WorldConfig { journal, ..WorldConfig::new(backend.clone(), Clock::running()) };
        let world = Arc::new(World::start(config).await.unwrap());
        let controlled = ControlledWorld {
            world: Arc::clone(&world),
            backend,
            endpoints: Endpoints {
                parts: Vec::new(),
                environment: BTreeMap::from([("A".into(), "b".into())]),
                people: BTreeMap::from([(CUSTOMER.into(), "customer".into())]),
                tables: BTreeMap::new(),
                time_zone: "America/New_York".into(),
            },
            people: BTreeMap::from([("customer".into(), CUSTOMER.into())]),
        };
        let server = Server::start(loopback().await, controlled).unwrap();
        let client = Client::new(server.url()).unwrap();
        Self { client, world, server, web: loopback_client().unwrap() }
    }

    pub async fn raw(&self, method: &str, path: &str, body: &str) -> (u16, ErrorBody) {
        let (status, value) = self.call(method, path, body).await;
        (
            status,
            serde_json::from_value(value.clone()).unwrap_or_else(|_| panic!("{status}: {value}")),
        )
    }

    /// The status and the JSON of a response.
    pub async fn call(&self, method: &str, path: &str, body: &str) -> (u16, Value) {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let url = format!("{}{path}", self.server.url());
        let response = self.web.request(method, url).body(body.to_owned()).send().await.unwrap();
        let status = response.status().as_u16();
        let text = response.text().await.unwrap();
        (status, serde_json::from_str(&text).unwrap_or_else(|_| panic!("{status}: {text}")))
    }

    /// As [`Running::call`], for a call that succeeds.
    pub async fn ok(&self, method: &str, path: &str, body: &str) -> Value {
        let (status, value) = self.call(method, path, body).await;
        assert!((200..300).contains(&status), "{method} {path}: {status} {value}");
        value
    }

    pub async fn messages(&self) -> Vec<Message> {
        let messages = self.ok("GET", "/messages", "").await;
        serde_json::from_value::<Messages>(messages).unwrap().messages
    }

    pub async fn hello(&self) -> SmsResponse {
        self.text("hi").await
    }

    /// A text of the customer.
    pub async fn text(&self, body: &str) -> SmsResponse {
        let request = SmsRequest { body: body.into(), ..SmsRequest::default() };
        self.client.sms(&request).await.unwrap()
    }

    /// What the customer is replied to a text.
    pub async fn reply(&self, body: &str) -> String {
        let replies = self.text(body).await.replies;
        assert_eq!(replies.len(), 1, "{replies:?}");
        replies[0].body.clone()
    }
}
