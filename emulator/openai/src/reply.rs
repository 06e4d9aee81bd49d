//! A reply of the model, before an endpoint turns it into its own response object.

use super::{error::ApiError, ids::Ids, script::IncompleteReason};

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
    /// The error with which the response fails after a part of it.
    pub failed: Option<Failed>,
}

/// How a response fails after it began.
#[derive(Debug, Clone)]
pub(super) struct Failed {
    pub error: ApiError,
    /// The code of the failed response.
    pub code: String,
    /// Whether a stream of the Responses endpoint says the error in an event of its own first.
    pub event: bool,
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
        Self { ids, reasoning: false, encrypted: false, parts, incomplete: None, failed: None }
    }

    /// The reply as far as the model gets: up to one of the texts at which it stops, and within a limit
    /// of output tokens, at which it is incomplete. Reasoning does not count, since nobody knows how much
    /// of it there would be.
    pub fn within(mut self, limit: Option<u64>, stop: &[&str]) -> Self {
        for part in &mut self.parts {
            if let Part::Text(text) = part
                && let Some(at) =
                    stop.iter().filter(|s| !s.is_empty()).filter_map(|s| text.find(s)).min()
            {
                text.truncate(at);
            }
        }
        let said: usize = self.parts.iter().map(Part::bytes).sum();
        let Some(limit) = limit.filter(|limit| tokens(said) > *limit) else { return self };
        let mut bytes = usize::try_from(limit).unwrap_or(usize::MAX).saturating_mul(TOKEN_BYTES);
        let mut parts = Vec::new();
        for mut part in std::mem::take(&mut self.parts) {
            if bytes == 0 {
                break;
            }
            let cost = part.bytes();
            if cost > bytes {
                part.shorten(cost - bytes);
            }
            bytes = bytes.saturating_sub(cost);
            parts.push(part);
        }
        self.parts = parts;
        self.incomplete = Some(IncompleteReason::MaxOutputTokens);
        self
    }

    /// Output tokens, about as many as the provider would count.
    pub fn tokens(&self) -> u64 {
        let bytes: usize = self.parts.iter().map(Part::bytes).sum();
        tokens(bytes) + self.reasoning_tokens()
    }

    /// The part of them that reasoning used, about.
    pub fn reasoning_tokens(&self) -> u64 {
        if self.reasoning { 64 } else { 0 }
    }
}

impl Part {
    /// What it counts for as output, in bytes.
    fn bytes(&self) -> usize {
        match self {
            Self::Text(text) | Self::Refusal(text) => text.len(),
            Self::Call { name, arguments } => name.len() + arguments.len() + 16,
        }
    }

    /// Removes at least this many bytes from its end, as far as it has them.
    fn shorten(&mut self, bytes: usize) {
        let (Self::Text(text) | Self::Refusal(text) | Self::Call { arguments: text, .. }) = self;
        let mut end = text.len().saturating_sub(bytes);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
    }
}

/// An estimate of the tokens of a text of this many bytes: four bytes are a token.
pub(super) fn tokens(bytes: usize) -> u64 {
    bytes.div_ceil(TOKEN_BYTES) as u64
}

/// How many bytes of text are about a token.
const TOKEN_BYTES: usize = 4;

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
    fn a_reply_ends_at_a_stop_text_and_at_the_limit() {
        let ids = Ids::of(&[]);
        let say = |text: &str| Reply::text(ids, text.into());
        let text = |reply: &Reply| match &reply.parts[..] {
            [Part::Text(text)] => text.clone(),
            other => format!("{other:?}"),
        };
        let stopped = say("1, 2, 3, 4").within(None, &["4", ", 3", ""]);
        assert_eq!((text(&stopped).as_str(), stopped.incomplete), ("1, 2", None));
        let whole = say("12345678").within(Some(2), &[]);
        assert_eq!((text(&whole).as_str(), whole.incomplete), ("12345678", None));
        let cut = say("ééééé").within(Some(2), &[]);
        assert_eq!((text(&cut).as_str(), cut.tokens()), ("éééé", 2));
        assert_eq!(cut.incomplete, Some(IncompleteReason::MaxOutputTokens));
        let reasoned = Reply { reasoning: true, ..say("Hello") }.within(Some(16), &[]);
        assert_eq!((text(&reasoned).as_str(), reasoned.incomplete), ("Hello", None));
        let call = Part::Call { name: "f".into(), arguments: r#"{"date":"2026-02-11"}"#.into() };
        let broken = Reply::of(ids, vec![call]).within(Some(8), &[]);
        let [Part::Call { arguments, .. }] = &broken.parts[..] else { panic!("{broken:?}") };
        assert_eq!(arguments, r#"{"date":"2026-0"#);
    }

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
