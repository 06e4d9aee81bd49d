//! What was asked in an exchange that failed, and what was answered, in short.

use serde_json::{Map, Value};

use crate::report::text::cut;
use rehearse_core::journal::ExchangeDetail;

/// Most columns of a body: enough to see what is wrong with it.
const MOST: usize = 600;

/// The body of a request; null when it has none.
pub(super) fn asked(detail: &ExchangeDetail) -> Value {
    match detail {
        ExchangeDetail::Http { body, .. } => body.as_str().into(),
        ExchangeDetail::Webhook { params, .. } | ExchangeDetail::Twilio { params, .. } => {
            let pairs = params.iter().map(|(key, value)| (key.clone(), value.as_str().into()));
            Value::Object(pairs.collect::<Map<_, _>>())
        }
        ExchangeDetail::Database { request, .. } => request.clone(),
        // The instructions and all that was said before: only the end is new.
        ExchangeDetail::Model { request, .. } => {
            let input = request.get("input").or_else(|| request.get("messages"));
            let last = input.and_then(Value::as_array).and_then(|items| items.last());
            last.cloned().or_else(|| input.cloned()).unwrap_or_default()
        }
        ExchangeDetail::Invoke { payload, .. } => payload.clone(),
        ExchangeDetail::Invocation { event, .. } => event.clone(),
        _ => Value::Null,
    }
}

/// Whether there is nothing to show.
pub(super) fn is_empty(body: &Value) -> bool {
    match body {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Object(map) => map.is_empty(),
        _ => false,
    }
}

/// A body on one line, its beginning when it is long.
pub(super) fn short(body: &Value) -> String {
    let text = body.as_str().map_or_else(|| body.to_string(), str::to_owned);
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    cut(&line, MOST)
}
