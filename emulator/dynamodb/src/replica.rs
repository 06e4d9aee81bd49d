//! Stale reads: a copy of all rows as they were when a fault for stale reads was armed.
//!
//! DynamoDB may serve a read without `ConsistentRead` from a replica that lags behind. No local
//! engine does that, so code that forgets `ConsistentRead` would look right everywhere but in
//! production. Here, the first write after a `stale` fault is armed copies all rows into an
//! embedded engine of their own. Stale reads then go to that engine, so index reads and missing
//! rows follow DynamoDB's rules too.

use tokio::{runtime::Handle, sync::Mutex};

use super::{
    client::{ClientError, EngineClient},
    embedded::{EmbeddedEngine, EmbeddedError},
    http_connection::{HttpConnection, SendError},
    table::TableSpec,
    wire::{EngineRequest, EngineResponse},
};
use rehearse_core::faults::FaultHandle;

/// The copy that serves the stale reads of one proxy.
pub(super) struct Replica {
    /// Reads the rows to copy.
    source: EngineClient,
    tables: Vec<TableSpec>,
    runtime: Handle,
    frozen: Mutex<Option<FrozenCopy>>,
}

/// Why the copy could not be made or read. The texts contain no rows.
#[derive(Debug, thiserror::Error)]
pub(super) enum ReplicaError {
    #[error("failed to start an engine for the copy")]
    Start(#[source] EmbeddedError),
    #[error("failed to read the rows of table {table}")]
    Read {
        table: String,
        #[source]
        source: ClientError,
    },
    #[error("failed to copy a row of table {table}: {code}")]
    Write { table: String, code: &'static str },
    #[error("the copy does not respond")]
    Send(#[source] SendError),
}

struct FrozenCopy {
    /// Which moment: [`rehearse_core::faults::Faults::latest_stale`].
    moment: FaultHandle,
    engine: EmbeddedEngine,
}

impl Replica {
    /// A replica of the tables behind `source`, without a copy yet. The engine that holds the copy
    /// runs on `runtime`.
    pub(super) fn new(source: EngineClient, tables: &[TableSpec], runtime: &Handle) -> Self {
        let (tables, runtime) = (tables.to_vec(), runtime.clone());
        Self { source, tables, runtime, frozen: Mutex::default() }
    }

    /// Copies all rows, unless the copy for this moment is there already. Must be called before
    /// each write; concurrent writes wait for the copy. Costs a scan of every table.
    ///
    /// # Errors
    /// When the rows cannot be read or stored in the copy.
    pub(super) async fn freeze(&self, moment: FaultHandle) -> Result<(), ReplicaError> {
        let mut frozen = self.frozen.lock().await;
        if frozen.as_ref().is_some_and(|frozen| frozen.moment == moment) {
            return Ok(());
        }
        let engine = EmbeddedEngine::in_memory(&self.runtime, &self.tables);
        let engine = engine.map_err(ReplicaError::Start)?;
        for table in &self.tables {
            let name = || table.name.clone();
            let items = self.source.scan(table).await;
            for item in items.map_err(|source| ReplicaError::Read { table: name(), source })? {
                let copied = engine.put(table, item);
                // Only the code: the engine's message may contain parts of the row.
                copied
                    .map_err(|error| ReplicaError::Write { table: name(), code: error.code() })?;
            }
        }
        *frozen = Some(FrozenCopy { moment, engine });
        Ok(())
    }

    /// The copy's response to a read; `None` if nothing was written since this moment, so that the
    /// current rows are the stale ones.
    ///
    /// # Errors
    /// When the engine with the copy does not respond.
    pub(super) async fn read(
        &self,
        moment: FaultHandle,
        request: EngineRequest,
    ) -> Result<Option<EngineResponse>, ReplicaError> {
        let address = {
            let frozen = self.frozen.lock().await;
            match frozen.as_ref().filter(|frozen| frozen.moment == moment) {
                Some(frozen) => frozen.engine.address(),
                None => return Ok(None),
            }
        };
        let response = HttpConnection::new(address).send(request).await;
        response.map(Some).map_err(ReplicaError::Send)
    }
}
