//! The journal as server-sent events, which a reader can resume.
//!
//! An exchange is sent when it has begun and again when it has ended, so a reader keeps the last one of
//! each `seq`. The id of an event says how often the journal was emptied and from which position on not
//! everything was sent yet. A reader that comes again with it misses nothing, and gets some events
//! twice.

use std::{
    collections::{BTreeMap, VecDeque},
    convert::Infallible,
    sync::Arc,
    time::Duration,
};

use axum::{
    extract::State,
    http::HeaderMap,
    response::sse::{Event, KeepAlive, Sse},
};
use futures::{Stream, stream::unfold};
use serde_json::json;
use tokio::sync::watch;

use super::SharedState;
use crate::{
    EventsQuery,
    error::{ApiError, QueryOf},
    server::ApiState,
};
use rehearse_core::journal::{Exchange, is_named};

/// Most exchanges that are copied from the journal at once.
const MOST: usize = 256;
/// How often a line is sent when nothing happens, so that both sides notice a lost connection.
const KEEP_ALIVE: Duration = Duration::from_secs(10);

pub(crate) async fn events(
    State(api): SharedState,
    QueryOf(query): QueryOf<EventsQuery>,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, ApiError> {
    let epoch = api.world.journal().look(u64::MAX, 0, |_| false).epoch;
    let (epoch, next) = match headers.get("last-event-id") {
        Some(id) => {
            let id = id.to_str().unwrap_or_default();
            let read = parse(id, epoch).ok_or_else(|| {
                ApiError::bad_request(format!("'{id}' is not the id of an event of this stream"))
                    .help("it is such as 0-17; leave it out to read from the start")
            })?;
            (read.0, read.1)
        }
        None => (epoch, query.after.map_or(0, |after| after.saturating_add(1))),
    };
    let reader = Reader {
        changes: api.world.journal().watch(),
        api,
        name: query.name,
        epoch,
        next,
        sent: BTreeMap::new(),
        ready: VecDeque::new(),
    };
    let events = unfold(reader, |mut reader| async move {
        let event = reader.event().await;
        Some((Ok(event), reader))
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)))
}

/// The id of an event: the epoch and the position to go on from. A number alone is a position.
fn parse(id: &str, epoch: u64) -> Option<(u64, u64)> {
    match id.split_once('-') {
        Some((epoch, next)) => Some((epoch.parse().ok()?, next.parse().ok()?)),
        None => Some((epoch, id.parse().ok()?)),
    }
}

/// One reader of the stream.
struct Reader {
    api: Arc<ApiState>,
    changes: watch::Receiver<u64>,
    name: Option<String>,
    epoch: u64,
    /// The position below which every exchange was sent with its end.
    next: u64,
    /// Exchanges from `next` on that were sent, and whether with their end.
    sent: BTreeMap<u64, bool>,
    ready: VecDeque<Event>,
}

impl Reader {
    /// The next event, as soon as there is one.
    async fn event(&mut self) -> Event {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return event;
            }
            self.changes.mark_unchanged();
            let has_looked_at_some = self.look();
            // What is not wanted is read in pieces, too, and there may be more of it.
            if self.ready.is_empty() && !has_looked_at_some {
                // The sender lives as long as the world.
                let _ = self.changes.changed().await;
            }
        }
    }

    /// Makes events of what is new in the journal. False when there was nothing new.
    fn look(&mut self) -> bool {
        let journal = self.api.world.journal();
        let sent = &self.sent;
        let look = journal.look(self.next, MOST, |exchange| {
            let ended = exchange.outcome.is_some();
            sent.get(&exchange.seq).is_none_or(|told| ended && !told)
        });
        if look.epoch != self.epoch {
            (self.epoch, self.next) = (look.epoch, 0);
            self.sent.clear();
            let event =
                Event::default().event("reset").data(json!({ "resets": look.epoch }).to_string());
            self.push(event);
            return true;
        }
        if look.first > self.next {
            self.next = look.first;
            self.sent.retain(|seq, _| *seq >= look.first);
            let event = Event::default().event("dropped");
            self.push(event.data(json!({ "first": look.first }).to_string()));
        }
        let has_some = !look.exchanges.is_empty();
        for exchange in look.exchanges {
            self.tell(&exchange);
        }
        has_some
    }

    fn tell(&mut self, exchange: &Exchange) {
        let wanted = self.name.as_ref().is_none_or(|name| is_named(name, &exchange.name));
        let ended = exchange.outcome.is_some();
        // What is not wanted is done with, however it ends.
        self.sent.insert(exchange.seq, ended || !wanted);
        while self.sent.get(&self.next) == Some(&true) {
            self.sent.remove(&self.next);
            self.next += 1;
        }
        if wanted {
            let event = Event::default().event(if ended { "ended" } else { "began" });
            // An exchange is made of strings, numbers and JSON, which can always be written.
            let data = serde_json::to_string(exchange).unwrap_or_default();
            self.push(event.data(data));
        }
    }

    fn push(&mut self, event: Event) {
        self.ready.push_back(event.id(format!("{}-{}", self.epoch, self.next)));
    }
}
