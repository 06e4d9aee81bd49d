//! Texts: sending, reading, waiting, delivering again, and what the carrier says of them.

use std::{sync::Arc, time::Duration};

use axum::{Json, extract::State, http::StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{SharedState, filled, number, template_error};
use crate::{
    Attempt, DeliveryStatus, Message, Messages, RefusedText, SmsResponse, StatusRequest,
    TwilioProblem, WaitRequest,
    error::{ApiError, JsonBody, PathPart, YamlBody},
    server::ApiState,
};
use rehearse_core::matcher::Matcher;
use rehearse_twilio::{Delivery, DeliveryPlan, Inbound, Media, Sid, Status, content_type};

/// Most characters of a text that Twilio accepts from a person.
const MAX_BODY: usize = 1600;
/// Wait for a text when the request names none.
const WAIT: Duration = Duration::from_secs(10);
/// Longest wait for a text.
const MAX_WAIT: Duration = Duration::from_secs(60);
/// Most texts that the error of a wait shows.
const SHOWN: usize = 5;

/// [`SmsRequest`](crate::SmsRequest) as it is read: a text that is empty is told from one that was
/// forgotten.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SmsForm {
    from: Option<String>,
    to: Option<String>,
    body: Option<String>,
    #[serde(default)]
    media: Vec<String>,
}

pub(crate) async fn sms(
    State(api): SharedState,
    JsonBody(request): JsonBody<SmsForm>,
) -> Result<Json<SmsResponse>, ApiError> {
    if request.body.is_none() && request.media.is_empty() {
        return Err(ApiError::bad_request("a text needs a body, which may be empty, or media"));
    }
    let body = request.body.unwrap_or_default();
    let from = number(&api.people, request.from.as_deref().unwrap_or("customer"))?;
    if body.chars().count() > MAX_BODY {
        return Err(ApiError::bad_request(format!("a text has at most {MAX_BODY} characters")));
    }
    let numbers = api.world.twilio().numbers();
    if let Some(to) = request.to.as_ref().filter(|to| !numbers.contains(to)) {
        return Err(ApiError::bad_request(format!("'{to}' is no number of the account"))
            .help(format!("its numbers: {}", numbers.join(", "))));
    }
    let to = request.to.as_deref().unwrap_or(api.world.twilio().number());
    if from.starts_with("whatsapp:") && !api.world.twilio().is_whatsapp_sender(to) {
        let message = format!("{to} is no WhatsApp sender: add it to `whatsapp`");
        return Err(ApiError::bad_request(message).help(
            "`whatsapp` is a list of the account's numbers under [twilio] in rehearse.toml",
        ));
    }
    let text = Inbound {
        from: from.clone(),
        to: request.to,
        body,
        media: request.media.into_iter().map(media).collect(),
        ..Inbound::default()
    };
    // So that the turn can be recorded. If the rows cannot be read, the text goes out all the same.
    let _ = api.recorder.begin().await;
    let world = Arc::clone(&api.world);
    // However much happens during the delivery, the replies to this text are still there after it.
    let retention = world.journal().retain();
    // On a task of its own: the text is delivered even if the caller closes the connection.
    let delivery = tokio::spawn(async move {
        let delivery = world.twilio().receive(text).await;
        // Texts that invocations send later are replies, too. One that does not end has sent what
        // it has sent. The deliveries of other texts are not waited for: they may wait for another
        // request of this caller's.
        let _ = world.invocations_settled().await;
        delivery
    })
    .await
    .map_err(|error| ApiError::failed(&error))?;
    Ok(Json(outcome(&api, delivery, retention.mark(), &from)))
}

pub(crate) async fn messages(State(api): SharedState) -> Json<Messages> {
    let mut messages = api.world.journal().select(0, Message::of);
    messages.iter_mut().for_each(|message| add_status(&api, message));
    Json(Messages { messages })
}

pub(crate) async fn message(
    State(api): SharedState,
    PathPart(sid): PathPart,
) -> Result<Json<Message>, ApiError> {
    find(&api, &sid).map(Json)
}

