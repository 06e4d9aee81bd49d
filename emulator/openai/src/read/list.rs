//! A list, or one value where a list of one is meant.

use std::{fmt, marker::PhantomData};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Deserializer,
    de::{
        self, MapAccess, SeqAccess, Visitor,
        value::{MapAccessDeserializer, SeqAccessDeserializer},
    },
};

use crate::script::{Call, RawCall};
use rehearse_core::matcher::Matcher;

/// A list, or one value for a list of one.
pub(crate) fn one_or_many<'de, T: FromOne + Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    deserializer.deserialize_any(OneOrMany(PhantomData))
}

/// A key that says something even by an empty list.
pub(crate) fn one_or_many_if_there<'de, T: FromOne + Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Vec<T>>, D::Error> {
    one_or_many(deserializer).map(Some)
}

/// What an editor is told of such a list.
pub(crate) fn one_or_many_schema<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    let one = generator.subschema_for::<T>();
    // Not `anyOf`, of which editors only say that no choice fits.
    json_schema!({ "if": { "type": "array" }, "then": { "items": one.clone() }, "else": one })
}

/// Types that may stand alone where a list is meant.
pub(crate) trait FromOne: Sized {
    /// From a text alone.
    fn from_text(text: &str) -> Option<Self>;
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

impl FromOne for Call {
    fn from_text(_: &str) -> Option<Self> {
        None
    }
}

impl FromOne for RawCall {
    fn from_text(_: &str) -> Option<Self> {
        None
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
