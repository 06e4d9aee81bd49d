//! A recording is played once before anybody gets it.

use super::RecordError;
use crate::model::Scenario;
use rehearse_world::Backend;

/// Plays the text of a scenario in a world of its own. With a backend that somebody else starts it is only
/// read: such a backend has one world, the one that was recorded.
///
/// # Errors
/// It does not pass.
pub(super) async fn passes(yaml: &str, backend: &Backend) -> Result<(), RecordError> {
    let fails = |why: String| {
        // Without the text: it has people's numbers.
        tracing::debug!(bytes = yaml.len(), "recorded, and fails");
        RecordError::Fails { why }
    };
    let scenario = Scenario::parse(yaml).map_err(|error| fails(error.to_string()))?;
    if backend.external_backend().is_some() {
        return Ok(());
    }
    let result = scenario.run(backend).await.map_err(|error| fails(error.to_string()))?;
    if result.passed() {
        return Ok(());
    }
    let problems = result.problems.iter().map(|problem| problem.summary.as_str());
    let problems = problems.take(3).collect::<Vec<_>>().join("; ");
    let step = result.step_number().map(|step| format!("step {step}: ")).unwrap_or_default();
    Err(fails(format!("{step}{problems}")))
}
