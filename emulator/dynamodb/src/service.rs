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
    container,
    embedded::Embedded,
    endpoint::{Endpoint, EndpointError},
    engine::{Elsewhere, Engine},
    folder::Folder,
    keeper::{Closed, Keeper, Order},
    remote::Remote,
    scope::Scope,
    service_error::ServiceError,
    shared_endpoint::{self, ACCESS_KEY, Prefix},
    table::TableSpec,
};
use rehearse_core::names;

/// The image that is used when none is named.
pub const IMAGE: &str = "amazon/dynamodb-local:3.1.0";

/// Which engine: `embedded`, `docker`, or a URL.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Choice {
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
    pub choice: Choice,
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
            choice: Choice::default(),
            data: None,
            image: IMAGE.into(),
            prefix: None,
            allow_remote: false,
            keep: false,
        }
    }
}

/// What keeps the tables. Clones share it; the last one to go closes it.
#[derive(Clone)]
pub struct Service(Arc<Kind>);

enum Kind {
    /// Each world has an engine of its own.
    Embedded,
    Folder(Folder),
    Elsewhere(Shared),
}

/// One engine of another process for all worlds.
struct Shared {
    keeper: Keeper,
    /// How worlds are told apart.
    apart: Apart,
    worlds: AtomicUsize,
}

enum Apart {
    ByAccessKey,
    ByPrefix { host: HeaderValue, prefix: Prefix },
}

/// One world's part of an engine that others use as well.
pub(super) struct Lease {
    address: SocketAddr,
    scope: Scope,
    keeper: UnboundedSender<Order>,
}

impl Service {
    /// Engines inside this process.
    pub fn embedded() -> Self {
        Self(Arc::new(Kind::Embedded))
    }

    /// Begins to start what was chosen, and returns at once; [`Service::ready`] waits for it.
    ///
    /// # Errors
    /// When the choice itself cannot be: a folder in use, an endpoint elsewhere.
    pub fn start(options: ServiceOptions) -> Result<Self, ServiceError> {
        let ServiceOptions { choice, data, image, prefix, allow_remote, keep } = options;
        let serve = |error: std::io::Error| ServiceError::Serve(error.to_string());
        let (keeper, apart) = match choice {
            Choice::Embedded => {
                return Ok(Self(Arc::new(match data {
                    Some(folder) => Kind::Folder(Folder::open(folder)?),
                    None => Kind::Embedded,
                })));
            }
            Choice::Docker => {
                let keeper =
                    Keeper::start(move |ready, orders| container::keep(image, keep, ready, orders));
                (keeper.map_err(serve)?, Apart::ByAccessKey)
            }
            Choice::Endpoint(endpoint) => {
                let url = endpoint.to_string();
                if !endpoint.is_loopback() && !allow_remote {
                    return Err(ServiceError::NotLoopback { url });
                }
                let host = HeaderValue::try_from(endpoint.authority())
                    .map_err(|e| ServiceError::Serve(e.to_string()))?;
                let prefix = Prefix::new(prefix);
                let of_run = prefix.clone();
                let keeper = Keeper::start(move |ready, orders| {
                    shared_endpoint::keep(endpoint, of_run, keep, ready, orders)
                });
                (keeper.map_err(serve)?, Apart::ByPrefix { host, prefix })
            }
        };
        let worlds = AtomicUsize::new(0);
        Ok(Self(Arc::new(Kind::Elsewhere(Shared { keeper, apart, worlds }))))
    }

    /// Waits until the engine is there.
    ///
    /// # Errors
    /// Why it is not.
    pub async fn ready(&self) -> Result<(), ServiceError> {
        match self.0.as_ref() {
            Kind::Embedded | Kind::Folder(_) => Ok(()),
            Kind::Elsewhere(shared) => shared.keeper.ready().await.map(drop),
        }
    }

    /// Ends the engine, once no world needs it any more, and waits until it is gone.
    pub async fn close(&self) -> Closed {
        match self.0.as_ref() {
            Kind::Embedded | Kind::Folder(_) => Closed::default(),
            Kind::Elsewhere(shared) => shared.keeper.close().await,
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
            Kind::Embedded => {
                Ok(Engine::Embedded(Embedded::memory(runtime, tables).map_err(serve)?))
            }
            Kind::Folder(folder) => {
                let database = folder.database(tables)?;
                Ok(Engine::Embedded(Embedded::start(runtime, database).map_err(serve)?))
            }
            Kind::Elsewhere(shared) => {
                let at = shared.open(tables).await?;
                Ok(Engine::Elsewhere(Box::new(at)))
            }
        }
    }
}

impl Shared {
    async fn open(&self, tables: &[TableSpec]) -> Result<Elsewhere, ServiceError> {
        let address = self.keeper.ready().await?.address;
        let number = self.worlds.fetch_add(1, Ordering::Relaxed) + 1;
        let scope = match &self.apart {
            Apart::ByAccessKey => {
                Scope { access_key: Some(format!("rehearse{number}")), ..Scope::default() }
            }
            Apart::ByPrefix { host, prefix } => Scope {
                host: Some(host.clone()),
                access_key: Some(ACCESS_KEY.into()),
                prefix: Some(prefix.of_world(number)),
            },
        };
        let remote = Remote::new(address, scope.clone());
        // Made first: what it stands for goes also when a table cannot be made.
        let lease = Lease::new(address, scope, self.keeper.orders());
        for table in tables {
            remote.create(table).await.map_err(|error| ServiceError::Table {
                table: table.name.clone(),
                reason: with_causes(&error),
            })?;
        }
        Ok(Elsewhere { remote, lease })
    }
}

impl Lease {
    fn new(address: SocketAddr, scope: Scope, keeper: UnboundedSender<Order>) -> Self {
        if let Some(prefix) = &scope.prefix {
            let _ = keeper.send(Order::Began(prefix.clone()));
        }
        Self { address, scope, keeper }
    }

    /// Where the engine listens.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// What tells this world's calls from those of others.
    pub(super) fn scope(&self) -> &Scope {
        &self.scope
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(prefix) = self.scope.prefix.take() {
            // A keeper that is gone has cleaned up already.
            let _ = self.keeper.send(Order::Ended(prefix));
        }
    }
}

impl FromStr for Choice {
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
            Kind::Embedded => "Service(embedded)",
            Kind::Folder(_) => "Service(folder)",
            Kind::Elsewhere(_) => "Service(elsewhere)",
        })
    }
}
