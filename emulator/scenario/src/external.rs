//! What a scenario may say that a backend which somebody else started cannot give.
//!
//! Such a backend keeps its own time and its own environment, and nothing stands in
//! front of it. A scenario that needs one of these would prove nothing there.

use super::{
    expectation::Expect,
    model::Scenario,
    outcome::Problem,
    places::YamlPath,
    step::{Customer, Step},
};

/// The first thing that such a backend cannot give to a scenario, if there is any.
pub(super) fn unsupported(scenario: &Scenario) -> Option<Problem> {
    let (path, reason) = reason(scenario)?;
    Some(Problem::new(reason).at(scenario.file().location(&path)))
}

const TIME: &str = "the backend keeps its own time, which a scenario cannot set: leave `now` out, \
                    and {{ day(1) }} is tomorrow";
const MOVES: &str = "the backend keeps its own time, which a scenario cannot move";
const ENVIRONMENT: &str = "the backend was started already, with an environment of its own: \
                           given.env does not reach it";
const GATEWAY: &str = "no gateway stands in front of the backend, so nobody counts its calls";
const PROCESS: &str = "the backend's process is not the emulator's to kill";

fn reason(scenario: &Scenario) -> Option<(YamlPath, &'static str)> {
    let document = &scenario.file().document;
    if document.now.is_some() {
        return Some((YamlPath::new().to("now"), TIME));
    }
    if !document.given.env.is_empty() {
        return Some((YamlPath::new().to("given").to("env"), ENVIRONMENT));
    }
    if let Some(always) = &document.always {
        let at = YamlPath::new().to("always");
        if let Some(path) = counted(always, &at) {
            return Some((path, GATEWAY));
        }
    }
    let mut steps = document.steps.iter().enumerate();
    steps.find_map(|(index, step)| of_step(step, &YamlPath::new().to("steps").to(index)))
}

fn of_step(step: &Step, at: &YamlPath) -> Option<(YamlPath, &'static str)> {
    match step {
        Step::Wait(_) => Some((at.to("wait"), MOVES)),
        Step::At(_) => Some((at.to("at"), MOVES)),
        Step::Customer(step) if step.crash.is_some() => Some((at.to("crash"), PROCESS)),
        Step::Request(step) if step.crash.is_some() => Some((at.to("crash"), PROCESS)),
        Step::Customer(step) => gap(step, at).map(|at| (at, MOVES)),
        Step::Expect(step) => counted(&step.expect, &at.to("expect")).map(|at| (at, GATEWAY)),
        Step::Together(group) => {
            let at = at.to("together");
            let mut steps = group.together.iter().enumerate();
            steps.find_map(|(index, step)| of_step(step, &at.to(index)))
        }
        Step::Request(_) | Step::Faults(_) => None,
    }
}

/// A gap of no time is no move.
fn gap(step: &Customer, at: &YamlPath) -> Option<YamlPath> {
    let gap = step.duplicate?.gap?;
    (!gap.0.is_zero()).then(|| at.to("duplicate").to("gap"))
}

/// Calls that only a gateway sees: a webhook's, and those of a scenario's own requests with them.
fn counted(expect: &Expect, at: &YamlPath) -> Option<YamlPath> {
    let mut names = expect.calls.keys();
    names.find(|name| name.starts_with("http.")).map(|name| at.to("calls").to(name.as_str()))
}
