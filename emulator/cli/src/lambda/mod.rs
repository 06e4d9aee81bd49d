//! `--target lambda`: which executables are the functions, and how their processes run.

mod build;
mod clock;
mod code;
mod plan;
mod runtime;

use std::{
    num::NonZeroUsize,
    path::{Path, PathBuf},
    str::FromStr,
};

use self::plan::{Places, Source};
pub(crate) use self::plan::{Plan, build, remarks};
use crate::{app::App, child, error::CommandError};
use rehearse_aws::{
    gateway::Launcher,
    template::{Settings, Template},
};
use rehearse_core::names::hint;
use rehearse_world::Processes;

/// How functions are run as processes.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "With --target lambda")]
pub(crate) struct LambdaArgs {
    /// Run a function from an executable, a folder or zip with `bootstrap`, or a command.
    #[arg(long = "function", value_name = "NAME=PATH-OR-COMMAND")]
    functions: Vec<Named>,
    /// Build the workspace's functions with optimisations.
    #[arg(long)]
    release: bool,
    /// Most processes of one function at the same time [default: 10, as in a new account].
    #[arg(long, value_name = "N")]
    concurrency: Option<NonZeroUsize>,
    /// Give every request a new process.
    #[arg(long)]
    cold: bool,
}

/// A function and what runs it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Named {
    id: String,
    code: String,
}

impl FromStr for Named {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('=') {
            Some((id, code)) if !id.is_empty() && !code.is_empty() => {
                Ok(Self { id: id.into(), code: code.into() })
            }
            _ => Err("name a function and what runs it, such as Dispatcher=./bootstrap".into()),
        }
    }
}

impl LambdaArgs {
    /// The first of these options that was given; other targets refuse it.
    pub(crate) fn given(&self) -> Option<&'static str> {
        [
            ("--function", !self.functions.is_empty()),
            ("--release", self.release),
            ("--concurrency", self.concurrency.is_some()),
            ("--cold", self.cold),
        ]
        .into_iter()
        .find_map(|(name, given)| given.then_some(name))
    }

    /// These options as they were typed, for a command that repeats this one.
    pub(crate) fn typed(&self) -> Vec<String> {
        let mut words = Vec::new();
        for Named { id, code } in &self.functions {
            words.extend(["--function".into(), format!("{id}={code}")]);
        }
        if self.release {
            words.push("--release".into());
        }
        if let Some(concurrency) = self.concurrency {
            words.extend(["--concurrency".into(), concurrency.to_string()]);
        }
        if self.cold {
            words.push("--cold".into());
        }
        words
    }

    /// How the functions of a template become executables: by these options, by `[functions]` of the
    /// settings, by a build of the workspace, or by the runtime that the template names.
    ///
    /// # Errors
    /// Every function that nothing runs, and every name that is no function's.
    pub(crate) fn plan(
        &self,
        template: &Template,
        settings: &Settings,
        root: &Path,
        app: &App,
    ) -> Result<Plan, CommandError> {
        let ids: Vec<&str> = template.functions.iter().map(|f| f.id.as_str()).collect();
        let unknown = |id: &str| {
            let hint = hint(id, ids.iter().copied());
            format!("the template has no function `{id}`{hint} (there are {})", ids.join(", "))
        };
        for named in &self.functions {
            if !ids.contains(&named.id.as_str()) {
                return Err(CommandError::wrong(unknown(&named.id)));
            }
            if self.functions.iter().filter(|other| other.id == named.id).count() > 1 {
                return Err(CommandError::wrong(format!("--function names {} twice", named.id)));
            }
        }
        if let Some(id) = settings.functions.keys().find(|id| !ids.contains(&id.as_str())) {
            return Err(CommandError::wrong(format!(
                "rehearse.toml: [functions.{id}]: {}",
                unknown(id)
            )));
        }
        let named = |id: &str| self.functions.iter().find(|named| named.id == id);
        let places = Places { template: template_folder(settings, root), project: root.into() };
        plan::plan(template, settings, places, |id| {
            let code = named(id)?.code.clone();
            Some(Source::Named { code, from: app.root.clone() })
        })
        .map(|plan| plan.building(self.release, app.ui.interactive()))
    }

    /// How processes are run.
    pub(crate) fn processes(&self) -> Processes {
        let default = Processes::default();
        Processes {
            concurrency: self.concurrency.unwrap_or(default.concurrency),
            cold: self.cold,
            launcher: launcher(),
        }
    }
}

/// Removes what was unpacked or written for functions.
pub(crate) fn clean_up() {
    code::clean_up();
    runtime::clean_up();
}

/// The folder that `CodeUri` starts from.
fn template_folder(settings: &Settings, root: &Path) -> PathBuf {
    let template = root.join(&settings.template);
    template.parent().map_or_else(|| root.to_path_buf(), Path::to_path_buf)
}

fn launcher() -> Launcher {
    child::own_program().map_or_else(Launcher::direct, Launcher::through)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_is_named_with_what_runs_it() {
        let named: Named = "F=python3 -m app=1".parse().unwrap();
        assert_eq!((named.id.as_str(), named.code.as_str()), ("F", "python3 -m app=1"));
        for wrong in ["F", "F=", "=x"] {
            assert!(wrong.parse::<Named>().unwrap_err().contains("Dispatcher=./bootstrap"));
        }
    }
}
