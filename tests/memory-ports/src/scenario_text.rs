//! What was played on these ports, as the text of a scenario file.

use std::fmt::Write as _;

use serde_json::Value;

/// A scenario as YAML: a line for each of its keys and steps, whose values are written as JSON, which is
/// YAML too. Each line of `notes` becomes a comment at the top.
pub fn scenario_text(scenario: &Value, notes: &str) -> String {
    let mut text = String::new();
    for line in notes.lines() {
        let _ = writeln!(text, "{}", format!("# {line}").trim_end());
    }
    for (key, value) in scenario.as_object().into_iter().flatten() {
        match value {
            Value::Array(steps) if key == "steps" => {
                text.push_str("steps:\n");
                for step in steps {
                    let _ = writeln!(text, "  - {step}");
                }
            }
            value => {
                let _ = writeln!(text, "{key}: {value}");
            }
        }
    }
    text
}
