//! Replaces characters that make a text more expensive without adding meaning.

/// Replaces typographic characters by GSM-7 characters of the same meaning.
///
/// One curly quote shrinks a segment from 160 to 70 characters. Characters that carry meaning
/// (emoji, other scripts) stay.
pub fn to_gsm7(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\u{2018}'..='\u{201b}' | '\u{2032}' | '\u{2039}' | '\u{203a}' | '`' | '\u{b4}' => {
                plain.push('\'');
            }
            '\u{201c}' | '\u{201d}' | '\u{201e}' | '\u{201f}' | '\u{2033}' | '\u{ab}'
            | '\u{bb}' => plain.push('"'),
            // Hyphens, dashes, the minus sign, bullets.
            '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{2022}' | '\u{b7}' => plain.push('-'),
            '\u{2026}' => plain.push_str("..."),
            '\u{d7}' => plain.push('x'),
            '\u{2028}' | '\u{2029}' => plain.push('\n'),
            '\t' | '\u{a0}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}' => {
                plain.push(' ');
            }
            // Invisible: zero width space, direction marks, soft hyphen, byte order mark, word
            // joiner. Not the zero width joiner, which emoji need.
            '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{ad}' | '\u{feff}' | '\u{2060}' => {}
            '\n' => plain.push('\n'),
            c if c.is_control() => {}
            c => plain.push(c),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn typography_becomes_plain() {
        assert_eq!(
            to_gsm7("\u{201c}It\u{2019}s $79\u{201d} \u{2013} today\u{2026}\u{a0}ok\r\n"),
            "\"It's $79\" - today... ok\n"
        );
    }

    #[test]
    fn what_says_something_stays() {
        let text = "See you 👩‍🔧 à bientôt ça 修理";
        assert_eq!(to_gsm7(text), text);
    }

    proptest! {
        #[test]
        fn doing_it_twice_changes_nothing(text in any::<String>()) {
            let once = to_gsm7(&text);
            prop_assert_eq!(to_gsm7(&once), once);
        }
    }
}
