//! A connection to an engine, made anew when the engine has closed it.
//!
//! An engine of another process closes connections that are idle, so the next
//! call finds a dead one. A request that was not sent yet is sent again on a new
//! connection; one that may have been sent never is.

use std::{io, net::SocketAddr, pin::pin};

use bytes::Bytes;
use http::{Request, Response, response::Parts};
use http_body_util::{BodyExt, Full};
use hyper::{
    body::Incoming,
    client::conn::http1::{Connection, SendRequest, handshake},
};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpStream, sync::Mutex};

/// A connection, driven by whoever sends: a call costs no switch to another task.
pub(super) struct HttpConnection {
    address: SocketAddr,
    open: Mutex<Option<OpenConnection>>,
}

/// Why there is no answer.
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

struct OpenConnection {
    sender: SendRequest<Full<Bytes>>,
    /// `None` once the engine has closed the connection.
    driver: Option<Connection<TokioIo<TcpStream>, Full<Bytes>>>,
}

enum SendFailure {
    /// Nothing of it left this machine.
    Unsent(Box<Request<Full<Bytes>>>, hyper::Error),
    Broken(hyper::Error),
}

impl HttpConnection {
    /// A connection that is opened by the first call.
    pub(super) fn new(address: SocketAddr) -> Self {
        Self { address, open: Mutex::new(None) }
    }

    /// The engine's answer, every header and byte as it came. Calls wait for each other.
    pub(super) async fn send(
        &self,
        mut request: Request<Full<Bytes>>,
    ) -> Result<(Parts, Bytes), SendError> {
        let mut kept = self.open.lock().await;
        loop {
            // Taken while it is used: who goes away meanwhile leaves no half-read answer behind.
            let old = kept.take();
            let reused = old.is_some();
            let mut open = match old {
                Some(open) => open,
                None => self.connect().await?,
            };
            match open.call(request).await {
                Ok(answer) => {
                    *kept = Some(open);
                    return Ok(answer);
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

impl OpenConnection {
    async fn call(&mut self, request: Request<Full<Bytes>>) -> Result<(Parts, Bytes), SendFailure> {
        let Self { sender, driver } = self;
        let mut exchange = pin!(exchange(sender, request));
        while let Some(driving) = driver {
            tokio::select! {
                biased;
                // Dropped at its end, so that the exchange hears of it and says how it was.
                _ = driving => *driver = None,
                result = &mut exchange => return result,
            }
        }
        exchange.await
    }
}

async fn exchange(
    sender: &mut SendRequest<Full<Bytes>>,
    request: Request<Full<Bytes>>,
) -> Result<(Parts, Bytes), SendFailure> {
    if let Err(error) = sender.ready().await {
        return Err(SendFailure::Unsent(Box::new(request), error));
    }
    let answer: Response<Incoming> =
        sender.try_send_request(request).await.map_err(|mut error| match error.take_message() {
            Some(request) => SendFailure::Unsent(Box::new(request), error.into_error()),
            None => SendFailure::Broken(error.into_error()),
        })?;
    let (parts, body) = answer.into_parts();
    let body = body.collect().await.map_err(SendFailure::Broken)?;
    Ok((parts, body.to_bytes()))
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpListener,
    };

    use super::*;

    fn request() -> Request<Full<Bytes>> {
        Request::post("/").header("host", "a").body(Full::default()).unwrap()
    }

    /// Answers one request on each connection, or hangs up, and ends it.
    async fn serve(listener: TcpListener, answers: &[Option<&str>]) {
        for answer in answers {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut bytes = [0; 1024];
            let _ = stream.read(&mut bytes).await.unwrap();
            if let Some(answer) = answer {
                let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", answer.len());
                stream.write_all(format!("{head}{answer}").as_bytes()).await.unwrap();
            }
        }
    }

    #[tokio::test]
    async fn a_connection_that_was_closed_while_idle_is_made_anew() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let http_connection = HttpConnection::new(listener.local_addr().unwrap());
        let served = tokio::spawn(serve(listener, &[Some("one"), Some("two")]));
        assert_eq!(http_connection.send(request()).await.unwrap().1, "one");
        assert_eq!(http_connection.send(request()).await.unwrap().1, "two");
        served.await.unwrap();
    }

    /// It may have been carried out: only the caller can know whether to repeat it.
    #[tokio::test]
    async fn a_request_that_was_sent_is_not_sent_again() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let http_connection = HttpConnection::new(listener.local_addr().unwrap());
        let served = tokio::spawn(serve(listener, &[None, Some("fine")]));
        assert!(matches!(http_connection.send(request()).await, Err(SendError::Broken(_))));
        assert_eq!(http_connection.send(request()).await.unwrap().1, "fine");
        served.await.unwrap();
    }

    #[tokio::test]
    async fn nobody_there_is_an_error_with_the_address() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let error = HttpConnection::new(address).send(request()).await.unwrap_err();
        assert_eq!(error.to_string(), format!("failed to connect to {address}"));
    }
}
