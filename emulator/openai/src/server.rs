//! The server: its address, its armed scripts, and its end when the last handle drops.

use std::{
    io,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{
    net::{TcpListener, TcpStream},
    runtime::Handle,
};

use super::{
    http,
    persona::Persona,
    registry::{ArmedScript, ScriptRegistry},
    script::Script,
    stored_responses::StoredResponses,
    unmet::UnmetExpectation,
};
use rehearse_core::{clock::Clock, faults::Faults, journal::Journal, serve::Serving};

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
pub struct OpenAi(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    url: String,
    server: Arc<ServerState>,
    /// Ends with the last handle.
    _serving: Serving,
}

/// What a request meets.
#[derive(Debug)]
pub(super) struct ServerState {
    pub options: Options,
    pub journal: Journal,
    pub clock: Clock,
    pub faults: Faults,
    registry: Mutex<ScriptRegistry>,
    stored: RwLock<StoredResponses>,
    requests: AtomicU64,
}

// What is behind the locks is valid after every statement: a panic elsewhere spoils nothing.
impl ServerState {
    pub fn registry(&self) -> MutexGuard<'_, ScriptRegistry> {
        self.registry.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn stored(&self) -> RwLockReadGuard<'_, StoredResponses> {
        self.stored.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn stored_mut(&self) -> RwLockWriteGuard<'_, StoredResponses> {
        self.stored.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many requests came before.
    pub fn count(&self) -> u64 {
        self.requests.fetch_add(1, Ordering::Relaxed)
    }
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
        let server = Arc::new(ServerState {
            options,
            journal,
            clock,
            faults,
            registry: Mutex::default(),
            stored: RwLock::default(),
            requests: AtomicU64::new(0),
        });
        let shared = Arc::clone(&server);
        let serving = Serving::start(listener, &runtime, move |stream, _| {
            serve(stream, Arc::clone(&shared))
        })?;
        Ok(Self(Arc::new(Inner { url, server, _serving: serving })))
    }

    /// The base URL for clients: `http://127.0.0.1:PORT/v1`.
    pub fn url(&self) -> &str {
        &self.0.url
    }

    /// Puts a script on registry until the guard is finished or dropped.
    pub fn arm(&self, script: Script) -> ArmedScript {
        let id = self.0.server.registry().arm(script);
        ArmedScript::new(Arc::clone(&self.0.server), id)
    }

    /// Who answers when no armed script fits.
    pub fn set_persona(&self, persona: Option<Persona>) {
        self.0.server.registry().persona = persona.map(Arc::new);
    }

    /// Requests that no script expected, since the last call.
    pub fn take_unexpected_requests(&self) -> Vec<UnmetExpectation> {
        std::mem::take(&mut self.0.server.registry().problems)
    }

    /// Forgets scripts, problems, stored responses and learned identifiers; the persona stays.
    pub fn reset(&self) {
        self.0.server.registry().reset();
        *self.0.server.stored_mut() = StoredResponses::default();
    }
}

async fn serve(stream: TcpStream, server: Arc<ServerState>) {
    let service = service_fn(move |request| http::handle(Arc::clone(&server), request));
    let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    // A client that hangs up, or one that the script hangs up on, is no error of the server.
    let _ = connection.await;
}
