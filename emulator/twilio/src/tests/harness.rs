//! A fake Twilio and a backend for it, on loopback.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::{Bytes, to_bytes},
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use http::{HeaderMap, StatusCode, header};
use jiff::Timestamp;
use serde_json::Value;
use tokio::net::TcpListener;

use crate::{Inbound, NumberConfig, Options, Server, Twilio};
use rehearse_core::{
    clock::Clock,
    faults::{Failure, Fault, Faults},
    journal::{Exchange, Journal},
};

pub const PERSON: &str = "+15550123456";
pub const NUMBER: &str = "+15550100000";
pub const ACCOUNT: &str = "AC0000000000000000000000000000000a";
pub const TOKEN: &str = "a-token-of-this-test";

/// A request that the backend got.
#[derive(Debug, Clone)]
pub struct RecordedRequest {
    pub method: String,
    pub uri: String,
    pub headers: HeaderMap,
    pub body: String,
}

impl RecordedRequest {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub fn param(&self, key: &str) -> Option<String> {
        let pairs = form_urlencoded::parse(self.body.as_bytes());
        pairs.into_iter().find(|(name, _)| name == key).map(|(_, value)| value.into_owned())
    }
}

/// A backend that answers from a list, then with an empty response.
#[derive(Clone, Default)]
pub struct Backend {
    answers: Arc<Mutex<VecDeque<Response>>>,
    got: Arc<Mutex<Vec<RecordedRequest>>>,
}

impl Backend {
    pub fn answer(&self, response: impl IntoResponse) -> &Self {
        self.answers.lock().unwrap().push_back(response.into_response());
        self
    }

    pub fn got(&self) -> Vec<RecordedRequest> {
        self.got.lock().unwrap().clone()
    }
}

pub fn xml(inner: &str) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/xml")], format!("<Response>{inner}</Response>"))
}

async fn backend(State(backend): State<Backend>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body: Bytes = to_bytes(body, usize::MAX).await.unwrap();
    backend.got.lock().unwrap().push(RecordedRequest {
        method: parts.method.to_string(),
        uri: parts.uri.to_string(),
        headers: parts.headers,
        body: String::from_utf8(body.to_vec()).unwrap(),
    });
    let next = backend.answers.lock().unwrap().pop_front();
    next.unwrap_or_else(|| xml("").into_response())
}

pub struct Harness {
    pub server: Server,
    pub backend: Backend,
    /// Base URL of the backend.
    pub url: String,
    pub journal: Journal,
    pub clock: Clock,
    pub faults: Faults,
    pub web: reqwest::Client,
}

/// A client without certificates, as worlds use.
pub fn web() -> reqwest::Client {
    // Already installed by another test: fine.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .tls_certs_only([])
        .build()
        .unwrap()
}

pub async fn harness() -> Harness {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let sink = Backend::default();
    let router = Router::new().fallback(backend).with_state(sink.clone());
    tokio::spawn(async move { axum::serve(listener, router).await });

    let now: Timestamp = "2026-02-10T20:10:00Z".parse().unwrap();
    let clock = Clock::stopped(now);
    let journal = Journal::new(clock.clone());
    let faults = Faults::default();
    let web = web();
    let options = Options {
        account_sid: ACCOUNT.into(),
        auth_token: TOKEN.into(),
        api_key: Some(("SKkey".into(), "secret".into())),
        number: NUMBER.into(),
        config: NumberConfig {
            webhook_url: Some(format!("{url}/dispatcher")),
            ..NumberConfig::default()
        },
        seed: 1,
        hosts: Default::default(),
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = Twilio::start(
        listener,
        options,
        journal.clone(),
        clock.clone(),
        faults.clone(),
        web.clone(),
    )
    .unwrap();
    Harness { server, backend: sink, url, journal, clock, faults, web }
}

impl Harness {
    /// Arms a fault that strikes once.
    pub fn fail(&self, on: &str, failure: Failure) {
        self.faults.arm(Fault { on: on.into(), failure, times: Some(1), ..Fault::default() });
    }

    pub fn entries(&self, name: &str) -> Vec<Exchange> {
        self.journal.since(0).into_iter().filter(|entry| entry.name == name).collect()
    }

    /// Names of all exchanges, in order.
    pub fn names(&self) -> Vec<String> {
        self.journal.since(0).into_iter().map(|entry| entry.name).collect()
    }

    pub fn messages_url(&self) -> String {
        format!("{}/2010-04-01/Accounts/{ACCOUNT}/Messages.json", self.server.url())
    }

    pub fn url_of(&self, path: &str) -> String {
        format!("{}/2010-04-01/Accounts/{ACCOUNT}/{path}", self.server.url())
    }

    pub async fn create(&self, params: &[(&str, &str)]) -> (StatusCode, Value) {
        self.post(&self.messages_url(), params).await
    }

    /// Sends a text to [`PERSON`] and returns its sid.
    pub async fn send(&self, body: &str) -> String {
        let params = [("To", PERSON), ("From", NUMBER), ("Body", body)];
        let (status, json) = self.create(&params).await;
        assert_eq!(status, StatusCode::CREATED, "{json}");
        json["sid"].as_str().unwrap().to_owned()
    }

    pub async fn post(&self, url: &str, params: &[(&str, &str)]) -> (StatusCode, Value) {
        let request = self.web.post(url).basic_auth(ACCOUNT, Some(TOKEN)).form(params);
        answer(request.send().await.unwrap()).await
    }

    pub async fn get(&self, url: &str) -> (StatusCode, Value) {
        let request = self.web.get(url).basic_auth(ACCOUNT, Some(TOKEN));
        answer(request.send().await.unwrap()).await
    }

    pub async fn delete(&self, url: &str) -> (StatusCode, Value) {
        let request = self.web.delete(url).basic_auth(ACCOUNT, Some(TOKEN));
        answer(request.send().await.unwrap()).await
    }
}

pub async fn answer(response: reqwest::Response) -> (StatusCode, Value) {
    let status = response.status();
    let text = response.text().await.unwrap();
    (status, serde_json::from_str(&text).unwrap_or(Value::Null))
}

pub fn text(body: &str) -> Inbound {
    Inbound { from: PERSON.into(), body: body.into(), ..Inbound::default() }
}
