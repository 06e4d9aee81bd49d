//! Exchanges as lines of a conversation.

use std::{collections::BTreeMap, time::Duration};

use super::{
    ConversationLine, Detail, Tone, bodies,
    calls::{self, DatabaseCalls},
    model,
};
use crate::report::{
    text::{count, visible},
    time,
};
use rehearse_core::journal::{Exchange, ExchangeDetail, Outcome, Via};

/// Turns exchanges into lines, with the names of the people that it knows.
#[derive(Debug, Clone)]
pub struct Reader {
    /// Number to name.
    people: BTreeMap<String, String>,
    /// Name to logical id.
    tables: BTreeMap<String, String>,
    detail: Detail,
    /// Whether durations, injected failures and the bodies of what failed are told.
    is_complete: bool,
    /// Database calls that more may follow.
    calls: DatabaseCalls,
}

impl Reader {
    /// A reader that calls these numbers by these names.
    pub fn new(people: BTreeMap<String, String>, detail: Detail) -> Self {
        Self {
            people,
            tables: BTreeMap::new(),
            detail,
            is_complete: false,
            calls: DatabaseCalls::default(),
        }
    }

    /// With how long everything took, which failures were injected, and what was asked and answered where
    /// something failed. A request stands above what was done for it.
    #[must_use]
    pub fn complete(self) -> Self {
        Self { is_complete: true, ..self }
    }

    /// With logical ids for the names of tables.
    #[must_use]
    pub fn with_tables(self, tables: BTreeMap<String, String>) -> Self {
        Self { tables, ..self }
    }

    /// The lines of a finished journal, in the order in which its exchanges ended.
    /// Database calls in a row share one line; unfinished exchanges are left out.
    pub fn lines(&mut self, exchanges: &[Exchange]) -> Vec<ConversationLine> {
        let mut lines = self.next(exchanges);
        lines.extend(self.rest());
        collapsed(lines)
    }

    /// The lines of exchanges that have come; database calls wait for those that
    /// may follow, until [`Reader::rest`].
    pub fn next(&mut self, exchanges: &[Exchange]) -> Vec<ConversationLine> {
        let mut ordered: Vec<&Exchange> = exchanges.iter().filter(|e| is_told(e)).collect();
        ordered.sort_by_key(|e| (self.told_at(e), e.seq));
        let mut lines: Vec<ConversationLine> = Vec::new();
        for exchange in ordered {
            if let Some((call, items)) = self.quiet_call(exchange) {
                self.calls.add(exchange, call, items);
                continue;
            }
            let mut fresh = self.lines_of(exchange);
            if self.is_complete {
                complete(exchange, &mut fresh);
            }
            if !fresh.is_empty() {
                lines.extend(self.rest());
                lines.extend(fresh);
            }
        }
        lines
    }

    /// When an exchange is told: as it ended; but a text, and in a complete conversation a request too, as
    /// it began.
    fn told_at(&self, exchange: &Exchange) -> u64 {
        match exchange.detail {
            ExchangeDetail::SmsReceived { .. } => exchange.started_us,
            ExchangeDetail::Http { .. }
            | ExchangeDetail::Webhook { .. }
            | ExchangeDetail::Invocation { .. }
                if self.is_complete =>
            {
                exchange.started_us
            }
            _ => exchange.started_us + exchange.took_us.unwrap_or(0),
        }
    }

    /// Whether database calls wait for more.
    pub fn waits(&self) -> bool {
        self.calls.any()
    }

    /// The database calls that waited.
    pub fn rest(&mut self) -> Option<ConversationLine> {
        self.calls.take(self.is_complete)
    }

    /// A database call that went well: what it did, and to how many items.
    fn quiet_call(&self, exchange: &Exchange) -> Option<(String, usize)> {
        let ExchangeDetail::Database { operation, tables, items, .. } = &exchange.detail else {
            return None;
        };
        let outcome = exchange.outcome.as_ref()?;
        if trouble_of(outcome).is_some() || self.detail < Detail::Everything {
            return None;
        }
        let items = calls::returned(operation, outcome).unwrap_or(*items);
        Some((self.call(operation, tables), items))
    }

    /// `TransactWriteItems Schedule, Leads`
    fn call(&self, operation: &str, tables: &[String]) -> String {
        let names = tables.iter().map(|name| self.tables.get(name).unwrap_or(name).as_str());
        format!("{operation} {}", names.collect::<Vec<_>>().join(", "))
    }

