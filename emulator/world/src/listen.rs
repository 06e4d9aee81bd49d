//! The ports of a world.

use std::{
    io,
    net::{Ipv4Addr, TcpListener},
};

use super::WorldError;
use rehearse_aws::template::Ports;
use rehearse_core::serve;

/// The ports that a world listens on, always at 127.0.0.1.
#[derive(Debug, Clone, Copy, Default)]
pub enum Bind {
    /// Free ports, chosen by the system.
    #[default]
    Free,
    /// These ports.
    Fixed(Ports),
}

/// One listener for each part. All are opened before any part starts, so that each part can be told
/// the addresses of the others.
pub(super) struct Listeners {
    /// `None` for an external backend, which is not behind the gateway.
    pub(super) gateway: Option<TcpListener>,
    pub(super) twilio: TcpListener,
    pub(super) openai: TcpListener,
    pub(super) dynamodb: TcpListener,
    pub(super) secrets: TcpListener,
    pub(super) lambda: TcpListener,
}

impl Listeners {
    pub(super) fn open(bind: Bind, gateway: bool) -> Result<Self, WorldError> {
        let ports = match bind {
            Bind::Free => [0; 6],
            Bind::Fixed(Ports { gateway, twilio, openai, dynamodb, secrets, lambda, .. }) => {
                [gateway, twilio, openai, dynamodb, secrets, lambda]
            }
        };
        Ok(Self {
            gateway: gateway.then(|| listen("gateway", ports[0])).transpose()?,
            twilio: listen("twilio", ports[1])?,
            openai: listen("openai", ports[2])?,
            dynamodb: listen("dynamodb", ports[3])?,
            secrets: listen("secrets", ports[4])?,
            lambda: listen("lambda", ports[5])?,
        })
    }
}

fn listen(part: &'static str, port: u16) -> Result<TcpListener, WorldError> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(|source| match source.kind() {
        io::ErrorKind::AddrInUse => WorldError::Busy { part, port, source },
        _ => WorldError::Listen { part, port, source },
    })
}

/// Converts a listener for a part that runs on tokio.
pub(super) fn on_tokio(
    part: &'static str,
    listener: TcpListener,
) -> Result<tokio::net::TcpListener, WorldError> {
    serve::on_tokio(listener).map_err(|source| WorldError::Part { part, source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_port_names_the_part_and_the_key_that_moves_it() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = taken.local_addr().unwrap().port();
        let ports = Ports {
            gateway: 0,
            twilio: port,
            openai: 0,
            dynamodb: 0,
            control: 0,
            secrets: 0,
            lambda: 0,
        };
        let Err(error) = Listeners::open(Bind::Fixed(ports), true) else {
            panic!("the port is taken")
        };
        let text = error.to_string();
        assert!(text.contains(&format!("port {port} for twilio is taken")), "{text}");
        assert!(text.contains("`twilio` under [ports] in rehearse.toml"), "{text}");
    }
}
