//! Words of a sentence as they are compared: plain, lower case, contractions written out.

use super::vocabulary::{WordList, small_number};
use crate::domain::text::fold;

/// A word, a number or a sign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    /// Lower case; digits of a number without separators; one sign.
    pub(super) text: String,
    /// Value of a number, and its decimals if it has two.
    pub(super) number: Option<(u32, Option<u32>)>,
    /// Nothing stands between it and the token before.
    pub(super) joined: bool,
    /// All letters are capitals, and there are at least two.
    pub(super) capitals: bool,
    /// The last letter is stressed, as in the Spanish past tense: "cancelé".
    pub(super) stressed: bool,
}

impl Token {
    pub(super) fn is(&self, word: &str) -> bool {
        self.text == word
    }

    pub(super) fn any<W: WordList + ?Sized>(&self, words: &W) -> bool {
        words.has_word(&self.text)
    }

    /// The value of a number without decimals.
    pub(super) fn whole(&self) -> Option<u32> {
        self.number.filter(|(_, decimals)| decimals.is_none()).map(|(whole, _)| whole)
    }

    pub(super) fn is_sign(&self) -> bool {
        self.text.chars().all(|c| !c.is_alphanumeric())
    }
}

/// The tokens of a text.
pub(super) fn tokens(text: &str) -> Vec<Token> {
    // Said before accents are dropped: "si" is "if", "sí" is "yes".
    let text = text.replace("Sí", "yes").replace("sí", "yes").replace("SÍ", "yes");
    let folded = fold(&text);
    let chars: Vec<char> = folded.iter().map(|folded| folded.c).collect();
    let is_stressed = |at: usize| {
        let (from, end) = folded.get(at).map_or((0, 0), |folded| (folded.start, folded.end));
        let letter = text.get(from..end).unwrap_or_default();
        ["\u{e9}", "\u{ed}", "\u{f3}", "\u{c9}", "\u{d3}"].contains(&letter)
            || text.get(end..).is_some_and(|rest| rest.starts_with('\u{301}'))
    };
    let mut tokens: Vec<Token> = Vec::new();
    let mut at = 0;
    while let Some(c) = chars.get(at).copied() {
        let joined = at > 0 && chars.get(at - 1).is_some_and(|c| !c.is_whitespace());
        if c.is_whitespace() {
            at += 1;
        } else if c.is_ascii_digit() {
            let (token, end) = number(&chars, at, joined);
            tokens.push(token);
            at = end;
        } else if c.is_alphabetic() {
            let (word, end) = word(&chars, at);
            push_word(&mut tokens, &word, joined);
            if let Some(last) = tokens.last_mut() {
                last.stressed = is_stressed(end.saturating_sub(1));
            }
            at = end;
        } else {
            tokens.push(Token {
                text: c.to_string(),
                number: None,
                joined,
                capitals: false,
                stressed: false,
            });
            at += 1;
        }
    }
    tokens
}

fn word(chars: &[char], from: usize) -> (String, usize) {
    let mut end = from;
    while let Some(c) = chars.get(end) {
        let inner = *c == '\'' && chars.get(end + 1).is_some_and(|c| c.is_alphabetic());
        if !c.is_alphabetic() && !inner {
            break;
        }
        end += 1;
    }
    // "p.m." is one word.
    if end == from + 1 && matches!(chars.get(from), Some('a' | 'p' | 'A' | 'P')) {
        let dotted = chars.get(end) == Some(&'.')
            && matches!(chars.get(end + 1), Some('m' | 'M'))
            && chars.get(end + 2).is_none_or(|c| !c.is_alphabetic());
        if dotted {
            let half = if matches!(chars.get(from), Some('a' | 'A')) { "am" } else { "pm" };
            let dot = usize::from(chars.get(end + 2) == Some(&'.') && chars.len() > end + 3);
            return (half.to_owned(), end + 2 + dot);
        }
    }
    (chars.get(from..end).unwrap_or_default().iter().collect(), end)
}

fn number(chars: &[char], from: usize, joined: bool) -> (Token, usize) {
    let digits = |from: usize| {
        chars.iter().skip(from).take_while(|c| c.is_ascii_digit()).collect::<String>()
    };
    let mut text = digits(from);
    let mut end = from + text.len();
    while chars.get(end) == Some(&',') && digits(end + 1).len() == 3 && text.len() <= 6 {
        text.push_str(&digits(end + 1));
        end += 4;
    }
    let mut decimals = None;
    if chars.get(end) == Some(&'.') && digits(end + 1).len() == 2 {
        decimals = digits(end + 1).parse().ok();
        end += 3;
    }
    let whole = text.parse().unwrap_or(u32::MAX);
    (Token { text, number: Some((whole, decimals)), joined, capitals: false, stressed: false }, end)
}

