//! Scripts: which user text they answer, and the rounds with which they do.
//!
//! Each file holds one part of a script together with how it is read from YAML. Short forms are
//! accepted, and every error points at its line.

mod call;
mod cut;
mod delay;
mod expectation;
mod failure;
mod one_or_many;
mod pace;
mod round;

pub use call::{Call, RawCall};
pub use cut::CutPoint;
pub use expectation::RequestExpectation;
pub use failure::{IncompleteReason, RoundFailure};
pub use pace::StreamPace;
pub use round::Round;

use rehearse_core::matcher::Vars;

/// The model's part in one turn: the rounds that follow one text of a user.
#[derive(Debug, Clone)]
pub struct Script {
    /// The name in reports and in the journal, such as `step 3`. Ids of responses derive from it.
    pub name: String,
    /// The person whose text it answers. A request with a `safety_identifier` that is known to
    /// belong to this person is answered by this script. `None` selects by the text alone.
    pub person: Option<String>,
    /// The user's text that it answers.
    pub trigger: Trigger,
    /// The rounds, in order.
    pub rounds: Vec<Round>,
    /// Names that the rounds' templates use and that `save` sets.
    pub vars: Vars,
}

impl Script {
    /// Whether another script answers the same text with the same rounds. The name and the person
    /// may differ.
    pub(crate) fn is_equivalent(&self, other: &Self) -> bool {
        self.trigger == other.trigger && self.rounds == other.rounds
    }
}

/// Which text of the user a script answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trigger {
    /// The last text of the user equals `text` or contains it. Equality takes precedence over
    /// containment. White space at both ends does not count.
    Text {
        /// The text. An empty one with pictures stands for any text, because backends describe
        /// pictures in words of their own.
        text: String,
        /// How many pictures came with the text.
        media: usize,
    },
    /// Any text; a script with a text that matches takes precedence.
    AnyText,
}

/// How well a script's trigger matches the user's last text, the worst first.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Clone, Copy)]
pub(crate) enum TextMatch {
    None,
    AnyText,
    Contained,
    Equal,
}

impl Trigger {
    /// The text to match; empty for any text.
    pub(crate) fn text(&self) -> &str {
        match self {
            Self::Text { text, .. } => text,
            Self::AnyText => "",
        }
    }

    /// How well it matches the user's last text.
    pub(crate) fn compare(&self, actual: &str) -> TextMatch {
        let Self::Text { text, media } = self else { return TextMatch::AnyText };
        let (text, actual) = (text.trim(), actual.trim());
        if text == actual {
            TextMatch::Equal
        } else if (text.is_empty() && *media > 0) || (!text.is_empty() && actual.contains(text)) {
            TextMatch::Contained
        } else {
            TextMatch::None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equality_beats_containment_and_any_text_comes_last() {
        let trigger = |text: &str, media| Trigger::Text { text: text.into(), media };
        assert_eq!(trigger("Hi", 0).compare(" Hi\n"), TextMatch::Equal);
        assert_eq!(trigger("Hi", 0).compare("Hi there"), TextMatch::Contained);
        assert_eq!(trigger("Hi", 0).compare("Bye"), TextMatch::None);
        assert_eq!(trigger("", 0).compare("Bye"), TextMatch::None);
        assert_eq!(trigger("", 1).compare("[1 picture]"), TextMatch::Contained);
        assert_eq!(Trigger::AnyText.compare("Bye"), TextMatch::AnyText);
        assert!(TextMatch::AnyText < TextMatch::Contained);
    }
}
