//! YAML with positions and CloudFormation's functions.
//!
//! `!Sub x` and `{ "Fn::Sub": x }` are the same [`Yaml::Call`].

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, SeqAccess, Visitor},
};
use serde_json::Number;
use serde_saphyr::{Location, Spanned, Tagged};

/// A value and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Node {
    pub(super) value: Yaml,
    pub(super) at: Location,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Yaml {
    Null,
    Bool(bool),
    Number(Number),
    String(String),
    List(Vec<Node>),
    Map(Vec<Entry>),
    /// A function of CloudFormation, named without `Fn::`, and its argument.
    Call(String, Box<Node>),
}

/// A key, where it stands, and its value.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) at: Location,
    pub(super) value: Node,
}

impl Node {
    pub(super) fn new(value: Yaml, at: Location) -> Self {
        Self { value, at }
    }

    pub(super) fn string(text: impl Into<String>, at: Location) -> Self {
        Self::new(Yaml::String(text.into()), at)
    }

    pub(super) fn line(&self) -> u64 {
        self.at.line()
    }

    pub(super) fn as_str(&self) -> Option<&str> {
        match &self.value {
            Yaml::String(text) => Some(text),
            _ => None,
        }
    }

    /// A string, number or boolean as CloudFormation passes it on: as text.
    pub(super) fn scalar(&self) -> Option<String> {
        match &self.value {
            Yaml::String(text) => Some(text.clone()),
            Yaml::Number(number) => Some(number.to_string()),
            Yaml::Bool(flag) => Some(flag.to_string()),
            _ => None,
        }
    }

    pub(super) fn as_list(&self) -> Option<&[Node]> {
        match &self.value {
            Yaml::List(list) => Some(list),
            _ => None,
        }
    }

    pub(super) fn as_map(&self) -> Option<&[Entry]> {
        match &self.value {
            Yaml::Map(map) => Some(map),
            _ => None,
        }
    }

    /// A member of a map.
    pub(super) fn get(&self, key: &str) -> Option<&Node> {
        self.as_map()?.iter().find(|entry| entry.key == key).map(|entry| &entry.value)
    }

    /// A value of `Globals` and a resource's own, as SAM merges them: maps key by
    /// key, lists one after the other, anything else by the resource's own.
    pub(super) fn merged(global: Option<&Self>, own: Option<&Self>) -> Option<Self> {
        let (global, own) = match (global, own) {
            (Some(global), Some(own)) => (global, own),
            (one, other) => return one.or(other).cloned(),
        };
        let value = match (&global.value, &own.value) {
            (Yaml::List(global), Yaml::List(own)) => Yaml::List([&global[..], &own[..]].concat()),
            (Yaml::Map(global), Yaml::Map(own)) => {
                let find = |list: &[Entry], key: &str| list.iter().find(|e| e.key == key).cloned();
                let merge = |entry: &Entry| {
                    let own = find(own, &entry.key);
                    let value = Self::merged(Some(&entry.value), own.as_ref().map(|e| &e.value));
                    let at = own.map_or(entry.at, |own| own.at);
                    value.map(|value| Entry { key: entry.key.clone(), at, value })
                };
                let more = own.iter().filter(|entry| find(global, &entry.key).is_none()).cloned();
                Yaml::Map(global.iter().filter_map(merge).chain(more).collect())
            }
            (_, own) => own.clone(),
        };
        Some(Self { value, at: own.at })
    }

    /// What it is, for errors.
    pub(super) fn kind(&self) -> &'static str {
        match self.value {
            Yaml::Null => "nothing",
            Yaml::Bool(_) => "a boolean",
            Yaml::Number(_) => "a number",
            Yaml::String(_) => "a string",
            Yaml::List(_) => "a list",
            Yaml::Map(_) => "a map",
            Yaml::Call(..) => "a function",
        }
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<Tagged<Raw>>::deserialize(deserializer)?;
        let (at, Tagged(Raw(value), tag)) = (spanned.referenced, spanned.value);
        // A tag of YAML's own (`!!str`) has a namespace instead of the `!`.
        Ok(match tag.as_deref().and_then(|tag| tag.strip_prefix('!')) {
            Some(function) => call(function, Self::new(value, at), at),
            None => long_form(Self::new(value, at)),
        })
    }
}

/// `{ Ref: x }` and `{ "Fn::Sub": x }`.
fn long_form(node: Node) -> Node {
    let Yaml::Map(entries) = &node.value else { return node };
    let [entry] = entries.as_slice() else { return node };
    let function = match entry.key.as_str() {
        name @ ("Ref" | "Condition") => name,
        name => match name.strip_prefix("Fn::") {
            Some(name) => name,
            None => return node,
        },
    };
    call(function, entry.value.clone(), node.at)
}

fn call(function: &str, argument: Node, at: Location) -> Node {
    // `!GetAtt A.B` is `Fn::GetAtt: [A, B]`.
    let argument = match (function, argument.as_str().and_then(|text| text.split_once('.'))) {
        ("GetAtt", Some((resource, attribute))) => {
            let parts = [resource, attribute].map(|part| Node::string(part, argument.at));
            Node::new(Yaml::List(parts.into()), argument.at)
        }
        _ => argument,
    };
    Node::new(Yaml::Call(function.to_owned(), Box::new(argument)), at)
}

/// A value without its tag and position.
struct Raw(Yaml);

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RawVisitor).map(Raw)
    }
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = Yaml;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Yaml, E> {
        Ok(Yaml::Null)
    }

    fn visit_none<E>(self) -> Result<Yaml, E> {
        Ok(Yaml::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Yaml, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Yaml, E> {
        Ok(Yaml::Bool(flag))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Yaml, E> {
        Ok(Yaml::Number(number.into()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Yaml, E> {
        Ok(Yaml::Number(number.into()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Yaml, E> {
        let text = || Yaml::String(number.to_string());
        Ok(Number::from_f64(number).map_or_else(text, Yaml::Number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Yaml, E> {
        Ok(Yaml::String(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Yaml, A::Error> {
        let mut list = Vec::new();
        while let Some(node) = seq.next_element()? {
            list.push(node);
        }
        Ok(Yaml::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Yaml, A::Error> {
        let mut entries = Vec::new();
        while let Some((key, value)) = map.next_entry::<Spanned<String>, Node>()? {
            entries.push(Entry { key: key.value, at: key.referenced, value });
        }
        Ok(Yaml::Map(entries))
    }
}
