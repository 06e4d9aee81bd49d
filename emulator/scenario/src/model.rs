//! A scenario as it is run: a file, or one entry of a file's `each`.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use serde_json::{Map, Value};
use serde_saphyr::Location;

use super::{
    document::{Document, Given},
    expectation::Expect,
    outcome::SourceLocation,
    places::{Node, YamlPath},
    step::Step,
};
use rehearse_aws::template::Settings;
use rehearse_core::yaml::{Source, YamlError};

/// One scenario: parsed, and immutable. Clones are cheap.
#[derive(Debug, Clone)]
pub struct Scenario {
    file: Arc<File>,
    each: Option<Each>,
}

/// The file of a scenario.
#[derive(Debug)]
pub(super) struct File {
    pub(super) path: PathBuf,
    pub(super) source: Source,
    pub(super) document: Document,
    pub(super) tree: Node,
}

/// An entry of `each`.
#[derive(Debug, Clone)]
struct Each {
    index: usize,
    label: String,
}

impl Scenario {
    /// The name: what it proves.
    pub fn name(&self) -> &str {
        &self.file.document.name
    }

    /// The entry of `each` that it runs with, in short: `time: 2:00 PM`.
    pub fn each(&self) -> Option<&str> {
        self.each.as_ref().map(|each| each.label.as_str())
    }

    /// The name, and the entry of `each`: what `--name` looks at.
    pub fn full_name(&self) -> String {
        match self.each() {
            Some(each) => format!("{} ({each})", self.name()),
            None => self.name().into(),
        }
    }

    /// Its file.
    pub fn path(&self) -> &Path {
        &self.file.path
    }

    /// The line of its name, from 1.
    pub fn line(&self) -> u64 {
        self.file.name_location().line
    }

    /// Words to choose scenarios by.
    pub fn tags(&self) -> &[String] {
        &self.file.document.tags
    }

    /// Its steps, in order.
    pub fn steps(&self) -> &[Step] {
        &self.file.document.steps
    }

    /// In how many orders its groups run, if one of them has `schedules`.
    pub fn orders(&self) -> Option<u64> {
        let groups = self.steps().iter().filter_map(|step| match step {
            Step::Together(group) => group.schedules,
            _ => None,
        });
        groups.map(u64::from).max()
    }

    /// Whether it probably waits for real time to pass: it sets a deadline or a timeout, or delays a
    /// call. Runners start such scenarios first.
    pub fn waits(&self) -> bool {
        let given = self.given();
        let limits = |name: &String| name.contains("DEADLINE") || name.contains("TIMEOUT");
        let timeouts =
            |overrides: &String| ["ct=", "rt=", "tt="].iter().any(|t| overrides.contains(t));
        given.env.keys().any(limits)
            || given.twilio.overrides.as_ref().is_some_and(timeouts)
            || self.steps().iter().any(Step::delays)
    }

    /// What exists at the start.
    pub fn given(&self) -> &Given {
        &self.file.document.given
    }

    /// The fixtures that it starts with: its own, or those of the settings when it does not name any.
    /// `fixtures: []` is none.
    pub(crate) fn fixtures<'s>(&'s self, settings: &'s Settings) -> &'s [String] {
        let at = YamlPath::new().to("given").to("fixtures");
        if self.file.tree.contains(&at) {
            &self.given().fixtures
        } else {
            &settings.defaults.fixtures
        }
    }

    /// What is checked after every step.
    pub fn always(&self) -> Option<&Expect> {
        self.file.document.always.as_ref()
    }

    /// The names that its entry of `each` gives to templates.
    pub fn values(&self) -> impl Iterator<Item = (&str, &Value)> {
        let all = self.file.document.each.as_deref().unwrap_or_default();
        let entry = self.each.as_ref().and_then(|each| all.get(each.index));
        entry.into_iter().flat_map(|entry| entry.iter().map(|(k, v)| (k.as_str(), v)))
    }

    pub(super) fn file(&self) -> &File {
        &self.file
    }

    /// The scenarios of a file.
    pub(super) fn all(file: File) -> Vec<Self> {
        let file = Arc::new(file);
        let Some(entries) = &file.document.each else { return vec![Self { file, each: None }] };
        entries
            .iter()
            .enumerate()
            .map(|(index, entry)| {
                let each = Some(Each { index, label: label(entry) });
                Self { file: file.clone(), each }
            })
            .collect()
    }
}

impl File {
    /// Reads a file. Whether it makes sense is checked elsewhere.
    pub(super) fn read(path: &Path) -> Result<Self, YamlError> {
        Self::parse(path, Source::read(path)?)
    }

    /// Reads a file's text.
    pub(super) fn parse(path: &Path, source: Source) -> Result<Self, YamlError> {
        let document = source.parse_requiring(&["name", "steps"])?;
        let tree = source.parse()?;
        Ok(Self { path: path.into(), source, document, tree })
    }

    /// The location of a value of the document.
    pub(super) fn location(&self, path: &YamlPath) -> SourceLocation {
        self.at(self.tree.locate(path))
    }

    /// The location of the scenario's name.
    pub(super) fn name_location(&self) -> SourceLocation {
        self.location(&YamlPath::new().to("name"))
    }

    pub(super) fn at(&self, at: Location) -> SourceLocation {
        SourceLocation { file: self.source.name.clone(), line: at.line(), column: at.column() }
    }
}

/// An entry in short: `time: 2:00 PM, name: null`.
fn label(entry: &Map<String, Value>) -> String {
    let parts: Vec<String> = entry
        .iter()
        .map(|(key, value)| match value {
            // A name is one line, even if the value is several.
            Value::String(text) => {
                let words: Vec<&str> = text.split_whitespace().collect();
                format!("{key}: {}", words.join(" "))
            }
            other => format!("{key}: {other}"),
        })
        .collect();
    parts.join(", ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_label_stands_on_one_line() {
        let entry = json!({ "said": "Yours:\nlead-1234\n", "times": 2 });
        assert_eq!(label(entry.as_object().unwrap()), "said: Yours: lead-1234, times: 2");
    }
}
