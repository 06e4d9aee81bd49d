//! Which reasoning efforts and verbosities a family takes.

/// Values of one parameter that a family takes.
pub(super) struct Values {
    pub families: &'static [&'static str],
    /// On the Responses endpoint; empty if no source says it.
    pub responses: &'static [&'static str],
    /// On Chat Completions; empty if no source says it.
    pub chat: &'static [&'static str],
    /// Where it is shown.
    #[cfg_attr(not(test), expect(dead_code, reason = "a test requires it of every row"))]
    pub source: &'static str,
}

const LOW_TO_HIGH: &[&str] = &["low", "medium", "high"];
const NONE_TO_HIGH: &[&str] = &["none", "low", "medium", "high"];
const NONE_TO_XHIGH: &[&str] = &["none", "low", "medium", "high", "xhigh"];
const NONE_TO_MAX: &[&str] = &["none", "low", "medium", "high", "xhigh", "max"];
const MEDIUM: &[&str] = &["medium"];
const ALL: &[&str] = &[];

/// `reasoning.effort` and `reasoning_effort`.
pub(super) const EFFORTS: &[Values] = &[
    Values {
        families: &["o1", "o1-pro", "o3", "o3-mini", "o3-pro", "o4-mini"],
        responses: LOW_TO_HIGH,
        chat: ALL,
        source: "github.com/enricoros/big-AGI/issues/944: every model asked with every effort",
    },
    Values {
        families: &["gpt-5"],
        responses: &["minimal", "low", "medium", "high"],
        chat: &["minimal", "low", "medium", "high"],
        source: "github.com/anomalyco/models.dev/pull/2351, from the models' pages",
    },
    Values {
        families: &["gpt-5-pro"],
        responses: &["high"],
        chat: ALL,
        source: "github.com/anomalyco/models.dev/pull/2351; the parameter's description",
    },
    Values {
        families: &["gpt-5.1"],
        responses: NONE_TO_HIGH,
        chat: NONE_TO_HIGH,
        source: "github.com/openai/openai-agents-python/issues/2089 (Responses), \
                 github.com/nextai-translator/nextai-translator/issues/1841 (Chat)",
    },
    Values {
        families: &["gpt-5.1-chat-latest", "gpt-5.2-chat-latest"],
        responses: MEDIUM,
        chat: MEDIUM,
        source: "github.com/egoist/chatwise-releases/issues/1257; \
                 github.com/anomalyco/models.dev/pull/2351",
    },
    Values {
        families: &["gpt-5.2", "gpt-5.4"],
        responses: NONE_TO_XHIGH,
        chat: NONE_TO_XHIGH,
        source: "github.com/anomalyco/models.dev/pull/2351, from the models' pages",
    },
    Values {
        families: &["gpt-5.2-codex"],
        responses: &["low", "medium", "high", "xhigh"],
        chat: ALL,
        source: "github.com/enricoros/big-AGI/issues/944",
    },
    Values {
        families: &["gpt-5.4-pro"],
        responses: &["medium", "high", "xhigh"],
        chat: ALL,
        source: "github.com/anomalyco/models.dev/pull/2351, from the model's page",
    },
    Values {
        families: &["gpt-6-luna", "gpt-6-sol"],
        responses: NONE_TO_MAX,
        chat: NONE_TO_XHIGH,
        source: "a public record of probes of api.openai.com, 2026-09",
    },
    Values {
        families: &["gpt-6-astra"],
        responses: &["low", "medium", "high", "xhigh", "max"],
        chat: &["low", "medium", "high", "xhigh"],
        source: "github.com/BerriAI/litellm-docs/pull/1173; github.com/genkit-ai/genkit/pull/6303",
    },
];

/// `text.verbosity` and `verbosity`.
pub(super) const VERBOSITIES: &[Values] = &[Values {
    families: &["gpt-4.1", "gpt-4o"],
    responses: MEDIUM,
    chat: MEDIUM,
    source: "github.com/enricoros/big-AGI/issues/947 (Responses: every model asked with every \
             value), github.com/google-deepmind/concordia/issues/164 (Chat)",
}];
