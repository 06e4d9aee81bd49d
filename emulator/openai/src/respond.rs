//! From a request to its response: the provider's checks, then a fault, a script or the persona.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http::Uri;
use serde::Serialize;
use serde_json::{Map, Value};

use super::{
    chat,
    conversation::Conversation,
    conversations::ConversationLock,
    error::ApiError,
    ids::Ids,
    injected::{action_after_effect, action_before_effect},
    operation::Operation,
    params,
    registry::{Decision, ScriptedReply},
    reply::{Reply, tokens},
    responses,
    script::{CutPoint, RoundFailure, StreamPace},
    sse::Events,
    state::ServerState,
    stored_responses::StoredResponse,
};
use rehearse_core::{
    faults::Failure,
    journal::{Cause, ExchangeDetail},
};

/// An endpoint that asks the model.
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
    /// The script and round that respond.
    pub script: Option<String>,
    /// Real time to wait first.
    pub delay: Duration,
    /// How a stream is sent.
    pub pace: StreamPace,
    pub action: ResponseAction,
    /// Held until the response is complete.
    pub lock: Option<ConversationLock>,
}

/// What is done with the connection. Bodies are JSON.
#[derive(Debug)]
pub(super) enum ResponseAction {
    /// An error is sent.
    Error(ApiError),
    /// The body is sent, as a stream if the request asked for one.
    Complete(Bytes, Option<Events>),
    /// A part of the body or stream is sent, then the connection is closed.
    Truncate(Bytes, Option<Events>, CutPoint),
    /// The connection is closed. The body is what would have been sent; empty if the request had no
    /// effect.
    Disconnect(Bytes),
    /// 200 is sent with a body that is not JSON.
    SendMalformed,
}

impl From<ApiError> for PreparedResponse {
    fn from(error: ApiError) -> Self {
        ResponseAction::Error(error).into()
    }
}

impl From<ResponseAction> for PreparedResponse {
    fn from(action: ResponseAction) -> Self {
        Self {
            script: None,
            delay: Duration::ZERO,
            pace: StreamPace::default(),
            action,
            lock: None,
        }
    }
}

/// Decides the response to a request. `fault` is a fault of the whole endpoint. With its exchange, it may
/// be held until somebody answers it by hand.
pub(super) async fn prepare(
    server: &ServerState,
    endpoint: Endpoint,
    request: &Value,
    body: &[u8],
    fault: Option<&Failure>,
    exchange: Option<Cause>,
) -> PreparedResponse {
    let delay = fault.map_or(Duration::ZERO, Failure::delay);
    if let Some(action) = fault.and_then(|fault| action_before_effect(fault, request, None)) {
        return PreparedResponse { delay, ..action.into() };
    }
    let mut response = match request.as_object() {
        None => ApiError::not_json().into(),
        Some(request) => match endpoint {
            Endpoint::Responses => prepare_responses(server, request, body, exchange).await,
            Endpoint::Chat => prepare_chat(server, request, body, exchange).await,
        }
        .unwrap_or_else(|error| {
            record_refusal(server, &error);
            error.into()
        }),
    };
    response.delay += delay;
    if let Some(fault) = fault {
        response.action = action_after_effect(fault, response.action);
    }
    response
}

/// Decides the response to a request that asks no model. `request` is null when it has no body.
pub(super) fn prepare_operation(
    server: &ServerState,
    operation: &Operation,
    uri: &Uri,
    request: &Value,
    body: &[u8],
    fault: Option<&Failure>,
) -> PreparedResponse {
    let delay = fault.map_or(Duration::ZERO, Failure::delay);
    let not_found = || operation.not_found(request);
    if let Some(action) =
        fault.and_then(|fault| action_before_effect(fault, request, Some(&not_found)))
    {
        return PreparedResponse { delay, ..action.into() };
    }
    let none = Map::new();
    let request = request.as_object().unwrap_or(&none);
    let answer = operation.answer(server, uri.query().unwrap_or_default(), request, body);
    let action = match answer {
        Ok(body) => ResponseAction::Complete(body, None),
        Err(error) => {
            record_refusal(server, &error);
            ResponseAction::Error(error)
        }
    };
    let action = match fault {
        Some(fault) => action_after_effect(fault, action),
        None => action,
    };
    PreparedResponse { delay, ..action.into() }
}

/// Remembers the refusal for reports, and tells the log what the user can do about it.
pub(super) fn record_refusal(server: &ServerState, error: &ApiError) {
    let mut message = format!("{} {}", error.status, error.message);
    if let Some(hint) = &error.hint {
        tracing::warn!("{hint}");
        message.push_str("; ");
        message.push_str(hint);
    }
    server.registry.record_refusal(&message);
}

