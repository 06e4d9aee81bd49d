//! What went wrong between the backend and the model, as a problem of the scenario.

use super::Running;
use crate::{outcome::Problem, places::YamlPath};
use rehearse_openai::{self as openai, Asked, Nearest};

impl Running<'_> {
    /// `path` is the step whose script it is, or during which it happened.
    pub(super) fn model_problem(&self, problem: openai::Problem, path: &YamlPath) -> Problem {
        let openai::Problem {
            script: _,
            round,
            title,
            expected,
            mismatches,
            nearest,
            asked,
            notes,
        } = problem;
        let at = match round {
            Some(round) => path.to("model").to(round - 1),
            None => path.to("model"),
        };
        let summary = match round {
            Some(round) => format!("model round {round}: {title}"),
            None => format!("model: {title}"),
        };
        Problem {
            summary,
            expected,
            actual: asked.as_ref().map(told),
            location: Some(self.location(&at)),
            mismatches,
            nearest: nearest.map(near),
            notes,
        }
    }
}

/// What the backend asked.
fn told(asked: &Asked) -> String {
    let mut lines = vec![format!("{}: {:?}", asked.operation, asked.text)];
    for (index, call) in asked.calls.iter().enumerate() {
        match asked.results.get(index) {
            Some(result) => lines.push(format!("{call} -> {result}")),
            None => lines.push(call.clone()),
        }
    }
    if !asked.tools.is_empty() {
        lines.push(format!("tools: {}", asked.tools.join(", ")));
    }
    lines.join("\n")
}

fn near(nearest: Nearest) -> String {
    let mut text = format!("{}, round {}: {}", nearest.script, nearest.round, nearest.text);
    for mismatch in &nearest.mismatches {
        text.push_str(&format!("\n{mismatch}"));
    }
    text
}
