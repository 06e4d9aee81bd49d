//! What the tests of several crates share.
//!
//! Without features it depends on no other crate of this workspace, so every crate's tests can use
//! it. The feature `project` adds a small backend for the crates that run one.

#![expect(clippy::panic, clippy::unwrap_used, reason = "a helper of a test fails its test")]

mod ports;
mod process;
#[cfg(feature = "project")]
mod project;
mod within;

use std::path::{Path, PathBuf};

pub use ports::free_port_base;
pub use process::{Finished, command};
#[cfg(feature = "project")]
pub use project::{SETTINGS, TEMPLATE, hello, settings, template};
#[cfg(feature = "project")]
pub use rehearse_dynamodb::testing::service as databases;
pub use within::{GENEROUS, PATIENCE, until, until_true, wait_for, within};

/// A temporary folder that is removed when it is dropped.
#[derive(Debug)]
pub struct Folder(tempfile::TempDir);

impl Default for Folder {
    fn default() -> Self {
        Self::new()
    }
}

impl Folder {
    /// Creates the folder.
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// Writes a file, creates the folders above it, and returns its path.
    pub fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path().join(name);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).unwrap();
        }
        std::fs::write(&path, text).unwrap();
        path
    }
}
