//! One client's connection: what it asks of the proxy, and the tunnel that it may get.

use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
};

use http::{HeaderMap, Method, Request, StatusCode, Uri, header};
use http_body_util::{Either, Full};
use hyper::{
    body::Incoming,
    ext::ReasonPhrase,
    rt::{Read, Write},
    server::conn::http1::Builder,
    service::service_fn,
    upgrade::OnUpgrade,
};
use hyper_util::rt::TokioIo;
use rustls::AlertDescription;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use super::{
    Shared,
    forward::{Answer, Cut, Forwarder, words},
    hosts::{Destination, Refused, Upstream},
};

/// A tunnel that a client was promised.
struct Tunnel {
    to: Destination,
    upgrade: OnUpgrade,
}

/// Serves a client until either side closes the connection.
pub(crate) async fn serve(stream: TcpStream, shared: Arc<Shared>) {
    let promised = Mutex::new(None);
    let forwarder = Forwarder::default();
    let service = service_fn(|request| front(request, &shared, &forwarder, &promised));
    let front = Builder::new().serve_connection(TokioIo::new(stream), service).with_upgrades();
    // An error closes the connection, which the client sees for itself.
    let _ = front.await;
    let promised = promised.into_inner().unwrap_or_else(PoisonError::into_inner);
    let Some(Tunnel { to, upgrade }) = promised else { return };
    let Ok(tunnel) = upgrade.await else { return };
    if to.port == 80 {
        return inside(tunnel, &to, &shared).await;
    }
    let configuration = match shared.authority.configuration(&to.host) {
        Ok(configuration) => configuration,
        Err(error) => {
            tracing::error!(host = to.host, error = &error as &dyn std::error::Error, "no TLS");
            return;
        }
    };
    match TlsAcceptor::from(configuration).accept(TokioIo::new(tunnel)).await {
        Ok(stream) => inside(TokioIo::new(stream), &to, &shared).await,
        Err(error) if is_distrust(&error) => shared.refusals.untrusted(&to),
        Err(_) => shared.refusals.unfinished(&to),
    }
}

/// Whether a handshake failed because the client said that it does not trust the certificate.
fn is_distrust(error: &io::Error) -> bool {
    let error = error.get_ref().and_then(|error| error.downcast_ref::<rustls::Error>());
    matches!(
        error,
        Some(rustls::Error::AlertReceived(
            AlertDescription::UnknownCA
                | AlertDescription::BadCertificate
                | AlertDescription::UnsupportedCertificate
                | AlertDescription::CertificateRevoked
                | AlertDescription::CertificateExpired
                | AlertDescription::CertificateUnknown
        ))
    )
}

/// Serves what is said inside a tunnel.
async fn inside(stream: impl Read + Write + Unpin, to: &Destination, shared: &Shared) {
    let forwarder = Forwarder::default();
    let service = service_fn(|request| answer(request, to, shared, &forwarder));
    let _ = Builder::new().serve_connection(stream, service).await;
}

/// What a client asks of the proxy itself: a tunnel, or an absolute URL.
async fn front(
    request: Request<Incoming>,
    shared: &Shared,
    forwarder: &Forwarder,
    promised: &Mutex<Option<Tunnel>>,
) -> Result<Answer, Cut> {
    let Some(to) = destination(&request) else {
        return Ok(words(
            StatusCode::BAD_REQUEST,
            "this is rehearse's proxy, which wants CONNECT HOST:PORT or an absolute http URL"
                .into(),
        ));
    };
    if request.method() != Method::CONNECT {
        return answer(request, &to, shared, forwarder).await;
    }
    if let Err(refused) = to.upstream(&shared.upstreams) {
        return Ok(refuse(&to, refused, shared));
    }
    let upgrade = hyper::upgrade::on(request);
    *promised.lock().unwrap_or_else(PoisonError::into_inner) = Some(Tunnel { to, upgrade });
    Ok(Answer::new(Either::Right(Full::default())))
}

/// Answers a request to a host, by the part of the world that stands for it.
async fn answer(
    request: Request<Incoming>,
    to: &Destination,
    shared: &Shared,
    forwarder: &Forwarder,
) -> Result<Answer, Cut> {
    let address = match to.upstream(&shared.upstreams) {
        Ok(Upstream::Part(address)) => address,
        Ok(Upstream::OtherAws(address)) if is_signed(request.uri(), request.headers()) => address,
        Ok(Upstream::OtherAws(_)) => return Ok(refuse(to, Refused::Unsigned, shared)),
        Err(refused) => return Ok(refuse(to, refused, shared)),
    };
    forwarder.forward(address, &to.host, request).await
}

fn refuse(to: &Destination, refused: Refused, shared: &Shared) -> Answer {
    let message = shared.refusals.refused(to, refused);
    // Many clients show of a tunnel that they do not get the status line alone.
    let reason = format!("Forbidden: {} is refused by rehearse", to.text());
    let mut answer = words(StatusCode::FORBIDDEN, message);
    if let Ok(reason) = ReasonPhrase::try_from(reason) {
        answer.extensions_mut().insert(reason);
    }
    answer
}

/// Where a request to the proxy wants to go; `None` when it names no host, or no port for a tunnel.
fn destination(request: &Request<Incoming>) -> Option<Destination> {
    let authority = request.uri().authority()?;
    let port = match authority.port() {
        Some(port) => port.as_str().parse().ok()?,
        None if request.method() == Method::CONNECT => return None,
        None if request.uri().scheme_str() == Some("https") => 443,
        None => 80,
    };
    Some(Destination::new(authority.host(), port))
}

/// Whether a request is signed as AWS SDKs do it, in a header or in the URL.
fn is_signed(uri: &Uri, headers: &HeaderMap) -> bool {
    let header = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    header.is_some_and(|value| value.starts_with("AWS4-") && value.contains("Credential="))
        || uri.query().is_some_and(|query| query.to_ascii_lowercase().contains("x-amz-credential="))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_client_that_says_so_does_not_trust_the_authority() {
        let failed = |alert| io::Error::other(rustls::Error::AlertReceived(alert));
        for alert in [
            AlertDescription::UnknownCA,
            AlertDescription::BadCertificate,
            AlertDescription::CertificateUnknown,
        ] {
            assert!(is_distrust(&failed(alert)), "{alert:?}");
        }
        for alert in [AlertDescription::ProtocolVersion, AlertDescription::UserCanceled] {
            assert!(!is_distrust(&failed(alert)), "{alert:?}");
        }
        assert!(!is_distrust(&io::Error::from(io::ErrorKind::UnexpectedEof)));
        assert!(!is_distrust(&io::Error::other(rustls::Error::DecryptError)));
    }
}
