//! What a parser cannot see: whether a scenario makes sense, alone and for a backend.
//!
//! What holds for one kind of step is checked by its [`StepKind`](crate::step::StepKind).

mod backend;
mod file;
mod names;
mod reply_paths;
mod templates;

pub(crate) use backend::{BackendCheck, KnownNames, defaults, fixtures, for_backend, rows};
pub(crate) use file::file_alone;
pub(crate) use names::{
    impossible, invalid_crash, invalid_fault, invalid_rendezvous, is_number, unknown,
};
pub(crate) use reply_paths::replies_path;

use crate::{
    model::File,
    places::{Node, YamlPath},
    step::Step,
};
use rehearse_core::yaml::{Source, YamlError};

/// Collects what is wrong with one text.
pub(crate) struct Check<'f> {
    source: &'f Source,
    pub(crate) tree: &'f Node,
    pub(crate) errors: Vec<YamlError>,
}

impl<'f> Check<'f> {
    /// Nothing is wrong yet. `tree` is the tree of `source`.
    pub(crate) fn new(source: &'f Source, tree: &'f Node) -> Self {
        Self { source, tree, errors: Vec::new() }
    }

    fn of(file: &'f File) -> Self {
        Self::new(&file.source, &file.tree)
    }

    /// The name of the text: the path of its file.
    pub(crate) fn file(&self) -> &'f str {
        &self.source.name
    }

    /// Adds an error about the value at a path.
    pub(crate) fn wrong(&mut self, path: &YamlPath, message: impl Into<String>) {
        let at = self.tree.locate(path);
        self.errors.push(self.source.error(at, message));
    }

    /// Adds an error about the key at the end of a path.
    pub(crate) fn wrong_key(&mut self, path: &YamlPath, message: impl Into<String>) {
        let at = self.tree.locate_key(path);
        self.errors.push(self.source.error(at, message));
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
