//! Families of models: models that take the same parameters.

use crate::models;

/// Models that take the same parameters.
#[derive(Debug)]
pub(super) struct Family {
    /// The model's id, or the beginning of it before a `-`. The longest that fits counts.
    pub prefix: &'static str,
    /// The reasoning effort of a request that names none; `None` if no source says it. `"none"` for
    /// models that do not reason at all.
    pub default_effort: Option<&'static str>,
}

const fn family(prefix: &'static str, default_effort: Option<&'static str>) -> Family {
    Family { prefix, default_effort }
}

/// Sources of the default efforts: the parameter's description in OpenAI's API reference ("gpt-5.1
/// defaults to none", "all models before gpt-5.1 default to medium", "gpt-5-pro defaults to high"),
/// <https://developers.openai.com/api/docs/guides/latest-model> for 5.2 and 5.4,
/// <https://github.com/mnfst/modelparams.dev/issues/87> for 5.6, and for 6 a record of probes of
/// 2026-09 (the response echoes `"effort":"medium"` for luna, sol and astra).
pub(super) const FAMILIES: &[Family] = &[
    family("gpt-6-astra", Some("medium")),
    family("gpt-6-luna", Some("medium")),
    family("gpt-6-sol", Some("medium")),
    family("gpt-6.1", None),
    family("gpt-5.6", Some("medium")),
    family("gpt-5.5", None),
    family("gpt-5.5-pro", None),
    family("gpt-5.4", Some("none")),
    family("gpt-5.4-pro", None),
    family("gpt-5.3-chat-latest", None),
    family("gpt-5.3-codex", None),
    family("gpt-5.2", Some("none")),
    family("gpt-5.2-pro", None),
    family("gpt-5.2-codex", None),
    family("gpt-5.2-chat-latest", None),
    family("gpt-5.1", Some("none")),
    family("gpt-5.1-codex", None),
    family("gpt-5.1-codex-max", None),
    family("gpt-5.1-chat-latest", None),
    family("gpt-5", Some("medium")),
    family("gpt-5-pro", Some("high")),
    family("gpt-5-codex", Some("medium")),
    family("gpt-5-chat-latest", Some("none")),
    family("o4-mini", Some("medium")),
    family("o3", Some("medium")),
    family("o3-mini", Some("medium")),
    family("o3-pro", Some("medium")),
    family("o1", Some("medium")),
    family("o1-mini", Some("medium")),
    family("o1-preview", Some("medium")),
    family("o1-pro", Some("medium")),
    family("gpt-4.1", Some("none")),
    family("gpt-4o", Some("none")),
    family("gpt-4-turbo", Some("none")),
    family("gpt-4", Some("none")),
    family("gpt-3.5-turbo", Some("none")),
];

/// The family of a model. `None` for models that nothing is known of, which get no rules.
pub(super) fn of(model: &str) -> Option<&'static Family> {
    let model = models::base(model);
    // A project's own model may begin like one of OpenAI's.
    if !models::MODELS.contains(&model) {
        return None;
    }
    let fits = |family: &&Family| {
        model
            .strip_prefix(family.prefix)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
    };
    FAMILIES.iter().filter(fits).max_by_key(|family| family.prefix.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_prefix_that_ends_at_a_dash_is_the_family() {
        let prefix = |model: &str| of(model).map(|family| family.prefix);
        for (model, expected) in [
            ("gpt-5-mini", Some("gpt-5")),
            ("gpt-5-pro-2025-10-06", Some("gpt-5-pro")),
            ("gpt-5.4-mini", Some("gpt-5.4")),
            ("gpt-5.6-sol", Some("gpt-5.6")),
            ("gpt-6.1-terra", Some("gpt-6.1")),
            ("gpt-4o-mini-2024-07-18", Some("gpt-4o")),
            ("ft:gpt-4.1-mini:shop::1", Some("gpt-4.1")),
            ("o3-mini-2025-01-31", Some("o3-mini")),
            ("gpt-60", None),
            ("gpt-5-our-gateway", None),
            ("gpt-6.1-luna", None),
            ("our-own", None),
        ] {
            assert_eq!(prefix(model), expected, "{model}");
        }
    }

    #[test]
    fn every_listed_model_of_the_gpt_and_o_lines_has_a_family() {
        let odd = [
            "gpt-daybreak-blue-latest",
            "gpt-daybreak-red-latest",
            "chatgpt-4o-latest",
            "codex-mini-latest",
            "computer-use-preview",
            "chat-latest",
        ];
        for model in models::MODELS.iter().filter(|m| !odd.contains(m)) {
            assert!(of(model).is_some(), "{model}");
        }
    }
}
