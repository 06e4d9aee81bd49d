//! An engine of the user's: a look whether it is free, and the removal of what was made there.

use std::{collections::BTreeSet, net::SocketAddr, time::Duration};

use http::HeaderValue;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::{
    endpoint::Endpoint,
    keeper::{Closed, Order, Orders, Readiness, Ready},
    remote::{Remote, RemoteError},
    scope::Scope,
    service_error::{ServiceError, chain},
};

/// How long the endpoint may take to say which tables it has.
const PATIENCE: Duration = Duration::from_millis(2500);
/// How long worlds may take to end when the process does.
const ENDING: Duration = Duration::from_secs(2);
/// A call that was under way when its world was dropped is carried out within this.
const LATE: Duration = Duration::from_millis(100);

/// What stands before the names of this run's tables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Prefix {
    pub(super) text: String,
    /// Nobody else can have it.
    pub(super) random: bool,
}

impl Prefix {
    /// The user's, or one that nobody else has.
    pub(super) fn new(chosen: Option<String>) -> Self {
        let random = chosen.is_none();
        let text = chosen.unwrap_or_else(|| {
            let id = uuid::Uuid::new_v4().simple().to_string();
            format!("rehearse_{}", &id[..10])
        });
        Self { text, random }
    }

    /// What stands before the tables of a world.
    pub(super) fn of_world(&self, number: usize) -> String {
        format!("{}.{number}.", self.text)
    }

    fn of_run(&self) -> String {
        format!("{}.", self.text)
    }
}

/// Keeps the endpoint clean until it is told to close.
pub(super) async fn keep(
    endpoint: Endpoint,
    prefix: Prefix,
    keep: bool,
    ready: Readiness,
    mut orders: Orders,
) -> Closed {
    let url = endpoint.to_string();
    let (address, remote) = match free(&endpoint, &prefix).await {
        Ok(found) => found,
        Err(error) => {
            ready.send_replace(Some(Err(error)));
            return Closed::default();
        }
    };
    ready.send_replace(Some(Ok(Ready { address })));

    let mut worlds = Worlds::default();
    let mut failed = None;
    while let Some(order) = orders.recv().await {
        match order {
            Order::Close => break,
            Order::Began(of_world) => worlds.begin(of_world),
            Order::Ended { prefix, owned } => {
                worlds.end(&prefix);
                if owned && !keep {
                    failed = remove(&remote, |name| name.starts_with(&prefix)).await.err();
                    worlds.leave_to_the_end(prefix, failed.is_some());
                }
            }
        }
    }
    if keep {
        let kept = format!("tables named {}* at {url}, access key rehearse", prefix.of_run());
        return Closed { kept: Some(kept), left: None };
    }
    worlds.all_ended(&mut orders).await;
    // Twice, since a table may have been on its way while its world was dropped.
    for pause in [Duration::ZERO, LATE] {
        sleep(pause).await;
        let ours = |name: &str| match prefix.random {
            true => name.starts_with(&prefix.of_run()),
            false => worlds.owned.iter().any(|of_world| name.starts_with(of_world)),
        };
        failed = remove(&remote, ours).await.err();
    }
    let left = failed
        .map(|error| format!("tables named {}* at {url}: {}", prefix.of_run(), chain(&error)));
    Closed { kept: None, left }
}

/// The prefixes of worlds.
#[derive(Default)]
struct Worlds {
    running: BTreeSet<String>,
    /// Ended, with tables of their own that are still there.
    owned: BTreeSet<String>,
}

impl Worlds {
    fn begin(&mut self, prefix: String) {
        self.running.insert(prefix);
    }

    fn end(&mut self, prefix: &str) {
        self.running.remove(prefix);
    }

    fn leave_to_the_end(&mut self, prefix: String, left: bool) {
        if left {
            self.owned.insert(prefix);
        }
    }

    /// Waits for those that are being dropped.
    async fn all_ended(&mut self, orders: &mut Orders) {
        let deadline = Instant::now() + ENDING;
        while !self.running.is_empty() {
            match timeout_at(deadline, orders.recv()).await {
                Ok(Some(Order::Ended { prefix, owned })) => {
                    self.end(&prefix);
                    self.leave_to_the_end(prefix, owned);
                }
                Ok(Some(Order::Began(prefix))) => self.begin(prefix),
                Ok(Some(Order::Close)) => {}
                Ok(None) | Err(_) => return,
            }
        }
    }
}

/// The endpoint, if it answers and nobody has tables under the prefix.
async fn free(endpoint: &Endpoint, prefix: &Prefix) -> Result<(SocketAddr, Remote), ServiceError> {
    let url = endpoint.to_string();
    let no_endpoint = |reason: String| ServiceError::NoEndpoint { url: url.clone(), reason };
    let address = endpoint.resolve().map_err(|e| no_endpoint(e.to_string()))?;
    let host = HeaderValue::try_from(endpoint.authority()).ok();
    let scope = Scope { host, access_key: Some(ACCESS_KEY.into()), prefix: None };
    let remote = Remote::new(address, scope);
    let names = timeout(PATIENCE, remote.table_names())
        .await
        .map_err(|_| no_endpoint("it accepts calls and does not answer".into()))?
        .map_err(|error| no_endpoint(chain(&error)))?;
    match names.into_iter().find(|name| name.starts_with(&prefix.of_run())) {
        Some(table) => Err(ServiceError::Clash { url, table }),
        None => Ok((address, remote)),
    }
}

/// One key for all calls: some engines keep a database for each.
pub(super) const ACCESS_KEY: &str = "rehearse";

async fn remove(remote: &Remote, ours: impl Fn(&str) -> bool) -> Result<(), RemoteError> {
    for name in remote.table_names().await?.iter().filter(|name| ours(name)) {
        remote.delete(name).await?;
    }
    Ok(())
}
