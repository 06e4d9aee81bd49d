//! The database of one world: engine, proxy, and direct access to rows.

use std::{fmt, io, net::TcpListener};

use serde_json::{Map, Value};

use super::{
    engine::{Engine, EngineError},
    item,
    proxy::Proxy,
    row::{self, RowError},
    service::Service,
    service_error::ServiceError,
    table::TableSpec,
    tables::nearest_table,
};
use rehearse_core::{
    faults::Faults,
    journal::{ExchangeDetail, Journal},
    threads::Threads,
};

/// A database with its tables, behind a proxy. Dropping it stops both.
pub struct Database {
    tables: Vec<TableSpec>,
    // Fields are dropped in this order: the proxy stops before its engine.
    proxy: Proxy,
    engine: Engine,
    journal: Journal,
    _threads: Threads,
}

impl Database {
    /// Creates `tables` on the service's engine and serves the proxy on `listener`. Both run on one of
    /// `threads`, not on the caller's runtime.
    ///
    /// # Errors
    /// When there is no engine, a table cannot be created, or a port cannot be served.
    pub async fn start(
        listener: TcpListener,
        threads: &Threads,
        service: &Service,
        tables: &[TableSpec],
        journal: Journal,
        faults: Faults,
    ) -> Result<Self, StartError> {
        let runtime = &threads.handle().map_err(StartError::Serve)?;
        let engine = service.open(runtime, tables).await.map_err(StartError::Service)?;
        let route = engine.route(tables);
        let proxy = Proxy::start(listener, runtime, route, tables, journal.clone(), faults);
        let proxy = proxy.map_err(StartError::Serve)?;
        let _threads = threads.clone();
        Ok(Self { tables: tables.to_vec(), proxy, engine, journal, _threads })
    }

    /// Endpoint URL for AWS SDKs. With `/fn/<FunctionId>` appended, the journal names the function
    /// that calls.
    pub fn url(&self) -> String {
        format!("http://{}", self.proxy.address())
    }

    /// The tables.
    pub fn tables(&self) -> &[TableSpec] {
        &self.tables
    }

    /// Writes rows of plain JSON; the journal does not record it. Rows before an invalid one are written.
    ///
    /// # Errors
    /// When the table is unknown, a row does not fit it, or the engine fails.
    pub async fn put_rows(&self, table: &str, rows: &[Value]) -> Result<(), DatabaseError> {
        let table = self.table(table)?;
        for row in rows {
            row::check(table, row).map_err(DatabaseError::Row)?;
            if let Value::Object(row) = row {
                let item = item::to_item(row);
                self.engine.put(table, item).await.map_err(|e| refused(table, e))?;
            }
        }
        Ok(())
    }

    /// All rows of a table as plain JSON, ordered by key. Reads the whole table.
    ///
    /// # Errors
    /// When the table is unknown or the engine fails.
    pub async fn rows(&self, table: &str) -> Result<Vec<Value>, DatabaseError> {
        let table = self.table(table)?;
        let items = self.engine.scan(table).await.map_err(|e| refused(table, e))?;
        let mut rows: Vec<Value> =
            items.into_iter().map(|item| row::from_item(table, item)).collect();
        rows.sort_by(|a, b| row::compare_keys(table, a, b));
        Ok(rows)
    }

    /// Finds a table by its name or its logical id.
    ///
    /// # Errors
    /// When no table has this name or id.
    pub fn find(&self, table: &str) -> Result<&TableSpec, DatabaseError> {
        let named = self.tables.iter().find(|t| t.name == table);
        named.map_or_else(|| self.table(table), Ok)
    }

    /// All rows of a table in DynamoDB's own format, ordered by key.
    ///
    /// # Errors
    /// When the table is unknown or the engine fails.
    pub async fn items(&self, table: &str) -> Result<Vec<Map<String, Value>>, DatabaseError> {
        let table = self.table(table)?;
        let items = self.engine.scan(table).await.map_err(|e| refused(table, e))?;
        let mut items: Vec<_> =
            items.into_iter().map(|i| (row::from_item(table, i.clone()), i)).collect();
        items.sort_by(|(a, _), (b, _)| row::compare_keys(table, a, b));
        Ok(items.into_iter().map(|(_, item)| item).collect())
    }

    /// Checks rows in DynamoDB's own format and returns their keys as text.
    ///
    /// # Errors
    /// When the table is unknown, or for the first row that does not fit it.
    pub fn check_items(
        &self,
        table: &str,
        items: &[Map<String, Value>],
    ) -> Result<Vec<Vec<String>>, DatabaseError> {
        let table = self.table(table)?;
        let key = |item| {
            row::check_item(table, item)?;
            Ok(row::item_key_text(table, item))
        };
        items.iter().map(key).collect::<Result<_, _>>().map_err(DatabaseError::Row)
    }

