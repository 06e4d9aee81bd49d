//! What a family of models does not take: one row for each parameter, with its source.
//!
//! "Probes" are public records of probes of api.openai.com, with their dates.

use crate::respond::Endpoint;

/// What a family of models does not take.
pub(super) struct Rule {
    pub families: &'static [&'static str],
    pub endpoint: Endpoint,
    pub when: When,
    /// Whether it holds only while the model reasons: while its effort is not `none`.
    pub while_reasoning: bool,
    pub refusal: Refusal,
    /// Where it is shown.
    #[cfg_attr(not(test), expect(dead_code, reason = "a test requires it of every row"))]
    pub source: &'static str,
}

/// Which requests a rule is for. A parameter of an object is named by its path, `reasoning.effort`.
pub(super) enum When {
    /// The parameter is given.
    Given(&'static str),
    /// The parameter is a number other than this one.
    NumberOtherThan(&'static str, f64),
    /// The parameter has this value.
    Is(&'static str, &'static str),
    /// The flag is set.
    Flag(&'static str),
    /// `include` has this entry.
    Includes(&'static str),
    /// Function tools are offered.
    Tools,
}

/// How the provider says it.
pub(super) enum Refusal {
    /// `Unsupported parameter: 'X' is not supported with this model.`
    Parameter { code: Option<&'static str> },
    /// `Unsupported value: 'X' does not support V with this model. Only the default (1) ...`
    OnlyDefault,
    /// Other words. `{model}` stands for the model.
    Words {
        status: u16,
        message: &'static str,
        param: Option<&'static str>,
        code: Option<&'static str>,
    },
}

const UNSUPPORTED: Refusal = Refusal::Parameter { code: Some("unsupported_parameter") };
const UNSUPPORTED_WITHOUT_CODE: Refusal = Refusal::Parameter { code: None };

/// Models that do not reason.
const CLASSIC: &[&str] = &["gpt-4.1", "gpt-4o", "gpt-4-turbo", "gpt-4", "gpt-3.5-turbo"];
/// Models that reason, or can.
const REASONING: &[&str] = &[
    "gpt-6-astra",
    "gpt-6-luna",
    "gpt-6-sol",
    "gpt-6.1",
    "gpt-5.6",
    "gpt-5.5",
    "gpt-5.4",
    "gpt-5.2",
    "gpt-5.1",
    "gpt-5",
];
const SINCE_5_2: &[&str] = &[
    "gpt-6-astra",
    "gpt-6-luna",
    "gpt-6-sol",
    "gpt-6.1",
    "gpt-5.6",
    "gpt-5.5",
    "gpt-5.4",
    "gpt-5.2",
];
const O_SERIES: &[&str] = &["o1", "o1-mini", "o1-preview", "o3", "o3-mini", "o4-mini"];

const fn rule(
    endpoint: Endpoint,
    families: &'static [&'static str],
    when: When,
    refusal: Refusal,
    source: &'static str,
) -> Rule {
    Rule { families, endpoint, when, while_reasoning: false, refusal, source }
}

impl Rule {
    /// The same while the model reasons only.
    const fn while_reasoning(self) -> Self {
        Self { while_reasoning: true, ..self }
    }
}

use Endpoint::{Chat, Responses};
use When::{Flag, Given, Includes, Is, NumberOtherThan, Tools};

/// The rules in the order in which they are tried.
pub(super) const RULES: &[Rule] = &[
    // Chat Completions.
    rule(
        Chat,
        &["gpt-5", "gpt-5.1", "gpt-5.2", "gpt-5.4", "gpt-5.6", "o3", "o4-mini"],
        Given("stop"),
        UNSUPPORTED,
        "github.com/huggingface/smolagents/issues/1671 (5), /pull/1895 (5.2); \
         github.com/langgenius/dify/issues/18971 (o4-mini); \
         github.com/NVIDIA-NeMo/Guardrails/pull/1811 (o3, 5.x); probes 2026-08 (5.6)",
    ),
    rule(
        Chat,
        REASONING,
        Given("max_tokens"),
        Refusal::Words {
            status: 400,
            message: "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
            param: Some("max_tokens"),
            code: Some("unsupported_parameter"),
        },
        "github.com/fish2018/YPrompt/issues/26; probes 2026-09 (6)",
    ),
    rule(
        Chat,
        O_SERIES,
        Given("max_tokens"),
        Refusal::Words {
            status: 400,
            message: "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
            param: Some("max_tokens"),
            code: Some("unsupported_parameter"),
        },
        "github.com/nalgeon/pokitoki/issues/48",
    ),
    rule(Chat, &["gpt-5.6"], Given("logit_bias"), UNSUPPORTED, "probes 2026-08"),
    rule(Chat, &["gpt-5.6"], Given("prediction"), UNSUPPORTED, "probes 2026-08"),
    rule(
        Chat,
        REASONING,
        NumberOtherThan("temperature", 1.0),
        Refusal::OnlyDefault,
        "github.com/QwenLM/qwen-code/issues/921 (5); \
         developers.openai.com/api/docs/guides/deployment-checklist (\"When reasoning effort is not \
         none, remove temperature, top_p\"); probes 2026-09 (5.6, 6)",
    )
    .while_reasoning(),
    rule(
        Chat,
        &["o1-mini", "o1-preview", "o3", "o4-mini"],
        NumberOtherThan("temperature", 1.0),
        Refusal::OnlyDefault,
        "github.com/OpenHands/OpenHands/issues/4131 (o1-mini); github.com/cline/cline/issues/341; \
         github.com/vercel/ai/issues/6034",
    ),
    rule(
        Chat,
        &["o3-mini"],
        NumberOtherThan("temperature", 1.0),
        UNSUPPORTED,
        "github.com/openai/openai-python/issues/2072",
    ),
    rule(
        Chat,
        REASONING,
        NumberOtherThan("top_p", 1.0),
        UNSUPPORTED,
        "github.com/HIllya51/LunaTranslator/issues/1842; the deployment checklist",
    )
    .while_reasoning(),
    rule(
        Chat,
        &["o3-mini"],
        NumberOtherThan("top_p", 1.0),
        UNSUPPORTED,
        "github.com/openai/openai-python/issues/2072",
    ),
    rule(
        Chat,
        &["gpt-5", "gpt-5.6"],
        NumberOtherThan("presence_penalty", 0.0),
        UNSUPPORTED,
        "github.com/nextai-translator/nextai-translator/issues/1781 (5); probes 2026-08 (5.6)",
    )
    .while_reasoning(),
    rule(
        Chat,
        &["gpt-5", "gpt-5.6"],
        NumberOtherThan("frequency_penalty", 0.0),
        UNSUPPORTED,
        "github.com/nhaouari/obsidian-textgenerator-plugin/issues/366 (5); probes 2026-08 (5.6)",
    )
    .while_reasoning(),
    rule(
        Chat,
        &["gpt-5", "gpt-5.1", "o1", "o3-mini", "o4-mini"],
        Flag("logprobs"),
        Refusal::Words {
            status: 403,
            message: "You are not allowed to request logprobs from this model.",
            param: None,
            code: None,
        },
        "community.openai.com/t/1341462; probes 2025-11 (5.1), 2026 (5, o-series)",
    ),
    rule(Chat, &["gpt-5.6"], Flag("logprobs"), UNSUPPORTED, "probes 2026-08").while_reasoning(),
    rule(
        Chat,
        &["o1", "o3", "o3-mini", "o4-mini"],
        Given("parallel_tool_calls"),
        UNSUPPORTED,
        "github.com/langchain-ai/langchain/issues/29704; \
         github.com/tensorzero/tensorzero/issues/2805; github.com/UKGovernmentBEIS/inspect_ai/issues/1023",
    ),
    rule(
        Chat,
        CLASSIC,
        Given("reasoning_effort"),
        Refusal::Words {
            status: 400,
            message: "Unrecognized request argument supplied: reasoning_effort",
            param: None,
            code: None,
        },
        "github.com/mozilla-ai/any-llm/issues/270",
    ),
    rule(
        Chat,
        &["gpt-6-astra", "gpt-6.1"],
        Tools,
        TOOLS_NEED_RESPONSES,
        "developers.openai.com/api/docs/guides/deployment-checklist (\"GPT-6 Astra and GPT-6.1 Sol \
         require Responses for tool calling\"); github.com/genkit-ai/genkit/pull/6303",
    ),
    // Where the default effort is none, the provider refuses tools without an effort all the same, so
    // this row does not say `while_reasoning`; `check` lets an explicit `none` pass.
    rule(
        Chat,
        &["gpt-6-luna", "gpt-6-sol", "gpt-5.6"],
        Tools,
        TOOLS_NEED_RESPONSES,
        "github.com/TheR1D/shell_gpt/issues/801 (5.6); github.com/onyx-dot-app/onyx/issues/15008 (6)",
    ),
    // These take tools without an effort.
    rule(
        Chat,
        &["gpt-5.5", "gpt-5.4"],
        Tools,
        Refusal::Words {
            status: 400,
            message: "Function tools with reasoning_effort are not supported for {model} in /v1/chat/completions. Please use /v1/responses instead.",
            param: Some("reasoning_effort"),
            code: None,
        },
        "github.com/pipecat-ai/pipecat/issues/4043; github.com/charmbracelet/crush/issues/2913; \
         github.com/livekit/agents/issues/7169",
    )
    .while_reasoning(),
    rule(
        Chat,
        &["gpt-5.6"],
        Is("prompt_cache_retention", "in_memory"),
        Refusal::Words {
            status: 400,
            message: "This model is compatible only with 24h extended prompt caching",
            param: Some("prompt_cache_retention"),
            code: None,
        },
        "probes 2026-08",
    ),
    // Responses.
    rule(
        Responses,
        CLASSIC,
        Given("reasoning.effort"),
        UNSUPPORTED,
        "github.com/BoundaryML/baml/pull/2708 (4.1); \
         github.com/RageAgainstThePixel/OpenAI-DotNet/issues/500 (4o)",
    ),
    rule(
        Responses,
        CLASSIC,
        Includes("reasoning.encrypted_content"),
        NO_ENCRYPTED_CONTENT,
        "github.com/pydantic/pydantic-ai/issues/2865; github.com/ShishirPatil/gorilla/issues/1148",
    ),
    rule(
        Responses,
        &["gpt-5-chat-latest"],
        Includes("reasoning.encrypted_content"),
        NO_ENCRYPTED_CONTENT,
        "github.com/pydantic/pydantic-ai/issues/3326",
    ),
    rule(
        Responses,
        REASONING,
        NumberOtherThan("temperature", 1.0),
        UNSUPPORTED_WITHOUT_CODE,
        "github.com/JetBrains/koog/issues/1263; \
         github.com/OpenHands/software-agent-sdk/issues/1837 (5.2); probes 2026-09 (6)",
    )
    .while_reasoning(),
    rule(
        Responses,
        SINCE_5_2,
        NumberOtherThan("top_p", 1.0),
        UNSUPPORTED_WITHOUT_CODE,
        "github.com/brainlid/langchain/pull/428 (5.2 and newer); probes 2026-08 (5.6)",
    )
    .while_reasoning(),
    rule(
        Responses,
        &["gpt-5.6"],
        NumberOtherThan("presence_penalty", 0.0),
        UNSUPPORTED_WITHOUT_CODE,
        "probes 2026-08",
    )
    .while_reasoning(),
    rule(
        Responses,
        &["gpt-5.6"],
        NumberOtherThan("frequency_penalty", 0.0),
        UNSUPPORTED_WITHOUT_CODE,
        "probes 2026-08",
    )
    .while_reasoning(),
    rule(
        Responses,
        REASONING,
        NumberOtherThan("top_logprobs", 0.0),
        Refusal::Words {
            status: 400,
            message: "logprobs are not supported with reasoning models.",
            param: Some("top_logprobs"),
            code: Some("unsupported_parameter"),
        },
        "probes 2026-08; the deployment checklist",
    )
    .while_reasoning(),
    rule(
        Responses,
        REASONING,
        Includes("message.output_text.logprobs"),
        Refusal::Words {
            status: 400,
            message: "logprobs are not supported with reasoning models.",
            param: Some("include"),
            code: Some("unsupported_parameter"),
        },
        "github.com/vllm-project/vllm/pull/23319 (5-mini); the deployment checklist",
    )
    .while_reasoning(),
    rule(
        Responses,
        &["gpt-5.6"],
        Is("prompt_cache_retention", "in_memory"),
        Refusal::Words {
            status: 400,
            message: "This model is compatible only with 24h extended prompt caching",
            param: Some("prompt_cache_retention"),
            code: Some("invalid_parameter"),
        },
        "probes 2026-08",
    ),
];

const TOOLS_NEED_RESPONSES: Refusal = Refusal::Words {
    status: 400,
    message: "Function tools with reasoning_effort are not supported for {model} in /v1/chat/completions. To use function tools, use /v1/responses or set reasoning_effort to 'none'.",
    param: Some("reasoning_effort"),
    code: None,
};

const NO_ENCRYPTED_CONTENT: Refusal = Refusal::Words {
    status: 400,
    message: "Encrypted content is not supported with this model.",
    param: Some("include"),
    code: None,
};
