//! How many segments a text is billed as, by the rules of Twilio's published calculator.
//!
//! A segment has 1120 bits. When there are several, 48 of these are a header. A GSM-7 extension
//! character and a grapheme cluster are never split.

use serde::Serialize;
use unicode_segmentation::UnicodeSegmentation;

use super::NumberKind;

/// The encoding of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Encoding {
    /// Seven bits per character, for texts in the GSM 03.38 alphabet.
    #[serde(rename = "GSM-7")]
    Gsm7,
    /// UTF-16, for texts with at least one character outside of that alphabet.
    #[serde(rename = "UCS-2")]
    Ucs2,
}

impl Encoding {
    /// `GSM-7` or `UCS-2`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Gsm7 => "GSM-7",
            Self::Ucs2 => "UCS-2",
        }
    }
}

/// The size of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segments {
    /// How many segments; an empty text has one.
    pub count: u32,
    /// The encoding that the text needs.
    pub encoding: Encoding,
    /// The length in septets or UTF-16 units.
    pub units: usize,
}

impl Segments {
    /// Measures a text that is sent from or to a number of this kind.
    pub fn of(text: &str, kind: NumberKind) -> Self {
        let encoding = if text.chars().all(|c| septets(c).is_some()) {
            Encoding::Gsm7
        } else {
            Encoding::Ucs2
        };
        // Toll-free carriers use a longer header.
        let (one, part) = match (encoding, kind) {
            (Encoding::Gsm7, NumberKind::Local) => (160, 153),
            (Encoding::Gsm7, NumberKind::TollFree) => (160, 152),
            (Encoding::Ucs2, NumberKind::Local) => (70, 67),
            (Encoding::Ucs2, NumberKind::TollFree) => (70, 66),
        };
        let units: usize = match encoding {
            Encoding::Gsm7 => text.chars().filter_map(septets).sum(),
            Encoding::Ucs2 => text.encode_utf16().count(),
        };
        if units <= one {
            return Self { count: 1, encoding, units };
        }
        let mut parts = Parts { part, count: 1, used: 0 };
        match encoding {
            Encoding::Gsm7 => text.chars().filter_map(septets).for_each(|size| parts.add(size)),
            Encoding::Ucs2 => text.graphemes(true).for_each(|grapheme| {
                let size = grapheme.encode_utf16().count();
                if size <= part && grapheme != "\r\n" {
                    parts.add(size);
                } else {
                    // It does not fit into one segment.
                    grapheme.chars().for_each(|c| parts.add(c.len_utf16()));
                }
            }),
        }
        Self { count: parts.count, encoding, units }
    }
}

/// Counts the segments of a long text.
struct Parts {
    /// Units that fit into one segment.
    part: usize,
    count: u32,
    /// Units in the last segment.
    used: usize,
}

impl Parts {
    /// Adds a part of the text that is not split.
    fn add(&mut self, size: usize) {
        if self.used + size > self.part {
            self.count += 1;
            self.used = 0;
        }
        self.used += size;
    }
}

