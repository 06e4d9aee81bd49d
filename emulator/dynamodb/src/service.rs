//! What keeps the tables of all worlds of a process.

use rehearse_core::errors::with_causes;
use std::{
    fmt,
    net::SocketAddr,
    path::PathBuf,
    str::FromStr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use http::HeaderValue;
use tokio::{runtime::Handle, sync::mpsc::UnboundedSender};

use super::{
    client::EngineClient,
    data_folder::DataFolder,
    docker,
    embedded::Embedded,
    endpoint::{Endpoint, EndpointError},
    engine::{Engine, ExternalTables},
    namespace::TableNamespace,
    service_error::ServiceError,
    supervisor::{CloseReport, EngineSupervisor, SupervisorCommand},
    table::TableSpec,
    user_endpoint::{self, RunPrefix, SHARED_ACCESS_KEY},
};
use rehearse_core::names;

/// The image that is used when none is named.
pub const DEFAULT_IMAGE: &str = "amazon/dynamodb-local:3.1.0";

/// Which engine: `embedded`, `docker`, or a URL.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum EngineChoice {
    /// An engine inside this process, in memory.
    #[default]
    Embedded,
    /// DynamoDB Local in a container.
    Docker,
    /// Whatever speaks DynamoDB at this address.
    Endpoint(Endpoint),
}

/// How the engine is to be used.
#[derive(Debug, Clone)]
pub struct ServiceOptions {
    /// Which one.
    pub choice: EngineChoice,
    /// Folder of an embedded engine that outlives the process.
    pub data: Option<PathBuf>,
    /// Image of the container.
    pub image: String,
    /// What stands before each table's name at an endpoint, letters, digits and `_`.
    pub prefix: Option<String>,
    /// Whether an endpoint may be on another machine.
    pub allow_remote: bool,
    /// Whether the container or the tables stay at the end.
    pub keep: bool,
}

impl Default for ServiceOptions {
    fn default() -> Self {
        Self {
            choice: EngineChoice::default(),
            data: None,
            image: DEFAULT_IMAGE.into(),
            prefix: None,
            allow_remote: false,
            keep: false,
        }
    }
}

/// What keeps the tables. Clones share it; the last one to go closes it.
#[derive(Clone)]
pub struct Service(Arc<ServiceKind>);

enum ServiceKind {
    /// Each world has an engine of its own.
    Embedded,
    Folder(DataFolder),
    External(ExternalEngine),
}

/// One engine of another process for all worlds.
struct ExternalEngine {
    supervisor: EngineSupervisor,
    /// How worlds are told apart.
    apart: Isolation,
    worlds: AtomicUsize,
}

enum Isolation {
    AccessKey,
    TablePrefix { host: HeaderValue, prefix: RunPrefix },
}

/// One world's part of an engine that others use as well.
pub(super) struct NamespaceGuard {
    address: SocketAddr,
    namespace: TableNamespace,
    supervisor: UnboundedSender<SupervisorCommand>,
}

impl Service {
    /// Engines inside this process.
    pub fn embedded() -> Self {
        Self(Arc::new(ServiceKind::Embedded))
    }

    /// Begins to start what was chosen, and returns at once; [`Service::ready`] waits for it.
    ///
    /// # Errors
    /// When the choice itself cannot be: a folder in use, an endpoint elsewhere.
    pub fn start(options: ServiceOptions) -> Result<Self, ServiceError> {
        let ServiceOptions { choice, data, image, prefix, allow_remote, keep } = options;
        let serve = |error: std::io::Error| ServiceError::Serve(error.to_string());
        let (supervisor, apart) = match choice {
            EngineChoice::Embedded => {
                return Ok(Self(Arc::new(match data {
                    Some(folder) => ServiceKind::Folder(DataFolder::open(folder)?),
                    None => ServiceKind::Embedded,
                })));
            }
            EngineChoice::Docker => {
                let supervisor = EngineSupervisor::start(move |ready, orders| {
                    docker::supervise(image, keep, ready, orders)
                });
                (supervisor.map_err(serve)?, Isolation::AccessKey)
            }
            EngineChoice::Endpoint(endpoint) => {
                let url = endpoint.to_string();
                if !endpoint.is_loopback() && !allow_remote {
                    return Err(ServiceError::NotLoopback { url });
                }
                let host = HeaderValue::try_from(endpoint.authority())
                    .map_err(|e| ServiceError::Serve(e.to_string()))?;
                let prefix = RunPrefix::new(prefix);
                let of_run = prefix.clone();
                let supervisor = EngineSupervisor::start(move |ready, orders| {
                    user_endpoint::supervise(endpoint, of_run, keep, ready, orders)
                });
                (supervisor.map_err(serve)?, Isolation::TablePrefix { host, prefix })
            }
        };
        let worlds = AtomicUsize::new(0);
        Ok(Self(Arc::new(ServiceKind::External(ExternalEngine { supervisor, apart, worlds }))))
    }

