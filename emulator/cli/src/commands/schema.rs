//! `rehearse schema`

use crate::{
    app::App,
    error::{CommandError, Exit},
};
use rehearse_scenario as scenario;

pub(crate) fn schema(app: &App) -> Result<Exit, CommandError> {
    app.ui.line(format_args!("{:#}", scenario::schema()))?;
    Ok(Exit::Passed)
}
