//! `always.yaml`: what must hold whatever happens.

use std::sync::Arc;

use crate::{app::App, error::CommandError, project::Project};
use rehearse_scenario::invariants::Invariants;

/// The sentences of the project.
///
/// # Errors
/// There are none, or they cannot be read.
pub(crate) fn invariants(project: &Project, app: &App) -> Result<Arc<Invariants>, CommandError> {
    let path = project.root.join(&project.settings.paths.always);
    if !path.exists() {
        return Err(CommandError::wrong(format!(
            "no {} says what must always hold",
            path.display()
        ))
        .help(format!("write one as docs/sweep.md describes; `{}` finds it", app.command("run"))));
    }
    Invariants::load(&path).map(Arc::new).map_err(CommandError::wrong)
}
