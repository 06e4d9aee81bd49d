//! Deserializes a map whose first key decides its type.
//!
//! An untagged enum would lose every position and answer "did not match any
//! variant". Here the first key is read, then the map is handed on with that
//! key given back, so each kind is a plain strict struct with good errors.

use serde::{
    Deserialize,
    de::{self, DeserializeSeed, IntoDeserializer, MapAccess, value::MapAccessDeserializer},
};

/// A map access that gives back the key that was read from it.
struct ResumedMap<'m, A> {
    key: Option<String>,
    map: &'m mut A,
    /// Ends after the key that was given back.
    alone: bool,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for ResumedMap<'_, A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, A::Error> {
        match self.key.take() {
            Some(key) => {
                let key: de::value::StringDeserializer<A::Error> = key.into_deserializer();
                seed.deserialize(key).map(Some)
            }
            None if self.alone => Ok(None),
            None => self.map.next_key_seed(seed),
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, A::Error> {
        self.map.next_value_seed(seed)
    }
}

/// The whole rest of the map as a `T`, beginning with the key that was read.
pub(super) fn map_from<'de, T: Deserialize<'de>, A: MapAccess<'de>>(
    key: String,
    mut map: A,
) -> Result<T, A::Error> {
    T::deserialize(MapAccessDeserializer::new(ResumedMap {
        key: Some(key),
        map: &mut map,
        alone: false,
    }))
}

/// The entry of the key that was read, as a map of its own.
pub(super) fn single_entry<'de, T: Deserialize<'de>, A: MapAccess<'de>>(
    key: String,
    map: &mut A,
) -> Result<T, A::Error> {
    T::deserialize(MapAccessDeserializer::new(ResumedMap { key: Some(key), map, alone: true }))
}
