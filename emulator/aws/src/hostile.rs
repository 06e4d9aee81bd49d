//! What the gateway and the Runtime API read of a function, for tests that send anything. Not for others.

use serde_json::Value;

use crate::{
    gateway::{lambda, response},
    template::Payload,
};

/// Reads the body with which a process answers an event, for each kind of API. Returns the status of
/// each response; `None` where API Gateway would take the answer for malformed.
pub fn read_answer(body: &[u8]) -> Vec<Option<u16>> {
    let Ok(result) = serde_json::from_slice::<Value>(body) else { return Vec::new() };
    let kinds = [Payload::V2, Payload::V1, Payload::Rest]
        .map(|payload| [(payload, true), (payload, false)]);
    let read = |(payload, decodes)| response::from_result(payload, &result, decodes);
    kinds.into_iter().flatten().map(|kind| Some(read(kind).ok()?.status().as_u16())).collect()
}

/// Reads the body with which a process reports an error, after the type that its header names.
pub fn read_error(kind: Option<String>, body: &[u8]) -> String {
    lambda::error_text(kind, body)
}
