//! Whether a sentence quotes the instructions.

use super::words::{Token, tokens};
use crate::domain::prompt::SECRET_LINES;

/// So many words in a row are a quotation.
const SHINGLE: usize = 6;
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
    let denies = sentence.iter().any(|t| t.any(&["not", "no", "never", "unable"]));
    let speaks = lower.contains("system prompt")
        || sentence.windows(2).any(|w| {
            matches!(w, [a, b] if a.any(&["my", "the", "these", "mis"]) && b.any(&["instructions", "prompt", "instrucciones"]))
        });
    if speaks
        && !denies
        && (lower.contains(':')
            || sentence.iter().any(|t| t.any(&["are", "say", "says", "is", "here", "son", "tell"])))
    {
        return true;
    }
    let words = spoken(sentence);
    SECRET_LINES.iter().any(|line| {
        let line = tokens(line);
        let line = spoken(&line);
        words.windows(SHINGLE).any(|part| line.windows(SHINGLE).any(|other| part == other))
    })
}

fn spoken(tokens: &[Token]) -> Vec<&str> {
    tokens.iter().filter(|t| !t.is_sign()).map(|t| t.text.as_str()).collect()
}
