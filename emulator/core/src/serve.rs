//! Accepting connections, as every server of a world does it.
//!
//! A server is one task that owns its connections: dropping [`Serving`] ends
//! all of them. What crosses a connection is the business of the room that serves.

use std::{convert::Infallible, io, net::SocketAddr, time::Duration};

use axum::Router;
use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{
    net::{TcpListener, TcpStream},
    runtime::Handle,
    task::{AbortHandle, JoinSet},
};
use tower::ServiceExt as _;

/// How long to wait for file descriptors when there are none left.
const PAUSE: Duration = Duration::from_millis(10);

/// A server. Dropping it closes its listener and every connection.
#[derive(Debug)]
pub struct Serving {
    address: SocketAddr,
    accepting: AbortHandle,
}

impl Serving {
    /// Serves each connection with a future of its own, on `runtime`.
    pub fn start<Connection>(
        listener: TcpListener,
        runtime: &Handle,
        connection: impl Fn(TcpStream, SocketAddr) -> Connection + Send + 'static,
    ) -> io::Result<Self>
    where
        Connection: Future<Output = ()> + Send + 'static,
    {
        let address = listener.local_addr()?;
        let accepting = runtime.spawn(accept(listener, connection)).abort_handle();
        Ok(Self { address, accepting })
    }

    /// Serves a router, on the current runtime.
    pub fn router(listener: TcpListener, router: Router) -> io::Result<Self> {
        let runtime = Handle::try_current().map_err(io::Error::other)?;
        Self::start(listener, &runtime, move |stream, _| {
            let router = router.clone();
            async move {
                let service = service_fn(|request: hyper::Request<_>| {
                    let router = router.clone();
                    async move { Ok::<_, Infallible>(answer(router, request).await) }
                });
                // A client that hangs up is no error of the server.
                let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
            }
        })
    }

    /// Ends it before it is dropped.
    pub fn stop(&self) {
        self.accepting.abort();
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its URL, `http://127.0.0.1:4000`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.stop();
    }
}

/// A listener that was opened outside of a runtime, for the current one.
pub fn on_tokio(listener: std::net::TcpListener) -> io::Result<TcpListener> {
    listener.set_nonblocking(true)?;
    TcpListener::from_std(listener)
}

async fn accept<Connection>(
    listener: TcpListener,
    connection: impl Fn(TcpStream, SocketAddr) -> Connection,
) where
    Connection: Future<Output = ()> + Send + 'static,
{
    // Dropped with this task, and every connection with it.
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, client)) => {
                    // Answers are small: waiting for more to send would only slow them.
                    let _ = stream.set_nodelay(true);
                    connections.spawn(connection(stream, client));
                }
                // Out of file descriptors, as a rule: wait until some are given back.
                Err(_) => tokio::time::sleep(PAUSE).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn answer(
    router: Router,
    request: hyper::Request<hyper::body::Incoming>,
) -> axum::response::Response {
    match router.oneshot(request.map(axum::body::Body::new)).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    async fn listener() -> TcpListener {
        TcpListener::bind("127.0.0.1:0").await.unwrap()
    }

    async fn call(stream: &mut TcpStream) -> String {
        stream.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
        let mut text = vec![0; 1024];
        let length = stream.read(&mut text).await.unwrap();
        String::from_utf8_lossy(&text[..length]).into_owned()
    }

    #[tokio::test]
    async fn a_dropped_server_ends_its_idle_connections_too() {
        let router = Router::new().route("/", get(|| async { "hello" }));
        let serving = Serving::router(listener().await, router).unwrap();
        let mut stream = TcpStream::connect(serving.address()).await.unwrap();
        assert!(call(&mut stream).await.ends_with("hello"));
        assert!(call(&mut stream).await.ends_with("hello"), "the connection stays open");
        drop(serving);
        assert_eq!(stream.read(&mut [0; 1]).await.unwrap_or(0), 0, "closed");
    }

    #[tokio::test]
    async fn one_connection_that_panics_leaves_the_others() {
        let serving =
            Serving::start(listener().await, &Handle::current(), |mut stream, _| async move {
                let mut byte = [0];
                stream.read_exact(&mut byte).await.unwrap();
                assert_eq!(byte, [b'k'], "a bad client");
                stream.write_all(b"ok").await.unwrap();
            })
            .unwrap();
        for (sent, back) in [(b"x", 0), (b"k", 2)] {
            let mut stream = TcpStream::connect(serving.address()).await.unwrap();
            stream.write_all(sent).await.unwrap();
            let mut text = Vec::new();
            stream.read_to_end(&mut text).await.unwrap();
            assert_eq!(text.len(), back);
        }
    }
}
