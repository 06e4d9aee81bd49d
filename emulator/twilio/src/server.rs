//! Starts and stops the fake, and what a scenario may do with it.

use std::{
    collections::{HashMap, HashSet},
    fmt, io,
    ops::Deref,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::serve::ListenerExt;
use base64::{Engine, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use tokio::{net::TcpListener, sync::oneshot, task::JoinSet};

use super::{
    Delivery, Inbound, Message, NumberConfig, Options, Sid,
    activity::ActivityTracker,
    message_log::MessageLog,
    outbox::ScheduledMessage,
    rest,
    sid::SidGenerator,
    webhook::{CookieJar, ReceivedMessage},
};
use rehearse_core::{clock::Clock, faults::Faults, journal::Journal};

/// A handle on the fake Twilio of one world. Clones share it.
#[derive(Clone)]
pub struct Twilio(pub(super) Arc<Account>);

/// Keeps the fake serving; dropping it stops it and what it has under way.
pub struct Server {
    twilio: Twilio,
    stop: Option<oneshot::Sender<()>>,
}

pub(super) struct Account {
    pub options: Options,
    pub url: String,
    pub journal: Journal,
    pub clock: Clock,
    pub faults: Faults,
    pub web: reqwest::Client,
    /// Business time at the start.
    pub started: Timestamp,
    pub activity: ActivityTracker,
    state: Mutex<AccountState>,
    tasks: Mutex<JoinSet<()>>,
}

/// What changes. Held briefly, never across an await.
pub(super) struct AccountState {
    /// Signs webhooks and opens the REST API.
    pub auth_token: String,
    pub config: NumberConfig,
    pub friendly_name: String,
    pub messages: MessageLog,
    pub sids: SidGenerator,
    /// People who texted STOP to the number.
    pub blocked: HashSet<String>,
    /// The backend's cookies by person.
    pub jars: HashMap<String, CookieJar>,
    pub received: HashMap<Sid, Arc<ReceivedMessage>>,
    pub scheduled: Vec<ScheduledMessage>,
}

impl AccountState {
    fn new(options: &Options, config: NumberConfig) -> Self {
        Self {
            auth_token: options.auth_token.clone(),
            config,
            friendly_name: options.number.clone(),
            messages: MessageLog::default(),
            sids: SidGenerator::new(options.seed),
            blocked: HashSet::new(),
            jars: HashMap::new(),
            received: HashMap::new(),
            scheduled: Vec::new(),
        }
    }
}

impl Twilio {
    /// Serves the REST API on `listener` until the returned guard is dropped.
    ///
    /// `web` calls the backend's URLs. Build it with `redirect::Policy::none()`
    /// and `no_proxy()`: redirects are followed here, since each hop is signed
    /// for its own URL. It must be called within a Tokio runtime.
    ///
    /// # Errors
    /// When the listener has no address.
    pub fn start(
        listener: TcpListener,
        options: Options,
        journal: Journal,
        clock: Clock,
        faults: Faults,
        web: reqwest::Client,
    ) -> io::Result<Server> {
        let url = format!("http://{}", listener.local_addr()?);
        let started = clock.now();
        let state = Mutex::new(AccountState::new(&options, options.config.clone()));
        let account = Arc::new(Account {
            options,
            url,
            journal,
            clock,
            faults,
            web,
            activity: ActivityTracker::default(),
            started,
            state,
            tasks: Mutex::default(),
        });
        let (stop, stopped) = oneshot::channel();
        let router = rest::router(Arc::clone(&account));
        // Answers are small: waiting for more to send would only slow them.
        let listener = listener.tap_io(|stream| {
            let _ = stream.set_nodelay(true);
        });
        tokio::spawn(async move {
            let serving = axum::serve(listener, router).with_graceful_shutdown(async move {
                // A dropped sender is a stop too.
                let _ = stopped.await;
            });
            if let Err(error) = serving.await {
                tracing::error!(%error, "twilio server ended");
            }
        });
        Ok(Server { twilio: Self(account), stop: Some(stop) })
    }

    /// Base URL of the REST API.
    pub fn url(&self) -> String {
        self.0.url.clone()
    }

    /// The shop's number.
    pub fn number(&self) -> &str {
        &self.0.options.number
    }

    /// Changes how the number is configured; REST sees it.
    pub fn configure(&self, change: impl FnOnce(&mut NumberConfig)) {
        change(&mut self.0.state().config);
    }

    /// How the number is configured now.
    pub fn config(&self) -> NumberConfig {
        self.0.state().config.clone()
    }

    /// The account's token is another one from now on, as after a rotation in Twilio's console.
    pub fn rotate_auth_token(&self, token: &str) {
        token.clone_into(&mut self.0.state().auth_token);
    }

    /// A person texts the number: the text is recorded, keywords are acted on,
    /// the webhook is delivered with retries and fallback, replies are sent.
    pub async fn receive(&self, text: Inbound) -> Delivery {
        let sid = self.accept(text);
        self.redeliver(sid).await
    }

    /// The first half of [`Twilio::receive`]: records the text and acts on
    /// keywords. [`Twilio::redeliver`] is the other half.
    pub fn accept(&self, text: Inbound) -> Sid {
        self.0.release_due();
        self.0.accept(text)
    }

    /// Delivers a received text (once more): the same sid, parameters and
    /// idempotency token, as after an acknowledgement that was lost.
    pub async fn redeliver(&self, sid: Sid) -> Delivery {
        let _busy = self.0.activity.begin();
        let received = self.0.state().received.get(&sid).cloned();
        match received {
            Some(received) => Box::pin(self.0.deliver(&received)).await,
            None => Delivery { sid, attempts: vec![], replies: vec![], errors: vec![20404] },
        }
    }

    /// Waits until no delivery, REST call or status callback is under way.
    pub async fn settled(&self) {
        self.0.release_due();
        self.0.activity.idle().await;
    }

    /// All messages, oldest first.
    pub fn messages(&self) -> Vec<Message> {
        self.0.release_due();
        self.0.state().messages.iter().cloned().collect()
    }

    /// Whether a person has opted out.
    pub fn is_blocked(&self, person: &str) -> bool {
        self.0.state().blocked.contains(person)
    }

    /// Forgets messages, blocks and cookies; the number stays configured, and sids go on: a
    /// backend that remembers them must never meet one again.
    pub fn reset(&self) {
        self.0.tasks().abort_all();
        let mut state = self.0.state();
        let (config, sids) = (state.config.clone(), state.sids.clone());
        *state = AccountState { sids, ..AccountState::new(&self.0.options, config) };
    }
}

impl Account {
    pub fn state(&self) -> MutexGuard<'_, AccountState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether an `Authorization` header opens the REST API.
    pub fn is_key(&self, given: &[u8]) -> bool {
        let is = |user: &str, secret: &str| {
            let key = STANDARD.encode(format!("{user}:{secret}"));
            given.strip_prefix(b"Basic ").is_some_and(|given| given == key.as_bytes())
        };
        is(&self.options.account_sid, &self.state().auth_token)
            || self.options.api_key.iter().any(|(sid, secret)| is(sid, secret))
    }

    /// Runs `work` in the background, until it is done or the server stops.
    pub fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        let busy = self.activity.begin();
        let mut tasks = self.tasks();
        while tasks.try_join_next().is_some() {}
        tasks.spawn(async move {
            let _busy = busy;
            work.await;
        });
    }

    fn tasks(&self) -> MutexGuard<'_, JoinSet<()>> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Server {
    /// A handle that may outlive the server.
    pub fn handle(&self) -> Twilio {
        self.twilio.clone()
    }
}

impl fmt::Debug for Twilio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Twilio").field("url", &self.0.url).finish_non_exhaustive()
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Server").field(&self.twilio).finish()
    }
}

impl Deref for Server {
    type Target = Twilio;

    fn deref(&self) -> &Twilio {
        &self.twilio
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        self.twilio.0.tasks().abort_all();
    }
}
