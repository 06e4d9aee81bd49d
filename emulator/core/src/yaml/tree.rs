//! A YAML document as a tree whose values know their positions.
//!
//! A typed model has no positions. This tree of the same document has: checks walk it, and errors
//! find the place that they point at.
//!
//! ```
//! use rehearse_core::yaml::{Source, tree::{Node, YamlPath}};
//!
//! # fn main() -> Result<(), rehearse_core::yaml::YamlError> {
//! let tree: Node = Source::new("a.yaml", "steps:\n  - reply: Hi\n").parse()?;
//! let path = YamlPath::new().to("steps").to(0).to("reply");
//! assert_eq!((tree.locate(&path).line(), tree.locate(&path).column()), (2, 12));
//! # Ok(())
//! # }
//! ```

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, SeqAccess, Visitor},
};
use serde_json::Number;
use serde_saphyr::{Location, Spanned, Tagged};

/// A value and its position.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// The value.
    pub value: Value,
    /// Where the value begins. For an alias, where its anchor's value begins.
    pub at: Location,
}

/// A value of a document.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// `null`, `~`, or nothing.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number; one that JSON cannot hold (`.inf`) is a string.
    Number(Number),
    /// Text.
    String(String),
    /// A list.
    List(Vec<Node>),
    /// A map, in the document's order.
    Map(Vec<Entry>),
    /// A value with a tag of its own: `!Sub x` is `Tagged("Sub", x)`. Tags of YAML itself
    /// (`!!str`) leave no trace.
    Tagged(String, Box<Node>),
}

/// An entry of a map.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The key.
    pub key: String,
    /// Where the key begins.
    pub at: Location,
    /// The key's value.
    pub value: Node,
}

/// A path into a document, from its root: keys of maps and positions in lists.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct YamlPath(Vec<PathPart>);

/// One part of a [`YamlPath`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PathPart {
    /// A key of a map.
    Key(String),
    /// A position in a list, from 0.
    Index(usize),
}

impl Node {
    /// A value at a position.
    pub fn new(value: Value, at: Location) -> Self {
        Self { value, at }
    }

    /// Text at a position.
    pub fn string(text: impl Into<String>, at: Location) -> Self {
        Self::new(Value::String(text.into()), at)
    }

    /// The line on which the value begins, from 1.
    pub fn line(&self) -> u64 {
        self.at.line()
    }

