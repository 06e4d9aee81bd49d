//! A world's database: the engine, its proxy, and rows for checks.

use std::{cmp::Ordering, fmt, io, net::TcpListener};

use serde_json::Value;

use super::{
    embedded::Embedded,
    proxy::Proxy,
    row::{self, RowError},
    table::{AttributeKind, TableSpec},
};
use crate::{
    clock::Clock,
    faults::Faults,
    journal::{Crossing, Journal},
    names,
    threads::Threads,
};

/// Why rows could not be put or read.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// No table has this logical id.
    #[error("there is no table `{table}`{}", nearest.as_ref().map(|n| format!("; did you mean `{n}`?")).unwrap_or_default())]
    UnknownTable {
        /// The id that was asked for.
        table: String,
        /// The most similar one, if any is similar.
        nearest: Option<String>,
    },
    /// A row does not fit its table.
    #[error("the row does not fit")]
    Row(#[source] RowError),
    /// The engine refused.
    #[error("the database refused an operation on {table}")]
    Engine {
        /// Logical id of the table.
        table: String,
        /// What it said.
        #[source]
        source: dynoxide::DynoxideError,
    },
}

/// A database with the tables of a template. Dropping it stops its servers.
pub struct Database {
    tables: Vec<TableSpec>,
    // Declared in the order in which they stop: no call reaches an engine that is gone.
    proxy: Proxy,
    embedded: Embedded,
    journal: Journal,
    _threads: Threads,
}

impl Database {
    /// Starts an embedded engine with `tables`, and the proxy on `listener`.
    ///
    /// # Errors
    /// When a port cannot be served or a table cannot be created.
    pub fn start(
        listener: TcpListener,
        threads: &Threads,
        tables: &[TableSpec],
        journal: Journal,
        // The embedded engine expires nothing by itself, so it needs no clock yet.
        _clock: Clock,
        faults: Faults,
    ) -> io::Result<Self> {
        let runtime = &threads.handle()?;
        let embedded = Embedded::start(runtime, tables)?;
        let proxy =
            Proxy::start(listener, runtime, embedded.address(), tables, journal.clone(), faults)?;
        let _threads = threads.clone();
        Ok(Self { tables: tables.to_vec(), proxy, embedded, journal, _threads })
    }

    /// Endpoint for AWS SDKs; `/fn/<FunctionId>` after it tells the journal who calls.
    pub fn url(&self) -> String {
        format!("http://{}", self.proxy.address())
    }

    /// The tables.
    pub fn tables(&self) -> &[TableSpec] {
        &self.tables
    }

    /// Writes plain rows, unseen by the journal.
    ///
    /// # Errors
    /// An unknown table, or a row that does not fit it.
    pub fn put_rows(&self, table: &str, rows: &[Value]) -> Result<(), DatabaseError> {
        let table = self.table(table)?;
        for row in rows {
            row::check(table, row).map_err(DatabaseError::Row)?;
            if let Value::Object(row) = row {
                self.embedded.put(table, row).map_err(|e| refused(table, e))?;
            }
        }
        Ok(())
    }

    /// All rows of a table as plain JSON, ordered by key.
    ///
    /// # Errors
    /// An unknown table.
    pub fn rows(&self, table: &str) -> Result<Vec<Value>, DatabaseError> {
        let table = self.table(table)?;
        let mut rows = self.embedded.scan(table).map_err(|e| refused(table, e))?;
        rows.sort_by(|a, b| by_key(table, a, b));
        Ok(rows)
    }

    /// The rows of a table, recorded in the journal, which every check reads.
    ///
    /// # Errors
    /// An unknown table.
    pub fn snapshot(&self, table: &str) -> Result<Vec<Value>, DatabaseError> {
        let rows = self.rows(table)?;
        let crossing = Crossing::Rows { table: table.into(), rows: rows.clone() };
        self.journal.note(format!("rows.{table}"), crossing);
        Ok(rows)
    }

    /// Removes every row of every table.
    ///
    /// # Errors
    /// When the engine refuses.
    pub fn empty(&self) -> Result<(), DatabaseError> {
        self.tables.iter().try_for_each(|table| {
            self.embedded.empty(table).map_err(|source| refused(table, source))
        })
    }

    fn table(&self, id: &str) -> Result<&TableSpec, DatabaseError> {
        self.tables.iter().find(|t| t.id == id).ok_or_else(|| DatabaseError::UnknownTable {
            table: id.into(),
            nearest: nearest_table(&self.tables, id),
        })
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Database").field("url", &self.url()).finish_non_exhaustive()
    }
}

fn refused(table: &TableSpec, source: dynoxide::DynoxideError) -> DatabaseError {
    DatabaseError::Engine { table: table.id.clone(), source }
}

/// The logical id most similar to `id`.
pub(super) fn nearest_table(tables: &[TableSpec], id: &str) -> Option<String> {
    names::nearest(id, tables.iter().map(|table| table.id.as_str())).map(str::to_owned)
}

/// Numbers by size, everything else as text.
fn by_key(table: &TableSpec, a: &Value, b: &Value) -> Ordering {
    let orders = table.key.attributes().map(|attribute| {
        let (a, b) = (&a[&attribute.name], &b[&attribute.name]);
        match attribute.kind {
            AttributeKind::Number => {
                let number = |value: &Value| value.as_f64().unwrap_or_default();
                number(a).total_cmp(&number(b))
            }
            AttributeKind::String | AttributeKind::Binary => a.as_str().cmp(&b.as_str()),
        }
    });
    orders.fold(Ordering::Equal, Ordering::then)
}
