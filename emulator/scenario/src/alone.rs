//! Parts of a scenario that stand alone, as a running world takes them: a script of the model, faults.
//!
//! They have the words, the checks and the errors of scenarios. Errors call the text by the name of its
//! [`Source`].

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    check::{self, Check},
    places::{Node, YamlPath},
    read::LoadErrors,
    step::{FaultEntry, FaultsStep, check_rounds},
};
use rehearse_core::yaml::Source;
use rehearse_openai::Round;

/// What a text may name.
#[derive(Debug, Clone, Default)]
pub struct Names {
    /// Names of people, whose numbers are templates as well.
    pub people: BTreeSet<String>,
    /// Names of templates besides those of people, `shop` and `env`.
    pub values: BTreeSet<String>,
    /// Logical ids of tables.
    pub tables: Vec<String>,
}

/// A script of the model for one text of a person: the keys of a `customer:` step that are about it.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ModelScript {
    /// The text that it answers: the last text of the user equals or contains it. Any text when left
    /// out, unless another script is for that.
    #[serde(default, alias = "customer")]
    pub text: Option<String>,
    /// Who sends it, by name or number; anybody when left out. It is needed only where two people send
    /// the same text.
    #[serde(default)]
    pub from: Option<String>,
    /// URLs of the pictures that come with it.
    #[serde(default)]
    pub media: Vec<String>,
    /// The rounds, in the words of a scenario's `model:`.
    pub model: Vec<Round>,
}

impl ModelScript {
    /// Reads and checks a script, in YAML or JSON.
    ///
    /// # Errors
    /// Everything that a scenario with these rounds would be refused for, with line and column.
    pub fn parse(source: &Source, names: &Names) -> Result<Self, LoadErrors> {
        let (script, tree) = read::<Self>(source)?;
        let mut check = Check::new(source, &tree);
        check_rounds(&script.model, &mut check, &YamlPath::new().to("model"));
        if script.text.as_deref().is_some_and(|text| text.trim().is_empty())
            && script.media.is_empty()
        {
            let key = if tree.get("customer").is_some() { "customer" } else { "text" };
            let message = "a text without pictures needs words; leave it out for any text";
            check.wrong(&YamlPath::new().to(key), message);
        }
        if let Some(from) = &script.from
            && !names.people.contains(from)
            && !check::is_number(from)
            && !from.contains("{{")
        {
            let message = check::unknown("person", from, names.people.iter());
            check.wrong(&YamlPath::new().to("from"), message);
        }
        check.templates(names.people.iter().chain(&names.values).cloned().collect());
        finish(check, script)
    }
}

/// Reads and checks faults, in YAML or JSON: an entry of a `faults:` step, or the step itself.
///
/// # Errors
/// Everything that a scenario with these faults would be refused for, with line and column.
pub fn parse_faults(source: &Source, names: &Names) -> Result<Vec<FaultEntry>, LoadErrors> {
    let tree: Node = source.parse().map_err(LoadErrors::from)?;
    let list = tree.get("faults").is_some();
    let (faults, tree) = if list {
        let (step, tree) = read::<FaultsStep>(source)?;
        (step.faults, tree)
    } else {
        let (entry, tree) = read::<FaultEntry>(source)?;
        (vec![entry], tree)
    };
    let mut check = Check::new(source, &tree);
    if faults.is_empty() {
        check.wrong(&YamlPath::new().to("faults"), "say which calls fail, and how");
    }
    for (index, fault) in faults.iter().enumerate() {
        let at = if list { YamlPath::new().to("faults").to(index) } else { YamlPath::new() };
        fault.check(&mut check, &at);
        if let Some(table) = fault.table.as_ref().filter(|table| !names.tables.contains(table)) {
            check.wrong(&at.to("table"), check::unknown("table", table, names.tables.iter()));
        }
    }
    check.templates(names.people.iter().chain(&names.values).cloned().collect());
    finish(check, faults)
}

