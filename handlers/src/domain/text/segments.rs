//! Counts the segments that a message is billed as.

/// What one segment holds, and what each of several holds, whose headers take room: septets of GSM-7.
const GSM7: (usize, usize) = (160, 153);
/// The same in UTF-16 units of UCS-2.
const UCS2: (usize, usize) = (70, 67);

/// How many segments a message is billed as. An empty one is not sent and has none.
///
/// One character outside of GSM-7 makes the whole message UCS-2. A character is never split between
/// two segments; Twilio keeps emoji of several characters together too, which may take one more.
pub fn count_segments(message: &str) -> usize {
    if message.is_empty() {
        return 0;
    }
    match message.chars().map(septets).collect::<Option<Vec<_>>>() {
        Some(sizes) => count(&sizes, GSM7),
        None => count(&message.chars().map(char::len_utf16).collect::<Vec<_>>(), UCS2),
    }
}

/// Segments of characters of these sizes.
fn count(sizes: &[usize], (alone, part): (usize, usize)) -> usize {
    if sizes.iter().sum::<usize>() <= alone {
        return 1;
    }
    let (mut segments, mut used) = (1_usize, 0_usize);
    for &size in sizes {
        if used + size > part {
            segments += 1;
            used = 0;
        }
        used += size;
    }
    segments
}

/// Septets of a character in GSM-7; `None` when it is not in that alphabet.
fn septets(c: char) -> Option<usize> {
    /// The basic characters that are not in ASCII.
    const BASIC: &str = "£¥èéùìòÇØøÅåΔΦΓΛΩΠΨΣΘΞÆæßÉ¤¡ÄÖÑÜ§¿äöñüà";
    /// Those that need an escape before them.
    const EXTENDED: &str = "\u{c}^{}\\[~]|€";
    if EXTENDED.contains(c) {
        return Some(2);
    }
    let is_basic = matches!(c, '\n' | '\r' | ' '..='_' | 'a'..='z') || BASIC.contains(c);
    is_basic.then_some(1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn messages_at_the_boundaries_of_segments() {
        for (message, segments) in [
            (String::new(), 0),
            ("a".repeat(160), 1),
            ("a".repeat(161), 2),
            ("a".repeat(306), 2),
            ("a".repeat(307), 3),
            ("€".repeat(80), 1),
            // 76 of them in each segment: the septet that is left over holds none.
            ("€".repeat(152), 2),
            ("€".repeat(153), 3),
            ("ж".repeat(70), 1),
            ("ж".repeat(71), 2),
            ("ж".repeat(135), 3),
            ("\u{1f600}".repeat(35), 1),
            ("\u{1f600}".repeat(66), 2),
            ("\u{1f600}".repeat(67), 3),
            // One character makes the others wide.
            (format!("{}\u{2019}", "a".repeat(70)), 2),
            (format!("{}`", "a".repeat(70)), 2),
            (format!("{}@$_é\r\n", "a".repeat(154)), 1),
        ] {
            assert_eq!(count_segments(&message), segments, "{message}");
        }
    }

    proptest! {
        #[test]
        fn letters_fill_every_septet(length in 161_usize..2000) {
            prop_assert_eq!(count_segments(&"x".repeat(length)), length.div_ceil(153));
        }

        #[test]
        fn more_text_never_takes_fewer(text in "[a-z€{}ж\u{1f600}]{0,400}", more in "[a-z€ж]") {
            let longer = text.clone() + &more;
            prop_assert!(count_segments(&longer) >= count_segments(&text));
        }
    }
}
