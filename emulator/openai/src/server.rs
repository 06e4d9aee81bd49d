//! The server: starting it, its address and its scripts.

use std::{io, sync::Arc};

use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use jiff::tz::TimeZone;
use tokio::{
    net::{TcpListener, TcpStream},
    runtime::Handle,
};

use super::{
    builder::ScriptBuilder,
    holding::Holding,
    http,
    options::Options,
    persona::Persona,
    registry::{ArmedScript, RecalledScripts, ScriptRegistry},
    script::Script,
    state::ServerState,
    unmet::{UnmetExpectation, UnmetExpectations},
};
use rehearse_core::{
    clock::Clock, faults::Faults, journal::Journal, matcher::Vars, serve::Serving,
};

/// A running server. Clones are handles to the same one; it stops when the last is dropped.
///
/// It shares its journal, clock and faults with the other fakes of a world. A test that needs only
/// OpenAI uses [`FakeOpenAi`](crate::FakeOpenAi) instead.
#[derive(Clone, Debug)]
pub struct OpenAi(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    url: String,
    state: Arc<ServerState>,
    /// Stops with the last handle.
    _serving: Serving,
}

impl OpenAi {
    /// Serves on `listener`, on the current tokio runtime, until the last handle is dropped.
    ///
    /// # Errors
    /// The listener has no address, or there is no current tokio runtime.
    pub fn start(
        listener: TcpListener,
        options: Options,
        journal: Journal,
        clock: Clock,
        faults: Faults,
    ) -> io::Result<Self> {
        let url = format!("http://{}/v1", listener.local_addr()?);
        let runtime = Handle::try_current().map_err(io::Error::other)?;
        let registry = ScriptRegistry::new(Vars::new(clock.clone(), TimeZone::UTC));
        let state = Arc::new(ServerState::new(options, journal, clock, faults, registry));
        let shared = Arc::clone(&state);
        let serving = Serving::start(listener, &runtime, move |stream, _| {
            serve(stream, Arc::clone(&shared))
        })?;
        Ok(Self(Arc::new(Inner { url, state, _serving: serving })))
    }

    /// The base URL for clients: `http://127.0.0.1:PORT/v1`.
    pub fn url(&self) -> &str {
        &self.0.url
    }

    /// The API key that clients must send.
    pub fn api_key(&self) -> &str {
        &self.0.state.options.api_key
    }

    /// The scripts.
    pub fn scripts(&self) -> &ScriptRegistry {
        &self.0.state.registry
    }

    /// The rounds that are answered by hand.
    pub fn holding(&self) -> &Holding {
        &self.0.state.holding
    }

    /// Begins a script for the turn whose user text contains `text`; see [`ScriptBuilder`].
    pub fn when(&self, text: impl Into<String>) -> ScriptBuilder {
        ScriptBuilder::new(self.scripts()).text(text)
    }

    /// Begins a script for every turn that no other script matches; see [`ScriptBuilder`].
    pub fn when_any(&self) -> ScriptBuilder {
        ScriptBuilder::new(self.scripts())
    }

    /// Checks the mounted scripts; see [`ScriptRegistry::verify`].
    ///
    /// # Errors
    /// Rounds that were never reached, and requests that no script expected.
    pub fn verify(&self) -> Result<(), UnmetExpectations> {
        self.scripts().verify()
    }

    /// Adds a script until the returned guard is finished or dropped.
    pub fn arm(&self, script: Script) -> ArmedScript {
        self.scripts().arm(script)
    }

    /// Adds a script that answers its own text only, for as long as it is armed; see
    /// [`ScriptRegistry::arm_for_text`].
    pub fn arm_for_text(&self, script: Script) -> ArmedScript {
        self.scripts().arm_for_text(script)
    }

    /// The requests that no script expected since they were taken out last; they stay.
    pub fn unexpected_requests(&self) -> Vec<UnmetExpectation> {
        self.scripts().unexpected_requests()
    }

    /// Lets scripts that were removed respond again, to a backend that finishes its work later.
    pub fn recall(&self) -> RecalledScripts {
        self.scripts().recall()
    }

    /// Lets rounds respond to requests that they do not expect.
    pub fn respond_regardless(&self) {
        self.scripts().respond_regardless();
    }

    /// The persona that responds when no script matches; `None` refuses such requests.
    pub fn set_persona(&self, persona: Option<Persona>) {
        self.scripts().set_persona(persona);
    }

    /// Takes out the requests that no script expected since the last call.
    pub fn take_unexpected_requests(&self) -> Vec<UnmetExpectation> {
        self.scripts().take_unexpected_requests()
    }

    /// Removes scripts, unexpected requests, stored responses and learned identifiers, and lets go what
    /// is held. The persona stays.
    pub fn reset(&self) {
        self.holding().reset();
        self.scripts().reset();
        self.0.state.stored_mut().clear();
    }

    /// The journal with every request and its response.
    pub(super) fn journal(&self) -> &Journal {
        &self.0.state.journal
    }
}

async fn serve(stream: TcpStream, state: Arc<ServerState>) {
    let service = service_fn(move |request| http::handle(Arc::clone(&state), request));
    let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    // A connection that the client or the script closes is not an error of the server.
    let _ = connection.await;
}