fn read<T: serde::de::DeserializeOwned>(source: &Source) -> Result<(T, Node), LoadErrors> {
    let value = source.parse().map_err(LoadErrors::from)?;
    Ok((value, source.parse().map_err(LoadErrors::from)?))
}

fn finish<T>(check: Check<'_>, value: T) -> Result<T, LoadErrors> {
    if check.errors.is_empty() {
        return Ok(value);
    }
    Err(LoadErrors(check.errors.into_iter().map(Into::into).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> Names {
        Names {
            people: BTreeSet::from(["customer".into()]),
            values: BTreeSet::from(["ref".into()]),
            tables: vec!["Leads".into()],
        }
    }

    fn script(text: &str) -> Result<ModelScript, String> {
        ModelScript::parse(&Source::new("script", text), &names()).map_err(|e| e.to_string())
    }

    fn faults(text: &str) -> Result<Vec<FaultEntry>, String> {
        parse_faults(&Source::new("faults", text), &names()).map_err(|e| e.to_string())
    }

    #[test]
    fn a_script_has_the_words_of_a_scenario_in_yaml_and_in_json() {
        let yaml = "customer: Book me\nfrom: customer\nmodel:\n  - call: { book: { on: \"{{ day(1) }}\" } }\n    save: { id: 'results[0].id' }\n  - say: \"{{ id }} {{ ref }}\"\n";
        let read = script(yaml).unwrap();
        assert_eq!((read.text.as_deref(), read.model.len()), (Some("Book me"), 2));
        let json = r#"{"text": "Hi", "model": [{"fail": {"cut": "mid-stream"}, "say": "Hello"}]}"#;
        assert_eq!(script(json).unwrap().model.len(), 1);
        assert!(script("{ model: [{ say: Hello }] }").unwrap().text.is_none());
    }

    #[test]
    fn what_a_scenario_is_refused_for_is_refused_at_its_place() {
        for (text, says, at) in [
            ("{ text: a, model: [{ sya: b }] }", "unknown key `sya`", "script:1:22"),
            ("text: a\nmodel: []", "needs at least one round", "script:2:8"),
            ("text: a\nmodel: [{ say: b }, { say: c }]", "no request can reach", "script:2:21"),
            ("text: a\nmodel: [{ say: '{{ rfe }}' }]", "unknown name 'rfe'", "script:2:16"),
            ("text: a\nmodel: [{ say: '{{ ref' }]", "a malformed template", "script:2:16"),
            ("text: ' '\nmodel: [{ say: b }]", "needs words", "script:1:7"),
            ("from: custmer\nmodel: [{ say: b }]", "did you mean 'customer'?", "script:1:7"),
            ("text: a", "the key `model` is missing", "script"),
        ] {
            let error = script(text).unwrap_err();
            assert!(error.contains(says) && error.contains(at), "{text}\n{error}");
        }
    }

    #[test]
    fn faults_are_one_entry_or_a_list_of_them() {
        let one = "{ on: openai.responses, fail: { status: 429, retry_after: 1 }, chance: 0.2 }";
        assert_eq!(faults(one).unwrap().len(), 1);
        let two = "faults:\n  - { on: dynamodb.Query, table: Leads, fail: stale }\n  - { on: openai.chat, fail: { cut: mid-stream } }\n";
        assert_eq!(faults(two).unwrap().len(), 2);
        for (text, says, at) in [
            ("{ on: openai.respones, fail: 503 }", "did you mean", "faults:1:7"),
            ("{ on: openai.chat, fail: 200 }", "is not a status of a failure", "faults:1"),
            ("{ on: dynamodb.Query, table: Lead, fail: 500 }", "'Leads'?", "faults:1:30"),
            ("{ on: dynamodb.Query, fail: malformed }", "cannot happen to", "faults:1:29"),
            ("{ on: openai.chat, fail: 503, chance: 2 }", "above 0 and up to 1", "faults:1"),
            ("faults: []", "say which calls fail", "faults:1:9"),
        ] {
            let error = faults(text).unwrap_err();
            assert!(error.contains(says) && error.contains(at), "{text}\n{error}");
        }
    }
}
