//! Paths of the entries of replies.

use crate::places::{Node, YamlPath};

/// The path of a step's replies: `reply` or `replies`.
pub(crate) fn replies_path(tree: &Node, at: &YamlPath) -> YamlPath {
    ["replies", "reply"]
        .into_iter()
        .map(|key| at.to(key))
        .find(|path| tree.contains(path))
        .unwrap_or_else(|| at.clone())
}

/// The path of an entry of replies: in a list, in `exactly`, or the replies themselves.
pub(crate) fn entry_path(tree: &Node, replies: &YamlPath, index: usize) -> YamlPath {
    [YamlPath::new().to("exactly").to(index), YamlPath::new().to(index)]
        .into_iter()
        .map(|below| replies.join(&below))
        .find(|path| tree.contains(path))
        .unwrap_or_else(|| replies.clone())
}