    /// Writes rows in DynamoDB's own format; the journal does not record it.
    ///
    /// # Errors
    /// When the table is unknown, or the engine refuses a row or fails.
    pub async fn put_items(
        &self,
        table: &str,
        items: Vec<Map<String, Value>>,
    ) -> Result<(), DatabaseError> {
        let table = self.table(table)?;
        for item in items {
            self.engine.put(table, item).await.map_err(|e| refused(table, e))?;
        }
        Ok(())
    }

    /// Deletes rows by their keys in DynamoDB's own format; the journal does not record it. Attributes
    /// that are not of the primary key are ignored, so a whole row may be given. Returns how many
    /// there were. All keys are checked before the first row is deleted.
    ///
    /// # Errors
    /// When the table is unknown, a key does not fit it, or the engine fails.
    pub async fn delete_items(
        &self,
        table: &str,
        keys: &[Map<String, Value>],
    ) -> Result<usize, DatabaseError> {
        let table = self.table(table)?;
        let key_of = |row: &Map<String, Value>| {
            let mut key = row.clone();
            key.retain(|name, _| table.key.attributes().any(|attribute| attribute.name == *name));
            row::check_item(table, &key).map(|()| key)
        };
        let keys: Vec<_> =
            keys.iter().map(key_of).collect::<Result<_, _>>().map_err(DatabaseError::Row)?;
        let mut deleted = 0;
        for key in keys {
            let was_there = self.engine.delete(table, key).await.map_err(|e| refused(table, e))?;
            deleted += usize::from(was_there);
        }
        Ok(deleted)
    }

    /// All rows of a table, which are recorded in the journal as well.
    ///
    /// # Errors
    /// As [`Database::rows`].
    pub async fn snapshot(&self, table: &str) -> Result<Vec<Value>, DatabaseError> {
        let rows = self.rows(table).await?;
        let exchange = ExchangeDetail::Rows { table: table.into(), rows: rows.clone() };
        self.journal.note(format!("rows.{table}"), exchange);
        Ok(rows)
    }

    /// Deletes all rows of all tables.
    ///
    /// # Errors
    /// When the engine fails; earlier tables are empty then.
    pub async fn empty(&self) -> Result<(), DatabaseError> {
        for table in &self.tables {
            self.engine.empty(table).await.map_err(|source| refused(table, source))?;
        }
        Ok(())
    }

    /// Waits until no call is outstanding that a fault delays: such a call is carried out, also when its
    /// caller has stopped waiting.
    pub async fn settled(&self) {
        self.proxy.delayed().settled().await;
    }

    /// How many calls were delayed so far; `None` while one is outstanding.
    pub fn begun_if_idle(&self) -> Option<u64> {
        self.proxy.delayed().begun_if_idle()
    }

    /// Abandons the delayed calls that are outstanding: none of them reaches the engine after this.
    pub async fn abandon_delayed_calls(&self) {
        self.proxy.delayed().abandon().await;
    }

    fn table(&self, id: &str) -> Result<&TableSpec, DatabaseError> {
        self.tables.iter().find(|t| t.id == id).ok_or_else(|| DatabaseError::UnknownTable {
            table: id.into(),
            nearest: nearest_table(&self.tables, id),
        })
    }
}

/// Why a database did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// There is no engine.
    #[error("there is no database")]
    Service(#[source] ServiceError),
    /// A port could not be served, or a thread not started.
    #[error("failed to serve")]
    Serve(#[source] io::Error),
}

/// Why rows could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// No table has this logical id.
    #[error("there is no table `{table}`{}", nearest.as_ref().map(|n| format!("; did you mean `{n}`?")).unwrap_or_default())]
    UnknownTable {
        /// The unknown id.
        table: String,
        /// The most similar one, if any is similar.
        nearest: Option<String>,
    },
    /// A row does not fit its table.
    #[error("the row does not fit")]
    Row(#[source] RowError),
    /// The engine refused the operation or did not respond.
    #[error("the database refused an operation on {table}")]
    Engine {
        /// Logical id of the table.
        table: String,
        /// The engine's error.
        #[source]
        source: EngineError,
    },
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Database").field("url", &self.url()).finish_non_exhaustive()
    }
}

fn refused(table: &TableSpec, source: EngineError) -> DatabaseError {
    DatabaseError::Engine { table: table.id.clone(), source }
}
