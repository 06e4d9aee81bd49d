//! Fitting text to a terminal.

use textwrap::{Options, WordSeparator, WordSplitter, WrapAlgorithm};
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// The columns that a text takes on a terminal: one for most characters, two for emoji and other
/// wide characters, none for combining ones.
pub fn width(text: &str) -> usize {
    text.width()
}

/// The lines of `text`, broken between words so that none is wider than `width` columns; a wider
/// word stays whole. `None` breaks nothing, which keeps piped output greppable.
pub fn wrap(text: &str, width: Option<usize>) -> Vec<String> {
    let Some(width) = width.map(|w| w.max(20)) else {
        return text.lines().map(str::to_owned).collect();
    };
    let options = Options::new(width)
        .break_words(false)
        .word_separator(WordSeparator::AsciiSpace)
        .word_splitter(WordSplitter::NoHyphenation)
        .wrap_algorithm(WrapAlgorithm::FirstFit);
    text.lines().flat_map(|line| textwrap::wrap(line, &options)).map(String::from).collect()
}

/// At most `width` columns of `text`; ends with an ellipsis if something is cut. Never splits
/// what a reader sees as one character.
pub fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut cut = String::new();
    let mut room = width.saturating_sub(1);
    for character in text.graphemes(true) {
        let Some(left) = room.checked_sub(character.width()) else { break };
        room = left;
        cut.push_str(character);
    }
    cut.push('…');
    cut
}

/// `1 scenario`, `2 scenarios`.
pub fn count(n: usize, one: &str) -> String {
    let s = if n == 1 { "" } else { "s" };
    format!("{n} {one}{s}")
}

/// Control characters as visible escapes, so that a text from outside can
/// neither move the cursor nor forge lines. Line breaks and tabs stay.
pub fn visible(text: &str) -> String {
    let harmless = |c: char| !c.is_control() || c == '\n' || c == '\t';
    if text.chars().all(harmless) {
        return text.to_owned();
    }
    text.chars()
        .flat_map(|c| {
            let escape = (!harmless(c)).then(|| c.escape_default());
            let keep = harmless(c).then_some(c);
            keep.into_iter().chain(escape.into_iter().flatten())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wraps_between_words_only() {
        let long = "a word that is followed by averyveryverylongwordindeed and more";
        assert_eq!(
            wrap(long, Some(20)),
            ["a word that is", "followed by", "averyveryverylongwordindeed", "and more"]
        );
        assert_eq!(wrap(long, None), [long]);
        assert_eq!(wrap("one\n\ntwo", Some(40)), ["one", "", "two"]);
    }

    #[test]
    fn text_is_cut_by_columns_and_between_whole_characters() {
        assert_eq!(cut("héllo", 5), "héllo");
        assert_eq!(cut("héllo!", 5), "héll…");
        assert_eq!(cut("🔧🔧🔧", 6), "🔧🔧🔧");
        assert_eq!(cut("🔧🔧🔧", 5), "🔧🔧…");
        assert_eq!(cut("👩‍🔧 fixes it", 4), "👩‍🔧 …");
    }

    #[test]
    fn emoji_count_two_columns_when_a_line_is_broken() {
        let wrapped = wrap("🔧🔧🔧🔧🔧 🔧🔧🔧🔧🔧 now", Some(20));
        assert_eq!(wrapped, ["🔧🔧🔧🔧🔧", "🔧🔧🔧🔧🔧 now"]);
        assert!(wrapped.iter().all(|line| width(line) <= 20));
    }

    #[test]
    fn escape_sequences_of_a_customer_do_not_reach_the_terminal() {
        assert_eq!(visible("a\x1b[2Jb\nc"), "a\\u{1b}[2Jb\nc");
    }
}
