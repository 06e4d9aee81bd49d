//! DynamoDB Local in a container: one for all worlds of a process.

use rehearse_core::errors::with_causes;
use std::{collections::HashMap, net::SocketAddr, time::Duration};

use testcontainers::{
    ContainerAsync, GenericImage, ImageExt as _,
    bollard::{
        Docker,
        models::PortBinding,
        query_parameters::{InspectContainerOptions, RemoveContainerOptionsBuilder},
    },
    core::IntoContainerPort as _,
    runners::AsyncRunner as _,
};
use tokio::time::{Instant, sleep, timeout};

use super::{daemon, orphans};
use crate::{
    service_error::ServiceError,
    supervisor::{CloseReport, CommandReceiver, Ready, ReadySender, SupervisorCommand},
};

/// Port of DynamoDB inside the container.
const PORT: u16 = 8000;
/// A Java program on a busy machine.
const START: Duration = Duration::from_secs(60);
/// How long the daemon may take to remove a container.
const REMOVAL: Duration = Duration::from_secs(20);
/// How long one question to DynamoDB may take.
const ANSWER: Duration = Duration::from_secs(5);
/// How many of the last lines of a container that ended are told.
const LAST_LINES: usize = 3;
/// Between two looks at a container.
const PAUSE: Duration = Duration::from_millis(50);

/// Starts a container, and removes it when it is told to close.
pub(crate) async fn supervise(
    image: String,
    keep: bool,
    ready: ReadySender,
    orders: CommandReceiver,
) -> CloseReport {
    let mut closing = Closing { orders, closed: false };
    let docker = tokio::select! {
        biased;
        docker = daemon::with_image(&image) => docker,
        () = closing.wait() => return CloseReport::default(),
    };
    let docker = match docker {
        Ok(docker) => docker,
        Err(error) => {
            ready.send_replace(Some(Err(error)));
            return CloseReport::default();
        }
    };
    let name = format!("rehearse-{}", &uuid::Uuid::new_v4().simple().to_string()[..12]);
    // Whoever is killed cannot keep what it says; what is to stay is nobody's orphan.
    let life = if keep { None } else { orphans::life() };
    // A container that is being created cannot be removed yet: the end waits until it can.
    let started = tokio::select! {
        (started, ()) = async { tokio::join!(start(&image, &name, life), orphans::remove_all(&docker)) } => {
            Some(started)
        }
        () = async { closing.wait().await; exists(&docker, &name).await } => None,
    };
    let container = match started {
        Some(Ok((container, address))) => {
            ready.send_replace(Some(Ok(Ready { address })));
            closing.wait().await;
            if keep {
                let kept = format!(
                    "DynamoDB Local at http://{address}, access keys rehearse1, rehearse2 and so on, \
                     one for each scenario as they began; `docker rm -f {name}` removes it"
                );
                // Dropped, it would be removed.
                std::mem::forget(container);
                return CloseReport { kept: Some(kept), left: None };
            }
            Some(container)
        }
        Some(Err(reason)) => {
            ready.send_replace(Some(Err(ServiceError::Container { image, reason })));
            None
        }
        None => None,
    };
    let gone = timeout(REMOVAL, remove(&docker, &name)).await.is_ok();
    if gone {
        // It would be asked to go once more.
        std::mem::forget(container);
    }
    let left = format!("the container {name}: `docker rm -f {name}` removes it");
    CloseReport { kept: None, left: (!gone).then_some(left) }
}

/// Waits for the end.
struct Closing {
    orders: CommandReceiver,
    closed: bool,
}

impl Closing {
    async fn wait(&mut self) {
        while !self.closed {
            // What became of worlds is of no interest: everything goes with the container.
            self.closed =
                matches!(self.orders.recv().await, None | Some(SupervisorCommand::Shutdown));
        }
    }
}

