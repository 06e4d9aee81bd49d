//! An embedded engine: tables, rows, and its own HTTP server.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
};

use dynoxide::{AttributeValue, Database, DynoxideError, actions};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use tokio::{net::TcpListener, runtime::Handle, sync::oneshot};

use crate::{table::TableSpec, tables::create_table_request};

/// An engine in this process with an HTTP server. Dropping it stops the server.
pub(crate) struct EmbeddedEngine {
    database: Database,
    address: SocketAddr,
    /// The server stops when this is dropped.
    _stop: oneshot::Sender<()>,
}

/// Why the engine did not start, or refused an operation.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EmbeddedError {
    /// Its server could not be started.
    #[error(transparent)]
    Serve(#[from] io::Error),
    /// The engine refused.
    #[error(transparent)]
    Engine(#[from] DynoxideError),
}

impl EmbeddedError {
    /// A code without any contents of rows.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Serve(_) => "Serve",
            Self::Engine(error) => error.short_error_code(),
        }
    }
}

impl EmbeddedEngine {
    /// An engine in memory with these tables, served on `runtime`.
    ///
    /// # Errors
    /// When a table cannot be created or no port can be served.
    pub(crate) fn in_memory(runtime: &Handle, tables: &[TableSpec]) -> Result<Self, EmbeddedError> {
        let database = Database::memory()?;
        for table in tables {
            create_table(&database, table)?;
        }
        Ok(Self::serve(runtime, database)?)
    }

    /// Serves a database on a loopback port of its own.
    ///
    /// # Errors
    /// When no port can be served.
    pub(super) fn serve(runtime: &Handle, database: Database) -> io::Result<Self> {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let _context = runtime.enter();
        let listener = TcpListener::from_std(listener)?;
        let (stop, stopped) = oneshot::channel::<()>();
        let served = database.clone();
        runtime.spawn(async move {
            let stopped = async move { drop(stopped.await) };
            // It only fails when the listener does; callers then see refused connections.
            let _ = dynoxide::server::serve_with_shutdown(listener, served, stopped).await;
        });
        Ok(Self { database, address, _stop: stop })
    }

    /// Where its server listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Writes one item.
    ///
    /// # Errors
    /// When the engine refuses the item.
    pub(crate) fn put(
        &self,
        table: &TableSpec,
        item: Map<String, Value>,
    ) -> Result<(), EmbeddedError> {
        let request = json!({ "TableName": table.name, "Item": item });
        self.database.put_item(parse(request)?)?;
        Ok(())
    }

    /// Deletes the item with this key, and says whether there was one.
    ///
    /// # Errors
    /// When the engine refuses the key.
    pub(crate) fn delete(
        &self,
        table: &TableSpec,
        key: Map<String, Value>,
    ) -> Result<bool, EmbeddedError> {
        let request = json!({ "TableName": table.name, "Key": key, "ReturnValues": "ALL_OLD" });
        Ok(self.database.delete_item(parse(request)?)?.attributes.is_some())
    }

    /// All items of a table, unordered.
    ///
    /// # Errors
    /// When the engine has no such table.
    pub(crate) fn scan(&self, table: &TableSpec) -> Result<Vec<Map<String, Value>>, EmbeddedError> {
        let mut items = Vec::new();
        let mut from = None;
        loop {
            let page = self.database.scan(actions::scan::ScanRequest {
                table_name: table.name.clone(),
                consistent_read: Some(true),
                exclusive_start_key: from,
                ..Default::default()
            })?;
            items.extend(page.items.unwrap_or_default().into_iter().map(|item| {
                let json = |value: AttributeValue| serde_json::to_value(value).unwrap_or_default();
                item.into_iter().map(|(name, value)| (name, json(value))).collect::<Map<_, _>>()
            }));
            from = page.last_evaluated_key;
            if from.is_none() {
                return Ok(items);
            }
        }
    }

    /// Deletes a table and creates it again without rows.
    ///
    /// # Errors
    /// When the engine has no such table.
    pub(crate) fn empty(&self, table: &TableSpec) -> Result<(), EmbeddedError> {
        self.database.delete_table(parse(json!({ "TableName": table.name }))?)?;
        Ok(create_table(&self.database, table)?)
    }
}

/// Creates a table with its indexes and TTL.
pub(super) fn create_table(database: &Database, table: &TableSpec) -> dynoxide::Result<()> {
    database.create_table(parse(create_table_request(table))?)?;
    if let Some(attribute) = &table.ttl {
        database.update_time_to_live(parse(json!({
            "TableName": table.name,
            "TimeToLiveSpecification": { "AttributeName": attribute, "Enabled": true },
        }))?)?;
    }
    Ok(())
}

/// The response of `DescribeTable`; `None` if there is no such table.
pub(super) fn describe_table(database: &Database, name: &str) -> dynoxide::Result<Option<Value>> {
    match database.describe_table(parse(json!({ "TableName": name }))?) {
        Ok(description) => Ok(serde_json::to_value(description).ok()),
        Err(DynoxideError::ResourceNotFoundException(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Requests are built as JSON, so that the engine checks them like a client's.
fn parse<T: DeserializeOwned>(request: Value) -> dynoxide::Result<T> {
    serde_json::from_value(request).map_err(|e| {
        let message = e.to_string();
        let message = message.strip_prefix("VALIDATION:").unwrap_or(&message);
        DynoxideError::ValidationException(message.into())
    })
}
