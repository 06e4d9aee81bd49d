//! What must hold whatever fails: sentences about the journal and the rows, which a project writes in a
//! file of its own.
//!
//! A scenario says what comes of a conversation when all goes well, or when a failure that it names
//! happens. An invariant holds after every failure, so that runs can be judged for which nobody wrote an
//! expectation. It needs nothing of the backend but its journal and its tables.
//!
//! ```
//! use rehearse_core::yaml::Source;
//! use rehearse_scenario::invariants::Invariants;
//!
//! # fn main() -> Result<(), rehearse_core::yaml::YamlError> {
//! let invariants = Invariants::parse(Source::new("always.yaml", r#"
//! always:
//!   - sentence: Every text gets an answer
//!     each: { texts: in }
//!     there_is: { texts: out, after: true, where: { to: "{{ it.from }}" } }
//! "#))?;
//! assert_eq!(invariants.sentences().collect::<Vec<_>>(), ["Every text gets an answer"]);
//! # Ok(())
//! # }
//! ```

mod history;
mod judge;
mod selection;

use std::{collections::BTreeMap, fmt, path::Path, time::Duration};

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer},
};

pub(crate) use self::history::{History, has_written};
use self::selection::Selection;
use crate::{
    places::{Node, YamlPath},
    time::{Delay, Wait},
};
use rehearse_core::yaml::{Source, YamlError};

/// The invariants of a project, and how its scenarios run while they are judged by them.
#[derive(Debug, Clone)]
pub struct Invariants {
    file: Document,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    /// What must hold.
    always: Vec<Invariant>,
    /// Business time after the last step until rows and texts are judged: what is retried comes by then.
    #[serde(default = "fifteen_minutes")]
    settle: Wait,
    /// Variables of the functions, where a scenario gives none of its own: short deadlines and leases make
    /// slow calls cheap.
    #[serde(default)]
    environment: BTreeMap<String, String>,
    /// How long a slow call takes in real time: longer than the deadline of the backend.
    #[serde(default = "two_seconds")]
    slow: Delay,
}

/// One sentence. Exactly one of `there_is`, `there_is_no` and `at_most_one` stands in it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Invariant {
    /// What must hold, as reports say it.
    sentence: String,
    /// What it is about: it must hold for each of these. Its fields are `it` in templates.
    each: Selection,
    /// It need not hold for those for which one of these exists.
    #[serde(default)]
    unless: Selections,
    /// One of these must exist.
    #[serde(default)]
    there_is: Selections,
    /// None of these may exist.
    #[serde(default)]
    there_is_no: Selections,
    /// At most one of these may exist.
    #[serde(default)]
    at_most_one: Selections,
}

/// One selection or several.
#[derive(Debug, Clone, Default)]
struct Selections(Vec<Selection>);

impl<'de> Deserialize<'de> for Selections {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneOrMany;

        impl<'de> Visitor<'de> for OneOrMany {
            type Value = Selections;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a selection such as { texts: out }, or a list of them")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Selections, A::Error> {
                let one = Selection::deserialize(MapAccessDeserializer::new(map))?;
                Ok(Selections(vec![one]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Selections, A::Error> {
                let mut all = Vec::new();
                while let Some(selection) = list.next_element()? {
                    all.push(selection);
                }
                Ok(Selections(all))
            }
        }

        deserializer.deserialize_any(OneOrMany)
    }
}

/// A sentence that did not hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Violation {
    /// The sentence.
    pub sentence: String,
    /// For what it did not hold, and why.
    pub about: String,
}

impl Invariants {
    /// Reads a file.
    ///
    /// # Errors
    /// The file cannot be read, is malformed, or makes no sense; the message has a caret.
    pub fn load(path: &Path) -> Result<Self, YamlError> {
        Self::parse(Source::read(path)?)
    }

    /// Reads a text.
    ///
    /// # Errors
    /// As [`Invariants::load`].
    pub fn parse(source: Source) -> Result<Self, YamlError> {
        let tree: Node = source.parse()?;
        let file: Document = source.parse()?;
        let always = YamlPath::new().to("always");
        let wrong = |at: &YamlPath, message: String| source.error(tree.locate(at), message);
        if file.always.is_empty() {
            return Err(wrong(&always, "say what must hold".into()));
        }
        for (index, invariant) in file.always.iter().enumerate() {
            let at = always.to(index);
            invariant.check().map_err(|(key, why)| {
                let at = key.map_or_else(|| at.clone(), |key| at.to(key));
                wrong(&at, why)
            })?;
        }
        Ok(Self { file })
    }

    /// The sentences, in their order.
    pub fn sentences(&self) -> impl Iterator<Item = &str> {
        self.file.always.iter().map(|invariant| invariant.sentence.as_str())
    }

    /// How long a slow call takes in real time.
    pub fn slow(&self) -> Duration {
        self.file.slow.0
    }

    /// Business time after the last step until the end is judged.
    pub(crate) fn settle(&self) -> Wait {
        self.file.settle
    }

    /// Variables of the functions.
    pub(crate) fn environment(&self) -> &BTreeMap<String, String> {
        &self.file.environment
    }

    /// The tables that sentences look at, without repeats.
    pub(crate) fn tables(&self) -> Vec<&str> {
        let all = self.file.always.iter().flat_map(Invariant::selections);
        let mut tables: Vec<&str> = all.filter_map(Selection::table).collect();
        tables.sort_unstable();
        tables.dedup();
        tables
    }
}

impl Invariant {
    fn selections(&self) -> impl Iterator<Item = &Selection> {
        let lists = [&self.unless, &self.there_is, &self.there_is_no, &self.at_most_one];
        std::iter::once(&self.each).chain(lists.into_iter().flat_map(|list| &list.0))
    }

    /// What makes no sense, and under which key.
    fn check(&self) -> Result<(), (Option<&'static str>, String)> {
        let verdicts = [&self.there_is, &self.there_is_no, &self.at_most_one];
        if verdicts.iter().filter(|list| !list.0.is_empty()).count() != 1 {
            let why = "say one of 'there_is', 'there_is_no' and 'at_most_one'";
            return Err((None, why.into()));
        }
        self.each.check(true).map_err(|why| (Some("each"), why))?;
        let lists = [
            ("unless", &self.unless),
            ("there_is", &self.there_is),
            ("there_is_no", &self.there_is_no),
            ("at_most_one", &self.at_most_one),
        ];
        for (key, list) in lists {
            for selection in &list.0 {
                selection.check(self.each.has_time()).map_err(|why| (Some(key), why))?;
            }
        }
        Ok(())
    }
}

fn fifteen_minutes() -> Wait {
    Wait::minutes(15)
}

fn two_seconds() -> Delay {
    Delay(Duration::from_secs(2))
}

#[cfg(test)]
mod tests;