/// How many septets a character takes in GSM 03.38; `None` when it is not in that alphabet.
fn septets(c: char) -> Option<usize> {
    match c {
        '\u{c}' | '^' | '{' | '}' | '\\' | '[' | '~' | ']' | '|' | '€' => Some(2),
        // The rest of ASCII: the backtick, tab and other control characters are not in it.
        '\n' | '\r' | ' '..='_' | 'a'..='z' => Some(1),
        '£' | '¥' | 'è' | 'é' | 'ù' | 'ì' | 'ò' | 'Ç' | 'Ø' | 'ø' | 'Å' | 'å' | 'Δ' | 'Φ' | 'Γ'
        | 'Λ' | 'Ω' | 'Π' | 'Ψ' | 'Σ' | 'Θ' | 'Ξ' | 'Æ' | 'æ' | 'ß' | 'É' | '¤' | '¡' | 'Ä'
        | 'Ö' | 'Ñ' | 'Ü' | '§' | '¿' | 'ä' | 'ö' | 'ñ' | 'ü' | 'à' => Some(1),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn local(text: &str) -> (u32, &'static str) {
        let segments = Segments::of(text, NumberKind::Local);
        (segments.count, segments.encoding.as_str())
    }

    #[test]
    fn texts_at_the_boundaries_of_segments() {
        for (text, count, encoding) in [
            (String::new(), 1, "GSM-7"),
            ("a".repeat(160), 1, "GSM-7"),
            ("a".repeat(161), 2, "GSM-7"),
            ("a".repeat(306), 2, "GSM-7"),
            ("a".repeat(307), 3, "GSM-7"),
            ("a".repeat(1600), 11, "GSM-7"),
            ("€".repeat(80), 1, "GSM-7"),
            ("€".repeat(81), 2, "GSM-7"),
            // 76 characters of two septets per segment: the septet that is left over holds none.
            ("€".repeat(152), 2, "GSM-7"),
            ("€".repeat(153), 3, "GSM-7"),
            ("ж".repeat(70), 1, "UCS-2"),
            ("ж".repeat(71), 2, "UCS-2"),
            ("ж".repeat(134), 2, "UCS-2"),
            ("ж".repeat(135), 3, "UCS-2"),
            ("😀".repeat(35), 1, "UCS-2"),
            // 33 characters of two units per segment: the unit that is left over holds none.
            ("😀".repeat(66), 2, "UCS-2"),
            ("😀".repeat(67), 3, "UCS-2"),
            // A grapheme cluster of eleven units: six of them per segment of 67 units.
            ("👨‍👩‍👧‍👦".repeat(12), 2, "UCS-2"),
            ("👨‍👩‍👧‍👦".repeat(13), 3, "UCS-2"),
        ] {
            assert_eq!(local(&text), (count, encoding), "{text}");
        }
    }

    #[test]
    fn one_character_outside_gsm7_makes_a_text_ucs2() {
        for c in ["`", "\t", "\u{a0}", "ç", "’", "“", "—", "…", "😀", "á"] {
            assert_eq!(local(c).1, "UCS-2", "{c}");
        }
        for c in ["Ç", "@", "$", "_", "é", "\\", "\u{c}", "\r\n", "Ω", "'"] {
            assert_eq!(local(c).1, "GSM-7", "{c}");
        }
    }

    #[test]
    fn segments_from_toll_free_numbers_are_smaller() {
        let toll_free = |text: String| Segments::of(&text, NumberKind::TollFree).count;
        assert_eq!((toll_free("a".repeat(160)), toll_free("a".repeat(304))), (1, 2));
        assert_eq!(toll_free("a".repeat(305)), 3);
        assert_eq!((toll_free("ж".repeat(132)), toll_free("ж".repeat(133))), (2, 3));
    }

    #[test]
    fn a_grapheme_cluster_longer_than_a_segment_is_split() {
        let zalgo = format!("e{}", "\u{301}".repeat(200));
        assert_eq!(local(&zalgo), (3, "UCS-2"));
    }

    proptest! {
        #[test]
        fn never_fewer_than_the_bits_need_and_never_more_than_one_loss_a_segment(text in "\\PC{0,600}") {
            let seen = Segments::of(&text, NumberKind::Local);
            let (one, part) = if seen.encoding == Encoding::Gsm7 { (160, 153) } else { (70, 67) };
            if seen.units <= one {
                prop_assert_eq!(seen.count, 1);
            } else {
                prop_assert!(seen.count as usize * part >= seen.units);
                let longest = text.graphemes(true).map(|g| g.encode_utf16().count()).max().unwrap_or(0).max(2);
                let least = part.saturating_sub(longest.min(part) - 1).max(1);
                prop_assert!((seen.count as usize - 1) * least <= seen.units);
            }
        }

        #[test]
        fn a_longer_text_never_has_fewer_segments(text in "[a-z€{}ж😀]{0,400}", more in "[a-z€ж😀]") {
            let longer = format!("{text}{more}");
            let before = Segments::of(&text, NumberKind::Local);
            let after = Segments::of(&longer, NumberKind::Local);
            prop_assert!(after.count >= before.count);
        }

        #[test]
        fn letters_fill_every_septet_of_a_segment(n in 161_usize..2000) {
            prop_assert_eq!(local(&"x".repeat(n)).0 as usize, n.div_ceil(153));
        }
    }
}
