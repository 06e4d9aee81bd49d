//! `expect:`

use schemars::JsonSchema;
use serde::Deserialize;

use super::StepKind;
use crate::{
    check::{BackendCheck, Check},
    expectation::Expect,
    external,
    places::YamlPath,
    run::{Running, StepError},
};

/// `expect:`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExpectStep {
    /// What must be so.
    pub expect: Expect,
}

impl StepKind for ExpectStep {
    fn title(&self) -> String {
        "expect".into()
    }

    fn check(&self, check: &mut Check<'_>, at: &YamlPath) {
        let at = at.to("expect");
        if self.expect == Expect::default() {
            check.wrong(&at, "say what is expected: tables, sms, calls, cost");
        }
        check.exchanges(&self.expect, &at);
    }

    fn check_names(&self, check: &mut BackendCheck<'_>, at: &YamlPath) {
        check.expectation(&self.expect, &at.to("expect"));
    }

    fn unsupported(&self, at: &YamlPath) -> Option<(YamlPath, &'static str)> {
        external::gateway_calls(&self.expect, &at.to("expect"))
    }

    fn expectation(&self) -> Option<&Expect> {
        Some(&self.expect)
    }

    async fn run(
        &self,
        running: &mut Running<'_>,
        _: &str,
        path: &YamlPath,
    ) -> Result<(), StepError> {
        running.expectation(&self.expect, &path.to("expect")).await
    }
}
