//! A document as the text of a scenario file.

use serde_json::Value;

use crate::write::{self, Layout};

/// The document as YAML: a line for each key and each step, whose values are written as JSON, which is
/// YAML too. Each line of `notes` becomes a comment at the top.
pub fn text(document: &Value, notes: &str) -> String {
    write::text(document, notes, Layout::Lines)
}
