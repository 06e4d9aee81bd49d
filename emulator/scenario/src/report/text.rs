//! Fitting text to a screen.

/// The lines of `text`, broken between words so that none is longer than
/// `width` characters; a longer word stays whole. `None` breaks nothing, which
/// keeps piped output greppable.
pub fn wrap(text: &str, width: Option<usize>) -> Vec<String> {
    let Some(width) = width.map(|w| w.max(20)) else {
        return text.lines().map(str::to_owned).collect();
    };
    let mut lines = Vec::new();
    for line in text.lines() {
        let mut current = String::new();
        let mut length = 0;
        for word in line.split_inclusive(' ') {
            let word_length = word.trim_end().chars().count();
            if length > 0 && length + word_length > width {
                lines.push(current.trim_end().to_owned());
                current.clear();
                length = 0;
            }
            current.push_str(word);
            length += word.chars().count();
        }
        lines.push(current.trim_end().to_owned());
    }
    lines
}

/// At most `width` characters, the last one an ellipsis when something is cut.
pub fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let mut cut: String = text.chars().take(width.saturating_sub(1)).collect();
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
    fn cuts_by_characters() {
        assert_eq!(cut("héllo", 5), "héllo");
        assert_eq!(cut("héllo!", 5), "héll…");
    }

    #[test]
    fn escape_sequences_of_a_customer_do_not_reach_the_terminal() {
        assert_eq!(visible("a\x1b[2Jb\nc"), "a\\u{1b}[2Jb\nc");
    }
}
