//! Where the entries of replies stand.

use crate::places::{Node, YamlPath};

/// Where a step's replies stand: under `reply` or `replies`.
pub(crate) fn replies_path(tree: &Node, at: &YamlPath) -> YamlPath {
    ["replies", "reply"]
        .into_iter()
        .map(|key| at.to(key))
        .find(|path| tree.contains(path))
        .unwrap_or_else(|| at.clone())
}

/// Where an entry of replies stands: in a list, in `exactly`, or alone.
pub(crate) fn entry_path(tree: &Node, replies: &YamlPath, index: usize) -> YamlPath {
    [YamlPath::new().to("exactly").to(index), YamlPath::new().to(index)]
        .into_iter()
        .map(|below| replies.join(&below))
        .find(|path| tree.contains(path))
        .unwrap_or_else(|| replies.clone())
}
