//! What happened in a run, as sentences look at it: texts, calls and rows as plain values.

use std::collections::{BTreeMap, HashSet};

use serde_json::{Map, Value, json};

use rehearse_core::{
    journal::{Exchange, ExchangeDetail},
    table::TableSpec,
};
use rehearse_dynamodb::row;

/// What happened in a run.
#[derive(Debug)]
pub(crate) struct History {
    exchanges: Vec<Exchange>,
    /// Rows at the start, by table.
    rows_at_start: BTreeMap<String, Vec<Value>>,
    /// Rows at the end, by table.
    rows: BTreeMap<String, Vec<Value>>,
    /// Rows that were there at any time, by table.
    rows_ever: BTreeMap<String, Vec<Value>>,
}

/// One thing that a sentence is about.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Item {
    /// The number of its exchange; rows have none.
    pub(super) began: Option<u64>,
    /// Its fields.
    pub(super) value: Value,
}

impl History {
    /// The history of a run, with the rows of the tables that sentences look at, at its start and end.
    pub(crate) fn new(
        exchanges: Vec<Exchange>,
        tables: &[TableSpec],
        start: BTreeMap<String, Vec<Value>>,
        end: BTreeMap<String, Vec<Value>>,
    ) -> Self {
        let mut rows_ever = start.clone();
        for (table, rows) in &end {
            rows_ever.entry(table.clone()).or_default().extend(rows.iter().cloned());
        }
        for exchange in exchanges.iter().filter(|exchange| has_written(exchange)) {
            let ExchangeDetail::Database { request, .. } = &exchange.detail else { continue };
            for (name, item) in puts(request) {
                let Some(table) = tables.iter().find(|table| table.name == name) else { continue };
                if let Some(rows) = rows_ever.get_mut(&table.id) {
                    rows.push(row::from_item(table, item.clone()));
                }
            }
        }
        for rows in rows_ever.values_mut() {
            let mut seen = HashSet::new();
            rows.retain(|row| seen.insert(row.to_string()));
        }
        Self { exchanges, rows_at_start: start, rows: end, rows_ever }
    }

    /// Texts to the shop, as `{sid, from, to, body, media}`.
    pub(super) fn texts_in(&self) -> impl Iterator<Item = Item> {
        self.of(|exchange| match &exchange.detail {
            ExchangeDetail::SmsReceived { sid, from, to, body, media } => {
                Some(json!({ "sid": sid, "from": from, "to": to, "body": body, "media": media }))
            }
            _ => None,
        })
    }

    /// Texts that Twilio took, as `{sid, from, to, body, media, segments, via, in_reply_to}`.
    pub(super) fn texts_out(&self) -> impl Iterator<Item = Item> {
        self.of(|exchange| {
            let refused = exchange.outcome.as_ref().is_some_and(|outcome| outcome.error.is_some());
            let ExchangeDetail::SmsSent { .. } = &exchange.detail else { return None };
            (!refused).then(|| fields(exchange))
        })
    }

    /// Every exchange with its name: the fields of its kind in the journal, with `status`, `error` and
    /// `response`. Parameters of forms are a map.
    pub(super) fn calls(&self) -> impl Iterator<Item = (&str, Item)> {
        self.exchanges.iter().map(|exchange| {
            let mut value = fields(exchange);
            let outcome = exchange.outcome.clone().unwrap_or_default();
            value["status"] = outcome.status.map_or(Value::Null, Value::from);
            value["error"] = outcome.error.map_or(Value::Null, Value::from);
            value["response"] = outcome.response;
            (exchange.name.as_str(), Item { began: Some(exchange.seq), value })
        })
    }

    /// Rows of a table at the end.
    pub(super) fn rows(&self, table: &str) -> impl Iterator<Item = Item> {
        items(&self.rows, table)
    }

    /// Rows of a table at the start.
    pub(super) fn rows_at_start(&self, table: &str) -> impl Iterator<Item = Item> {
        items(&self.rows_at_start, table)
    }

    /// Rows of a table that were there at the start or the end, or were put in between.
    pub(super) fn rows_ever(&self, table: &str) -> impl Iterator<Item = Item> {
        items(&self.rows_ever, table)
    }

    fn of(&self, read: impl Fn(&Exchange) -> Option<Value>) -> impl Iterator<Item = Item> {
        self.exchanges.iter().filter_map(move |exchange| {
            read(exchange).map(|value| Item { began: Some(exchange.seq), value })
        })
    }
}

fn items<'r>(
    rows: &'r BTreeMap<String, Vec<Value>>,
    table: &str,
) -> impl Iterator<Item = Item> + use<'r> {
    let rows = rows.get(table).map(Vec::as_slice).unwrap_or_default();
    rows.iter().map(|row| Item { began: None, value: row.clone() })
}

/// The fields of an exchange's kind.
fn fields(exchange: &Exchange) -> Value {
    let mut value = serde_json::to_value(&exchange.detail).unwrap_or_default();
    if let ExchangeDetail::Twilio { params, .. } | ExchangeDetail::Webhook { params, .. } =
        &exchange.detail
    {
        let params: Map<String, Value> =
            params.iter().map(|(name, value)| (name.clone(), value.as_str().into())).collect();
        value["params"] = params.into();
    }
    value
}

/// Whether a call has taken effect: it succeeded, also when its response was lost. The journal keeps a
/// response that was lost, and has none of a call that was cut before.
pub(crate) fn has_written(exchange: &Exchange) -> bool {
    exchange.outcome.as_ref().is_some_and(|outcome| match outcome.status {
        Some(status) => status < 400,
        None => outcome.response.is_object() && outcome.response.get("__type").is_none(),
    })
}

/// The items that a request puts, with the names of their tables.
fn puts(request: &Value) -> Vec<(&str, &Map<String, Value>)> {
    let single = std::iter::once(request);
    let transaction = request["TransactItems"].as_array().into_iter().flatten();
    let mut found: Vec<(&str, &Map<String, Value>)> = single
        .chain(transaction.map(|item| &item["Put"]))
        .filter_map(|put| put["TableName"].as_str().zip(put["Item"].as_object()))
        .collect();
    let batches = request["RequestItems"].as_object().into_iter().flatten();
    for (table, requests) in batches {
        let requests = requests.as_array().into_iter().flatten();
        let items = requests.filter_map(|request| request["PutRequest"]["Item"].as_object());
        found.extend(items.map(|item| (table.as_str(), item)));
    }
    found
}
