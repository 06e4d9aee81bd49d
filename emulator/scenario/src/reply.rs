//! Texts that must arrive: `reply:`, `replies:` and `expect.sms`.

use std::{fmt, sync::LazyLock, time::Duration};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Deserializer,
    de::{self, MapAccess, SeqAccess, Visitor},
};

use super::{dispatch, time::Delay};
use rehearse_core::{
    journal::Via,
    matcher::{Matcher, OPERATORS},
};

/// The longest time for which a step waits for a text.
const LONGEST: Duration = Duration::from_secs(60);

/// One text that must arrive. What is left out may be anything.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Reply {
    /// A person; the person of the step if left out.
    pub to: Option<String>,
    /// How it was sent.
    pub via: Option<Via>,
    /// Billed segments.
    pub segments: Option<u32>,
    /// `GSM-7` or `UCS-2`.
    pub encoding: Option<String>,
    /// How much real time after the step's beginning it may come; the step waits for it so long.
    pub within: Option<Delay>,
    /// What the text must be; each of these.
    pub text: Vec<Matcher>,
}

/// Which texts must arrive.
#[derive(Debug, Clone, PartialEq)]
pub enum Replies {
    /// `none`: silence.
    None,
    /// These, in this order, and no others.
    Ordered(Vec<Reply>),
    /// `{ exactly: [...] }`: these in any order, and no others.
    Exactly(Vec<Reply>),
}

impl Replies {
    /// The entries.
    pub fn entries(&self) -> &[Reply] {
        match self {
            Self::None => &[],
            Self::Ordered(list) | Self::Exactly(list) => list,
        }
    }
}

/// The keys of an entry: its own, and every operator that can hold for a text that arrived.
static KEYS: LazyLock<Vec<&str>> = LazyLock::new(|| {
    ["to", "via", "segments", "encoding", "within"].into_iter().chain(operators()).collect()
});

fn operators() -> impl Iterator<Item = &'static str> {
    OPERATORS.into_iter().filter(|operator| *operator != "absent")
}

impl Reply {
    fn literal(text: &str) -> Self {
        Self { text: vec![Matcher::Literal(text.into())], ..Self::default() }
    }

    /// Reads the map's next entries into a reply, beginning with a key that was read already.
    fn read<'de, A: MapAccess<'de>>(first: String, map: &mut A) -> Result<Self, A::Error> {
        let mut reply = Self::default();
        let mut seen: Vec<String> = Vec::new();
        let mut next = Some(first);
        while let Some(key) = next {
            if seen.contains(&key) {
                return Err(de::Error::custom(format_args!("duplicate key '{key}'")));
            }
            match key.as_str() {
                "to" => reply.to = Some(map.next_value()?),
                "via" => reply.via = Some(map.next_value::<ViaName>()?.into()),
                "segments" => reply.segments = Some(map.next_value()?),
                "encoding" => reply.encoding = Some(map.next_value::<Encoding>()?.0),
                "within" => {
                    let within: Delay = map.next_value()?;
                    if within.0.is_zero() || within.0 > LONGEST {
                        return Err(de::Error::custom("'within' is more than 0s and at most 60s"));
                    }
                    reply.within = Some(within);
                }
                "absent" => {
                    return Err(de::Error::custom("a text that is absent is written 'none'"));
                }
                op if OPERATORS.contains(&op) => {
                    reply.text.push(dispatch::single_entry(key.clone(), map)?);
                }
                other => return Err(de::Error::unknown_field(other, &KEYS)),
            }
            seen.push(key);
            next = map.next_key()?;
        }
        Ok(reply)
    }
}

impl fmt::Display for Reply {
    /// What the entry asks for, as a report shows it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts: Vec<String> = self.text.iter().map(ToString::to_string).collect();
        if parts.is_empty() {
            parts.push("any text".into());
        }
        if let Some(to) = &self.to {
            parts.push(format!("to {to}"));
        }
        if let Some(via) = self.via {
            parts.push(format!("via {}", via_name(via)));
        }
        if let Some(segments) = self.segments {
            parts.push(format!("in {segments} segments"));
        }
        if let Some(encoding) = &self.encoding {
            parts.push(format!("as {encoding}"));
        }
        if let Some(Delay(within)) = self.within {
            parts.push(format!("within {within:?}"));
        }
        f.write_str(&parts.join(", "))
    }
}

/// How a way of sending is written in a scenario.
pub(super) fn via_name(via: Via) -> &'static str {
    match via {
        Via::Twiml => "twiml",
        Via::Rest => "rest",
        Via::Twilio => "twilio",
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum ViaName {
    Twiml,
    Rest,
    Twilio,
}

impl From<ViaName> for Via {
    fn from(name: ViaName) -> Self {
        match name {
            ViaName::Twiml => Self::Twiml,
            ViaName::Rest => Self::Rest,
            ViaName::Twilio => Self::Twilio,
        }
    }
}

struct Encoding(String);

impl<'de> Deserialize<'de> for Encoding {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        match name.as_str() {
            "GSM-7" | "UCS-2" => Ok(Self(name)),
            _ => Err(de::Error::custom(format_args!("'{name}' is not an encoding: GSM-7, UCS-2"))),
        }
    }
}

impl<'de> Deserialize<'de> for Reply {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ReplyVisitor;

        impl<'de> Visitor<'de> for ReplyVisitor {
            type Value = Reply;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text, or a map such as { contains: ... }")
            }

            fn visit_str<E>(self, text: &str) -> Result<Reply, E> {
                Ok(Reply::literal(text))
            }

