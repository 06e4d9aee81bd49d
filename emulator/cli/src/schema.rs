//! `rehearse schema`

use super::{
    app::App,
    problem::{Exit, Problem},
};
use rehearse_scenario as scenario;

pub(super) fn schema(app: &App) -> Result<Exit, Problem> {
    app.ui.line(format_args!("{:#}", scenario::schema()))?;
    Ok(Exit::Passed)
}
