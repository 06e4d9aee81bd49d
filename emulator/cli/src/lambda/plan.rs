//! What runs each function of a template, and how it is built before.

use std::path::{Path, PathBuf};

use super::{
    build::Build,
    code::executable,
    runtime::{Interpreters, Language},
};
use crate::{
    child,
    error::{CommandError, Exit},
};
use rehearse_aws::{
    Executable,
    secrets::Session,
    template::{CodePlace, Function, FunctionClock, FunctionSettings, Settings, Template},
};

/// How to get an executable for every function, each time that sources change.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    sources: Vec<(String, Source)>,
    /// Words for a shell, in the project's folder.
    commands: Vec<String>,
    build: Build,
    /// Binaries of the workspace, by function.
    binaries: Vec<(String, String)>,
    places: Places,
    /// Whether to show the progress of the build.
    shown: bool,
}

/// The executables of a plan, by function.
#[derive(Debug)]
pub(crate) struct Ready {
    pub(crate) executables: Vec<(String, Executable)>,
    /// What the user should know of them, a line each.
    pub(crate) remarks: Vec<String>,
}

/// The folders that paths start from.
#[derive(Debug, Clone)]
pub(super) struct Places {
    pub(super) template: PathBuf,
    pub(super) project: PathBuf,
}

/// What runs a function.
#[derive(Debug, Clone)]
pub(super) enum Source {
    /// A program, a package or a command that the user named.
    Named { code: String, from: PathBuf },
    /// A binary of the workspace.
    Built,
    /// An interpreter, with the function's code in a folder.
    Runtime { function: Box<Function>, folder: PathBuf, clock: FunctionClock },
}

impl Plan {
    /// The same plan, with how the workspace is built.
    pub(super) fn building(self, release: bool, shown: bool) -> Self {
        let build = Build::new(self.binaries.clone(), release, &self.places.project);
        Self { build, shown, ..self }
    }

    /// Builds or finds the executable of every function. Blocks as long as a compiler runs.
    ///
    /// # Errors
    /// Everything that is wrong with any of them, once what is built is built.
    pub(crate) fn run(&self) -> Result<Ready, CommandError> {
        for command in &self.commands {
            build(command, &self.places.project)?;
        }
        let mut built = self.build.run(self.shown)?;
        let mut interpreters = Interpreters::default();
        let executables = all(self.sources.iter().map(|(id, source)| {
            let executable = match source {
                Source::Named { code, from } => executable(id, code, from),
                Source::Built => built.take(id),
                Source::Runtime { function, folder, clock } => {
                    let runtime = function.runtime.as_deref().and_then(Language::of);
                    let runtime = runtime.ok_or_else(|| nothing_runs(function))?;
                    interpreters.executable(
                        function,
                        runtime,
                        (folder, *clock),
                        &self.places.project,
                    )
                }
            };
            Ok((id.clone(), executable?))
        }))?;
        Ok(Ready { executables, remarks: interpreters.remarks })
    }
}

/// The plan of a template. `named` has what the command line says of a function.
pub(super) fn plan(
    template: &Template,
    settings: &Settings,
    places: Places,
    named: impl Fn(&str) -> Option<Source>,
) -> Result<Plan, CommandError> {
    let (mut commands, mut binaries) = (Vec::new(), Vec::new());
    let sources = all(template.functions.iter().map(|function| {
        let id = &function.id;
        if let Some(source) = named(id) {
            return Ok((id.clone(), source));
        }
        let own = settings.functions.get(id);
        let source = source(function, own, &places)?;
        if let Some(command) = own.and_then(|own| own.build.clone())
            && !commands.contains(&command)
        {
            commands.push(command);
        }
        if let (Source::Built, Some(binary)) = (&source, &function.binary) {
            binaries.push((id.clone(), binary.clone()));
        }
        Ok((id.clone(), source))
    }))?;
    let build = Build::new(Vec::new(), false, &places.project);
    Ok(Plan { sources, commands, build, binaries, places, shown: false })
}

