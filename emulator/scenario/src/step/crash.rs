//! `crash:` of a step.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::{
    check::{Check, invalid_crash},
    places::YamlPath,
};
use rehearse_core::faults::{CrashKind, Cut};

/// A function ends at one of its calls while the step is answered: `after` the call took effect,
/// `before` it did, or because its `timeout` passed while it waited for the answer.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CrashRequest {
    /// Logical id of the function.
    pub function: String,
    /// It is killed at this call, which has no effect.
    #[serde(default)]
    pub before: Option<String>,
    /// It is killed when this call has had its effect, before the response arrives.
    #[serde(default)]
    pub after: Option<String>,
    /// This call has its effect, and the answer does not come before the function's time is up.
    #[serde(default)]
    pub timeout: Option<String>,
    /// Only at this attempt of the webhook, counted from 1; at the first that makes the call when
    /// left out.
    #[serde(default)]
    #[schemars(range(min = 1))]
    pub attempt: Option<u64>,
}

impl CrashRequest {
    /// The key, its call, and how the function ends; `None` unless exactly one key is given.
    pub fn place(&self) -> Option<(&'static str, &str, Cut, CrashKind)> {
        let all = [
            ("before", &self.before, Cut::Before, CrashKind::Killed),
            ("after", &self.after, Cut::After, CrashKind::Killed),
            ("timeout", &self.timeout, Cut::After, CrashKind::TimedOut),
        ];
        let mut given = all
            .into_iter()
            .filter_map(|(key, on, cut, how)| on.as_deref().map(|on| (key, on, cut, how)));
        let first = given.next();
        first.filter(|_| given.next().is_none())
    }

    /// What is wrong with it, independent of the backend.
    pub(super) fn check(&self, check: &mut Check<'_>, at: &YamlPath) {
        match self.place() {
            None => check.wrong(at, "say where it ends: one of before, after and timeout"),
            Some((key, on, ..)) => {
                if let Some(wrong) = invalid_crash(on) {
                    check.wrong(&at.to(key), wrong);
                }
            }
        }
        if self.attempt == Some(0) {
            check.wrong(&at.to("attempt"), "attempts are counted from 1");
        }
    }
}
