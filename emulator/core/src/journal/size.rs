//! How many bytes of memory an exchange takes.

use serde_json::Value;

use super::{ExchangeDetail, Outcome, store::StoredExchange};

/// What one entry of a JSON object takes besides its key's text and what its value holds: key, value,
/// hash, and the entry's index in the hash table.
const ENTRY: usize = size_of::<String>() + size_of::<Value>() + 2 * size_of::<usize>();

/// Bytes of an exchange with its texts and JSON trees. An estimate: what the allocator adds and
/// capacity that is not used are not counted.
pub(super) fn exchange(stored: &StoredExchange) -> usize {
    let exchange = &stored.exchange;
    let outcome = exchange.outcome.as_ref().map_or(0, outcome);
    let response = stored.response.as_ref().map_or(0, |response| response.len());
    size_of::<StoredExchange>()
        + exchange.name.len()
        + detail(&exchange.detail)
        + outcome
        + response
}

fn detail(detail: &ExchangeDetail) -> usize {
    match detail {
        ExchangeDetail::SmsReceived { sid, from, to, body, media } => {
            texts([sid, from, to, body]) + list(media)
        }
        ExchangeDetail::SmsSent { sid, from, to, body, media, encoding, in_reply_to, .. } => {
            texts([sid, from, to, body, encoding]) + texts(in_reply_to) + list(media)
        }
        ExchangeDetail::Webhook { sid, method, url, params, .. } => {
            texts([sid, method, url]) + pairs(params)
        }
        ExchangeDetail::Twilio { method, path, params } => texts([method, path]) + pairs(params),
        ExchangeDetail::Model { request, script } => json(request) + texts(script),
        ExchangeDetail::OpenAi { method, path, request } => texts([method, path]) + json(request),
        ExchangeDetail::Database { function, operation, tables, request, .. } => {
            texts(function) + operation.len() + list(tables) + json(request)
        }
        ExchangeDetail::Secret { function, operation, name } => {
            texts(function) + texts([operation, name])
        }
        ExchangeDetail::OtherService { function, service, method, path, operation } => {
            texts(function) + texts([service, method, path]) + texts(operation)
        }
        ExchangeDetail::Invoke { function, target, target_name, invocation_type, payload } => {
            texts(function) + texts([target, target_name, invocation_type]) + json(payload)
        }
        ExchangeDetail::Invocation { function, cause, request_id, event, .. } => {
            texts([function, cause, request_id]) + json(event)
        }
        ExchangeDetail::Destination { function, destination, record } => {
            texts([function, destination]) + json(record)
        }
        ExchangeDetail::Http { function, method, path, body, headers } => {
            texts(function) + texts([method, path, body]) + pairs(headers)
        }
        ExchangeDetail::Rows { table, rows } => {
            table.len() + rows.iter().map(|row| size_of::<Value>() + json(row)).sum::<usize>()
        }
        ExchangeDetail::Log { function, request_id, line } => {
            texts([function, line]) + texts(request_id)
        }
        ExchangeDetail::Step { step, title } => texts([step, title]),
    }
}

fn outcome(outcome: &Outcome) -> usize {
    texts(&outcome.error) + json(&outcome.response)
}

/// Bytes that a JSON value holds on the heap. Parsing limits its depth to 128.
fn json(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(|item| size_of::<Value>() + json(item)).sum(),
        Value::Object(map) => map.iter().map(|(key, value)| ENTRY + key.len() + json(value)).sum(),
    }
}

fn texts<'t>(texts: impl IntoIterator<Item = &'t String>) -> usize {
    texts.into_iter().map(String::len).sum()
}

fn list(list: &[String]) -> usize {
    list.iter().map(|text| size_of::<String>() + text.len()).sum()
}

fn pairs(pairs: &[(String, String)]) -> usize {
    pairs.iter().map(|(name, value)| 2 * size_of::<String>() + name.len() + value.len()).sum()
}
