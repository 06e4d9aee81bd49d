//! Builds the functions of a Rust workspace, those with `BuildMethod: rust-cargolambda`.

use std::{
    collections::BTreeMap,
    io::{self, BufRead as _, BufReader, Read as _},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Deserialize;

use crate::{
    child::{self, NOT_FOUND},
    error::CommandError,
};
use rehearse_aws::Executable;

/// Which binaries of a workspace to build, and for which functions.
#[derive(Debug, Clone)]
pub(crate) struct Build {
    binaries: Vec<(String, String)>,
    release: bool,
    root: PathBuf,
}

/// The executables of a build, by function.
#[derive(Debug, Default)]
pub(crate) struct Built(BTreeMap<String, Executable>);

impl Build {
    pub(crate) fn new(binaries: Vec<(String, String)>, release: bool, root: &Path) -> Self {
        Self { binaries, release, root: root.to_path_buf() }
    }

    /// Builds them; does nothing when there are none. If `shown`, a line shows the progress.
    ///
    /// # Errors
    /// When cargo cannot be started or fails; then with the compiler's output.
    pub(crate) fn run(&self, shown: bool) -> Result<Built, CommandError> {
        if self.binaries.is_empty() {
            return Ok(Built::default());
        }
        let names: Vec<&str> = self.binaries.iter().map(|(_, binary)| binary.as_str()).collect();
        let what = names.join(", ");
        let progress = progress(&what, shown);
        let not_run = |why: &str| {
            CommandError::environment(format!("failed to run cargo: {why}"))
                .help("install Rust, or name each executable with --function NAME=PATH")
        };
        let cargo = self.command().and_then(|mut command| command.spawn());
        let mut cargo = cargo.map_err(|error| not_run(&rehearse_core::errors::io_words(&error)))?;
        let (said, made) = (cargo.stderr.take(), cargo.stdout.take());
        // The build is killed when this is dropped.
        let _held = cargo.stdin.take();
        // Both pipes are read at once: cargo stops when one of them is full.
        let said = thread::spawn({
            let progress = progress.clone();
            move || follow(said, &progress, &what)
        });
        let mut artifacts = BTreeMap::new();
        for line in made.map(BufReader::new).into_iter().flat_map(|made| made.lines()) {
            let Ok(line) = line else { break };
            if let Ok(Message { target, executable: Some(executable) }) =
                serde_json::from_str(&line)
            {
                artifacts.insert(target.name, executable);
            }
        }
        let status = cargo.wait();
        let said = said.join().unwrap_or_default();
        progress.finish_and_clear();
        if status.as_ref().is_ok_and(|s| s.code() == Some(NOT_FOUND.into())) {
            return Err(not_run(said.trim()));
        }
        if !status.is_ok_and(|status| status.success()) {
            return Err(CommandError::environment(format!("failed to build {}", names.join(", ")))
                .help(format!("the compiler says\n\n{}", said.trim_end())));
        }
        self.built(&artifacts)
    }

    fn command(&self) -> io::Result<Command> {
        // `cargo run` says which cargo it is.
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut command = child::guarded(cargo)?;
        command.args(["build", "--workspace", "--message-format=json-render-diagnostics"]);
        for (_, binary) in &self.binaries {
            command.args(["--bin", binary]);
        }
        if self.release {
            command.arg("--release");
        }
        if !self.root.as_os_str().is_empty() {
            command.current_dir(&self.root);
        }
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        Ok(command)
    }

    fn built(&self, artifacts: &BTreeMap<String, PathBuf>) -> Result<Built, CommandError> {
        let mut built = BTreeMap::new();
        for (function, binary) in &self.binaries {
            let Some(program) = artifacts.get(binary) else {
                return Err(CommandError::environment(format!(
                    "cargo built no binary `{binary}`, which is the function {function}"
                )));
            };
            let folder = program.parent().unwrap_or(Path::new("/")).to_path_buf();
            let arguments = Vec::new();
            built.insert(
                function.clone(),
                Executable { program: program.clone(), arguments, folder, world_clock: None },
            );
        }
        Ok(Built(built))
    }
}

impl Built {
    /// The executable of a function.
    pub(crate) fn take(&mut self, function: &str) -> Result<Executable, CommandError> {
        let none = || CommandError::environment(format!("the function {function} was not built"));
        self.0.remove(function).ok_or_else(none)
    }
}

/// A message of cargo about an artifact; other messages have no executable.
#[derive(Deserialize)]
struct Message {
    target: Artifact,
    executable: Option<PathBuf>,
}

#[derive(Deserialize)]
struct Artifact {
    name: String,
}

fn progress(what: &str, shown: bool) -> ProgressBar {
    let target = if shown { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let bar = ProgressBar::with_draw_target(None, target);
    if let Ok(style) = ProgressStyle::with_template("{spinner:.cyan} {wide_msg:.dim}") {
        bar.set_style(style);
    }
    bar.set_message(format!("building {what}"));
    bar.enable_steady_tick(std::time::Duration::from_millis(120));
    bar
}

/// Shows the latest line of cargo's output, and returns the whole output.
fn follow(said: Option<impl std::io::Read>, progress: &ProgressBar, what: &str) -> String {
    let mut all = String::new();
    let Some(said) = said else { return all };
    let mut reader = BufReader::new(said);
    let mut line = Vec::new();
    while reader.by_ref().read_until(b'\n', &mut line).is_ok_and(|length| length > 0) {
        let text = String::from_utf8_lossy(&line);
        progress.set_message(format!("building {what}: {}", text.trim()));
        all.push_str(&text);
        line.clear();
    }
    all
}
