//! The code of a backend's functions: routers of this process, or programs that speak the Lambda
//! Runtime API.

use std::{collections::BTreeMap, fmt, path::PathBuf, sync::Arc};

use rehearse_core::elapsed::ElapsedTime;

/// Why a function could not be built from its environment.
pub type BuildError = Box<dyn std::error::Error + Send + Sync>;

type RouterFactory = dyn Fn(&BTreeMap<String, String>, &ElapsedTime) -> Result<axum::Router, BuildError>
    + Send
    + Sync;

/// A function of the backend: its logical id in `template.yaml`, and its code.
#[derive(Clone)]
pub struct Function {
    id: String,
    code: Code,
}

/// The code of a function.
#[derive(Clone)]
pub enum Code {
    /// A function that builds a router from its environment variables and the elapsed time of its world.
    InProcess(Arc<RouterFactory>),
    /// A program that is run as processes.
    Lambda(Executable),
}

/// A program that asks the Lambda Runtime API for its events. It may be written in any language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Executable {
    /// Its path.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// Its folder: `LAMBDA_TASK_ROOT`, and the working directory.
    pub folder: PathBuf,
    /// What lets its clock show business time; without it, its clock is the machine's.
    pub world_clock: Option<WorldClock>,
}

/// libfaketime, which gives a program another clock as long as it asks the C library for the time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorldClock {
    /// The library that is preloaded.
    pub library: PathBuf,
    /// A folder for small files that say what time it is.
    pub folder: PathBuf,
}

impl Function {
    /// A function that runs in this process. `build` makes a router for each of its instances,
    /// which work on one event at a time, as on Lambda: what a router keeps in memory, another does not see.
    pub fn new(
        id: impl Into<String>,
        build: impl Fn(&BTreeMap<String, String>) -> Result<axum::Router, BuildError>
        + Send
        + Sync
        + 'static,
    ) -> Self {
        Self::timed(id, move |environment, _| build(environment))
    }

    /// As [`Function::new`], for a function whose own deadlines can stand still with the world's time.
    pub fn timed(
        id: impl Into<String>,
        build: impl Fn(&BTreeMap<String, String>, &ElapsedTime) -> Result<axum::Router, BuildError>
        + Send
        + Sync
        + 'static,
    ) -> Self {
        Self { id: id.into(), code: Code::InProcess(Arc::new(build)) }
    }

    /// A function that is run as processes.
    pub fn lambda(id: impl Into<String>, executable: Executable) -> Self {
        Self { id: id.into(), code: Code::Lambda(executable) }
    }

    /// Its logical id in the template.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Its code.
    pub fn code(&self) -> &Code {
        &self.code
    }
}

impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Function").field("id", &self.id).finish_non_exhaustive()
    }
}
