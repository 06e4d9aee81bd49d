//! The project that a command works on: the folder with `rehearse.toml`.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use crate::{
    app::App,
    dynamodb,
    error::{Cause, CommandError, Exit},
};
use rehearse_aws::{
    Function,
    template::{self, Ignored, Placeholder, Settings, Template, UnresolvedVariable},
};
use rehearse_core::table::TableSpec;
use rehearse_openai::Persona;
use rehearse_scenario::{LoadError, Options, Runner, Scenario, report::Reporter};
use rehearse_world::{Backend, WorldError};

/// The settings of a project and their folder.
pub(crate) struct Project {
    /// Folder of the settings, as paths are shown: empty when it is the current one.
    pub(crate) root: PathBuf,
    /// The parsed settings.
    pub(crate) settings: Settings,
}

/// Help for users without a project: what its files contain.
const FIRST_STEPS: &str = r#"a project is a folder with a template.yaml (AWS SAM), or with a backend that you start yourself, and with a
   rehearse.toml. `rehearse init` writes one, such as

       [webhook]
       route = "/sms"                          # of the template, which Twilio calls
       # url = "http://127.0.0.1:3000/sms"     # of a backend that you start yourself"#;

/// Types of resources that only observe, such as alarms.
const WATCHERS: [&str; 5] = [
    "AWS::CloudWatch::Alarm",
    "AWS::Logs::LogGroup",
    "AWS::Logs::MetricFilter",
    "AWS::SNS::Subscription",
    "AWS::SNS::Topic",
];

/// The template's name unless the settings give another.
const TEMPLATE: &str = "template.yaml";

/// The same in a shorter word.
const TEMPLATE_YML: &str = "template.yml";

/// File that makes a folder a project.
pub(crate) const SETTINGS: &str = "rehearse.toml";

impl Project {
    /// The project that the current folder belongs to: of this folder or the nearest one above it
    /// that has settings.
    ///
    /// # Errors
    /// When there is none, or its settings cannot be read.
    pub(crate) fn find(app: &App) -> Result<Self, CommandError> {
        Self::find_any(app)?.ok_or_else(|| {
            CommandError::wrong(format!("no {SETTINGS} is here or in a folder above"))
                .help(FIRST_STEPS)
        })
    }

    /// The same for commands that need no project; `None` when there is none.
    ///
    /// # Errors
    /// When its settings cannot be read.
    pub(crate) fn find_any(app: &App) -> Result<Option<Self>, CommandError> {
        let Some(root) = root(&app.root) else { return Ok(None) };
        let settings = Settings::read(&root.join(SETTINGS)).map_err(CommandError::wrong)?;
        let mut settings = settings;
        // SAM's other name for it.
        if settings.template == Path::new(TEMPLATE)
            && !root.join(TEMPLATE).exists()
            && root.join(TEMPLATE_YML).exists()
        {
            settings.template = TEMPLATE_YML.into();
        }
        tracing::debug!(folder = %root.display(), "found the project's settings");
        Ok(Some(Self { root, settings }))
    }

    /// Files that are read when a world starts, and not again. Relative to the root.
    pub(crate) fn read_once(&self) -> Vec<PathBuf> {
        let settings = &self.settings;
        vec![SETTINGS.into(), settings.template.clone(), settings.paths.persona.clone()]
    }

    /// The template that the settings name.
    pub(crate) fn template(&self) -> Result<Template, CommandError> {
        let path = self.root.join(&self.settings.template);
        Template::read_with(&path, &self.settings.parameters, &self.settings.fixed_secrets())
            .map_err(CommandError::wrong)
    }

    /// Whether the template describes a function; a project without a template has none.
    pub(crate) fn has_functions(&self) -> Result<bool, CommandError> {
        Ok(!self.lacks_template() && !self.template()?.functions.is_empty())
    }

    /// Whether the template describes one of these functions.
    pub(crate) fn describes(&self, functions: &[Function]) -> Result<bool, CommandError> {
        if self.lacks_template() {
            return Ok(false);
        }
        let template = self.tables()?;
        Ok(functions.iter().any(|function| template.function(function.id()).is_some()))
    }

