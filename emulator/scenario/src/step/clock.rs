//! `wait:` and `at:`

use schemars::JsonSchema;
use serde::Deserialize;

use super::{CrashRequest, StepKind};
use crate::{
    check::{BackendCheck, Check},
    external,
    places::YamlPath,
    run::{Running, StepError},
    time::{Moment, Wait},
};

/// `wait:`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WaitStep {
    /// How much later it is.
    pub wait: Wait,
    /// A function that time invokes ends at one of its calls.
    #[serde(default)]
    pub crash: Option<CrashRequest>,
}

impl StepKind for WaitStep {
    fn title(&self) -> String {
        format!("wait {}", self.wait)
    }

    fn check(&self, check: &mut Check<'_>, at: &YamlPath) {
        if let Some(crash) = &self.crash {
            crash.check(check, &at.to("crash"));
        }
    }

    fn delays(&self) -> bool {
        self.crash.as_ref().is_some_and(|crash| crash.timeout.is_some())
    }

    fn check_names(&self, check: &mut BackendCheck<'_>, at: &YamlPath) {
        check.crash(self.crash.as_ref(), at);
    }

    fn unsupported(&self, at: &YamlPath) -> Option<(YamlPath, &'static str)> {
        Some((at.to("wait"), external::MOVES))
    }

    async fn run(
        &self,
        running: &mut Running<'_>,
        _: &str,
        path: &YamlPath,
    ) -> Result<(), StepError> {
        let now = running.now().to_zoned(running.zone.clone());
        let then = self.wait.after(&now);
        let then =
            then.map_err(|error| StepError::broken(error.to_string(), running.location(path)))?;
        let armed = running.arm_crash(self.crash.as_ref());
        running.set_time(then).await?;
        let problem = running.no_crash(self.crash.as_ref(), armed, path);
        problem.map_or(Ok(()), |problem| Err(StepError::Failed(vec![problem])))
    }
}

/// `at:`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AtStep {
    /// What time it is from here on.
    pub at: Moment,
}

impl StepKind for AtStep {
    fn title(&self) -> String {
        format!("at {}", self.at.as_str())
    }

    fn unsupported(&self, at: &YamlPath) -> Option<(YamlPath, &'static str)> {
        Some((at.to("at"), external::MOVES))
    }

    async fn run(
        &self,
        running: &mut Running<'_>,
        _: &str,
        path: &YamlPath,
    ) -> Result<(), StepError> {
        let path = path.to("at");
        let text = running.text(self.at.as_str(), &path)?;
        let broken = |message: String| StepError::broken(message, running.location(&path));
        let then = Moment::parse(&text).map_err(broken)?;
        let now = running.now();
        if then.timestamp() < now {
            let now = now.to_zoned(then.time_zone().clone());
            let now = now.strftime("%Y-%m-%dT%H:%M:%S%:z");
            return Err(broken(format!("time does not go back: it is {now} already")));
        }
        running.set_time(then.timestamp()).await
    }
}
