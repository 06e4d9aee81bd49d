//! Reads fixtures: YAML or JSON files of rows by logical table id, `{ Leads: [ {...} ] }`.

use std::{fmt, marker::PhantomData, path::Path};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::Value;
use serde_saphyr::{Location, Spanned};

use super::{
    row::{self, RowError},
    table::TableSpec,
    tables::nearest_table,
};
use rehearse_core::yaml::{Limit, Source, YamlError};

/// Fixtures may be exported data, so they may be larger than a scenario.
const LIMIT: Limit = Limit { bytes: 16 << 20, advice: "split it" };

/// The rows of one file, tables in the order of the file.
pub type Rows = Vec<(String, Vec<Value>)>;

/// Reads a file of rows and checks each row against its table.
///
/// # Errors
/// When the file cannot be read, is not UTF-8, too large or not a map of lists of rows, names an
/// unknown table, repeats a key, or has a row that does not fit its table; with the line.
pub fn read(path: &Path, tables: &[TableSpec]) -> Result<Rows, YamlError> {
    parse(&Source::read_within(path, LIMIT)?, tables)
}

/// As [`read`], from a source that is in memory.
///
/// # Errors
/// As [`read`], apart from reading the file.
pub fn parse(source: &Source, tables: &[TableSpec]) -> Result<Rows, YamlError> {
    let document: Entries<Vec<Spanned<Row>>> = source.parse()?;
    let file = File { source, tables };
    document.0.into_iter().map(|(table, rows)| file.table(&table, rows)).collect()
}

type Row = Entries<Spanned<Value>>;

struct File<'a> {
    source: &'a Source,
    tables: &'a [TableSpec],
}

impl File<'_> {
    fn table(
        &self,
        id: &Spanned<String>,
        rows: Vec<Spanned<Row>>,
    ) -> Result<(String, Vec<Value>), YamlError> {
        let Some(table) = self.tables.iter().find(|t| t.id == id.value) else {
            let hint = match nearest_table(self.tables, &id.value) {
                Some(nearest) => format!("; did you mean `{nearest}`?"),
                None => {
                    let known: Vec<&str> = self.tables.iter().map(|t| t.id.as_str()).collect();
                    format!("; the template has {}", known.join(", "))
                }
            };
            return Err(self.source.error(id.referenced, format!("no table `{}`{hint}", id.value)));
        };
        let mut seen: Vec<(Vec<String>, u64)> = Vec::new();
        let mut plain = Vec::with_capacity(rows.len());
        for row in rows {
            let (value, at) = self.row(table, row)?;
            let key = row::key_text(table, &value);
            if let Some((_, line)) = seen.iter().find(|(known, _)| *known == key) {
                let message =
                    format!("key {} of {} is already at line {line}", key.join(" / "), table.id);
                return Err(self.source.error(at, message));
            }
            seen.push((key, at.line()));
            plain.push(value);
        }
        Ok((table.id.clone(), plain))
    }

    fn row(&self, table: &TableSpec, row: Spanned<Row>) -> Result<(Value, Location), YamlError> {
        let at = row.referenced;
        let mut places = Vec::new();
        let mut plain = serde_json::Map::new();
        for (name, value) in row.value.0 {
            places.push((name.value.clone(), value.referenced));
            plain.insert(name.value, value.value);
        }
        let plain = Value::Object(plain);
        row::check(table, &plain).map_err(|error: RowError| {
            let place = places.iter().find(|(name, _)| Some(name.as_str()) == error.attribute());
            self.source.error(place.map_or(at, |(_, at)| *at), error.to_string())
        })?;
        Ok((plain, at))
    }
}

/// A map that keeps the order and the positions of its keys.
struct Entries<T>(Vec<(Spanned<String>, T)>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Entries<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Reader<T> {
            type Value = Entries<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Entries(entries))
            }
        }

        deserializer.deserialize_map(Reader(PhantomData))
    }
}