/// What of the functions' code is not as on AWS, a line each.
pub(crate) fn remarks(template: &Template) -> Vec<String> {
    let layers = |function: &Function| {
        let others = function.layers.iter().filter(|layer| !Session::is_extension(layer));
        others.map(|layer| format!("{}: ignoring the layer {layer}", function.id)).collect()
    };
    template
        .functions
        .iter()
        .flat_map(|function| {
            let mut lines: Vec<String> = layers(function);
            match function.code {
                CodePlace::Image => lines.push(format!(
                    "{}: an image (PackageType: Image) is not run; --target lambda needs `command` \
                     under [functions.{}] in rehearse.toml",
                    function.id, function.id
                )),
                CodePlace::Inline => lines.push(format!(
                    "{}: InlineCode is not run; --target lambda needs its code in a folder (CodeUri)",
                    function.id
                )),
                CodePlace::Folder(_) | CodePlace::Elsewhere => {}
            }
            lines
        })
        .collect()
}

fn source(
    function: &Function,
    own: Option<&FunctionSettings>,
    places: &Places,
) -> Result<Source, CommandError> {
    if let Some(command) = own.and_then(|own| own.command.clone()) {
        return Ok(Source::Named { code: command, from: places.project.clone() });
    }
    if function.binary.is_some() {
        return Ok(Source::Built);
    }
    let folder = match (own.and_then(|own| own.folder.as_ref()), &function.code) {
        (Some(folder), _) => places.project.join(folder),
        (None, CodePlace::Folder(folder)) => places.template.join(folder),
        (None, CodePlace::Inline | CodePlace::Image | CodePlace::Elsewhere) => {
            return Err(nothing_runs(function));
        }
    };
    let runtime = function.runtime.as_deref().unwrap_or_default();
    if Language::of(runtime).is_some() {
        let clock = own.map(|own| own.clock).unwrap_or_default();
        return Ok(Source::Runtime { function: Box::new(function.clone()), folder, clock });
    }
    // What Go and others are deployed as: a package with its program.
    // What builds it has not run yet.
    let is_built_first = own.is_some_and(|own| own.build.is_some());
    let is_package =
        is_built_first || folder.join("bootstrap").is_file() || folder.extension().is_some();
    if runtime.starts_with("provided") && is_package {
        let (code, from) = (folder.display().to_string(), PathBuf::new());
        let code = std::path::absolute(&code).map_or(code, |path| path.display().to_string());
        return Ok(Source::Named { code, from });
    }
    Err(nothing_runs(function))
}

fn nothing_runs(function: &Function) -> CommandError {
    let id = &function.id;
    let why = match (&function.code, function.runtime.as_deref()) {
        (CodePlace::Image, _) => "it is an image (PackageType: Image)".to_owned(),
        (CodePlace::Inline, _) => "its code is in the template (InlineCode)".to_owned(),
        (CodePlace::Elsewhere, _) => "its CodeUri is no folder of this project".to_owned(),
        (CodePlace::Folder(_), Some(runtime)) if !runtime.starts_with("provided") => {
            format!("{runtime} starts by itself on AWS alone")
        }
        (CodePlace::Folder(folder), _) => format!(
            "the template has no BuildProperties with a Binary for it, and {folder} (CodeUri) no \
             `bootstrap`"
        ),
    };
    CommandError::environment(format!("nothing says what runs the function {id}: {why}")).help(
        format!(
            "name it with --function {id}=PATH-OR-COMMAND, or as `command` under [functions.{id}] in \
             rehearse.toml"
        ),
    )
}

/// All of them, or the errors of all.
fn all<T>(each: impl Iterator<Item = Result<T, CommandError>>) -> Result<Vec<T>, CommandError> {
    let (mut found, mut errors, mut helps) = (Vec::new(), Vec::new(), Vec::new());
    let mut exit = Exit::Passed;
    for one in each {
        match one {
            Ok(one) => found.push(one),
            Err(error) => {
                errors.extend(error.errors);
                helps.extend(error.help.filter(|help| !helps.contains(help)));
                exit = error.exit;
            }
        }
    }
    if errors.is_empty() {
        return Ok(found);
    }
    let help = (!helps.is_empty()).then(|| helps.join("\n"));
    Err(CommandError { exit, errors, help })
}

/// Runs a build command in the project's folder.
pub(crate) fn build(command: &str, root: &Path) -> Result<(), CommandError> {
    let failed =
        |why: String| CommandError::environment(format!("failed to build by `{command}`: {why}"));
    let folder = if root.as_os_str().is_empty() { Path::new(".") } else { root };
    let ran = child::shell(command, folder)
        .map_err(|error| failed(rehearse_core::errors::io_words(&error)))?;
    if ran.status.success() {
        return Ok(());
    }
    let said = [ran.stdout, ran.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    Err(failed(ran.status.to_string()).help(format!("it says\n\n{}", said.trim_end())))
}
