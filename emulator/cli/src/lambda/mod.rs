//! `--target lambda`: which executables are the functions, and how their processes run.

mod build;
mod code;

use std::{
    num::NonZeroUsize,
    path::{Path, PathBuf},
    str::FromStr,
};

use self::build::Build;
pub(crate) use self::code::clean_up;
use self::code::executable;
use crate::{app::App, child, error::CommandError};
use rehearse_aws::{Executable, gateway::Launcher, template::Template};
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

/// How to get an executable for every function, each time that sources change.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    ids: Vec<String>,
    named: Vec<Named>,
    build: Build,
    /// Folder that relative paths of the command line start from.
    from: PathBuf,
    /// Whether to show the progress of the build.
    shown: bool,
}

impl Plan {
    /// Builds or finds the executable of every function. Blocks as long as the compiler runs.
    pub(crate) fn run(&self) -> Result<Vec<(String, Executable)>, CommandError> {
        let mut built = self.build.run(self.shown)?;
        let executable = |id: &String| {
            let code = match self.named.iter().find(|named| named.id == *id) {
                Some(named) => executable(&named.id, &named.code, &self.from)?,
                None => built.take(id)?,
            };
            Ok((id.clone(), code))
        };
        self.ids.iter().map(executable).collect()
    }
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

    /// How the functions of a template become executables. What is not named is built.
    pub(crate) fn plan(
        &self,
        template: &Template,
        root: &Path,
        app: &App,
    ) -> Result<Plan, CommandError> {
        let ids: Vec<&str> = template.functions.iter().map(|f| f.id.as_str()).collect();
        for named in &self.functions {
            if !ids.contains(&named.id.as_str()) {
                let hint = hint(&named.id, ids.iter().copied());
                return Err(CommandError::wrong(format!(
                    "the template has no function `{}`{hint} (there are {})",
                    named.id,
                    ids.join(", ")
                )));
            }
            if self.functions.iter().filter(|other| other.id == named.id).count() > 1 {
                return Err(CommandError::wrong(format!("--function names {} twice", named.id)));
            }
        }
        Ok(Plan {
            ids: template.functions.iter().map(|function| function.id.clone()).collect(),
            named: self.functions.clone(),
            build: self.build(template, root)?,
            from: app.root.clone(),
            shown: app.ui.interactive(),
        })
    }

    /// What has to be built for the functions that are not named.
    pub(crate) fn build(&self, template: &Template, root: &Path) -> Result<Build, CommandError> {
        let mut binaries = Vec::new();
        for function in &template.functions {
            if self.functions.iter().any(|named| named.id == function.id) {
                continue;
            }
            let Some(binary) = &function.binary else {
                return Err(CommandError::environment(format!(
                    "nothing says what runs the function {}: the template has no \
                     BuildProperties with a Binary for it",
                    function.id
                ))
                .help(format!("name it with --function {}=PATH-OR-COMMAND", function.id)));
            };
            binaries.push((function.id.clone(), binary.clone()));
        }
        Ok(Build::new(binaries, self.release, root))
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
