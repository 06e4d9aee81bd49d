//! References that differ from run to run, and where they first appear.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    sync::LazyLock,
};

use regex::Regex;
use serde_json::Value;

use super::{
    happenings::{HttpRequest, Text},
    known_rows::Tables,
    messages,
};

/// Words of letters, digits and hyphens.
#[expect(clippy::expect_used, reason = "a constant pattern, which a test compiles")]
static WORD: LazyLock<Regex> =
    LazyLock::new(|| Regex::new("[A-Za-z0-9]+(?:[-_][A-Za-z0-9]+)*").expect("a pattern"));
/// Shortest reference.
const SHORTEST: usize = 12;
/// Digits of a code.
const CODE: usize = 6;

/// Where a reference can be saved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Origin {
    /// The position of the exchange: a request to the model, or one to the backend.
    pub(super) seq: u64,
    /// The path of the value, as `save` takes it.
    pub(super) path: String,
    /// The name under which it is saved.
    pub(super) name: String,
}

/// The references of a recording.
#[derive(Debug, Default)]
pub(super) struct Tokens {
    /// Those that came from outside, or stood in a row before.
    stable: HashSet<String>,
    /// Those that the backend made, in the order in which they appeared.
    made: Vec<(String, Origin)>,
    found: HashMap<String, usize>,
    /// Names that are taken.
    names: BTreeSet<String>,
}

impl Tokens {
    /// No references yet; these names are taken.
    pub(super) fn new(names: impl IntoIterator<Item = String>) -> Self {
        let reserved =
            ["shop", "env", "day", "range", "dict", "debug", "namespace", "loop", "self"];
        let names = names.into_iter().chain(reserved.map(str::to_owned)).collect();
        Self { names, ..Self::default() }
    }

    /// Whatever stands in the rows before is there in every run.
    pub(super) fn rows_before(&mut self, rows: &Tables) {
        for row in rows.values().flatten() {
            self.given(&row.to_string());
        }
    }

    pub(super) fn text(&mut self, text: &Text) {
        self.given(&text.body);
        text.media.iter().for_each(|url| self.given(url));
        // The sid is another one in each run.
    }

    /// A request from outside, then its response.
    pub(super) fn request(&mut self, seq: u64, request: &HttpRequest) {
        self.given(&request.path);
        self.given(&request.body);
        if !request.response.is_string() {
            self.made(seq, "json", &request.response);
        }
    }

    /// A request to the model with results of tools, then its answer.
    pub(super) fn model(&mut self, seq: u64, request: &Value, response: &Value) {
        for (index, result) in messages::results(request).iter().enumerate() {
            self.made(seq, &format!("results[{index}]"), result);
        }
        if let Some(answer) = messages::answer(response) {
            answer.calls.iter().for_each(|(_, arguments)| self.given(arguments));
            answer.said.iter().for_each(|said| self.given(said));
        }
    }

    /// Keeps only references that `used` has; the others need no name.
    pub(super) fn keep_used(&mut self, used: &str) {
        let words: HashSet<&str> = words(used).collect();
        let kept: Vec<_> = std::mem::take(&mut self.made);
        let mut names: BTreeMap<String, usize> = BTreeMap::new();
        for (token, mut origin) in kept {
            if !words.contains(token.as_str()) {
                continue;
            }
            let base = std::mem::take(&mut origin.name);
            let mut name = base.clone();
            while self.names.contains(&name) {
                let count = names.entry(base.clone()).or_insert(1);
                *count += 1;
                name = format!("{base}{count}");
            }
            self.names.insert(name.clone());
            origin.name = name;
            self.made.push((token, origin));
        }
    }

    /// The references that are saved, with where.
    pub(super) fn saved(&self) -> impl Iterator<Item = (&str, &Origin)> {
        self.made.iter().map(|(token, origin)| (token.as_str(), origin))
    }

    /// What is saved of an exchange: names and paths.
    pub(super) fn saved_at(&self, seq: u64) -> impl Iterator<Item = (&str, &str)> {
        let here = self.made.iter().filter(move |(_, origin)| origin.seq == seq);
        here.map(|(_, origin)| (origin.name.as_str(), origin.path.as_str()))
    }

    /// Where a text has words that differ from run to run and have no name.
    pub(super) fn unknown(&self, text: &str) -> Vec<std::ops::Range<usize>> {
        self.unknown_before(text, u64::MAX)
    }

