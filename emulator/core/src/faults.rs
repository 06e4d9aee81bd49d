//! Scripted failures of the providers, aimed at an exchange by its journal name.
//!
//! A scenario arms faults; each fake asks [`Faults::take`] at every exchange and
//! plays what it gets. What a failure looks like on the wire is the fake's
//! business; here is only which call it strikes.

mod crash;
mod failure;
mod random;
mod rendezvous;
mod target;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use self::{
    crash::{Crash, CrashKind},
    failure::{Cut, DatabaseFault, Failure},
    random::Chance,
    rendezvous::{Missed, Permit, Rendezvous},
    target::{FaultTarget, FaultableCall, TouchedRow},
};

/// A failure and the calls that it strikes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Fault {
    /// The exchange's name in the journal: `openai.responses`, or `dynamodb.*` for all of a kind.
    pub on: String,
    /// What happens.
    pub failure: Failure,
    /// Which of those calls, for a database.
    pub target: FaultTarget,
    /// Calls to let through first.
    pub skip: u32,
    /// Calls to strike; `None` is every call from then on.
    pub times: Option<u32>,
    /// Strikes only so many of the calls, which ones the seed decides.
    pub chance: Option<Chance>,
}

impl Fault {
    /// Whether it is aimed at calls of this name.
    fn is_on(&self, name: &str) -> bool {
        match self.on.strip_suffix('*') {
            Some(prefix) => name.starts_with(prefix),
            None => self.on == name,
        }
    }
}

/// The exchanges that can fail, by the names that they have in the journal.
pub const NAMES: [&str; 33] = [
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
];

/// Whether a fault may be on this: one of [`NAMES`], or all of a kind, `dynamodb.*`.
pub fn can_fail(on: &str) -> bool {
    match on.strip_suffix('*') {
        Some(kind) => kind.ends_with('.') && NAMES.iter().any(|name| name.starts_with(kind)),
        None => NAMES.contains(&on),
    }
}

/// The armed faults of one world. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Faults {
    armed: Arc<Mutex<State>>,
    crash_handler: crash::CrashHandler,
}

#[derive(Debug, Default)]
struct State {
    seed: u64,
    faults: Vec<ArmedFault>,
    /// Attempts of webhooks since a crash was armed.
    attempts: u64,
    rendezvous: Option<Rendezvous>,
}

/// An armed fault, and what became of it.
#[derive(Debug)]
struct ArmedFault {
    fault: Fault,
    /// Calls that it could have armed_fault, let through or not.
    matched: u64,
    /// Whether it will strike no more.
    spent: bool,
}

/// What an armed fault is asked for by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FaultHandle(usize);

impl Faults {
    /// What [`Fault::chance`] is decided by; 0 when never set.
    pub fn seed(&self, seed: u64) {
        self.lock().seed = seed;
    }

    /// Arms a fault; faults on one call strike in the order in which they were armed.
    pub fn arm(&self, fault: Fault) -> FaultHandle {
        let mut armed = self.lock();
        if fault.failure.crash.is_some() {
            armed.attempts = 0;
        }
        armed.faults.push(ArmedFault { fault, matched: 0, spent: false });
        FaultHandle(armed.faults.len() - 1)
    }

    /// Ends the function whose call this is, if the failure asks for that here; the future never
    /// comes to its end then.
    pub async fn crash_if_requested(&self, failure: &Failure, here: Cut) {
        if let Some(crash) = failure.crash.as_ref().filter(|_| failure.cut == Some(here)) {
            self.crash_handler.end(crash).await;
        }
    }

    /// Who ends functions.
    pub fn on_crash(&self, handler: impl Fn(&str, CrashKind) + Send + Sync + 'static) {
        self.crash_handler.set(handler);
    }

    /// Whether anything may happen to a call at all.
    pub fn any(&self) -> bool {
        let armed = self.lock();
        armed.rendezvous.is_some() || armed.faults.iter().any(|armed_fault| !armed_fault.spent)
    }

    /// Disarms everything.
    pub fn clear(&self) {
        let mut armed = self.lock();
        armed.faults.clear();
        armed.rendezvous = None;
    }

    /// How many calls a fault has matched, those included that it let through.
    pub fn matched(&self, handle: FaultHandle) -> u64 {
        self.lock().faults.get(handle.0).map_or(0, |armed_fault| armed_fault.matched)
    }

    /// What shall happen to this call of `name`; counts the call.
    pub fn take(&self, name: &str) -> Option<Failure> {
        self.next_fault(&FaultableCall::named(name)).map(|fault| fault.failure)
    }

