//! From a request to what is sent back: checks, the script or persona, failures.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use serde::Serialize;
use serde_json::{Map, Value};

use super::{
    chat,
    conversation::Conversation,
    error::ApiError,
    ids::Ids,
    registry::Decision,
    reply::{Reply, tokens},
    responses,
    script::{CutPoint, RoundFailure},
    server::ServerState,
    sse::Events,
    stored_responses::input_items,
};
use rehearse_core::faults::{self, Failure};

/// Which of the two endpoints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Endpoint {
    Responses,
    Chat,
}

impl Endpoint {
    /// The name in the journal.
    pub fn name(self) -> &'static str {
        match self {
            Self::Responses => "openai.responses",
            Self::Chat => "openai.chat",
        }
    }
}

/// What is sent back, and when.
#[derive(Debug)]
pub(super) struct PreparedResponse {
    /// The script and round that answer.
    pub script: Option<String>,
    pub delay: Duration,
    pub end: ResponseAction,
}

/// How an exchange ends. Answers are JSON.
#[derive(Debug)]
pub(super) enum ResponseAction {
    Error(ApiError),
    /// The answer, as a stream when one was asked for.
    Complete(Bytes, Option<Events>),
    /// The answer breaks off; with an error that a stream still tells.
    Truncated(Bytes, Option<Events>),
    /// The connection closes; the answer if the request had one, else nothing.
    Disconnect(Bytes),
    /// 200 and a body that is no JSON.
    Malformed,
}

impl From<ApiError> for PreparedResponse {
    fn from(error: ApiError) -> Self {
        Self { script: None, delay: Duration::ZERO, end: ResponseAction::Error(error) }
    }
}

/// Decides the answer to a request. `fault` is one aimed at the endpoint as a whole.
pub(super) fn prepare(
    server: &ServerState,
    endpoint: Endpoint,
    request: &Value,
    body: &[u8],
    fault: Option<&Failure>,
) -> PreparedResponse {
    let delay = fault.map_or(Duration::ZERO, Failure::delay);
    if let Some(end) = fault.and_then(|fault| struck(fault, request)) {
        return PreparedResponse { script: None, delay, end };
    }
    let mut ready = match request.as_object() {
        None => ApiError::not_json().into(),
        Some(request) => match endpoint {
            Endpoint::Responses => on_responses(server, request, body),
            Endpoint::Chat => on_chat(server, request, body),
        }
        .unwrap_or_else(|error| {
            server.registry().refused(&format!("{} {}", error.status, error.message));
            error.into()
        }),
    };
    ready.delay += delay;
    if fault.is_some_and(|f| f.cut == Some(faults::Cut::After)) {
        ready.end = ResponseAction::Disconnect(match ready.end {
            ResponseAction::Complete(answer, _)
            | ResponseAction::Truncated(answer, _)
            | ResponseAction::Disconnect(answer) => answer,
            ResponseAction::Error(_) | ResponseAction::Malformed => Bytes::new(),
        });
    }
    ready
}

/// The end that a fault gives a request before it has any effect.
fn struck(fault: &Failure, request: &Value) -> Option<ResponseAction> {
    if fault.cut == Some(faults::Cut::Before) {
        return Some(ResponseAction::Disconnect(Bytes::new()));
    }
    fault.status.map(|status| {
        let model = request["model"].as_str().unwrap_or("unknown");
        let mut error = ApiError::failure(status, fault.code.as_deref(), model);
        error.retry_after = fault.retry_after;
        ResponseAction::Error(error)
    })
}

fn on_responses(
    server: &ServerState,
    request: &Map<String, Value>,
    body: &[u8],
) -> Result<PreparedResponse, ApiError> {
    let prior = match request.get("previous_response_id").and_then(Value::as_str) {
        None => Arc::default(),
        Some(id) => server.stored().get(id).ok_or_else(|| {
            ApiError::invalid(format!("Previous response with id '{id}' not found."))
                .param("previous_response_id")
                .code("previous_response_not_found")
        })?,
    };
    let input = request.get("input");
    let resolved = input.and_then(|input| server.stored().resolve(input));
    let input = resolved.as_ref().or(input);
    let conversation = responses::read(request, input, &prior, &server.options, &server.stored())?;
    let stream = request.get("stream") == Some(&Value::Bool(true));
    let form = |reply: &Reply| {
        let now = server.clock.now().as_second();
        let answer = responses::ResponseObject::new(request, reply, now, tokens(body.len()));
        if request.get("store") != Some(&Value::Bool(false)) {
            let mut items = prior.to_vec();
            items.extend(input_items(input));
            items.extend(answer.output.iter().cloned());
            server.stored_mut().put(reply.ids.response(), items);
        }
        let events = stream.then(|| responses::events(&answer));
        (text(&answer), events)
    };
    Ok(decide(server, &conversation, body, stream, form))
}

