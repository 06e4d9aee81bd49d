//! The engine behind a proxy: inside this process, or elsewhere.

use serde_json::{Map, Value};

use super::{
    client::{ClientError, EngineClient},
    embedded::Embedded,
    route::EngineRoute,
    service::NamespaceGuard,
    table::TableSpec,
};

/// What keeps the tables of one world.
pub(super) enum Engine {
    Embedded(Embedded),
    ExternalTables(Box<ExternalTables>),
}

/// The tables of one world on an engine of another process.
pub(super) struct ExternalTables {
    pub(super) client: EngineClient,
    /// Tells whoever keeps the engine when this world is gone.
    pub(super) lease: NamespaceGuard,
}

/// EngineErrorKind an engine did not do it.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct EngineError(EngineErrorKind);

#[derive(Debug, thiserror::Error)]
#[error(transparent)]
enum EngineErrorKind {
    Embedded(dynoxide::DynoxideError),
    ExternalTables(ClientError),
}

impl Engine {
    /// The way to it, for the proxy.
    pub(super) fn route(&self, tables: &[TableSpec]) -> EngineRoute {
        match self {
            Self::Embedded(embedded) => EngineRoute::embedded(embedded.address(), tables),
            Self::ExternalTables(at) => {
                EngineRoute::external(at.lease.address(), at.lease.namespace().clone(), tables)
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
            Self::ExternalTables(at) => Ok(at.client.put(table, &item).await?),
        }
    }

    /// All items of a table, in no order.
    pub(super) async fn scan(
        &self,
        table: &TableSpec,
    ) -> Result<Vec<Map<String, Value>>, EngineError> {
        match self {
            Self::Embedded(embedded) => Ok(embedded.scan(table)?),
            Self::ExternalTables(at) => Ok(at.client.scan(table).await?),
        }
    }

    /// Makes a table anew, without rows.
    pub(super) async fn empty(&self, table: &TableSpec) -> Result<(), EngineError> {
        match self {
            Self::Embedded(embedded) => Ok(embedded.empty(table)?),
            Self::ExternalTables(at) => {
                at.client.delete(&table.name).await?;
                Ok(at.client.create(table).await?)
            }
        }
    }
}

impl From<dynoxide::DynoxideError> for EngineError {
    fn from(error: dynoxide::DynoxideError) -> Self {
        Self(EngineErrorKind::Embedded(error))
    }
}

impl From<ClientError> for EngineError {
    fn from(error: ClientError) -> Self {
        Self(EngineErrorKind::ExternalTables(error))
    }
}
