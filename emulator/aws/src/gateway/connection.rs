//! One client's connection: requests are read whole, within AWS's limits, and answered.

use std::{convert::Infallible, net::SocketAddr, sync::Arc};

use bytes::{Bytes, BytesMut};
use http::{HeaderValue, Request as HttpRequest, Response, header, request::Parts, uri::Authority};
use http_body_util::BodyExt;
use hyper::{
    body::{Body as _, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{io::AsyncWriteExt as _, net::TcpStream};
use url::Url;

use super::{
    client_stream::{ClientStream, ErrorOverride, HeaderCase},
    gateway_error::GatewayError,
    handler::Handler,
    request::Request,
};
use crate::template::ApiKind;

const MAX_BODY_BYTES: usize = 10 << 20;
/// Of a body that is too large, this much is read and dropped before the connection is closed.
const MAX_DRAINED_BYTES: usize = 64 << 20;
/// Of the request line and all headers together.
const MAX_HEAD_BYTES: usize = 10_240;
/// AWS limits the bytes alone, and the shortest header is `a:` and the end of its line.
const MAX_HEADERS: usize = MAX_HEAD_BYTES / 4;

/// How many headers hyper makes room for before it reads a head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum HeaderRoom {
    /// hyper's default, which costs nothing and is enough for nearly every request.
    Default,
    /// As many as a head can have. To clear that much room costs more than to read most heads.
    Most,
}

/// Serves one client until it hangs up or sends something that is not HTTP.
pub(super) async fn serve(stream: TcpStream, client: SocketAddr, handler: Arc<Handler>) {
    let port = stream.local_addr().map_or(0, |address| address.port());
    let header_case = HeaderCase::new(handler.stages.any(ApiKind::Rest));
    let (mut stream, mut unread, mut room) = (stream, Bytes::new(), HeaderRoom::Default);
    let (error, has_discarded) = loop {
        let errors = ErrorOverride::default();
        let service = service_fn(|request| {
            errors.begin();
            let response = respond(request, &header_case, client, port, &handler);
            async { Ok::<_, Infallible>(response.await.map(|bytes| errors.body(bytes))) }
        });
        let client_stream = ClientStream::new(stream, unread, header_case.clone(), errors.clone());
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new()).header_read_timeout(handler.timeouts.head);
        if room == HeaderRoom::Most {
            http.max_headers(MAX_HEADERS);
        }
        let mut serving = http.serve_connection(TokioIo::new(client_stream), service);
        let Err(error) = (&mut serving).await else { return };
        let parts = serving.into_parts();
        stream = parts.io.into_inner().into_inner();
        unread = parts.read_buf;
        let has_discarded = errors.has_discarded();
        if !(error.is_parse_too_large() && has_discarded && room == HeaderRoom::Default) {
            break (error, has_discarded);
        }
        // The head may just have many headers: it is read again.
        room = HeaderRoom::Most;
    };
    // A client that has sent part of a request gets a response; one that was idle gets none.
    let error = if error.is_timeout() && !unread.is_empty() {
        GatewayError::TooSlow
    } else if !has_discarded {
        return;
    } else if error.is_parse_too_large() {
        GatewayError::HeadTooLarge
    } else {
        GatewayError::Malformed
    };
    let response = handler.error_response(handler.stages.kind("", "/"), error);
    let _ = stream.write_all(&serialize(&response)).await;
    let _ = stream.shutdown().await;
}

/// A response as bytes, for a connection that hyper has given up.
fn serialize(response: &Response<Bytes>) -> Vec<u8> {
    let mut text = format!("HTTP/1.1 {}\r\n", response.status());
    for (name, value) in response.headers() {
        text.push_str(&format!("{name}: {}\r\n", String::from_utf8_lossy(value.as_bytes())));
    }
    let length = response.body().len();
    text.push_str(&format!("connection: close\r\ncontent-length: {length}\r\n\r\n"));
    let mut bytes = text.into_bytes();
    bytes.extend_from_slice(response.body());
    bytes
}