async fn start(
    image: &str,
    name: &str,
    life: Option<String>,
) -> Result<(ContainerAsync<GenericImage>, SocketAddr), String> {
    let (repository, tag) = parts(image);
    let mut request = GenericImage::new(repository, tag)
        .with_exposed_port(PORT.tcp())
        .with_cmd(["-jar", "DynamoDBLocal.jar", "-inMemory"])
        .with_container_name(name)
        .with_label("rehearse.process", std::process::id().to_string())
        .with_startup_timeout(START)
        .with_host_config_modifier(|host| {
            let loopback =
                PortBinding { host_ip: Some("127.0.0.1".into()), host_port: Some(String::new()) };
            let bindings = HashMap::from([(format!("{PORT}/tcp"), Some(vec![loopback]))]);
            host.port_bindings = Some(bindings);
            host.publish_all_ports = Some(false);
        });
    if let Some(life) = life {
        request = request.with_label(orphans::LABEL, life);
    }
    let container = request.start().await.map_err(|error| with_causes(&error))?;
    let port = match container.get_host_port_ipv4(PORT.tcp()).await {
        Ok(port) => port,
        // It has no port any more.
        Err(_) if ended(&container).await => return Err(last_words(&container).await),
        Err(error) => return Err(with_causes(&error)),
    };
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    answers(&container, address).await?;
    Ok((container, address))
}

/// Waits until DynamoDB answers there.
///
/// testcontainers could wait, but from within a container (`/.dockerenv`) it
/// asks the bridge's gateway, where a port that is bound to loopback is not.
async fn answers(
    container: &ContainerAsync<GenericImage>,
    address: SocketAddr,
) -> Result<(), String> {
    // The client wants a provider even if it never speaks TLS; a second install is refused, and fine.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let web = reqwest::Client::builder().no_proxy().tls_certs_only([]).timeout(ANSWER).build();
    let web = web.map_err(|error| with_causes(&error))?;
    let deadline = Instant::now() + START;
    loop {
        // Docker's port accepts before DynamoDB does, so only an answer counts; it is 400.
        let Err(error) = web.get(format!("http://{address}/")).send().await else { return Ok(()) };
        if ended(container).await {
            return Err(last_words(container).await);
        }
        if Instant::now() > deadline {
            let (seconds, error) = (START.as_secs(), with_causes(&error));
            return Err(format!("no answer at http://{address} within {seconds} s ({error})"));
        }
        sleep(PAUSE).await;
    }
}

async fn ended(container: &ContainerAsync<GenericImage>) -> bool {
    !container.is_running().await.unwrap_or(true)
}

/// That a container ended, with the last lines that it wrote.
async fn last_words(container: &ContainerAsync<GenericImage>) -> String {
    let mut words = String::from("it ended at once");
    for bytes in [container.stdout_to_vec().await, container.stderr_to_vec().await] {
        let text = String::from_utf8_lossy(&bytes.unwrap_or_default()).into_owned();
        let lines: Vec<_> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        for line in &lines[lines.len().saturating_sub(LAST_LINES)..] {
            words.push_str("; ");
            words.push_str(line);
        }
    }
    words
}

/// Repository and tag of `amazon/dynamodb-local:3.1.0`.
fn parts(image: &str) -> (&str, &str) {
    match image.rsplit_once(':') {
        Some((repository, tag)) if !tag.contains('/') => (repository, tag),
        _ => (image, "latest"),
    }
}

/// Waits until a container of this name is there.
async fn exists(docker: &Docker, name: &str) {
    while docker.inspect_container(name, None::<InspectContainerOptions>).await.is_err() {
        sleep(PAUSE).await;
    }
}

/// Removes a container, and returns when it is gone.
async fn remove(docker: &Docker, name: &str) {
    loop {
        let options = RemoveContainerOptionsBuilder::new().force(true).v(true).build();
        match docker.remove_container(name, Some(options)).await {
            Ok(()) => return,
            Err(error) if is_missing(&error) => return,
            // Its removal is under way, or it is just being started.
            Err(_) => sleep(PAUSE).await,
        }
    }
}

fn is_missing(error: &testcontainers::bollard::errors::Error) -> bool {
    use testcontainers::bollard::errors::Error::DockerResponseServerError;
    matches!(error, DockerResponseServerError { status_code: 404, .. })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_what_follows_the_name() {
        assert_eq!(parts("amazon/dynamodb-local:3.1.0"), ("amazon/dynamodb-local", "3.1.0"));
        assert_eq!(parts("localhost:5000/dynamodb"), ("localhost:5000/dynamodb", "latest"));
        assert_eq!(parts("dynamodb"), ("dynamodb", "latest"));
    }
}
