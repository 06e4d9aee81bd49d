//! `wait:` and `at:`

use schemars::JsonSchema;
use serde::Deserialize;

use super::StepKind;
use crate::{
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
}

impl StepKind for WaitStep {
    fn title(&self) -> String {
        format!("wait {}", self.wait)
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
        running.set_time(then).await
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
