//! What a parser cannot see: whether a scenario makes sense, alone and for a backend.
//!
//! What holds for one kind of step is checked by its [`StepKind`](crate::step::StepKind).

mod backend;
mod file;
mod names;
mod reply_paths;
mod templates;

pub(crate) use backend::{BackendCheck, KnownNames, fixtures, for_backend, rows};
pub(crate) use file::file_alone;
pub(crate) use names::{impossible, invalid_crash, invalid_fault, invalid_rendezvous};
pub(crate) use reply_paths::replies_path;

use crate::{model::File, places::YamlPath, step::Step};
use rehearse_core::yaml::YamlError;

/// Collects what is wrong with one file.
pub(crate) struct Check<'f> {
    pub(crate) file: &'f File,
    errors: Vec<YamlError>,
}

impl<'f> Check<'f> {
    fn new(file: &'f File) -> Self {
        Self { file, errors: Vec::new() }
    }

    /// Adds an error about the value at a path.
    pub(crate) fn wrong(&mut self, path: &YamlPath, message: impl Into<String>) {
        let at = self.file.tree.locate(path);
        self.errors.push(self.file.source.error(at, message));
    }

    /// Adds an error about the key at the end of a path.
    pub(crate) fn wrong_key(&mut self, path: &YamlPath, message: impl Into<String>) {
        let at = self.file.tree.locate_key(path);
        self.errors.push(self.file.source.error(at, message));
    }
}

/// Every step of a file with its path; each group is followed by its own steps.
fn all_steps(file: &File) -> Vec<(&Step, YamlPath)> {
    let mut all = Vec::new();
    for (index, step) in file.document.steps.iter().enumerate() {
        let at = YamlPath::new().to("steps").to(index);
        all.push((step, at.clone()));
        if let Step::Together(group) = step {
            for (inner, step) in group.together.iter().enumerate() {
                all.push((step, at.to("together").to(inner)));
            }
        }
    }
    all
}
