//! `rehearse schema`

use crate::{
    app::App,
    problem::{Exit, Problem},
};
use rehearse_scenario as scenario;

pub(crate) fn schema(app: &App) -> Result<Exit, Problem> {
    app.ui.line(format_args!("{:#}", scenario::schema()))?;
    Ok(Exit::Passed)
}
