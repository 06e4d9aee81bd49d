//! What a parser cannot see: whether a scenario makes sense, alone and for a backend.

mod backend;
mod names;
mod reply_paths;
mod shape;
mod templates;

pub(super) use backend::{KnownNames, fixtures, for_backend, rows};
pub(super) use reply_paths::{entry_path, replies_path};
pub(super) use shape::file_alone;

use super::{model::File, places::YamlPath, step::Step};
use rehearse_core::yaml::YamlError;

struct Check<'f> {
    file: &'f File,
    errors: Vec<YamlError>,
}

impl Check<'_> {
    fn wrong(&mut self, path: &YamlPath, message: impl Into<String>) {
        let at = self.file.tree.locate(path);
        self.errors.push(self.file.source.error(at, message));
    }

    fn wrong_key(&mut self, path: &YamlPath, message: impl Into<String>) {
        let at = self.file.tree.locate_key(path);
        self.errors.push(self.file.source.error(at, message));
    }

    /// Calls `visit` with every step and its path, those of groups too.
    fn steps(&mut self, visit: &mut dyn FnMut(&mut Self, &Step, &YamlPath)) {
        let file = self.file;
        for (index, step) in file.document.steps.iter().enumerate() {
            let at = YamlPath::new().to("steps").to(index);
            visit(self, step, &at);
            if let Step::Together(group) = step {
                for (inner, step) in group.together.iter().enumerate() {
                    visit(
                        self,
                        step,
                        &YamlPath::new().to("steps").to(index).to("together").to(inner),
                    );
                }
            }
        }
    }
}
