//! The rows of earlier moments.
//!
//! The journal has every call that wrote. So the rows of any moment are those of the beginning with these
//! calls carried out once more, on an engine of their own.

use std::collections::{BTreeMap, HashSet};

use serde_json::{Map, Value};

use super::RecordError;
use crate::invariants::has_written;
use rehearse_core::{
    journal::{Exchange, ExchangeDetail},
    table::TableSpec,
};
use rehearse_dynamodb::FakeDynamoDb;
use rehearse_world::World;

/// Rows as plain JSON, by the tables' logical ids.
pub(super) type Tables = BTreeMap<String, Vec<Value>>;

/// Rows in DynamoDB's own format, by the tables' logical ids.
type Items = Vec<(String, Vec<Map<String, Value>>)>;

/// The rows at some moments.
#[derive(Debug)]
pub(super) struct RowLog {
    /// Each with the position of the exchange that came next. The first one is where it began.
    moments: Vec<(u64, Items)>,
}

/// Most moments that are kept; of more, the oldest is dropped.
const MOST: usize = 50;
/// How often the rows are read again because somebody has written meanwhile.
const TRIES: usize = 20;

/// The operations that write.
pub(super) const WRITES: [&str; 8] = [
    "PutItem",
    "UpdateItem",
    "DeleteItem",
    "TransactWriteItems",
    "BatchWriteItem",
    "ExecuteStatement",
    "ExecuteTransaction",
    "BatchExecuteStatement",
];

impl RowLog {
    /// Begins with the rows as they are.
    pub(super) async fn begin(world: &World) -> Result<Self, RecordError> {
        Ok(Self { moments: vec![read(world).await?] })
    }

    /// Begins without rows.
    pub(super) fn empty() -> Self {
        Self { moments: vec![(0, Vec::new())] }
    }

    /// Remembers the rows as they are.
    pub(super) async fn written(&mut self, world: &World) -> Result<(), RecordError> {
        let moment = read(world).await?;
        // Only the latest rows of one position count.
        self.moments.retain(|(at, _)| *at != moment.0);
        self.moments.push(moment);
        if self.moments.len() > MOST {
            self.moments.remove(0);
        }
        Ok(())
    }

    /// The rows before the exchanges at two positions.
    pub(super) async fn rows_at(
        &self,
        at: [u64; 2],
        exchanges: &[Exchange],
        tables: &[TableSpec],
        web: &reqwest::Client,
    ) -> Result<[Tables; 2], RecordError> {
        if tables.is_empty() {
            return Ok([Tables::new(), Tables::new()]);
        }
        let dropped = || RecordError::Dropped { wanted: at[0] };
        let known = self.moments.iter().rfind(|(seq, _)| *seq <= at[0]);
        let (since, items) = known.ok_or_else(dropped)?;
        if let Some((changed, _)) =
            self.moments.iter().find(|(seq, _)| at[0] < *seq && *seq < at[1])
        {
            return Err(RecordError::Changed { at: *changed });
        }
        if exchanges.first().is_some_and(|first| first.seq > *since) {
            return Err(dropped());
        }
        let failed = |error: rehearse_dynamodb::StartError| {
            RecordError::Replay(rehearse_core::errors::with_causes(&error))
        };
        let engine = FakeDynamoDb::start(tables.to_vec()).await.map_err(failed)?;
        for (table, items) in items {
            let put = engine.database().put_items(table, items.clone()).await;
            put.map_err(RecordError::Rows)?;
        }
        let mut tokens = HashSet::new();
        let mut moments = Vec::new();
        for moment in at {
            let from = moments.last().map_or(*since, |(seq, _)| *seq);
            let calls = exchanges.iter().filter(|e| (from..moment).contains(&e.seq));
            for exchange in calls.filter(|exchange| has_written(exchange)) {
                let ExchangeDetail::Database { operation, request, .. } = &exchange.detail else {
                    continue;
                };
                if !WRITES.contains(&operation.as_str()) {
                    continue;
                }
                let mut request = request.clone();
                let token =
                    request.as_object_mut().and_then(|map| map.remove("ClientRequestToken"));
                // A transaction that was sent twice was carried out once.
                if let Some(token) = token
                    && !tokens.insert(token.to_string())
                {
                    continue;
                }
                call(web, &engine.url(), operation, &request).await?;
            }
            moments.push((moment, rows(&engine, tables).await?));
        }
        let mut moments = moments.into_iter().map(|(_, rows)| rows);
        Ok([moments.next().unwrap_or_default(), moments.next().unwrap_or_default()])
    }
}

/// The rows as they are, and the position of the next exchange.
async fn read(world: &World) -> Result<(u64, Items), RecordError> {
    let mut items = Items::new();
    let mut mark = world.journal().mark();
    for _ in 0..TRIES {
        items.clear();
        for table in world.database().tables() {
            let read = world.database().items(&table.id).await.map_err(RecordError::Rows)?;
            items.push((table.id.clone(), read));
        }
        let now = world.journal().mark();
        if std::mem::replace(&mut mark, now) == now {
            break;
        }
    }
    Ok((mark, items))
}

async fn rows(engine: &FakeDynamoDb, tables: &[TableSpec]) -> Result<Tables, RecordError> {
    let mut all = Tables::new();
    for table in tables {
        let rows = engine.rows(&table.id).await.map_err(RecordError::Rows)?;
        all.insert(table.id.clone(), rows);
    }
    Ok(all)
}

/// Carries out a call that was recorded.
async fn call(
    web: &reqwest::Client,
    url: &str,
    operation: &str,
    request: &Value,
) -> Result<(), RecordError> {
    let call = web
        .post(url)
        .header("x-amz-target", format!("DynamoDB_20120810.{operation}"))
        .header("x-amz-date", "20260101T000000Z")
        .header("content-type", "application/x-amz-json-1.0")
        .header(
            "authorization",
            "AWS4-HMAC-SHA256 Credential=rehearse/20260101/us-east-1/dynamodb/aws4_request, \
             SignedHeaders=host;x-amz-date;x-amz-target, Signature=0",
        )
        .body(request.to_string());
    let failed = |error: reqwest::Error| RecordError::Replay(error.without_url().to_string());
    let response = call.send().await.map_err(failed)?;
    if response.status().is_success() {
        return Ok(());
    }
    let body = response.text().await.map_err(failed)?;
    Err(RecordError::Replay(format!("{operation} was refused: {body}")))
}
