//! Where everything of a scenario stands in its file, by path.
//!
//! The typed model carries no positions. This tree of the same document does,
//! and holds every text with its place, so that checks can walk it.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, SeqAccess, Visitor},
};
use serde_saphyr::{Location, Spanned};

/// A value of the document with its place.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) at: Location,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Text(String),
    /// A number, a boolean or null.
    Other,
    List(Vec<Node>),
    Map(Vec<(Spanned<String>, Node)>),
}

/// A path into the document, from its root.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct YamlPath(Vec<Part>);

impl YamlPath {
    /// The root.
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// One further: a key or a position.
    pub(super) fn to(&self, part: impl Into<Part>) -> Self {
        Self([&self.0[..], &[part.into()]].concat())
    }

    /// Further along another path.
    pub(super) fn join(&self, below: &Self) -> Self {
        Self([&self.0[..], &below.0].concat())
    }

    /// The position of the step that it leads into.
    pub(super) fn step(&self) -> Option<usize> {
        self.0.iter().find_map(|part| match part {
            Part::Index(index) => Some(*index),
            Part::Key(_) => None,
        })
    }
}

/// One part of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    Key(String),
    Index(usize),
}

impl From<&str> for Part {
    fn from(key: &str) -> Self {
        Self::Key(key.into())
    }
}

impl From<usize> for Part {
    fn from(index: usize) -> Self {
        Self::Index(index)
    }
}

impl Node {
    /// The place of a value, or of the nearest thing around it that exists.
    /// A path that ends at a key of a map that holds no value there gives the map.
    pub(super) fn locate(&self, path: &YamlPath) -> Location {
        let mut node = self;
        for part in &path.0 {
            match node.child(part) {
                Some(child) => node = child,
                None => break,
            }
        }
        node.at
    }

    /// Whether there is a value at the path.
    pub(super) fn contains(&self, path: &YamlPath) -> bool {
        path.0.iter().try_fold(self, |node, part| node.child(part)).is_some()
    }

    /// The place of the key that a path ends with.
    pub(super) fn locate_key(&self, path: &YamlPath) -> Location {
        let Some((Part::Key(key), parents)) = path.0.split_last() else { return self.locate(path) };
        let mut node = self;
        for part in parents {
            match node.child(part) {
                Some(child) => node = child,
                None => return node.at,
            }
        }
        match &node.kind {
            Kind::Map(map) => {
                map.iter().find(|(k, _)| k.value == *key).map_or(node.at, |(k, _)| k.referenced)
            }
            _ => node.at,
        }
    }

    /// Calls `visit` with every text and its place, keys left out.
    pub(super) fn texts(&self, visit: &mut impl FnMut(&str, Location)) {
        match &self.kind {
            Kind::Text(text) => visit(text, self.at),
            Kind::Other => {}
            Kind::List(list) => list.iter().for_each(|node| node.texts(visit)),
            Kind::Map(map) => map.iter().for_each(|(_, node)| node.texts(visit)),
        }
    }

    /// Calls `visit` with every key, its place and its value's node.
    pub(super) fn keys<'n>(&'n self, visit: &mut impl FnMut(&'n str, Location, &'n Node)) {
        match &self.kind {
            Kind::List(list) => list.iter().for_each(|node| node.keys(visit)),
            Kind::Map(map) => {
                for (key, node) in map {
                    visit(&key.value, key.referenced, node);
                    node.keys(visit);
                }
            }
            Kind::Text(_) | Kind::Other => {}
        }
    }

    /// The keys of a map, in order.
    pub(super) fn own_keys(&self) -> impl Iterator<Item = &str> {
        let map: &[_] = if let Kind::Map(map) = &self.kind { map } else { &[] };
        map.iter().map(|(key, _)| key.value.as_str())
    }

    fn child(&self, part: &Part) -> Option<&Node> {
        match (&self.kind, part) {
            (Kind::List(list), Part::Index(at)) => list.get(*at),
            (Kind::Map(map), Part::Key(key)) => {
                map.iter().find(|(k, _)| k.value == *key).map(|(_, node)| node)
            }
            _ => None,
        }
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<Kind>::deserialize(deserializer)?;
        Ok(Self { at: spanned.referenced, kind: spanned.value })
    }
}

impl<'de> Deserialize<'de> for Kind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(KindVisitor)
    }
}

struct KindVisitor;

impl<'de> Visitor<'de> for KindVisitor {
    type Value = Kind;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Kind, E> {
        Ok(Kind::Other)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Kind, E> {
        Ok(Kind::Other)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Kind, E> {
        Ok(Kind::Other)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Kind, E> {
        Ok(Kind::Other)
    }

    fn visit_str<E>(self, text: &str) -> Result<Kind, E> {
        Ok(Kind::Text(text.into()))
    }

    fn visit_unit<E>(self) -> Result<Kind, E> {
        Ok(Kind::Other)
    }

    fn visit_none<E>(self) -> Result<Kind, E> {
        Ok(Kind::Other)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Kind, D::Error> {
        Kind::deserialize(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Kind, A::Error> {
        let mut list = Vec::new();
        while let Some(node) = seq.next_element()? {
            list.push(node);
        }
        Ok(Kind::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Kind, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Kind::Map(entries))
    }
}

#[cfg(test)]
mod tests {
    use rehearse_core::yaml::Source;

    use super::*;

    const TEXT: &str = "name: a\nsteps:\n  - customer: Hi\n    reply: [x, { contains: y }]\n";

    fn tree() -> Node {
        Source::new("a.yaml", TEXT).parse().unwrap()
    }

    fn place(at: Location) -> (u64, u64) {
        (at.line(), at.column())
    }

    #[test]
    fn values_and_keys_are_found_by_path() {
        let tree = tree();
        assert_eq!(place(tree.locate(&YamlPath::new().to("name"))), (1, 7));
        assert_eq!(place(tree.locate(&YamlPath::new().to("steps").to(0))), (3, 5));
        assert_eq!(place(tree.locate(&YamlPath::new().to("steps").to(0).to("customer"))), (3, 15));
        assert_eq!(place(tree.locate_key(&YamlPath::new().to("steps").to(0).to("reply"))), (4, 5));
        assert_eq!(
            place(tree.locate(&YamlPath::new().to("steps").to(0).to("reply").to(1).to("contains"))),
            (4, 28)
        );
    }

    #[test]
    fn what_is_not_there_is_placed_at_what_is_around_it() {
        let tree = tree();
        assert_eq!(
            tree.locate(&YamlPath::new().to("steps").to(0).to("model").to(3)),
            tree.locate(&YamlPath::new().to("steps").to(0))
        );
    }

    #[test]
    fn every_text_is_visited() {
        let mut texts = Vec::new();
        tree().texts(&mut |text, _| texts.push(text.to_owned()));
        assert_eq!(texts, ["a", "Hi", "x", "y"]);
    }
}
