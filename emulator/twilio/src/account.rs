//! The account and its one number: what every part of the fake reads and changes.

use std::{
    collections::HashSet,
    sync::{Mutex, MutexGuard, PoisonError},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use jiff::Timestamp;

use super::{NumberConfig, Options, message_log::MessageLog, sid::SidGenerator};
use rehearse_core::{activity::ActivityTracker, clock::Clock, faults::Faults, journal::Journal};

pub(crate) struct Account {
    pub options: Options,
    pub journal: Journal,
    pub clock: Clock,
    pub faults: Faults,
    /// Deliveries, REST calls and status callbacks under way.
    pub activity: ActivityTracker,
    /// Business time at the start.
    pub started: Timestamp,
    state: Mutex<AccountState>,
}

/// The part that changes. Its lock is held briefly and never across an await.
pub(crate) struct AccountState {
    /// Signs webhooks and authenticates REST calls.
    pub auth_token: String,
    pub config: NumberConfig,
    pub friendly_name: String,
    pub messages: MessageLog,
    pub sids: SidGenerator,
    /// Numbers that texted STOP.
    pub opted_out: HashSet<String>,
}

impl Account {
    pub fn new(options: Options, journal: Journal, clock: Clock, faults: Faults) -> Self {
        let state = AccountState::new(&options, options.config.clone());
        Self {
            journal,
            faults,
            activity: ActivityTracker::default(),
            started: clock.now(),
            clock,
            state: Mutex::new(state),
            options,
        }
    }

    pub fn state(&self) -> MutexGuard<'_, AccountState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a number has opted out of texts from the account's number.
    pub fn has_opted_out(&self, number: &str) -> bool {
        self.state().opted_out.contains(number)
    }

    /// Whether an `Authorization` header holds the account's token or its API key.
    pub fn authorizes(&self, header: &[u8]) -> bool {
        let is = |user: &str, secret: &str| {
            let credentials = STANDARD.encode(format!("{user}:{secret}"));
            header.strip_prefix(b"Basic ").is_some_and(|given| given == credentials.as_bytes())
        };
        is(&self.options.account_sid, &self.state().auth_token)
            || self.options.api_key.iter().any(|(sid, secret)| is(sid, secret))
    }

    /// Removes messages and opt-outs and restores the first auth token. The number stays configured,
    /// and sids are not reused: a backend may remember those that it has seen.
    pub fn reset(&self) {
        let mut state = self.state();
        let (config, sids) = (state.config.clone(), state.sids.clone());
        *state = AccountState { sids, ..AccountState::new(&self.options, config) };
    }
}

impl AccountState {
    fn new(options: &Options, config: NumberConfig) -> Self {
        Self {
            auth_token: options.auth_token.clone(),
            config,
            friendly_name: options.number.clone(),
            messages: MessageLog::new(options.messages_kept),
            sids: SidGenerator::new(options.seed),
            opted_out: HashSet::new(),
        }
    }
}
