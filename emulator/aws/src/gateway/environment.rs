//! The environment variables of a function, which differ between its instances in the paths of the
//! emulator's endpoints alone.

use std::{collections::BTreeMap, fmt, sync::Arc};

use rehearse_core::journal::callers::path_of;

/// Makes the variables of an instance from the path of its endpoints.
type OfPath = dyn Fn(&str) -> BTreeMap<String, String> + Send + Sync;

/// The variables of a function's instances.
#[derive(Clone)]
pub struct FunctionEnvironment(Arc<OfPath>);

impl FunctionEnvironment {
    /// `of_path` makes the variables of an instance whose calls have this path before their own, such as
    /// `/caller/Dispatcher-3`. With an empty path they are nobody's in particular.
    pub fn new(of_path: impl Fn(&str) -> BTreeMap<String, String> + Send + Sync + 'static) -> Self {
        Self(Arc::new(of_path))
    }

    /// The variables of one instance.
    pub(super) fn of_instance(&self, instance: &str) -> BTreeMap<String, String> {
        (self.0)(&path_of(instance))
    }

    /// The variables of no instance in particular.
    pub fn shared(&self) -> BTreeMap<String, String> {
        (self.0)("")
    }
}

impl From<BTreeMap<String, String>> for FunctionEnvironment {
    /// The same variables for every instance.
    fn from(variables: BTreeMap<String, String>) -> Self {
        Self::new(move |_| variables.clone())
    }
}

impl fmt::Debug for FunctionEnvironment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FunctionEnvironment")
    }
}
