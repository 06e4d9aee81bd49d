//! The provider's error responses.

use serde_json::{Value, json};

/// The kind of an error that Azure itself gives, in front of the model.
const AZURE: &str = "azure";

/// An error response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ApiError {
    pub status: u16,
    pub kind: &'static str,
    pub message: String,
    pub param: Option<String>,
    pub code: Option<String>,
    /// `Retry-After`, in seconds.
    pub retry_after: Option<u32>,
    /// What the user of the fake can do; for the log and for reports, never in the response.
    pub hint: Option<Box<str>>,
}

impl ApiError {
    /// `invalid_request_error` with status 400, without parameter and code.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self {
            status: 400,
            kind: "invalid_request_error",
            message: message.into(),
            param: None,
            code: None,
            retry_after: None,
            hint: None,
        }
    }

    /// Sets the status.
    #[must_use]
    pub fn status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// Sets the parameter that is wrong.
    #[must_use]
    pub fn param(mut self, param: impl Into<String>) -> Self {
        self.param = Some(param.into());
        self
    }

    /// Sets the code.
    #[must_use]
    pub fn code(mut self, code: impl Into<String>) -> Self {
        self.code = Some(code.into());
        self
    }

    /// An error of this server that the provider would not give.
    pub fn ours(message: impl AsRef<str>) -> Self {
        Self::invalid(format!("rehearse: {}", message.as_ref())).code("rehearse")
    }

    /// An error of Azure, which has a code and a message alone.
    pub fn azure(code: &str, message: &str) -> Self {
        Self { kind: AZURE, ..Self::invalid(message) }.code(code)
    }

    /// A stored item does not exist.
    pub fn item_not_found(id: &str) -> Self {
        Self::invalid(format!("Item with id '{id}' not found.")).status(404)
    }

    /// A conversation does not exist. Without a parameter: a record of probes, 2026-08.
    pub fn conversation_not_found(id: &str) -> Self {
        Self::invalid(format!("Conversation with id '{id}' not found.")).status(404)
    }

    /// A stored response does not exist.
    pub fn response_not_found(id: &str) -> Self {
        Self::invalid(format!("Response with id '{id}' not found.")).status(404)
    }

    /// The parameter does not exist.
    pub fn unknown_parameter(path: &str) -> Self {
        Self::invalid(format!("Unknown parameter: '{path}'.")).param(path).code("unknown_parameter")
    }

    /// A required parameter is missing.
    pub fn missing(path: &str) -> Self {
        Self::invalid(format!("Missing required parameter: '{path}'."))
            .param(path)
            .code("missing_required_parameter")
    }

    /// The value has the wrong type. `expected` has its article: `an integer`.
    pub fn invalid_type(path: &str, expected: &str, got: &Value) -> Self {
        let got = type_name(got);
        Self::invalid(format!(
            "Invalid type for '{path}': expected {expected}, but got {got} instead."
        ))
        .param(path)
        .code("invalid_type")
    }

    /// The value is not one of those that are supported.
    pub fn invalid_value(path: &str, value: &str, supported: &[&str]) -> Self {
        let supported = listed(supported);
        Self::invalid(format!("Invalid value: '{value}'. Supported values are: {supported}."))
            .param(path)
            .code("invalid_value")
    }

    /// The text is empty.
    pub fn empty_string(path: &str) -> Self {
        Self::invalid(format!(
            "Invalid '{path}': empty string. Expected a string with minimum length 1, but got an empty string instead."
        ))
        .param(path)
        .code("empty_string")
    }

    /// The text does not match a pattern.
    pub fn no_match(path: &str, pattern: &str) -> Self {
        Self::invalid(format!(
            "Invalid '{path}': string does not match pattern. Expected a string that matches the pattern '{pattern}'."
        ))
        .param(path)
        .code("invalid_value")
    }

    /// The list has no entry.
    pub fn empty_array(path: &str) -> Self {
        Self::invalid(format!(
            "Invalid '{path}': empty array. Expected an array with minimum length 1, but got an empty array instead."
        ))
        .param(path)
        .code("empty_array")
    }

    /// The list has more than `most` entries.
    pub fn long_array(path: &str, most: usize, length: usize) -> Self {
        Self::invalid(format!(
            "Invalid '{path}': array too long. Expected an array with maximum length {most}, but got an array with length {length} instead."
        ))
        .param(path)
        .code("array_above_max_length")
    }

    /// The text is longer than `most` characters.
    pub fn too_long(path: &str, most: usize, length: usize) -> Self {
        Self::invalid(format!(
            "Invalid '{path}': string too long. Expected a string with maximum length {most}, but got a string with length {length} instead."
        ))
        .param(path)
        .code("string_above_max_length")
    }

    /// What the user of the fake can do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into().into_boxed_str());
        self
    }

    /// The model does not exist.
    pub fn model_not_found(model: &str) -> Self {
        Self::invalid(format!(
            "The model `{model}` does not exist or you do not have access to it."
        ))
        .status(404)
        .code("model_not_found")
    }

    /// The request has no API key.
    pub fn no_key() -> Self {
        Self::invalid(
            "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer auth (i.e. Authorization: Bearer YOUR_KEY). You can obtain an API key from https://platform.openai.com/account/api-keys.",
        )
        .status(401)
    }

    /// The API key is not accepted. The message shows only a part of it.
    pub fn wrong_key(key: &str) -> Self {
        Self::invalid(format!(
            "Incorrect API key provided: {}. You can find your API key at https://platform.openai.com/account/api-keys.",
            masked(key)
        ))
        .status(401)
        .code("invalid_api_key")
    }

    /// The body is not a JSON object.
    pub fn not_json() -> Self {
        Self::invalid(
            "We could not parse the JSON body of your request. (HINT: This likely means you aren't using your HTTP library correctly. The OpenAI API expects a JSON payload, but what was sent was not valid JSON.)",
        )
    }

    /// The error that the provider sends with this status and code, for scripts and faults. A 404 is that of
    /// the endpoints that ask a model.
    pub fn failure(status: u16, code: Option<&str>, model: &str) -> Self {
        let error = |kind, message: String, code: Option<&str>| Self {
            status,
            kind,
            message,
            param: None,
            code: code.map(Into::into),
            retry_after: None,
            hint: None,
        };
        match (status, code) {
            (400, Some("context_length_exceeded")) => Self::invalid(
                "Your input exceeds the context window of this model. Please adjust your input and try again.",
            )
            .param("input")
            .code("context_length_exceeded"),
            (401, None) => Self::wrong_key("sk-"),
            (404, None) => Self::model_not_found(model),
            (429, Some("insufficient_quota")) => error(
                "insufficient_quota",
                "You exceeded your current quota, please check your plan and billing details. For more information on this error, read the docs: https://platform.openai.com/docs/guides/error-codes/api-errors.".into(),
                code,
            ),
            (429, code) => error(
                "tokens",
                format!("Rate limit reached for {model} in organization org-rehearse on tokens per min (TPM): Limit 200000, Used 199900, Requested 1200. Please try again in 330ms. Visit https://platform.openai.com/account/rate-limits to learn more."),
                Some(code.unwrap_or("rate_limit_exceeded")),
            ),
            (503, code) => error(
                "service_unavailable_error",
                "Our servers are currently overloaded. Please try again later.".into(),
                Some(code.unwrap_or("server_is_overloaded")),
            ),
            (500.., code) => error(
                "server_error",
                "The server had an error while processing your request. Sorry about that!".into(),
                Some(code.unwrap_or("server_error")),
            ),
            (_, code) => error("invalid_request_error", "The request was refused.".into(), code),
        }
    }

    /// The body of the response.
    pub fn body(&self) -> Value {
        json!({ "error": self.inner() })
    }

    /// The error object inside the body, as streams send it.
    pub fn inner(&self) -> Value {
        if self.kind == AZURE {
            return json!({ "code": self.code, "message": self.message });
        }
        json!({
            "message": self.message,
            "type": self.kind,
            "param": self.param,
            "code": self.code,
        })
    }
}