/// Adds a word, or the words of a contraction.
fn push_word(tokens: &mut Vec<Token>, word: &str, joined: bool) {
    let capitals = word.chars().count() > 1 && word.chars().all(char::is_uppercase);
    let word = word.to_lowercase();
    let mut push = |text: &str| {
        tokens.push(Token {
            text: text.to_owned(),
            number: None,
            joined,
            capitals,
            stressed: false,
        });
    };
    if let Some((_, words)) = CONTRACTIONS.iter().find(|(short, _)| *short == word) {
        words.iter().for_each(|word| push(word));
    } else if let Some((head, tail)) = word.split_once('\'') {
        match tail {
            "ll" => [head, "will"].iter().for_each(|word| push(word)),
            "re" => [head, "are"].iter().for_each(|word| push(word)),
            "ve" => [head, "have"].iter().for_each(|word| push(word)),
            "d" => [head, "would"].iter().for_each(|word| push(word)),
            "m" => [head, "am"].iter().for_each(|word| push(word)),
            "s" => [head, "is"].iter().for_each(|word| push(word)),
            "t" => [head.trim_end_matches('n'), "not"].iter().for_each(|word| push(word)),
            _ => push(&word.replace('\'', "")),
        }
    } else {
        push(&word);
    }
}

/// Contractions that are irregular or that people write without the apostrophe.
const CONTRACTIONS: [(&str, &[&str]); 42] = [
    ("can't", &["can", "not"]),
    ("cant", &["can", "not"]),
    ("cannot", &["can", "not"]),
    ("won't", &["will", "not"]),
    ("wont", &["will", "not"]),
    ("dont", &["do", "not"]),
    ("isnt", &["is", "not"]),
    ("arent", &["are", "not"]),
    ("havent", &["have", "not"]),
    ("hasnt", &["has", "not"]),
    ("didnt", &["did", "not"]),
    ("doesnt", &["does", "not"]),
    ("wasnt", &["was", "not"]),
    ("couldnt", &["could", "not"]),
    ("ain't", &["is", "not"]),
    ("youre", &["you", "are"]),
    ("ur", &["you", "are"]),
    ("u", &["you"]),
    ("im", &["i", "am"]),
    ("ive", &["i", "have"]),
    ("weve", &["we", "have"]),
    ("thats", &["that", "is"]),
    ("theres", &["there", "is"]),
    ("its", &["it", "is"]),
    ("hes", &["he", "is"]),
    ("youll", &["you", "will"]),
    ("hell", &["he", "will"]),
    ("lets", &["let", "us"]),
    ("let's", &["let", "us"]),
    ("gonna", &["going", "to"]),
    ("wanna", &["want", "to"]),
    ("o'clock", &["oclock"]),
    ("tmrw", &["tomorrow"]),
    ("tmr", &["tomorrow"]),
    ("tomorow", &["tomorrow"]),
    ("y'all", &["you"]),
    ("canceled", &["cancelled"]),
    ("canceling", &["cancelling"]),
    ("percents", &["percent"]),
    ("appt", &["appointment"]),
    ("appts", &["appointments"]),
    ("midday", &["noon"]),
];

/// The number that begins at `at`, in digits or in words, and how many tokens it takes.
pub(super) fn number_at(tokens: &[Token], at: usize) -> Option<(u32, usize)> {
    let first = tokens.get(at)?;
    if let Some(whole) = first.whole() {
        return Some((whole, 1));
    }
    let mut total = match first.text.as_str() {
        "hundred" | "cien" | "ciento" => 100,
        // "a hundred"
        "a" if tokens.get(at + 1).is_some_and(|next| next.is("hundred")) => 0,
        word => small_number(word)?,
    };
    let mut used = 1;
    while let Some(next) = tokens.get(at + used) {
        if next.is("hundred") && total < 10 {
            total = total.max(1) * 100;
            used += 1;
            continue;
        }
        let skip = usize::from(
            next.is("-") || (next.is("and") && total >= 100) || (next.is("y") && total >= 20),
        );
        let Some(part) = tokens.get(at + used + skip).and_then(|word| small_number(&word.text))
        else {
            break;
        };
        let fits = (total >= 20 && total % 10 == 0 && total < 100 && part < 10 && part > 0)
            || (total >= 100 && total % 100 == 0 && part < 100);
        if !fits {
            break;
        }
        total += part;
        used += skip + 1;
    }
    Some((total, used))
}
