//! How a client spelt the names of its headers.
//!
//! HTTP does not care, and the parser keeps lower case; a REST API's events
//! keep what came. So the bytes of a head are kept while it is read, and the
//! names found in them once it is parsed. Of a request that is sent before the
//! body of the one before it has been read, the case may be lost, and lower
//! case stands.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use http::{HeaderMap, header};

/// More than any head that is let through.
const MOST: usize = 64 << 10;

/// The bytes of a connection's next head.
#[derive(Debug, Clone)]
pub(super) struct HeaderCase(Option<Arc<Mutex<RecordedHead>>>);

#[derive(Debug, Default)]
struct RecordedHead {
    bytes: Vec<u8>,
    paused: bool,
}

impl HeaderCase {
    /// One that records, or does nothing.
    pub(super) fn new(records: bool) -> Self {
        Self(records.then(Arc::default))
    }

    /// The case of the head that was just read, where it is not lower case.
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

    /// The next head comes.
    pub(super) fn resume(&self) {
        if let Some(mut recorded) = self.recorded() {
            recorded.paused = false;
        }
    }

    /// Bytes were read.
    pub(super) fn record(&self, bytes: &[u8]) {
        let Some(mut recorded) = self.recorded() else { return };
        if !recorded.paused && recorded.bytes.len() + bytes.len() <= MOST {
            recorded.bytes.extend_from_slice(bytes);
        }
    }

    fn recorded(&self) -> Option<MutexGuard<'_, RecordedHead>> {
        self.0.as_ref().map(|lock| lock.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// How much body follows a head; a chunked one is of unknown length.
fn body_bytes(headers: &HeaderMap) -> usize {
    if headers.contains_key(header::TRANSFER_ENCODING) {
        return usize::MAX;
    }
    let length = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    length.and_then(|length| length.parse().ok()).unwrap_or(0)
}

/// Only names that the parser saw as well.
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
    fn heads_are_told_apart_and_bodies_passed_over() {
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
        // What stood behind the first head is not mistaken for the second.
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
    fn a_head_without_end_is_not_kept() {
        let header_case = HeaderCase::new(true);
        (0..100).for_each(|_| header_case.record(&[b'x'; 1 << 10]));
        assert!(header_case.recorded().unwrap().bytes.len() <= MOST);
    }
}
