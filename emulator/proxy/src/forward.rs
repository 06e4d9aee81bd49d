//! Passing requests on to a part of the world, whose answers go back as they come.

use std::net::SocketAddr;

use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, Uri, Version, header,
};
use http_body_util::{Either, Full};
use hyper::{
    body::Incoming,
    client::conn::http1::{SendRequest, handshake},
};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpStream, sync::Mutex, task::JoinSet};

/// What a client gets: a part's answer, or words of the proxy.
pub(crate) type Answer = Response<Either<Incoming, Full<Bytes>>>;

/// The part closed the connection without an answer, and so does the proxy.
#[derive(Debug, thiserror::Error)]
#[error("the connection was cut")]
pub(crate) struct Cut;

/// Headers that belong to a connection and not to what is said on it (RFC 9110, section 7.6.1).
const OF_THE_CONNECTION: [HeaderName; 7] = [
    header::CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// The way from one client's connection to the parts. A part's connection is kept while the client's
/// requests go there, and closed with this value.
#[derive(Default)]
pub(crate) struct Forwarder(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    open: Option<(SocketAddr, SendRequest<Incoming>)>,
    driving: JoinSet<()>,
}

impl Forwarder {
    /// Passes a request on. `host` stands in for a `Host` that the client left out.
    pub(crate) async fn forward(
        &self,
        to: SocketAddr,
        host: &str,
        request: Request<Incoming>,
    ) -> Result<Answer, Cut> {
        // Requests on one connection come one after the other, so nobody waits here.
        let mut kept = self.0.lock().await;
        let Ok(mut sender) = kept.sender(to).await else {
            return Ok(words(
                StatusCode::BAD_GATEWAY,
                "rehearse's proxy does not reach the world, which may have ended".into(),
            ));
        };
        let answer = sender.send_request(prepared(request, host)).await.map_err(|_| Cut)?;
        kept.open = Some((to, sender));
        let (mut parts, body) = answer.into_parts();
        remove_of_the_connection(&mut parts.headers);
        Ok(Response::from_parts(parts, Either::Left(body)))
    }
}

impl Kept {
    /// The connection that is open, or a new one.
    async fn sender(&mut self, to: SocketAddr) -> Result<SendRequest<Incoming>, Cut> {
        if let Some((address, mut sender)) = self.open.take()
            && address == to
            && sender.ready().await.is_ok()
        {
            return Ok(sender);
        }
        // Dropping the set ends what is in it; a set that is only aborted keeps every task.
        self.driving = JoinSet::new();
        let stream = TcpStream::connect(to).await.map_err(|_| Cut)?;
        // Requests are small: waiting for more to send would only delay them.
        let _ = stream.set_nodelay(true);
        let (sender, connection) = handshake(TokioIo::new(stream)).await.map_err(|_| Cut)?;
        self.driving.spawn(async move {
            // An error ends the answer, which its reader sees.
            let _ = connection.await;
        });
        Ok(sender)
    }
}

/// An answer of the proxy itself.
pub(crate) fn words(status: StatusCode, text: String) -> Answer {
    let mut response = Response::new(Either::Right(Full::from(text + "\n")));
    *response.status_mut() = status;
    let kind = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

/// The request as the part would have got it without a proxy.
fn prepared(request: Request<Incoming>, host: &str) -> Request<Incoming> {
    let (mut parts, body) = request.into_parts();
    let host = host_to_set(&parts.uri, &parts.headers, host);
    let path = parts.uri.path_and_query().cloned();
    parts.uri = path.map_or_else(|| Uri::from_static("/"), Uri::from);
    parts.version = Version::HTTP_11;
    remove_of_the_connection(&mut parts.headers);
    // Whoever waits for leave to send the body has it from the proxy.
    parts.headers.remove(header::EXPECT);
    if let Some(host) = host {
        parts.headers.insert(header::HOST, host);
    }
    Request::from_parts(parts, body)
}

/// The host of an absolute URL, whatever the client's `Host` says (RFC 9112, section 3.2.2); for another
/// request `otherwise`, when it has no `Host`.
fn host_to_set(uri: &Uri, headers: &HeaderMap, otherwise: &str) -> Option<HeaderValue> {
    let host = match uri.authority() {
        Some(authority) => {
            let text = authority.as_str();
            text.rsplit_once('@').map_or(text, |(_user, host)| host)
        }
        None if headers.contains_key(header::HOST) => return None,
        None => otherwise,
    };
    HeaderValue::from_str(host).ok()
}

fn remove_of_the_connection(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in named.iter().chain(&OF_THE_CONNECTION) {
        headers.remove(name);
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn connections_that_are_replaced_are_forgotten() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut kept = Kept::default();
        for _ in 0..3 {
            // One that is not put back is not used again.
            assert!(kept.sender(address).await.is_ok());
        }
        assert_eq!(kept.driving.len(), 1);
    }

    #[test]
    fn an_absolute_url_says_the_host_and_another_request_keeps_its_own() {
        let mut headers = HeaderMap::new();
        let set = |uri, headers: &HeaderMap| host_to_set(&Uri::from_static(uri), headers, "tunnel");
        assert_eq!(set("/x", &headers).unwrap(), "tunnel");
        headers.insert(header::HOST, HeaderValue::from_static("other.example"));
        assert_eq!(set("/x", &headers), None);
        assert_eq!(set("http://api.twilio.com/x", &headers).unwrap(), "api.twilio.com");
        assert_eq!(
            set("http://AC1:secret@api.twilio.com:80/x", &headers).unwrap(),
            "api.twilio.com:80"
        );
    }
}
