//! The stream between a client and hyper, and two things about it that hyper does not offer.
//!
//! - [`ErrorOverride`] discards the bare error responses that hyper writes when it cannot parse a
//!   request, so that the API's own can be sent in their place.
//! - [`HeaderCase`] records the bytes of request heads, because a REST API's events keep header names
//!   as the client wrote them and hyper keeps them in lower case.

use std::{
    collections::BTreeMap,
    io,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{HeaderMap, header};
use http_body_util::Full;
use hyper::body::{Body, Frame, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Most bytes of a head that are recorded: more than any head that is accepted.
const MAX_RECORDED_BYTES: usize = 64 << 10;

/// A client's connection, as hyper reads and writes it.
#[derive(Debug)]
pub(super) struct ClientStream<S> {
    stream: S,
    /// Bytes that were read before and are to be read again.
    unread: Bytes,
    header_case: HeaderCase,
    errors: ErrorOverride,
}

impl<S> ClientStream<S> {
    /// A stream that begins with bytes that were read from it before.
    pub(super) fn new(
        stream: S,
        unread: Bytes,
        header_case: HeaderCase,
        errors: ErrorOverride,
    ) -> Self {
        Self { stream, unread, header_case, errors }
    }

    pub(super) fn into_inner(self) -> S {
        self.stream
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for ClientStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.unread.is_empty() {
            let length = self.unread.len().min(buffer.remaining());
            buffer.put_slice(&self.unread.split_to(length));
            return Poll::Ready(Ok(()));
        }
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(context, buffer);
        let read = buffer.filled().get(before..).unwrap_or_default();
        if !read.is_empty() {
            self.header_case.record(read);
        }
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for ClientStream<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.errors.discards() {
            return Poll::Ready(Ok(bytes.len()));
        }
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(context);
        if flushed.is_ready() {
            self.errors.flushed();
        }
        flushed
    }

    /// Leaves the stream open after a discarded response: the API's own is still to be sent.
    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.errors.has_discarded() {
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.errors.discards() {
            return Poll::Ready(Ok(slices.iter().map(|slice| slice.len()).sum()));
        }
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

/// Discards the error responses that hyper writes by itself.
///
/// hyper answers what it cannot parse with a status and nothing else. It does so only while no
/// response of the API is under way, which tells the two apart. Clones share one connection.
#[derive(Debug, Clone, Default)]
pub(super) struct ErrorOverride(Arc<Mutex<Phase>>);

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// No request is being answered: what is written now is hyper's own.
    #[default]
    Idle,
    /// A request is being answered.
    Responding,
    /// hyper has the whole response; the next flush sends the rest of it.
    Flushing,
    /// hyper wrote a response of its own, which was discarded.
    Discarded,
}

impl ErrorOverride {
    /// Marks the arrival of a request: what is written from now on is its response.
    pub(super) fn begin(&self) {
        *self.phase() = Phase::Responding;
    }

    /// Wraps a response's body, which tells when hyper has all of it.
    pub(super) fn body(&self, bytes: Bytes) -> ResponseBody {
        ResponseBody { body: Full::new(bytes), errors: self.clone() }
    }

    /// Whether hyper wrote a response of its own.
    pub(super) fn has_discarded(&self) -> bool {
        *self.phase() == Phase::Discarded
    }

    /// Whether what is written now must be discarded.
    fn discards(&self) -> bool {
        let mut phase = self.phase();
        if *phase == Phase::Idle {
            *phase = Phase::Discarded;
        }
        *phase == Phase::Discarded
    }

    fn flushed(&self) {
        self.change(Phase::Flushing, Phase::Idle);
    }

    fn change(&self, from: Phase, to: Phase) {
        let mut phase = self.phase();
        if *phase == from {
            *phase = to;
        }
    }

    fn phase(&self) -> MutexGuard<'_, Phase> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The body of a response of the API.
#[derive(Debug)]
pub(super) struct ResponseBody {
    body: Full<Bytes>,
    errors: ErrorOverride,
}

impl Drop for ResponseBody {
    fn drop(&mut self) {
        self.errors.change(Phase::Responding, Phase::Flushing);
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Records how a client writes the names of its headers. Clones share one connection.
///
/// If a request is sent before the body of the one before it has been read, its case may be lost;
/// its names are then lower case.
#[derive(Debug, Clone)]
pub(super) struct HeaderCase(Option<Arc<Mutex<RecordedHead>>>);

/// The bytes of a connection's next head.
#[derive(Debug, Default)]
struct RecordedHead {
    bytes: Vec<u8>,
    /// Set while a body is read.
    paused: bool,
}

impl HeaderCase {
    /// A recorder. If it is not enabled it records nothing, which costs nothing.
    pub(super) fn new(enabled: bool) -> Self {
        Self(enabled.then(Arc::default))
    }

    /// Takes the names of the head that was just read, by their lower case; those that are lower
    /// case already are left out.
    pub(super) fn take(&self, headers: &HeaderMap) -> BTreeMap<String, String> {
        let Some(mut recorded) = self.recorded() else { return BTreeMap::new() };
        let end = recorded.bytes.windows(4).position(|window| window == b"\r\n\r\n");
        let Some(end) = end else { return BTreeMap::new() };
        let mut rest = recorded.bytes.split_off(end + 4);
        let body = body_bytes(headers);
        recorded.paused = rest.len() < body;
        rest.drain(..body.min(rest.len()));
        let head = std::mem::replace(&mut recorded.bytes, rest);
        names(&head, headers)
    }

    /// Records again: the body has been read, and the next head follows.
    pub(super) fn resume(&self) {
        if let Some(mut recorded) = self.recorded() {
            recorded.paused = false;
        }
    }

    fn record(&self, bytes: &[u8]) {
        let Some(mut recorded) = self.recorded() else { return };
        if !recorded.paused && recorded.bytes.len() + bytes.len() <= MAX_RECORDED_BYTES {
            recorded.bytes.extend_from_slice(bytes);
        }
    }

    fn recorded(&self) -> Option<MutexGuard<'_, RecordedHead>> {
        self.0.as_ref().map(|lock| lock.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The size of the body that follows a head. The size of a chunked one is unknown.
fn body_bytes(headers: &HeaderMap) -> usize {
    if headers.contains_key(header::TRANSFER_ENCODING) {
        return usize::MAX;
    }
    let length = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    length.and_then(|length| length.parse().ok()).unwrap_or(0)
}

/// The names in a head, if the parser saw them as well.
fn names(head: &[u8], headers: &HeaderMap) -> BTreeMap<String, String> {
    let lines = head.split(|byte| *byte == b'\n').skip(1);
    let names = lines.filter_map(|line| {
        let name = line.split(|byte| *byte == b':').next()?;
        let name = std::str::from_utf8(name).ok()?;
        let lower = name.to_ascii_lowercase();
        (lower != name && headers.contains_key(&lower)).then(|| (lower, name.to_owned()))
    });
    names.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(names: &[&str]) -> HeaderMap {
        let name = |name: &&str| name.parse::<http::HeaderName>().unwrap();
        names.iter().map(|n| (name(n), http::HeaderValue::from_static("v"))).collect()
    }

    #[test]
    fn heads_are_told_apart_and_bodies_skipped() {
        let header_case = HeaderCase::new(true);
        header_case.record(b"POST /a HTTP/1.1\r\nX-One: v\r\nx-two: v\r\n");
        header_case.record(b"Content-Length: 20\r\n\r\nX-Four: v\r\n\r\n");
        let mut first = headers(&["x-one", "x-two", "x-four"]);
        first.insert("content-length", http::HeaderValue::from_static("20"));
        let expected = [("content-length", "Content-Length"), ("x-one", "X-One")];
        let expected = expected.map(|(lower, name)| (lower.to_owned(), name.to_owned()));
        assert_eq!(header_case.take(&first), BTreeMap::from(expected));
        header_case.record(b"Body: 7\r\n\r\n");
        header_case.resume();
        // The rest of the first request is not mistaken for the second one.
        for name in ["X-THREE", "X-threE"] {
            header_case.record(format!("GET /b HTTP/1.1\r\n{name}: v\r\n\r\n").as_bytes());
        }
        for name in ["X-THREE", "X-threE"] {
            let names = header_case.take(&headers(&["x-three"]));
            assert_eq!(names, BTreeMap::from([("x-three".to_owned(), name.to_owned())]));
        }
        assert!(HeaderCase::new(false).take(&headers(&["x-one"])).is_empty());
    }

    #[test]
    fn a_head_without_end_does_not_fill_the_memory() {
        let header_case = HeaderCase::new(true);
        (0..100).for_each(|_| header_case.record(&[b'x'; 1 << 10]));
        assert!(header_case.recorded().unwrap().bytes.len() <= MAX_RECORDED_BYTES);
    }
}
