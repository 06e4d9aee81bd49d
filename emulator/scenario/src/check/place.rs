//! Where the entries of replies stand.

use crate::places::{Node, Trail};

/// Where a step's replies stand: under `reply` or `replies`.
pub(crate) fn replies_path(tree: &Node, at: &Trail) -> Trail {
    ["replies", "reply"]
        .into_iter()
        .map(|key| at.to(key))
        .find(|path| tree.contains(path))
        .unwrap_or_else(|| at.clone())
}

/// Where an entry of replies stands: in a list, in `exactly`, or alone.
pub(crate) fn entry_path(tree: &Node, replies: &Trail, index: usize) -> Trail {
    [Trail::new().to("exactly").to(index), Trail::new().to(index)]
        .into_iter()
        .map(|below| replies.join(&below))
        .find(|path| tree.contains(path))
        .unwrap_or_else(|| replies.clone())
}
