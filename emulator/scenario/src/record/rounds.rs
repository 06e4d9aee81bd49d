//! What the model was asked and answered, as rounds.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{
    happenings::Text,
    messages::{self, Answer},
    stable::Stable,
};
use rehearse_core::journal::{Exchange, ExchangeDetail, Outcome};

/// Most keys of a result that a round names.
const MOST_KEYS: usize = 4;
/// Statuses with which the provider refuses what the backend asked, as it does in every run.
const NATURAL: [u16; 4] = [400, 404, 413, 422];

/// What was asked and answered at one position of a conversation.
#[derive(Default)]
struct Position<'e> {
    /// The first request, and its exchange's position.
    first: Option<(&'e Value, u64)>,
    /// How requests failed, and how many in a row.
    failures: Vec<(Value, u64)>,
    answer: Option<Answer>,
}

/// The rounds of the exchanges that belong to a text.
pub(super) fn rounds(text: &Text, exchanges: &[&Exchange], stable: &Stable<'_>) -> Vec<Value> {
    let mut positions: BTreeMap<usize, Position<'_>> = BTreeMap::new();
    for exchange in exchanges {
        let ExchangeDetail::Model { request, .. } = &exchange.detail else { continue };
        let Some(outcome) = &exchange.outcome else { continue };
        let position = positions.entry(messages::position(request)).or_default();
        // A request that is made once more gets the same answer.
        if position.answer.is_some() {
            continue;
        }
        match failure(outcome, exchange.injected.is_some()) {
            Outcomes::Refused => continue,
            Outcomes::Failed(fail) => match position.failures.last_mut() {
                Some((last, count)) if *last == fail => *count += 1,
                _ => position.failures.push((fail, 1)),
            },
            Outcomes::Answered(answer) => position.answer = Some(answer),
        }
        position.first.get_or_insert((request, exchange.seq));
    }
    let positions = positions.into_values().filter(|position| position.first.is_some());
    positions.flat_map(|position| position.rounds(text, stable)).collect()
}

/// How a request to the model ended.
enum Outcomes {
    Answered(Answer),
    Failed(Value),
    /// The request was wrong, as it would be again.
    Refused,
}

fn failure(outcome: &Outcome, is_injected: bool) -> Outcomes {
    let is_cut = outcome.error.as_deref() == Some("cut");
    match outcome.status {
        Some(status) if NATURAL.contains(&status) && !is_injected => Outcomes::Refused,
        Some(status) if status >= 400 => {
            let mut fail = json!({ "status": status });
            // The usual code of a status needs no mention.
            let code = outcome.response.pointer("/error/code").and_then(Value::as_str);
            if let Some(code) = code.filter(|code| *code == "insufficient_quota") {
                fail["code"] = code.into();
            }
            Outcomes::Failed(fail)
        }
        Some(_) if is_cut => Outcomes::Failed(json!({ "cut": "mid-stream" })),
        None if outcome.response.is_null() => Outcomes::Failed(json!({ "cut": "before" })),
        None => Outcomes::Failed(json!({ "cut": "after" })),
        Some(_) => match messages::answer(&outcome.response) {
            Some(Answer { failed: Some(code), .. }) => Outcomes::Failed(json!({ "failed": code })),
            Some(answer) => Outcomes::Answered(answer),
            None => Outcomes::Failed(json!({ "malformed": true })),
        },
    }
}

