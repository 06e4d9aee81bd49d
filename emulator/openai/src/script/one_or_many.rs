//! Lists in YAML that may also be written as one value.

use std::{fmt, marker::PhantomData};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Deserializer,
    de::{
        self, MapAccess, SeqAccess, Visitor,
        value::{MapAccessDeserializer, SeqAccessDeserializer},
    },
};

use rehearse_core::matcher::Matcher;

/// Reads a list, or one value as a list of one.
pub(super) fn one_or_many<'de, T: FromOne + Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    deserializer.deserialize_any(OneOrMany(PhantomData))
}

/// The same for a key whose absence differs from an empty list.
pub(super) fn some_one_or_many<'de, T: FromOne + Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Vec<T>>, D::Error> {
    one_or_many(deserializer).map(Some)
}

/// The JSON schema of such a list.
pub(super) fn one_or_many_schema<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    let one = generator.subschema_for::<T>();
    // With `anyOf`, editors only report that no alternative fits.
    json_schema!({ "if": { "type": "array" }, "then": { "items": one.clone() }, "else": one })
}

/// Types that may be written alone where a list is expected.
pub(super) trait FromOne: Sized {
    /// The value that a plain text stands for; `None` when texts are not allowed.
    fn from_text(_text: &str) -> Option<Self> {
        None
    }
}

impl FromOne for String {
    fn from_text(text: &str) -> Option<Self> {
        Some(text.into())
    }
}

impl FromOne for Matcher {
    fn from_text(text: &str) -> Option<Self> {
        Some(Self::Literal(text.into()))
    }
}

struct OneOrMany<T>(PhantomData<T>);

impl<'de, T: FromOne + Deserialize<'de>> Visitor<'de> for OneOrMany<T> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Vec<T>, A::Error> {
        Vec::deserialize(SeqAccessDeserializer::new(seq))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Vec<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(|one| vec![one])
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Vec<T>, E> {
        T::from_text(text)
            .map(|one| vec![one])
            .ok_or_else(|| E::invalid_type(de::Unexpected::Str(text), &self))
    }

    fn visit_unit<E: de::Error>(self) -> Result<Vec<T>, E> {
        Err(E::custom("expected a list, found nothing"))
    }
}
