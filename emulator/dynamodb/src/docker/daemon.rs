//! Finds the Docker daemon and the image, or says within three seconds what is missing.

use std::time::Duration;

use futures::StreamExt as _;
use testcontainers::{
    bollard::{Docker, errors::Error as DockerError, query_parameters::CreateImageOptionsBuilder},
    core::client::{ClientError, docker_client_instance},
};
use tokio::time::{Instant, timeout_at};

use crate::{endpoint::Endpoint, service_error::ServiceError};

/// How long all of it may take.
const TIMEOUT: Duration = Duration::from_millis(2600);
/// How long the daemon may take to respond to a ping.
const PING_TIMEOUT: Duration = Duration::from_secs(2);

/// A client of a daemon that has the image. Pulls the image if that takes less than three seconds.
///
/// # Errors
/// When there is no daemon, it does not respond or is on another machine, or the image is neither
/// there nor quickly pulled.
pub(super) async fn with_image(image: &str) -> Result<Docker, ServiceError> {
    let deadline = Instant::now() + TIMEOUT;
    let at = address();
    if on_another_machine(&at) {
        return Err(ServiceError::DockerElsewhere { at });
    }
    let docker = docker_client_instance().await.map_err(|error| no_client(&error, &at))?;
    let ping = timeout_at(Instant::now() + PING_TIMEOUT, docker.ping());
    match ping.await {
        Ok(result) => result.map_err(|error| no_daemon(&error, &at))?,
        Err(_) => {
            let reason = "it accepts calls and says nothing".into();
            return Err(ServiceError::DockerSilent { at, reason });
        }
    };
    let silent = |_| {
        let reason = "it does not say whether the image is there".into();
        ServiceError::DockerSilent { at: at.clone(), reason }
    };
    match timeout_at(deadline, docker.inspect_image(image)).await.map_err(silent)? {
        Ok(_) => Ok(docker),
        Err(DockerError::DockerResponseServerError { status_code: 404, .. }) => {
            pull(&docker, image, deadline).await?;
            Ok(docker)
        }
        Err(error) => Err(ServiceError::DockerSilent { at, reason: error.to_string() }),
    }
}

/// Pulls an image, if that ends before the deadline. The daemon keeps the layers that have arrived.
async fn pull(docker: &Docker, image: &str, deadline: Instant) -> Result<(), ServiceError> {
    let options = CreateImageOptionsBuilder::new().from_image(image).build();
    let mut progress = docker.create_image(Some(options), None, None);
    let mut begun = false;
    loop {
        let image = || image.to_owned();
        match timeout_at(deadline, progress.next()).await {
            Ok(None) => return Ok(()),
            Ok(Some(Ok(info))) => {
                // The message "Pulling from" alone does not mean that the registry has responded.
                begun |= info.progress_detail.is_some_and(|detail| detail.current.is_some());
                if let Some(reason) = info.error_detail.and_then(|error| error.message) {
                    return Err(ServiceError::NoImage { image: image(), reason });
                }
            }
            Ok(Some(Err(error))) => {
                let reason = match error {
                    DockerError::DockerResponseServerError { message, .. } => message,
                    DockerError::DockerStreamError { error } => error,
                    error => error.to_string(),
                };
                return Err(ServiceError::NoImage { image: image(), reason });
            }
            Err(_) if begun => return Err(ServiceError::SlowPull { image: image() }),
            Err(_) => return Err(ServiceError::NoRegistry { image: image() }),
        }
    }
}

/// Where the client looks for the daemon.
fn address() -> String {
    let named = std::env::var("DOCKER_HOST").ok().filter(|host| !host.is_empty());
    named.unwrap_or_else(|| "unix:///var/run/docker.sock".into())
}

/// Whether the daemon is on another machine: container ports are bound to the daemon's loopback,
/// which cannot be reached from here then.
fn on_another_machine(at: &str) -> bool {
    let Some((scheme, rest)) = at.split_once("://") else { return false };
    if !matches!(scheme, "tcp" | "http" | "https") {
        return false;
    }
    let authority = rest.split('/').next().unwrap_or_default();
    Endpoint::parse(&format!("http://{authority}")).is_ok_and(|endpoint| !endpoint.is_loopback())
}

fn no_client(error: &ClientError, at: &str) -> ServiceError {
    let at = at.to_owned();
    match error {
        ClientError::Init(DockerError::SocketNotFoundError(_)) => ServiceError::NoDocker { at },
        error => ServiceError::DockerSilent { at, reason: error.to_string() },
    }
}

fn no_daemon(error: &DockerError, at: &str) -> ServiceError {
    let at = at.to_owned();
    let mut reason = error.to_string();
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = cause {
        let io = error.downcast_ref::<std::io::Error>().map(std::io::Error::kind);
        match io {
            Some(std::io::ErrorKind::PermissionDenied) => {
                return ServiceError::DockerForbidden { at };
            }
            Some(std::io::ErrorKind::NotFound) => return ServiceError::NoDocker { at },
            _ => {}
        }
        reason = error.to_string();
        cause = error.source();
    }
    ServiceError::DockerSilent { at, reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_daemon_with_a_remote_address_is_on_another_machine() {
        for here in ["unix:///var/run/docker.sock", "tcp://127.0.0.1:2375", "tcp://localhost:2375"]
        {
            assert!(!on_another_machine(here), "{here}");
        }
        for there in ["tcp://10.0.0.7:2376", "https://docker.example.com:2376", "tcp://build-host"]
        {
            assert!(on_another_machine(there), "{there}");
        }
    }
}
