//! Which entries belong to whom.

use serde_json::Value;

use super::model;
use rehearse_core::journal::{Crossing, Entry};

/// Whether an entry belongs to the conversation with `phone`. Model calls carry
/// no number, so they are told by the words of that phone's last text.
pub fn about(entry: &Entry, phone: &str, last_text: &mut Option<String>) -> bool {
    let in_params = |params: &[(String, String)]| params.iter().any(|(_, value)| value == phone);
    match &entry.crossing {
        Crossing::SmsReceived { from, body, .. } => {
            let own = from == phone;
            if own {
                *last_text = Some(body.clone());
            }
            own
        }
        Crossing::SmsSent { to, .. } => to == phone,
        Crossing::Webhook { params, .. } | Crossing::Twilio { params, .. } => in_params(params),
        Crossing::Model { request, .. } => {
            let said = model::last_user_text(request);
            matches!((said, last_text), (Some(said), Some(last)) if !last.is_empty() && said.contains(last.as_str()))
        }
        Crossing::Database { request, .. } => mentions(request, phone),
        Crossing::Http { path, body, .. } => {
            let encoded = phone.replace('+', "%2B");
            [path, body].iter().any(|text| text.contains(phone) || text.contains(&encoded))
        }
        Crossing::Secret { .. }
        | Crossing::Rows { .. }
        | Crossing::Log { .. }
        | Crossing::Step { .. } => false,
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
