//! `invoke:` a function gets an event that no API brings.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::{Running, StepError, reasons::is_failure};
use crate::{
    outcome::Problem,
    places::YamlPath,
    step::{EventInput, Invoke},
};
use rehearse_core::{
    faults::FaultHandle,
    journal::ExchangeDetail,
    matcher::{Matcher, Path},
};

/// How many of the function's last lines a report shows.
const MOST_LINES: usize = 20;

/// What came of an event: `result` or `error`.
pub(super) struct InvokedStep {
    came: Value,
    request_id: Arc<str>,
    crash: Option<FaultHandle>,
}

impl Running<'_> {
    pub(crate) async fn invoke(&self, step: &Invoke, path: &YamlPath) -> Result<(), StepError> {
        let invoked = self.give_event(step, path).await?;
        self.settled().await?;
        let mut problems = self.invoked(step, &invoked, path);
        problems.extend(self.unexpected_requests(path));
        StepError::from_problems(problems)
    }

    /// Invokes the function and waits for what comes of it.
    pub(super) async fn give_event(
        &self,
        step: &Invoke,
        path: &YamlPath,
    ) -> Result<InvokedStep, StepError> {
        let event = self.event(step, path)?;
        let crash = self.arm_crash(step.crash.as_ref());
        let invoked = self.world.events().invoke_once(&step.invoke, event, "the scenario").await;
        let came = match invoked.result {
            Ok(result) => json!({ "result": result }),
            Err(error) => json!({ "error": error }),
        };
        Ok(InvokedStep { came, request_id: invoked.request_id, crash })
    }

    /// The event of a step, its templates filled in.
    pub(super) fn event(&self, step: &Invoke, path: &YamlPath) -> Result<Value, StepError> {
        let at = path.to("event");
        let event = match &step.event {
            EventInput::Inline(event) => event.clone(),
            EventInput::File(file) => {
                let at = at.to("file");
                let file = self.text(file, &at)?;
                EventInput::read(&self.scenario.file().source.name, &file).map_err(|error| {
                    let message = format!("the event cannot be read: {error}");
                    StepError::broken(message, self.location(&at))
                })?
            }
        };
        let rendered = self.vars.render(&event);
        rendered.map_err(|error| StepError::template(&error, self.location(&at)))
    }

    /// Compares what came of an event, then keeps what the step saves.
    pub(super) fn invoked(
        &self,
        step: &Invoke,
        invoked: &InvokedStep,
        path: &YamlPath,
    ) -> Vec<Problem> {
        let mut problems = Vec::new();
        problems.extend(self.no_crash(step.crash.as_ref(), invoked.crash, path));
        problems.extend(self.result(step, &invoked.came, path));
        for (name, from) in &step.save {
            let found = from.parse::<Path>().ok();
            match found.and_then(|from| from.get(&invoked.came).cloned()) {
                Some(value) => self.vars.set(name, value),
                None => problems.push(
                    Problem::new(format!("there is nothing at {from} to save as {name}"))
                        .differs(from, invoked.came.to_string())
                        .at(self.location(&path.to("save").to(name.as_str()))),
                ),
            }
        }
        if let Some(first) = problems.first_mut() {
            first.notes.extend(self.written(&invoked.request_id));
        }
        problems
    }

    fn result(&self, step: &Invoke, came: &Value, path: &YamlPath) -> Vec<Problem> {
        let function = &step.invoke;
        let (result, error) = (came.get("result"), came.get("error"));
        let of_error = |member: &str| error.and_then(|error| error.get(member));
        if let Some(wanted) = &step.error {
            let at = path.to("error");
            let Some(_) = error else {
                let shown = shown(result);
                return vec![
                    Problem::new(format!("{function} did not fail"))
                        .differs("an error", shown)
                        .at(self.location(&at)),
                ];
            };
            let parts =
                [("errorType", &wanted.error_type), ("errorMessage", &wanted.error_message)];
            let parts = parts.into_iter().filter_map(|(key, matcher)| {
                let summary = format!("the {key} of {function} is not what was expected");
                self.compared(summary, matcher.as_ref()?, of_error(key), &at.to(key))
            });
            return parts.collect();
        }
        if let Some(error) = error {
            if step.crash.is_some() && step.result.is_none() {
                return Vec::new();
            }
            let at = if step.result.is_some() { path.to("result") } else { path.to("invoke") };
            let wanted = step.result.as_ref().map_or("a result".into(), ToString::to_string);
            let text = |member| error.get(member).and_then(Value::as_str).unwrap_or_default();
            let came = format!("{}: {}", text("errorType"), text("errorMessage"));
            return vec![
                Problem::new(format!("{function} failed"))
                    .differs(wanted, came)
                    .at(self.location(&at)),
            ];
        }
        let wanted = step.result.as_ref();
        let summary = format!("the result of {function} is not what was expected");
        wanted
            .and_then(|wanted| self.compared(summary, wanted, result, &path.to("result")))
            .into_iter()
            .collect()
    }

    fn compared(
        &self,
        summary: String,
        matcher: &Matcher,
        actual: Option<&Value>,
        at: &YamlPath,
    ) -> Option<Problem> {
        let matcher = match matcher.render(&self.vars) {
            Ok(matcher) => matcher,
            Err(error) => return Some(Problem::new(error.to_string()).at(self.location(at))),
        };
        let mismatches = matcher.check(actual.unwrap_or(&Value::Null));
        if mismatches.is_empty() {
            return None;
        }
        let mut problem =
            Problem::new(summary).differs(matcher.to_string(), shown(actual)).at(self.location(at));
        // A single difference at the top is what `expected` and `actual` say already.
        if mismatches.iter().any(|mismatch| !mismatch.path.is_empty()) {
            problem.mismatches = mismatches;
        }
        Some(problem)
    }

    /// The last lines that the function wrote while it worked on the event. The reasons of a failure have
    /// these lines already.
    fn written(&self, id: &str) -> Vec<String> {
        let lines = self.world.journal().select(0, |exchange| match &exchange.detail {
            ExchangeDetail::Log { function, request_id: Some(of), line } if **of == *id => {
                Some((is_failure(line), format!("{function} wrote: {line}")))
            }
            _ => None,
        });
        if lines.iter().any(|(is_failure, _)| *is_failure) {
            return Vec::new();
        }
        let from = lines.len().saturating_sub(MOST_LINES);
        lines.into_iter().skip(from).map(|(_, line)| line).collect()
    }
}

fn shown(value: Option<&Value>) -> String {
    match value {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Object(map)) if *map == Map::new() => "{}".into(),
        Some(value) => format!("{value:#}"),
        None => "nothing".into(),
    }
}