async fn prepare_responses(
    server: &ServerState,
    request: &Map<String, Value>,
    body: &[u8],
    exchange: Option<Cause>,
) -> Result<PreparedResponse, ApiError> {
    let prior = match request.get("previous_response_id").and_then(Value::as_str) {
        None => Arc::default(),
        Some(id) => params::check_id(id, "resp", "previous_response_id").and_then(|()| {
            server.stored().get(id).ok_or_else(|| {
                ApiError::invalid(format!("Previous response with id '{id}' not found."))
                    .param("previous_response_id")
                    .code("previous_response_not_found")
            })
        })?,
    };
    let conversation_id = match responses::conversation_id(request)? {
        // Both are refused below.
        Some(_) if request.get("previous_response_id").is_some_and(|id| !id.is_null()) => None,
        id => id,
    };
    // Before its items are read, so that nobody adds to them between that and the answer. What else is
    // wrong with the request is said before that the conversation is locked.
    let lock = conversation_id.map(|id| server.locks.lock(id));
    let prior = match conversation_id {
        Some(id) => Arc::new(server.stored().conversations.get(id)?.items.clone()),
        None => prior,
    };
    let input = request.get("input");
    let items = input.and_then(Value::as_array);
    let resolved = items.and_then(|items| server.stored().resolve(items)).map(Value::Array);
    let input = resolved.as_ref().or(input);
    let conversation = responses::read(request, input, &prior, &server.options, &server.stored())?;
    let lock = lock.transpose()?;
    let stream = request.get("stream") == Some(&Value::Bool(true));
    let kept = conversation_id.is_some() || request.get("store") != Some(&Value::Bool(false));
    let build = |reply: &Reply| {
        let now = server.clock.now().as_second();
        // What is kept is told apart by its number. What is not is the same for the same request, and
        // another one further on, so that a history that grows has no id twice.
        let number = if kept {
            server.stored_mut().next_number() << 1 | 1
        } else {
            ((prior.len() + items.map_or(0, Vec::len)) as u64) << 1
        };
        let reply = &Reply { ids: reply.ids.numbered(number), ..reply.clone() };
        let response = responses::ResponseObject::new(request, reply, now, tokens(body.len()));
        let body = to_json(&response);
        if reply.failed.is_none() {
            store(server, request, &prior, input, &response, reply.ids, &body);
        }
        let events = stream.then(|| responses::events(&response));
        (body, events)
    };
    let by_hand = hold(server, &conversation, exchange).await;
    Ok(PreparedResponse { lock, ..respond(server, &conversation, body, stream, by_hand, build) })
}

/// Stores a response if the request says so, and adds it with its input to the request's conversation.
fn store(
    server: &ServerState,
    request: &Map<String, Value>,
    prior: &[Value],
    input: Option<&Value>,
    response: &responses::ResponseObject<'_>,
    ids: Ids,
    body: &Bytes,
) {
    let stores = request.get("store") != Some(&Value::Bool(false));
    let conversation = responses::conversation_id(request).ok().flatten();
    if !stores && conversation.is_none() {
        return;
    }
    let input = responses::input_items(input);
    let mut stored = server.stored_mut();
    let given = match conversation.map(|id| stored.conversations.get_mut(id)) {
        // Deleted in the meantime.
        Some(Err(_)) => Vec::new(),
        Some(Ok(conversation)) => {
            let given = conversation.append(&input);
            conversation.append(&response.output);
            given
        }
        None => responses::stored_items(&input, ids, 0),
    };
    if stores {
        let items = [prior, &given, &response.output].concat();
        let (body, output) = (body.clone(), response.output.len());
        stored.put(ids.response(), StoredResponse { body, items: Arc::new(items), output });
    }
}

async fn prepare_chat(
    server: &ServerState,
    request: &Map<String, Value>,
    body: &[u8],
    exchange: Option<Cause>,
) -> Result<PreparedResponse, ApiError> {
    let conversation = chat::read(request, &server.options)?;
    let stream = request.get("stream") == Some(&Value::Bool(true));
    let messages = request.get("messages").and_then(Value::as_array).map_or(0, Vec::len);
    let build = |reply: &Reply| {
        let now = server.clock.now().as_second();
        let reply = &Reply { ids: reply.ids.numbered((messages as u64) << 1), ..reply.clone() };
        let completion = chat::completion(request, reply, now, tokens(body.len()));
        let usage = request.get("stream_options").and_then(|o| o.get("include_usage"));
        let usage = usage == Some(&Value::Bool(true));
        let failed = reply.failed.as_ref();
        let events = stream.then(|| chat::chunks(&completion, usage, failed));
        // What the journal has: a stream that fails has given no completion.
        let body = failed.map_or_else(|| to_json(&completion), |f| to_json(&f.error.body()));
        (body, events)
    };
    let by_hand = hold(server, &conversation, exchange).await;
    Ok(respond(server, &conversation, body, stream, by_hand, build))
}