    /// The backend for static checks: no function of it can run.
    pub(crate) fn unlinked_backend(&self) -> Result<Backend, CommandError> {
        // A backend that is started separately may be in no template.
        let separate = self.settings.webhook.as_ref().is_none_or(|webhook| webhook.url.is_some());
        let template = if separate { self.tables()? } else { self.template()? };
        Backend::without_code(template, self.settings.clone(), &self.root).map_err(world)
    }

    /// The template's tables alone, for a backend that is started separately. A project without
    /// a template has none.
    pub(crate) fn tables(&self) -> Result<Template, CommandError> {
        if self.lacks_template() {
            return Ok(Template::default());
        }
        let path = self.root.join(&self.settings.template);
        Template::read_tables(&path, &self.settings.parameters, &self.settings.fixed_secrets())
            .map_err(CommandError::wrong)
    }

    /// Whether the settings name no template and none is at the default place.
    fn lacks_template(&self) -> bool {
        self.settings.template == Path::new(TEMPLATE) && !self.root.join(TEMPLATE).exists()
    }

    /// The scenarios under these paths, or all of the project.
    ///
    /// # Errors
    /// All errors of all files.
    pub(crate) fn scenarios(
        &self,
        app: &App,
        paths: &[PathBuf],
    ) -> Result<Vec<Scenario>, CommandError> {
        let paths: Vec<PathBuf> = if paths.is_empty() {
            vec![self.root.join(&self.settings.paths.scenarios)]
        } else {
            paths.iter().map(|path| app.root.join(path)).collect()
        };
        self.scenarios_in(&paths)
    }

    /// The scenarios in these files and folders.
    pub(crate) fn scenarios_in(&self, paths: &[PathBuf]) -> Result<Vec<Scenario>, CommandError> {
        rehearse_scenario::read(paths).map_err(all_wrong)
    }

    /// A runner for these scenarios.
    ///
    /// # Errors
    /// Everything in the scenarios that does not fit the backend.
    pub(crate) fn runner(
        &self,
        backend: Backend,
        options: Options,
        scenarios: &[Scenario],
    ) -> Result<Runner, CommandError> {
        let runner = Runner::new(backend, options);
        fit(&runner, scenarios)?;
        Ok(runner)
    }

    /// Notes the resources of the template that are not emulated: each type once, with its first line.
    pub(crate) fn remark_ignored(&self, template: &Template, app: &App) {
        let file = self.root.join(&self.settings.template);
        for (kind, of_kind) in by_kind(&template.ignored) {
            let Some(Ignored { id, line, .. }) = of_kind.first() else { continue };
            let more = match of_kind.len() {
                1 => String::new(),
                n => format!(" and {} more", n - 1),
            };
            let file = file.display();
            app.ui.remark(format_args!("{file}: ignoring {kind} ({id}, line {line}{more})"));
        }
    }

    /// The same without [`WATCHERS`], which make no difference to a scenario.
    pub(crate) fn remark_missing(&self, template: &Template, app: &App) {
        let mut acting = template.clone();
        acting.ignored.retain(|ignored| !WATCHERS.contains(&ignored.kind.as_str()));
        self.remark_ignored(&acting, app);
    }

    /// Notes the variables that functions run without, because only AWS knows their values.
    pub(crate) fn remark_unresolved(&self, backend: &Backend, app: &App) {
        // A backend that is started separately has an environment of its own.
        if backend.external_backend().is_some() {
            return;
        }
        let mut told = false;
        let file = self.root.join(&self.settings.template);
        for (unresolved, functions) in by_variable(&backend.template().functions) {
            let UnresolvedVariable { variable, reason, placeholder, line } = unresolved;
            if self.settings.environment.contains_key(variable) || backend.gives(variable) {
                continue;
            }
            let (file, functions) = (file.display(), functions.join(", "));
            match placeholder {
                Some(value) => app.ui.remark(format_args!(
                    "{file}:{line}: {variable} of {functions} has the made-up `{value}`: {reason}"
                )),
                None => app
                    .ui
                    .remark(format_args!("{file}:{line}: no {variable} for {functions}: {reason}")),
            }
            told = true;
        }
        for placeholder in &backend.template().placeholders {
            let Placeholder { value, reason, line } = placeholder;
            app.ui.remark(format_args!("{}:{line}: `{value}` stands in: {reason}", file.display()));
            told = true;
        }
        if told {
            app.ui.remark(format_args!(
                "{SETTINGS} gives variables values under [environment], parameters under [parameters]"
            ));
        }
    }

