//! Scripted failures of the providers, aimed at a crossing by its journal name.
//!
//! A scenario arms faults; each fake asks [`Faults::take`] at every crossing and
//! plays what it gets. What a failure looks like on the wire is the fake's
//! business; here is only which call it strikes.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use serde::{Deserialize, Serialize};

/// How one call fails. All parts may be combined with `delay`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Failure {
    /// HTTP status that the provider answers with, in its own error format.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The provider's own error code, such as `21610` or `insufficient_quota`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// `Retry-After`, seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u32>,
    /// Real time to wait before answering, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delay_ms: Option<u64>,
    /// The connection is closed: `before` the call has any effect, or `after` it (a lost acknowledgement).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cut: Option<Cut>,
}

/// Where a connection is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cut {
    /// The call has no effect.
    Before,
    /// The call takes effect, its answer is lost.
    After,
}

impl Failure {
    /// The delay as a duration; zero when there is none.
    pub fn delay(&self) -> Duration {
        Duration::from_millis(self.delay_ms.unwrap_or(0))
    }
}

/// A failure and the calls that it strikes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The crossing's name in the journal: `openai.responses`, `twilio.messages.create`.
    pub on: String,
    /// What happens.
    pub failure: Failure,
    /// Calls to let through first.
    pub skip: u32,
    /// Calls to strike; `None` is every call from then on.
    pub times: Option<u32>,
}

/// The crossings that can fail, by the names that they have in the journal.
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

/// The armed faults of one world. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Faults(Arc<Mutex<Vec<Fault>>>);

impl Faults {
    /// Arms a fault; faults on one name strike in the order in which they were armed.
    pub fn arm(&self, fault: Fault) {
        self.lock().push(fault);
    }

    /// Disarms everything.
    pub fn clear(&self) {
        self.lock().clear();
    }

    /// What shall happen to this call of `name`; counts the call.
    pub fn take(&self, name: &str) -> Option<Failure> {
        let mut faults = self.lock();
        let at = faults.iter().position(|f| f.on == name)?;
        let fault = &mut faults[at];
        if fault.skip > 0 {
            fault.skip -= 1;
            return None;
        }
        let failure = fault.failure.clone();
        if let Some(times) = &mut fault.times {
            *times = times.saturating_sub(1);
            if *times == 0 {
                faults.remove(at);
            }
        }
        Some(failure)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Fault>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(skip: u32, times: Option<u32>) -> Fault {
        let failure = Failure { status: Some(503), ..Failure::default() };
        Fault { on: "openai.responses".into(), failure, skip, times }
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
}
