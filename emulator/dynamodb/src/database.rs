//! A world's database: the engine, its proxy, and rows for checks.

use std::{cmp::Ordering, fmt, io, net::TcpListener};

use serde_json::{Map, Value};

use super::{
    engine::{Engine, EngineError},
    item,
    proxy::Proxy,
    row::{self, RowError},
    service::Service,
    service_error::ServiceError,
    table::{AttributeKind, TableSpec},
};
use rehearse_core::{
    faults::Faults,
    journal::{ExchangeDetail, Journal},
    names,
    threads::Threads,
};

/// Why a database did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// There is no engine.
    #[error("there is no database")]
    Service(#[source] ServiceError),
    /// A port could not be served.
    #[error("failed to serve")]
    Serve(#[source] io::Error),
}

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
        source: EngineError,
    },
}

/// A database with the tables of a template. Dropping it stops its servers.
pub struct Database {
    tables: Vec<TableSpec>,
    // Declared in the order in which they stop: no call reaches an engine that is gone.
    proxy: Proxy,
    engine: Engine,
    journal: Journal,
    _threads: Threads,
}

impl Database {
    /// Makes `tables` on the service's engine, and starts the proxy on `listener`.
    ///
    /// # Errors
    /// When there is no engine, a table cannot be made, or a port cannot be served.
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
    pub async fn put_rows(&self, table: &str, rows: &[Value]) -> Result<(), DatabaseError> {
        let table = self.table(table)?;
        for row in rows {
            row::check(table, row).map_err(DatabaseError::Row)?;
            if let Value::Object(row) = row {
                let item = item::typed_map(row);
                self.engine.put(table, item).await.map_err(|e| refused(table, e))?;
            }
        }
        Ok(())
    }

    /// All rows of a table as plain JSON, ordered by key.
    ///
    /// # Errors
    /// An unknown table.
    pub async fn rows(&self, table: &str) -> Result<Vec<Value>, DatabaseError> {
        let table = self.table(table)?;
        let items = self.engine.scan(table).await.map_err(|e| refused(table, e))?;
        let mut rows: Vec<Value> = items.into_iter().map(|item| plain_row(table, item)).collect();
        rows.sort_by(|a, b| by_key(table, a, b));
        Ok(rows)
    }

    /// A table by its logical id or its name.
    ///
    /// # Errors
    /// An unknown table.
    pub fn find(&self, table: &str) -> Result<&TableSpec, DatabaseError> {
        let named = self.tables.iter().find(|t| t.name == table);
        named.map_or_else(|| self.table(table), Ok)
    }

    /// All rows of a table in DynamoDB's own format, ordered by key.
    ///
    /// # Errors
    /// An unknown table.
    pub async fn items(&self, table: &str) -> Result<Vec<Map<String, Value>>, DatabaseError> {
        let table = self.table(table)?;
        let items = self.engine.scan(table).await.map_err(|e| refused(table, e))?;
        let mut items: Vec<_> =
            items.into_iter().map(|i| (plain_row(table, i.clone()), i)).collect();
        items.sort_by(|(a, _), (b, _)| by_key(table, a, b));
        Ok(items.into_iter().map(|(_, item)| item).collect())
    }

    /// Checks rows in DynamoDB's own format, and tells their keys; the first that does not fit is
    /// the error.
    ///
    /// # Errors
    /// An unknown table, or a row that does not fit it.
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

    /// Writes rows in DynamoDB's own format, unseen by the journal.
    ///
    /// # Errors
    /// An unknown table, or a row that the engine refuses.
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

    /// The rows of a table, recorded in the journal, which every check reads.
    ///
    /// # Errors
    /// An unknown table.
    pub async fn snapshot(&self, table: &str) -> Result<Vec<Value>, DatabaseError> {
        let rows = self.rows(table).await?;
        let exchange = ExchangeDetail::Rows { table: table.into(), rows: rows.clone() };
        self.journal.note(format!("rows.{table}"), exchange);
        Ok(rows)
    }

    /// Removes every row of every table.
    ///
    /// # Errors
    /// When the engine refuses.
    pub async fn empty(&self) -> Result<(), DatabaseError> {
        for table in &self.tables {
            self.engine.empty(table).await.map_err(|source| refused(table, source))?;
        }
        Ok(())
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

fn refused(table: &TableSpec, source: EngineError) -> DatabaseError {
    DatabaseError::Engine { table: table.id.clone(), source }
}

/// The logical id most similar to `id`.
pub(super) fn nearest_table(tables: &[TableSpec], id: &str) -> Option<String> {
    names::nearest(id, tables.iter().map(|table| table.id.as_str())).map(str::to_owned)
}

/// Keys first, then by name: no engine has an order of its own.
fn plain_row(table: &TableSpec, item: Map<String, Value>) -> Value {
    let mut attributes: Vec<(String, Value)> = item.into_iter().collect();
    let place = |name: &str| table.key.attributes().position(|a| a.name == name);
    attributes.sort_by(|(a, _), (b, _)| {
        let by_key = |name| place(name).unwrap_or(usize::MAX);
        by_key(a).cmp(&by_key(b)).then_with(|| a.cmp(b))
    });
    attributes.into_iter().map(|(name, value)| (name, item::plain(&value))).collect()
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
