//! What every command needs: linked functions, working folder and output streams.

use std::path::{Path, PathBuf};

use crate::{error::CommandError, ui::Ui};
use rehearse_aws::Function;
use rehearse_core::threads;

/// The context of a command.
pub(crate) struct App {
    /// Functions that are linked into this program; empty in the installed `rehearse`.
    pub(crate) functions: Vec<Function>,
    /// Folder that relative paths start from; empty, which keeps paths as they were typed,
    /// except in tests.
    pub(crate) root: PathBuf,
    /// Where to write.
    pub(crate) ui: Ui,
    /// How the user started this program, for commands to copy.
    pub(crate) program: &'static str,
    /// The job of GitHub Actions that runs this program.
    pub(crate) github: Option<GitHub>,
}

/// A job of GitHub Actions.
pub(crate) struct GitHub {
    /// The file of the job's summary.
    pub(crate) summary: Option<PathBuf>,
    /// The working folder below the repository's root, with a slash at its end: `shop/`; empty at the root.
    pub(crate) below: String,
}

impl GitHub {
    /// The job that this process runs in.
    fn of_process() -> Option<Self> {
        let summary = std::env::var_os("GITHUB_STEP_SUMMARY").filter(|file| !file.is_empty());
        let is_job = std::env::var_os("GITHUB_ACTIONS").is_some_and(|is| is == "true");
        let workspace = std::env::var_os("GITHUB_WORKSPACE").map(PathBuf::from);
        let folder = std::env::current_dir().ok();
        let below = folder.zip(workspace).and_then(|(folder, workspace)| {
            let below = folder.strip_prefix(workspace).ok()?.to_str()?.to_owned();
            (!below.is_empty()).then(|| below + "/")
        });
        let below = below.unwrap_or_default();
        is_job.then(|| Self { summary: summary.map(PathBuf::from), below })
    }
}

impl App {
    /// The context of this process.
    pub(crate) fn new(name: &'static str, functions: Vec<Function>, ui: Ui) -> Self {
        // `cargo run` sets this for its program, and then it may not be on the path.
        let by_cargo = std::env::var_os("CARGO_MANIFEST_DIR").is_some();
        let program = if by_cargo { "cargo run --" } else { name };
        Self { functions, root: PathBuf::new(), ui, program, github: GitHub::of_process() }
    }

    /// The folder that commands run in.
    pub(crate) fn folder(&self) -> &Path {
        if self.root.as_os_str().is_empty() { Path::new(".") } else { &self.root }
    }

    /// A command line that runs this program: `rehearse up`.
    pub(crate) fn command(&self, arguments: &str) -> String {
        format!("{} {arguments}", self.program)
    }

    /// Runs a future on a thread for worlds, and waits for it.
    pub(crate) fn block_on_world<T: Send>(
        &self,
        future: impl Future<Output = T> + Send,
    ) -> Result<T, CommandError> {
        threads::block_on(future)
            .map_err(|e| CommandError::environment("failed to start threads").because(e))
    }

    /// Runs a future on this thread.
    pub(crate) fn block_on<T>(&self, future: impl Future<Output = T>) -> Result<T, CommandError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|e| CommandError::environment("failed to start a runtime").because(e))?;
        let value = runtime.block_on(future);
        // Tasks that still run belong to worlds that were dropped; they are not waited for.
        runtime.shutdown_background();
        Ok(value)
    }
}