    /// The text, if the value is text.
    pub fn as_str(&self) -> Option<&str> {
        match &self.value {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// The text of a string, number or boolean.
    pub fn scalar(&self) -> Option<String> {
        match &self.value {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            Value::Bool(flag) => Some(flag.to_string()),
            _ => None,
        }
    }

    /// The values of a list.
    pub fn as_list(&self) -> Option<&[Node]> {
        match &self.value {
            Value::List(list) => Some(list),
            _ => None,
        }
    }

    /// The entries of a map.
    pub fn as_map(&self) -> Option<&[Entry]> {
        match &self.value {
            Value::Map(map) => Some(map),
            _ => None,
        }
    }

    /// The value of a map's key.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.as_map()?.iter().find(|entry| entry.key == key).map(|entry| &entry.value)
    }

    /// The position of the value at a path, or of the innermost value around it that exists.
    pub fn locate(&self, path: &YamlPath) -> Location {
        self.innermost(&path.0).at
    }

    /// The position of the key that a path ends with, or else of what is around it.
    pub fn locate_key(&self, path: &YamlPath) -> Location {
        let Some((PathPart::Key(key), parents)) = path.0.split_last() else {
            return self.locate(path);
        };
        let node = self.innermost(parents);
        let entries = node.untagged().as_map().unwrap_or_default();
        entries.iter().find(|entry| entry.key == *key).map_or(node.at, |entry| entry.at)
    }

    /// Whether there is a value at a path.
    pub fn contains(&self, path: &YamlPath) -> bool {
        path.0.iter().try_fold(self, |node, part| node.child(part)).is_some()
    }

    /// Calls `visit` with every text and its position. Keys are left out.
    pub fn texts(&self, visit: &mut impl FnMut(&str, Location)) {
        match &self.value {
            Value::String(text) => visit(text, self.at),
            Value::List(list) => list.iter().for_each(|node| node.texts(visit)),
            Value::Map(map) => map.iter().for_each(|entry| entry.value.texts(visit)),
            Value::Tagged(_, node) => node.texts(visit),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// Calls `visit` with every key, its position and its value.
    pub fn keys<'n>(&'n self, visit: &mut impl FnMut(&'n str, Location, &'n Node)) {
        match &self.value {
            Value::List(list) => list.iter().for_each(|node| node.keys(visit)),
            Value::Map(map) => {
                for entry in map {
                    visit(&entry.key, entry.at, &entry.value);
                    entry.value.keys(visit);
                }
            }
            Value::Tagged(_, node) => node.keys(visit),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    /// The keys of a map, in the document's order; none for any other value.
    pub fn own_keys(&self) -> impl Iterator<Item = &str> {
        self.untagged().as_map().unwrap_or_default().iter().map(|entry| entry.key.as_str())
    }

    fn innermost(&self, path: &[PathPart]) -> &Node {
        let mut node = self;
        for part in path {
            match node.child(part) {
                Some(child) => node = child,
                None => break,
            }
        }
        node
    }

    fn child(&self, part: &PathPart) -> Option<&Node> {
        let node = self.untagged();
        match part {
            PathPart::Index(at) => node.as_list()?.get(*at),
            PathPart::Key(key) => node.get(key),
        }
    }

    fn untagged(&self) -> &Node {
        match &self.value {
            Value::Tagged(_, node) => node.untagged(),
            _ => self,
        }
    }
}

impl YamlPath {
    /// The path of the document itself.
    pub fn new() -> Self {
        Self::default()
    }

    /// This path and one part more: a key or a position.
    #[must_use]
    pub fn to(&self, part: impl Into<PathPart>) -> Self {
        Self([&self.0[..], &[part.into()]].concat())
    }

    /// This path and then another one.
    #[must_use]
    pub fn join(&self, below: &Self) -> Self {
        Self([&self.0[..], &below.0].concat())
    }

    /// The first position in a list on this path.
    pub fn first_index(&self) -> Option<usize> {
        self.0.iter().find_map(|part| match part {
            PathPart::Index(index) => Some(*index),
            PathPart::Key(_) => None,
        })
    }
}

impl From<&str> for PathPart {
    fn from(key: &str) -> Self {
        Self::Key(key.into())
    }
}

impl From<usize> for PathPart {
    fn from(index: usize) -> Self {
        Self::Index(index)
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<Tagged<Value>>::deserialize(deserializer)?;
        let (at, Tagged(value, tag)) = (spanned.referenced, spanned.value);
        let node = Self::new(value, at);
        // A tag of YAML itself has a namespace instead of the `!`.
        Ok(match tag.as_deref().and_then(|tag| tag.strip_prefix('!')) {
            Some(tag) => Self::new(Value::Tagged(tag.to_owned(), Box::new(node)), at),
            None => node,
        })
    }
}

/// The value without its tag and position.
impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Value, E> {
        Ok(Value::Bool(flag))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(Value::Number(number.into()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(Value::Number(number.into()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        let text = || Value::String(number.to_string());
        Ok(Number::from_f64(number).map_or_else(text, Value::Number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::String(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(node) = seq.next_element()? {
            list.push(node);
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut entries = Vec::new();
        while let Some((key, value)) = map.next_entry::<Spanned<String>, Node>()? {
            entries.push(Entry { key: key.value, at: key.referenced, value });
        }
        Ok(Value::Map(entries))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml::Source;

    const TEXT: &str = "name: a\nsteps:\n  - customer: Hi\n    reply: [x, { contains: y }]\n";

    fn tree() -> Node {
        Source::new("a.yaml", TEXT).parse().unwrap()
    }

    fn position(at: Location) -> (u64, u64) {
        (at.line(), at.column())
    }

    #[test]
    fn values_and_keys_are_found_by_path() {
        let (tree, steps) = (tree(), YamlPath::new().to("steps"));
        let first = steps.to(0);
        assert_eq!(position(tree.locate(&YamlPath::new().to("name"))), (1, 7));
        assert_eq!(position(tree.locate(&first)), (3, 5));
        assert_eq!(position(tree.locate(&first.to("customer"))), (3, 15));
        assert_eq!(position(tree.locate_key(&first.to("reply"))), (4, 5));
        assert_eq!(position(tree.locate(&first.to("reply").to(1).to("contains"))), (4, 28));
        assert!(tree.contains(&first) && !tree.contains(&steps.to(1)));
        assert_eq!(first.to("reply").to(1).first_index(), Some(0));
    }

    #[test]
    fn a_missing_value_is_located_at_what_is_around_it() {
        let (tree, first) = (tree(), YamlPath::new().to("steps").to(0));
        assert_eq!(tree.locate(&first.to("model").to(3)), tree.locate(&first));
        assert_eq!(tree.locate_key(&first.to("model")), tree.locate(&first));
    }

    #[test]
    fn every_text_and_every_key_is_visited() {
        let (tree, mut texts, mut keys) = (tree(), Vec::new(), Vec::new());
        tree.texts(&mut |text, _| texts.push(text.to_owned()));
        assert_eq!(texts, ["a", "Hi", "x", "y"]);
        tree.keys(&mut |key, _, _| keys.push(key));
        assert_eq!(keys, ["name", "steps", "customer", "reply", "contains"]);
    }

    #[test]
    fn own_tags_are_kept_and_looked_through() {
        let text = "a: !Sub x\nb: !If { c: y }\nd: !!str 1\n";
        let tree: Node = Source::new("a.yaml", text).parse().unwrap();
        let a = tree.get("a").unwrap();
        assert!(
            matches!(&a.value, Value::Tagged(tag, x) if tag == "Sub" && x.as_str() == Some("x"))
        );
        assert_eq!(position(tree.locate(&YamlPath::new().to("b").to("c"))), (2, 13));
        assert_eq!(tree.get("d").unwrap().as_str(), Some("1"));
    }
}
