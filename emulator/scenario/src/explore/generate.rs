//! A conversation from a seed.

use std::collections::BTreeSet;

use rand::{Rng, SeedableRng as _, seq::IndexedRandom};
use rand_chacha::ChaCha8Rng;
use serde_json::{Map, Value, json};

use super::{arguments::arguments, ingredients::Ingredients};
use crate::sweep::InjectionKind;

/// Most steps of a conversation, but for those of a burst.
const MAX_STEPS: u32 = 7;
/// Most requests to the model that one text may cause before it says something.
const MAX_CALLING_ROUNDS: u32 = 3;
/// The longest text that Twilio takes.
const MAX_TEXT_CHARS: usize = 1_600;
/// Real time that a call hangs: longer than any caller waits.
const HANG: &str = "600s";
/// How business time passes between texts.
const WAITS: [&str; 7] = ["20s", "2m", "9m", "1h", "7h", "1d", "4d"];
/// Words that the telephone companies and Twilio give a meaning.
const KEYWORDS: [&str; 7] = ["STOP", "START", "YES", "HELP", "stop.", "Cancel", "Unsubscribe"];

/// The document of a scenario without expectations, the same for the same seed and ingredients. Its name
/// says the seed.
pub fn generate(all: &Ingredients, seed: u64) -> Value {
    let mut conversation = Conversation {
        all,
        random: ChaCha8Rng::seed_from_u64(seed),
        references: Vec::new(),
        people: Map::new(),
        written: BTreeSet::new(),
        steps: Vec::new(),
    };
    let mut document = Map::new();
    document.insert("name".into(), json!(format!("Exploration {seed}")));
    if let Some(start) = all.starts.choose(&mut conversation.random) {
        document.extend(start.clone());
    }
    if all.has_own_time {
        document.remove("now");
        if let Some(given) = document.get_mut("given").and_then(Value::as_object_mut) {
            given.remove("env");
        }
    }
    let steps = conversation.random.random_range(1..=MAX_STEPS);
    for _ in 0..steps {
        conversation.step();
    }
    if conversation.steps.is_empty() {
        // Where no call is known to fail, a step of that kind is none.
        let text = conversation.text();
        conversation.steps.push(text);
    }
    let people = conversation.people;
    if !people.is_empty() {
        // The start may know the same people by other numbers.
        let known = document.entry("people").or_insert_with(|| json!({}));
        if let Some(known) = known.as_object_mut() {
            for (name, number) in people {
                known.entry(name).or_insert(number);
            }
        }
    }
    document.insert("steps".into(), conversation.steps.into());
    document.into()
}

struct Conversation<'i> {
    all: &'i Ingredients,
    random: ChaCha8Rng,
    /// Names that earlier rounds have saved.
    references: Vec<String>,
    /// Those who write and whom only some scenarios know, with their numbers.
    people: Map<String, Value>,
    /// Every text so far.
    written: BTreeSet<String>,
    steps: Vec<Value>,
}

