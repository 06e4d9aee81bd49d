//! `--watch`: functions are built again as their sources change, and their processes swapped.

use std::{
    path::{Path, PathBuf},
    time::{Instant, SystemTime},
};

use super::sources::{Sources, file_time};
use crate::{
    app::App,
    child,
    error::CommandError,
    lambda::Plan,
    project::Project,
    signal,
    target::{ChosenTarget, Target},
};
use rehearse_aws::{Executable, template::Template};
use rehearse_scenario::report::{
    style::{DIM, GOOD, paint},
    time,
};
use rehearse_world::World;

/// How many changed files are named.
const MAX_NAMED: usize = 3;

/// Options that say when functions are built.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct WatchArgs {
    /// With --target lambda: build again when a source file changes, and replace the processes.
    #[arg(long)]
    watch: bool,
    /// What builds the executables of --function: words for a shell, in the project's folder.
    #[arg(long, value_name = "COMMAND")]
    build: Option<String>,
}

/// Rebuilds functions when their sources change.
#[derive(Debug, Clone)]
pub(crate) struct Rebuild {
    build: Option<String>,
    root: PathBuf,
    plan: Plan,
    /// Files that were read before the world started, and are not read again.
    settings: Vec<PathBuf>,
    /// Changed while the first build ran: edited meanwhile, or made by it.
    pending: Vec<PathBuf>,
}

impl WatchArgs {
    /// Refuses what does not go together.
    pub(crate) fn check(&self, target: &ChosenTarget) -> Result<(), CommandError> {
        let option = match (self.watch, &self.build) {
            (true, _) => "--watch",
            (false, Some(_)) => "--build",
            (false, None) => return Ok(()),
        };
        if target.target == Target::Lambda {
            return Ok(());
        }
        Err(CommandError::wrong(format!("{option} is for --target lambda")).help(
            "functions in process are part of this program; another backend is yours to watch",
        ))
    }

    /// The sources, watched from now on, without the folder where a world keeps its rows.
    pub(crate) fn sources(
        &self,
        root: &Path,
        data: Option<&Path>,
    ) -> Result<Option<Sources>, CommandError> {
        let watch = || Sources::watch(root, data);
        self.watch.then(watch).transpose().map_err(|error| {
            CommandError::environment("failed to watch the sources").because(error)
        })
    }

    /// Builds what --function names, before anything looks for it.
    pub(crate) fn build(&self, root: &Path) -> Result<(), CommandError> {
        let Some(command) = &self.build else { return Ok(()) };
        signal::or_end(|| build(command, root))?
    }

    /// The rebuild on changes; `None` unless sources are watched.
    pub(crate) fn rebuild(
        &self,
        target: &ChosenTarget,
        template: &Template,
        project: &Project,
        app: &App,
    ) -> Result<Option<Rebuild>, CommandError> {
        if !self.watch {
            return Ok(None);
        }
        let root = project.root.clone();
        let plan = target.lambda.plan(template, &root, app)?;
        let (build, settings) = (self.build.clone(), project.read_once());
        Ok(Some(Rebuild { build, root, plan, settings, pending: Vec::new() }))
    }
}

impl Rebuild {
    /// Looks at what changed while the first build ran; what changes from now on is never missed.
    pub(crate) async fn first(&mut self, sources: &mut Sources) {
        self.pending = sources.changed_meanwhile(file_time()).await;
    }

    fn run(&self) -> Result<Vec<(String, Executable)>, CommandError> {
        if let Some(command) = &self.build {
            build(command, &self.root)?;
        }
        self.plan.run()
    }

    /// Rebuilds functions and swaps their processes after each change. Never resolves.
    pub(crate) async fn watch(mut self, mut sources: Sources, world: &World, app: &App) {
        loop {
            let mut changed = match std::mem::take(&mut self.pending) {
                pending if pending.is_empty() => sources.changed().await,
                pending => pending,
            };
            loop {
                self.keep_sources(&mut changed, &sources, app);
                if changed.is_empty() {
                    break;
                }
                app.ui.note(paint(DIM, format!("changed: {}", named(&sources, &changed))));
                let ended = self.again(world, app).await;
                changed = sources.changed_meanwhile(ended).await;
            }
        }
    }

    /// Keeps only files that a build reads, and warns that the others need a restart of `up`.
    fn keep_sources(&self, changed: &mut Vec<PathBuf>, sources: &Sources, app: &App) {
        let (settings, others) = std::mem::take(changed)
            .into_iter()
            .partition::<Vec<_>, _>(|path| self.settings.iter().any(|file| sources.is(file, path)));
        *changed = others;
        if !settings.is_empty() {
            let names = named(sources, &settings);
            app.ui.warn(format_args!("{names} changed: `up` must be restarted to use it"));
        }
    }

    /// Rebuilds once and returns when the build ended. A failed build changes nothing.
    async fn again(&self, world: &World, app: &App) -> SystemTime {
        let (started, rebuild) = (Instant::now(), self.clone());
        // A build blocks, and the fakes go on meanwhile.
        let built = tokio::task::spawn_blocking(move || rebuild.run()).await;
        let ended = file_time();
        match built {
            Ok(Ok(executables)) => {
                let mut ids = Vec::new();
                for (id, executable) in executables {
                    if let Some(gateway) = world.gateway() {
                        gateway.replace_executable(&id, executable);
                    }
                    ids.push(id);
                }
                let took = paint(DIM, format!("in {}", time::duration(started.elapsed())));
                app.ui.note(format_args!("{} {} {took}", paint(GOOD, "swapped"), ids.join(", ")));
            }
            Ok(Err(problem)) => {
                app.ui.report(&problem);
                app.ui.note("the last good build goes on serving");
            }
            Err(error) => app.ui.warn(format_args!("the build broke: {error}")),
        }
        ended
    }
}

fn named(sources: &Sources, paths: &[PathBuf]) -> String {
    let mut names: Vec<String> = paths.iter().map(|path| sources.shown(path).to_string()).collect();
    names.sort();
    let more = names.len().saturating_sub(MAX_NAMED);
    names.truncate(MAX_NAMED);
    let names = names.join(", ");
    if more > 0 { format!("{names} and {more} more") } else { names }
}

/// Runs a build command.
fn build(command: &str, root: &Path) -> Result<(), CommandError> {
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