/// Waits for an answer by hand, if the request is to have one.
async fn hold(
    server: &ServerState,
    conversation: &Conversation<'_>,
    exchange: Option<Cause>,
) -> Option<ScriptedReply> {
    let exchange = exchange?;
    let root = server.journal.exchange(exchange.turn());
    let from = root.and_then(|root| match root.detail {
        ExchangeDetail::SmsReceived { from, .. } => Some(from),
        _ => None,
    });
    server.holding.hold(server.clock.elapsed(), exchange.seq(), from, conversation).await
}

/// Asks the registry, unless there is an answer by hand. `build` turns a reply into a body, and into events for a stream.
fn respond(
    server: &ServerState,
    conversation: &Conversation<'_>,
    body: &[u8],
    stream: bool,
    by_hand: Option<ScriptedReply>,
    build: impl FnOnce(&Reply) -> (Bytes, Option<Events>),
) -> PreparedResponse {
    let decision = match by_hand {
        Some(reply) => Decision::Scripted(Box::new(reply)),
        None => server.registry.decide(conversation),
    };
    match decision {
        Decision::Unexpected { label, message } => {
            PreparedResponse { script: label, ..ApiError::ours(message).into() }
        }
        Decision::Persona(persona) => {
            let now = server.clock.now();
            match persona.reply(conversation, now, Ids::of(&[body])) {
                Ok(reply) => {
                    let (body, events) = build(&within_limits(reply, conversation));
                    ResponseAction::Complete(body, events).into()
                }
                Err(error) => ApiError::ours(error.to_string()).status(500).into(),
            }
        }
        Decision::Scripted(scripted) => {
            let scripted = *scripted;
            let reply = scripted.reply.map(|reply| within_limits(reply, conversation));
            let built = reply.as_ref().map(build);
            let fail = scripted.fail.unwrap_or_default();
            PreparedResponse {
                script: Some(scripted.label),
                delay: fail.delay.unwrap_or_default(),
                action: scripted_action(&fail, built, conversation, stream),
                pace: scripted.pace,
                lock: None,
            }
        }
    }
}

/// The reply as far as the request lets the model go.
fn within_limits(reply: Reply, conversation: &Conversation<'_>) -> Reply {
    let whole = reply.incomplete.is_none();
    let reply = reply.within(conversation.limit, &conversation.stop);
    if whole && reply.incomplete.is_some() {
        let limit = conversation.limit.unwrap_or_default();
        tracing::info!(
            "the reply is longer than the request's limit of {limit} output tokens, so it is incomplete"
        );
    }
    reply
}

/// What a round does with the connection. `fail` may be empty; `built` is missing when the failure
/// leaves no reply.
fn scripted_action(
    fail: &RoundFailure,
    built: Option<(Bytes, Option<Events>)>,
    conversation: &Conversation<'_>,
    stream: bool,
) -> ResponseAction {
    let chat = conversation.operation == Endpoint::Chat.name();
    // A failed response is a response, but on Chat Completions, which have no such thing.
    let status = fail.status.or(match fail.failed.as_deref() {
        Some("rate_limit_exceeded") if chat && !stream => Some(429),
        Some(_) if chat && !stream => Some(500),
        _ => None,
    });
    let error = status.map(|status| {
        let code = fail.code.as_deref().or(fail.failed.as_deref());
        let mut error = ApiError::failure(status, code, conversation.model);
        error.retry_after = fail.retry_after;
        error
    });
    match (fail.cut, error, built) {
        // The events end with the error.
        (Some(CutPoint::MidStream), Some(_), Some((body, Some(events)))) if stream => {
            ResponseAction::Complete(body, Some(events))
        }
        (_, Some(error), _) => ResponseAction::Error(error),
        (
            Some(cut @ (CutPoint::MidStream | CutPoint::Events { .. } | CutPoint::Elapsed(_))),
            None,
            Some((body, events)),
        ) => ResponseAction::Truncate(body, events, cut),
        (Some(_), None, built) => {
            ResponseAction::Disconnect(built.map_or(Bytes::new(), |(body, _)| body))
        }
        (None, None, Some((body, events))) => ResponseAction::Complete(body, events),
        (None, None, None) => ResponseAction::SendMalformed,
    }
}

/// Writing values with text keys into memory cannot fail.
fn to_json(body: &impl Serialize) -> Bytes {
    serde_json::to_vec(body).unwrap_or_default().into()
}
