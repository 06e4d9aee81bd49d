//! Journal entries as lines of a conversation.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Detail, Line, Tone, model};
use crate::{
    journal::{Crossing, Entry, Outcome, Via},
    report::text::{count, visible},
};

/// Turns entries into lines, with the names of the people that it knows.
#[derive(Debug, Clone)]
pub struct Reader {
    /// Number to name.
    people: BTreeMap<String, String>,
    detail: Detail,
}

impl Reader {
    /// A reader that calls these numbers by these names.
    pub fn new(people: BTreeMap<String, String>, detail: Detail) -> Self {
        Self { people, detail }
    }

    /// The lines of entries, in the order in which they ended. Database calls in
    /// a row share one line; what is under way says nothing yet.
    pub fn lines(&self, entries: &[Entry]) -> Vec<Line> {
        let mut ordered: Vec<&Entry> = entries.iter().filter(|e| is_told(e)).collect();
        ordered.sort_by_key(|e| (told_at(e), e.seq));
        let mut lines: Vec<Line> = Vec::new();
        let mut joining = false;
        for entry in ordered {
            let fresh = self.entry(entry);
            let quiet_call = matches!(fresh.as_slice(), [line] if line.label == DATABASE && line.tone == Tone::Quiet);
            match (joining && quiet_call, lines.last_mut(), fresh.first()) {
                (true, Some(last), Some(line)) => {
                    last.text.push_str(" · ");
                    last.text.push_str(&line.text);
                }
                _ if fresh.is_empty() => {}
                _ => {
                    joining = quiet_call;
                    lines.extend(fresh);
                }
            }
        }
        lines
    }

    fn entry(&self, entry: &Entry) -> Vec<Line> {
        let line = |label: String, text: String, tone| Line {
            at: entry.at,
            label,
            text: visible(&text),
            tone,
        };
        let quiet = |label: &str, text| line(label.into(), text, Tone::Quiet);
        let trouble = |label: &str, text| line(label.into(), text, Tone::Trouble);
        let wrong = entry.outcome.as_ref().and_then(trouble_of);
        match &entry.crossing {
            Crossing::SmsReceived { from, body, media, .. } => {
                let text = with_media(body, media);
                vec![line(format!("{} →", self.name(from)), text, Tone::Person)]
            }
            Crossing::SmsSent { to, body, media, segments, via, .. } => {
                let mut text = with_media(body, media);
                if *segments > 1 {
                    text.push_str(&format!("  ({})", count(*segments as usize, "segment")));
                }
                if *via == Via::Twilio {
                    text.push_str("  (sent by Twilio)");
                }
                let label = format!("{} ←", self.name(to));
                match wrong {
                    Some(wrong) => {
                        vec![line(label, format!("not sent, {wrong}: {text}"), Tone::Trouble)]
                    }
                    None => vec![line(label, text, Tone::Shop)],
                }
            }
            Crossing::Webhook { attempt, .. } => wrong
                .map(|wrong| {
                    let again =
                        if *attempt > 1 { format!(", attempt {attempt}") } else { String::new() };
                    trouble("webhook", format!("{wrong}{again}"))
                })
                .into_iter()
                .collect(),
            Crossing::Twilio { .. } => wrong
                .map(|wrong| trouble("twilio", format!("{}: {wrong}", short(&entry.name))))
                .into_iter()
                .collect(),
            Crossing::Model { request, .. } => {
                let results = model::results(request).into_iter();
                let mut lines: Vec<Line> =
                    results.map(|(name, out)| quiet("tool", format!("{name} → {out}"))).collect();
                match (wrong, &entry.outcome) {
                    (Some(wrong), _) => lines.push(trouble("model", wrong)),
                    (None, Some(outcome)) => {
                        let said = model::answer(&outcome.answer);
                        let empty = said.is_empty().then(|| "says nothing".to_owned());
                        lines.extend(said.into_iter().chain(empty).map(|t| quiet("model", t)));
                    }
                    (None, None) => {}
                }
                lines
            }
            Crossing::Database { operation, tables, items, .. } => {
                let call = format!("{operation} {}", tables.join(", "));
                match wrong {
                    Some(wrong) => vec![trouble(DATABASE, format!("{call}: {wrong}"))],
                    None if self.detail < Detail::Everything => Vec::new(),
                    None => {
                        let n = entry.outcome.as_ref().and_then(returned).unwrap_or(*items);
                        vec![quiet(DATABASE, format!("{call} {n}"))]
                    }
                }
            }
            // Twilio's own call is told by its text already, unless it fails.
            Crossing::Http { path, body, .. }
                if wrong.is_none() && [path, body].iter().any(|t| t.contains("MessageSid=")) =>
            {
                Vec::new()
            }
            Crossing::Http { method, path, .. } => {
                let status = entry.outcome.as_ref().and_then(|o| o.status);
                let status = status.map_or_else(|| "no answer".into(), |s| s.to_string());
                vec![quiet("http", format!("{method} {path} → {status}"))]
            }
            Crossing::Log { function, line: text, .. } if self.detail == Detail::Everything => {
                vec![quiet("log", format!("{function}: {text}"))]
            }
            Crossing::Log { .. } | Crossing::Rows { .. } | Crossing::Step { .. } => Vec::new(),
        }
    }

    fn name(&self, number: &str) -> String {
        self.people.get(number).cloned().unwrap_or_else(|| number.to_owned())
    }
}

const DATABASE: &str = "database";

/// Whether an entry can be told: a text at once, all else when it has ended.
fn is_told(entry: &Entry) -> bool {
    matches!(entry.crossing, Crossing::SmsReceived { .. }) || entry.outcome.is_some()
}

fn told_at(entry: &Entry) -> u64 {
    match entry.crossing {
        Crossing::SmsReceived { .. } => entry.started_us,
        _ => entry.started_us + entry.took_us.unwrap_or(0),
    }
}

/// Why a crossing failed, if it did.
fn trouble_of(outcome: &Outcome) -> Option<String> {
    match (outcome.status, &outcome.error) {
        (status, Some(error)) => {
            Some(status.map_or_else(|| error.clone(), |status| format!("{status} {error}")))
        }
        (Some(status), None) if status >= 400 => Some(status.to_string()),
        _ => None,
    }
}

/// How many items an answer of the database carries.
fn returned(outcome: &Outcome) -> Option<usize> {
    let answer = &outcome.answer;
    if let Some(items) = answer["Items"].as_array() {
        return Some(items.len());
    }
    answer.get("Item").map(|_| 1)
}

fn with_media(body: &str, media: &[String]) -> String {
    let pictures = count(media.len(), "picture");
    match (body.is_empty(), media.is_empty()) {
        (_, true) => body.to_owned(),
        (true, false) => format!("({pictures})"),
        (false, false) => format!("{body}  ({pictures})"),
    }
}

fn short(name: &str) -> &str {
    name.strip_prefix("twilio.").unwrap_or(name)
}

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
        Crossing::Rows { .. } | Crossing::Log { .. } | Crossing::Step { .. } => false,
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