pub(crate) async fn redeliver(
    State(api): SharedState,
    PathPart(sid): PathPart,
) -> Result<Json<SmsResponse>, ApiError> {
    let (sid, message) = known(&api, &sid)?;
    let Some(from) = message.from.filter(|_| message.via.is_none()) else {
        return Err(ApiError::not_found(format!("{sid} is a text of the shop"))
            .help("only texts to the shop are delivered to its webhook"));
    };
    let world = Arc::clone(&api.world);
    let retention = world.journal().retain();
    // On a task of its own, as a first delivery is.
    let delivery = tokio::spawn(async move {
        let delivery = world.twilio().redeliver(sid).await;
        let _ = world.invocations_settled().await;
        delivery
    })
    .await
    .map_err(|error| ApiError::failed(&error))?;
    if delivery.failure == Some(NO_SUCH_TEXT) {
        return Err(unknown_sid(&sid.to_string()));
    }
    Ok(Json(outcome(&api, delivery, retention.mark(), &from)))
}

pub(crate) async fn set_status(
    State(api): SharedState,
    PathPart(sid): PathPart,
    JsonBody(StatusRequest { status, error_code }): JsonBody<StatusRequest>,
) -> Result<Json<Message>, ApiError> {
    let (sid, _) = known(&api, &sid)?;
    let fails = matches!(status, DeliveryStatus::Undelivered | DeliveryStatus::Failed);
    if error_code.is_some() && !fails {
        return Err(ApiError::bad_request("error_code goes with undelivered and failed only"));
    }
    if error_code.is_some_and(|code| !(10_000..100_000).contains(&code)) {
        return Err(ApiError::bad_request("an error code has five digits, such as 30003"));
    }
    let error_code = error_code.or(fails.then_some(UNKNOWN_ERROR));
    let status = match status {
        DeliveryStatus::Queued => Status::Queued,
        DeliveryStatus::Sent => Status::Sent,
        DeliveryStatus::Delivered => Status::Delivered,
        DeliveryStatus::Undelivered => Status::Undelivered,
        DeliveryStatus::Failed => Status::Failed,
    };
    let twilio = api.world.twilio().clone();
    // On a task of its own: the backend hears of it even if the caller closes the connection.
    let reported = tokio::spawn(async move { twilio.report(sid, status, error_code).await });
    let reported = reported.await.map_err(|error| ApiError::failed(&error))?;
    if reported.is_none() {
        return Err(ApiError::not_found(format!("{sid} is no text that the shop has sent"))
            .help("only such a text has a status of its delivery"));
    }
    find(&api, &sid.to_string()).map(Json)
}

pub(crate) async fn wait(
    State(api): SharedState,
    YamlBody(source): YamlBody,
) -> Result<Json<Message>, ApiError> {
    let request: WaitRequest =
        source.parse().map_err(|error| ApiError::bad_request(error.to_string()))?;
    let vars = api.scripts.vars();
    let person =
        |who: Option<&String>| who.map(|who| number(&api.people, &filled(&vars, who)?)).transpose();
    let (to, from) = (person(request.to.as_ref())?, person(request.from.as_ref())?);
    let body = request.body.map(|body| body.render(&vars)).transpose();
    let body = body.map_err(|error| template_error(&error))?;
    let limit = request.timeout.map_or(WAIT, |timeout| timeout.0).min(MAX_WAIT);
    let mark = request.after.map_or(0, |after| after.saturating_add(1));
    let of_people = |message: &Message| {
        to.as_ref().is_none_or(|to| *to == message.to)
            && from.as_ref().is_none_or(|from| *from == message.from)
    };
    let journal = api.world.journal();
    // Where the next look begins: what has ended and does not match is looked at once.
    let mut from = mark;
    let mut matching = || {
        let end = journal.mark();
        // The journal was emptied.
        from = if end < from { mark } else { from };
        let mut open = None;
        let texts = journal.select(from, |exchange| {
            if exchange.outcome.is_none() {
                open.get_or_insert(exchange.seq);
            }
            Message::of(exchange).filter(of_people)
        });
        from = open.unwrap_or(end).min(end);
        texts.into_iter().find(|text| matches(body.as_ref(), text))
    };
    let mut changes = journal.watch();
    let arrived = async {
        loop {
            changes.mark_unchanged();
            if let Some(message) = matching() {
                return message;
            }
            // The sender lives as long as the journal, so this cannot fail.
            let _ = changes.changed().await;
        }
    };
    if let Ok(mut message) = tokio::time::timeout(limit, arrived).await {
        add_status(&api, &mut message);
        return Ok(Json(message));
    }
    let others = journal.select(mark, |exchange| Message::of(exchange).filter(of_people));
    Err(nothing_came(limit, body.as_ref(), &others))
}

