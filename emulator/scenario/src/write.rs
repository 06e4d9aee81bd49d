//! A document as the text of a scenario file.

use std::fmt::Write as _;

use serde_json::{Map, Value};

/// How a file is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layout {
    /// A line for each key and each step, whose values are written as JSON, which is YAML too.
    Lines,
    /// As a person would write it: a line for each key of a step, and short values on one line.
    Blocks,
}

/// Longest line that a value may fill in [`Layout::Blocks`], in characters.
const WIDTH: usize = 110;

/// Words that YAML readers take for something else than a text.
const TAKEN: [&str; 11] =
    ["null", "true", "false", "yes", "no", "on", "off", "y", "n", "nan", "inf"];

/// The document as YAML. Each line of `notes` becomes a comment at the top.
pub(crate) fn text(document: &Value, notes: &str, layout: Layout) -> String {
    let mut text = String::new();
    for line in notes.lines() {
        let _ = writeln!(text, "# {line}");
    }
    for (key, value) in document.as_object().into_iter().flatten() {
        match (layout, value) {
            (Layout::Lines, Value::Array(items)) if key == "steps" => {
                text.push_str("steps:\n");
                for item in items {
                    let _ = writeln!(text, "  - {item}");
                }
            }
            (Layout::Lines, value) => {
                let _ = writeln!(text, "{key}: {value}");
            }
            (Layout::Blocks, Value::Array(items)) if key == "steps" => {
                text.push_str("steps:\n");
                items.iter().for_each(|item| block_item(&mut text, 2, item));
            }
            (Layout::Blocks, value) => entry(&mut text, 0, key, value),
        }
    }
    text
}

/// One key of a map with its value.
fn entry(text: &mut String, indent: usize, key: &str, value: &Value) {
    let (pad, key) = (" ".repeat(indent), scalar(key));
    let line = format!("{pad}{key}: {}", flow(value));
    match value {
        Value::Object(map) if !map.is_empty() && !fits(&line) => {
            let _ = writeln!(text, "{pad}{key}:");
            map.iter().for_each(|(key, value)| entry(text, indent + 2, key, value));
        }
        Value::Array(list) if !list.is_empty() && !fits(&line) => {
            let _ = writeln!(text, "{pad}{key}:");
            list.iter().for_each(|value| item(text, indent + 2, value));
        }
        _ => {
            let _ = writeln!(text, "{line}");
        }
    }
}

/// One item of a list, on one line if it is short.
fn item(text: &mut String, indent: usize, value: &Value) {
    let line = format!("{}- {}", " ".repeat(indent), flow(value));
    if fits(&line) || !value.is_object() {
        let _ = writeln!(text, "{line}");
    } else {
        block_item(text, indent, value);
    }
}

/// One item of a list, a line for each of its keys.
fn block_item(text: &mut String, indent: usize, value: &Value) {
    let pad = " ".repeat(indent);
    match value.as_object().filter(|map| !map.is_empty()) {
        None => {
            let _ = writeln!(text, "{pad}- {}", flow(value));
        }
        Some(map) => {
            let mut lines = String::new();
            map.iter().for_each(|(key, value)| entry(&mut lines, indent + 2, key, value));
            // The dash stands in the place of the first two spaces.
            let _ = write!(text, "{pad}- {}", &lines[indent + 2..]);
        }
    }
}

fn fits(line: &str) -> bool {
    line.chars().count() <= WIDTH
}

/// A value on one line.
fn flow(value: &Value) -> String {
    match value {
        Value::String(text) => scalar(text),
        Value::Array(list) => {
            format!("[{}]", list.iter().map(flow).collect::<Vec<_>>().join(", "))
        }
        Value::Object(map) => flow_map(map),
        other => other.to_string(),
    }
}

fn flow_map(map: &Map<String, Value>) -> String {
    let entries: Vec<String> =
        map.iter().map(|(key, value)| format!("{}: {}", scalar(key), flow(value))).collect();
    if entries.is_empty() { "{}".into() } else { format!("{{ {} }}", entries.join(", ")) }
}

/// A text, in quotes unless nobody can take it for anything else.
fn scalar(text: &str) -> String {
    if is_plain(text) { text.to_owned() } else { quoted(text) }
}

/// Whether a text may stand without quotes, in a line of its own and within braces and brackets.
fn is_plain(text: &str) -> bool {
    let inside = |c: char| c.is_ascii_alphanumeric() || " _-./+$()'%=?!@".contains(c);
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(inside)
        && !text.ends_with(' ')
        && !TAKEN.contains(&text.to_ascii_lowercase().as_str())
        && text.len() <= 80
}

/// A text as JSON writes it, which is YAML's double-quoted style, and with escapes for what YAML does not
/// take as it is.
fn quoted(text: &str) -> String {
    let mut written = String::new();
    for c in Value::from(text).to_string().chars() {
        match c {
            '\u{7f}'..='\u{9f}'
            | '\u{2028}'
            | '\u{2029}'
            | '\u{feff}'
            | '\u{fffe}'
            | '\u{ffff}' => {
                let _ = write!(written, "\\u{:04x}", u32::from(c));
            }
            c => written.push(c),
        }
    }
    written
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
        for layout in [Layout::Lines, Layout::Blocks] {
            let text = text(&document, "one\ntwo", layout);
            assert!(text.starts_with("# one\n# two\n"), "{text}");
            let scenario = Scenario::parse(&text).unwrap();
            assert_eq!((scenario.name(), scenario.steps().len()), ("Ünicode: \"quoted\"", 1));
        }
    }

    #[test]
    fn texts_that_look_like_something_else_stay_texts() {
        for word in [
            "yes",
            "No",
            "null",
            "~",
            "1e3",
            "0x1F",
            "-",
            "- a",
            "# a",
            "a # b",
            "a: b",
            "a:",
            "?",
            "!a",
            "&a",
            "*a",
            "@a",
            "%a",
            "`",
            "'",
            "\"",
            "{ a",
            "[a",
            "a, b",
            "",
            " ",
            " a ",
            "a ",
            "\ta",
            "a\nb\n",
            "\r\n",
            "2026-02-11",
            "12:30",
            "+19045550100",
            "1_000",
            ".inf",
            "NaN",
            "=",
            "<<",
            "|",
            ">",
            "🙂 ok",
            "\u{7f}",
            "\u{85}x",
            "\u{2028}",
            "\u{feff}a",
            "\\",
            "a\\nb",
            "---",
            "...",
            "it's",
            "Done! (yes)",
            "é",
        ] {
            let document =
                json!({ "steps": [{ "a": word, "list": [word, { "k": word }], word: 1 }] });
            let written = text(&document, "", Layout::Blocks);
            let read: Value = serde_saphyr::from_str(&written)
                .unwrap_or_else(|error| panic!("{word:?}: {error}\n{written}"));
            assert_eq!(read, document, "{written}");
        }
    }

    #[test]
    fn long_values_get_lines_of_their_own() {
        let long = "word ".repeat(30);
        let document = json!({ "given": {}, "steps": [
            { "customer": long, "model": [{ "say": "a" }, { "sees": { "input": long }, "say": long }] },
            { "expect": { "tables": { "Leads": [{ "a": long, "b": [] }, {}] } } },
        ] });
        let written = text(&document, "", Layout::Blocks);
        assert_eq!(serde_saphyr::from_str::<Value>(&written).unwrap(), document, "{written}");
        assert!(written.contains("\n    model:\n      - { say: a }\n      - sees:\n"), "{written}");
    }
}