            fn visit_u64<E>(self, number: u64) -> Result<Reply, E> {
                Ok(Reply::literal(&number.to_string()))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Reply, A::Error> {
                match map.next_key()? {
                    Some(key) => Reply::read(key, &mut map),
                    None => {
                        Err(de::Error::custom("an empty map does not say what the text must be"))
                    }
                }
            }
        }

        deserializer.deserialize_any(ReplyVisitor)
    }
}

impl<'de> Deserialize<'de> for Replies {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct RepliesVisitor;

        impl<'de> Visitor<'de> for RepliesVisitor {
            type Value = Replies;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("none, a text, a list of texts, or { exactly: [...] }")
            }

            fn visit_str<E>(self, text: &str) -> Result<Replies, E> {
                Ok(match text {
                    "none" => Replies::None,
                    text => Replies::Ordered(vec![Reply::literal(text)]),
                })
            }

            fn visit_u64<E>(self, number: u64) -> Result<Replies, E> {
                Ok(Replies::Ordered(vec![Reply::literal(&number.to_string())]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Replies, A::Error> {
                let mut list = Vec::new();
                while let Some(reply) = seq.next_element()? {
                    list.push(reply);
                }
                if list.is_empty() {
                    return Err(de::Error::custom("an empty list of replies is written 'none'"));
                }
                Ok(Replies::Ordered(list))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Replies, A::Error> {
                match map.next_key::<String>()? {
                    Some(key) if key == "exactly" => {
                        let list: Vec<Reply> = map.next_value()?;
                        match map.next_key::<String>()? {
                            Some(key) => Err(de::Error::unknown_field(&key, &["exactly"])),
                            None => Ok(Replies::Exactly(list)),
                        }
                    }
                    Some(key) => Ok(Replies::Ordered(vec![Reply::read(key, &mut map)?])),
                    None => {
                        Err(de::Error::custom("an empty map does not say what the text must be"))
                    }
                }
            }
        }

        deserializer.deserialize_any(RepliesVisitor)
    }
}

impl JsonSchema for Reply {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Reply".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let matcher = generator.subschema_for::<Matcher>();
        let mut properties = serde_json::json!({
            "to": { "type": "string", "description": "A person of the scenario" },
            "via": { "enum": ["twiml", "rest", "twilio"] },
            "segments": { "type": "integer", "minimum": 1 },
            "encoding": { "enum": ["GSM-7", "UCS-2"] },
            "within": {
                "type": "string",
                "description": "How much real time after the step's beginning it may come: 5s, at most 60s",
            },
        });
        for operator in operators() {
            properties[operator] = match operator {
                "matches" => serde_json::json!({ "type": "string", "format": "regex" }),
                "any" => serde_json::json!({ "const": "string" }),
                "one_of" => serde_json::json!({ "type": "array", "items": matcher, "minItems": 1 }),
                _ => matcher.clone().to_value(),
            };
        }
        json_schema!({
            "description": "One text that must arrive: the text itself, or what is known of it",
            "type": ["string", "number", "object"],
            "properties": properties,
            "additionalProperties": false,
            "minProperties": 1,
        })
    }
}

impl JsonSchema for Replies {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Replies".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let reply = generator.subschema_for::<Reply>();
        json_schema!({
            "description": "Texts that must arrive. none: silence; a list: in order; { exactly: [...] }: in any order",
            "if": { "type": "array" },
            "then": { "items": reply, "minItems": 1 },
            "else": {
                "if": { "type": "object", "required": ["exactly"] },
                "then": {
                    "properties": { "exactly": { "type": "array", "items": reply } },
                    "additionalProperties": false,
                },
                "else": reply,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use rehearse_core::yaml::Source;

    use super::*;

    fn read(yaml: &str) -> Result<Replies, String> {
        let source = Source::new("a.yaml", yaml);
        source.parse().map_err(|e| e.to_string())
    }

    #[test]
    fn every_form_of_replies() {
        assert_eq!(read("none"), Ok(Replies::None));
        assert_eq!(read("Hi!"), Ok(Replies::Ordered(vec![Reply::literal("Hi!")])));
        assert_eq!(read("{ equals: none }").unwrap().entries().len(), 1);
        let two = read("[Hi, { to: owner, via: rest, contains: [a, b], excludes: c }]").unwrap();
        let Replies::Ordered(two) = two else { panic!("{two:?}") };
        assert_eq!(two[1].to.as_deref(), Some("owner"));
        assert_eq!(two[1].via, Some(Via::Rest));
        assert_eq!(two[1].text.len(), 2);
        let any = read("{ exactly: [{ segments: 2, encoding: UCS-2 }, b] }").unwrap();
        assert!(matches!(&any, Replies::Exactly(list) if list[0].segments == Some(2)));
        assert_eq!(any.entries()[0].to_string(), "any text, in 2 segments, as UCS-2",);
    }

    #[test]
    fn wrong_forms_are_named() {
        for (yaml, says) in [
            ("{ contians: a }", "did you mean `contains`?"),
            ("[]", "'none'"),
            ("{}", "empty map"),
            ("{ exactly: [a], to: b }", "unknown key `to`"),
            ("{ via: pigeon }", "unknown word"),
            ("{ encoding: ascii }", "GSM-7"),
            ("{ within: soon }", "not a delay such as 300ms"),
            ("{ within: 0s }", "more than 0s and at most 60s"),
            ("{ within: 2m }", "more than 0s and at most 60s"),
            ("{ witin: 2s }", "did you mean `within`?"),
            ("{ matches: '(' }", "matches"),
            ("{ absent: true }", "'none'"),
        ] {
            let error = read(yaml).unwrap_err();
            assert!(error.contains(says), "{yaml}: {error}");
        }
    }
}
