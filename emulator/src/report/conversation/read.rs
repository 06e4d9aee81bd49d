//! Journal entries as lines of a conversation.

use std::collections::BTreeMap;

use jiff::Timestamp;
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
    /// Name to logical id.
    tables: BTreeMap<String, String>,
    detail: Detail,
}

impl Reader {
    /// A reader that calls these numbers by these names.
    pub fn new(people: BTreeMap<String, String>, detail: Detail) -> Self {
        Self { people, tables: BTreeMap::new(), detail }
    }

    /// With logical ids for the names of tables.
    #[must_use]
    pub fn with_tables(self, tables: BTreeMap<String, String>) -> Self {
        Self { tables, ..self }
    }

    /// The lines of entries, in the order in which they ended. Database calls in
    /// a row share one line; what is under way says nothing yet.
    pub fn lines(&self, entries: &[Entry]) -> Vec<Line> {
        let mut ordered: Vec<&Entry> = entries.iter().filter(|e| is_told(e)).collect();
        ordered.sort_by_key(|e| (told_at(e), e.seq));
        let mut lines: Vec<Line> = Vec::new();
        let mut calls = Calls::default();
        for entry in ordered {
            match self.quiet_call(entry) {
                Some((call, items)) => calls.add(entry, call, items),
                None => {
                    let fresh = self.entry(entry);
                    if !fresh.is_empty() {
                        lines.extend(calls.take());
                    }
                    lines.extend(fresh);
                }
            }
        }
        lines.extend(calls.take());
        lines
    }

    /// A database call that went well: what it did, and to how many items.
    fn quiet_call(&self, entry: &Entry) -> Option<(String, usize)> {
        let Crossing::Database { operation, tables, items, .. } = &entry.crossing else {
            return None;
        };
        let outcome = entry.outcome.as_ref()?;
        if trouble_of(outcome).is_some() || self.detail < Detail::Everything {
            return None;
        }
        let items = returned(operation, outcome).unwrap_or(*items);
        Some((self.call(operation, tables), items))
    }

    /// `TransactWriteItems Schedule, Leads`
    fn call(&self, operation: &str, tables: &[String]) -> String {
        let names = tables.iter().map(|name| self.tables.get(name).unwrap_or(name).as_str());
        format!("{operation} {}", names.collect::<Vec<_>>().join(", "))
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
                    (Some(wrong), outcome) => {
                        let said = outcome.as_ref().and_then(|o| model::problem(&o.answer));
                        let said = said.map(|said| format!(": {said}")).unwrap_or_default();
                        lines.push(trouble("model", format!("{wrong}{said}")));
                    }
                    (None, Some(outcome)) => {
                        let said = model::answer(&outcome.answer);
                        let empty = said.is_empty().then(|| "says nothing".to_owned());
                        lines.extend(said.into_iter().chain(empty).map(|t| quiet("model", t)));
                    }
                    (None, None) => {}
                }
                lines
            }
            Crossing::Database { operation, tables, .. } => wrong
                .map(|wrong| {
                    trouble(DATABASE, format!("{}: {wrong}", self.call(operation, tables)))
                })
                .into_iter()
                .collect(),
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

/// Database calls in a row: one line, equal calls added up.
#[derive(Default)]
struct Calls {
    at: Option<Timestamp>,
    /// What was done, to how many items.
    calls: Vec<(String, usize)>,
}

impl Calls {
    fn add(&mut self, entry: &Entry, call: String, items: usize) {
        self.at = self.at.or(Some(entry.at));
        match self.calls.iter_mut().find(|(known, _)| *known == call) {
            Some((_, sum)) => *sum += items,
            None => self.calls.push((call, items)),
        }
    }

    fn take(&mut self) -> Option<Line> {
        let at = self.at.take()?;
        let calls = self.calls.drain(..).map(|(call, items)| format!("{call} {items}"));
        let text = calls.collect::<Vec<_>>().join(" · ");
        Some(Line { at, label: DATABASE.into(), text, tone: Tone::Quiet })
    }
}

/// How many items a read brought; `None` for a write.
fn returned(operation: &str, outcome: &Outcome) -> Option<usize> {
    let answer = &outcome.answer;
    match operation {
        "GetItem" => Some(usize::from(answer.get("Item").is_some())),
        "Query" | "Scan" => answer["Items"].as_array().map(Vec::len),
        _ => None,
    }
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
