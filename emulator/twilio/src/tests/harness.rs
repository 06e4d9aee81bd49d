//! A fake Twilio, and a backend that records requests, both on the loopback interface.

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
use rehearse_testutils::{GENEROUS, until};
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufStream},
    net::{TcpListener, TcpSocket},
    sync::mpsc::{UnboundedReceiver, unbounded_channel},
};

use crate::{Inbound, NumberConfig, Options, Server, Twilio, webhook_client};
use rehearse_core::{
    clock::Clock,
    faults::{Failure, Fault, Faults},
    journal::{Exchange, Journal},
    serve::Serving,
};

pub const PERSON: &str = "+15550123456";
pub const NUMBER: &str = "+15550100000";
pub const ACCOUNT: &str = "AC0000000000000000000000000000000a";
pub const TOKEN: &str = "a-token-of-this-test";

pub struct Harness {
    pub server: Server,
    pub backend: RecordingBackend,
    /// The backend's base URL.
    pub url: String,
    pub journal: Journal,
    pub clock: Clock,
    pub faults: Faults,
    pub web: reqwest::Client,
    _serving: Serving,
}

/// A backend that records requests. It responds with the given responses in order, then with an
/// empty TwiML document.
#[derive(Clone, Default)]
pub struct RecordingBackend {
    responses: Arc<Mutex<VecDeque<Response>>>,
    requests: Arc<Mutex<Vec<RecordedRequest>>>,
}

#[derive(Debug, Clone)]
pub struct RecordedRequest {
    pub method: String,
    pub uri: String,
    pub headers: HeaderMap,
    pub body: String,
}

impl Harness {
    pub async fn start() -> Self {
        Self::start_with(|_, _| {}).await
    }

    /// Starts with changed options. The change is given the backend's base URL.
    pub async fn start_with(change: impl FnOnce(&mut Options, &str)) -> Self {
        let backend = RecordingBackend::default();
        let router = Router::new().fallback(record).with_state(backend.clone());
        let serving = Serving::router(listener().await, router).unwrap();
        let url = serving.url();

        let now: Timestamp = "2026-02-10T20:10:00Z".parse().unwrap();
        let clock = Clock::stopped(now);
        let journal = Journal::new(clock.clone());
        let faults = Faults::default();
        let web = client();
        let mut options = Options {
            account_sid: ACCOUNT.into(),
            auth_token: TOKEN.into(),
            api_keys: [("SKkey".to_owned(), "secret".to_owned())].into(),
            number: NUMBER.into(),
            config: NumberConfig {
                webhook_url: Some(format!("{url}/dispatcher")),
                ..NumberConfig::default()
            },
            other_numbers: Vec::new(),
            services: Vec::new(),
            contents: Default::default(),
            whatsapp: Default::default(),
            line_types: Default::default(),
            seed: 1,
            hosts: Default::default(),
            gateway: None,
            messages_kept: None,
        };
        change(&mut options, &url);
        let server = Twilio::start(
            listener().await,
            options,
            journal.clone(),
            clock.clone(),
            faults.clone(),
            webhook_client().unwrap(),
        )
        .unwrap();
        Self { server, backend, url, journal, clock, faults, web, _serving: serving }
    }

    /// Injects a failure into the next exchange of this name.
    pub fn inject(&self, on: &str, failure: Failure) {
        self.faults.arm(Fault { on: on.into(), failure, times: Some(1), ..Fault::default() });
    }

    pub fn exchanges(&self, name: &str) -> Vec<Exchange> {
        self.journal.exchanges().named(name).to_vec()
    }

    /// The names of all exchanges, in order.
    pub fn exchange_names(&self) -> Vec<String> {
        self.journal.exchanges().into_iter().map(|exchange| exchange.name).collect()
    }

    /// Whether a person has opted out of texts from [`NUMBER`].
    pub fn has_opted_out(&self, number: &str) -> bool {
        self.server.account().has_opted_out(NUMBER, number)
    }

    pub async fn settled(&self) {
        until("Twilio to have nothing under way", self.server.settled()).await;
    }

    pub fn messages_url(&self) -> String {
        self.url_of("Messages.json")
    }

    pub fn url_of(&self, path: &str) -> String {
        format!("{}/2010-04-01/Accounts/{ACCOUNT}/{path}", self.server.url())
    }

    pub async fn create(&self, params: &[(&str, &str)]) -> (StatusCode, Value) {
        self.post(&self.messages_url(), params).await
    }

