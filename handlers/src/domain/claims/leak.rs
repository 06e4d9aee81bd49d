//! Whether a sentence quotes the instructions.

use std::{collections::HashSet, sync::OnceLock};

use super::{
    vocabulary::NEGATIONS,
    words::{Token, tokens},
};
use crate::domain::prompt::SECRET_LINES;

/// So many words in a row are a quotation of the rules.
const SHINGLE: usize = 5;
/// And so many of the line that also says where the owner is.
const LONG_SHINGLE: usize = 6;
const TOOL_WORDS: &[&str] = &[
    "check_availability",
    "book_slot",
    "list_bookings",
    "cancel_booking",
    "reschedule_booking",
    "authorize_discount",
    "log_upsell",
    "stop_texting",
];

/// Whether the text quotes the instructions, names tools or speaks of the prompt.
pub(super) fn leaks(text: &str, sentence: &[Token]) -> bool {
    let lower = text.to_lowercase();
    if TOOL_WORDS.iter().any(|tool| lower.contains(tool)) || lower.contains("{\"") {
        return true;
    }
    let speaks = lower.contains("system prompt")
        || sentence.windows(2).any(|w| {
            matches!(w, [a, b] if a.any(&["my", "the", "these", "mis"]) && b.any(&["instructions", "prompt", "instrucciones"]))
        });
    // What is denied after them is what they say.
    let named = |t: &Token| t.any(&["instructions", "prompt", "instrucciones"]);
    let denies = sentence.iter().take_while(|t| !named(t)).any(|t| t.any(&NEGATIONS));
    if speaks
        && !denies
        && (lower.contains(':')
            || sentence.iter().any(|t| t.any(&["are", "say", "says", "is", "here", "son", "tell"])))
    {
        return true;
    }
    let words = spoken(sentence);
    let secret = SECRET.get_or_init(Secret::read);
    words.windows(SHINGLE).any(|part| secret.shingles.contains(part))
        || words.windows(LONG_SHINGLE).any(|part| secret.shingles.contains(part))
}

/// What customers must not read, in runs of words.
static SECRET: OnceLock<Secret> = OnceLock::new();

struct Secret {
    shingles: HashSet<Vec<String>>,
}

impl Secret {
    fn read() -> Self {
        let parts = |line: &str, length| {
            spoken(&tokens(line)).windows(length).map(<[String]>::to_vec).collect::<Vec<_>>()
        };
        let [rules, away] = SECRET_LINES;
        let shingles = parts(rules, SHINGLE).into_iter().chain(parts(away, LONG_SHINGLE));
        Self { shingles: shingles.collect() }
    }
}

fn spoken(tokens: &[Token]) -> Vec<String> {
    tokens.iter().filter(|t| !t.is_sign()).map(|t| t.text.clone()).collect()
}
