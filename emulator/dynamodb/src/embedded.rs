//! The embedded engine: tables, rows, and its own HTTP server.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
};

use dynoxide::{AttributeValue, Database, DynoxideError, actions};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use tokio::{net::TcpListener, runtime::Handle, sync::oneshot};

use super::{table::TableSpec, tables::create_table_request};

/// An engine in this process. Dropping it stops its server.
pub(super) struct Embedded {
    database: Database,
    address: SocketAddr,
    /// The server stops when this goes.
    _stop: oneshot::Sender<()>,
}

impl Embedded {
    /// An engine in memory with these tables.
    pub(super) fn memory(runtime: &Handle, tables: &[TableSpec]) -> io::Result<Self> {
        let database = Database::memory().map_err(io::Error::other)?;
        for table in tables {
            Self::create(&database, table).map_err(io::Error::other)?;
        }
        Self::start(runtime, database)
    }

    /// Serves a database on a port of its own.
    pub(super) fn start(runtime: &Handle, database: Database) -> io::Result<Self> {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let _context = runtime.enter();
        let listener = TcpListener::from_std(listener)?;
        let (stop, stopped) = oneshot::channel::<()>();
        let served = database.clone();
        runtime.spawn(async move {
            let stopped = async move { drop(stopped.await) };
            // Its only error is a listener that fails; callers then see connections refused.
            let _ = dynoxide::server::serve_with_shutdown(listener, served, stopped).await;
        });
        Ok(Self { database, address, _stop: stop })
    }

    /// Makes a table.
    pub(super) fn create(database: &Database, table: &TableSpec) -> dynoxide::Result<()> {
        database.create_table(parse(create_table_request(table))?)?;
        if let Some(attribute) = &table.ttl {
            database.update_time_to_live(parse(json!({
                "TableName": table.name,
                "TimeToLiveSpecification": { "AttributeName": attribute, "Enabled": true },
            }))?)?;
        }
        Ok(())
    }

    /// What DescribeTable says; `None` when there is no such table.
    pub(super) fn described(database: &Database, name: &str) -> dynoxide::Result<Option<Value>> {
        match database.describe_table(parse(json!({ "TableName": name }))?) {
            Ok(described) => Ok(serde_json::to_value(described).ok()),
            Err(DynoxideError::ResourceNotFoundException(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Where its server listens.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Writes one item.
    pub(super) fn put(&self, table: &TableSpec, item: Map<String, Value>) -> dynoxide::Result<()> {
        let request = json!({ "TableName": table.name, "Item": item });
        self.database.put_item(parse(request)?).map(drop)
    }

    /// All items of a table, in no order.
    pub(super) fn scan(&self, table: &TableSpec) -> dynoxide::Result<Vec<Map<String, Value>>> {
        let mut rows = Vec::new();
        let mut from = None;
        loop {
            let page = self.database.scan(actions::scan::ScanRequest {
                table_name: table.name.clone(),
                consistent_read: Some(true),
                exclusive_start_key: from,
                ..Default::default()
            })?;
            rows.extend(page.items.unwrap_or_default().into_iter().map(|item| {
                let typed = |value: AttributeValue| serde_json::to_value(value).unwrap_or_default();
                item.into_iter().map(|(name, value)| (name, typed(value))).collect::<Map<_, _>>()
            }));
            from = page.last_evaluated_key;
            if from.is_none() {
                return Ok(rows);
            }
        }
    }

    /// Makes a table anew, without rows.
    pub(super) fn empty(&self, table: &TableSpec) -> dynoxide::Result<()> {
        self.database.delete_table(parse(json!({ "TableName": table.name }))?)?;
        Self::create(&self.database, table)
    }
}

/// Requests are built as JSON, so that the engine checks them as it checks a client's.
fn parse<T: DeserializeOwned>(request: Value) -> dynoxide::Result<T> {
    serde_json::from_value(request).map_err(|e| {
        let message = e.to_string();
        let message = message.strip_prefix("VALIDATION:").unwrap_or(&message);
        DynoxideError::ValidationException(message.into())
    })
}