impl Position<'_> {
    fn rounds(self, text: &Text, stable: &Stable<'_>) -> Vec<Value> {
        let mut rounds = Vec::new();
        let count = self.failures.len();
        for (index, (mut fail, times)) in self.failures.into_iter().enumerate() {
            // The last failure of a request that was given up goes on.
            if self.answer.is_some() || index + 1 < count {
                fail["times"] = times.into();
            }
            rounds.push(json!({ "fail": fail }));
        }
        let last = match (&self.answer, self.first) {
            (Some(answer), Some((request, _))) => reply(answer, request, stable),
            _ => Map::new(),
        };
        let mut seen = Map::new();
        if let Some((request, seq)) = self.first {
            if let Some(sees) = sees(text, request, &stable.before(seq)) {
                seen.insert("sees".into(), sees);
            }
            let save: Map<String, Value> = stable
                .tokens
                .saved_at(seq)
                .map(|(name, path)| (name.to_owned(), path.into()))
                .collect();
            if !save.is_empty() {
                seen.insert("save".into(), save.into());
            }
        }
        // A failure and the answer behind it are one round, unless requests failed in several ways.
        let is_joined = rounds.len() == 1 && !last.is_empty() && !last.contains_key("fail");
        let joined = if is_joined { rounds.pop() } else { None };
        if !last.is_empty() {
            let mut round = seen;
            if let Some(fail) = joined.and_then(|round| round.get("fail").cloned()) {
                round.insert("fail".into(), fail);
            }
            round.extend(last);
            rounds.push(round.into());
        } else if let Some(Value::Object(first)) = rounds.first_mut() {
            let mut round = seen;
            round.remove("save");
            round.append(first);
            *first = round;
        }
        rounds
    }
}

/// What the answer depended on: the text, or the results of the tools.
fn sees(text: &Text, request: &Value, stable: &Stable<'_>) -> Option<Value> {
    let results = messages::results(request);
    if results.is_empty() {
        let has_text = messages::last_text(request).is_some_and(|said| said.contains(&text.body));
        return (has_text && !text.body.trim().is_empty())
            .then(|| json!({ "input": stable.words.text(&text.body) }));
    }
    let matchers: Vec<Value> =
        results.iter().map(|result| result_matcher(result, stable)).collect();
    Some(json!({ "results": matchers }))
}

/// What is short and the same in every run of a result.
fn result_matcher(result: &Value, stable: &Stable<'_>) -> Value {
    let anything = || json!({ "any": "value" });
    match result {
        Value::Object(map) => {
            let scalars = map.iter().filter(|(_, value)| !value.is_array() && !value.is_object());
            let short: Map<String, Value> = scalars
                .filter_map(|(key, value)| Some((key.clone(), stable.matcher(value)?)))
                .take(MOST_KEYS)
                .collect();
            stable.matcher(&json!({ "is": short })).map_or_else(anything, |_| short.into())
        }
        Value::Array(_) => anything(),
        scalar => stable.matcher(scalar).unwrap_or_else(anything),
    }
}

/// The answer in the words of a round.
fn reply(answer: &Answer, request: &Value, stable: &Stable<'_>) -> Map<String, Value> {
    let mut round = Map::new();
    let is_parallel = request["parallel_tool_calls"] != false;
    let arguments: Vec<(&String, Option<Map<String, Value>>)> = answer
        .calls
        .iter()
        .map(|(tool, arguments)| {
            let read = serde_json::from_str(arguments).ok();
            (tool, read.filter(|_| messages::offers(request, tool)))
        })
        .collect();
    if arguments.iter().all(|(_, arguments)| arguments.is_some()) {
        let calls: Vec<Value> = arguments
            .into_iter()
            .map(|(tool, arguments)| {
                let arguments = Value::Object(arguments.unwrap_or_default());
                json!({ tool: stable.words.value(&arguments, stable.at) })
            })
            .collect();
        if !calls.is_empty() {
            round.insert("call".into(), calls.into());
        }
    } else {
        let calls: Vec<Value> = answer
            .calls
            .iter()
            .map(|(tool, arguments)| json!({ "name": tool, "arguments": stable.words.text(arguments) }))
            .collect();
        round.insert("raw_call".into(), calls.into());
    }
    if answer.calls.len() > 1 && !is_parallel {
        round.insert("at_once".into(), true.into());
    }
    if let Some(said) =
        answer.said.as_ref().filter(|said| !said.is_empty() || answer.calls.is_empty())
    {
        round.insert("say".into(), stable.words.text(said).into());
    }
    if let Some(refusal) = &answer.refusal {
        round.insert("fail".into(), json!({ "refusal": stable.words.text(refusal) }));
    } else if let Some(reason) = &answer.incomplete {
        round.insert("fail".into(), json!({ "incomplete": reason }));
    } else if round.is_empty() {
        round.insert("fail".into(), "empty".into());
    }
    round
}
