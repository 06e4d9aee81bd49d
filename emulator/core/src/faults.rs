//! Injected failures of the providers, chosen by an exchange's name in the journal.
//!
//! A scenario arms faults. Each fake asks [`Faults::next_failure`] or [`Faults::next_fault`] at every
//! exchange and fails as it is told. This module decides which calls fail; the fake decides what the
//! failure looks like on the wire.
//!
//! ```
//! use rehearse_core::faults::{Failure, Fault, Faults};
//!
//! let faults = Faults::default();
//! let failure = Failure { status: Some(503), ..Failure::default() };
//! let handle = faults.arm(Fault {
//!     on: "openai.responses".into(),
//!     failure: failure.clone(),
//!     skip: 1,
//!     times: Some(1),
//!     ..Fault::default()
//! });
//! assert_eq!(faults.next_failure("openai.responses"), None, "the first call is let through");
//! assert_eq!(faults.next_failure("openai.responses"), Some(failure));
//! assert_eq!(faults.next_failure("openai.responses"), None, "it was armed for one call");
//! assert_eq!(faults.matched(handle), 2);
//! ```

mod crash;
mod failure;
mod random;
mod rendezvous;
mod target;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::journal::is_named;

pub use self::{
    crash::{Crash, CrashKind},
    failure::{Cut, DatabaseFault, Failure},
    random::Chance,
    rendezvous::{Missed, Permit, Rendezvous},
    target::{FaultTarget, FaultableCall, TouchedRow},
};

/// A failure and the calls that fail with it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Fault {
    /// The exchange's name in the journal: `openai.responses`, or `dynamodb.*` for every operation.
    pub on: String,
    /// How the call fails.
    pub failure: Failure,
    /// Restricts the fault to some of these calls. Only database calls can be restricted.
    pub target: FaultTarget,
    /// How many calls to let through first.
    pub skip: u32,
    /// How many calls fail after those; `None` is every one.
    pub times: Option<u32>,
    /// Lets only this part of the calls fail. The seed decides which ones.
    pub chance: Option<Chance>,
}

/// The names in the journal of the exchanges that can fail.
pub const NAMES: [&str; 64] = [
    "openai.responses",
    "openai.chat",
    "openai.responses.retrieve",
    "openai.responses.delete",
    "openai.responses.cancel",
    "openai.responses.input_items",
    "openai.embeddings",
    "openai.moderations",
    "openai.conversations.create",
    "openai.conversations.retrieve",
    "openai.conversations.update",
    "openai.conversations.delete",
    "openai.conversations.items.create",
    "openai.conversations.items.list",
    "openai.conversations.items.retrieve",
    "openai.conversations.items.delete",
    "twilio.messages.create",
    "twilio.messages.fetch",
    "twilio.messages.list",
    "twilio.messages.update",
    "twilio.messages.delete",
    "twilio.media.fetch",
    "twilio.media.list",
    "twilio.media.download",
    "twilio.media.file",
    "twilio.media.delete",
    "twilio.numbers.create",
    "twilio.numbers.fetch",
    "twilio.numbers.list",
    "twilio.numbers.update",
    "twilio.services.create",
    "twilio.services.fetch",
    "twilio.services.list",
    "twilio.services.update",
    "twilio.services.delete",
    "twilio.pool.create",
    "twilio.pool.fetch",
    "twilio.pool.list",
    "twilio.pool.delete",
    "twilio.accounts.fetch",
    "twilio.lookups.fetch",
    "twilio.delivery",
    "webhook.sms",
    "webhook.fallback",
    "webhook.status",
    "dynamodb.GetItem",
    "dynamodb.PutItem",
    "dynamodb.UpdateItem",
    "dynamodb.DeleteItem",
    "dynamodb.Query",
    "dynamodb.Scan",
    "dynamodb.BatchGetItem",
    "dynamodb.BatchWriteItem",
    "dynamodb.TransactGetItems",
    "dynamodb.TransactWriteItems",
    "dynamodb.ExecuteStatement",
    "dynamodb.BatchExecuteStatement",
    "dynamodb.ExecuteTransaction",
    "dynamodb.DescribeTable",
    "dynamodb.ListTables",
    "dynamodb.DescribeTimeToLive",
    "ssm.GetParameter",
    "secretsmanager.GetSecretValue",
    "lambda.invoke",
];

