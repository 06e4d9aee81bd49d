//! Answers texts: a turn from the opt-out check to the stored answer.
//!
//! [`ReplyService::answer`] never fails. When something goes wrong, the customer gets a fallback
//! that claims nothing false, the log gets the cause and the owner an alert.

mod alerts;
mod availability_range;
mod booking_tools;
mod closing;
mod late;
mod limits;
mod opt_out;
mod owner;
mod progress;
mod queue;
mod reply_text;
mod rounds;
mod safety_identifier;
mod stored_end;
mod tool_outcome;
mod tool_runner;
mod turn;
mod turn_facts;

use std::{sync::Arc, time::Duration};

use futures::future::{Either, select};
use jiff::Timestamp;
use progress::Progress;
use tracing::Instrument as _;

pub use self::{
    late::LateTurnError,
    limits::{LATE_DEADLINE_FACTOR, LATE_SEND_TIMEOUT, SEND_TIMEOUT},
};

use crate::{
    domain::{calendar::Calendar, opt_out::Keyword, pace::TurnLimits, phone::Phone},
    ports::{
        BackgroundWorker, Credential, CredentialError, IdGenerator, Model, ModelError, Sms, Store,
        StoreError, Timer, ToolSpec,
    },
    tools,
};

/// The ports that the use case needs.
#[derive(Clone)]
pub struct ReplyPorts {
    /// The language model.
    pub model: Arc<dyn Model>,
    /// The database.
    pub store: Arc<dyn Store>,
    /// Texts the owner when nothing can be stored.
    pub sms: Arc<dyn Sms>,
    /// Sends what is in the outbox.
    pub background: Arc<dyn BackgroundWorker>,
    /// Random identifiers.
    pub ids: Arc<dyn IdGenerator>,
    /// Elapsed time.
    pub timer: Arc<dyn Timer>,
    /// Key for the identifiers that the model's provider gets instead of phone numbers.
    pub safety_key: Arc<dyn Credential>,
}

/// What an operator configures.
#[derive(Clone)]
pub struct ReplySettings {
    /// Time for a turn. Closing one that failed takes at most 2.6 s more.
    pub deadline: Duration,
    /// Time for which a claim on a turn holds. It is renewed while the attempt runs. After a crash
    /// Twilio repeats the webhook at once, and the repeat waits until the claim ends.
    pub lease: Duration,
    /// Receives alerts and forwarded texts.
    pub owner_phone: Option<Phone>,
    /// How much one customer may cost.
    pub turn_limits: TurnLimits,
    /// Whether a turn that takes longer than its deadline is handed over to the background worker.
    pub late_replies: bool,
    /// Time to have texts of the outbox sent.
    pub send_timeout: Duration,
}

/// A customer's text that is known to come from Twilio.
#[derive(Debug, Clone)]
pub struct InboundText {
    /// The customer.
    pub phone: Phone,
    /// Twilio's MessageSid.
    pub sid: String,
    /// The text itself.
    pub body: String,
    /// Number of pictures that came with it.
    pub media: usize,
    /// The addresses of those pictures that have one.
    pub media_urls: Vec<String>,
    /// Twilio's reading of it as a keyword (`OptOutType`), if there is one.
    pub opt_out_type: Option<Keyword>,
    /// Business time at which it arrived.
    pub now: Timestamp,
    /// Elapsed time at which it arrived, as of [`Timer::unix_ms`]. The deadline counts from it, so
    /// that it covers what came before the turn.
    pub received_ms: i64,
}

/// The use case: answers texts.
pub struct ReplyService {
    ports: ReplyPorts,
    calendar: Calendar,
    settings: ReplySettings,
    tools: Vec<ToolSpec>,
}

/// Why a turn has no answer of its own.
#[derive(Debug, thiserror::Error)]
enum TurnError {
    #[error("the tables failed")]
    Store(#[from] StoreError),
    #[error("a secret is missing")]
    Credential(#[from] CredentialError),
    #[error("the model gave no answer")]
    Model(#[from] ModelError),
    #[error("nothing of the model's answer may be said")]
    NothingToSay,
    #[error("the model kept calling tools")]
    RoundsExhausted,
    #[error("the deadline passed")]
    Deadline,
    #[error("another attempt has taken the turn over")]
    ClaimLost,
    #[error("too many texts of the customer wait already")]
    QueueFull,
}

impl ReplyService {
    /// The use case on its ports.
    pub fn new(ports: ReplyPorts, calendar: Calendar, settings: ReplySettings) -> Self {
        Self { ports, calendar, settings, tools: tools::specs() }
    }

    /// Answers a text with these messages. No messages mean silence.
    pub async fn answer(&self, text: &InboundText) -> Vec<String> {
        let customer = text.phone.masked();
        tracing::info!(customer, sid = text.sid, pictures = text.media, "text received");
        if self.settings.owner_phone.as_ref() == Some(&text.phone) {
            return self.answer_owner(text).await;
        }
        let progress = Progress::default();
        // At debug level, because a production log shows one span a line: the request's.
        let span = tracing::debug_span!("turn", sid = text.sid);
        let turn = Box::pin(self.run_turn(text, &progress).instrument(span));
        let turn = run_alongside(turn, Box::pin(self.keep_renewing_claim(&progress)));
        // The turn is dropped when the deadline passes, so that nothing of it continues within the
        // next customer's request.
        let outcome = self.with_timeout(self.time_left(text), turn).await;
        match outcome {
            Some(Ok(messages)) => messages,
            Some(Err(error)) => self.fall_back(text, &progress, &error).await,
            None => self.fall_back(text, &progress, &TurnError::Deadline).await,
        }
    }

    /// Elapsed time now, in milliseconds since the Unix epoch, for [`InboundText::received_ms`].
    pub fn unix_ms(&self) -> i64 {
        self.ports.timer.unix_ms()
    }

    /// What is left of the deadline.
    fn time_left(&self, text: &InboundText) -> Duration {
        let passed = self.unix_ms().saturating_sub(text.received_ms);
        let passed = Duration::from_millis(u64::try_from(passed).unwrap_or_default());
        self.settings.deadline.saturating_sub(passed)
    }

    /// The result of `work`, or `None` if it takes longer than `timeout`.
    async fn with_timeout<T>(
        &self,
        timeout: Duration,
        work: impl Future<Output = T> + Send,
    ) -> Option<T> {
        match select(Box::pin(work), self.ports.timer.sleep(timeout)).await {
            Either::Left((done, _)) => Some(done),
            Either::Right(((), _)) => None,
        }
    }
}

/// Polls `beside` for as long as `work` runs and returns the result of `work`.
async fn run_alongside<T>(
    work: impl Future<Output = T> + Unpin,
    beside: impl Future<Output = ()> + Unpin,
) -> T {
    match select(work, beside).await {
        Either::Left((done, _)) => done,
        Either::Right(((), work)) => work.await,
    }
}
