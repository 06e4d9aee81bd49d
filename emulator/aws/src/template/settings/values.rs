//! Values that are checked as they are read, so that an error points at them.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, de::Error};

use rehearse_core::{names::hint, yaml::type_words};

/// The placeholders of a [`TextTemplate`].
const NAMES: [&str; 12] = [
    "account_sid",
    "api_key",
    "auth_token",
    "dynamodb",
    "function",
    "gateway",
    "lambda",
    "messaging_service_sid",
    "number",
    "openai",
    "twilio",
    "webhook",
];

/// A number in E.164 form, `+19045550100`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
pub struct Phone(String);

/// A route's path, `/dispatcher`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
pub struct RoutePath(String);

/// Text with placeholders, such as `{openai}` for the URL of a world's fake OpenAI.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
pub struct TextTemplate(String);

impl Phone {
    /// A number that is known to be valid.
    pub(super) fn fixed(number: &'static str) -> Self {
        Self(number.into())
    }

    /// The number.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Phone {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let digits = text.strip_prefix('+').unwrap_or_default();
        let valid = (8..=15).contains(&digits.len())
            && !digits.starts_with('0')
            && digits.bytes().all(|b| b.is_ascii_digit());
        if !valid {
            return Err(format!("`{text}` is not a number in E.164 form, such as +19045550100"));
        }
        // North American numbers: neither area code nor exchange begins with 0 or 1.
        let nanp = |at: usize| matches!(digits.as_bytes().get(at), Some(b'2'..=b'9'));
        if digits.starts_with('1') && !(digits.len() == 11 && nanp(1) && nanp(4)) {
            return Err(format!("`{text}` is not a valid North American number"));
        }
        Ok(Self(text))
    }
}

impl RoutePath {
    /// The path.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for RoutePath {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if text.starts_with('/') && !text.contains(['?', '#', ' ']) {
            Ok(Self(text))
        } else {
            Err(format!("`{text}` is not a route's path, such as /dispatcher"))
        }
    }
}

impl TextTemplate {
    /// Whether the text as it was written contains another one.
    pub(super) fn contains(&self, text: &str) -> bool {
        self.0.contains(text)
    }

    /// The text with every placeholder replaced by its value.
    pub(super) fn fill<'a>(&self, value: impl Fn(&str) -> &'a str) -> String {
        let mut filled = String::new();
        let mut rest = self.0.as_str();
        while let Some((before, name, after)) = next_name(rest) {
            filled.push_str(before);
            filled.push_str(value(name));
            rest = after;
        }
        filled.push_str(rest);
        filled
    }
}

impl TryFrom<String> for TextTemplate {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let mut rest = text.as_str();
        while let Some((_, name, after)) = next_name(rest) {
            if !NAMES.contains(&name) {
                let known = NAMES.join(", ");
                let hint = hint(name, NAMES);
                return Err(format!("nothing is called `{{{name}}}`{hint} (known: {known})"));
            }
            rest = after;
        }
        Ok(Self(text))
    }
}

/// The first `{name}`: the text before it, the name, and the text after it. Braces around anything
/// but a lower-case name are ordinary text, as in JSON.
fn next_name(text: &str) -> Option<(&str, &str, &str)> {
    for (at, _) in text.match_indices('{') {
        let (before, after) = (&text[..at], &text[at + 1..]);
        if let Some((name, after)) = after.split_once('}')
            && !name.is_empty()
            && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
        {
            return Some((before, name, after));
        }
    }
    None
}

pub(super) fn account_sid<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    let digits = text.strip_prefix("AC").unwrap_or_default();
    if digits.len() == 32 && digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        Ok(text)
    } else {
        Err(D::Error::custom("an account SID is `AC` and 32 hexadecimal digits"))
    }
}

pub(super) fn service_sid<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<String>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let digits = text.strip_prefix("MG").unwrap_or_default();
    if digits.len() == 32 && digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        Ok(Some(text))
    } else {
        Err(D::Error::custom("a Messaging Service's SID is `MG` and 32 hexadecimal digits"))
    }
}

pub(super) fn validity_period<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    let seconds = i64::deserialize(deserializer)?;
    let seconds = u32::try_from(seconds).ok().filter(|seconds| (1..=36_000).contains(seconds));
    seconds.ok_or_else(|| D::Error::custom("a validity period is 1 to 36000 seconds"))
}

pub(super) fn models<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let models = Vec::<String>::deserialize(deserializer)?;
    match models.iter().find(|model| model.is_empty() || model.contains(char::is_whitespace)) {
        Some(model) => Err(D::Error::custom(format!("`{model}` is not the id of a model"))),
        None => Ok(models),
    }
}

pub(super) fn at_least_one<'de, D: Deserializer<'de>>(deserializer: D) -> Result<usize, D::Error> {
    let number = i64::deserialize(deserializer)?;
    let positive = usize::try_from(number).ok().filter(|number| *number > 0);
    positive.ok_or_else(|| D::Error::custom("this must be at least 1"))
}

/// An error of the reader in the words of people who write files: without the
/// names of Rust's types.
pub(super) fn explained(error: &toml::de::Error) -> String {
    let told = error.to_string();
    let line = |line: &str| match line.rsplit_once("expected ") {
        Some((before, kind)) => format!("{before}expected {}", type_words(kind)),
        None => line.to_owned(),
    };
    told.trim_end().lines().map(line).collect::<Vec<_>>().join("\n")
}
