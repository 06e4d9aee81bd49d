//! A backend function as the emulator meets it in process.

use std::{collections::BTreeMap, fmt, sync::Arc};

/// Why a function could not be built from its environment.
pub type BuildError = Box<dyn std::error::Error + Send + Sync>;

type Build = dyn Fn(&BTreeMap<String, String>) -> Result<axum::Router, BuildError> + Send + Sync;

/// A function of the backend: its logical id in `template.yaml`, and how to
/// build its router from environment variables.
#[derive(Clone)]
pub struct Function {
    id: String,
    build: Arc<Build>,
}

impl Function {
    /// A function under its logical id.
    pub fn new(
        id: impl Into<String>,
        build: impl Fn(&BTreeMap<String, String>) -> Result<axum::Router, BuildError>
        + Send
        + Sync
        + 'static,
    ) -> Self {
        Self { id: id.into(), build: Arc::new(build) }
    }

    /// Logical id in the template.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The function's router for this environment.
    ///
    /// # Errors
    /// What the function says of its environment, such as a missing variable.
    pub fn router(
        &self,
        environment: &BTreeMap<String, String>,
    ) -> Result<axum::Router, BuildError> {
        (self.build)(environment)
    }
}

impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Function").field("id", &self.id).finish_non_exhaustive()
    }
}
