//! Starts and removes the container, one for all worlds of a process.

use std::{collections::HashMap, net::SocketAddr, time::Duration};

use http::{HeaderValue, header::HOST};
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
    http_connection::HttpConnection,
    service_error::ServiceError,
    supervisor::{CloseReport, CommandReceiver, ReadySender, SupervisorCommand},
    wire::EngineRequest,
};
use rehearse_core::errors::with_causes;

/// Port of DynamoDB inside the container.
const PORT: u16 = 8000;
/// How long DynamoDB may take to start: it is a Java program, and the machine may be busy.
const START_TIMEOUT: Duration = Duration::from_secs(60);
/// How long the daemon may take to remove a container.
const REMOVAL_TIMEOUT: Duration = Duration::from_secs(20);
/// How long DynamoDB may take to respond to one request.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(5);
/// How many of the last lines of an exited container's output go into the error.
const LAST_LINES: usize = 3;
/// Pause between two checks of a container.
const PAUSE: Duration = Duration::from_millis(50);

/// Starts a container, and removes it at shutdown unless `keep`.
pub(crate) async fn supervise(
    image: String,
    keep: bool,
    ready: ReadySender,
    commands: CommandReceiver,
) -> CloseReport {
    let mut shutdown = Shutdown { commands, requested: false };
    let docker = tokio::select! {
        biased;
        docker = daemon::with_image(&image) => docker,
        () = shutdown.requested() => return CloseReport::default(),
    };
    let docker = match docker {
        Ok(docker) => docker,
        Err(error) => {
            ready.send_replace(Some(Err(error)));
            return CloseReport::default();
        }
    };
    let name = format!("rehearse-{}", &uuid::Uuid::new_v4().simple().to_string()[..12]);
    // If this process is killed, the label lets the next one remove the container.
    let owner = if keep { None } else { orphans::this_process() };
    // A container that is being created cannot be removed yet, so shutdown waits for it.
    let started = tokio::select! {
        (started, ()) = async { tokio::join!(start(&image, &name, owner), orphans::remove_all(&docker)) } => {
            Some(started)
        }
        () = async { shutdown.requested().await; wait_for_container(&docker, &name).await } => None,
    };
    let container = match started {
        Some(Ok((container, address))) => {
            ready.send_replace(Some(Ok(address)));
            shutdown.requested().await;
            if keep {
                let kept = format!(
                    "DynamoDB Local at http://{address}, access keys rehearse1, rehearse2 and so on, \
                     one for each scenario as they began; `docker rm -f {name}` removes it"
                );
                // Dropping it would remove the container.
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
    let gone = timeout(REMOVAL_TIMEOUT, remove(&docker, &name)).await.is_ok();
    if gone {
        // Dropping it would try to remove the container again.
        std::mem::forget(container);
    }
    let left = format!("the container {name}: `docker rm -f {name}` removes it");
    CloseReport { kept: None, left: (!gone).then_some(left) }
}

/// Waits for the shutdown command.
struct Shutdown {
    commands: CommandReceiver,
    requested: bool,
}

impl Shutdown {
    async fn requested(&mut self) {
        while !self.requested {
            // Namespaces need no clean-up: their tables disappear with the container.
            self.requested =
                matches!(self.commands.recv().await, None | Some(SupervisorCommand::Shutdown));
        }
    }
}

async fn start(
    image: &str,
    name: &str,
    owner: Option<String>,
) -> Result<(ContainerAsync<GenericImage>, SocketAddr), String> {
    let (repository, tag) = split_image(image);
    let mut request = GenericImage::new(repository, tag)
        .with_exposed_port(PORT.tcp())
        .with_cmd(["-jar", "DynamoDBLocal.jar", "-inMemory"])
        .with_container_name(name)
        .with_label("rehearse.process", std::process::id().to_string())
        .with_startup_timeout(START_TIMEOUT)
        .with_host_config_modifier(|host| {
            let loopback =
                PortBinding { host_ip: Some("127.0.0.1".into()), host_port: Some(String::new()) };
            let bindings = HashMap::from([(format!("{PORT}/tcp"), Some(vec![loopback]))]);
            host.port_bindings = Some(bindings);
            host.publish_all_ports = Some(false);
        });
    if let Some(owner) = owner {
        request = request.with_label(orphans::LABEL, owner);
    }
    let container = request.start().await.map_err(|error| with_causes(&error))?;
    let port = match container.get_host_port_ipv4(PORT.tcp()).await {
        Ok(port) => port,
        // An exited container has no port.
        Err(_) if has_exited(&container).await => return Err(exit_text(&container).await),
        Err(error) => return Err(with_causes(&error)),
    };
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    wait_for_response(&container, address).await?;
    Ok((container, address))
}

/// Waits until DynamoDB responds.
///
/// The wait of testcontainers does not work inside a container (`/.dockerenv`): it calls the
/// bridge's gateway, but the port is bound to loopback.
async fn wait_for_response(
    container: &ContainerAsync<GenericImage>,
    address: SocketAddr,
) -> Result<(), String> {
    let deadline = Instant::now() + START_TIMEOUT;
    loop {
        let mut request = EngineRequest::default();
        request.headers_mut().insert(HOST, HeaderValue::from_static("localhost"));
        // Docker's port accepts connections before DynamoDB does, so only a response counts; its
        // status is 400.
        let connection = HttpConnection::new(address);
        let error = match timeout(RESPONSE_TIMEOUT, connection.send(request)).await {
            Ok(Ok(_)) => return Ok(()),
            Ok(Err(error)) => with_causes(&error),
            Err(_) => "it accepts calls and does not answer".into(),
        };
        if has_exited(container).await {
            return Err(exit_text(container).await);
        }
        if Instant::now() > deadline {
            let seconds = START_TIMEOUT.as_secs();
            return Err(format!("no answer at http://{address} within {seconds} s ({error})"));
        }
        sleep(PAUSE).await;
    }
}

async fn has_exited(container: &ContainerAsync<GenericImage>) -> bool {
    !container.is_running().await.unwrap_or(true)
}

/// The error of an exited container: the last lines of its output.
async fn exit_text(container: &ContainerAsync<GenericImage>) -> String {
    let mut text = String::from("it ended at once");
    for bytes in [container.stdout_to_vec().await, container.stderr_to_vec().await] {
        let output = String::from_utf8_lossy(&bytes.unwrap_or_default()).into_owned();
        let lines: Vec<_> = output.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        for line in &lines[lines.len().saturating_sub(LAST_LINES)..] {
            text.push_str("; ");
            text.push_str(line);
        }
    }
    text
}

/// Repository and tag of an image such as `amazon/dynamodb-local:3.1.0`.
fn split_image(image: &str) -> (&str, &str) {
    match image.rsplit_once(':') {
        Some((repository, tag)) if !tag.contains('/') => (repository, tag),
        _ => (image, "latest"),
    }
}

/// Waits until a container with this name exists.
async fn wait_for_container(docker: &Docker, name: &str) {
    while docker.inspect_container(name, None::<InspectContainerOptions>).await.is_err() {
        sleep(PAUSE).await;
    }
}

/// Removes a container and waits until it is gone.
async fn remove(docker: &Docker, name: &str) {
    loop {
        let options = RemoveContainerOptionsBuilder::new().force(true).v(true).build();
        match docker.remove_container(name, Some(options)).await {
            Ok(()) => return,
            Err(error) if is_missing(&error) => return,
            // Another removal is under way, or the container is just starting.
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
    fn an_image_is_split_into_repository_and_tag() {
        assert_eq!(split_image("amazon/dynamodb-local:3.1.0"), ("amazon/dynamodb-local", "3.1.0"));
        assert_eq!(split_image("localhost:5000/dynamodb"), ("localhost:5000/dynamodb", "latest"));
        assert_eq!(split_image("dynamodb"), ("dynamodb", "latest"));
    }
}
