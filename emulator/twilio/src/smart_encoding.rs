//! Smart Encoding: typographic characters become similar ones of the GSM-7 alphabet.
//!
//! Source: <https://www.twilio.com/docs/messaging/services/smart-encoding-char-list>. Of the table's rarer
//! entries only those are here that texts of people and models have.

/// The text with each character that Twilio replaces replaced. Others stay, so it may still need UCS-2.
pub(crate) fn smart(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match replacement(c) {
            Some(like) => out.push_str(like),
            None => out.push(c),
        }
    }
    out
}

fn replacement(c: char) -> Option<&'static str> {
    Some(match c {
        '«' | '»' | '“' | '”' | 'ʺ' | 'ˮ' | '‟' | '❝' | '❞' | '〝' | '〞' | '＂' => {
            "\""
        }
        '‘' | '’' | 'ʻ' | 'ˈ' | 'ʼ' | 'ʽ' | 'ʹ' | '‛' | '＇' | '´' | 'ˊ' | '`' | 'ˋ' | '❛'
        | '❜' | '\u{313}' | '\u{314}' | '︐' => "'",
        '÷' | '⁄' | '∕' | '／' => "/",
        '¼' => "1/4",
        '½' => "1/2",
        '¾' => "3/4",
        '⧵' | '＼' | '\u{fe68}' => "\\",
        '＿' | '\u{332}' => "_",
        '\u{20d2}' | '\u{20d3}' | '∣' | '｜' | '⎸' | '⎹' | '⏐' | '⎜' | '⎟' => "|",
        '⎼' | '⎽' | '―' | '﹣' | '－' | '‐' | '⁃' | '–' | '—' | '‑' | '‒' => {
            "-"
        }
        '﹫' | '＠' => "@",
        '﹩' | '＄' => "$",
        'ǃ' | '！' => "!",
        '﹟' | '＃' => "#",
        '﹪' | '％' => "%",
        '﹠' | '＆' => "&",
        '‚' | '،' | '、' | '﹐' | '﹑' | '，' | '､' | '\u{326}' => ",",
        '❨' | '❪' | '﹙' | '（' | '⟮' | '⦅' => "(",
        '❩' | '❫' | '﹚' | '）' | '⟯' | '⦆' => ")",
        '⁎' | '∗' | '⊛' | '✢' | '✣' | '✤' | '✥' | '＊' => "*",
        '˖' | '﹢' | '＋' => "+",
        '。' | '﹒' | '．' | '｡' => ".",
        '０'..='９' => DIGITS.get(c as usize - '０' as usize)?,
        'ː' | '˸' | '⦂' | '꞉' | '：' => ":",
        '⁏' | '；' | '﹔' => ";",
        '﹤' | '＜' | '‹' => "<",
        '\u{347}' | '꞊' | '﹦' | '＝' => "=",
        '﹥' | '＞' | '›' => ">",
        '﹖' | '？' => "?",
        '…' => "...",
        '\u{a0}'
        | '\u{1680}'
        | '\u{2000}'..='\u{200a}'
        | '\u{2028}'
        | '\u{2029}'
        | '\u{202f}'
        | '\u{205f}'
        | '\u{3000}'
        | '\t' => " ",
        // Characters without width.
        '\u{200b}' | '\u{200c}' | '\u{2060}' | '\u{feff}' => "",
        '‼' => "!!",
        'ˆ' | '⌃' | '＾' | '\u{302}' => "^",
        '❴' | '﹛' | '｛' => "{",
        '❵' | '﹜' | '｝' => "}",
        '［' => "[",
        '］' => "]",
        '˜' | '˷' | '∼' | '～' | '\u{303}' | '\u{330}' | '\u{334}' => "~",
        _ => return None,
    })
}

const DIGITS: [&str; 10] = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Encoding, NumberKind, Segments};

    #[test]
    fn what_people_and_models_type_becomes_gsm7() {
        let text = "“Don’t” – it’s 10\u{a0}½… `ok`\u{200b}";
        assert_eq!(smart(text), "\"Don't\" - it's 10 1/2... 'ok'");
        assert_eq!(Segments::of(&smart(text), NumberKind::Local).encoding, Encoding::Gsm7);
    }

    #[test]
    fn other_characters_stay() {
        for text in ["Grüße", "😀", "日本", "Ça va\r\n", "a^b"] {
            assert_eq!(smart(text), text);
        }
        assert_eq!(smart("“😀”"), "\"😀\"");
    }

    #[test]
    fn nothing_is_replaced_by_what_is_not_gsm7() {
        for c in '\0'..='\u{ffff}' {
            if let Some(like) = replacement(c) {
                assert_eq!(Segments::of(like, NumberKind::Local).encoding, Encoding::Gsm7, "{c:?}");
            }
        }
    }
}
