//! Splits a long text into several messages.

/// Longest message that Twilio accepts, in UTF-16 units.
pub const MAX_MESSAGE_UNITS: usize = 1600;
/// Most messages in one answer; Twilio accepts ten.
const MAX_MESSAGES: usize = 9;
/// Space for `(1/9) `, in UTF-16 units.
const NUMBER_UNITS: usize = 6;

/// The messages that carry a text: the text itself when it fits, otherwise numbered parts that end
/// at sentences where possible. A blank text gives none. What does not fit into the most messages
/// is cut off.
pub fn split_into_messages(text: &str) -> Vec<String> {
    let text = text.trim();
    if text.is_empty() {
        return Vec::new();
    }
    if utf16_units(text) <= MAX_MESSAGE_UNITS {
        return vec![text.to_owned()];
    }
    let mut parts = Vec::new();
    let mut rest = text;
    while !rest.is_empty() && parts.len() < MAX_MESSAGES {
        let (part, after) = split_once(rest, MAX_MESSAGE_UNITS - NUMBER_UNITS);
        parts.push(part.trim_end());
        rest = after.trim_start();
    }
    let count = parts.len();
    parts.iter().enumerate().map(|(at, part)| format!("({}/{count}) {part}", at + 1)).collect()
}

/// Splits off the longest beginning of at most `max` units that ends at a line, sentence or word.
fn split_once(text: &str, max: usize) -> (&str, &str) {
    let hard = max_prefix_len(text, max);
    if hard == text.len() {
        return (text, "");
    }
    let head = text.get(..hard).unwrap_or(text);
    // Ending at a sentence is preferred to filling the message, if that makes it at least half
    // full.
    let half = hard / 2;
    let after = |end: Option<usize>| end.filter(|end| *end > half);
    let line = head.rfind('\n').map(|at| at + 1);
    let sentence =
        [". ", "! ", "? "].iter().filter_map(|end| head.rfind(end)).max().map(|at| at + 2);
    let word = head.rfind(' ').map(|at| at + 1);
    let end = after(line).or(after(sentence)).or(after(word)).unwrap_or(hard);
    text.split_at_checked(end).unwrap_or((text, ""))
}

/// Length in bytes of the longest beginning of at most `max` units.
fn max_prefix_len(text: &str, max: usize) -> usize {
    let mut units = 0;
    for (at, c) in text.char_indices() {
        units += c.len_utf16();
        if units > max {
            return at;
        }
    }
    text.len()
}

fn utf16_units(text: &str) -> usize {
    text.encode_utf16().count()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_text_that_fits_is_one_message() {
        assert_eq!(split_into_messages(" Hello. "), ["Hello."]);
        assert_eq!(split_into_messages(&"x".repeat(1600)).len(), 1);
        assert!(split_into_messages(" \n ").is_empty());
    }

    #[test]
    fn parts_end_at_sentences_and_are_numbered() {
        let parts = split_into_messages(&"This is a sentence of the answer. ".repeat(60));
        assert_eq!(parts.len(), 2);
        assert!(parts[0].starts_with("(1/2) This is") && parts[0].ends_with("answer."));
        assert!(parts[1].starts_with("(2/2) This is") && parts[1].ends_with("answer."));
    }

    #[test]
    fn emoji_are_never_cut_in_half() {
        for part in split_into_messages(&"👍".repeat(1000)) {
            assert!(utf16_units(&part) <= MAX_MESSAGE_UNITS);
            assert!(part.ends_with('👍'));
        }
    }

    proptest! {
        #[test]
        fn parts_fit_and_lose_no_word(text in "([a-zé👍]{1,30}[ .\n!]{1,2}){0,300}") {
            let parts = split_into_messages(&text);
            prop_assert!(parts.iter().all(|part| utf16_units(part) <= MAX_MESSAGE_UNITS));
            let numbered = parts.len() > 1;
            let words: Vec<_> = parts
                .iter()
                .flat_map(|part| part.split_whitespace().skip(usize::from(numbered)))
                .collect();
            prop_assert_eq!(words, text.split_whitespace().collect::<Vec<_>>());
        }
    }
}
