//! What a parser cannot see: whether a scenario makes sense, alone and for a backend.

mod known;
mod place;
mod shape;
mod templates;
mod word;

pub(super) use known::{Known, against, fixtures, rows};
pub(super) use place::{entry_path, replies_path};
pub(super) use shape::alone;

use super::{model::File, places::Trail, step::Step};
use rehearse_core::yaml::YamlError;

struct Check<'f> {
    file: &'f File,
    errors: Vec<YamlError>,
}

impl Check<'_> {
    fn wrong(&mut self, path: &Trail, message: impl Into<String>) {
        let at = self.file.tree.locate(path);
        self.errors.push(self.file.source.error(at, message));
    }

    fn wrong_key(&mut self, path: &Trail, message: impl Into<String>) {
        let at = self.file.tree.locate_key(path);
        self.errors.push(self.file.source.error(at, message));
    }

    /// Calls `visit` with every step and its path, those of groups too.
    fn steps(&mut self, visit: &mut dyn FnMut(&mut Self, &Step, &Trail)) {
        let file = self.file;
        for (index, step) in file.document.steps.iter().enumerate() {
            let at = Trail::new().to("steps").to(index);
            visit(self, step, &at);
            if let Step::Together(group) = step {
                for (inner, step) in group.together.iter().enumerate() {
                    visit(self, step, &Trail::new().to("steps").to(index).to("together").to(inner));
                }
            }
        }
    }
}
