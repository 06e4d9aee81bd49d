//! A reply of the model, before an endpoint turns it into its own response object.

use super::{ids::Ids, script::IncompleteReason};

/// A reply of the model.
#[derive(Debug, Clone)]
pub(super) struct Reply {
    pub ids: Ids,
    /// A reasoning item comes first.
    pub reasoning: bool,
    /// The reasoning item carries its encrypted content.
    pub encrypted: bool,
    pub parts: Vec<Part>,
    pub incomplete: Option<IncompleteReason>,
}

/// One part of a reply.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Part {
    Text(String),
    Refusal(String),
    /// The arguments as a text, which need not be JSON.
    Call {
        name: String,
        arguments: String,
    },
}

impl Reply {
    /// A text alone.
    pub fn text(ids: Ids, text: String) -> Self {
        Self::of(ids, vec![Part::Text(text)])
    }

    /// Parts without reasoning.
    pub fn of(ids: Ids, parts: Vec<Part>) -> Self {
        Self { ids, reasoning: false, encrypted: false, parts, incomplete: None }
    }

    /// Output tokens, about as many as the provider would count.
    pub fn tokens(&self) -> u64 {
        let bytes: usize = self
            .parts
            .iter()
            .map(|part| match part {
                Part::Text(text) | Part::Refusal(text) => text.len(),
                Part::Call { name, arguments } => name.len() + arguments.len() + 16,
            })
            .sum();
        tokens(bytes) + self.reasoning_tokens()
    }

    /// The part of them that reasoning used.
    pub fn reasoning_tokens(&self) -> u64 {
        if self.reasoning { 64 } else { 0 }
    }
}

/// An estimate of the tokens of a text of this many bytes: four bytes are a token.
pub(super) fn tokens(bytes: usize) -> u64 {
    bytes.div_ceil(4) as u64
}

/// Splits a text into the pieces that a stream sends.
pub(super) fn pieces(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        // A piece ends before the next space, or after twelve characters.
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
