//! Telling of requests that nobody expected, and what comes nearest.

use std::fmt::Write;

use serde_json::Value;

use super::ScriptRegistry;
use crate::{
    conversation::Conversation,
    expectation, position,
    script::{RequestExpectation, Round, Script},
    unmet::{NearestRound, RequestSummary, UnmetExpectation},
};
use rehearse_core::matcher::{Matcher, Mismatch};

impl ScriptRegistry {
    /// No armed script is for this request.
    pub(super) fn no_script(&self, conversation: &Conversation<'_>) -> UnmetExpectation {
        let title = match self.slots.len() {
            0 => "the model was asked while no step was waiting for it".into(),
            n => format!("the model was asked something that none of the {n} armed scripts is for"),
        };
        let results = conversation.results(0);
        let nearest = self.slots.iter().filter_map(|slot| {
            let mut near = nearest_in(&slot.script, conversation, &results)?;
            near.mismatches.insert(
                0,
                Mismatch {
                    path: "text".into(),
                    expected: format!("{:?}", slot.script.text),
                    actual: format!("{:?}", conversation.text()),
                },
            );
            Some(near)
        });
        UnmetExpectation {
            title,
            nearest: nearest.min_by_key(|near| near.mismatches.len()),
            asked: Some(asked(conversation)),
            ..UnmetExpectation::default()
        }
    }

    /// Several scripts fit alike.
    pub(super) fn ambiguous(
        &self,
        fitting: &[usize],
        conversation: &Conversation<'_>,
    ) -> UnmetExpectation {
        let names: Vec<String> = fitting
            .iter()
            .map(|at| &self.slots[*at].script)
            .map(|script| format!("{} ({}: {:?})", script.name, script.person, script.text))
            .collect();
        UnmetExpectation {
            title: format!("{} fit this request equally", names.join(" and ")),
            asked: Some(asked(conversation)),
            notes: vec![
                "give the texts different words, or let the backend send a safety_identifier for each person".into(),
            ],
            ..UnmetExpectation::default()
        }
    }
}

/// The script has no round for this point of the conversation.
pub(super) fn no_round(script: &Script, conversation: &Conversation<'_>) -> UnmetExpectation {
    let results = conversation.results(0);
    UnmetExpectation {
        script: Some(script.name.clone()),
        title: format!(
            "no round is left: the model was asked again after {} of the {} rounds' calls were answered",
            conversation.position(),
            script.rounds.len()
        ),
        nearest: nearest_in(script, conversation, &results),
        asked: Some(asked(conversation)),
        ..UnmetExpectation::default()
    }
}

/// The round of a script that a request comes closest to.
pub(super) fn nearest_in(
    script: &Script,
    conversation: &Conversation<'_>,
    results: &[Value],
) -> Option<NearestRound> {
    position::all(script)
        .filter_map(|(place, round)| {
            let found = expectation::mismatches(round, conversation, results, &script.vars).ok()?;
            Some(NearestRound {
                script: script.name.clone(),
                round: place.round(),
                text: describe(round),
                mismatches: found,
            })
        })
        .min_by_key(|near| near.mismatches.len())
}

/// A request in short.
pub(super) fn asked(conversation: &Conversation<'_>) -> RequestSummary {
    RequestSummary {
        operation: conversation.operation,
        text: conversation.text().into(),
        calls: conversation.calls.iter().map(|c| format!("{}({})", c.name, c.arguments)).collect(),
        results: conversation.results(0),
        tools: conversation.tools.iter().map(|t| t.name.to_owned()).collect(),
    }
}

/// A round in one line, as it could stand in the file.
pub(super) fn describe(round: &Round) -> String {
    let mut keys = Vec::new();
    if let Some(sees) = &round.sees {
        keys.push(format!("sees: {}", seen(sees)));
    }
    if !round.call.is_empty() {
        let calls: Vec<String> = round
            .call
            .iter()
            .map(|c| format!("{{ {}: {} }}", c.name, Value::Object(c.arguments.clone())))
            .collect();
        keys.push(format!("call: [{}]", calls.join(", ")));
    }
    for call in &round.raw_call {
        keys.push(format!("raw_call: {{ name: {}, arguments: {:?} }}", call.name, call.arguments));
    }
    if let Some(say) = &round.say {
        keys.push(format!("say: {say:?}"));
    }
    if let Some(fail) = &round.fail {
        let what = match (fail.status, fail.cut) {
            (Some(status), _) => status.to_string(),
            (_, Some(_)) => "cut".into(),
            _ if fail.malformed => "malformed".into(),
            _ if fail.refusal.is_some() => "refusal".into(),
            _ if fail.empty => "empty".into(),
            _ => fail.incomplete.map_or("delay", |why| why.reason()).into(),
        };
        keys.push(format!("fail: {what}"));
    }
    if !round.either.is_empty() {
        keys.push(format!("either: {} rounds", round.either.len()));
    }
    format!("{{ {} }}", keys.join(", "))
}

fn seen(sees: &RequestExpectation) -> String {
    let list =
        |list: &[Matcher]| list.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let mut text = String::new();
    let mut key = |name: &str, value: String| {
        let comma = if text.is_empty() { "" } else { ", " };
        // Writing to a String cannot fail.
        let _ = write!(text, "{comma}{name}: {value}");
    };
    if !sees.instructions.is_empty() {
        key("instructions", format!("[{}]", list(&sees.instructions)));
    }
    if !sees.tools.is_empty() {
        key("tools", format!("[{}]", sees.tools.join(", ")));
    }
    if let Some(input) = &sees.input {
        key("input", input.to_string());
    }
    if let Some(history) = &sees.history {
        key("history", format!("[{}]", list(history)));
    }
    if !sees.results.is_empty() {
        key("results", format!("[{}]", list(&sees.results)));
    }
    if let Some(model) = &sees.model {
        key("model", model.to_string());
    }
    format!("{{ {text} }}")
}
