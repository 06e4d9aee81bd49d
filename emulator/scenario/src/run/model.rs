//! What went wrong between the backend and the model, as a problem of the scenario.

use super::Running;
use crate::{outcome::Problem, places::YamlPath};
use rehearse_openai::UnmetExpectation;

impl Running<'_> {
    /// `path` is the step whose script it is, or during which it happened.
    pub(super) fn model_problem(&self, unmet: UnmetExpectation, path: &YamlPath) -> Problem {
        let at = match unmet.round {
            Some(round) => path.to("model").to(round - 1),
            None => path.to("model"),
        };
        Problem {
            summary: unmet.summary(),
            expected: unmet.expected,
            actual: unmet.request.map(|request| request.to_string()),
            location: Some(self.location(&at)),
            mismatches: unmet.mismatches,
            nearest: unmet.nearest.map(|nearest| nearest.to_string()),
            notes: unmet.notes,
        }
    }
}
