//! A document as the text of a scenario file.

use std::fmt::Write as _;

use serde_json::Value;

/// The document as YAML: a line for each key and each step, whose values are written as JSON, which is
/// YAML too. Each line of `notes` becomes a comment at the top.
pub fn text(document: &Value, notes: &str) -> String {
    let mut text = String::new();
    for line in notes.lines() {
        let _ = writeln!(text, "# {line}");
    }
    for (key, value) in document.as_object().into_iter().flatten() {
        match value {
            Value::Array(items) if key == "steps" => {
                text.push_str("steps:\n");
                for item in items {
                    let _ = writeln!(text, "  - {item}");
                }
            }
            value => {
                let _ = writeln!(text, "{key}: {value}");
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::Scenario;

    #[test]
    fn a_document_is_read_back() {
        let document =
            json!({ "name": "Ünicode: \"quoted\"", "steps": [{ "customer": "#1: yes" }] });
        let text = text(&document, "one\ntwo");
        assert!(text.starts_with("# one\n# two\n"), "{text}");
        let scenario = Scenario::parse(&text).unwrap();
        assert_eq!((scenario.name(), scenario.steps().len()), ("Ünicode: \"quoted\"", 1));
    }
}
