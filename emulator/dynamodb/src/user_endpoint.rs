//! An engine that the user started: checks that it is free, and deletes what was created there.

use std::{collections::BTreeSet, net::SocketAddr, time::Duration};

use http::HeaderValue;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::{
    client::{ClientError, EngineClient},
    endpoint::Endpoint,
    namespace::TableNamespace,
    service_error::ServiceError,
    supervisor::{CloseReport, CommandReceiver, ReadySender, SupervisorCommand},
};
use rehearse_core::errors::with_causes;

/// One access key for all calls, because some engines keep a database for each.
pub(super) const SHARED_ACCESS_KEY: &str = "rehearse";

/// How long the endpoint may take to list its tables.
const LIST_TIMEOUT: Duration = Duration::from_millis(2500);
/// How long worlds may take to end at shutdown.
const WORLDS_TIMEOUT: Duration = Duration::from_secs(2);
/// A `CreateTable` that was under way when its world was dropped takes effect within this time.
const LATE_TABLES: Duration = Duration::from_millis(100);

/// The prefix of all table names of this run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RunPrefix {
    /// The user's choice; no table at the endpoint may begin with it yet.
    chosen: Option<String>,
    /// The prefix itself. It is random, so it can be removed wherever a response contains it.
    text: String,
}

impl RunPrefix {
    /// A new random prefix that begins with the user's choice.
    pub(super) fn new(chosen: Option<String>) -> Self {
        let id = uuid::Uuid::new_v4().simple().to_string();
        let text = format!("{}.{}.", chosen.as_deref().unwrap_or("rehearse"), &id[..10]);
        Self { chosen, text }
    }

    /// The prefix of the tables of one world.
    pub(super) fn of_world(&self, number: usize) -> String {
        format!("{}{number}.", self.text)
    }
}

/// Deletes the tables of each world that ends, and of the whole run at shutdown, unless `keep`.
pub(super) async fn supervise(
    endpoint: Endpoint,
    prefix: RunPrefix,
    keep: bool,
    ready: ReadySender,
    mut commands: CommandReceiver,
) -> CloseReport {
    let url = endpoint.to_string();
    let (address, client) = match claim(&endpoint, &prefix).await {
        Ok(claimed) => claimed,
        Err(error) => {
            ready.send_replace(Some(Err(error)));
            return CloseReport::default();
        }
    };
    ready.send_replace(Some(Ok(address)));

    let mut running = BTreeSet::new();
    while let Some(command) = commands.recv().await {
        match command {
            SupervisorCommand::Shutdown => break,
            SupervisorCommand::NamespaceOpened(of_world) => {
                running.insert(of_world);
            }
            SupervisorCommand::NamespaceClosed(of_world) => {
                running.remove(&of_world);
                if !keep {
                    // Tables that remain are deleted at shutdown.
                    let _ = delete_tables(&client, &of_world).await;
                }
            }
        }
    }
    if keep {
        let kept = format!("tables named {}* at {url}, access key rehearse", prefix.text);
        return CloseReport { kept: Some(kept), left: None };
    }
    wait_for_worlds(&mut running, &mut commands).await;
    let mut failed = None;
    // Twice, because a table may have been under way while its world was dropped.
    for pause in [Duration::ZERO, LATE_TABLES] {
        sleep(pause).await;
        failed = delete_tables(&client, &prefix.text).await.err();
    }
    let left = failed
        .map(|error| format!("tables named {}* at {url}: {}", prefix.text, with_causes(&error)));
    CloseReport { kept: None, left }
}

/// Waits until the worlds with these prefixes have ended, two seconds at most.
async fn wait_for_worlds(running: &mut BTreeSet<String>, commands: &mut CommandReceiver) {
    let deadline = Instant::now() + WORLDS_TIMEOUT;
    while !running.is_empty() {
        match timeout_at(deadline, commands.recv()).await {
            Ok(Some(SupervisorCommand::NamespaceClosed(of_world))) => {
                running.remove(&of_world);
            }
            Ok(Some(SupervisorCommand::NamespaceOpened(of_world))) => {
                running.insert(of_world);
            }
            Ok(Some(SupervisorCommand::Shutdown)) => {}
            Ok(None) | Err(_) => return,
        }
    }
}

/// The address and a client of the endpoint.
///
/// # Errors
/// When it does not respond as DynamoDB, or has tables with the user's prefix.
async fn claim(
    endpoint: &Endpoint,
    prefix: &RunPrefix,
) -> Result<(SocketAddr, EngineClient), ServiceError> {
    let url = endpoint.to_string();
    let no_endpoint = |reason: String| ServiceError::NoEndpoint { url: url.clone(), reason };
    let address = endpoint.resolve().map_err(|e| no_endpoint(e.to_string()))?;
    let host = HeaderValue::try_from(endpoint.authority()).ok();
    let namespace =
        TableNamespace { host, access_key: Some(SHARED_ACCESS_KEY.into()), prefix: None };
    let client = EngineClient::new(address, namespace);
    let names = timeout(LIST_TIMEOUT, client.table_names())
        .await
        .map_err(|_| no_endpoint("it accepts calls and does not answer".into()))?
        .map_err(|error| no_endpoint(with_causes(&error)))?;
    let taken = prefix.chosen.as_ref().map(|chosen| format!("{chosen}."));
    let is_taken = |name: &String| taken.as_ref().is_some_and(|taken| name.starts_with(taken));
    match names.into_iter().find(is_taken) {
        Some(table) => Err(ServiceError::Clash { url, table }),
        None => Ok((address, client)),
    }
}

async fn delete_tables(client: &EngineClient, prefix: &str) -> Result<(), ClientError> {
    for name in client.table_names().await?.iter().filter(|name| name.starts_with(prefix)) {
        client.delete(name).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// It is removed from every response, so no row may contain it by chance.
    #[test]
    fn every_run_has_a_prefix_of_its_own_whatever_the_user_chose() {
        let of = |chosen: Option<&str>| RunPrefix::new(chosen.map(str::to_owned)).of_world(1);
        let (one, other) = (of(Some("v")), of(Some("v")));
        assert!(one.starts_with("v.") && one.ends_with(".1.") && one != other, "{one} {other}");
        assert!(of(None).starts_with("rehearse."));
    }
}
