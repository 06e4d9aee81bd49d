//! What the model answers, before an endpoint puts it into its own form.

use serde_json::{Value, json};

use super::{ids::Ids, script::IncompleteReason};

/// An answer of the model.
#[derive(Debug, Clone)]
pub(super) struct Reply {
    pub ids: Ids,
    /// A reasoning item comes first.
    pub reasoning: bool,
    /// The reasoning item carries its hidden content.
    pub hidden: bool,
    pub parts: Vec<Part>,
    pub incomplete: Option<IncompleteReason>,
}

/// One thing that the model says or does.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Part {
    Text(String),
    Refusal(String),
    /// The arguments as a text, which may be no JSON.
    Call {
        name: String,
        arguments: String,
    },
}

impl Reply {
    /// A text and nothing else.
    pub fn text(ids: Ids, text: String) -> Self {
        Self::of(ids, vec![Part::Text(text)])
    }

    pub fn of(ids: Ids, parts: Vec<Part>) -> Self {
        Self { ids, reasoning: false, hidden: false, parts, incomplete: None }
    }

    /// About as many tokens as the provider would count.
    pub fn tokens(&self) -> u64 {
        let letters: usize = self
            .parts
            .iter()
            .map(|part| match part {
                Part::Text(text) | Part::Refusal(text) => text.len(),
                Part::Call { name, arguments } => name.len() + arguments.len() + 16,
            })
            .sum();
        tokens(letters) + self.reasoning_tokens()
    }

    pub fn reasoning_tokens(&self) -> u64 {
        if self.reasoning { 64 } else { 0 }
    }
}

/// Four letters are a token.
pub(super) fn tokens(letters: usize) -> u64 {
    letters.div_ceil(4) as u64
}

/// The usage of the Responses endpoint.
pub(super) fn usage(reply: &Reply, input_tokens: u64) -> Value {
    let output_tokens = reply.tokens();
    json!({
        "input_tokens": input_tokens,
        "input_tokens_details": { "cached_tokens": 0, "cache_write_tokens": 0 },
        "output_tokens": output_tokens,
        "output_tokens_details": { "reasoning_tokens": reply.reasoning_tokens() },
        "total_tokens": input_tokens + output_tokens
    })
}

/// A text in the pieces in which a stream brings it.
pub(super) fn pieces(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        // A piece ends before the next space, or after twelve letters.
        let end = rest
            .char_indices()
            .skip(1)
            .enumerate()
            .find(|(n, (_, c))| *c == ' ' || *n >= 11)
            .map_or(rest.len(), |(_, (at, _))| at);
        let (piece, after) = rest.split_at(end);
        rest = after;
        (!piece.is_empty()).then_some(piece)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_make_up_the_text_again() {
        for text in
            ["", "a", "2:00 PM is free. Shall I book it?", "ééééééééééééééééééééé 📱", "  x "]
        {
            let all: Vec<&str> = pieces(text).collect();
            assert_eq!(all.concat(), text);
            assert!(all.iter().all(|p| p.chars().count() <= 12), "{all:?}");
        }
        assert_eq!(pieces("Shall I book?").collect::<Vec<_>>(), ["Shall", " I", " book?"]);
    }
}
