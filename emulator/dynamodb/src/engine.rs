//! The engine behind a proxy: inside this process, or elsewhere.

use serde_json::{Map, Value};

use super::{
    embedded::Embedded,
    link::Link,
    remote::{Remote, RemoteError},
    service::Lease,
    table::TableSpec,
};

/// What keeps the tables of one world.
pub(super) enum Engine {
    Embedded(Embedded),
    Elsewhere(Box<Elsewhere>),
}

/// The tables of one world on an engine of another process.
pub(super) struct Elsewhere {
    pub(super) remote: Remote,
    /// Tells whoever keeps the engine when this world is gone.
    pub(super) lease: Lease,
}

/// Why an engine did not do it.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct EngineError(Why);

#[derive(Debug, thiserror::Error)]
#[error(transparent)]
enum Why {
    Embedded(dynoxide::DynoxideError),
    Elsewhere(RemoteError),
}

impl Engine {
    /// The way to it, for the proxy.
    pub(super) fn link(&self, tables: &[TableSpec]) -> Link {
        match self {
            Self::Embedded(embedded) => Link::embedded(embedded.address(), tables),
            Self::Elsewhere(at) => {
                Link::scoped(at.lease.address(), at.lease.scope().clone(), tables)
            }
        }
    }

    /// Writes one item.
    pub(super) async fn put(
        &self,
        table: &TableSpec,
        item: Map<String, Value>,
    ) -> Result<(), EngineError> {
        match self {
            Self::Embedded(embedded) => Ok(embedded.put(table, item)?),
            Self::Elsewhere(at) => Ok(at.remote.put(table, &item).await?),
        }
    }

    /// All items of a table, in no order.
    pub(super) async fn scan(
        &self,
        table: &TableSpec,
    ) -> Result<Vec<Map<String, Value>>, EngineError> {
        match self {
            Self::Embedded(embedded) => Ok(embedded.scan(table)?),
            Self::Elsewhere(at) => Ok(at.remote.scan(table).await?),
        }
    }

    /// Makes a table anew, without rows.
    pub(super) async fn empty(&self, table: &TableSpec) -> Result<(), EngineError> {
        match self {
            Self::Embedded(embedded) => Ok(embedded.empty(table)?),
            Self::Elsewhere(at) => {
                at.remote.delete(&table.name).await?;
                Ok(at.remote.create(table).await?)
            }
        }
    }
}

impl From<dynoxide::DynoxideError> for EngineError {
    fn from(error: dynoxide::DynoxideError) -> Self {
        Self(Why::Embedded(error))
    }
}

impl From<RemoteError> for EngineError {
    fn from(error: RemoteError) -> Self {
        Self(Why::Elsewhere(error))
    }
}
