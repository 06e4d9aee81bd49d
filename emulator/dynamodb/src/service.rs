//! The service that holds the tables of all worlds of a process.

use std::{
    fmt,
    path::PathBuf,
    str::FromStr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use http::HeaderValue;
use tokio::runtime::Handle;

use super::{
    client::EngineClient,
    embedded::{DataFolder, EmbeddedEngine},
    endpoint::{Endpoint, EndpointError},
    engine::{Engine, ExternalTables},
    namespace::TableNamespace,
    service_error::ServiceError,
    supervisor::{CloseReport, EngineSupervisor},
    table::TableSpec,
    user_endpoint::{self, RunPrefix, SHARED_ACCESS_KEY},
};
use rehearse_core::{errors::with_causes, names};

/// The image of DynamoDB Local that is used when none is named.
pub const DEFAULT_IMAGE: &str = "amazon/dynamodb-local:3.1.0";

/// Which engine to use. Parses from `embedded`, `docker` or a URL.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum EngineChoice {
    /// An engine inside this process. Needs the crate's feature `embedded`.
    #[default]
    Embedded,
    /// DynamoDB Local in a container. Needs the crate's feature `docker`.
    Docker,
    /// A running DynamoDB-compatible engine at this address.
    Endpoint(Endpoint),
}

/// How to start a service.
#[derive(Debug, Clone)]
pub struct ServiceOptions {
    /// Which engine.
    pub choice: EngineChoice,
    /// Folder in which an embedded engine keeps its tables; `None` keeps them in memory.
    pub data: Option<PathBuf>,
    /// Image of the container.
    pub image: String,
    /// Prefix of table names at an endpoint, letters, digits and `_`; `None` uses `rehearse`.
    pub prefix: Option<String>,
    /// Whether an endpoint may be on another machine.
    pub allow_remote: bool,
    /// Whether to keep the container, or the tables at an endpoint, after the end.
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

/// Holds the tables of all worlds. Clones share it; dropping the last one closes it.
#[derive(Clone)]
pub struct Service(Arc<ServiceKind>);

impl Service {
    /// A service that gives each world an embedded engine of its own, in memory.
    pub fn embedded() -> Self {
        Self(Arc::new(ServiceKind::Embedded))
    }

    /// Begins to start the chosen engine and returns at once; [`Service::ready`] waits for it.
    ///
    /// # Errors
    /// When the crate was built without the engine, the data folder cannot be used or is in use,
    /// the endpoint is on another machine without `allow_remote`, or a thread cannot be started.
    pub fn start(options: ServiceOptions) -> Result<Self, ServiceError> {
        let ServiceOptions { choice, data, image, prefix, allow_remote, keep } = options;
        let kind = match (choice, data) {
            (EngineChoice::Embedded, _) if !cfg!(feature = "embedded") => {
                return Err(ServiceError::NotBuilt { engine: "embedded" });
            }
            (EngineChoice::Embedded, None) => ServiceKind::Embedded,
            (EngineChoice::Embedded, Some(folder)) => {
                ServiceKind::Folder(DataFolder::open(folder)?)
            }
            (EngineChoice::Docker, _) => ServiceKind::External(ExternalEngine {
                supervisor: start_container(image, keep)?,
                isolation: Isolation::AccessKey,
                worlds: AtomicUsize::new(0),
            }),
            (EngineChoice::Endpoint(endpoint), _) => {
                let url = endpoint.to_string();
                if !endpoint.is_loopback() && !allow_remote {
                    return Err(ServiceError::NotLoopback { url });
                }
                let host = HeaderValue::try_from(endpoint.authority())
                    .map_err(|e| ServiceError::Serve(e.to_string()))?;
                let prefix = RunPrefix::new(prefix);
                let of_run = prefix.clone();
                let supervisor = EngineSupervisor::start(move |ready, commands| {
                    user_endpoint::supervise(endpoint, of_run, keep, ready, commands)
                });
                ServiceKind::External(ExternalEngine {
                    supervisor: supervisor.map_err(|e| ServiceError::Serve(e.to_string()))?,
                    isolation: Isolation::TablePrefix { host, prefix },
                    worlds: AtomicUsize::new(0),
                })
            }
        };
        Ok(Self(Arc::new(kind)))
    }

    /// Waits until the engine is ready.
    ///
    /// # Errors
    /// Why there is no engine.
    pub async fn ready(&self) -> Result<(), ServiceError> {
        match self.0.as_ref() {
            ServiceKind::Embedded | ServiceKind::Folder(_) => Ok(()),
            ServiceKind::External(external) => external.supervisor.ready().await.map(drop),
        }
    }

