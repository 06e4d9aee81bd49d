//! What `up` prints while it runs: a line for each text, and one for each turn of the backend.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use crate::app::App;
use rehearse_core::journal::{Exchange, ExchangeDetail};
use rehearse_scenario::report::{
    conversation::{ConversationLine, Detail, Reader, Renderer, Tone},
    text::count,
    time,
};
use rehearse_world::World;

/// How long it waits for more before it looks again: under load, every look would cost as much as a call.
const PAUSE: Duration = Duration::from_millis(40);

/// Prints texts and turns as they come, until it is dropped or nobody reads any more.
pub(super) async fn follow(world: &World, people: BTreeMap<String, String>, app: &App) {
    let journal = world.journal();
    let mut changes = journal.watch();
    let mut reader = Reader::new(people, Detail::Story);
    let mut renderer = Renderer::new(world.time_zone(), app.ui.width()).with_seconds();
    let mut seen = Seen::default();
    loop {
        let look = journal.look(seen.from, usize::MAX, |_| true);
        let exchanges = if seen.epoch == look.epoch {
            look.exchanges
        } else {
            // The journal was emptied, and its positions began anew.
            seen = Seen { epoch: look.epoch, ..Seen::default() };
            journal.since(0)
        };
        for line in seen.lines(&exchanges, &mut reader) {
            for row in renderer.rows(&line) {
                if app.ui.line(row).is_err() {
                    return;
                }
            }
        }
        if changes.changed().await.is_err() {
            return;
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// What was printed of the journal.
#[derive(Debug, Default)]
struct Seen {
    epoch: u64,
    /// The position of the first exchange that has not ended.
    from: u64,
    /// Positions after it that were printed.
    printed: BTreeSet<u64>,
}

impl Seen {
    /// The lines of what is new.
    fn lines(&mut self, exchanges: &[Exchange], reader: &mut Reader) -> Vec<ConversationLine> {
        let mut lines = Vec::new();
        for exchange in exchanges {
            let is_text = matches!(exchange.detail, ExchangeDetail::SmsReceived { .. });
            if (exchange.outcome.is_none() && !is_text) || !self.printed.insert(exchange.seq) {
                continue;
            }
            lines.extend(turn(exchange, exchanges));
            let told = reader.next(std::slice::from_ref(exchange)).into_iter();
            lines.extend(told.filter(|line| line.tone != Tone::Quiet));
        }
        let open = exchanges.iter().find(|exchange| exchange.outcome.is_none());
        let next = exchanges.last().map_or(self.from, |last| last.seq + 1);
        self.from = open.map_or(next, |open| open.seq);
        self.printed.retain(|seq| *seq >= self.from);
        lines
    }
}

/// The line of a turn: how the webhook ended, how long it took, and what was asked meanwhile.
fn turn(webhook: &Exchange, exchanges: &[Exchange]) -> Option<ConversationLine> {
    let (ExchangeDetail::Webhook { attempt, .. }, "webhook.sms" | "webhook.fallback") =
        (&webhook.detail, webhook.name.as_str())
    else {
        return None;
    };
    let took = webhook.took_us?;
    let within = webhook.started_us..=webhook.started_us + took;
    // What happens meanwhile may be another text's.
    let is_of_turn = |other: &&Exchange| match (other.turn, webhook.turn) {
        (Some(turn), Some(of_webhook)) => turn == of_webhook && within.contains(&other.started_us),
        _ => within.contains(&other.started_us),
    };
    let (mut model, mut database) = (0, 0);
    for exchange in exchanges.iter().filter(is_of_turn) {
        match exchange.detail {
            ExchangeDetail::Model { .. } => model += 1,
            ExchangeDetail::Database { .. } => database += 1,
            _ => {}
        }
    }
    let status = webhook.outcome.as_ref()?.status;
    let ended = status.map_or_else(|| "no answer".to_owned(), |status| status.to_string());
    let again = if *attempt > 1 { format!(", attempt {attempt}") } else { String::new() };
    let took = time::duration(Duration::from_micros(took));
    let text = format!(
        "{ended} in {took}{again}: {}, {}",
        count(model, "model request"),
        count(database, "database call")
    );
    let failed = status.is_none_or(|status| status >= 400);
    let tone = if failed { Tone::Trouble } else { Tone::Quiet };
    Some(ConversationLine { at: webhook.at, label: "turn".into(), text, tone })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rehearse_core::{
        clock::Clock,
        journal::{Journal, Outcome},
    };
    use serde_json::{Value, json};

    #[test]
    fn a_text_and_a_turn_are_a_line_each_and_are_told_once() {
        let journal = Journal::new(Clock::running());
        let text = ExchangeDetail::SmsReceived {
            sid: "SM1".into(),
            from: "+15550100001".into(),
            to: "+15550100000".into(),
            body: "Hi".into(),
            media: Vec::new(),
        };
        journal.note("sms.received", text);
        let webhook = ExchangeDetail::Webhook {
            sid: "SM1".into(),
            attempt: 1,
            method: "POST".into(),
            url: "http://127.0.0.1/sms".into(),
            params: Vec::new(),
        };
        let turn = journal.begin("webhook.sms", webhook);
        let request = json!({ "input": "Hi" });
        let model = ExchangeDetail::Model { request, script: None };
        let (mut seen, mut reader) = (Seen::default(), Reader::new(BTreeMap::new(), Detail::Story));
        let mut told = |journal: &Journal, seen: &mut Seen| -> Vec<String> {
            let lines = seen.lines(&journal.since(seen.from), &mut reader);
            lines.into_iter().map(|line| format!("{} {}", line.label, line.text)).collect()
        };
        assert_eq!(told(&journal, &mut seen), ["+15550100001 → Hi"]);
        journal.begin("openai.responses", model).end(Outcome::status(200, Value::Null));
        assert_eq!(told(&journal, &mut seen), [""; 0]);
        turn.end(Outcome::status(200, Value::Null));
        let lines = told(&journal, &mut seen);
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert!(lines[0].starts_with("turn 200 in "), "{lines:?}");
        assert!(lines[0].ends_with(": 1 model request, 0 database calls"), "{lines:?}");
        assert_eq!(told(&journal, &mut seen), [""; 0]);
    }
}
