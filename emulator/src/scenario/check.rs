//! What a parser cannot see: whether a scenario makes sense.

use super::{model::File, places::trail};
use crate::yaml::YamlError;

/// What is wrong with a file, whatever the backend.
pub(super) fn alone(file: &File) -> Vec<YamlError> {
    let mut errors = Vec::new();
    if file.document.steps.is_empty() {
        let at = file.tree.locate(&trail!["steps"]);
        errors.push(file.source.error(at, "a scenario needs at least one step"));
    }
    errors
}
