//! Accepting TCP connections, for every server of a world.
//!
//! A server is one task that owns its connections: dropping [`Serving`] closes all of them. What is
//! said on a connection is up to the caller.
//!
//! ```
//! use axum::{Router, routing::get};
//! use rehearse_core::serve::Serving;
//! use tokio::net::TcpListener;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> std::io::Result<()> {
//! let listener = TcpListener::bind("127.0.0.1:0").await?;
//! let router = Router::new().route("/", get(|| async { "hello" }));
//! let serving = Serving::router(listener, router)?;
//! assert!(serving.url().starts_with("http://127.0.0.1:"));
//! # Ok(())
//! # }
//! ```

use std::{convert::Infallible, io, net::SocketAddr, time::Duration};

use axum::Router;
use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{
    net::{TcpListener, TcpStream},
    runtime::Handle,
    sync::watch,
    task::{AbortHandle, JoinSet},
};
use tower::ServiceExt as _;

/// How long to wait after a connection could not be accepted.
const PAUSE: Duration = Duration::from_millis(10);

/// A server. Dropping it closes its listener and every connection.
#[derive(Debug)]
pub struct Serving {
    address: SocketAddr,
    accepting: AbortHandle,
    /// The task that accepts and each connection hold a receiver until they have ended.
    open: watch::Sender<()>,
}

impl Serving {
    /// Accepts connections on `runtime`, and spawns there the future that `connection` returns for
    /// each of them. A connection ends when its future does; a panic in it ends no other.
    ///
    /// # Errors
    /// When the listener has no local address.
    pub fn start<Connection>(
        listener: TcpListener,
        runtime: &Handle,
        connection: impl Fn(TcpStream, SocketAddr) -> Connection + Send + 'static,
    ) -> io::Result<Self>
    where
        Connection: Future<Output = ()> + Send + 'static,
    {
        let address = listener.local_addr()?;
        let (open, held) = watch::channel(());
        let accepting = runtime.spawn(accept(held, listener, connection)).abort_handle();
        Ok(Self { address, accepting, open })
    }

    /// Serves a router over HTTP/1.1 on the current runtime.
    ///
    /// # Errors
    /// When the caller is not inside a tokio runtime, or the listener has no local address.
    pub fn router(listener: TcpListener, router: Router) -> io::Result<Self> {
        let runtime = Handle::try_current().map_err(io::Error::other)?;
        Self::start(listener, &runtime, move |stream, _| {
            let router = router.clone();
            async move {
                let service = service_fn(|request: hyper::Request<_>| {
                    let router = router.clone();
                    async move { Ok::<_, Infallible>(respond(router, request).await) }
                });
                // It fails when the client hangs up, which is not an error of the server.
                let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
            }
        })
    }

    /// Begins to close the listener and every connection, as dropping does. Does not wait: a request
    /// that follows at once may still be answered.
    pub fn stop(&self) {
        self.accepting.abort();
    }

    /// Closes the listener and every connection. Once it returns, nothing is answered any more.
    pub async fn close(&self) {
        self.stop();
        self.open.closed().await;
    }

    /// The address that it listens on.
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

/// Makes a listener of the standard library usable on the current tokio runtime.
///
/// # Errors
/// When the operating system refuses to make it non-blocking.
///
/// # Panics
/// Outside a tokio runtime.
pub fn on_tokio(listener: std::net::TcpListener) -> io::Result<TcpListener> {
    listener.set_nonblocking(true)?;
    TcpListener::from_std(listener)
}

/// `held` is the first parameter, so it is dropped last: after the listener and the connections.
async fn accept<Connection>(
    held: watch::Receiver<()>,
    listener: TcpListener,
    connection: impl Fn(TcpStream, SocketAddr) -> Connection,
) where
    Connection: Future<Output = ()> + Send + 'static,
{
    // Dropping the set, which happens with this task, cancels every connection.
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, client)) => {
                    // Responses are small: waiting for more to send would only delay them.
                    let _ = stream.set_nodelay(true);
                    let (held, connection) = (held.clone(), connection(stream, client));
                    connections.spawn(async move {
                        connection.await;
                        drop(held);
                    });
                }
                // Usually the process has no file descriptor left: wait until one is closed.
                Err(_) => tokio::time::sleep(PAUSE).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn respond(
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
    use rehearse_testutils::until;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    async fn listener() -> TcpListener {
        TcpListener::bind("127.0.0.1:0").await.unwrap()
    }

    async fn call(stream: &mut TcpStream) -> String {
        stream.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
        let mut text = vec![0; 1024];
        let length = until("a response", stream.read(&mut text)).await.unwrap();
        String::from_utf8_lossy(&text[..length]).into_owned()
    }

    #[tokio::test]
    async fn dropping_a_server_closes_its_idle_connections() {
        let router = Router::new().route("/", get(|| async { "hello" }));
        let serving = Serving::router(listener().await, router).unwrap();
        let mut stream = TcpStream::connect(serving.address()).await.unwrap();
        assert!(call(&mut stream).await.ends_with("hello"));
        assert!(call(&mut stream).await.ends_with("hello"), "the connection stays open");
        drop(serving);
        let mut byte = [0];
        let closed = until("the end of the connection", stream.read(&mut byte)).await;
        assert_eq!(closed.unwrap_or(0), 0);
    }

    /// The server runs on another thread, as those of a world do, so that stopping it takes a moment.
    #[tokio::test]
    async fn a_closed_server_answers_nobody() {
        let threads = crate::threads::Threads::start().unwrap();
        for _ in 0..200 {
            let server = async {
                let router = Router::new().route("/", get(|| async { "hello" }));
                Serving::router(listener().await, router).unwrap()
            };
            let serving = threads.handle().unwrap().spawn(server).await.unwrap();
            let mut stream = TcpStream::connect(serving.address()).await.unwrap();
            assert!(call(&mut stream).await.ends_with("hello"));
            until("the server to close", serving.close()).await;
            let _ = stream.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
            let mut byte = [0];
            let read = until("the end of the connection", stream.read(&mut byte)).await;
            assert_eq!(read.unwrap_or(0), 0, "an open connection is answered");
            assert!(TcpStream::connect(serving.address()).await.is_err(), "a new one is accepted");
        }
    }

    #[tokio::test]
    async fn a_panic_in_one_connection_leaves_the_others() {
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
            until("the end of the connection", stream.read_to_end(&mut text)).await.unwrap();
            assert_eq!(text.len(), back);
        }
    }
}