    /// Sends a message to [`PERSON`] and returns its sid.
    pub async fn send(&self, body: &str) -> String {
        let params = [("To", PERSON), ("From", NUMBER), ("Body", body)];
        let (status, json) = self.create(&params).await;
        assert_eq!(status, StatusCode::CREATED, "{json}");
        json["sid"].as_str().unwrap().to_owned()
    }

    pub async fn post(&self, url: &str, params: &[(&str, &str)]) -> (StatusCode, Value) {
        let request = self.web.post(url).basic_auth(ACCOUNT, Some(TOKEN)).form(params);
        status_and_json(request.send().await.unwrap()).await
    }

    pub async fn get(&self, url: &str) -> (StatusCode, Value) {
        let request = self.web.get(url).basic_auth(ACCOUNT, Some(TOKEN));
        status_and_json(request.send().await.unwrap()).await
    }

    pub async fn delete(&self, url: &str) -> (StatusCode, Value) {
        let request = self.web.delete(url).basic_auth(ACCOUNT, Some(TOKEN));
        status_and_json(request.send().await.unwrap()).await
    }
}

impl RecordingBackend {
    pub fn respond(&self, response: impl IntoResponse) -> &Self {
        self.responses.lock().unwrap().push_back(response.into_response());
        self
    }

    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.requests.lock().unwrap().clone()
    }
}

impl RecordedRequest {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub fn param(&self, key: &str) -> Option<String> {
        self.params().into_iter().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    pub fn params(&self) -> Vec<(String, String)> {
        form_urlencoded::parse(self.body.as_bytes()).into_owned().collect()
    }
}

async fn record(State(backend): State<RecordingBackend>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body: Bytes = to_bytes(body, usize::MAX).await.unwrap();
    backend.requests.lock().unwrap().push(RecordedRequest {
        method: parts.method.to_string(),
        uri: parts.uri.to_string(),
        headers: parts.headers,
        body: String::from_utf8(body.to_vec()).unwrap(),
    });
    let next = backend.responses.lock().unwrap().pop_front();
    next.unwrap_or_else(|| xml("").into_response())
}

/// A TwiML response with these verbs.
pub fn xml(verbs: &str) -> impl IntoResponse + use<> {
    ([(header::CONTENT_TYPE, "text/xml")], format!("<Response>{verbs}</Response>"))
}

pub async fn status_and_json(response: reqwest::Response) -> (StatusCode, Value) {
    let status = response.status();
    let text = response.text().await.unwrap();
    (status, serde_json::from_str(&text).unwrap_or(Value::Null))
}

/// A text from [`PERSON`].
pub fn text(body: &str) -> Inbound {
    Inbound { from: PERSON.into(), body: body.into(), ..Inbound::default() }
}

/// The text of the recorded forms.
pub fn text_from_boston() -> Inbound {
    Inbound { from: "+16175551234".into(), ..text("Can I come tomorrow? 😀") }
}

/// A URL that accepts connections and never responds, as long as the listener is kept.
pub async fn silent_url() -> (TcpListener, String) {
    let listener = listener().await;
    let url = format!("http://{}/silent", listener.local_addr().unwrap());
    (listener, url)
}

/// A URL that refuses connections. Nothing else can listen there as long as the socket is kept.
pub fn refusing_url() -> (TcpSocket, String) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let url = format!("http://{}/dispatcher", socket.local_addr().unwrap());
    (socket, url)
}

/// A URL whose server hands out the heads of the requests that it gets, as they came, and answers each
/// with an empty TwiML document.
pub async fn raw_server() -> (String, UnboundedReceiver<String>) {
    let listener = listener().await;
    let url = format!("http://{}/raw", listener.local_addr().unwrap());
    let (heads, received) = unbounded_channel();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let mut stream = BufStream::new(stream);
            let mut head = String::new();
            while !head.ends_with("\r\n\r\n") && stream.read_line(&mut head).await.unwrap() > 0 {}
            let lower = head.to_ascii_lowercase();
            let length = lower.lines().find_map(|line| line.strip_prefix("content-length: "));
            let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
            stream.read_exact(&mut body).await.unwrap();
            let answer = "HTTP/1.1 200 OK\r\ncontent-type: text/xml\r\nconnection: close\r\n\
                          content-length: 11\r\n\r\n<Response/>";
            stream.write_all(answer.as_bytes()).await.unwrap();
            stream.shutdown().await.unwrap();
            if heads.send(head).is_err() {
                return;
            }
        }
    });
    (url, received)
}

async fn listener() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.unwrap()
}

/// A client without certificates, whose calls fail rather than hang.
fn client() -> reqwest::Client {
    // It fails when another test has installed it already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .tls_certs_only([])
        .timeout(GENEROUS)
        .build()
        .unwrap()
}