    /// Stops the engine and waits until it has stopped. Call it when no world uses it any more.
    pub async fn close(&self) -> CloseReport {
        match self.0.as_ref() {
            ServiceKind::Embedded | ServiceKind::Folder(_) => CloseReport::default(),
            ServiceKind::External(external) => external.supervisor.close().await,
        }
    }

    /// Creates the tables of one world. An embedded engine runs on `runtime`.
    ///
    /// # Errors
    /// When there is no engine, or a table cannot be created.
    pub(super) async fn open(
        &self,
        runtime: &Handle,
        tables: &[TableSpec],
    ) -> Result<Engine, ServiceError> {
        Ok(match self.0.as_ref() {
            ServiceKind::Embedded if !cfg!(feature = "embedded") => {
                return Err(ServiceError::NotBuilt { engine: "embedded" });
            }
            ServiceKind::Embedded => {
                let engine = EmbeddedEngine::in_memory(runtime, tables);
                Engine::Embedded(engine.map_err(|e| ServiceError::Serve(e.to_string()))?)
            }
            ServiceKind::Folder(folder) => Engine::Embedded(folder.start(runtime, tables)?),
            ServiceKind::External(external) => {
                Engine::External(Box::new(external.open(tables).await?))
            }
        })
    }
}

enum ServiceKind {
    /// Each world gets an engine of its own.
    Embedded,
    Folder(DataFolder),
    External(ExternalEngine),
}

/// One engine outside this process, for all worlds.
struct ExternalEngine {
    supervisor: EngineSupervisor,
    isolation: Isolation,
    /// How many worlds have begun.
    worlds: AtomicUsize,
}

/// How the worlds on one engine are kept apart.
enum Isolation {
    AccessKey,
    TablePrefix { host: HeaderValue, prefix: RunPrefix },
}

impl ExternalEngine {
    async fn open(&self, tables: &[TableSpec]) -> Result<ExternalTables, ServiceError> {
        let address = self.supervisor.ready().await?;
        let number = self.worlds.fetch_add(1, Ordering::Relaxed) + 1;
        let namespace = match &self.isolation {
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
        // Before the tables: if one of them cannot be created, the others are deleted.
        let guard = self.supervisor.open(address, namespace);
        for table in tables {
            client.create(table).await.map_err(|error| ServiceError::Table {
                table: table.name.clone(),
                reason: with_causes(&error),
            })?;
        }
        Ok(ExternalTables { client, guard })
    }
}

#[cfg(feature = "docker")]
fn start_container(image: String, keep: bool) -> Result<EngineSupervisor, ServiceError> {
    let supervisor = EngineSupervisor::start(move |ready, commands| {
        super::docker::supervise(image, keep, ready, commands)
    });
    supervisor.map_err(|error| ServiceError::Serve(error.to_string()))
}

#[cfg(not(feature = "docker"))]
fn start_container(_: String, _: bool) -> Result<EngineSupervisor, ServiceError> {
    Err(ServiceError::NotBuilt { engine: "docker" })
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
            ServiceKind::External(_) => "Service(external)",
        })
    }
}

/// Engines whose feature is missing. Builds of the whole workspace have both features.
#[cfg(all(test, not(all(feature = "docker", feature = "embedded"))))]
mod tests {
    use super::*;

    fn start(choice: EngineChoice) -> Result<Service, ServiceError> {
        Service::start(ServiceOptions { choice, ..ServiceOptions::default() })
    }

    #[cfg(not(feature = "docker"))]
    #[test]
    fn docker_without_its_feature_names_the_feature() {
        let error = start(EngineChoice::Docker).unwrap_err();
        assert_eq!(error, ServiceError::NotBuilt { engine: "docker" });
        assert!(error.to_string().ends_with("lacks its feature `docker`"), "{error}");
        assert!(error.help().unwrap().contains("enable the feature `docker`"));
    }

    #[cfg(not(feature = "embedded"))]
    #[tokio::test]
    async fn embedded_without_its_feature_names_the_feature() {
        let expected = ServiceError::NotBuilt { engine: "embedded" };
        assert_eq!(start(EngineChoice::Embedded).unwrap_err(), expected);
        let opened = Service::embedded().open(&Handle::current(), &[]).await;
        assert_eq!(opened.err(), Some(expected));
    }
}
