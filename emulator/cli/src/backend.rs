//! The backend that a command runs, by its target.

use crate::{
    app::App,
    error::CommandError,
    lambda::{self, LambdaArgs},
    project::{self, Project},
    signal,
    target::{ChosenTarget, Target},
};
use rehearse_aws::Function;
use rehearse_world::{Backend, ExternalBackend};

/// The backend of a project on the target. For Lambda this builds the functions, which takes as
/// long as a compiler does; Ctrl-C ends the process meanwhile.
///
/// # Errors
/// When the template or its tables cannot be read, a function cannot be built or has no code, or
/// the settings do not fit the template.
pub(crate) fn of(
    project: &Project,
    target: &ChosenTarget,
    app: &App,
) -> Result<Backend, CommandError> {
    match &target.target {
        Target::InProcess => in_process(project, app),
        Target::Lambda => processes(project, &target.lambda, app),
        Target::Url(external) => at_url(project, external),
    }
}

/// The backend that is started separately and reached by the URL of its webhook.
///
/// # Errors
/// When the template's tables cannot be read.
pub(crate) fn at_url(
    project: &Project,
    external: &ExternalBackend,
) -> Result<Backend, CommandError> {
    let (tables, settings) = (project.tables()?, project.settings.clone());
    Backend::external(external.clone(), tables, settings, &project.root).map_err(project::world)
}

fn in_process(project: &Project, app: &App) -> Result<Backend, CommandError> {
    let (functions, settings) = (app.functions.clone(), project.settings.clone());
    Backend::new(functions, project.template()?, settings, &project.root).map_err(project::world)
}

fn processes(project: &Project, args: &LambdaArgs, app: &App) -> Result<Backend, CommandError> {
    let template = project.template()?;
    lambda::remarks(&template).iter().for_each(|line| app.ui.remark(line));
    let plan = args.plan(&template, &project.settings, &project.root, app)?;
    let ready = signal::or_end(|| plan.run())??;
    ready.remarks.iter().for_each(|line| app.ui.remark(line));
    let functions =
        ready.executables.into_iter().map(|(id, code)| Function::lambda(id, code)).collect();
    let (processes, settings) = (args.processes(), project.settings.clone());
    Backend::with_processes(functions, processes, template, settings, &project.root)
        .map_err(project::world)
}
