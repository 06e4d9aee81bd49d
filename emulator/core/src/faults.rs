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
pub const NAMES: [&str; 34] = [
    "openai.responses",
    "openai.chat",
    "twilio.messages.create",
    "twilio.messages.fetch",
    "twilio.messages.list",
    "twilio.messages.update",
    "twilio.messages.delete",
    "twilio.numbers.create",
    "twilio.numbers.fetch",
    "twilio.numbers.list",
    "twilio.numbers.update",
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
    /// How many times a webhook was called since a crash was armed last.
    attempts: u64,
    rendezvous: Option<Rendezvous>,
}

/// A fault and how far it has been used up.
#[derive(Debug)]
struct ArmedFault {
    fault: Fault,
    /// How many calls it applied to, including those that it let through.
    matched: u64,
    /// Whether all its [`Fault::times`] are used up.
    spent: bool,
}

/// Identifies an armed fault until [`Faults::clear`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FaultHandle(usize);

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
        state.faults.push(ArmedFault { fault, matched: 0, spent: false });
        FaultHandle(state.faults.len() - 1)
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
        state.rendezvous = None;
    }

    /// How many calls a fault has applied to, including those that it let through.
    pub fn matched(&self, handle: FaultHandle) -> u64 {
        self.lock().faults.get(handle.0).map_or(0, |armed| armed.matched)
    }

    /// Whether a fault was injected as often as its [`Fault::times`] say. One without `times` never is.
    pub fn is_spent(&self, handle: FaultHandle) -> bool {
        self.lock().faults.get(handle.0).is_some_and(|armed| armed.spent)
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
        for (index, armed) in faults.iter_mut().enumerate() {
            let ArmedFault { fault, matched, spent } = armed;
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
            if fault.skip > 0 {
                fault.skip -= 1;
                continue;
            }
            if fault.chance.is_some_and(|chance| !chance.decides(*seed, index as u64, *matched)) {
                continue;
            }
            let result = fault.clone();
            if let Some(times) = &mut fault.times {
                *times = times.saturating_sub(1);
                *spent = *times == 0;
            }
            return Some(result);
        }
        None
    }

    /// The position of the stale-read fault that was armed last; `None` when none is armed any more.
    /// A database keeps the rows as they were when this number rose.
    pub fn latest_stale(&self) -> Option<usize> {
        let stale =
            |armed: &ArmedFault| armed.fault.failure.database_fault == Some(DatabaseFault::Stale);
        self.lock().faults.iter().rposition(|armed| !armed.spent && stale(armed))
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

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(skip: u32, times: Option<u32>) -> Fault {
        let failure = Failure { status: Some(503), ..Failure::default() };
        Fault { on: "openai.responses".into(), failure, skip, times, ..Fault::default() }
    }

    #[test]
    fn a_fault_fails_calls_of_its_name_after_skip_and_for_times() {
        let faults = Faults::default();
        faults.arm(fault(1, Some(2)));
        assert_eq!(faults.next_failure("twilio.messages.create"), None);
        let hits: Vec<bool> =
            (0..5).map(|_| faults.next_failure("openai.responses").is_some()).collect();
        assert_eq!(hits, [false, true, true, false, false]);
    }

    #[test]
    fn a_call_that_one_fault_lets_through_may_meet_another() {
        let faults = Faults::default();
        let first = faults.arm(fault(1, Some(1)));
        let busy = Failure { status: Some(429), ..Failure::default() };
        let second = faults.arm(Fault { failure: busy.clone(), ..fault(0, None) });
        assert_eq!(faults.next_failure("openai.responses"), Some(busy));
        assert!(!faults.is_spent(first));
        assert_eq!(faults.next_failure("openai.responses"), Some(fault(0, None).failure));
        assert!(faults.is_spent(first) && !faults.is_spent(second));
    }

    #[test]
    fn without_times_every_call_fails_until_cleared() {
        let faults = Faults::default();
        faults.arm(fault(0, None));
        assert!((0..100).all(|_| faults.next_failure("openai.responses").is_some()));
        faults.clear();
        assert_eq!(faults.next_failure("openai.responses"), None);
    }

    fn database_fault(on: &str, database_fault: DatabaseFault) -> Fault {
        let failure = Failure { database_fault: Some(database_fault), ..Failure::default() };
        Fault { on: on.into(), failure, ..Fault::default() }
    }

    #[test]
    fn a_star_is_every_operation_that_can_fail_so() {
        let faults = Faults::default();
        faults.arm(database_fault("dynamodb.*", DatabaseFault::Conflict));
        assert!(faults.next_failure("dynamodb.PutItem").is_some());
        assert!(faults.next_failure("dynamodb.TransactWriteItems").is_some());
        assert_eq!(
            faults.next_failure("dynamodb.Query"),
            None,
            "a read cannot be in conflict with a transaction"
        );
        assert_eq!(faults.next_failure("openai.responses"), None);
    }

    #[test]
    fn a_consistent_read_is_matched_and_never_stale() {
        let faults = Faults::default();
        let handle = faults.arm(Fault {
            times: Some(1),
            ..database_fault("dynamodb.Query", DatabaseFault::Stale)
        });
        let read = |eventually_consistent| FaultableCall {
            eventually_consistent,
            ..FaultableCall::named("dynamodb.Query")
        };
        assert!(faults.next_fault(&read(false)).is_none());
        assert_eq!((faults.matched(handle), faults.latest_stale()), (1, Some(0)));
        assert!(faults.next_fault(&read(true)).is_some());
        assert_eq!((faults.matched(handle), faults.latest_stale()), (2, None), "spent");
    }

    #[test]
    fn a_chance_fails_some_calls_and_the_same_ones_for_a_seed() {
        let failed = |seed| {
            let faults = Faults::default();
            faults.seed(seed);
            let chance = Chance::of(0.3);
            faults.arm(Fault { chance, ..fault(0, None) });
            (0..1000).map(|_| faults.next_failure("openai.responses").is_some()).collect::<Vec<_>>()
        };
        let count = failed(7).iter().filter(|failed| **failed).count();
        assert!((250..350).contains(&count), "{count}");
        assert_eq!(failed(7), failed(7));
        assert_ne!(failed(7), failed(8));
    }
}