/// Whether [`Fault::on`] can have this value: one of [`NAMES`], or a prefix of some, `dynamodb.*`.
pub fn can_fail(on: &str) -> bool {
    match on.strip_suffix('*') {
        Some(kind) => kind.ends_with('.') && NAMES.iter().any(|name| name.starts_with(kind)),
        None => NAMES.contains(&on),
    }
}

/// The armed faults of one world. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Faults {
    state: Arc<Mutex<FaultState>>,
    crash_handler: crash::CrashHandler,
}

#[derive(Debug, Default)]
struct FaultState {
    seed: u64,
    faults: Vec<ArmedFault>,
    /// How many faults were ever armed: the next handle.
    armed: u64,
    /// How many were armed since the last [`Faults::clear`].
    since_clear: u64,
    /// How many times a webhook was called since a crash was armed last.
    attempts: u64,
    rendezvous: Option<Rendezvous>,
}

/// A fault and how far it has been used up.
#[derive(Debug, Clone)]
pub struct ArmedFault {
    /// Its handle.
    pub handle: FaultHandle,
    /// The fault as it was armed.
    pub fault: Fault,
    /// How many calls it applied to, including those that it let through.
    pub matched: u64,
    /// How many calls it made fail.
    pub injected: u64,
    /// Whether all its [`Fault::times`] are used up.
    pub spent: bool,
    /// How many calls it still lets through first.
    skip_left: u32,
    /// Its number since the last [`Faults::clear`], from which its chance is drawn.
    number: u64,
}

/// Identifies an armed fault. Handles count up from 0 and are never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FaultHandle(pub u64);

impl Faults {
    /// Sets the seed that decides which calls a [`Fault::chance`] picks; 0 at first.
    pub fn seed(&self, seed: u64) {
        self.lock().seed = seed;
    }

    /// Arms a fault. When several faults apply to a call, the one that was armed first is used.
    pub fn arm(&self, fault: Fault) -> FaultHandle {
        let mut state = self.lock();
        if fault.failure.crash.is_some() {
            state.attempts = 0;
        }
        let (handle, number) = (FaultHandle(state.armed), state.since_clear);
        state.armed += 1;
        state.since_clear += 1;
        let skip_left = fault.skip;
        let (matched, injected, spent) = (0, 0, false);
        let armed = ArmedFault { handle, fault, matched, injected, spent, skip_left, number };
        state.faults.push(armed);
        handle
    }

    /// Disarms one fault and returns it; `None` when it is not armed. A fault that is spent counts as
    /// armed.
    pub fn disarm(&self, handle: FaultHandle) -> Option<ArmedFault> {
        let mut state = self.lock();
        let at = state.faults.iter().position(|armed| armed.handle == handle)?;
        Some(state.faults.remove(at))
    }

    /// The faults that were armed and not disarmed, in order, those that are spent included.
    pub fn list(&self) -> Vec<ArmedFault> {
        self.lock().faults.clone()
    }

    /// Terminates the calling function if the failure asks for it at this moment of the call; then
    /// never resolves. Returns at once otherwise, and when no handler was set with
    /// [`Faults::on_crash`].
    pub async fn crash_if_requested(&self, failure: &Failure, moment: Cut) {
        if let Some(crash) = failure.crash.as_ref().filter(|_| failure.cut == Some(moment)) {
            self.crash_handler.crash(crash).await;
        }
    }

    /// Sets what terminates a function, given its logical id. Replaces an earlier handler.
    pub fn on_crash(&self, handler: impl Fn(&str, CrashKind) + Send + Sync + 'static) {
        self.crash_handler.set(handler);
    }

