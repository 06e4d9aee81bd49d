//! The server: its address, its armed scripts, and its end when the last handle drops.

use std::{convert::Infallible, io, sync::Arc, time::Duration};

use tokio::{
    net::TcpListener,
    runtime::Handle,
    task::{AbortHandle, JoinSet},
};

use super::{persona::Persona, problem::Problem, script::Script, stage::Armed};
use crate::{clock::Clock, faults::Faults, journal::Journal};

/// Models that the provider serves, the current ones first.
const MODELS: [&str; 15] = [
    "gpt-6-luna",
    "gpt-6-astra",
    "gpt-6.1-sol",
    "gpt-6.1-terra",
    "gpt-5.6-luna",
    "gpt-5.6-sol",
    "gpt-5.6-terra",
    "gpt-5.4",
    "gpt-5.4-mini",
    "gpt-5",
    "gpt-5-mini",
    "gpt-4.1",
    "gpt-4.1-mini",
    "gpt-4o",
    "gpt-4o-mini",
];

/// What a server accepts.
#[derive(Debug, Clone)]
pub struct Options {
    /// The only key that is let in.
    pub api_key: String,
    /// Models that exist.
    pub models: Vec<String>,
    /// Real time between two events of a stream; `None` sends them at once.
    pub pace: Option<Duration>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            api_key: "sk-rehearse".into(),
            models: MODELS.iter().map(ToString::to_string).collect(),
            pace: None,
        }
    }
}

/// A running server. Clones are handles to the same one; it stops when the last is dropped.
#[derive(Clone, Debug)]
pub struct OpenAi(Arc<Running>);

#[derive(Debug)]
struct Running {
    url: String,
    server: Arc<Server>,
    accepting: AbortHandle,
}

impl Drop for Running {
    fn drop(&mut self) {
        // The task owns its connections: they end with it.
        self.accepting.abort();
    }
}

/// What a request meets.
#[derive(Debug)]
pub(super) struct Server {
    pub options: Options,
    pub journal: Journal,
    pub clock: Clock,
    pub faults: Faults,
}

impl OpenAi {
    /// Serves on `listener` until the last handle is dropped.
    ///
    /// # Errors
    /// When the listener has no address, or there is no tokio runtime.
    pub fn start(
        listener: TcpListener,
        options: Options,
        journal: Journal,
        clock: Clock,
        faults: Faults,
    ) -> io::Result<Self> {
        let url = format!("http://{}/v1", listener.local_addr()?);
        let runtime = Handle::try_current().map_err(io::Error::other)?;
        let server = Arc::new(Server { options, journal, clock, faults });
        let accepting = runtime.spawn(accept(listener, Arc::clone(&server))).abort_handle();
        Ok(Self(Arc::new(Running { url, server, accepting })))
    }

    /// The base URL for clients: `http://127.0.0.1:PORT/v1`.
    pub fn url(&self) -> &str {
        &self.0.url
    }

    /// Puts a script on stage until the guard is finished or dropped.
    pub fn arm(&self, _script: Script) -> Armed {
        Armed::new(Arc::clone(&self.0.server), 0)
    }

    /// Who answers when no armed script fits.
    pub fn set_persona(&self, _persona: Option<Persona>) {}

    /// Requests that no script expected, since the last call.
    pub fn take_problems(&self) -> Vec<Problem> {
        Vec::new()
    }

    /// Forgets scripts, problems, stored responses and learned identifiers; the persona stays.
    pub fn reset(&self) {}
}

async fn accept(listener: TcpListener, server: Arc<Server>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => if let Ok((stream, _)) = accepted {
                let _ = (stream, &server);
                connections.spawn(async { Ok::<(), Infallible>(()) });
            },
            Some(_) = connections.join_next() => {}
        }
    }
}