impl Conversation<'_> {
    fn step(&mut self) {
        match self.random.random_range(0..100) {
            0..=11 => self.failure(),
            12..=21 if !self.all.has_own_time => {
                let wait = WAITS.choose(&mut self.random);
                self.steps.push(json!({ "wait": wait }));
            }
            22..=31 => {
                let texts: Vec<Value> =
                    (0..self.random.random_range(2..=3)).map(|_| self.text()).collect();
                self.steps.push(json!({ "together": texts }));
            }
            32..=39 if !self.all.requests.is_empty() => {
                self.steps.extend(self.all.requests.choose(&mut self.random).cloned());
            }
            _ => {
                let text = self.text();
                self.steps.push(text);
            }
        }
    }

    /// One call fails that comes then or later.
    fn failure(&mut self) {
        let failures: Vec<_> = self.all.failures.iter().collect();
        let Some((on, kind)) = failures.choose(&mut self.random) else { return };
        let fail = match kind {
            InjectionKind::CutBefore => json!("cut-before"),
            InjectionKind::CutAfter => json!("cut-after"),
            InjectionKind::Throttled if !on.starts_with("dynamodb.") => json!(429),
            InjectionKind::Throttled => json!("throttled"),
            InjectionKind::Conflict => json!("conflict"),
            InjectionKind::ExpiredToken => json!("expired-token"),
            InjectionKind::Stale => json!("stale"),
            // Nobody knows how long a backend waits that somebody else started.
            InjectionKind::Timeout if !self.all.has_own_time => json!({ "delay": HANG }),
            InjectionKind::Slow | InjectionKind::Timeout => {
                json!({ "delay": format!("{}ms", self.all.slow_ms) })
            }
            InjectionKind::Error
            | InjectionKind::CrashBefore
            | InjectionKind::CrashAfter
            | InjectionKind::Duplicate => json!(500),
        };
        let times = self.random.random_range(1..=2);
        self.steps.push(json!({ "faults": [{ "on": on, "fail": fail, "times": times }] }));
    }

    fn text(&mut self) -> Value {
        let mut step = Map::new();
        let mut words = self.words();
        // Two texts that are the same may rightly lead to two that are the same.
        while !self.written.insert(words.clone()) && !KEYWORDS.contains(&words.as_str()) {
            words.insert(0, '!');
        }
        step.insert("customer".into(), json!(words));
        if let Some(sender) = self.all.senders.choose(&mut self.random)
            && self.random.random_ratio(1, 3)
        {
            step.insert("from".into(), json!(sender));
            if let Some(number) = self.all.people.get(sender) {
                self.people.insert(sender.clone(), number.clone());
            }
        }
        if self.random.random_ratio(1, 12) {
            step.insert("media".into(), json!(["https://example.com/picture.jpg"]));
        }
        if self.random.random_ratio(1, 8) {
            let gaps: &[&str] = if self.all.has_own_time { &["0s"] } else { &["0s", "20s", "11m"] };
            let gap = gaps.choose(&mut self.random);
            step.insert("duplicate".into(), json!({ "times": 2, "gap": gap }));
        }
        if self.all.has_tools() || !self.all.sayings.is_empty() {
            step.insert("model".into(), self.model());
        }
        step.into()
    }

    fn words(&mut self) -> String {
        let known = self.all.texts.choose(&mut self.random).cloned();
        let words = match known {
            // A part of a template cannot be filled in.
            Some(words) if words.contains("{{") => return words,
            Some(words) if !words.is_empty() => words,
            _ => "Hello?".into(),
        };
        let changed = match self.random.random_range(0..20) {
            0 => words.to_uppercase(),
            1 => words.repeat(self.random.random_range(2..6)),
            2 => words.chars().take(words.chars().count().div_ceil(2)).collect(),
            3 | 4 => KEYWORDS.choose(&mut self.random).copied().unwrap_or_default().into(),
            5 => format!("{words} {}", self.saying()),
            _ => return words,
        };
        changed.chars().take(MAX_TEXT_CHARS).collect()
    }

    fn saying(&mut self) -> String {
        let known = self.all.sayings.choose(&mut self.random).cloned();
        known.filter(|words| !words.is_empty()).unwrap_or_else(|| "Done!".into())
    }

    /// The model's side: calls of tools, then words, which need not fit what was done.
    fn model(&mut self) -> Value {
        let tools: Vec<&String> = self.all.tools.keys().collect();
        let mut rounds: Vec<Value> = Vec::new();
        // The tool whose result comes first with the next request.
        let mut before: Option<String> = None;
        let most = if tools.is_empty() { 0 } else { MAX_CALLING_ROUNDS };
        for _ in 0..self.random.random_range(0..=most) {
            let mut calls = Vec::new();
            for _ in 0..self.random.random_range(1..=2) {
                let Some(tool) = tools.choose(&mut self.random) else { break };
                let schema = &self.all.tools[*tool];
                let arguments =
                    arguments(&mut self.random, self.all, tool, schema, &self.references);
                calls.push(json!({ *tool: arguments }));
            }
            let first =
                calls.first().and_then(Value::as_object).and_then(|call| call.keys().next());
            let first = first.cloned();
            let mut round = json!({ "call": calls });
            self.save(&mut round, before.as_deref());
            rounds.push(round);
            before = first;
        }
        let mut last = match self.random.random_range(0..16) {
            0 => json!({ "fail": { "refusal": "I can't help with that." } }),
            1 => json!({ "fail": 500 }),
            _ => json!({ "say": self.saying() }),
        };
        if last.get("say").is_some() {
            self.save(&mut last, before.as_deref());
        }
        rounds.push(last);
        rounds.into()
    }

    /// Sometimes keeps a reference of the result before this round, which is that of `tool`.
    fn save(&mut self, round: &mut Value, tool: Option<&str>) {
        let names = tool.map(|tool| self.all.references(tool)).unwrap_or_default();
        let Some(name) = names.choose(&mut self.random) else { return };
        if self.random.random_ratio(1, 4) {
            return;
        }
        round["save"] = json!({ *name: format!("results[0].{name}") });
        if !self.references.iter().any(|known| known == name) {
            self.references.push((*name).to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Scenario, explore::text};

    fn ingredients() -> Ingredients {
        let scenario = Scenario::parse(
            "name: One\nnow: 2026-02-10T15:10:00-05:00\npeople: { ann: \"+19042520932\" }\nsteps:\n  \
             - { customer: Book me, from: ann, model: [{ call: [{ book: { time: 2 PM } }] }, { say: Done! }] }\n  \
             - { request: GET /state, response: { status: 200 } }\n  \
             - { customer: \"Where is {{ ref }}?\" }\n",
        )
        .unwrap();
        let mut all = Ingredients::of(&[scenario], ["customer"]);
        all.tools.insert(
            "book".into(),
            json!({
                "properties": {
                    "time": { "type": "string" },
                    "count": { "type": "integer" },
                    "ref": { "type": "string" },
                },
                "required": ["time", "count", "ref"],
            }),
        );
        all.results.insert("book".into(), ["ref".to_owned()].into());
        all.failures.insert(("openai.responses".into(), InjectionKind::CutAfter));
        all.failures.insert(("openai.responses".into(), InjectionKind::Timeout));
        all
    }

    #[test]
    fn each_seed_is_a_scenario_and_the_same_again() {
        let all = ingredients();
        let documents: Vec<Value> = (0..200).map(|seed| generate(&all, seed)).collect();
        for (seed, document) in (0..).zip(&documents) {
            assert_eq!(*document, generate(&all, seed));
            let written = text(document, "");
            if let Err(error) = Scenario::parse(&written) {
                panic!("seed {seed}: {error}\n{written}");
            }
        }
        let whole = json!(documents).to_string();
        for part in [
            "Book me",
            "2 PM",
            "Done!",
            "GET /state",
            "\"wait\"",
            "\"together\"",
            "cut-after",
            "duplicate",
            "{{ ref | default('none') }}",
            "+19042520932",
            "STOP",
        ] {
            assert!(whole.contains(part), "{part}");
        }
        assert!(!whole.contains("\"response\""), "nothing is expected");
        assert!(!whole.contains("Where is"), "nobody has saved what it needs");
    }

    #[test]
    fn the_order_in_which_journals_are_learned_makes_no_difference() {
        let names = ["openai.responses", "twilio.messages.create", "dynamodb.PutItem"];
        let in_order = |order: [usize; 3]| {
            let mut all = ingredients();
            for at in order {
                all.failures.insert((names[at].to_owned(), InjectionKind::Error));
            }
            (0..50).map(|seed| generate(&all, seed)).collect::<Vec<_>>()
        };
        assert_eq!(in_order([0, 1, 2]), in_order([2, 0, 1]));
    }

    #[test]
    fn a_backend_with_a_time_of_its_own_is_not_asked_to_wait() {
        let all = Ingredients { has_own_time: true, ..ingredients() };
        let whole =
            json!((0..200).map(|seed| generate(&all, seed)).collect::<Vec<_>>()).to_string();
        for part in ["\"wait\"", "\"now\"", "11m", HANG] {
            assert!(!whole.contains(part), "{part}");
        }
    }
}
