//! Why there is no engine, and how to fix it.

use std::path::PathBuf;

/// Why there is no engine.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ServiceError {
    /// The crate was built without this engine.
    #[error("this build has no {engine} engine: rehearse-dynamodb lacks its feature `{engine}`")]
    NotBuilt {
        /// The engine, which is also the name of the feature.
        engine: &'static str,
    },
    /// No Docker daemon listens.
    #[error("Docker is not running here: nothing listens at {at}")]
    NoDocker {
        /// The socket or address.
        at: String,
    },
    /// This user may not use Docker's socket.
    #[error("no permission to use Docker at {at}")]
    DockerForbidden {
        /// The socket.
        at: String,
    },
    /// The Docker daemon accepts connections and does not respond as it should.
    #[error("Docker at {at} does not answer: {reason}")]
    DockerSilent {
        /// The socket or address.
        at: String,
        /// What happened instead.
        reason: String,
    },
    /// The Docker daemon is on another machine, so ports of containers cannot be reached.
    #[error("Docker at {at} is another machine, whose loopback cannot be reached from here")]
    DockerElsewhere {
        /// The address.
        at: String,
    },
    /// The image is missing and cannot be pulled.
    #[error("image {image} is not here and cannot be pulled: {reason}")]
    NoImage {
        /// The image.
        image: String,
        /// The daemon's message.
        reason: String,
    },
    /// The image is missing and its registry does not respond.
    #[error("image {image} is not here, and its registry does not answer")]
    NoRegistry {
        /// The image.
        image: String,
    },
    /// The image is missing and pulling it takes too long.
    #[error("image {image} is not here, and pulling it takes longer than this command waits")]
    SlowPull {
        /// The image.
        image: String,
    },
    /// The container did not start.
    #[error("failed to start a container of {image}: {reason}")]
    Container {
        /// The image.
        image: String,
        /// Why.
        reason: String,
    },
    /// The user's endpoint is on another machine.
    #[error("{url} is not on this machine")]
    NotLoopback {
        /// The endpoint.
        url: String,
    },
    /// The user's endpoint does not respond as DynamoDB.
    #[error("no DynamoDB answers at {url}: {reason}")]
    NoEndpoint {
        /// The endpoint.
        url: String,
        /// Why.
        reason: String,
    },
    /// The endpoint has tables with the user's prefix that this run did not create.
    #[error("{url} has a table {table}, which this run did not create")]
    Clash {
        /// The endpoint.
        url: String,
        /// The table.
        table: String,
    },
    /// A table could not be created.
    #[error("failed to create table {table}: {reason}")]
    Table {
        /// Its name.
        table: String,
        /// Why.
        reason: String,
    },
    /// The data folder cannot be used.
    #[error("failed to use the data folder {}: {reason}", folder.display())]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// Why.
        reason: String,
    },
    /// Another process uses the data folder.
    #[error("the data folder {} is in use{}", folder.display(), by.map(|id| format!(" by process {id}")).unwrap_or_default())]
    FolderInUse {
        /// The folder.
        folder: PathBuf,
        /// Id of the other process, if known.
        by: Option<u32>,
    },
    /// A table in the data folder has other keys or indexes than the template's.
    #[error("table {table} in the data folder {} has other keys or indexes than the template's", folder.display())]
    OtherTable {
        /// The folder.
        folder: PathBuf,
        /// The table.
        table: String,
    },
    /// A server of this process could not be started.
    #[error("failed to serve: {0}")]
    Serve(String),
    /// The service was closed before it was ready.
    #[error("the database ended before it was ready")]
    Ended,
}

impl ServiceError {
    /// How to fix it, if there is a general way.
    pub fn help(&self) -> Option<String> {
        Some(match self {
            Self::NotBuilt { engine } => format!(
                "enable the feature `{engine}` of rehearse-dynamodb in Cargo.toml, or choose another engine"
            ),
            Self::NoDocker { .. } => "start Docker, or name its socket in DOCKER_HOST; \
                 without `--dynamodb docker` no Docker is needed"
                .into(),
            Self::DockerForbidden { .. } => {
                "add yourself to the group that owns the socket, as a rule `docker`, and log in again"
                    .into()
            }
            Self::DockerSilent { .. } => {
                "`docker info` should answer at once; if it does not, start Docker anew".into()
            }
            Self::DockerElsewhere { .. } => {
                "unset DOCKER_HOST, or start DynamoDB Local there and use `--dynamodb URL --allow-client`"
                    .into()
            }
            Self::NoImage { image, .. } | Self::NoRegistry { image } => format!(
                "get it where there is a network (`docker pull {image}`, or `docker save` and \
                 `docker load`), or name one that is here with --dynamodb-image"
            ),
            Self::SlowPull { image } => {
                format!("`docker pull {image}` shows how far it is; then run this again")
            }
            Self::Container { .. } => {
                "`docker logs` of the container, started by hand, tells more; it listens on port 8000"
                    .into()
            }
            Self::NotLoopback { .. } => {
                "--allow-client sends the tables there all the same; never name a database that matters"
                    .into()
            }
            Self::NoEndpoint { .. } => "start it, or correct the URL".into(),
            Self::Clash { .. } => {
                "choose another --dynamodb-prefix, or delete those tables yourself if nobody needs them"
                    .into()
            }
            Self::FolderInUse { .. } => "end that process, or name another folder with --data".into(),
            Self::Folder { .. } => "name a folder that you may write to with --data".into(),
            Self::OtherTable { .. } => {
                "with the old template, `rehearse db dump` saves the rows; with the new one, start \
                 with an empty folder and `rehearse db load` them"
                    .into()
            }
            Self::Table { .. } | Self::Serve(_) | Self::Ended => return None,
        })
    }

    /// Whether the user's choice is wrong, rather than the environment.
    pub fn is_users_choice(&self) -> bool {
        matches!(self, Self::NotLoopback { .. } | Self::NotBuilt { .. })
    }
}