    /// Turns results of this project into reports.
    pub(crate) fn reporter(&self, app: &App, backend: &Backend) -> Reporter {
        Reporter {
            root: app.root.clone(),
            scenarios: self.root.join(&self.settings.paths.scenarios),
            program: (app.program != "rehearse").then(|| app.program.to_owned()),
            tables: tables(&backend.template().tables),
        }
    }

    /// The persona that answers model requests when no script is armed; `None` without its file.
    pub(crate) fn persona(&self) -> Result<Option<Persona>, CommandError> {
        let path = self.root.join(&self.settings.paths.persona);
        if !path.exists() {
            return Ok(None);
        }
        Persona::read(&path).map(Some).map_err(CommandError::wrong)
    }
}

/// Resources that are not emulated, by type, in the template's order.
pub(crate) fn by_kind(ignored: &[Ignored]) -> Vec<(&str, Vec<&Ignored>)> {
    let mut kinds: Vec<(&str, Vec<&Ignored>)> = Vec::new();
    for one in ignored {
        match kinds.iter_mut().find(|(kind, _)| *kind == one.kind) {
            Some((_, of_kind)) => of_kind.push(one),
            None => kinds.push((&one.kind, vec![one])),
        }
    }
    kinds
}

/// Variables without a value, each with the functions that lack it. One of `Globals` is listed once.
fn by_variable(functions: &[template::Function]) -> Vec<(&UnresolvedVariable, Vec<&str>)> {
    let mut variables: Vec<(&UnresolvedVariable, Vec<&str>)> = Vec::new();
    for function in functions {
        for unresolved in &function.unresolved {
            match variables.iter_mut().find(|(known, _)| *known == unresolved) {
                Some((_, functions)) => functions.push(&function.id),
                None => variables.push((unresolved, vec![&function.id])),
            }
        }
    }
    variables
}

/// The nearest folder with settings, from `start` upwards.
fn root(start: &Path) -> Option<PathBuf> {
    let depth =
        start.canonicalize().or_else(|_| std::env::current_dir()).ok()?.components().count();
    let mut folder = start.to_path_buf();
    for _ in 0..depth {
        if folder.join(SETTINGS).is_file() {
            return Some(folder);
        }
        folder.push("..");
    }
    None
}

/// Logical ids of tables by their names.
pub(crate) fn tables(tables: &[TableSpec]) -> BTreeMap<String, String> {
    tables.iter().map(|table| (table.name.clone(), table.id.clone())).collect()
}

/// Checks that scenarios fit the backend of a runner.
pub(crate) fn fit(runner: &Runner, scenarios: &[Scenario]) -> Result<(), CommandError> {
    let errors = runner.check(scenarios);
    if errors.is_empty() { Ok(()) } else { Err(all_wrong(errors)) }
}

fn all_wrong(errors: Vec<LoadError>) -> CommandError {
    let errors = errors.into_iter().map(Cause::from).collect();
    CommandError { exit: Exit::Wrong, errors, help: None }
}

/// The error of a world that did not start: the project is wrong, or the environment failed.
pub(crate) fn world(error: WorldError) -> CommandError {
    match error {
        WorldError::Functions(_) | WorldError::NoWebhook | WorldError::Webhook { .. } => {
            CommandError::wrong(error)
        }
        WorldError::Database(error) => dynamodb::error(error),
        error => CommandError::environment(error),
    }
}