pub(crate) async fn steer(
    State(api): SharedState,
    JsonBody(mut plan): JsonBody<DeliveryPlan>,
) -> Result<Json<Value>, ApiError> {
    plan.to = plan.to.map(|who| number(&api.people, &who)).transpose()?;
    let steered = api.world.twilio().steer(plan);
    steered.map_err(|error| ApiError::bad_request(error.to_string()))?;
    Ok(Json(json!({ "steered": true })))
}

pub(crate) async fn stop_steering(State(api): SharedState) -> Json<Value> {
    api.world.twilio().stop_steering();
    Json(json!({ "steered": false }))
}

/// Twilio's code for a text that it does not have.
const NO_SUCH_TEXT: u32 = 20404;
/// Twilio's code for a text that was not delivered for an unknown reason.
const UNKNOWN_ERROR: u32 = 30008;

fn matches(body: Option<&Matcher>, message: &Message) -> bool {
    body.is_none_or(|body| body.is_match(&Value::from(message.body.as_str())))
}

/// Status 408, with the texts that came instead.
fn nothing_came(limit: Duration, body: Option<&Matcher>, others: &[Message]) -> ApiError {
    let wanted = body.map(|body| format!(" that is {body}")).unwrap_or_default();
    let error = format!("no text{wanted} came within {limit:?}");
    let latest: Vec<String> = others
        .iter()
        .rev()
        .take(SHOWN)
        .map(|text| format!("{} to {}: {:?}", text.from, text.to, text.body))
        .collect();
    let help = match latest.as_slice() {
        [] => "no text of these people came at all".into(),
        latest => format!("the latest texts were {}", latest.join(", and ")),
    };
    ApiError::new(StatusCode::REQUEST_TIMEOUT, error).help(help)
}

/// A message of Twilio's by its sid.
fn known(api: &ApiState, sid: &str) -> Result<(Sid, rehearse_twilio::Message), ApiError> {
    let parsed: Sid = sid.parse().map_err(|_| unknown_sid(sid))?;
    let message = api.world.twilio().message(parsed).ok_or_else(|| unknown_sid(sid))?;
    Ok((parsed, message))
}

fn unknown_sid(sid: &str) -> ApiError {
    ApiError::not_found(format!("there is no text {sid}")).help("GET /messages has their sids")
}

/// A text by its sid, as the journal has it.
fn find(api: &ApiState, sid: &str) -> Result<Message, ApiError> {
    let texts = api
        .world
        .journal()
        .select(0, |exchange| Message::of(exchange).filter(|message| message.sid == sid));
    let mut message = texts.into_iter().next().ok_or_else(|| unknown_sid(sid))?;
    add_status(api, &mut message);
    Ok(message)
}

/// Adds what Twilio says of a text.
fn add_status(api: &ApiState, message: &mut Message) {
    let Ok(sid) = message.sid.parse() else { return };
    if let Some(known) = api.world.twilio().message(sid) {
        message.status = Some(known.status.as_str().into());
        message.error_code = known.error_code;
    }
}

fn media(url: String) -> Media {
    Media { content_type: content_type(&url).into(), url }
}

/// What came of a delivery, from a position of the journal on.
fn outcome(api: &ApiState, delivery: Delivery, seq: u64, from: &str) -> SmsResponse {
    let texts = api.world.journal().select(seq, Message::of);
    let refused = api.world.journal().select(seq, RefusedText::of);
    let attempts = delivery.attempts.into_iter().map(|attempt| Attempt {
        url: attempt.url,
        status: attempt.status,
        error: attempt.error.map(|code| code.to_string()),
    });
    SmsResponse {
        sid: delivery.sid.to_string(),
        seq,
        attempts: attempts.collect(),
        replies: texts.into_iter().filter(|m| m.via.is_some() && m.to == from).collect(),
        refused: refused.into_iter().filter(|text| text.to == from).collect(),
        problems: delivery.errors.into_iter().map(TwilioProblem::of).collect(),
        failure: delivery.failure.map(TwilioProblem::of),
    }
}
