//! Reads a text as a person sees it: characters that look or mean the same become one.

/// A character as it is read, and the bytes of the text that it stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FoldedChar {
    /// The plain character; letters keep their case.
    pub(crate) c: char,
    /// First byte in the original text.
    pub(crate) start: usize,
    /// Byte after the last.
    pub(crate) end: usize,
}

/// The text in plain characters with their places. Invisible characters are left out.
pub(crate) fn fold(text: &str) -> Vec<FoldedChar> {
    text.char_indices()
        .filter_map(|(start, c)| {
            fold_char(c).map(|plain| FoldedChar { c: plain, start, end: start + c.len_utf8() })
        })
        .collect()
}

/// The text in plain lower-case characters.
pub(crate) fn folded_lowercase(text: &str) -> String {
    fold(text).into_iter().map(|folded| folded.c.to_ascii_lowercase()).collect()
}

/// The plain character of the same look or meaning; `None` for an invisible one.
fn fold_char(c: char) -> Option<char> {
    let code = u32::from(c);
    let plain = match c {
        '\u{20}'..='\u{7e}' | '\n' => c,
        // Zero width characters, direction marks, soft hyphen, joiners, accents on their own,
        // variation selectors and tags.
        '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{ad}'
        | '\u{34f}'
        | '\u{180e}'
        | '\u{feff}'
        | '\u{300}'..='\u{36f}'
        | '\u{fe00}'..='\u{fe0f}'
        | '\u{e0000}'..='\u{e007f}' => return None,
        '\u{2010}'..='\u{2015}'
        | '\u{2212}'
        | '\u{2043}'
        | '\u{fe58}'
        | '\u{fe63}'
        | '\u{2e3a}'
        | '\u{2e3b}'
        | '\u{30fc}'
        | '\u{207b}'
        | '\u{58a}'
        | '\u{1806}' => '-',
        '\u{2018}'..='\u{201b}' | '\u{2032}' | '\u{2bc}' | '\u{b4}' => '\'',
        '\u{201c}'..='\u{201f}' | '\u{2033}' | '\u{ab}' | '\u{bb}' => '"',
        '\u{fe69}' => '$',
        '\u{fe6a}' | '\u{66a}' => '%',
        '\u{3002}' | '\u{2024}' => '.',
        '\u{2026}' => '.',
        // Full width forms repeat ASCII.
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(code - 0xff01 + 0x21).unwrap_or(c),
        // Mathematical letters: alphabets of 52, then digits of 10.
        '\u{1d400}'..='\u{1d6a3}' => letter((code - 0x1d400) % 52),
        '\u{1d7ce}'..='\u{1d7ff}' => digit((code - 0x1d7ce) % 10),
        '\u{24b6}'..='\u{24e9}' => letter(code - 0x24b6),
        '\u{660}'..='\u{669}' => digit(code - 0x660),
        '\u{6f0}'..='\u{6f9}' => digit(code - 0x6f0),
        '\u{1f130}'..='\u{1f149}' => letter(code - 0x1f130),
        c if c.is_whitespace() => ' ',
        c => look_alike(c),
    };
    Some(plain)
}

/// Letters in the order A to Z, a to z.
fn letter(n: u32) -> char {
    char::from_u32(if n < 26 { 0x41 + n } else { 0x61 + n - 26 }).unwrap_or('?')
}

fn digit(n: u32) -> char {
    char::from_u32(0x30 + n).unwrap_or('0')
}

/// Letters without their accents, and Cyrillic and Greek letters that look like Latin ones.
fn look_alike(c: char) -> char {
    match c {
        'á' | 'à' | 'â' | 'ä' | 'ã' | 'å' | 'ā' | 'а' | 'α' => 'a',
        'Á' | 'À' | 'Â' | 'Ä' | 'Ã' | 'Å' | 'Ā' | 'А' | 'Α' => 'A',
        'é' | 'è' | 'ê' | 'ë' | 'ē' | 'е' | 'ё' => 'e',
        'É' | 'È' | 'Ê' | 'Ë' | 'Ē' | 'Е' | 'Ё' | 'Ε' => 'E',
        'í' | 'ì' | 'î' | 'ï' | 'і' | 'ı' => 'i',
        'Í' | 'Ì' | 'Î' | 'Ï' | 'І' | 'Ι' => 'I',
        'ó' | 'ò' | 'ô' | 'ö' | 'õ' | 'ø' | 'о' | 'ο' => 'o',
        'Ó' | 'Ò' | 'Ô' | 'Ö' | 'Õ' | 'Ø' | 'О' | 'Ο' => 'O',
        'ú' | 'ù' | 'û' | 'ü' => 'u',
        'Ú' | 'Ù' | 'Û' | 'Ü' => 'U',
        'ñ' => 'n',
        'Ñ' => 'N',
        'ç' | 'с' | 'ϲ' => 'c',
        'Ç' | 'С' => 'C',
        'р' | 'ρ' => 'p',
        'Р' | 'Ρ' => 'P',
        'х' | 'χ' => 'x',
        'Х' | 'Χ' => 'X',
        'у' | 'ý' | 'ÿ' => 'y',
        'У' | 'Ý' | 'Υ' => 'Y',
        'ѕ' => 's',
        'Ѕ' => 'S',
        'ԁ' => 'd',
        'Ꭰ' => 'D',
        'ꓡ' | 'Ꮮ' => 'L',
        'ⅼ' => 'l',
        'ⅾ' => 'd',
        'К' | 'Κ' => 'K',
        'М' | 'Μ' => 'M',
        'Н' | 'Η' => 'H',
        'Т' | 'Τ' => 'T',
        'В' | 'Β' => 'B',
        'Ν' => 'N',
        'Ζ' => 'Z',
        c => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_alike_is_read_alike() {
        for said in [
            "LEAD-12",
            "LEAD\u{2011}12",
            "ＬＥＡＤ－１２",
            "LE\u{200b}AD-1\u{ad}2",
            "LЕАD\u{2212}12",
            "𝐋𝐄𝐀𝐃-𝟏𝟐",
        ] {
            assert_eq!(folded_lowercase(said), "lead-12", "{said}");
        }
        assert_eq!(folded_lowercase("Mañana, está"), "manana, esta");
    }
}
