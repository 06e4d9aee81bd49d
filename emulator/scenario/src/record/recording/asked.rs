//! Which text or request an exchange came of.

use serde_json::Value;

use super::Recording;
use crate::record::{
    happenings::{Happening, Text},
    messages,
};
use rehearse_core::journal::{Exchange, ExchangeDetail};

impl<'a> Recording<'a> {
    /// The requests to the model that a text caused: those of its turn, or by their words where the turn
    /// is not known.
    pub(super) fn asked(&self, happening: &Happening, text: &Text) -> Vec<&'a Exchange> {
        let models = self.exchanges.iter().filter(|exchange| exchange.seq > happening.seq);
        models
            .filter(|exchange| {
                let ExchangeDetail::Model { request, .. } = &exchange.detail else { return false };
                if exchange.turn.is_some_and(|turn| self.is_a_text(turn)) {
                    return exchange.turn == Some(happening.seq);
                }
                self.asker(exchange.seq, request).is_some_and(|asker| asker.sid == text.sid)
            })
            .collect()
    }

    /// The position of the text or request that an exchange came of, where that is known.
    pub(super) fn happening_of(&self, exchange: &Exchange) -> Option<u64> {
        let turn = exchange.turn?;
        self.groups.iter().flatten().any(|one| one.seq == turn).then_some(turn)
    }

    /// Whether a text stands at a position of the journal.
    fn is_a_text(&self, seq: u64) -> bool {
        self.groups.iter().flatten().any(|one| one.seq == seq && one.text().is_some())
    }

    /// The text that a request to the model is about: the latest one before it whose words it has, among
    /// those of the same person where the request says whose it is.
    fn asker(&self, seq: u64, request: &Value) -> Option<&Text> {
        let said = messages::last_text(request).unwrap_or_default();
        let before = || {
            let all = self.groups.iter().flatten().filter(move |happening| happening.seq < seq);
            all.filter_map(Happening::text)
        };
        let has_words = |text: &&Text| !text.body.is_empty() && said.contains(&text.body);
        let person = self.person_of(request);
        let own = |text: &&Text| person.is_none_or(|person| person == text.from);
        before()
            .filter(has_words)
            .rfind(own)
            .or_else(|| before().rfind(has_words))
            .or_else(|| before().rfind(own))
            .or_else(|| before().next_back())
    }

    /// Whose conversation a request is about: that of the person whose words alone fit another request
    /// with the same identifier.
    fn person_of(&self, request: &Value) -> Option<&str> {
        let identifier = request.get("safety_identifier")?;
        self.exchanges.iter().find_map(|exchange| {
            let ExchangeDetail::Model { request, .. } = &exchange.detail else { return None };
            if request.get("safety_identifier") != Some(identifier) {
                return None;
            }
            let said = messages::last_text(request)?;
            let texts = self.groups.iter().flatten().filter(|h| h.seq < exchange.seq);
            let mut people: Vec<&str> = texts
                .filter_map(Happening::text)
                .filter(|text| !text.body.is_empty() && said.contains(&text.body))
                .map(|text| text.from.as_str())
                .collect();
            people.sort_unstable();
            people.dedup();
            match people.as_slice() {
                [one] => Some(*one),
                _ => None,
            }
        })
    }

    /// Whether an exchange happened while a schedule's event was worked on, and answers no text.
    pub(super) fn is_of_a_schedule(&self, exchange: &Exchange) -> bool {
        if matches!(&exchange.detail, ExchangeDetail::SmsSent { in_reply_to: Some(_), .. }) {
            return false;
        }
        if let Some(turn) = exchange.turn {
            let root = self.exchanges.iter().find(|other| other.seq == turn);
            return root
                .is_some_and(|root| matches!(root.detail, ExchangeDetail::Invocation { .. }));
        }
        self.exchanges.iter().any(|other| {
            let until = other.started_us + other.took_us.unwrap_or(u64::MAX / 2);
            other.name.starts_with("schedule.")
                && (other.started_us..=until).contains(&exchange.started_us)
                && other.seq < exchange.seq
        })
    }
}