async fn respond(
    request: HttpRequest<Incoming>,
    header_case: &HeaderCase,
    client: SocketAddr,
    port: u16,
    handler: &Arc<Handler>,
) -> Response<Bytes> {
    let (parts, body) = request.into_parts();
    let names = header_case.take(&parts.headers);
    let host = match valid_host(&parts) {
        Some(_) if head_bytes(&parts) > MAX_HEAD_BYTES => Err(GatewayError::HeadTooLarge),
        Some(host) => Ok(host.to_owned()),
        None => Err(GatewayError::Malformed),
    };
    let read = match host {
        // Without a body there is nothing to wait for, and no timer to set.
        Ok(host) if body.is_end_stream() => Ok((host, Bytes::new())),
        Ok(host) => {
            let body = tokio::time::timeout(handler.timeouts.body, read_body(body)).await;
            body.unwrap_or(Err(GatewayError::TooSlow)).map(|body| (host, body))
        }
        Err(error) => Err(error),
    };
    let response = match read {
        Ok((host, body)) => {
            let request = Request {
                path: parts.uri.path().to_owned(),
                query: parts.uri.query().unwrap_or_default().to_owned(),
                method: parts.method,
                version: parts.version,
                headers: parts.headers,
                header_case: names,
                host,
                body,
                client,
                port,
            };
            handler.handle(request).await
        }
        Err(error) => {
            let host = valid_host(&parts).unwrap_or_default();
            let kind = handler.stages.kind(host, parts.uri.path());
            let mut response = handler.error_response(kind, error);
            if matches!(error, GatewayError::TooSlow | GatewayError::Malformed) {
                // What else comes on this connection may be the rest of that request.
                let close = HeaderValue::from_static("close");
                response.headers_mut().insert(header::CONNECTION, close);
            }
            response
        }
    };
    header_case.resume();
    response
}

/// Reads a whole body. The rest of one that is too large is read and dropped, because a client that
/// writes before it reads would otherwise not see the response.
async fn read_body(mut body: Incoming) -> Result<Bytes, GatewayError> {
    let mut bytes = BytesMut::new();
    let mut total = 0;
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| GatewayError::Malformed)?.into_data() else { continue };
        if total == 0 && body.is_end_stream() && data.len() <= MAX_BODY_BYTES {
            // All in one piece, as most are.
            return Ok(data);
        }
        total += data.len();
        if total <= MAX_BODY_BYTES {
            bytes.extend_from_slice(&data);
        } else if total > MAX_DRAINED_BYTES {
            break;
        }
    }
    if total > MAX_BODY_BYTES { Err(GatewayError::BodyTooLarge) } else { Ok(bytes.freeze()) }
}

/// The size of a head, as API Gateway counts it.
fn head_bytes(parts: &Parts) -> usize {
    let uri = &parts.uri;
    let origin = match (uri.scheme_str(), uri.authority()) {
        (Some(scheme), Some(authority)) => scheme.len() + "://".len() + authority.as_str().len(),
        (None, Some(authority)) => authority.as_str().len(),
        _ => 0,
    };
    let path = uri.path_and_query().map_or(0, |path| path.as_str().len());
    let line = parts.method.as_str().len() + origin + path + "  HTTP/1.1\r\n".len();
    let field = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
        name.as_str().len() + value.len() + ": \r\n".len()
    };
    line + parts.headers.iter().map(field).sum::<usize>()
}

/// The Host header, if there is exactly one and a URL can be made of it: Twilio signs that URL, and
/// handlers rebuild it.
fn valid_host(parts: &Parts) -> Option<&str> {
    let mut hosts = parts.headers.get_all(header::HOST).iter();
    let host = hosts.next()?.to_str().ok()?;
    (hosts.next().is_none() && is_host(host)).then_some(host)
}

fn is_host(host: &str) -> bool {
    is_plain_host(host)
        || (!host.contains('@')
            && host.parse::<Authority>().is_ok()
            && Url::parse(&format!("http://{host}/")).is_ok())
}

/// Whether this is an IPv4 address with a port, as a client of a test sends it: parsing a URL costs
/// more than the rest of the head.
fn is_plain_host(host: &str) -> bool {
    host.parse::<std::net::SocketAddrV4>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_host_is_one_of_which_a_url_can_be_made() {
        for host in ["127.0.0.1:4000", "10.0.0.7:65535", "0.0.0.0:0"] {
            assert!(is_plain_host(host), "{host}");
            assert!(host.parse::<Authority>().is_ok(), "{host}");
            assert!(Url::parse(&format!("http://{host}/")).is_ok(), "{host}");
        }
        for host in ["localhost", "127.0.0.1", "127.0.0.1:99999", "a@127.0.0.1:1", "[::1]:80"] {
            assert!(!is_plain_host(host), "{host}");
        }
    }
}
