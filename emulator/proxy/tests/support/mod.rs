//! A proxy in front of small servers, each of which says which part it stands for.

use std::{io, net::SocketAddr, sync::Arc};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::Request,
    http::{HeaderValue, header},
    response::Response,
    routing::{get, post},
};
use futures::stream;
use rehearse_core::serve::Serving;
use rehearse_proxy::{Proxy, Upstreams};
use rehearse_testutils::until;
use reqwest::{Certificate, Client};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::Notify,
};

/// A signature of a call of SQS.
pub const SIGNED: &str = "AWS4-HMAC-SHA256 Credential=rehearse/20260101/us-east-1/sqs/aws4_request, \
                          SignedHeaders=host, Signature=0";

/// A proxy, and what is behind it.
pub struct Running {
    pub proxy: Proxy,
    pub parts: Parts,
}

/// What stands for the parts of a world.
pub struct Parts {
    _serving: Vec<Serving>,
    /// Lets a stream send its second part.
    pub go_on: Arc<Notify>,
}

impl Running {
    pub async fn start() -> Self {
        let go_on = Arc::new(Notify::new());
        let mut serving = Vec::new();
        for part in ["twilio", "openai", "dynamodb", "lambda"] {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            serving.push(Serving::router(listener, router(part, Arc::clone(&go_on))).unwrap());
        }
        let at = |part: usize| serving[part].address();
        let upstreams = Upstreams {
            twilio: at(0),
            openai: at(1),
            dynamodb: at(2),
            lambda: at(3),
            gateway: None,
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let proxy = Proxy::start(listener, upstreams).unwrap();
        Self { proxy, parts: Parts { _serving: serving, go_on } }
    }

    /// A client that trusts the authority, and no other.
    pub fn client(&self) -> Client {
        let authority = Certificate::from_pem(self.proxy.certificate_pem().as_bytes()).unwrap();
        self.trusting(vec![authority])
    }

    /// A client that trusts nobody.
    pub fn stranger(&self) -> Client {
        self.trusting(Vec::new())
    }

    fn trusting(&self, authorities: Vec<Certificate>) -> Client {
        // Whoever comes second finds it installed.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let proxy = reqwest::Proxy::all(self.proxy.url()).unwrap();
        Client::builder().proxy(proxy).tls_certs_only(authorities).build().unwrap()
    }

    pub fn address(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.proxy.port()))
    }

    /// Sends bytes and returns all that comes back once no more are sent.
    pub async fn raw(&self, sent: &str) -> String {
        let mut stream = TcpStream::connect(self.address()).await.unwrap();
        stream.write_all(sent.as_bytes()).await.unwrap();
        stream.shutdown().await.unwrap();
        let mut answer = Vec::new();
        // A connection that is reset has said all that it had to say.
        let _ = until("the end of the answer", stream.read_to_end(&mut answer)).await;
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// A tunnel that nothing has been said in.
    pub async fn tunnel(&self, to: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.address()).await.unwrap();
        let request = format!("CONNECT {to} HTTP/1.1\r\nHost: {to}\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(until("the tunnel", stream.read_u8()).await.unwrap());
        }
        assert!(head.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&head));
        stream
    }
}

fn router(part: &'static str, go_on: Arc<Notify>) -> Router {
    let streamed = |ends_well| {
        let go_on = Arc::clone(&go_on);
        move || async move { in_two_parts(go_on, ends_well) }
    };
    Router::new()
        .route(
            "/echo",
            post(|body: Bytes| async { body }).layer(axum::extract::DefaultBodyLimit::disable()),
        )
        .route("/stream", get(streamed(true)))
        .route("/cut", get(|| async { broken() }))
        .route("/torn", get(streamed(false)))
        .fallback(move |request: Request| told(part, request))
}

/// What came, in a line.
async fn told(part: &'static str, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let header =
        |name| parts.headers.get(name).map_or("-", |value: &HeaderValue| value.to_str().unwrap());
    let (method, uri) = (&parts.method, &parts.uri);
    let (host, authorization) = (header(header::HOST), header(header::AUTHORIZATION));
    let line = format!("{method} {uri} {host} {authorization} ");
    let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
    let line = line + std::str::from_utf8(&body).unwrap();
    let mut response = Response::new(Body::from(line));
    response.headers_mut().insert("x-part", HeaderValue::from_static(part));
    response
}

/// A part at once; then, when the test says so, another one or the end of the connection.
fn in_two_parts(go_on: Arc<Notify>, ends_well: bool) -> Response {
    let parts = stream::unfold(0, move |sent| {
        let go_on = Arc::clone(&go_on);
        async move {
            match sent {
                0 => {}
                1 => go_on.notified().await,
                _ => return None,
            }
            let text = format!("data: {}\n\n", sent + 1);
            let part = if sent == 0 || ends_well { Ok(text) } else { Err(reset()) };
            Some((part, sent + 1))
        }
    });
    Response::new(Body::from_stream(parts))
}

/// A response whose connection is closed before it.
fn broken() -> Response {
    Response::new(Body::from_stream(stream::iter([Err::<Bytes, _>(reset())])))
}

fn reset() -> io::Error {
    io::Error::from(io::ErrorKind::ConnectionReset)
}
