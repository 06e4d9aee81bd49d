//! Composes the text that a customer gets.

use std::collections::BTreeSet;

use crate::domain::{
    claims::{self, Checked, Facts},
    text,
};

/// In the place of a reference that the customer typed and that is not theirs.
const UNKNOWN_REFERENCE: &str = "that reference";

/// Longest text of the model, in UTF-16 units; the rest is cut off. Leaves room for the
/// confirmations within the most messages that one answer may have.
const MAX_MODEL_UNITS: usize = 6000;

/// Joins the model's text and the confirmations. Empty when there are no confirmations and nothing
/// of the model's text may be sent.
///
/// Removes what the model says about references that are not this customer's. Confirmations come
/// last and are written from rows: a model that claims a booking without making one gets none.
pub(super) fn reply_text(
    model_text: &str,
    confirmations: &[String],
    own: &BTreeSet<String>,
) -> String {
    let model_text = text::remove_foreign_lead_clauses(shortened(model_text.trim()), own);
    let parts: Vec<&str> = std::iter::once(model_text.trim())
        .chain(confirmations.iter().map(String::as_str))
        .filter(|part| !part.is_empty())
        .collect();
    text::to_gsm7(&parts.join("\n"))
}

/// The model's text as far as it fits what is known, with sentences by code in the place of the
/// rest. `confirmed`: confirmations will follow it.
pub(super) fn checked_text(
    model_text: &str,
    confirmed: bool,
    own: &BTreeSet<String>,
    typed: &BTreeSet<String>,
    facts: &Facts,
) -> Checked {
    let model_text = shortened(model_text.trim());
    let mut left = text::remove_foreign_lead_clauses(model_text, own);
    let foreign: BTreeSet<String> =
        text::find_lead_ids(model_text).difference(own).cloned().collect();
    // Whoever mistypes a reference is told that it was not found.
    if left.trim().is_empty() && foreign.is_subset(typed) {
        left = text::replace_foreign_lead_ids(model_text, own, UNKNOWN_REFERENCE);
    }
    if left.trim().is_empty() {
        return Checked { text: left, mismatches: Vec::new(), promises_callback: false };
    }
    claims::check(&left, facts, confirmed)
}

fn shortened(text: &str) -> &str {
    let mut units = 0;
    let end = text.char_indices().find(|(_, c)| {
        units += c.len_utf16();
        units > MAX_MODEL_UNITS
    });
    end.and_then(|(at, _)| text.get(..at)).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn confirmations_follow_the_models_text() {
        let lines = ["Confirmed: \u{201c}X\u{201d}. Ref LEAD-1".to_owned()];
        let text = reply_text(" Done! Ref LEAD-2 ", &lines, &BTreeSet::new());
        assert_eq!(text, "Done!\nConfirmed: \"X\". Ref LEAD-1");
    }

    #[test]
    fn confirmations_are_sent_however_long_the_models_text_is() {
        let line = "Confirmed: Wed Feb 11, 2:00 PM, iPhone screen. Ref LEAD-1".to_owned();
        // A line break just after the middle of each message leads to the shortest messages.
        let stretched = format!("{}\n{}", "x".repeat(798), "y".repeat(795)).repeat(20);
        for model_text in ["\u{1f600}".repeat(8000), stretched, "word ".repeat(3000)] {
            let whole = reply_text(&model_text, std::slice::from_ref(&line), &BTreeSet::new());
            let messages = text::split_into_messages(&whole);
            assert!(messages.last().unwrap().ends_with(&line), "{}", messages.len());
        }
    }

    #[test]
    fn without_text_and_confirmations_the_reply_is_empty() {
        assert_eq!(reply_text(" \n", &[], &BTreeSet::new()), "");
    }
}