fn on_chat(
    server: &ServerState,
    request: &Map<String, Value>,
    body: &[u8],
) -> Result<PreparedResponse, ApiError> {
    let conversation = chat::read(request, &server.options)?;
    let stream = request.get("stream") == Some(&Value::Bool(true));
    let form = |reply: &Reply| {
        let answer =
            chat::object(request, reply, server.clock.now().as_second(), tokens(body.len()));
        let usage = request.get("stream_options").and_then(|o| o.get("include_usage"));
        let events = stream.then(|| chat::chunks(&answer, usage == Some(&Value::Bool(true))));
        (text(&answer), events)
    };
    Ok(decide(server, &conversation, body, stream, form))
}

/// An answer's text. Writing values with text keys into memory cannot fail.
fn text(answer: &impl Serialize) -> Bytes {
    serde_json::to_vec(answer).unwrap_or_default().into()
}

fn decide(
    server: &ServerState,
    conversation: &Conversation<'_>,
    body: &[u8],
    stream: bool,
    form: impl FnOnce(&Reply) -> (Bytes, Option<Events>),
) -> PreparedResponse {
    let decision = server.registry().decide(conversation);
    match decision {
        Decision::Unexpected { label, message } => {
            PreparedResponse { script: label, ..ApiError::ours(message).into() }
        }
        Decision::Persona(persona) => {
            let now = server.clock.now();
            match persona.answer(conversation, now, Ids::of(&[body])) {
                Ok(reply) => {
                    let (answer, events) = form(&reply);
                    PreparedResponse {
                        script: None,
                        delay: Duration::ZERO,
                        end: ResponseAction::Complete(answer, events),
                    }
                }
                Err(error) => ApiError::ours(error.to_string()).status(500).into(),
            }
        }
        Decision::Scripted(play) => {
            let formed = play.reply.as_ref().map(form);
            let fail = play.fail.unwrap_or_default();
            PreparedResponse {
                script: Some(play.label),
                delay: fail.delay.unwrap_or_default(),
                end: end(&fail, formed, conversation.model, stream),
            }
        }
    }
}

/// How a round ends with this failure, which may be none.
fn end(
    fail: &RoundFailure,
    formed: Option<(Bytes, Option<Events>)>,
    model: &str,
    stream: bool,
) -> ResponseAction {
    let error = fail.status.map(|status| {
        let mut error = ApiError::failure(status, fail.code.as_deref(), model);
        error.retry_after = fail.retry_after;
        error
    });
    match (fail.cut, error, formed) {
        (Some(CutPoint::MidStream), Some(error), Some((answer, Some(events)))) if stream => {
            ResponseAction::Complete(answer, Some(failed(events, &error)))
        }
        (_, Some(error), _) => ResponseAction::Error(error),
        (Some(CutPoint::MidStream), None, Some((answer, events))) => {
            ResponseAction::Truncated(answer, events)
        }
        (Some(_), None, formed) => {
            ResponseAction::Disconnect(formed.map_or(Bytes::new(), |(answer, _)| answer))
        }
        (None, None, Some((answer, events))) => ResponseAction::Complete(answer, events),
        (None, None, None) => ResponseAction::Malformed,
    }
}

/// A stream that tells of an error half way. The documented form is flat, the
/// one seen on the wire is nested: the event has both.
fn failed(mut events: Events, error: &ApiError) -> Events {
    let half = events.len() / 2;
    events.truncate(half);
    events
        .named("error")
        .field("sequence_number", &half)
        .field("code", &error.code)
        .field("message", &error.message)
        .field("param", &error.param)
        .field("error", &error.inner());
    events
}