    /// Whether a fault or a rendezvous could affect a call. When not, callers need not describe
    /// their call.
    pub fn any(&self) -> bool {
        let state = self.lock();
        state.rendezvous.is_some() || state.faults.iter().any(|armed| !armed.spent)
    }

    /// Disarms every fault and removes the rendezvous. Calls that already wait in it go on waiting.
    pub fn clear(&self) {
        let mut state = self.lock();
        state.faults.clear();
        state.since_clear = 0;
        state.rendezvous = None;
    }

    /// How many calls a fault has applied to, including those that it let through.
    pub fn matched(&self, handle: FaultHandle) -> u64 {
        self.lock().get(handle).map_or(0, |armed| armed.matched)
    }

    /// Whether a fault was injected as often as its [`Fault::times`] say. One without `times` never is.
    pub fn is_spent(&self, handle: FaultHandle) -> bool {
        self.lock().get(handle).is_some_and(|armed| armed.spent)
    }

    /// How this call of `name` fails; `None` when it does not. Counts the call.
    pub fn next_failure(&self, name: &str) -> Option<Failure> {
        self.next_fault(&FaultableCall::named(name)).map(|fault| fault.failure)
    }

    /// The fault that this call fails with; `None` when it does not fail. Counts the call.
    pub fn next_fault(&self, call: &FaultableCall<'_>) -> Option<Fault> {
        let mut state = self.lock();
        if call.name.starts_with("webhook.") {
            state.attempts += 1;
        }
        let FaultState { seed, faults, attempts, .. } = &mut *state;
        for armed in faults.iter_mut() {
            let ArmedFault { fault, matched, injected, spent, skip_left, number, .. } = armed;
            if *spent || !is_named(&fault.on, call.name) || !fault.target.matches(call) {
                continue;
            }
            if let Some(crash) = &fault.failure.crash
                && !crash.applies_to(call, *attempts)
            {
                continue;
            }
            if let Some(database_fault) = fault.failure.database_fault {
                if !database_fault.can_happen_to(call.name) {
                    continue;
                }
                if database_fault == DatabaseFault::Stale && !call.eventually_consistent {
                    // A consistent read is never stale, but a scenario must be able to see that the
                    // read was made.
                    *matched += 1;
                    continue;
                }
            }
            *matched += 1;
            if *skip_left > 0 {
                *skip_left -= 1;
                continue;
            }
            if fault.chance.is_some_and(|chance| !chance.decides(*seed, *number, *matched)) {
                continue;
            }
            *injected += 1;
            *spent = fault.times.is_some_and(|times| *injected >= u64::from(times));
            return Some(fault.clone());
        }
        None
    }

    /// The handle of the stale-read fault that was armed last; `None` when none is armed any more.
    /// A database keeps the rows as they were when it changed.
    pub fn latest_stale(&self) -> Option<FaultHandle> {
        let stale =
            |armed: &&ArmedFault| armed.fault.failure.database_fault == Some(DatabaseFault::Stale);
        let state = self.lock();
        let latest = state.faults.iter().rfind(|armed| !armed.spent && stale(armed));
        latest.map(|armed| armed.handle)
    }

    /// Makes calls wait for each other from now on. Replaces an earlier rendezvous.
    pub fn set_rendezvous(&self, rendezvous: Rendezvous) {
        self.lock().rendezvous = Some(rendezvous);
    }

    /// A permit to wait for, if there is a rendezvous that this call belongs to. `identity` returns
    /// a text that is the same for the same request, so that the order of the calls does not depend
    /// on which arrived first.
    pub fn join_rendezvous(
        &self,
        call: &FaultableCall<'_>,
        identity: impl FnOnce() -> String,
    ) -> Option<Permit> {
        let rendezvous = self.lock().rendezvous.clone()?;
        rendezvous.join(call, identity)
    }

    fn lock(&self) -> MutexGuard<'_, FaultState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl FaultState {
    fn get(&self, handle: FaultHandle) -> Option<&ArmedFault> {
        self.faults.iter().find(|armed| armed.handle == handle)
    }
}

#[cfg(test)]
mod tests;
