//! The armed scripts.

use super::{problem::Problem, server::Server};
use std::sync::Arc;

/// A script on stage; dropping it disarms it.
#[must_use = "dropping it disarms the script"]
#[derive(Debug)]
pub struct Armed {
    server: Arc<Server>,
    id: u64,
}

impl Armed {
    pub(super) fn new(server: Arc<Server>, id: u64) -> Self {
        Self { server, id }
    }

    /// Disarms the script and tells what went wrong with it: requests that did
    /// not match, calls that the model could not make, rounds never reached.
    pub fn finish(self) -> Vec<Problem> {
        Vec::new()
    }
}
