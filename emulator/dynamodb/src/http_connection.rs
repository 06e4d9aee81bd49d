//! One HTTP/1.1 connection to an engine, reopened when the engine has closed it.
//!
//! An engine in another process closes idle connections, so the next call may find a dead one. A
//! request that was not sent is sent again on a new connection. A request that may have been sent
//! is never repeated: it may have taken effect.

use std::{io, net::SocketAddr, pin::pin};

use bytes::Bytes;
use http::Response;
use http_body_util::{BodyExt, Full};
use hyper::{
    body::Incoming,
    client::conn::http1::{Connection, SendRequest, handshake},
};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpStream, sync::Mutex};

use super::wire::{EngineRequest, EngineResponse};

/// A connection that opens with its first request. It has no task of its own: the caller of
/// [`HttpConnection::send`] drives it, so that a call costs no switch to another task.
pub(super) struct HttpConnection {
    address: SocketAddr,
    open: Mutex<Option<OpenConnection>>,
}

/// Why there is no response.
#[derive(Debug, thiserror::Error)]
pub(super) enum SendError {
    #[error("failed to connect to {address}")]
    Connect {
        address: SocketAddr,
        #[source]
        source: io::Error,
    },
    #[error("the connection broke")]
    Broken(#[source] hyper::Error),
}

impl HttpConnection {
    /// A connection to `address`; nothing is connected yet.
    pub(super) fn new(address: SocketAddr) -> Self {
        Self { address, open: Mutex::new(None) }
    }

    /// Sends a request and waits for the whole response. Concurrent calls wait for each other.
    ///
    /// # Errors
    /// When connecting fails, or the connection breaks after the request may have been sent.
    pub(super) async fn send(
        &self,
        mut request: EngineRequest,
    ) -> Result<EngineResponse, SendError> {
        let mut kept = self.open.lock().await;
        loop {
            // Taken out while in use: if this future is dropped, no half-read response stays behind.
            let old = kept.take();
            let reused = old.is_some();
            let mut open = match old {
                Some(open) => open,
                None => self.connect().await?,
            };
            match open.call(request).await {
                Ok(response) => {
                    *kept = Some(open);
                    return Ok(response);
                }
                Err(SendFailure::Unsent(unsent, _)) if reused => request = *unsent,
                Err(SendFailure::Unsent(_, error) | SendFailure::Broken(error)) => {
                    return Err(SendError::Broken(error));
                }
            }
        }
    }

    async fn connect(&self) -> Result<OpenConnection, SendError> {
        let address = self.address;
        let stream = TcpStream::connect(address).await;
        let stream = stream.map_err(|source| SendError::Connect { address, source })?;
        let _ = stream.set_nodelay(true);
        let (sender, driver) = handshake(TokioIo::new(stream)).await.map_err(SendError::Broken)?;
        Ok(OpenConnection { sender, driver: Some(driver) })
    }
}

struct OpenConnection {
    sender: SendRequest<Full<Bytes>>,
    /// `None` once the engine has closed the connection.
    driver: Option<Connection<TokioIo<TcpStream>, Full<Bytes>>>,
}

enum SendFailure {
    /// Nothing of the request was sent; it is handed back.
    Unsent(Box<EngineRequest>, hyper::Error),
    Broken(hyper::Error),
}

impl OpenConnection {
    async fn call(&mut self, request: EngineRequest) -> Result<EngineResponse, SendFailure> {
        let Self { sender, driver } = self;
        let mut exchange = pin!(exchange(sender, request));
        while let Some(driving) = driver {
            tokio::select! {
                biased;
                // Dropping the driver wakes the exchange, which then returns its own error.
                _ = driving => *driver = None,
                result = &mut exchange => return result,
            }
        }
        exchange.await
    }
}

async fn exchange(
    sender: &mut SendRequest<Full<Bytes>>,
    request: EngineRequest,
) -> Result<EngineResponse, SendFailure> {
    if let Err(error) = sender.ready().await {
        return Err(SendFailure::Unsent(Box::new(request), error));
    }
    let response: Response<Incoming> =
        sender.try_send_request(request).await.map_err(|mut error| match error.take_message() {
            Some(request) => SendFailure::Unsent(Box::new(request), error.into_error()),
            None => SendFailure::Broken(error.into_error()),
        })?;
    let (parts, body) = response.into_parts();
    let body = body.collect().await.map_err(SendFailure::Broken)?;
    Ok((parts, body.to_bytes()))
}

#[cfg(test)]
mod tests {
    use http::Request;
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpListener,
        sync::mpsc,
    };

    use super::*;

    fn request() -> EngineRequest {
        Request::post("/").header("host", "a").body(Full::default()).unwrap()
    }

    /// Accepts one connection for each response, and closes it after that; `None` closes it without a
    /// response. Says each time when it is closed.
    async fn serve(
        listener: TcpListener,
        responses: &[Option<&str>],
        closed: mpsc::UnboundedSender<()>,
    ) {
        for response in responses {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut bytes = [0; 1024];
            let _ = stream.read(&mut bytes).await.unwrap();
            if let Some(response) = response {
                let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", response.len());
                stream.write_all(format!("{head}{response}").as_bytes()).await.unwrap();
            }
            drop(stream);
            // Nobody need listen.
            let _ = closed.send(());
        }
    }

    /// Lets the runtime see what has happened on its sockets: connecting waits for that.
    async fn see_sockets() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let connecting = TcpStream::connect(listener.local_addr().unwrap());
        let (connected, accepted) = tokio::join!(connecting, listener.accept());
        connected.unwrap();
        accepted.unwrap();
    }

    #[tokio::test]
    async fn a_connection_that_was_closed_while_idle_is_reopened() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let http_connection = HttpConnection::new(listener.local_addr().unwrap());
        let (closing, mut closed) = mpsc::unbounded_channel();
        let served = tokio::spawn(serve(listener, &[Some("one"), Some("two")], closing));
        assert_eq!(http_connection.send(request()).await.unwrap().1, "one");
        closed.recv().await.unwrap();
        see_sockets().await;
        assert_eq!(http_connection.send(request()).await.unwrap().1, "two");
        served.await.unwrap();
    }

    /// It may have taken effect: only the caller can know whether to repeat it.
    #[tokio::test]
    async fn a_request_that_was_sent_is_not_sent_again() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let http_connection = HttpConnection::new(listener.local_addr().unwrap());
        let (closing, _closed) = mpsc::unbounded_channel();
        let served = tokio::spawn(serve(listener, &[None, Some("fine")], closing));
        assert!(matches!(http_connection.send(request()).await, Err(SendError::Broken(_))));
        assert_eq!(http_connection.send(request()).await.unwrap().1, "fine");
        served.await.unwrap();
    }

    #[tokio::test]
    async fn a_refused_connection_is_an_error_with_the_address() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let error = HttpConnection::new(address).send(request()).await.unwrap_err();
        assert_eq!(error.to_string(), format!("failed to connect to {address}"));
    }
}
