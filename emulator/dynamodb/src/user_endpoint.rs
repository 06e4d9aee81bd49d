//! An engine of the user's: a look whether it is free, and the removal of what was made there.

use rehearse_core::errors::with_causes;
use std::{collections::BTreeSet, net::SocketAddr, time::Duration};

use http::HeaderValue;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::{
    client::{ClientError, EngineClient},
    endpoint::Endpoint,
    namespace::TableNamespace,
    service_error::ServiceError,
    supervisor::{CloseReport, CommandReceiver, Ready, ReadySender, SupervisorCommand},
};

/// How long the endpoint may take to say which tables it has.
const PATIENCE: Duration = Duration::from_millis(2500);
/// How long worlds may take to end when the process does.
const ENDING: Duration = Duration::from_secs(2);
/// A call that was under way when its world was dropped is carried out within this.
const LATE: Duration = Duration::from_millis(100);

/// What stands before the names of this run's tables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RunPrefix {
    /// What the user wants there; nothing of it may be there yet.
    chosen: Option<String>,
    /// What stands there: nobody else can have it, so wherever it stands in an answer, it is ours.
    text: String,
}

impl RunPrefix {
    pub(super) fn new(chosen: Option<String>) -> Self {
        let id = uuid::Uuid::new_v4().simple().to_string();
        let text = format!("{}.{}.", chosen.as_deref().unwrap_or("rehearse"), &id[..10]);
        Self { chosen, text }
    }

    /// What stands before the tables of a world.
    pub(super) fn of_world(&self, number: usize) -> String {
        format!("{}{number}.", self.text)
    }
}

/// Keeps the endpoint clean until it is told to close.
pub(super) async fn supervise(
    endpoint: Endpoint,
    prefix: RunPrefix,
    keep: bool,
    ready: ReadySender,
    mut orders: CommandReceiver,
) -> CloseReport {
    let url = endpoint.to_string();
    let (address, client) = match free(&endpoint, &prefix).await {
        Ok(found) => found,
        Err(error) => {
            ready.send_replace(Some(Err(error)));
            return CloseReport::default();
        }
    };
    ready.send_replace(Some(Ok(Ready { address })));

    let mut running = BTreeSet::new();
    while let Some(order) = orders.recv().await {
        match order {
            SupervisorCommand::Shutdown => break,
            SupervisorCommand::NamespaceOpened(of_world) => {
                running.insert(of_world);
            }
            SupervisorCommand::NamespaceClosed(of_world) => {
                running.remove(&of_world);
                if !keep {
                    // What is left is tried again at the end.
                    let _ = remove(&client, |name| name.starts_with(&of_world)).await;
                }
            }
        }
    }
    if keep {
        let kept = format!("tables named {}* at {url}, access key rehearse", prefix.text);
        return CloseReport { kept: Some(kept), left: None };
    }
    all_ended(&mut running, &mut orders).await;
    let mut failed = None;
    // Twice, since a table may have been on its way while its world was dropped.
    for pause in [Duration::ZERO, LATE] {
        sleep(pause).await;
        failed = remove(&client, |name| name.starts_with(&prefix.text)).await.err();
    }
    let left = failed
        .map(|error| format!("tables named {}* at {url}: {}", prefix.text, with_causes(&error)));
    CloseReport { kept: None, left }
}

/// Waits for the worlds that are being dropped, known by their prefixes.
async fn all_ended(running: &mut BTreeSet<String>, orders: &mut CommandReceiver) {
    let deadline = Instant::now() + ENDING;
    while !running.is_empty() {
        match timeout_at(deadline, orders.recv()).await {
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

/// The endpoint, if it answers and nobody has tables under the prefix.
async fn free(
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
    let names = timeout(PATIENCE, client.table_names())
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

/// One key for all calls: some engines keep a database for each.
pub(super) const SHARED_ACCESS_KEY: &str = "rehearse";

async fn remove(client: &EngineClient, ours: impl Fn(&str) -> bool) -> Result<(), ClientError> {
    for name in client.table_names().await?.iter().filter(|name| ours(name)) {
        client.delete(name).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// It is taken out of every answer, so no row may have it by chance.
    #[test]
    fn what_stands_before_tables_is_nobody_elses_whatever_the_user_chose() {
        let of = |chosen: Option<&str>| RunPrefix::new(chosen.map(str::to_owned)).of_world(1);
        let (one, other) = (of(Some("v")), of(Some("v")));
        assert!(one.starts_with("v.") && one.ends_with(".1.") && one != other, "{one} {other}");
        assert!(of(None).starts_with("rehearse."));
    }
}
