//! How many segments a text is billed as: Twilio's published calculator.
//!
//! A segment is 1120 bits, 48 of them a header once there are several. A GSM-7
//! extension character or what a reader sees as one character is never split.

use serde::Serialize;
use unicode_segmentation::UnicodeSegmentation;

use super::NumberKind;

/// The alphabet of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Encoding {
    /// Seven bits a character.
    #[serde(rename = "GSM-7")]
    Gsm7,
    /// Sixteen bits a unit: one character outside GSM-7 is enough.
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
    /// Segments billed; an empty text is one.
    pub count: u32,
    /// How it is encoded.
    pub encoding: Encoding,
    /// Septets or UTF-16 units in all.
    pub units: usize,
}

impl Segments {
    /// Measures `text`, sent from a number of this kind.
    pub fn of(text: &str, kind: NumberKind) -> Self {
        let encoding = if text.chars().all(|c| septets(c).is_some()) {
            Encoding::Gsm7
        } else {
            Encoding::Ucs2
        };
        // Toll-free carriers put a longer header on the parts of a long text.
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
                    // No segment holds it whole.
                    grapheme.chars().for_each(|c| parts.add(c.len_utf16()));
                }
            }),
        }
        Self { count: parts.count, encoding, units }
    }
}

/// Segments as they fill.
struct Parts {
    part: usize,
    count: u32,
    used: usize,
}

impl Parts {
    fn add(&mut self, size: usize) {
        if self.used + size > self.part {
            self.count += 1;
            self.used = 0;
        }
        self.used += size;
    }
}

/// Septets of a character in GSM 03.38; `None` when it is not in it.
fn septets(c: char) -> Option<usize> {
    match c {
        '\u{c}' | '^' | '{' | '}' | '\\' | '[' | '~' | ']' | '|' | '€' => Some(2),
        // ASCII lacks only the backtick, tab and other controls.
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
    fn boundaries() {
        for (text, count, encoding) in [
            (String::new(), 1, "GSM-7"),
            ("a".repeat(160), 1, "GSM-7"),
            ("a".repeat(161), 2, "GSM-7"),
            ("a".repeat(306), 2, "GSM-7"),
            ("a".repeat(307), 3, "GSM-7"),
            ("a".repeat(1600), 11, "GSM-7"),
            ("€".repeat(80), 1, "GSM-7"),
            ("€".repeat(81), 2, "GSM-7"),
            // 76 pairs and a left-over septet in each segment: an extension is not split.
            ("€".repeat(152), 2, "GSM-7"),
            ("€".repeat(153), 3, "GSM-7"),
            ("ж".repeat(70), 1, "UCS-2"),
            ("ж".repeat(71), 2, "UCS-2"),
            ("ж".repeat(134), 2, "UCS-2"),
            ("ж".repeat(135), 3, "UCS-2"),
            ("😀".repeat(35), 1, "UCS-2"),
            // 33 of two units and a left-over unit in each segment.
            ("😀".repeat(66), 2, "UCS-2"),
            ("😀".repeat(67), 3, "UCS-2"),
            // A family of eleven units: six in each segment of 67.
            ("👨‍👩‍👧‍👦".repeat(12), 2, "UCS-2"),
            ("👨‍👩‍👧‍👦".repeat(13), 3, "UCS-2"),
        ] {
            assert_eq!(local(&text), (count, encoding), "{text}");
        }
    }

    #[test]
    fn characters_that_turn_a_text_into_ucs2() {
        for c in ["`", "\t", "\u{a0}", "ç", "’", "“", "—", "…", "😀", "á"] {
            assert_eq!(local(c).1, "UCS-2", "{c}");
        }
        for c in ["Ç", "@", "$", "_", "é", "\\", "\u{c}", "\r\n", "Ω", "'"] {
            assert_eq!(local(c).1, "GSM-7", "{c}");
        }
    }

    #[test]
    fn toll_free_parts_are_smaller() {
        let toll_free = |text: String| Segments::of(&text, NumberKind::TollFree).count;
        assert_eq!((toll_free("a".repeat(160)), toll_free("a".repeat(304))), (1, 2));
        assert_eq!(toll_free("a".repeat(305)), 3);
        assert_eq!((toll_free("ж".repeat(132)), toll_free("ж".repeat(133))), (2, 3));
    }

    #[test]
    fn a_character_longer_than_a_segment_ends() {
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
        fn longer_texts_never_cost_less(text in "[a-z€{}ж😀]{0,400}", more in "[a-z€ж😀]") {
            let longer = format!("{text}{more}");
            let before = Segments::of(&text, NumberKind::Local);
            let after = Segments::of(&longer, NumberKind::Local);
            prop_assert!(after.count >= before.count);
        }

        #[test]
        fn plain_letters_fill_every_septet(n in 161_usize..2000) {
            prop_assert_eq!(local(&"x".repeat(n)).0 as usize, n.div_ceil(153));
        }
    }
}
