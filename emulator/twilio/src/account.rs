//! The account and its numbers: what every part of the fake reads and changes.

use std::{
    collections::{BTreeSet, HashSet},
    sync::{Mutex, MutexGuard, PoisonError},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use jiff::Timestamp;

use super::{
    DeliveryPlan, NumberConfig, Options, message_log::MessageLog, number::Number, sid::SidGenerator,
};
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
    /// The account's first number, which people text unless they say another.
    pub first: Number,
    pub others: Vec<Number>,
    pub messages: MessageLog,
    pub sids: SidGenerator,
    /// What becomes of messages, and for how many more each plan is.
    plans: Vec<(DeliveryPlan, Option<u32>)>,
    /// Who opted out of what: a number of the account or its Messaging Service, and a person.
    opted_out: HashSet<(String, String)>,
}

impl Account {
    pub fn new(options: Options, journal: Journal, clock: Clock, faults: Faults) -> Self {
        let started = clock.now();
        let (first, others) = numbers(&options, started);
        let state = AccountState::new(&options, first, others);
        Self {
            journal,
            faults,
            activity: ActivityTracker::default(),
            started,
            clock,
            state: Mutex::new(state),
            options,
        }
    }

    pub fn state(&self) -> MutexGuard<'_, AccountState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a person has opted out of texts from one of the account's numbers.
    pub fn has_opted_out(&self, number: &str, person: &str) -> bool {
        self.state().has_opted_out(number, person)
    }

    /// Whether an `Authorization` header holds the account's token or its API key.
    pub fn authorizes(&self, header: &[u8]) -> bool {
        let is = |user: &str, secret: &str| {
            let credentials = STANDARD.encode(format!("{user}:{secret}"));
            header.strip_prefix(b"Basic ").is_some_and(|given| given == credentials.as_bytes())
        };
        is(&self.options.account_sid, &self.state().auth_token)
            || self.options.api_keys.iter().any(|(sid, secret)| is(sid, secret))
    }

    /// Removes messages and opt-outs and restores the first auth token. Numbers stay configured, and
    /// sids are not reused: a backend may remember those that it has seen.
    pub fn reset(&self) {
        let mut state = self.state();
        let (first, others) = (state.first.clone(), state.others.clone());
        let sids = state.sids.clone();
        *state = AccountState { sids, ..AccountState::new(&self.options, first, others) };
    }

    /// Configures the numbers as they were at the start.
    pub fn restore_numbers(&self) {
        let (first, others) = numbers(&self.options, self.started);
        let mut state = self.state();
        (state.first, state.others) = (first, others);
    }
}

/// The account's numbers as the options have them: the first, and the others.
fn numbers(options: &Options, started: Timestamp) -> (Number, Vec<Number>) {
    let number = |index: usize, phone: &str, config: &NumberConfig| {
        Number::new(phone, config.clone(), options.seed, index, started)
    };
    let others = options.other_numbers.iter().enumerate();
    let others = others.map(|(index, (phone, config))| number(index + 1, phone, config));
    (number(0, &options.number, &options.config), others.collect())
}

impl AccountState {
    fn new(options: &Options, first: Number, others: Vec<Number>) -> Self {
        Self {
            auth_token: options.auth_token.clone(),
            first,
            others,
            messages: MessageLog::new(options.messages_kept),
            sids: SidGenerator::new(options.seed),
            plans: Vec::new(),
            opted_out: HashSet::new(),
        }
    }

    /// Adds a plan for messages that are sent from now on.
    pub fn add_plan(&mut self, plan: DeliveryPlan) {
        self.plans.retain(|(_, left)| *left != Some(0));
        let left = plan.times;
        self.plans.push((plan, left));
    }

    /// Removes all plans.
    pub fn clear_plans(&mut self) {
        self.plans.clear();
    }

    /// The first plan for a message between these numbers, which counts it.
    pub fn take_plan(&mut self, from: &str, to: &str) -> Option<DeliveryPlan> {
        let is =
            |wanted: &Option<String>, number: &str| wanted.as_ref().is_none_or(|w| w == number);
        let (plan, left) = self
            .plans
            .iter_mut()
            .find(|(plan, left)| *left != Some(0) && is(&plan.from, from) && is(&plan.to, to))?;
        *left = left.map(|left| left - 1);
        Some(plan.clone())
    }

    /// Every number of the account.
    pub fn numbers(&self) -> impl Iterator<Item = &Number> {
        std::iter::once(&self.first).chain(&self.others)
    }

    /// Every number of the account.
    pub fn numbers_mut(&mut self) -> impl Iterator<Item = &mut Number> {
        std::iter::once(&mut self.first).chain(&mut self.others)
    }

    /// The number with this phone number; `None` when it is not the account's.
    pub fn number(&self, phone: &str) -> Option<&Number> {
        self.numbers().find(|number| number.phone == phone)
    }

    /// Whether a person has opted out of texts from one of the account's numbers.
    pub fn has_opted_out(&self, number: &str, person: &str) -> bool {
        self.opted_out.contains(&(self.opt_out_scope(number), person.to_owned()))
    }

    /// Who has opted out: from which number, or which Messaging Service, and the person.
    pub fn opt_outs(&self) -> BTreeSet<(String, String)> {
        self.opted_out.iter().cloned().collect()
    }

    /// Replaces who has opted out.
    pub fn set_opt_outs(&mut self, opt_outs: BTreeSet<(String, String)>) {
        self.opted_out = opt_outs.into_iter().collect();
    }

    /// A person opts out of texts from one of the account's numbers.
    pub fn opt_out(&mut self, number: &str, person: &str) {
        let scope = self.opt_out_scope(number);
        self.opted_out.insert((scope, person.to_owned()));
    }

    /// A person opts in again.
    pub fn opt_in(&mut self, number: &str, person: &str) {
        let scope = self.opt_out_scope(number);
        self.opted_out.remove(&(scope, person.to_owned()));
    }

    /// What an opt-out from a number is from: the number's Messaging Service, which pools them, or the
    /// number alone.
    fn opt_out_scope(&self, number: &str) -> String {
        let service = self.number(number).and_then(|n| n.config.messaging_service_sid.clone());
        service.unwrap_or_else(|| number.to_owned())
    }
}