/// Names as the provider lists them: `'a', 'b', and 'c'`.
pub(super) fn listed(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|n| format!("'{n}'")).collect();
    match quoted.as_slice() {
        [] => String::new(),
        [one] => one.clone(),
        [a, b] => format!("{a} and {b}"),
        [rest @ .., last] => format!("{}, and {last}", rest.join(", ")),
    }
}

/// The type of a value in the provider's words.
fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(n) if n.is_f64() => "a decimal",
        Value::Number(_) => "an integer",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

/// A key as an error may show it: enough to recognise it, too little to use it.
fn masked(key: &str) -> String {
    let start: String = key.chars().take(5).collect();
    let end: String = key.chars().skip(12).collect();
    let end: String = end.chars().rev().take(4).collect::<Vec<_>>().into_iter().rev().collect();
    format!("{start}{}{end}", "*".repeat(8))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_listed_as_the_provider_lists_them() {
        assert_eq!(listed(&["a"]), "'a'");
        assert_eq!(listed(&["a", "b"]), "'a' and 'b'");
        assert_eq!(listed(&["a", "b", "c"]), "'a', 'b', and 'c'");
    }

    #[test]
    fn a_key_is_masked() {
        assert_eq!(masked("sk-abcdefghijklmnop"), "sk-ab********mnop");
        assert_eq!(masked("sk-short"), "sk-sh********");
        assert_eq!(masked(""), "********");
    }
}