    /// The same before the exchange at a position has been saved from.
    pub(super) fn unknown_before(&self, text: &str, seq: u64) -> Vec<std::ops::Range<usize>> {
        let is_saved = |token: &str| {
            self.made.iter().any(|(saved, origin)| saved == token && origin.seq < seq)
        };
        let is_known = |token: &str| self.stable.contains(token) || is_saved(token);
        WORD.find_iter(text)
            .filter(|word| is_reference(word.as_str()) && !is_known(word.as_str()))
            .map(|word| word.range())
            .collect()
    }

    fn given(&mut self, text: &str) {
        for token in words(text).filter(|word| is_reference(word)) {
            if !self.found.contains_key(token) {
                self.stable.insert(token.into());
            }
        }
    }

    /// A value that the backend made. A reference can be saved where it stands alone.
    fn made(&mut self, seq: u64, path: &str, value: &Value) {
        match value {
            Value::String(text) => {
                let is_new =
                    |token: &str| !self.stable.contains(token) && !self.found.contains_key(token);
                if !is_reference(text) || words(text).next() != Some(text.as_str()) || !is_new(text)
                {
                    return;
                }
                let key = path.rsplit('.').next().unwrap_or_default();
                let key = key.split('[').next().unwrap_or_default();
                let is_name = key.starts_with(|c: char| c.is_ascii_alphabetic())
                    && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
                let name =
                    if is_name && key != "results" && key != "json" { key } else { "reference" };
                let origin = Origin { seq, path: path.into(), name: name.into() };
                self.found.insert(text.clone(), self.made.len());
                self.made.push((text.clone(), origin));
            }
            Value::Array(list) => {
                for (index, value) in list.iter().enumerate() {
                    self.made(seq, &format!("{path}[{index}]"), value);
                }
            }
            Value::Object(map) => {
                for (key, value) in map.iter().filter(|(key, _)| !key.contains(['.', '[', ']'])) {
                    self.made(seq, &format!("{path}.{key}"), value);
                }
            }
            _ => {}
        }
    }
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    WORD.find_iter(text).map(|word| word.as_str())
}

/// Whether a word looks like a reference: long, of letters and digits, and no moment. A code has six digits.
fn is_reference(word: &str) -> bool {
    let has = |is: fn(&char) -> bool| word.chars().any(|c| is(&c));
    let has_digits = |part: &&str| part.chars().any(|c| c.is_ascii_digit());
    let longest = word.split(['-', '_']).filter(has_digits).map(str::len).max();
    let is_code = word.len() == CODE && word.chars().all(|c| c.is_ascii_digit());
    let is_mixed = has(char::is_ascii_alphabetic) && has(char::is_ascii_digit);
    is_code
        || word.len() >= SHORTEST
            && is_mixed
            && longest.is_some_and(|length| length >= 4)
            && !is_moment(word)
}

/// Whether a word is the beginning of a moment: `2026-02-11T14`.
fn is_moment(word: &str) -> bool {
    word.split_once('T').is_some_and(|(date, _)| date.parse::<jiff::civil::Date>().is_ok())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_reference_is_saved_where_it_first_stands_alone() {
        let mut tokens = Tokens::new(["customer".to_owned()]);
        let http = HttpRequest {
            method: "POST".into(),
            path: "/".into(),
            body: "{\"key\":\"given-20260210-abc\"}".into(),
            headers: Vec::new(),
            status: Some(201),
            response: json!({ "lead_id": "LEAD-20260210-1", "echo": "given-20260210-abc", "at": "2026-02-11T14:00" }),
        };
        tokens.request(7, &http);
        let again =
            HttpRequest { response: json!({ "list": [{ "lead_id": "LEAD-20260210-2" }] }), ..http };
        tokens.request(9, &again);
        tokens.keep_used("LEAD-20260210-1 LEAD-20260210-2 given-20260210-abc");
        let saved: Vec<_> = tokens
            .saved()
            .map(|(token, origin)| (token, origin.seq, origin.name.as_str(), origin.path.as_str()))
            .collect();
        assert_eq!(
            saved,
            [
                ("LEAD-20260210-1", 7, "lead_id", "json.lead_id"),
                ("LEAD-20260210-2", 9, "lead_id2", "json.list[0].lead_id"),
            ]
        );
        assert_eq!(tokens.unknown("code 123456, LEAD-20260210-1, LEAD-20260210-3").len(), 2);
        // What an exchange is expected to have is compared before anything is saved from it.
        assert_eq!(tokens.unknown_before("LEAD-20260210-1, LEAD-20260210-2", 9).len(), 1);
    }
}
