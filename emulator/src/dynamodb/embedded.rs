//! The embedded engine: tables, rows, and its own HTTP server.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
};

use dynoxide::{AttributeValue, Database, DynoxideError, actions};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use tokio::{net::TcpListener, runtime::Handle, sync::oneshot};

use super::{item, table::TableSpec};

/// An engine in memory. Dropping it stops its server.
pub(super) struct Embedded {
    database: Database,
    address: SocketAddr,
    /// The server stops when this goes.
    _stop: oneshot::Sender<()>,
}

impl Embedded {
    /// Creates the tables and serves them on a port of its own.
    pub(super) fn start(runtime: &Handle, tables: &[TableSpec]) -> io::Result<Self> {
        let database = Database::memory().map_err(io::Error::other)?;
        for table in tables {
            create(&database, table).map_err(io::Error::other)?;
        }
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

    /// Where its server listens.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Writes one plain row.
    pub(super) fn put(&self, table: &TableSpec, row: &Map<String, Value>) -> dynoxide::Result<()> {
        let request = json!({ "TableName": table.name, "Item": item::typed_map(row) });
        self.database.put_item(parse(request)?).map(drop)
    }

    /// Writes one item in DynamoDB's own JSON.
    pub(super) fn put_item(&self, table: &TableSpec, item: &Value) -> dynoxide::Result<()> {
        let request = json!({ "TableName": table.name, "Item": item });
        self.database.put_item(parse(request)?).map(drop)
    }

    /// All rows of a table, plain, in no order.
    pub(super) fn scan(&self, table: &TableSpec) -> dynoxide::Result<Vec<Value>> {
        let mut rows = Vec::new();
        let mut from = None;
        loop {
            let page = self.database.scan(actions::scan::ScanRequest {
                table_name: table.name.clone(),
                consistent_read: Some(true),
                exclusive_start_key: from,
                ..Default::default()
            })?;
            let items = page.items.unwrap_or_default();
            rows.extend(items.into_iter().map(|item| plain_row(table, item)));
            from = page.last_evaluated_key;
            if from.is_none() {
                return Ok(rows);
            }
        }
    }

    /// Makes a table anew, without rows.
    pub(super) fn empty(&self, table: &TableSpec) -> dynoxide::Result<()> {
        self.database.delete_table(parse(json!({ "TableName": table.name }))?)?;
        create(&self.database, table)
    }
}

fn create(database: &Database, table: &TableSpec) -> dynoxide::Result<()> {
    database.create_table(parse(table.create_request())?)?;
    if let Some(attribute) = &table.ttl {
        database.update_time_to_live(parse(json!({
            "TableName": table.name,
            "TimeToLiveSpecification": { "AttributeName": attribute, "Enabled": true },
        }))?)?;
    }
    Ok(())
}

/// Requests are built as JSON, so that the engine checks them as it checks a client's.
fn parse<T: DeserializeOwned>(request: Value) -> dynoxide::Result<T> {
    serde_json::from_value(request).map_err(|e| {
        let message = e.to_string();
        let message = message.strip_prefix("VALIDATION:").unwrap_or(&message);
        DynoxideError::ValidationException(message.into())
    })
}

/// Keys first, then by name: the engine's own order is random.
fn plain_row(table: &TableSpec, item: impl IntoIterator<Item = (String, AttributeValue)>) -> Value {
    let mut attributes: Vec<(String, AttributeValue)> = item.into_iter().collect();
    let place = |name: &str| table.key.attributes().position(|a| a.name == name);
    attributes.sort_by(|(a, _), (b, _)| {
        let by_key = |name| place(name).unwrap_or(usize::MAX);
        by_key(a).cmp(&by_key(b)).then_with(|| a.cmp(b))
    });
    let plain = |value: AttributeValue| {
        serde_json::to_value(value).map_or(Value::Null, |typed| item::plain(&typed))
    };
    attributes.into_iter().map(|(name, value)| (name, plain(value))).collect()
}
