//! The handlers of the paths.

use std::{
    collections::BTreeMap,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use axum::{
    Json,
    extract::{Path, Query, State, rejection::QueryRejection},
    http::StatusCode,
};
use jiff::{SignedDuration, Span, SpanRelativeTo};
use serde_json::{Value, json};

use super::{
    Attempt, ClockRequest, ClockResponse, Endpoints, FaultRequest, Items, JournalPage,
    JournalQuery, Message, Messages, PutItems, Ready, Rows, SmsRequest, SmsResponse, Written,
    error::{ApiError, JsonBody},
    server::ApiState,
};
use rehearse_aws::template::Phone;
use rehearse_core::{
    faults::{self, Fault},
    journal::Exchange,
    names,
};
use rehearse_dynamodb::DatabaseError;
use rehearse_scenario::report::conversation;
use rehearse_twilio::{Delivery, Inbound, Media};
use rehearse_world::AdvanceError;

/// Longest wait for a change of the journal.
const MAX_WAIT: Duration = Duration::from_secs(30);
/// Most characters of a text that Twilio accepts from a person.
const MAX_BODY: usize = 1600;

type SharedState = State<Arc<ApiState>>;

pub(super) async fn ready() -> Json<Ready> {
    Json(Ready { ready: true, version: env!("CARGO_PKG_VERSION").into() })
}

pub(super) async fn endpoints(State(api): SharedState) -> Json<Endpoints> {
    Json(api.endpoints.clone())
}

pub(super) async fn sms(
    State(api): SharedState,
    JsonBody(request): JsonBody<SmsRequest>,
) -> Result<Json<SmsResponse>, ApiError> {
    let from = number(&api.people, request.from.as_deref().unwrap_or("customer"))?;
    if request.body.is_empty() && request.media.is_empty() {
        return Err(ApiError::bad_request("a text needs a body or media"));
    }
    if request.body.chars().count() > MAX_BODY {
        return Err(ApiError::bad_request(format!("a text has at most {MAX_BODY} characters")));
    }
    let text = Inbound {
        from: from.clone(),
        body: request.body,
        media: request.media.into_iter().map(media).collect(),
        ..Inbound::default()
    };
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
    Ok(Json(outcome(delivery, api.world.journal().select(retention.mark(), Message::of), &from)))
}

pub(super) async fn messages(State(api): SharedState) -> Json<Messages> {
    Json(Messages { messages: api.world.journal().select(0, Message::of) })
}

pub(super) async fn journal(
    State(api): SharedState,
    query: Result<Query<JournalQuery>, QueryRejection>,
) -> Result<Json<JournalPage>, ApiError> {
    let Query(query) = query.map_err(|e| ApiError::bad_request(e.body_text()))?;
    let phone = query.phone.as_deref().map(|phone| number(&api.people, phone)).transpose()?;
    let mut changes = api.world.journal().watch();
    if let Some(known) = query.changes {
        let wait = Duration::from_millis(query.wait).min(MAX_WAIT);
        // A wait without a change ends with an empty page.
        let _ = tokio::time::timeout(wait, changes.wait_for(|now| *now != known)).await;
    }
    // Read before the exchanges: a change in between then ends the wait of the next request.
    let (resets, changes) = (api.resets(), *changes.borrow());
    let journal = api.world.journal();
    let (first, since) = (journal.first(), query.since.unwrap_or_default());
    // Which exchanges belong to a conversation depends on those before them.
    let exchanges = journal.since(if phone.is_some() { 0 } else { since });
    if let (Some(since), Some(oldest)) = (query.since, exchanges.first())
        && oldest.seq > since
    {
        return Err(ApiError::dropped(oldest.seq));
    }
    let exchanges = match phone {
        None => exchanges,
        Some(phone) => of_phone(exchanges, &phone, since),
    };
    Ok(Json(JournalPage { resets, changes, first, entries: exchanges }))
}

pub(super) async fn table(
    State(api): SharedState,
    Path(table): Path<String>,
) -> Result<Json<Rows>, ApiError> {
    match api.world.database().rows(&table).await {
        Ok(rows) => Ok(Json(Rows { table, rows })),
        Err(error @ DatabaseError::UnknownTable { .. }) => {
            Err(ApiError::new(StatusCode::NOT_FOUND, error.to_string())
                .help("tables go by their logical id in the template"))
        }
        Err(error) => Err(ApiError::failed(&error)),
    }
}

pub(super) async fn items(
    State(api): SharedState,
    Path(table): Path<String>,
) -> Result<Json<Items>, ApiError> {
    let database = api.world.database();
    let spec = database.find(&table).map_err(|e| database_error(&e))?;
    let items = database.items(&spec.id).await.map_err(|e| database_error(&e))?;
    Ok(Json(Items { table: spec.id.clone(), name: spec.name.clone(), items }))
}

pub(super) async fn put_items(
    State(api): SharedState,
    Path(table): Path<String>,
    JsonBody(request): JsonBody<PutItems>,
) -> Result<Json<Written>, ApiError> {
    let database = api.world.database();
    let id = database.find(&table).map_err(|e| database_error(&e))?.id.clone();
    let PutItems { items, check_only } = request;
    let keys = database.check_items(&id, &items).map_err(|e| database_error(&e))?;
    if !check_only {
        database.put_items(&id, items).await.map_err(|e| database_error(&e))?;
    }
    Ok(Json(Written { table: id, keys }))
}

fn database_error(error: &DatabaseError) -> ApiError {
    match error {
        DatabaseError::UnknownTable { .. } => {
            ApiError::new(StatusCode::NOT_FOUND, error.to_string())
                .help("tables go by their logical id in the template, or by their name")
        }
        DatabaseError::Row(row) => {
            ApiError::bad_request(row.to_string()).help("nothing was written")
        }
        error => ApiError::failed(error),
    }
}

pub(super) async fn clock(
    State(api): SharedState,
    JsonBody(request): JsonBody<ClockRequest>,
) -> Result<Json<ClockResponse>, ApiError> {
    let world = Arc::clone(&api.world);
    // On a task of its own: what is due is fired even if the caller closes the connection.
    let moved = match request {
        ClockRequest { now: Some(now), advance: None } => {
            tokio::spawn(async move { world.set_time(now).await.map_err(AdvanceError::from) })
        }
        ClockRequest { now: None, advance: Some(by) } => {
            let by = length(&by)?;
            tokio::spawn(async move { world.advance(by).await })
        }
        _ => return Err(ApiError::bad_request("give either now or advance")),
    };
    moved.await.map_err(|e| ApiError::failed(&e))?.map_err(|error| match error {
        AdvanceError::Backwards => ApiError::bad_request(error.to_string())
            .help("the body {\"now\": \"2026-02-10T15:10:00-05:00\"} sets a time"),
        AdvanceError::TooFar => ApiError::bad_request(error.to_string()),
        AdvanceError::Unsettled(_) => ApiError::failed(&error),
    })?;
    Ok(Json(ClockResponse { now: api.world.clock().now() }))
}

pub(super) async fn arm(
    State(api): SharedState,
    JsonBody(request): JsonBody<FaultRequest>,
) -> Result<Json<Value>, ApiError> {
    let FaultRequest { on, failure, target, skip, times } = request;
    if times == Some(0) {
        return Err(ApiError::bad_request(
            "times is at least 1; leave it out to make every call fail",
        ));
    }
    // A fault that applies to no call would look like a backend that survives it.
    if !faults::can_fail(&on) {
        let hint = names::hint(&on, faults::NAMES);
        return Err(ApiError::bad_request(format!("no exchange named '{on}' can fail{hint}"))
            .help("such as openai.responses, twilio.messages.create or webhook.sms"));
    }
    if failure.database_fault.is_some_and(|database_fault| !database_fault.can_happen_to(&on)) {
        return Err(ApiError::bad_request(format!("this cannot happen to {on}")));
    }
    api.world.faults().arm(Fault { on, failure, target, skip, times, chance: None });
    Ok(Json(json!({ "armed": true })))
}

pub(super) async fn disarm(State(api): SharedState) -> Json<Value> {
    api.world.faults().clear();
    Json(json!({ "armed": false }))
}

pub(super) async fn reset(State(api): SharedState) -> Result<Json<Value>, ApiError> {
    // On a task of its own: nothing is left half reset if the caller closes the connection, as a
    // function does that is stopped by the reset that it asked for.
    let reset = tokio::spawn(async move {
        api.world.reset().await.map_err(|e| ApiError::failed(&e))?;
        // Counted before the journal is emptied: whoever reads the empty journal reads the new count.
        api.resets.fetch_add(1, Ordering::SeqCst);
        api.world.journal().clear();
        Ok::<_, ApiError>(())
    });
    reset.await.map_err(|e| ApiError::failed(&e))??;
    Ok(Json(json!({ "reset": true })))
}

/// The phone number of a person, given by name or as a number.
fn number(people: &BTreeMap<String, String>, who: &str) -> Result<String, ApiError> {
    if let Some(number) = people.get(who) {
        return Ok(number.clone());
    }
    let invalid = match Phone::try_from(who.to_owned()) {
        Ok(phone) => return Ok(phone.to_string()),
        Err(error) if who.starts_with('+') => error,
        Err(_) => format!("'{who}' is neither a person nor a number such as +19045550100"),
    };
    let names: Vec<&str> = people.keys().map(String::as_str).collect();
    Err(ApiError::bad_request(invalid).help(format!("people there: {}", names.join(", "))))
}

fn media(url: String) -> Media {
    let path = url.split(['?', '#']).next().unwrap_or_default();
    let content_type = match path.rsplit_once('.').map(|(_, ending)| ending) {
        Some("png") => "image/png",
        Some("gif") => "image/gif",
        Some("mp4") => "video/mp4",
        _ => "image/jpeg",
    };
    Media { url, content_type: content_type.into() }
}

fn outcome(delivery: Delivery, texts: Vec<Message>, from: &str) -> SmsResponse {
    let attempts = delivery.attempts.into_iter().map(|attempt| Attempt {
        url: attempt.url,
        status: attempt.status,
        error: attempt.error.map(|code| code.to_string()),
    });
    SmsResponse {
        sid: delivery.sid.to_string(),
        attempts: attempts.collect(),
        replies: texts.into_iter().filter(|m| m.via.is_some() && m.to == from).collect(),
    }
}

fn of_phone(exchanges: Vec<Exchange>, phone: &str, since: u64) -> Vec<Exchange> {
    let mut last_text = None;
    let own = |exchange: &Exchange| conversation::about(exchange, phone, &mut last_text);
    exchanges.into_iter().filter(own).filter(|exchange| exchange.seq >= since).collect()
}

/// Parses a length of time in words or in ISO 8601; a day is 24 hours.
fn length(text: &str) -> Result<SignedDuration, ApiError> {
    let span: Result<Span, _> = text.parse();
    span.and_then(|span| span.to_duration(SpanRelativeTo::days_are_24_hours())).map_err(|_| {
        ApiError::bad_request(format!(
            "'{text}' is not a length of time such as 2h 30m, 1 day or PT2H30M"
        ))
    })
}
