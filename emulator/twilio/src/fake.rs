//! A fake Twilio for one test, without a world around it.

use std::io;

use tokio::net::TcpListener;

use super::{Direction, Message, Options, Server, TextError, Twilio, phone, webhook_client};
use rehearse_core::{clock::Clock, faults::Faults, journal::Journal};

/// A fake Twilio for one test: one account with one number, served on a free port of the loopback
/// interface. Dropping it closes the listener and every connection. It needs no files.
#[derive(Debug)]
pub struct FakeTwilio {
    server: Server,
    journal: Journal,
    clock: Clock,
    faults: Faults,
}

/// Configures a [`FakeTwilio`] before it starts. Made by [`FakeTwilio::builder`].
#[derive(Debug, Clone)]
pub struct FakeTwilioBuilder {
    options: Options,
    clock: Clock,
}

impl FakeTwilio {
    /// Starts a server with the defaults of [`FakeTwilio::builder`] on the current tokio runtime, of
    /// either flavor. It listens when this returns.
    ///
    /// # Errors
    /// No port of the loopback interface can be opened, or the HTTP client cannot be built.
    ///
    /// # Panics
    /// There is no current tokio runtime.
    pub async fn start() -> io::Result<Self> {
        Self::builder().start().await
    }

    /// Begins with the number +15550100000, the account and the token of [`Options::default`], no
    /// webhook, and a clock that runs.
    pub fn builder() -> FakeTwilioBuilder {
        FakeTwilioBuilder { options: Options::default(), clock: Clock::running() }
    }

    /// The base URL of the REST API: `http://127.0.0.1:PORT`.
    pub fn url(&self) -> &str {
        self.server.url()
    }

    /// The account's sid, which is also the user name of the REST API.
    pub fn account_sid(&self) -> &str {
        self.server.account_sid()
    }

    /// The account's auth token, which signs webhooks and is the password of the REST API.
    pub fn auth_token(&self) -> String {
        self.server.auth_token()
    }

    /// The account's number, in E.164 format.
    pub fn number(&self) -> &str {
        self.server.number()
    }

    /// Sets the URL that is called for each text to the number. Replaces an earlier one.
    pub fn set_webhook(&self, url: impl Into<String>) {
        let url = Some(url.into());
        self.server.configure(|number| number.webhook_url = url);
    }

    /// Texts the number: delivers the text to the webhook, signed, and returns the texts that `from`
    /// received in response, in order.
    ///
    /// It returns when no webhook, REST call or status callback is under way. So the result has the
    /// TwiML replies, what the backend sent to `from` by REST in the meantime, and Twilio's own notice
    /// when the text is an opt-out keyword. A message that the backend sends later is in
    /// [`FakeTwilio::sent`]. A message that Twilio refuses or that is not delivered is in no result.
    /// When two calls with the same sender overlap, the first one may return replies of the second.
    ///
    /// # Errors
    /// The sender is not valid, there is no webhook, or the webhook failed. Twilio waits 15 seconds
    /// for a response, unless the webhook's URL says otherwise.
    pub async fn text(
        &self,
        from: &str,
        body: impl Into<String>,
    ) -> Result<Vec<String>, TextError> {
        self.server.text(from, body).await
    }

    /// The messages that the backend sent with the REST API, oldest first. Those that it has deleted
    /// are not among them.
    pub fn sent(&self) -> Vec<Message> {
        let mut messages = self.server.messages();
        messages.retain(|message| message.direction == Direction::OutboundApi);
        messages
    }

    /// Every exchange so far: received and sent messages, webhooks and REST calls.
    pub fn journal(&self) -> &Journal {
        &self.journal
    }

    /// The failures to inject, by the names that exchanges have in the journal.
    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    /// The business time of messages. Moving it forward sends scheduled messages at the next call.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The full handle: texts with media or forged signatures, repeated deliveries, and the
    /// configuration of the number.
    pub fn twilio(&self) -> &Twilio {
        &self.server
    }
}

impl FakeTwilioBuilder {
    /// The account's number, in E.164 format.
    #[must_use]
    pub fn number(mut self, number: impl Into<String>) -> Self {
        self.options.number = number.into();
        self
    }

    /// The URL that is called for each text to the number. It is called over plain HTTP: no
    /// certificate is trusted. Its fragment may hold connection overrides, such as `#rc=2&rp=5xx`.
    #[must_use]
    pub fn webhook(mut self, url: impl Into<String>) -> Self {
        self.options.config.webhook_url = Some(url.into());
        self
    }

    /// The account's sid: `AC` and 32 hexadecimal digits.
    #[must_use]
    pub fn account_sid(mut self, sid: impl Into<String>) -> Self {
        self.options.account_sid = sid.into();
        self
    }

    /// The account's auth token.
    #[must_use]
    pub fn auth_token(mut self, token: impl Into<String>) -> Self {
        self.options.auth_token = token.into();
        self
    }

    /// The business time of messages.
    #[must_use]
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Starts a server on the current tokio runtime, of either flavor. It listens when this returns.
    ///
    /// # Errors
    /// The number is not in E.164 format, no port of the loopback interface can be opened, or the HTTP
    /// client cannot be built.
    ///
    /// # Panics
    /// There is no current tokio runtime.
    pub async fn start(self) -> io::Result<FakeTwilio> {
        let Self { options, clock } = self;
        if !phone::is_e164(&options.number) {
            let message = "the account's number is not in E.164 format, such as +15550100000";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        }
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let journal = Journal::new(clock.clone());
        let faults = Faults::default();
        let server = Twilio::start(
            listener,
            options,
            journal.clone(),
            clock.clone(),
            faults.clone(),
            webhook_client()?,
        )?;
        Ok(FakeTwilio { server, journal, clock, faults })
    }
}
