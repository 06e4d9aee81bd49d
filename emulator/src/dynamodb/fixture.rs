//! Files of rows, `{ Leads: [ {...} ] }` by logical table id, as YAML or JSON.

use std::{fmt, fs, io, marker::PhantomData, path::Path};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::Value;
use serde_saphyr::{CroppedRegion, Error, Location, Spanned};

use super::{
    database::nearest_table,
    row::{self, RowError},
    table::TableSpec,
};

/// Larger files are refused before they are parsed.
const MAX_FILE_BYTES: u64 = 16 << 20;

/// The rows of one file, tables in the order of the file.
pub type Rows = Vec<(String, Vec<Value>)>;

/// Why a fixture cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FixtureError {
    /// It cannot be read.
    #[error("failed to read the fixture {path}")]
    Read {
        /// The file.
        path: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It has more bytes than a fixture may have.
    #[error("the fixture {path} has {bytes} bytes; the limit is {MAX_FILE_BYTES}")]
    TooLarge {
        /// The file.
        path: String,
        /// Its size.
        bytes: u64,
    },
    /// Its content is wrong; the report names file and line, with a caret.
    #[error("{report}")]
    Invalid {
        /// What is wrong and where.
        report: String,
        /// Line of it, from 1; 0 when unknown.
        line: u64,
    },
}

/// Reads a file of rows and checks each row against its table.
///
/// # Errors
/// What is wrong with the file, at which line.
pub fn read(path: &Path, tables: &[TableSpec]) -> Result<Rows, FixtureError> {
    let name = path.display().to_string();
    let unreadable = |source| FixtureError::Read { path: name.clone(), source };
    let bytes = fs::metadata(path).map_err(unreadable)?.len();
    if bytes > MAX_FILE_BYTES {
        return Err(FixtureError::TooLarge { path: name, bytes });
    }
    let text = fs::read_to_string(path).map_err(unreadable)?;
    parse(&name, &text, tables)
}

/// Reads rows from text; `name` is the file that errors point at.
///
/// # Errors
/// What is wrong with the text, at which line.
pub fn parse(name: &str, text: &str, tables: &[TableSpec]) -> Result<Rows, FixtureError> {
    // JSON is YAML, so that one reader gives positions for both.
    let options = serde_saphyr::options! {
        strict_booleans: true,
        leading_zero_numbers_as_strings: true,
    };
    let document: Entries<Vec<Spanned<Row>>> =
        serde_saphyr::from_str_with_options(text, options).map_err(|e| report(name, &e))?;
    let file = File { name, text, tables };
    document.0.into_iter().map(|(table, rows)| file.table(&table, rows)).collect()
}

type Row = Entries<Spanned<Value>>;

struct File<'a> {
    name: &'a str,
    text: &'a str,
    tables: &'a [TableSpec],
}

impl File<'_> {
    fn table(
        &self,
        id: &Spanned<String>,
        rows: Vec<Spanned<Row>>,
    ) -> Result<(String, Vec<Value>), FixtureError> {
        let Some(table) = self.tables.iter().find(|t| t.id == id.value) else {
            let hint = match nearest_table(self.tables, &id.value) {
                Some(nearest) => format!("; did you mean `{nearest}`?"),
                None => {
                    let known: Vec<&str> = self.tables.iter().map(|t| t.id.as_str()).collect();
                    format!("; the template has {}", known.join(", "))
                }
            };
            return Err(self.error(id.referenced, format!("no table `{}`{hint}", id.value)));
        };
        let mut seen: Vec<(Vec<String>, u64)> = Vec::new();
        let mut plain = Vec::with_capacity(rows.len());
        for row in rows {
            let (value, at) = self.row(table, row)?;
            let key = row::key_text(table, &value);
            if let Some((_, line)) = seen.iter().find(|(known, _)| *known == key) {
                let message =
                    format!("key {} of {} is already at line {line}", key.join(" / "), table.id);
                return Err(self.error(at, message));
            }
            seen.push((key, at.line()));
            plain.push(value);
        }
        Ok((table.id.clone(), plain))
    }

    fn row(&self, table: &TableSpec, row: Spanned<Row>) -> Result<(Value, Location), FixtureError> {
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
            self.error(place.map_or(at, |(_, at)| *at), error.to_string())
        })?;
        Ok((plain, at))
    }

    fn error(&self, at: Location, message: String) -> FixtureError {
        let lines = self.text.lines().count().max(1);
        let region = CroppedRegion::new(self.text, self.name, 1, lines, at);
        report(
            self.name,
            &Error::WithSnippet {
                regions: vec![region],
                crop_radius: serde_saphyr::Options::default().crop_radius,
                error: Box::new(Error::Message { msg: message, location: at }),
            },
        )
    }
}

fn report(name: &str, error: &Error) -> FixtureError {
    let options = serde_saphyr::render_options! { source_name: Some(name) };
    let mut report = error.render_with_options(options);
    if !report.contains(name) {
        report = format!("{name}: {report}");
    }
    FixtureError::Invalid { report, line: error.location().map_or(0, |at| at.line()) }
}

/// A map that keeps its order and where its keys stand.
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