    /// The fault that strikes this call; counts the call.
    pub fn next_fault(&self, call: &FaultableCall<'_>) -> Option<Fault> {
        let mut armed = self.lock();
        if call.name.starts_with("webhook.") {
            armed.attempts += 1;
        }
        let State { seed, faults, attempts, .. } = &mut *armed;
        for (index, armed_fault) in faults.iter_mut().enumerate() {
            let ArmedFault { fault, matched, spent } = armed_fault;
            if *spent || !fault.is_on(call.name) || !fault.target.takes(call) {
                continue;
            }
            if let Some(crash) = &fault.failure.crash
                && !crash.is_of(call, *attempts)
            {
                continue;
            }
            if let Some(database_fault) = fault.failure.database_fault {
                if !database_fault.can_happen_to(call.name) {
                    continue;
                }
                if database_fault == DatabaseFault::Stale && !call.eventual {
                    // A consistent read is never stale: it was matched, and is none of its business.
                    *matched += 1;
                    continue;
                }
            }
            *matched += 1;
            if fault.skip > 0 {
                fault.skip -= 1;
                return None;
            }
            if fault.chance.is_some_and(|chance| !chance.decides(*seed, index as u64, *matched)) {
                continue;
            }
            let strikes = fault.clone();
            if let Some(times) = &mut fault.times {
                *times = times.saturating_sub(1);
                *spent = *times == 0;
            }
            return Some(strikes);
        }
        None
    }

    /// The latest moment from which reads are to be stale, as a number that grows with each;
    /// `None` when nothing is to be stale any more.
    pub fn frozen(&self) -> Option<usize> {
        let armed = self.lock();
        let stale = |armed_fault: &ArmedFault| {
            armed_fault.fault.failure.database_fault == Some(DatabaseFault::Stale)
        };
        armed.faults.iter().rposition(|armed_fault| !armed_fault.spent && stale(armed_fault))
    }

    /// Holds calls until all who take part have arrived.
    pub fn meet(&self, rendezvous: Rendezvous) {
        self.lock().rendezvous = Some(rendezvous);
    }

    /// A place in the rendezvous, if there is one that this call belongs to. `identity` is the same
    /// text for the same request, so that a seed gives one order whoever came first.
    pub fn enter(
        &self,
        call: &FaultableCall<'_>,
        identity: impl FnOnce() -> String,
    ) -> Option<Permit> {
        let rendezvous = self.lock().rendezvous.clone()?;
        rendezvous.enter(call, identity)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.armed.lock().unwrap_or_else(PoisonError::into_inner)
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
    fn a_fault_strikes_its_own_name_after_skip_and_only_so_often() {
        let faults = Faults::default();
        faults.arm(fault(1, Some(2)));
        assert_eq!(faults.take("twilio.messages.create"), None);
        let hits: Vec<bool> = (0..5).map(|_| faults.take("openai.responses").is_some()).collect();
        assert_eq!(hits, [false, true, true, false, false]);
    }

    #[test]
    fn without_times_it_strikes_for_ever_until_cleared() {
        let faults = Faults::default();
        faults.arm(fault(0, None));
        assert!((0..100).all(|_| faults.take("openai.responses").is_some()));
        faults.clear();
        assert_eq!(faults.take("openai.responses"), None);
    }

    fn database_fault(on: &str, database_fault: DatabaseFault) -> Fault {
        let failure = Failure { database_fault: Some(database_fault), ..Failure::default() };
        Fault { on: on.into(), failure, ..Fault::default() }
    }

    #[test]
    fn a_star_is_every_call_of_a_kind_that_can_fail_so() {
        let faults = Faults::default();
        faults.arm(database_fault("dynamodb.*", DatabaseFault::Conflict));
        assert!(faults.take("dynamodb.PutItem").is_some());
        assert!(faults.take("dynamodb.TransactWriteItems").is_some());
        assert_eq!(faults.take("dynamodb.Query"), None, "a read meets no transaction");
        assert_eq!(faults.take("openai.responses"), None);
    }

    #[test]
    fn a_consistent_read_is_met_and_never_struck() {
        let faults = Faults::default();
        let handle = faults.arm(Fault {
            times: Some(1),
            ..database_fault("dynamodb.Query", DatabaseFault::Stale)
        });
        let read = |eventual| FaultableCall { eventual, ..FaultableCall::named("dynamodb.Query") };
        assert!(faults.next_fault(&read(false)).is_none());
        assert_eq!((faults.matched(handle), faults.frozen()), (1, Some(0)));
        assert!(faults.next_fault(&read(true)).is_some());
        assert_eq!((faults.matched(handle), faults.frozen()), (2, None), "spent");
    }

    #[test]
    fn a_chance_strikes_some_calls_and_the_same_ones_for_a_seed() {
        let strikes = |seed| {
            let faults = Faults::default();
            faults.seed(seed);
            let chance = Chance::of(0.3);
            faults.arm(Fault { chance, ..fault(0, None) });
            (0..1000).map(|_| faults.take("openai.responses").is_some()).collect::<Vec<_>>()
        };
        let count = strikes(7).iter().filter(|strikes| **strikes).count();
        assert!((250..350).contains(&count), "{count}");
        assert_eq!(strikes(7), strikes(7));
        assert_ne!(strikes(7), strikes(8));
    }
}