    fn lines_of(&self, exchange: &Exchange) -> Vec<ConversationLine> {
        let line = |label: String, text: String, tone| ConversationLine {
            at: exchange.at,
            label,
            text: visible(&text),
            tone,
        };
        let quiet = |label: &str, text| line(label.into(), text, Tone::Quiet);
        let trouble = |label: &str, text| line(label.into(), text, Tone::Trouble);
        let wrong = exchange.outcome.as_ref().and_then(trouble_of);
        // Twilio's codes say little without the words of its dictionary.
        let told = || Some(with_words(wrong.clone()?, exchange.outcome.as_ref()?));
        match &exchange.detail {
            ExchangeDetail::SmsReceived { from, body, media, .. } => {
                let text = with_media(body, media);
                vec![line(format!("{} →", self.name(from)), text, Tone::Person)]
            }
            ExchangeDetail::SmsSent { to, body, media, segments, via, .. } => {
                let mut text = with_media(body, media);
                if *segments > 1 {
                    text.push_str(&format!("  ({})", count(*segments as usize, "segment")));
                }
                if *via == Via::Twilio {
                    text.push_str("  (sent by Twilio)");
                }
                let label = format!("{} ←", self.name(to));
                match told() {
                    Some(wrong) => {
                        vec![line(label, format!("not sent, {wrong}: {text}"), Tone::Trouble)]
                    }
                    None => vec![line(label, text, Tone::Shop)],
                }
            }
            ExchangeDetail::Webhook { attempt, .. } => {
                let again =
                    if *attempt > 1 { format!(", attempt {attempt}") } else { String::new() };
                let fine = || {
                    let status = exchange.outcome.as_ref().and_then(|outcome| outcome.status)?;
                    self.is_complete
                        .then(|| quiet("webhook", format!("{} → {status}{again}", exchange.name)))
                };
                let wrong = told().map(|wrong| trouble("webhook", format!("{wrong}{again}")));
                wrong.or_else(fine).into_iter().collect()
            }
            ExchangeDetail::Twilio { .. } => told()
                .map(|wrong| trouble("twilio", format!("{}: {wrong}", short(&exchange.name))))
                .into_iter()
                .collect(),
            ExchangeDetail::Model { request, .. } => {
                let results = model::results(request).into_iter();
                let mut lines: Vec<ConversationLine> =
                    results.map(|(name, out)| quiet("tool", format!("{name} → {out}"))).collect();
                match (wrong, &exchange.outcome) {
                    (Some(wrong), outcome) => {
                        let said = outcome.as_ref().and_then(|o| model::problem(&o.response));
                        lines.push(trouble("model", said_too(wrong, said)));
                    }
                    (None, Some(outcome)) => {
                        let said = model::answer(&outcome.response);
                        let empty = said.is_empty().then(|| "says nothing".to_owned());
                        lines.extend(said.into_iter().chain(empty).map(|t| quiet("model", t)));
                    }
                    (None, None) => {}
                }
                lines
            }
            ExchangeDetail::OpenAi { .. } => wrong
                .map(|wrong| trouble("model", format!("{}: {wrong}", exchange.name)))
                .into_iter()
                .collect(),
            ExchangeDetail::Database { operation, tables, .. } => wrong
                .map(|wrong| {
                    trouble(calls::LABEL, format!("{}: {wrong}", self.call(operation, tables)))
                })
                .into_iter()
                .collect(),
            ExchangeDetail::Secret { name, .. } => wrong
                .map(|wrong| trouble("secrets", format!("{name}: {wrong}")))
                .into_iter()
                .collect(),
            ExchangeDetail::OtherService { service, method, path, operation, .. } => {
                let what = operation.clone().unwrap_or_else(|| format!("{method} {path}"));
                vec![trouble("aws", format!("{service} {what}: not emulated"))]
            }
            ExchangeDetail::Invoke { target, invocation_type, .. } => match wrong {
                Some(wrong) => vec![trouble("lambda", format!("invoke {target}: {wrong}"))],
                None => vec![quiet("lambda", format!("invoke {target} ({invocation_type})"))],
            },
            ExchangeDetail::Invocation { function, cause, attempt, .. } => {
                let again =
                    if *attempt > 1 { format!(", attempt {attempt}") } else { String::new() };
                let what = format!("{function} by {cause}{again}");
                match wrong {
                    Some(wrong) => vec![trouble("lambda", format!("{what}: {wrong}"))],
                    None => vec![quiet("lambda", what)],
                }
            }
            ExchangeDetail::Destination { function, destination, .. } => {
                let text = format!("{function} was given up; its record is due at {destination}");
                vec![trouble("lambda", text)]
            }
            // The text already shows Twilio's call, unless it failed.
            ExchangeDetail::Http { path, body, .. }
                if wrong.is_none() && [path, body].iter().any(|t| t.contains("MessageSid=")) =>
            {
                Vec::new()
            }
            ExchangeDetail::Http { method, path, .. } => {
                let status = exchange.outcome.as_ref().and_then(|o| o.status);
                let status = status.map_or_else(|| "no answer".into(), |s| s.to_string());
                vec![quiet("http", format!("{method} {path} → {status}"))]
            }
            ExchangeDetail::Log { function, request_id, line: text }
                if self.detail == Detail::Everything =>
            {
                // Enough of the id to tell which lines belong together.
                let id = request_id.as_deref().and_then(|id| id.split('-').next());
                let of = id.map_or_else(String::new, |id| format!(" {id}"));
                let lines = text.split(['\n', '\r']);
                lines.map(|text| quiet("log", format!("{function}{of}: {text}"))).collect()
            }
            ExchangeDetail::Log { .. }
            | ExchangeDetail::Rows { .. }
            | ExchangeDetail::Step { .. } => Vec::new(),
        }
    }

