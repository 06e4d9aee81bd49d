//! Checks parameters against a table of names, types and ranges.

use serde_json::{Map, Value};

use super::error::ApiError;

/// Longest key of metadata, in characters.
const MAX_KEY: usize = 64;

/// What a parameter may be. `null` is always the same as a missing parameter.
pub(super) enum ParameterType {
    Text,
    /// A text of at most this many characters.
    Short(usize),
    Flag,
    /// From the first to the second.
    Integer(i64, i64),
    /// From the first to the second.
    Decimal(f64, f64),
    Object,
    Array,
    /// An array with from the first to the second number of entries.
    Entries(usize, usize),
    /// One of these texts.
    OneOf(&'static [&'static str]),
    /// Up to 16 pairs of texts, of at most 64 and 512 characters.
    Metadata,
    /// Not checked here.
    Any,
}

/// Checks an object against a table. `path` leads to the object and is empty at the top.
///
/// # Errors
/// The first name that is not in the table, or value that the table does not allow.
pub(super) fn check(
    object: &Map<String, Value>,
    table: &[(&str, ParameterType)],
    path: &str,
) -> Result<(), ApiError> {
    for (name, value) in object {
        let Some((_, kind)) = table.iter().find(|(known, _)| known == name) else {
            return Err(ApiError::unknown_parameter(&join(path, name)));
        };
        if !value.is_null()
            && let Some(violation) = violation(value, kind)
        {
            return Err(violation(&join(path, name)));
        }
    }
    Ok(())
}

/// The path of a key below `path`.
pub(super) fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.into() } else { format!("{path}.{name}") }
}

/// The text under a required key.
///
/// # Errors
/// The key is missing, or its value is not a text.
pub(super) fn text<'v>(
    object: &'v Map<String, Value>,
    name: &str,
    path: &str,
) -> Result<&'v str, ApiError> {
    match object.get(name) {
        Some(Value::String(text)) => Ok(text),
        None | Some(Value::Null) => Err(ApiError::missing(&join(path, name))),
        Some(other) => Err(ApiError::invalid_type(&join(path, name), "a string", other)),
    }
}

/// Checks the form of an id: what it consists of (ProjectTech4DevAI/kaapi-backend#317), then how it begins.
/// The provider checks this before it looks for what the id names: sgl-project/sglang#12299.
///
/// # Errors
/// It is no id of its kind.
pub(super) fn check_id(id: &str, prefix: &str, name: &str) -> Result<(), ApiError> {
    let expected = if !id.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-') {
        "contains letters, numbers, underscores, or dashes, but this value contained additional characters".to_owned()
    } else if id.starts_with(prefix) {
        return Ok(());
    } else {
        format!("begins with '{prefix}'")
    };
    Err(ApiError::invalid(format!("Invalid '{name}': '{id}'. Expected an ID that {expected}."))
        .param(name)
        .code("invalid_value"))
}

/// The value as an object.
///
/// # Errors
/// It is not one.
pub(super) fn object<'v>(value: &'v Value, path: &str) -> Result<&'v Map<String, Value>, ApiError> {
    value.as_object().ok_or_else(|| ApiError::invalid_type(path, "an object", value))
}

/// An error that is built once the path of the parameter is known, because paths are only needed for
/// errors.
type Violation<'v> = Box<dyn FnOnce(&str) -> ApiError + 'v>;

/// What is wrong with a value, if anything.
fn violation<'v>(value: &'v Value, kind: &'v ParameterType) -> Option<Violation<'v>> {
    let wrong = |expected: &'static str| -> Option<Violation<'v>> {
        Some(Box::new(move |path| ApiError::invalid_type(path, expected, value)))
    };
    match kind {
        ParameterType::Any => None,
        ParameterType::Text if value.is_string() => None,
        ParameterType::Text => wrong("a string"),
        ParameterType::Short(most) => match value.as_str().map(|t| t.chars().count()) {
            None => wrong("a string"),
            Some(length) if length > *most => {
                Some(Box::new(move |path| ApiError::too_long(path, *most, length)))
            }
            Some(_) => None,
        },
        ParameterType::Flag if value.is_boolean() => None,
        ParameterType::Flag => wrong("a boolean"),
        ParameterType::Object if value.is_object() => None,
        ParameterType::Object => wrong("an object"),
        ParameterType::Array if value.is_array() => None,
        ParameterType::Array => wrong("an array"),
        ParameterType::Entries(least, most) => match value.as_array().map(Vec::len) {
            None => wrong("an array"),
            Some(length) if length < *least => Some(Box::new(ApiError::empty_array)),
            Some(length) if length > *most => {
                Some(Box::new(move |path| ApiError::long_array(path, *most, length)))
            }
            Some(_) => None,
        },
        ParameterType::OneOf(names) => match value.as_str() {
            None => wrong("a string"),
            Some(text) if names.contains(&text) => None,
            Some(text) => Some(Box::new(move |path| ApiError::invalid_value(path, text, names))),
        },
        ParameterType::Integer(least, most) => match value.as_i64() {
            None => wrong("an integer"),
            Some(n) => range_violation(n, *least, *most, "integer"),
        },
        ParameterType::Decimal(least, most) => match value.as_f64() {
            None => wrong("a decimal"),
            Some(n) => range_violation(n, *least, *most, "decimal"),
        },
        ParameterType::Metadata => metadata_violation(value),
    }
}

/// What is wrong with a number, if anything. `what` is its type in words.
fn range_violation<'v, N: PartialOrd + std::fmt::Display + 'v>(
    got: N,
    least: N,
    most: N,
    what: &'static str,
) -> Option<Violation<'v>> {
    let (side, sign, limit, code) = if got < least {
        ("below minimum", ">=", least, "below_min")
    } else if got > most {
        ("above maximum", "<=", most, "above_max")
    } else {
        return None;
    };
    Some(Box::new(move |path| {
        ApiError::invalid(format!(
            "Invalid '{path}': {what} {side} value. Expected a value {sign} {limit}, but got {got} instead."
        ))
        .param(path)
        .code(format!("{what}_{code}_value"))
    }))
}

fn metadata_violation(value: &Value) -> Option<Violation<'_>> {
    let Some(pairs) = value.as_object() else {
        return Some(Box::new(move |path| ApiError::invalid_type(path, "an object", value)));
    };
    if pairs.len() > 16 {
        return Some(Box::new(|path| {
            ApiError::invalid(format!(
                "Invalid '{path}': too many properties. Expected an object with at most 16 properties, but got an object with {} properties instead.",
                pairs.len()
            ))
            .param(path)
            .code("object_above_max_properties")
        }));
    }
    pairs.iter().find_map(|(key, value)| -> Option<Violation<'_>> {
        let length = key.chars().count();
        if length > MAX_KEY {
            return Some(Box::new(move |path| {
                ApiError::invalid(format!(
                    "Invalid property name in '{path}': '{key}' is too long. Expected a string with maximum length {MAX_KEY}, but got a string with length {length} instead."
                ))
                .param(join(path, key))
                .code("property_name_above_max_length")
            }));
        }
        let violation = violation(value, &ParameterType::Short(512))?;
        Some(Box::new(move |path| violation(&join(path, key))))
    })
}
