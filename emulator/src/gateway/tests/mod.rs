mod answers;
mod events;
mod failures;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, OriginalUri, Query},
    http::{HeaderMap, StatusCode, header},
    response::{AppendHeaders, IntoResponse},
    routing::{any, get, post},
};
use futures::future::BoxFuture;
use jiff::Timestamp;
use lambda_http::request::RequestContext;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::{Notify, mpsc},
};

use super::{
    Code, Gateway,
    api::{Api, Target},
    invoke::{Invocation, Invoke, InvokeError},
    route::Routes,
};
use crate::{
    clock::Clock,
    journal::{Crossing, Entry, Journal},
    template::{Function, Payload, Route},
};

/// `2020-03-12T19:03:58Z`, the time of AWS's sample.
const NOW: Timestamp = Timestamp::constant(1_584_039_838, 0);

fn clock() -> Clock {
    Clock::stopped(NOW)
}

fn function(id: &str, routes: Vec<Route>) -> Function {
    Function {
        id: id.into(),
        name: id.into(),
        handler: None,
        runtime: None,
        architectures: Vec::new(),
        reserved_concurrency: None,
        policies: Value::Null,
        env: Default::default(),
        unresolved: Vec::new(),
        timeout: Duration::from_secs(10),
        memory: 128,
        routes,
        line: 0,
    }
}

fn listener() -> std::net::TcpListener {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap()
}

/// A gateway and what it records.
struct Lab {
    gateway: Gateway,
    journal: Journal,
}

impl Lab {
    /// One function, `F`, under every path.
    fn start(router: Router) -> Self {
        Self::with(function("F", vec![Route::new("ANY", "$default")]), router)
    }

    fn with(function: Function, router: Router) -> Self {
        let journal = Journal::new(clock());
        let gateway = Gateway::start(
            listener(),
            vec![(function, Code::Router(router))],
            journal.clone(),
            clock(),
        )
        .unwrap();
        Self { gateway, journal }
    }

    /// A function of the test's own under these routes.
    fn custom(routes: &[Route], function: impl Invoke + 'static) -> Self {
        let journal = Journal::new(clock());
        let mut table = Routes::default();
        routes.iter().for_each(|route| table.add(route, 0));
        let target = Target::new("F".into(), Duration::from_secs(10), function);
        let mut api = Api::new(table, vec![target], journal.clone(), clock());
        api.set_integration_timeout(Duration::from_millis(50));
        Self { gateway: Gateway::serve(listener(), api).unwrap(), journal }
    }

    fn address(&self) -> String {
        self.gateway.url().replace("http://", "")
    }

    /// Sends bytes and reads the one answer.
    async fn raw(&self, request: impl AsRef<[u8]>) -> Answer {
        let mut stream = TcpStream::connect(self.address()).await.unwrap();
        stream.write_all(request.as_ref()).await.unwrap();
        Answer::read(&mut stream).await
    }

    async fn get(&self, path: &str) -> Answer {
        let host = self.address();
        self.raw(format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")).await
    }

    async fn send(&self, head: &str, body: &str) -> Answer {
        let host = self.address();
        let length = body.len();
        self.raw(format!(
            "{head}\r\nHost: {host}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"
        ))
        .await
    }

    fn http(&self) -> Vec<Entry> {
        let entries = self.journal.since(0).into_iter();
        entries.filter(|e| matches!(e.crossing, Crossing::Http { .. })).collect()
    }
}

#[derive(Debug)]
struct Answer {
    status: u16,
    /// Lower case.
    head: String,
    body: Vec<u8>,
}

impl Answer {
    async fn read(stream: &mut TcpStream) -> Self {
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).await.unwrap();
        let end = bytes.windows(4).position(|w| w == b"\r\n\r\n").expect("an answer");
        let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Self { status, head, body: bytes[end + 4..].to_vec() }
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}
