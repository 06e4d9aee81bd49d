//! Parameters that need others, whatever the model.

use serde_json::{Map, Value};

use crate::{error::ApiError, respond::Endpoint};

/// A parameter that is allowed beside another one only.
struct Need {
    endpoint: Endpoint,
    parameter: &'static str,
    /// Whether the other parameter is there.
    met: fn(&Map<String, Value>) -> bool,
    message: &'static str,
    /// Where it is shown.
    #[cfg_attr(not(test), expect(dead_code, reason = "a test requires it of every row"))]
    source: &'static str,
}

const NEEDS: &[Need] = &[
    Need {
        endpoint: Endpoint::Chat,
        parameter: "stream_options",
        met: |request| is_set(request, "stream"),
        message: "The 'stream_options' parameter is only allowed when 'stream' is enabled.",
        source: "the parameter's description in OpenAI's API reference",
    },
    Need {
        endpoint: Endpoint::Responses,
        parameter: "stream_options",
        met: |request| is_set(request, "stream"),
        message: "The 'stream_options' parameter is only allowed when 'stream' is enabled.",
        source: "the parameter's description in OpenAI's API reference",
    },
    Need {
        endpoint: Endpoint::Chat,
        parameter: "top_logprobs",
        met: |request| is_set(request, "logprobs"),
        message: "The 'top_logprobs' parameter is only allowed when 'logprobs' is enabled.",
        source: "github.com/IBM/unitxt/pull/1193",
    },
    Need {
        endpoint: Endpoint::Chat,
        parameter: "parallel_tool_calls",
        met: has_tools,
        message: "Invalid value for 'parallel_tool_calls': 'parallel_tool_calls' is only allowed when 'tools' are specified.",
        source: "github.com/openai/swarm/issues/30; github.com/openai/openai-openapi/pull/287",
    },
    Need {
        endpoint: Endpoint::Chat,
        parameter: "tool_choice",
        met: has_tools,
        message: "Invalid value for 'tool_choice': 'tool_choice' is only allowed when 'tools' are specified.",
        source: "public reports, also of `none` (2026-09, gpt-5.6-sol)",
    },
    // Chat Completions stores nothing unless it is told to; Responses stores by default and takes it.
    Need {
        endpoint: Endpoint::Chat,
        parameter: "metadata",
        met: |request| is_set(request, "store"),
        message: "The 'metadata' parameter is only allowed when 'store' is enabled.",
        source: "github.com/spiceai/spiceai/pull/5231; community.openai.com/t/1119240",
    },
];

/// Checks that every parameter has what it needs.
///
/// # Errors
/// The first parameter that lacks it, in the provider's words.
pub(crate) fn check(request: &Map<String, Value>, endpoint: Endpoint) -> Result<(), ApiError> {
    // An empty object says nothing, so it needs nothing.
    let given = |name: &str| match request.get(name) {
        None | Some(Value::Null) => false,
        Some(Value::Object(object)) => !object.is_empty() || name == "stream_options",
        Some(_) => true,
    };
    let mut needs = NEEDS.iter().filter(|need| need.endpoint == endpoint && given(need.parameter));
    match needs.find(|need| !(need.met)(request)) {
        Some(need) => Err(ApiError::invalid(need.message).param(need.parameter)),
        None => Ok(()),
    }
}

fn is_set(request: &Map<String, Value>, name: &str) -> bool {
    request.get(name) == Some(&Value::Bool(true))
}

fn has_tools(request: &Map<String, Value>) -> bool {
    request.get("tools").and_then(Value::as_array).is_some_and(|tools| !tools.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_names_its_source() {
        assert!(NEEDS.iter().all(|need| !need.source.is_empty()));
    }
}
