//! A backend function as the emulator meets it: a router of this process, or an
//! executable that speaks the Lambda Runtime API.

use std::{collections::BTreeMap, fmt, path::PathBuf, sync::Arc};

/// Why a function could not be built from its environment.
pub type BuildError = Box<dyn std::error::Error + Send + Sync>;

type Build = dyn Fn(&BTreeMap<String, String>) -> Result<axum::Router, BuildError> + Send + Sync;

/// A function of the backend: its logical id in `template.yaml`, and its code.
#[derive(Clone)]
pub struct Function {
    id: String,
    code: Code,
}

/// How a function is run.
#[derive(Clone)]
pub enum Code {
    /// Builds a router from environment variables.
    InProcess(Arc<Build>),
    /// Run as processes of their own.
    Lambda(Executable),
}

/// A program that asks the Lambda Runtime API for its events, whatever language it is written in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Executable {
    /// The program's path.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// Where it is unpacked (`LAMBDA_TASK_ROOT`), which is also its working folder.
    pub folder: PathBuf,
}

impl Function {
    /// A function of this process under its logical id.
    pub fn new(
        id: impl Into<String>,
        build: impl Fn(&BTreeMap<String, String>) -> Result<axum::Router, BuildError>
        + Send
        + Sync
        + 'static,
    ) -> Self {
        Self { id: id.into(), code: Code::InProcess(Arc::new(build)) }
    }

    /// A function that is run as processes of its own.
    pub fn lambda(id: impl Into<String>, executable: Executable) -> Self {
        Self { id: id.into(), code: Code::Lambda(executable) }
    }

    /// Logical id in the template.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// How it is run.
    pub fn code(&self) -> &Code {
        &self.code
    }
}

impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Function").field("id", &self.id).finish_non_exhaustive()
    }
}
