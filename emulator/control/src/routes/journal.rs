//! The journal: pages of it, and one exchange.

use std::time::Duration;

use axum::{Json, extract::State};

use super::{SharedState, number};
use crate::{
    JournalPage, JournalQuery,
    error::{ApiError, PathNumber, QueryOf},
};
use rehearse_core::journal::{Exchange, is_named};
use rehearse_scenario::report::conversation;

/// Longest wait for a change of the journal.
const MAX_WAIT: Duration = Duration::from_secs(30);

pub(crate) async fn journal(
    State(api): SharedState,
    QueryOf(query): QueryOf<JournalQuery>,
) -> Result<Json<JournalPage>, ApiError> {
    let phone = query.phone.as_deref().map(|phone| number(&api.people, phone)).transpose()?;
    let start = start(&query)?;
    let limit = match query.limit {
        Some(0) => return Err(ApiError::bad_request("limit is at least 1")),
        limit => limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX),
    };
    let mut changes = api.world.journal().watch();
    if let Some(known) = query.changes {
        let wait = Duration::from_millis(query.wait).min(MAX_WAIT);
        // A wait without a change ends with an empty page.
        let _ = tokio::time::timeout(wait, changes.wait_for(|now| *now != known)).await;
    }
    // Read before the exchanges: a change in between then ends the wait of the next request.
    let changes = *changes.borrow();
    let since = start.unwrap_or_default();
    // Which exchanges belong to a conversation depends on those before them.
    let mark = if phone.is_some() { 0 } else { since };
    let mut last_text = None;
    let wanted = |exchange: &Exchange| {
        let own =
            phone.as_ref().is_none_or(|phone| conversation::about(exchange, phone, &mut last_text));
        let named = query.name.as_ref().is_none_or(|name| is_named(name, &exchange.name));
        own && named && exchange.seq >= since
    };
    let look = api.world.journal().look(mark, limit, wanted);
    if start.is_some_and(|start| start < look.first) {
        return Err(ApiError::dropped(look.first));
    }
    let more = look.exchanges.len() == limit && look.next < api.world.journal().mark();
    Ok(Json(JournalPage {
        resets: look.epoch,
        changes,
        first: look.first,
        next: look.next.max(since),
        more,
        entries: look.exchanges,
    }))
}

pub(crate) async fn exchange(
    State(api): SharedState,
    PathNumber(seq): PathNumber,
) -> Result<Json<Exchange>, ApiError> {
    let journal = api.world.journal();
    journal.exchange(seq).map(Json).ok_or_else(|| match journal.first() {
        first if seq < first => ApiError::dropped(first),
        _ => ApiError::not_found(format!("there is no exchange {seq} yet"))
            .help(format!("the next one is {}", journal.mark())),
    })
}

/// The position of the first exchange wanted, if the query says one.
fn start(query: &JournalQuery) -> Result<Option<u64>, ApiError> {
    match (query.since, query.after) {
        (Some(_), Some(_)) => Err(ApiError::bad_request("give either since or after")
            .help("since=5 begins with exchange 5, after=5 with exchange 6")),
        (since, after) => Ok(since.or(after.map(|after| after.saturating_add(1)))),
    }
}
