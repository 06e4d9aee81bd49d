//! The answer to a text: the life of a turn, from opt-out to the stored answer.
//!
//! [`ReplyService::answer`] never fails. Whatever goes wrong, the customer gets a
//! truthful fallback, the log the cause, and the owner an alert.

mod alerts;
mod closing;
mod limits;
mod opt_out;
mod progress;
mod queue;
mod reply_text;
mod rounds;
mod safety_identifier;
mod tool_outcome;
mod tool_runner;
mod turn;

use std::{sync::Arc, time::Duration};

use alerts::Alerts;
use futures::future::{Either, select};
use jiff::Timestamp;
use progress::Progress;

use crate::{
    domain::{calendar::Calendar, opt_out::Keyword, phone::Phone},
    ports::{
        Credential, CredentialError, IdGenerator, Model, ModelError, Sms, Store, StoreError, Timer,
        ToolSpec,
    },
    tools,
};

/// What the dispatcher reaches the world through.
#[derive(Clone)]
pub struct ReplyPorts {
    /// The language model.
    pub model: Arc<dyn Model>,
    /// The tables.
    pub store: Arc<dyn Store>,
    /// Texts outside the webhook's answer.
    pub sms: Arc<dyn Sms>,
    /// Random identifiers.
    pub ids: Arc<dyn IdGenerator>,
    /// Elapsed time.
    pub timer: Arc<dyn Timer>,
    /// Key of the identifiers that the model's provider gets in place of phone numbers.
    pub safety_key: Arc<dyn Credential>,
}

/// What an operator decides.
#[derive(Clone)]
pub struct ReplySettings {
    /// How long a turn may take. Closing one that failed takes at most 1.5 s more.
    pub deadline: Duration,
    /// How long a turn is held at a time; its claim is renewed while the attempt lives. After a
    /// crash Twilio repeats the webhook at once, and the repeat waits for the lease.
    pub lease: Duration,
    /// Where alerts and forwarded texts go.
    pub owner_phone: Option<Phone>,
}

/// A customer's text, known to come from the carrier.
#[derive(Debug, Clone)]
pub struct InboundText {
    /// The customer.
    pub phone: Phone,
    /// MessageSid.
    pub sid: String,
    /// What was written.
    pub body: String,
    /// How many pictures came with it.
    pub media: usize,
    /// What the carrier made of it (`OptOutType`), when it says so.
    pub opt_out_type: Option<Keyword>,
    /// Business time.
    pub now: Timestamp,
}

/// The use case: one text in, its answer out.
pub struct ReplyService {
    ports: ReplyPorts,
    calendar: Calendar,
    settings: ReplySettings,
    tools: Vec<ToolSpec>,
    alerts: Alerts,
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
}

/// Work and what goes on beside it, which ends with it.
async fn run_alongside<T>(
    work: impl Future<Output = T> + Unpin,
    beside: impl Future<Output = ()> + Unpin,
) -> T {
    match select(work, beside).await {
        Either::Left((done, _)) => done,
        Either::Right(((), work)) => work.await,
    }
}

impl ReplyService {
    /// The use case on its ports.
    pub fn new(ports: ReplyPorts, calendar: Calendar, settings: ReplySettings) -> Self {
        Self { ports, calendar, settings, tools: tools::specs(), alerts: Alerts::default() }
    }

    /// Answers a text with these messages; none is silence.
    pub async fn answer(&self, text: &InboundText) -> Vec<String> {
        let customer = text.phone.masked();
        tracing::info!(customer, sid = text.sid, pictures = text.media, "text received");
        let progress = Progress::default();
        let outcome = {
            let turn = Box::pin(self.run_turn(text, &progress));
            let turn = run_alongside(turn, Box::pin(self.keep_renewing_claim(&progress)));
            // The turn is dropped here when the deadline passes: nothing of it runs on into the
            // next customer's request.
            match select(Box::pin(turn), self.ports.timer.sleep(self.settings.deadline)).await {
                Either::Left((outcome, _)) => outcome,
                Either::Right(((), _)) => Err(TurnError::Deadline),
            }
        };
        match outcome {
            Ok(messages) => messages,
            Err(error) => self.fall_back(text, &progress, &error).await,
        }
    }
}
