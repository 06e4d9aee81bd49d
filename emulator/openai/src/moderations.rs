//! `POST /v1/moderations`: flags nothing but what it is asked to flag, and plain threats.

use serde_json::{Map, Value, json};

use super::{
    error::ApiError,
    ids::Ids,
    params::{self, ParameterType},
};

/// Models of this endpoint.
pub(super) const MODERATION_MODELS: [&str; 4] = [
    "omni-moderation-latest",
    "omni-moderation-2024-09-26",
    "text-moderation-latest",
    "text-moderation-stable",
];

/// Categories, and whether pictures are judged by them, too.
const CATEGORIES: [(&str, bool); 13] = [
    ("harassment", false),
    ("harassment/threatening", false),
    ("sexual", true),
    ("hate", false),
    ("hate/threatening", false),
    ("illicit", false),
    ("illicit/violent", false),
    ("self-harm/intent", true),
    ("self-harm/instructions", true),
    ("self-harm", true),
    ("sexual/minors", false),
    ("violence", true),
    ("violence/graphic", true),
];

/// What is flagged without being asked to, in small letters: words that a test would take to see a flag. They
/// are whole words: "skill you" is none.
const FLAGGED: [(&str, &[&str]); 4] = [
    ("kill you", &["violence", "harassment", "harassment/threatening"]),
    ("kill them all", &["violence"]),
    ("kill myself", &["self-harm", "self-harm/intent"]),
    ("build a bomb", &["illicit", "illicit/violent"]),
];

/// A text with this and the name of a category is flagged by that category.
const MARK: &str = "flag:";

const PARAMETERS: &[(&str, ParameterType)] =
    &[("model", ParameterType::Text), ("input", ParameterType::Any)];

/// Answers a request.
///
/// # Errors
/// What the provider refuses, in its words.
pub(super) fn create(request: &Map<String, Value>, body: &[u8]) -> Result<Value, ApiError> {
    params::check(request, PARAMETERS, "")?;
    let model = request.get("model").and_then(Value::as_str).unwrap_or(MODERATION_MODELS[0]);
    if !MODERATION_MODELS.contains(&model) {
        // BerriAI/litellm#6020. Other models do not moderate, so it does not matter whether they exist.
        return Err(ApiError::invalid(format!(
            "Invalid value for 'model' = {model}. Please check the OpenAI documentation and try again."
        ))
        .param("model"));
    }
    let results: Vec<Value> = match request.get("input") {
        None | Some(Value::Null) => return Err(ApiError::missing("input")),
        Some(Value::String(text)) => vec![result(text, false)],
        Some(Value::Array(list)) if list.iter().any(Value::is_object) => vec![parts(list)?],
        Some(Value::Array(list)) if list.is_empty() => return Err(ApiError::empty_array("input")),
        Some(Value::Array(list)) => list
            .iter()
            .enumerate()
            .map(|(i, text)| match text.as_str() {
                Some(text) => Ok(result(text, false)),
                None => Err(ApiError::invalid_type(&format!("input[{i}]"), "a string", text)),
            })
            .collect::<Result<_, _>>()?,
        Some(other) => {
            let expected = "one of a string or array of strings or objects";
            return Err(ApiError::invalid_type("input", expected, other));
        }
    };
    Ok(json!({ "id": Ids::of(&[body]).moderation(), "model": model, "results": results }))
}

/// The one result of texts and pictures that belong together.
fn parts(list: &[Value]) -> Result<Value, ApiError> {
    const TYPES: [&str; 2] = ["image_url", "text"];
    let (mut text, mut picture) = (String::new(), false);
    for (i, part) in list.iter().enumerate() {
        let path = format!("input[{i}]");
        let part = params::object(part, &path)?;
        match params::text(part, "type", &path)? {
            "text" => {
                text.push_str(params::text(part, "text", &path)?);
                text.push('\n');
            }
            "image_url" => {
                let path = params::join(&path, "image_url");
                let image = part.get("image_url").ok_or_else(|| ApiError::missing(&path))?;
                params::text(params::object(image, &path)?, "url", &path)?;
                picture = true;
            }
            other => {
                return Err(ApiError::invalid_value(&params::join(&path, "type"), other, &TYPES));
            }
        }
    }
    Ok(result(&text, picture))
}

/// Whether a text has some words, with no letter or digit beside them.
fn has_words(text: &str, words: &str) -> bool {
    text.match_indices(words).any(|(at, found)| {
        let (before, after) = (&text[..at], &text[at + found.len()..]);
        !before.ends_with(char::is_alphanumeric) && !after.starts_with(char::is_alphanumeric)
    })
}

fn result(text: &str, picture: bool) -> Value {
    let text = text.to_lowercase();
    let asked = |category: &str| {
        text.split_whitespace()
            .filter_map(|word| word.strip_prefix(MARK))
            .any(|name| name.trim_end_matches(['.', ',', '!', '?']) == category)
    };
    let by_words = |category: &str| {
        FLAGGED.iter().any(|(words, of)| of.contains(&category) && has_words(&text, words))
    };
    let mut flagged = false;
    let (mut categories, mut scores, mut inputs) = (Map::new(), Map::new(), Map::new());
    for (name, of_pictures) in CATEGORIES {
        let flag = asked(name) || by_words(name);
        flagged |= flag;
        categories.insert(name.into(), flag.into());
        scores.insert(name.into(), if flag { 0.97 } else { 0.000_01 }.into());
        let mut types = vec!["text"];
        if picture && of_pictures {
            types.push("image");
        }
        inputs.insert(name.into(), types.into());
    }
    json!({
        "flagged": flagged,
        "categories": categories,
        "category_scores": scores,
        "category_applied_input_types": inputs
    })
}
