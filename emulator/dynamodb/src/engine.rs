//! The engine behind a proxy: inside this process or outside.

use serde_json::{Map, Value};

use super::{
    client::{ClientError, EngineClient},
    embedded::{EmbeddedEngine, EmbeddedError},
    route::EngineRoute,
    supervisor::NamespaceGuard,
    table::TableSpec,
};

/// The engine that holds the tables of one world.
pub(super) enum Engine {
    Embedded(EmbeddedEngine),
    External(Box<ExternalTables>),
}

/// The tables of one world on an engine outside this process.
pub(super) struct ExternalTables {
    pub(super) client: EngineClient,
    /// Tells the supervisor when the world has ended.
    pub(super) guard: NamespaceGuard,
}

/// Why an engine did not carry out an operation.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct EngineError(EngineErrorKind);

#[derive(Debug, thiserror::Error)]
#[error(transparent)]
enum EngineErrorKind {
    Embedded(EmbeddedError),
    External(ClientError),
}

impl Engine {
    /// The proxy's way to it.
    pub(super) fn route(&self, tables: &[TableSpec]) -> EngineRoute {
        match self {
            Self::Embedded(engine) => EngineRoute::embedded(engine.address(), tables),
            Self::External(external) => {
                let guard = &external.guard;
                EngineRoute::external(guard.address(), guard.namespace().clone(), tables)
            }
        }
    }

    /// Writes one item.
    ///
    /// # Errors
    /// When the engine refuses the item or does not respond.
    pub(super) async fn put(
        &self,
        table: &TableSpec,
        item: Map<String, Value>,
    ) -> Result<(), EngineError> {
        match self {
            Self::Embedded(engine) => Ok(engine.put(table, item)?),
            Self::External(external) => Ok(external.client.put(table, &item).await?),
        }
    }

    /// Deletes the item with this key, and says whether there was one.
    ///
    /// # Errors
    /// When the engine refuses the key or does not respond.
    pub(super) async fn delete(
        &self,
        table: &TableSpec,
        key: Map<String, Value>,
    ) -> Result<bool, EngineError> {
        match self {
            Self::Embedded(engine) => Ok(engine.delete(table, key)?),
            Self::External(external) => Ok(external.client.delete_item(table, &key).await?),
        }
    }

    /// All items of a table, unordered.
    ///
    /// # Errors
    /// When the engine has no such table or does not respond.
    pub(super) async fn scan(
        &self,
        table: &TableSpec,
    ) -> Result<Vec<Map<String, Value>>, EngineError> {
        match self {
            Self::Embedded(engine) => Ok(engine.scan(table)?),
            Self::External(external) => Ok(external.client.scan(table).await?),
        }
    }

    /// Deletes a table and creates it again without rows.
    ///
    /// # Errors
    /// When the engine refuses or does not respond.
    pub(super) async fn empty(&self, table: &TableSpec) -> Result<(), EngineError> {
        match self {
            Self::Embedded(engine) => Ok(engine.empty(table)?),
            Self::External(external) => {
                external.client.delete(&table.name).await?;
                Ok(external.client.create(table).await?)
            }
        }
    }
}

impl From<EmbeddedError> for EngineError {
    fn from(error: EmbeddedError) -> Self {
        Self(EngineErrorKind::Embedded(error))
    }
}

impl From<ClientError> for EngineError {
    fn from(error: ClientError) -> Self {
        Self(EngineErrorKind::External(error))
    }
}
