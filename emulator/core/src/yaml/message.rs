//! Error messages for people who write YAML files.
//!
//! The parser's own messages mention mappings, sequences and options of its API, and repeat the
//! position and the message around the caret.

use std::borrow::Cow;

use serde_saphyr::{Error, Localizer, Location, MessageFormatter, UserMessageFormatter};

use crate::names::hint;

/// Put before the message of a rendered error, to find the message there.
const MARK: &str = "at";

/// Renders an error: the message once, then the place with a caret.
pub(super) fn render(error: &Error, name: &str) -> String {
    let options = serde_saphyr::render_options! {
        formatter: &Plain,
        source_name: Some(name),
    };
    let text = error.render_with_options(options);
    let Some(rest) = text.strip_prefix(&format!("error: {MARK}: ")) else {
        return format!("{name}: {}", text.trim_end());
    };
    let (message, snippet) = rest.split_once('\n').unwrap_or((rest, ""));
    let lines = snippet.lines().map(|line| match line.strip_suffix(message) {
        Some(caret) if caret.trim_end().ends_with('^') => caret.trim_end(),
        _ => line.trim_end(),
    });
    let mut lines: Vec<&str> = lines.collect();
    // The frame's empty last row.
    while lines.last().is_some_and(|line| line.trim() == "|") {
        lines.pop();
    }
    format!("error: {message}\n{}", lines.join("\n"))
}

struct Plain;

impl Localizer for Plain {
    fn attach_location<'a>(&self, base: Cow<'a, str>, _: Location) -> Cow<'a, str> {
        base
    }

    fn snippet_location_prefix(&self, _: Location) -> String {
        MARK.into()
    }
}

impl MessageFormatter for Plain {
    fn localizer(&self) -> &dyn Localizer {
        self
    }

    fn format_message<'a>(&self, error: &'a Error) -> Cow<'a, str> {
        let text: &'static str = match error {
            Error::Eof { .. } => "the file is empty, or ends too early",
            Error::Unexpected { expected: "sequence start", .. } => "a list is needed here",
            Error::Unexpected { expected: "mapping start", .. } => {
                "a map is needed here (`key: value`)"
            }
            Error::Unexpected { expected: "string scalar" | "scalar", .. } => {
                "a single value is needed here, not a list or a map"
            }
            Error::NullIntoString { .. } => "a text is needed here, and there is none",
            Error::InvalidBooleanStrict { .. } => "true or false is needed here",
            Error::SerdeMissingField { field, .. } => {
                return format!("the key `{field}` is missing").into();
            }
            Error::DuplicateMappingKey { key: Some(key), .. } => {
                return format!("duplicate key `{key}`: it stands above already").into();
            }
            Error::SerdeUnknownField { field, expected, .. } => {
                return unknown("key", field, expected).into();
            }
            Error::SerdeUnknownVariant { variant, expected, .. } => {
                return unknown("word", variant, expected).into();
            }
            Error::SerdeInvalidType { unexpected, expected, .. }
            | Error::SerdeInvalidValue { unexpected, expected, .. } => {
                let expected = type_words(expected);
                return format!("{expected} is needed here, not {}", plain(unexpected)).into();
            }
            Error::InvalidScalar { ty, .. } => {
                return format!("{} is needed here", type_words(ty)).into();
            }
            other => return UserMessageFormatter.format_message(other),
        };
        text.into()
    }
}

/// A type of Rust in the words of people who write files; what is none stays as it is.
pub fn type_words(name: &str) -> Cow<'_, str> {
    let whole = |most: u64| format!("a whole number from 0 to {most}").into();
    match name {
        "u8" => whole(u8::MAX.into()),
        "u16" => whole(u16::MAX.into()),
        "u32" | "u64" | "u128" | "usize" | "unsigned integer" => "a whole number from 0".into(),
        "i8" | "i16" | "i32" | "i64" | "i128" | "isize" | "integer" => "a whole number".into(),
        "bool" => "true or false".into(),
        "f32" | "f64" | "floating point" | "float" => "a number".into(),
        _ if name.starts_with("a nonzero ") => "a whole number from 1".into(),
        _ => name.into(),
    }
}

fn unknown(what: &str, name: &str, expected: &[&'static str]) -> String {
    let hint = hint(name, expected.iter().copied());
    match expected {
        [] => format!("unknown {what} `{name}`; none is known here"),
        [only] => format!("unknown {what} `{name}`; only `{only}` is known here"),
        _ => format!("unknown {what} `{name}`{hint}; known here: {}", expected.join(", ")),
    }
}

/// Rephrases serde's description of an unexpected value.
fn plain(unexpected: &str) -> String {
    match unexpected {
        "sequence" => "a list".into(),
        "map" => "a map".into(),
        "unit value" | "Option value" => "nothing".into(),
        other => match other.split_once(' ') {
            Some(("string", text)) => format!("the text {text}"),
            Some(("integer" | "boolean", value)) => value.trim_matches('`').into(),
            _ => other.into(),
        },
    }
}
