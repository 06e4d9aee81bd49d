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
    reply::{Reply, tokens},
    responses,
    script::{Cut, Fail},
    server::Server,
    sse::Events,
    stage::Decision,
    stored::input_items,
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
pub(super) struct Ready {
    /// The script and round that answer.
    pub script: Option<String>,
    pub delay: Duration,
    pub end: End,
}

/// How an exchange ends. Answers are JSON.
#[derive(Debug)]
pub(super) enum End {
    Error(ApiError),
    /// The answer, as a stream when one was asked for.
    Answer(Bytes, Option<Events>),
    /// The answer breaks off; with an error that a stream still tells.
    Broken(Bytes, Option<Events>),
    /// The connection closes; the answer if the request had one, else nothing.
    Cut(Bytes),
    /// 200 and a body that is no JSON.
    Garbage,
}

impl From<ApiError> for Ready {
    fn from(error: ApiError) -> Self {
        Self { script: None, delay: Duration::ZERO, end: End::Error(error) }
    }
}

/// Decides the answer to a request. `fault` is one aimed at the endpoint as a whole.
pub(super) fn prepare(
    server: &Server,
    endpoint: Endpoint,
    request: &Value,
    body: &[u8],
    fault: Option<&Failure>,
) -> Ready {
    let delay = fault.map_or(Duration::ZERO, Failure::delay);
    if let Some(end) = fault.and_then(|fault| struck(fault, request)) {
        return Ready { script: None, delay, end };
    }
    let mut ready = match request.as_object() {
        None => ApiError::not_json().into(),
        Some(request) => match endpoint {
            Endpoint::Responses => on_responses(server, request, body),
            Endpoint::Chat => on_chat(server, request, body),
        }
        .unwrap_or_else(|error| {
            server.stage().refused(&format!("{} {}", error.status, error.message));
            error.into()
        }),
    };
    ready.delay += delay;
    if fault.is_some_and(|f| f.cut == Some(faults::Cut::After)) {
        ready.end = End::Cut(match ready.end {
            End::Answer(answer, _) | End::Broken(answer, _) | End::Cut(answer) => answer,
            End::Error(_) | End::Garbage => Bytes::new(),
        });
    }
    ready
}

/// The end that a fault gives a request before it has any effect.
fn struck(fault: &Failure, request: &Value) -> Option<End> {
    if fault.cut == Some(faults::Cut::Before) {
        return Some(End::Cut(Bytes::new()));
    }
    fault.status.map(|status| {
        let model = request["model"].as_str().unwrap_or("unknown");
        let mut error = ApiError::failure(status, fault.code.as_deref(), model);
        error.retry_after = fault.retry_after;
        End::Error(error)
    })
}

fn on_responses(
    server: &Server,
    request: &Map<String, Value>,
    body: &[u8],
) -> Result<Ready, ApiError> {
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
        let answer = responses::Object::new(request, reply, now, tokens(body.len()));
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

fn on_chat(server: &Server, request: &Map<String, Value>, body: &[u8]) -> Result<Ready, ApiError> {
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
    server: &Server,
    conversation: &Conversation<'_>,
    body: &[u8],
    stream: bool,
    form: impl FnOnce(&Reply) -> (Bytes, Option<Events>),
) -> Ready {
    let decision = server.stage().decide(conversation);
    match decision {
        Decision::Nobody { label, message } => {
            Ready { script: label, ..ApiError::ours(message).into() }
        }
        Decision::Persona(persona) => {
            let now = server.clock.now();
            match persona.answer(conversation, now, Ids::of(&[body])) {
                Ok(reply) => {
                    let (answer, events) = form(&reply);
                    Ready { script: None, delay: Duration::ZERO, end: End::Answer(answer, events) }
                }
                Err(error) => ApiError::ours(error.to_string()).status(500).into(),
            }
        }
        Decision::Play(play) => {
            let formed = play.reply.as_ref().map(form);
            let fail = play.fail.unwrap_or_default();
            Ready {
                script: Some(play.label),
                delay: fail.delay.unwrap_or_default(),
                end: end(&fail, formed, conversation.model, stream),
            }
        }
    }
}

/// How a round ends with this failure, which may be none.
fn end(fail: &Fail, formed: Option<(Bytes, Option<Events>)>, model: &str, stream: bool) -> End {
    let error = fail.status.map(|status| {
        let mut error = ApiError::failure(status, fail.code.as_deref(), model);
        error.retry_after = fail.retry_after;
        error
    });
    match (fail.cut, error, formed) {
        (Some(Cut::MidStream), Some(error), Some((answer, Some(events)))) if stream => {
            End::Answer(answer, Some(failed(events, &error)))
        }
        (_, Some(error), _) => End::Error(error),
        (Some(Cut::MidStream), None, Some((answer, events))) => End::Broken(answer, events),
        (Some(_), None, formed) => End::Cut(formed.map_or(Bytes::new(), |(answer, _)| answer)),
        (None, None, Some((answer, events))) => End::Answer(answer, events),
        (None, None, None) => End::Garbage,
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