    /// Waits until the engine is there.
    ///
    /// # Errors
    /// Why it is not.
    pub async fn ready(&self) -> Result<(), ServiceError> {
        match self.0.as_ref() {
            ServiceKind::Embedded | ServiceKind::Folder(_) => Ok(()),
            ServiceKind::External(shared) => shared.supervisor.ready().await.map(drop),
        }
    }

    /// Ends the engine, once no world needs it any more, and waits until it is gone.
    pub async fn close(&self) -> CloseReport {
        match self.0.as_ref() {
            ServiceKind::Embedded | ServiceKind::Folder(_) => CloseReport::default(),
            ServiceKind::External(shared) => shared.supervisor.close().await,
        }
    }

    /// Tables for one world.
    pub(super) async fn open(
        &self,
        runtime: &Handle,
        tables: &[TableSpec],
    ) -> Result<Engine, ServiceError> {
        let serve = |error: std::io::Error| ServiceError::Serve(error.to_string());
        match self.0.as_ref() {
            ServiceKind::Embedded => {
                Ok(Engine::Embedded(Embedded::memory(runtime, tables).map_err(serve)?))
            }
            ServiceKind::Folder(folder) => {
                let database = folder.database(tables)?;
                Ok(Engine::Embedded(Embedded::start(runtime, database).map_err(serve)?))
            }
            ServiceKind::External(shared) => {
                let at = shared.open(tables).await?;
                Ok(Engine::ExternalTables(Box::new(at)))
            }
        }
    }
}

impl ExternalEngine {
    async fn open(&self, tables: &[TableSpec]) -> Result<ExternalTables, ServiceError> {
        let address = self.supervisor.ready().await?.address;
        let number = self.worlds.fetch_add(1, Ordering::Relaxed) + 1;
        let namespace = match &self.apart {
            Isolation::AccessKey => TableNamespace {
                access_key: Some(format!("rehearse{number}")),
                ..TableNamespace::default()
            },
            Isolation::TablePrefix { host, prefix } => TableNamespace {
                host: Some(host.clone()),
                access_key: Some(SHARED_ACCESS_KEY.into()),
                prefix: Some(prefix.of_world(number)),
            },
        };
        let client = EngineClient::new(address, namespace.clone());
        // Made first: what it stands for goes also when a table cannot be made.
        let lease = NamespaceGuard::new(address, namespace, self.supervisor.orders());
        for table in tables {
            client.create(table).await.map_err(|error| ServiceError::Table {
                table: table.name.clone(),
                reason: with_causes(&error),
            })?;
        }
        Ok(ExternalTables { client, lease })
    }
}

impl NamespaceGuard {
    fn new(
        address: SocketAddr,
        namespace: TableNamespace,
        supervisor: UnboundedSender<SupervisorCommand>,
    ) -> Self {
        if let Some(prefix) = &namespace.prefix {
            let _ = supervisor.send(SupervisorCommand::NamespaceOpened(prefix.clone()));
        }
        Self { address, namespace, supervisor }
    }

    /// Where the engine listens.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// What tells this world's calls from those of others.
    pub(super) fn namespace(&self) -> &TableNamespace {
        &self.namespace
    }
}

impl Drop for NamespaceGuard {
    fn drop(&mut self) {
        if let Some(prefix) = self.namespace.prefix.take() {
            // A supervisor that is gone has cleaned up already.
            let _ = self.supervisor.send(SupervisorCommand::NamespaceClosed(prefix));
        }
    }
}

impl FromStr for EngineChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        const WORDS: [&str; 2] = ["embedded", "docker"];
        match text {
            "embedded" => Ok(Self::Embedded),
            "docker" => Ok(Self::Docker),
            url if url.contains("://") => {
                Endpoint::parse(url).map(Self::Endpoint).map_err(|e: EndpointError| e.to_string())
            }
            word => Err(format!(
                "it is embedded, docker or a URL such as http://127.0.0.1:8000{}",
                names::hint(word, WORDS)
            )),
        }
    }
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0.as_ref() {
            ServiceKind::Embedded => "Service(embedded)",
            ServiceKind::Folder(_) => "Service(folder)",
            ServiceKind::External(_) => "Service(elsewhere)",
        })
    }
}
