//! Which exchanges belong to one person's conversation.

use serde_json::Value;

use super::model;
use rehearse_core::journal::{Exchange, ExchangeDetail};

/// Whether an exchange belongs to the conversation with `phone`. Model calls carry
/// no number, so they are recognised by that phone's last text.
pub fn about(exchange: &Exchange, phone: &str, last_text: &mut Option<String>) -> bool {
    let in_params = |params: &[(String, String)]| params.iter().any(|(_, value)| value == phone);
    match &exchange.detail {
        ExchangeDetail::SmsReceived { from, body, .. } => {
            let own = from == phone;
            if own {
                *last_text = Some(body.clone());
            }
            own
        }
        ExchangeDetail::SmsSent { to, .. } => to == phone,
        ExchangeDetail::Webhook { params, .. } | ExchangeDetail::Twilio { params, .. } => {
            in_params(params)
        }
        ExchangeDetail::Model { request, .. } => {
            let said = model::last_user_text(request);
            matches!((said, last_text), (Some(said), Some(last)) if !last.is_empty() && said.contains(last.as_str()))
        }
        ExchangeDetail::Database { request, .. } | ExchangeDetail::OpenAi { request, .. } => {
            mentions(request, phone)
        }
        ExchangeDetail::Http { path, body, .. } => {
            let encoded = phone.replace('+', "%2B");
            [path, body].iter().any(|text| text.contains(phone) || text.contains(&encoded))
        }
        ExchangeDetail::Invoke { payload: value, .. }
        | ExchangeDetail::Invocation { event: value, .. }
        | ExchangeDetail::Destination { record: value, .. } => mentions(value, phone),
        ExchangeDetail::Secret { .. }
        | ExchangeDetail::OtherService { .. }
        | ExchangeDetail::Rows { .. }
        | ExchangeDetail::Log { .. }
        | ExchangeDetail::Step { .. } => false,
    }
}

fn mentions(value: &Value, phone: &str) -> bool {
    match value {
        Value::String(text) => text.contains(phone),
        Value::Array(items) => items.iter().any(|v| mentions(v, phone)),
        Value::Object(map) => map.values().any(|v| mentions(v, phone)),
        _ => false,
    }
}
