//! A fake OpenAI for one test, verified when it is dropped.

use std::{io, thread};

use tokio::net::TcpListener;

use super::{builder::ScriptBuilder, options::Options, server::OpenAi, unmet::UnmetExpectations};
use rehearse_core::{clock::Clock, faults::Faults, journal::Journal};

/// A fake OpenAI for one test: a server on a free port of the loopback interface.
///
/// Dropping it stops the server and verifies it: it panics with a report if a round was never
/// reached or a request was not expected, unless the thread is already panicking. To handle the
/// report instead, call [`verify`](Self::verify) before; to have no verification, call
/// [`without_verification`](Self::without_verification).
#[derive(Debug)]
pub struct FakeOpenAi {
    server: OpenAi,
    verify_on_drop: bool,
}

impl FakeOpenAi {
    /// Starts a server on the current tokio runtime, of either flavor. It listens when this returns.
    ///
    /// # Errors
    /// No port of the loopback interface can be opened.
    ///
    /// # Panics
    /// There is no current tokio runtime.
    pub async fn start() -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let clock = Clock::running();
        let journal = Journal::new(clock.clone());
        let faults = Faults::default();
        let server = OpenAi::start(listener, Options::default(), journal, clock, faults)?;
        Ok(Self { server, verify_on_drop: true })
    }

    /// The same without verification on drop.
    #[must_use]
    pub fn without_verification(mut self) -> Self {
        self.verify_on_drop = false;
        self
    }

    /// The base URL for clients: `http://127.0.0.1:PORT/v1`.
    pub fn url(&self) -> &str {
        self.server.url()
    }

    /// The API key that clients must send.
    pub fn api_key(&self) -> &str {
        self.server.api_key()
    }

    /// Begins a script for the turn whose user text contains `text`; see [`ScriptBuilder`].
    pub fn when(&self, text: impl Into<String>) -> ScriptBuilder {
        self.server.when(text)
    }

    /// Begins a script for every turn that no other script matches; see [`ScriptBuilder`].
    pub fn when_any(&self) -> ScriptBuilder {
        self.server.when_any()
    }

    /// Every request so far with its response.
    pub fn journal(&self) -> &Journal {
        self.server.journal()
    }

    /// Removes every script and reports what was not met.
    ///
    /// Everything is reported once: what happens afterwards is left to the next call or the drop.
    ///
    /// # Errors
    /// Rounds that were never reached, and requests that no script expected.
    pub fn verify(&self) -> Result<(), UnmetExpectations> {
        self.server.verify()
    }
}

impl Drop for FakeOpenAi {
    #[expect(clippy::panic, reason = "an expectation that is not met must fail the test")]
    fn drop(&mut self) {
        if !self.verify_on_drop || thread::panicking() {
            return;
        }
        if let Err(unmet) = self.verify() {
            panic!("{unmet}");
        }
    }
}
