//! What Chat Completions refuses because of the model.

use serde_json::json;

use super::{
    chat_rows::{functions, object},
    rows::{Refused, refused},
};

/// Every refusal that is a rule of the model's family.
pub fn all_refused() -> Vec<Refused> {
    let bare = "unsupported_parameter";
    let value = "unsupported_value";
    let mut rows = Vec::new();
    for model in ["gpt-5-mini", "gpt-5.2", "gpt-5.6-luna", "o3", "o4-mini-2025-04-16"] {
        rows.push(refused(
            model,
            json!({ "stop": ["ZZ"] }),
            "stop",
            bare,
            "Unsupported parameter: 'stop' is not supported with this model.",
        ));
    }
    for model in ["gpt-5", "gpt-5.6-sol", "gpt-6-luna", "o1", "o3-mini"] {
        rows.push(refused(
            model,
            json!({ "max_tokens": 64 }),
            "max_tokens",
            bare,
            "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
        ));
    }
    for model in ["gpt-5", "gpt-5-nano", "gpt-6-luna", "gpt-6-astra", "o1-mini"] {
        rows.push(refused(
            model,
            json!({ "temperature": 0 }),
            "temperature",
            value,
            "Unsupported value: 'temperature' does not support 0 with this model. Only the default (1) value is supported.",
        ));
    }
    let mut tools = functions(object(json!({})), true);
    tools["reasoning_effort"] = json!("low");
    rows.push(refused(
        "gpt-5.4-mini",
        tools,
        "reasoning_effort",
        "",
        "Function tools with reasoning_effort are not supported for gpt-5.4-mini in /v1/chat/completions. Please use /v1/responses instead.",
    ));
    rows.extend([
        refused(
            "gpt-5.4",
            json!({ "temperature": 0.7, "reasoning_effort": "low" }),
            "temperature",
            value,
            "Unsupported value: 'temperature' does not support 0.7 with this model. Only the default (1) value is supported.",
        ),
        refused(
            "gpt-5",
            json!({ "top_p": 0.9 }),
            "top_p",
            bare,
            "Unsupported parameter: 'top_p' is not supported with this model.",
        ),
        refused(
            "gpt-5-mini",
            json!({ "presence_penalty": 0.5 }),
            "presence_penalty",
            bare,
            "Unsupported parameter: 'presence_penalty' is not supported with this model.",
        ),
        refused(
            "gpt-5.6",
            json!({ "logit_bias": { "1": 1 } }),
            "logit_bias",
            bare,
            "Unsupported parameter: 'logit_bias' is not supported with this model.",
        ),
        refused(
            "gpt-5",
            json!({ "logprobs": true }),
            "",
            "",
            "You are not allowed to request logprobs from this model.",
        )
        .status(403),
        refused(
            "gpt-5.6",
            json!({ "logprobs": true }),
            "logprobs",
            bare,
            "Unsupported parameter: 'logprobs' is not supported with this model.",
        ),
        refused(
            "gpt-4.1",
            json!({ "reasoning_effort": "low" }),
            "",
            "",
            "Unrecognized request argument supplied: reasoning_effort",
        ),
        refused(
            "gpt-5.1",
            json!({ "reasoning_effort": "minimal" }),
            "reasoning_effort",
            value,
            "Unsupported value: 'reasoning_effort' does not support 'minimal' with this model. Supported values are: 'none', 'low', 'medium', and 'high'.",
        ),
        refused(
            "gpt-6-luna",
            json!({ "reasoning_effort": "max" }),
            "reasoning_effort",
            value,
            "Unsupported value: 'reasoning_effort' does not support 'max' with this model. Supported values are: 'none', 'low', 'medium', 'high', and 'xhigh'.",
        ),
        refused(
            "gpt-4o",
            json!({ "verbosity": "low" }),
            "verbosity",
            value,
            "Unsupported value: 'verbosity' does not support 'low' with this model. Supported values are: 'medium'.",
        ),
    ]);
    for (model, words) in [
        (
            "gpt-6-luna",
            "Function tools with reasoning_effort are not supported for gpt-6-luna in /v1/chat/completions. To use function tools, use /v1/responses or set reasoning_effort to 'none'.",
        ),
        (
            "gpt-6-astra",
            "Function tools with reasoning_effort are not supported for gpt-6-astra in /v1/chat/completions. To use function tools, use /v1/responses or set reasoning_effort to 'none'.",
        ),
    ] {
        let tools = functions(object(json!({})), true);
        rows.push(refused(model, tools, "reasoning_effort", "", words));
    }
    let mut single = functions(object(json!({})), true);
    single["parallel_tool_calls"] = json!(false);
    rows.push(refused(
        "o3-mini",
        single,
        "parallel_tool_calls",
        bare,
        "Unsupported parameter: 'parallel_tool_calls' is not supported with this model.",
    ));
    rows
}
