//! What an external backend cannot give to a scenario.
//!
//! Such a backend has its own clock and environment, and no gateway is in front of it. A scenario
//! that needs one of these would prove nothing there.

use rehearse_aws::template::Defaults;

use super::{expectation::Expect, model::Scenario, outcome::Problem, places::YamlPath};

/// The first part of a scenario that an external backend cannot give; `None` if it can run there.
///
/// `defaults` are those of the settings, which the scenario has where it does not say otherwise.
pub(super) fn unsupported(scenario: &Scenario, defaults: &Defaults) -> Option<Problem> {
    if let Some((path, reason)) = reason(scenario) {
        return Some(Problem::new(reason).at(scenario.file().location(&path)));
    }
    // The file may say nothing of it.
    let name = YamlPath::new().to("name");
    defaults.now.is_some().then(|| Problem::new(DEFAULT_TIME).at(scenario.file().location(&name)))
}

const TIME: &str = "the backend keeps its own time, which a scenario cannot set: leave `now` out, \
                    and {{ day(1) }} is tomorrow";
const DEFAULT_TIME: &str = "the backend keeps its own time, which a scenario cannot set: `now` of [defaults] in \
                            rehearse.toml does not reach it";
/// Why the clock does not move.
pub(crate) const MOVES: &str = "the backend keeps its own time, which a scenario cannot move";
const ENVIRONMENT: &str = "the backend was started already, with an environment of its own: \
                           given.env does not reach it";
const GATEWAY: &str = "there is no gateway in front of the backend, so its calls are not counted";
/// Why a function does not crash.
pub(crate) const PROCESS: &str = "the backend's process is not the emulator's to kill";

fn reason(scenario: &Scenario) -> Option<(YamlPath, &'static str)> {
    let document = &scenario.file().document;
    if document.now.is_some() {
        return Some((YamlPath::new().to("now"), TIME));
    }
    if !document.given.env.is_empty() {
        return Some((YamlPath::new().to("given").to("env"), ENVIRONMENT));
    }
    if let Some(always) = &document.always
        && let Some(found) = gateway_calls(always, &YamlPath::new().to("always"))
    {
        return Some(found);
    }
    let mut steps = document.steps.iter().enumerate();
    steps.find_map(|(index, step)| step.unsupported(&YamlPath::new().to("steps").to(index)))
}

/// The first call of an expectation that only a gateway sees: a webhook's, and with it those of a
/// scenario's own requests.
pub(crate) fn gateway_calls(expect: &Expect, at: &YamlPath) -> Option<(YamlPath, &'static str)> {
    let name = expect.calls.keys().find(|name| name.starts_with("http."))?;
    Some((at.to("calls").to(name.as_str()), GATEWAY))
}
