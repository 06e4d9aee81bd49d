//! Links, addresses and telephone numbers: only those of the owner's texts.

use super::{facts::Facts, vocabulary::small_number, words::Token};
use crate::domain::text::folded_lowercase;

/// Endings of names of the web.
const ENDINGS: &[&str] = &[
    "com", "net", "org", "io", "co", "us", "info", "biz", "shop", "site", "me", "gl", "ly", "app",
    "link", "click", "xyz", "online", "store", "dev", "example", "test", "edu", "gov", "uk", "de",
    "es", "mx", "ru", "cn", "tk", "top", "club", "live", "page", "web", "tv", "cc", "ai", "gg",
    "repair", "pay", "money", "cash",
];
const STREETS: &[&str] = &[
    "st",
    "street",
    "ave",
    "avenue",
    "rd",
    "road",
    "blvd",
    "boulevard",
    "dr",
    "drive",
    "ln",
    "lane",
    "hwy",
    "highway",
    "pkwy",
    "parkway",
    "ct",
    "court",
    "suite",
    "plaza",
    "calle",
    "avenida",
    "square",
    "circle",
];

/// Whether every link, e-mail address, telephone number and street address of the sentence stands
/// in the owner's texts or in the customer's.
pub(super) fn is_known(sentence: &str, facts: &Facts) -> bool {
    let sentence = folded_lowercase(sentence);
    let spoken = sentence
        .replace(" dot com", ".com")
        .replace(" dot net", ".net")
        .replace("(dot)", ".")
        .replace("[.]", ".")
        .replace("[at]", "@");
    let known = |part: &str| facts.owner.text.contains(part) || facts.customer.text.contains(part);
    let links = spoken
        .split_whitespace()
        .map(trimmed)
        .filter(|word| is_link(word))
        .all(|link| facts.owner.text.contains(link));
    links
        && phones(&in_digits(&sentence)).iter().all(|digits| {
            let of = |text: &str| {
                text.chars()
                    .filter(char::is_ascii_digit)
                    .collect::<String>()
                    .contains(digits.strip_prefix('1').unwrap_or(digits))
            };
            of(&facts.owner.text) || of(&facts.customer.text)
        })
        && addresses(&sentence).iter().all(|address| known(address))
}

fn trimmed(word: &str) -> &str {
    word.trim_matches(|c: char| {
        matches!(c, '.' | ',' | '!' | '?' | ';' | ':' | '(' | ')' | '"' | '\'' | '<' | '>')
    })
}

fn is_link(word: &str) -> bool {
    if word.contains("://") || word.starts_with("www.") {
        return true;
    }
    // Names at payment services and networks: "@brandon-fixes", "$brandonfixes".
    let mut chars = word.chars();
    if chars.next().is_some_and(|c| matches!(c, '@' | '$')) && chars.clone().count() > 2 {
        return chars.next().is_some_and(char::is_alphabetic);
    }
    if word.split_once('@').is_some_and(|(name, host)| !name.is_empty() && host.contains('.')) {
        return true;
    }
    let host = word.split(['/', '?', ':']).next().unwrap_or_default();
    let mut labels = host.rsplit('.');
    let ending = labels.next().unwrap_or_default();
    let names: Vec<&str> = labels.collect();
    !names.is_empty()
        && names.iter().all(|name| !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '-'))
        && (ENDINGS.contains(&ending) || (word.contains('/') && ending.chars().all(char::is_alphabetic)))
        // "9.co" is nothing, "a.m" is a time.
        && names.iter().any(|name| {
            (name.len() > 1 || word.contains('/')) && name.chars().any(char::is_alphabetic)
        })
}

/// Runs of 7 to 13 digits with the signs of telephone numbers between them.
fn phones(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut run = String::new();
    let mut written = String::new();
    let mut last = ' ';
    for c in text.chars().chain(std::iter::once('\n')) {
        let sign = matches!(c, ' ' | '-' | '.' | '(' | ')' | '+');
        if c.is_ascii_digit() {
            run.push(c);
            written.push(c);
        } else if sign && !run.is_empty() && !written.ends_with("  ") {
            written.push(c);
        } else if !sign {
            let groups =
                written.split(|c: char| !c.is_ascii_digit()).filter(|g| g.len() >= 3).count();
            let date = written.trim_start().get(4..5) == Some("-") && run.starts_with("20");
            // "20260210-1a2b3c" is a reference.
            let goes_on = c.is_alphabetic() && last.is_ascii_digit();
            if (7..=13).contains(&run.len()) && groups > 0 && !date && !goes_on {
                found.push(run.clone());
            }
            run.clear();
            written.clear();
        }
        last = c;
    }
    found
}

/// A text with the digits that it spells out: "nine oh four".
fn in_digits(text: &str) -> String {
    let digit = |word: &str| match trimmed(word) {
        "oh" | "o" => Some(0),
        word => small_number(word).filter(|value| *value < 10),
    };
    let spelled = text.split_whitespace().filter(|word| digit(word).is_some()).count();
    if spelled < 7 {
        return text.to_owned();
    }
    let words = text.split_whitespace().map(|word| match digit(word) {
        Some(digit) => digit.to_string(),
        None => format!(" {word} "),
    });
    words.collect()
}

/// The words of every street address in the tokens, from its number to its street.
pub(super) fn address_runs(tokens: &[Token]) -> Vec<Vec<String>> {
    let run = |at: usize| {
        tokens.get(at)?.whole()?;
        let behind = tokens.get(at + 1..)?.iter().take(5);
        let street = behind.take_while(|t| !t.is_sign()).position(|t| t.any(STREETS))?;
        let words = tokens.get(at..at + street + 2)?;
        Some(words.iter().map(|t| t.text.clone()).collect())
    };
    (0..tokens.len()).filter_map(run).collect()
}

/// `123 main st`, `calle 8 1200`.
fn addresses(text: &str) -> Vec<String> {
    let words: Vec<&str> = text.split_whitespace().map(trimmed).collect();
    let mut found = Vec::new();
    for (at, word) in words.iter().enumerate() {
        let number =
            !word.is_empty() && word.len() <= 5 && word.chars().all(|c| c.is_ascii_digit());
        if !number {
            continue;
        }
        let name = |n: usize| words.get(at + n).copied().unwrap_or_default();
        // Spanish names the street first: "calle 8 numero 1200".
        let spanish = (1..=4).any(|n| {
            at.checked_sub(n)
                .and_then(|at| words.get(at))
                .is_some_and(|w| ["calle", "avenida"].contains(w))
        });
        if spanish {
            found.push(format!(
                "{} {word}",
                words.get(at.saturating_sub(1)).copied().unwrap_or_default()
            ));
            continue;
        }
        for street in 2..=3 {
            if STREETS.contains(&name(street))
                && name(1).chars().all(|c| c.is_alphanumeric())
                && !name(1).is_empty()
            {
                found.push(format!("{word} {}", name(1)));
                break;
            }
        }
    }
    found
}
