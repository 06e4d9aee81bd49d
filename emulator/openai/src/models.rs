//! The models that the provider serves.

/// Models by their ids, the current ones first. Dated snapshots need not stand here: see [`is_listed`].
///
/// Sources: `ModelIdsShared` and `ModelIdsResponses` of OpenAI's OpenAPI document 2.3.0, and for what
/// is newer `AllModels` of <https://developers.openai.com/api/reference/resources/$shared> (2026-11).
/// A model that was shut down stays: a wrong 404 is worse than a missing one.
pub(super) const MODELS: [&str; 77] = [
    "gpt-6-luna",
    "gpt-6-astra",
    "gpt-6-sol",
    "gpt-6.1-sol",
    "gpt-6.1-terra",
    "chat-latest",
    "gpt-5.6",
    "gpt-5.6-luna",
    "gpt-5.6-sol",
    "gpt-5.6-terra",
    "gpt-5.6-cyber",
    "gpt-5.5",
    "gpt-5.5-pro",
    "gpt-5.4",
    "gpt-5.4-mini",
    "gpt-5.4-nano",
    "gpt-5.4-pro",
    "gpt-5.3-chat-latest",
    "gpt-5.3-codex",
    "gpt-5.2",
    "gpt-5.2-pro",
    "gpt-5.2-codex",
    "gpt-5.2-chat-latest",
    "gpt-5.1",
    "gpt-5.1-mini",
    "gpt-5.1-codex",
    "gpt-5.1-codex-max",
    "gpt-5.1-codex-mini",
    "gpt-5.1-chat-latest",
    "gpt-5",
    "gpt-5-mini",
    "gpt-5-nano",
    "gpt-5-pro",
    "gpt-5-codex",
    "gpt-5-chat-latest",
    "gpt-4.1",
    "gpt-4.1-mini",
    "gpt-4.1-nano",
    "gpt-4o",
    "gpt-4o-mini",
    "gpt-4o-audio-preview",
    "gpt-4o-mini-audio-preview",
    "gpt-4o-search-preview",
    "gpt-4o-mini-search-preview",
    "chatgpt-4o-latest",
    "codex-mini-latest",
    "computer-use-preview",
    "o4-mini",
    "o4-mini-deep-research",
    "o3",
    "o3-mini",
    "o3-pro",
    "o3-deep-research",
    "o1",
    "o1-mini",
    "o1-preview",
    "o1-pro",
    "gpt-daybreak-blue-latest",
    "gpt-daybreak-red-latest",
    "gpt-4-turbo",
    "gpt-4-turbo-preview",
    "gpt-4-0125-preview",
    "gpt-4-1106-preview",
    "gpt-4",
    "gpt-4-0613",
    "gpt-4-0314",
    "gpt-4-32k",
    "gpt-4-32k-0613",
    "gpt-4-32k-0314",
    "gpt-4-vision-preview",
    "gpt-3.5-turbo",
    "gpt-3.5-turbo-0125",
    "gpt-3.5-turbo-1106",
    "gpt-3.5-turbo-0613",
    "gpt-3.5-turbo-0301",
    "gpt-3.5-turbo-16k",
    "gpt-3.5-turbo-16k-0613",
];

/// Whether a model is one of `models`, a dated snapshot of one (`gpt-5.4-2026-03-05`), or a fine-tuned
/// one (`ft:gpt-4.1-mini:shop::1`).
pub(super) fn is_listed(model: &str, models: &[String]) -> bool {
    let base = base(model);
    models.iter().any(|known| known == model || known == base)
}

/// The model that a snapshot or a fine-tuned model is of; the model itself otherwise.
pub(super) fn base(model: &str) -> &str {
    let model = match model.strip_prefix("ft:") {
        Some(tuned) => tuned.split(':').next().unwrap_or(tuned),
        None => model,
    };
    match model.len().checked_sub("-2026-03-05".len()).and_then(|at| model.split_at_checked(at)) {
        Some((base, date)) if is_date(date) => base,
        _ => model,
    }
}

/// Whether a text has the form `-2026-03-05`.
fn is_date(text: &str) -> bool {
    let form = |(at, byte): (usize, u8)| match at {
        0 | 5 | 8 => byte == b'-',
        _ => byte.is_ascii_digit(),
    };
    text.bytes().enumerate().all(form)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn snapshots_and_fine_tuned_models_are_those_of_their_model() {
        let models = ["gpt-5.4".to_owned(), "gpt-4.1-mini".to_owned()];
        for known in [
            "gpt-5.4",
            "gpt-5.4-2026-03-05",
            "ft:gpt-4.1-mini:shop::1",
            "ft:gpt-4.1-mini-2025-04-14:shop::1",
        ] {
            assert!(is_listed(known, &models), "{known}");
        }
        for unknown in
            ["", "gpt-5", "gpt-5.4-", "gpt-5.4-march", "é-2026-03-0é", "-2026-03-05", "ft:"]
        {
            assert!(!is_listed(unknown, &models), "{unknown}");
        }
    }
}
