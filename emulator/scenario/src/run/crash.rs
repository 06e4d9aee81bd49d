//! `crash:` of a step: armed before it, verified after it.

use super::Running;
use crate::{outcome::Problem, places::YamlPath, step::CrashRequest};
use rehearse_core::faults::{Crash, Failure, Fault, FaultHandle};

impl Running<'_> {
    /// Arms the crash of a step.
    pub(crate) fn arm_crash(&self, crash: Option<&CrashRequest>) -> Option<FaultHandle> {
        let crash = crash?;
        let (_, on, cut, kind) = crash.place()?;
        let crash = Crash { function: crash.function.clone(), kind, attempt: crash.attempt };
        let failure = Failure { cut: Some(cut), crash: Some(crash), ..Failure::default() };
        let fault = Fault { on: on.to_owned(), failure, times: Some(1), ..Fault::default() };
        Some(self.world.faults().arm(fault))
    }

    /// A crash that never happened, so that the step does not prove what it claims.
    pub(crate) fn no_crash(
        &self,
        crash: Option<&CrashRequest>,
        armed: Option<FaultHandle>,
        path: &YamlPath,
    ) -> Option<Problem> {
        let ((_, on, ..), armed) = crash.and_then(CrashRequest::place).zip(armed)?;
        let matched = self.world.faults().matched(armed);
        (matched == 0).then(|| {
            let function = crash.map(|crash| crash.function.as_str()).unwrap_or_default();
            Problem::new(format!("the function {function} never crashed"))
                .differs(format!("a call of {on} by {function}"), "no such call")
                .at(self.location(&path.to("crash")))
        })
    }
}
