//! The account and its numbers: what every part of the fake reads and changes.

use std::{
    collections::{BTreeSet, HashSet},
    sync::{Mutex, MutexGuard, OnceLock, PoisonError},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use jiff::Timestamp;

use super::{
    DeliveryPlan, NumberConfig, Options, Sid,
    media::{Fetched, MediaStore},
    message_log::MessageLog,
    number::Number,
    service::Service,
    sid::SidGenerator,
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
    /// Where the account is served, for the URLs of files.
    pub url: OnceLock<String>,
    state: Mutex<AccountState>,
}

/// The part that changes. Its lock is held briefly and never across an await.
pub(crate) struct AccountState {
    /// Signs webhooks and authenticates REST calls.
    pub auth_token: String,
    /// The account's first number, which people text unless they say another.
    pub first: Number,
    pub others: Vec<Number>,
    /// The Messaging Services. A number says which one it belongs to.
    pub services: Vec<Service>,
    /// How many services the API has created, for their sids.
    pub services_created: u64,
    pub messages: MessageLog,
    /// The files of messages.
    pub media: MediaStore,
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
        let services = services(&options, started);
        let state = AccountState::new(&options, first, others, services);
        Self {
            journal,
            faults,
            activity: ActivityTracker::default(),
            started,
            clock,
            url: OnceLock::new(),
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
        let services_created = state.services_created;
        let mut services = std::mem::take(&mut state.services);
        services.iter_mut().for_each(Service::forget_senders);
        let new = AccountState::new(&self.options, first, others, services);
        *state = AccountState { sids, services_created, ..new };
    }

    /// Configures numbers and Messaging Services as they were at the start.
    pub fn restore_numbers(&self) {
        let (first, others) = numbers(&self.options, self.started);
        let mut state = self.state();
        (state.first, state.others) = (first, others);
        state.services = services(&self.options, self.started);
    }
}

/// The account's numbers as the options have them: the first, and the others.
fn numbers(options: &Options, started: Timestamp) -> (Number, Vec<Number>) {
    let number = |index: usize, phone: &str, config: &NumberConfig| {
        let mut config = config.clone();
        let services = options.services.iter();
        let of = services.rev().find(|s| s.numbers.iter().any(|number| number == phone));
        config.messaging_service_sid =
            of.map(|service| service.sid.clone()).or(config.messaging_service_sid);
        Number::new(phone, config, options.seed, index, started)
    };
    let others = options.other_numbers.iter().enumerate();
    let others = others.map(|(index, (phone, config))| number(index + 1, phone, config));
    (number(0, &options.number, &options.config), others.collect())
}

/// The Messaging Services as the options have them.
fn services(options: &Options, started: Timestamp) -> Vec<Service> {
    options.services.iter().map(|config| Service::new(config.clone(), started)).collect()
}

impl AccountState {
    fn new(options: &Options, first: Number, others: Vec<Number>, services: Vec<Service>) -> Self {
        Self {
            services,
            services_created: 0,
            auth_token: options.auth_token.clone(),
            first,
            others,
            messages: MessageLog::new(options.messages_kept),
            media: MediaStore::default(),
            sids: SidGenerator::new(options.seed),
            plans: Vec::new(),
            opted_out: HashSet::new(),
        }
    }

    /// Keeps the files of a message, and those of other messages for as long as these are kept.
    pub fn keep_media(&mut self, message: Sid, files: Vec<Fetched>, now: Timestamp) {
        self.media.keep(message, files, now);
        // Now and then, so that each message costs the same.
        if self.media.len() > 64 && self.media.len() > self.messages.len() * 2 {
            let messages = &self.messages;
            // A text gets its files before it is in the log: its webhook has their URLs.
            self.media.retain(|sid| sid == message || messages.get(sid).is_some());
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

    /// The Messaging Service with this sid. There is none for a service that only a number's
    /// configuration names: it has no settings.
    pub fn service(&self, sid: &str) -> Option<&Service> {
        self.services.iter().find(|service| service.sid() == sid)
    }

    /// The numbers of a Messaging Service.
    pub fn pool(&self, sid: &str) -> Vec<String> {
        let belongs =
            |number: &&Number| number.config.messaging_service_sid.as_deref() == Some(sid);
        self.numbers().filter(belongs).map(|number| number.phone.clone()).collect()
    }

    /// The number with which a Messaging Service sends to a person; `None` when it has none.
    pub fn choose_sender(&mut self, sid: &str, to: &str) -> Option<String> {
        let pool = self.pool(sid);
        match self.services.iter_mut().find(|service| service.sid() == sid) {
            Some(service) => service.choose(&pool, to),
            None => pool.into_iter().next(),
        }
    }

    /// The configuration by which texts to a number are delivered: its own, with the URLs of its
    /// Messaging Service where that takes the texts. `None` when the service drops them.
    pub fn inbound(&self, number: &Number) -> Option<NumberConfig> {
        let own = number.config.clone();
        let service = own.messaging_service_sid.as_deref().and_then(|sid| self.service(sid));
        let Some(service) = service.map(|service| &service.config) else { return Some(own) };
        if service.use_inbound_webhook_on_number {
            return Some(own);
        }
        Some(NumberConfig {
            webhook_url: Some(service.inbound_request_url.clone()?),
            webhook_method: service.inbound_method,
            fallback_url: service.fallback_url.clone(),
            fallback_method: service.fallback_method,
            ..own
        })
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
