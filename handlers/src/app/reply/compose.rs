//! The words that a customer gets: the model's, and what is written from rows.

use std::collections::BTreeSet;

use crate::domain::text;

/// Longest text of a model; what is longer is no text message.
const MAX_MODEL_CHARS: usize = 8000;

/// One text of the model's words and the lines about bookings.
///
/// A reference that is not this customer's is left out of the model's words. The lines come last
/// and stand for themselves: a model that claims a booking without having made one gets none.
pub(super) fn compose(spoken: &str, lines: &[String], own: &BTreeSet<String>) -> String {
    let spoken: String = spoken.chars().take(MAX_MODEL_CHARS).collect();
    let spoken = text::without_foreign_leads(spoken.trim(), own);
    let parts: Vec<&str> = std::iter::once(spoken.trim())
        .chain(lines.iter().map(String::as_str))
        .filter(|part| !part.is_empty())
        .collect();
    text::to_gsm7(&parts.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_then_lines() {
        let lines = ["Confirmed: \u{201c}X\u{201d}. Ref LEAD-1".to_owned()];
        let text = compose(" Done! Ref LEAD-2 ", &lines, &BTreeSet::new());
        assert_eq!(text, "Done! Ref\nConfirmed: \"X\". Ref LEAD-1");
    }

    #[test]
    fn nothing_is_nothing() {
        assert_eq!(compose(" \n", &[], &BTreeSet::new()), "");
    }
}