    fn name(&self, number: &str) -> String {
        self.people.get(number).cloned().unwrap_or_else(|| number.to_owned())
    }
}

/// Adds to the lines of an exchange how long it took, which failure was injected, and, if it failed,
/// what was asked and answered.
fn complete(exchange: &Exchange, lines: &mut Vec<ConversationLine>) {
    let is_spoken = |line: &&mut ConversationLine| {
        matches!(line.tone, Tone::Person | Tone::Shop)
            || line.label == "log"
            || line.label == "tool"
    };
    let Some(line) = lines.iter_mut().rfind(|line| !is_spoken(line)) else { return };
    if let Some(took) = exchange.took_us {
        line.text.push_str(&format!("  ({})", time::duration(Duration::from_micros(took))));
    }
    if let Some(injected) = &exchange.injected {
        line.text.push_str(&format!("  [injected: {}]", visible(injected)));
    }
    let outcome = exchange.outcome.as_ref();
    let failed = line.tone == Tone::Trouble
        || outcome.and_then(|outcome| outcome.status).is_some_and(|status| status >= 400);
    let (Some(outcome), true) = (outcome, failed) else { return };
    let bodies =
        [("asked", bodies::asked(&exchange.detail)), ("answered", outcome.response.clone())];
    let at = exchange.at;
    lines.extend(bodies.into_iter().filter(|(_, body)| !bodies::is_empty(body)).map(
        |(label, body)| ConversationLine {
            at,
            label: label.into(),
            text: visible(&bodies::short(&body)),
            tone: Tone::Quiet,
        },
    ));
}

/// Equal failures in a row as the first of them, and how many more there were: a client that tries again
/// says nothing new.
fn collapsed(lines: Vec<ConversationLine>) -> Vec<ConversationLine> {
    let mut kept: Vec<ConversationLine> = Vec::new();
    let mut more = 0;
    for line in lines {
        let same = kept.last().is_some_and(|last| {
            line.tone == Tone::Trouble && (&last.label, &last.text) == (&line.label, &line.text)
        });
        if same {
            more += 1;
            continue;
        }
        tell_more(&mut kept, &mut more);
        kept.push(line);
    }
    tell_more(&mut kept, &mut more);
    kept
}

fn tell_more(kept: &mut Vec<ConversationLine>, more: &mut usize) {
    match (kept.last().cloned(), std::mem::take(more)) {
        // Another equal line is as short.
        (Some(last), 1) => kept.push(last),
        (Some(last), count) if count > 1 => {
            kept.push(ConversationLine { text: format!("{count} more"), ..last });
        }
        _ => {}
    }
}

/// Whether an exchange can be shown: a text at once, everything else when it has ended.
fn is_told(exchange: &Exchange) -> bool {
    matches!(exchange.detail, ExchangeDetail::SmsReceived { .. }) || exchange.outcome.is_some()
}

/// Why an exchange failed, if it did.
fn trouble_of(outcome: &Outcome) -> Option<String> {
    match (outcome.status, &outcome.error) {
        (status, Some(error)) => {
            Some(status.map_or_else(|| error.clone(), |status| format!("{status} {error}")))
        }
        (Some(status), None) if status >= 400 => Some(status.to_string()),
        _ => None,
    }
}

/// A failure with the words of Twilio's dictionary, if its code is one of Twilio's.
fn with_words(wrong: String, outcome: &Outcome) -> String {
    let code = outcome.error.as_ref().and_then(|error| error.parse().ok());
    match code.and_then(rehearse_twilio::error_text) {
        Some(text) => format!("{wrong} ({text})"),
        None => wrong,
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

/// An error code with its message, unless the message contains the code.
fn said_too(wrong: String, said: Option<&str>) -> String {
    let code = wrong.split_once(' ').map_or(wrong.as_str(), |(_, code)| code);
    match said {
        None => wrong,
        Some(said) if said.starts_with(code) => wrong.replace(code, said),
        Some(said) => format!("{wrong}: {said}"),
    }
}
