//! A fake DynamoDB for tests that need nothing else of rehearse.

use std::{
    io,
    net::{Ipv4Addr, TcpListener},
    sync::{Mutex, PoisonError},
};

use serde_json::Value;

use super::{
    database::{Database, DatabaseError, StartError},
    service::Service,
    table::TableSpec,
};
use rehearse_core::{clock::Clock, faults::Faults, journal::Journal, threads::Threads};

/// A DynamoDB of its own for one test: in memory, on a free loopback port, with a journal of all
/// calls and with faults. It runs on threads of its own, so it works with any tokio runtime.
/// Dropping it stops it.
///
/// ```
/// use rehearse_dynamodb::{FakeDynamoDb, faults::{Failure, Fault}, table::{AttributeKind, TableSpec}};
/// use serde_json::json;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let leads = TableSpec::new("Leads").partition_key("lead_id", AttributeKind::String);
/// let dynamodb = FakeDynamoDb::start([leads]).await?;
/// dynamodb.put("Leads", json!({ "lead_id": "L-1", "price": 79.9 })).await?;
///
/// // Give the code under test this endpoint, any region and any credentials.
/// assert!(dynamodb.url().starts_with("http://127.0.0.1:"));
///
/// // The next write fails as if DynamoDB throttled it.
/// let throttled = Failure { code: Some("ThrottlingException".into()), ..Failure::default() };
/// dynamodb.faults().arm(Fault {
///     on: "dynamodb.PutItem".into(),
///     failure: throttled,
///     times: Some(1),
///     ..Fault::default()
/// });
///
/// // ... run the code under test ...
///
/// assert_eq!(dynamodb.rows("Leads").await?, [json!({ "lead_id": "L-1", "price": 79.9 })]);
/// assert_eq!(dynamodb.journal().exchanges().named("dynamodb.PutItem").count(), 0, "`put` is not recorded");
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct FakeDynamoDb {
    database: Database,
    journal: Journal,
    faults: Faults,
}

impl FakeDynamoDb {
    /// Starts an embedded engine with these tables. Needs the crate's feature `embedded`.
    ///
    /// # Errors
    /// When a table cannot be created, a port cannot be served, threads cannot be started, or the
    /// crate was built without the feature `embedded`.
    pub async fn start(tables: impl IntoIterator<Item = TableSpec>) -> Result<Self, StartError> {
        Self::start_on(&Service::embedded(), tables).await
    }

    /// Creates these tables on a service's engine, such as DynamoDB Local in a container.
    ///
    /// # Errors
    /// When there is no engine, a table cannot be created, a port cannot be served, or threads
    /// cannot be started.
    pub async fn start_on(
        service: &Service,
        tables: impl IntoIterator<Item = TableSpec>,
    ) -> Result<Self, StartError> {
        let tables: Vec<TableSpec> = tables.into_iter().collect();
        let (journal, faults) = (Journal::new(Clock::running()), Faults::default());
        let threads = shared_threads().map_err(StartError::Serve)?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(StartError::Serve)?;
        let (recorded, armed) = (journal.clone(), faults.clone());
        let database = Database::start(listener, &threads, service, &tables, recorded, armed);
        Ok(Self { database: database.await?, journal, faults })
    }

    /// Endpoint URL for AWS SDKs; any region and credentials are accepted.
    pub fn url(&self) -> String {
        self.database.url()
    }

    /// Writes one row of plain JSON; the journal does not record it.
    ///
    /// # Errors
    /// When the table is unknown, the row does not fit it, or the engine fails.
    pub async fn put(&self, table: &str, row: Value) -> Result<(), DatabaseError> {
        self.database.put_rows(table, &[row]).await
    }

    /// All rows of a table as plain JSON, ordered by key.
    ///
    /// # Errors
    /// When the table is unknown or the engine fails.
    pub async fn rows(&self, table: &str) -> Result<Vec<Value>, DatabaseError> {
        self.database.rows(table).await
    }

    /// Every call so far, named by its operation: `dynamodb.PutItem`.
    pub fn journal(&self) -> &Journal {
        &self.journal
    }

    /// Makes calls fail: by operation, table, key, count or chance.
    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    /// The database behind it, with further ways to read and write rows.
    pub fn database(&self) -> &Database {
        &self.database
    }
}

/// All fakes of a process share its threads; they end with the process.
fn shared_threads() -> io::Result<Threads> {
    static THREADS: Mutex<Option<Threads>> = Mutex::new(None);
    let mut threads = THREADS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(threads) = threads.as_ref() {
        return Ok(threads.clone());
    }
    Ok(threads.insert(Threads::start()?).clone())
}
