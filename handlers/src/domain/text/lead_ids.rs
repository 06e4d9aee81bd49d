//! Finds and removes lead ids in a text. Customers know them as references of bookings.

use std::{collections::BTreeSet, ops::Range};

use super::fold::fold;

const PREFIX: &str = "LEAD-";
/// Parts after the prefix: date, time, suffix.
const ID_PARTS: usize = 3;
/// Most parts that are read as one id. Nobody has such an id, but a customer could not tell.
const MAX_PARTS: usize = 12;

/// Every lead id in a text, in upper case. Includes ids of a form that no lead has, because a
/// customer could not tell the difference.
pub fn find_lead_ids(text: &str) -> BTreeSet<String> {
    spans(text).into_iter().map(|(_, id)| id).collect()
}

/// Removes the lead ids that are not in `own` (as [`find_lead_ids`] returns them). The words around
/// them stay, even if they make no sense alone.
pub fn remove_foreign_lead_ids(text: &str, own: &BTreeSet<String>) -> String {
    replace_foreign_lead_ids(text, own, "")
}

/// Puts `other` in the place of the lead ids that are not in `own` (as [`find_lead_ids`] returns
/// them). `other` must not contain an id.
pub fn replace_foreign_lead_ids(text: &str, own: &BTreeSet<String>, other: &str) -> String {
    let mut text = text.to_owned();
    // Each pass removes a part of the text. What is left may join to another id.
    loop {
        let replaced = replace_once(&text, own, other);
        if replaced.len() >= text.len() {
            return replaced;
        }
        text = replaced;
    }
}

fn replace_once(text: &str, own: &BTreeSet<String>, other: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut from = 0;
    for (span, id) in spans(text) {
        if own.contains(&id) {
            continue;
        }
        let before = text.get(from..span.start).unwrap_or_default();
        let after_space = before.ends_with(' ') || (before.is_empty() && kept.ends_with(' '));
        kept.push_str(before);
        kept.push_str(other);
        from = span.end;
        // Avoids two spaces where the id was.
        let twice = after_space && other.is_empty();
        if twice && text.get(from..).is_some_and(|rest| rest.starts_with(' ')) {
            from += 1;
        }
    }
    kept.push_str(text.get(from..).unwrap_or_default());
    kept
}

/// The byte ranges of lead ids and the ids in their usual form, however they are written: with
/// other hyphens, with spaces, with letters that look alike, without the prefix.
fn spans(text: &str) -> Vec<(Range<usize>, String)> {
    let folded = fold(text);
    let chars: Vec<char> = folded.iter().map(|f| f.c.to_ascii_uppercase()).collect();
    let mut spans = Vec::new();
    let mut at = 0;
    while at < chars.len() {
        let Some((end, id)) = prefixed(&chars, at).or_else(|| bare(&chars, at)) else {
            at += 1;
            continue;
        };
        if let (Some(first), Some(last)) = (folded.get(at), folded.get(end.saturating_sub(1))) {
            spans.push((first.start..last.end, id));
        }
        at = end.max(at + 1);
    }
    spans
}

/// An id that begins with the prefix at `at`: where it ends, and its usual form.
fn prefixed(chars: &[char], at: usize) -> Option<(usize, String)> {
    let mut end = prefix_end(chars, at)?;
    let mut id = PREFIX.to_owned();
    let separator = run(chars, end, is_separator);
    let after = chars.get(end + separator.len()).copied();
    let hyphen = separator.contains(&'-');
    let spaced = !separator.is_empty() && after.is_some_and(|c| c.is_ascii_digit());
    if hyphen {
        end += separator.iter().position(|c| *c == '-').unwrap_or_default() + 1;
    } else if !spaced || run(chars, end + separator.len(), is_digit).len() < 3 {
        return None;
    }
    for part in 0..MAX_PARTS {
        let gap = run(chars, end, is_separator);
        let word = run(chars, end + gap.len(), |c| c.is_ascii_alphanumeric());
        let joined = gap.is_empty() || gap.iter().all(|c| *c == '-');
        // Words after a space belong to the id only if they look like a part of it.
        let fits = joined
            || (part < ID_PARTS && word.iter().any(char::is_ascii_digit) && word.len() >= 3)
            || (part == 2
                && matches!(word.len(), 3 | 6)
                && word.iter().all(char::is_ascii_hexdigit));
        if word.is_empty() || !fits {
            break;
        }
        if part > 0 {
            id.push('-');
        }
        id.extend(word);
        end += gap.len() + word.len();
    }
    Some((end, id))
}

/// An id without its prefix, `20260210-201000-1a2b3c`.
fn bare(chars: &[char], at: usize) -> Option<(usize, String)> {
    let before = at.checked_sub(1).and_then(|at| chars.get(at));
    if before.is_some_and(char::is_ascii_alphanumeric) {
        return None;
    }
    let mut id = PREFIX.to_owned();
    let mut end = at;
    for (part, allowed) in [&[8][..], &[6], &[3, 6]].into_iter().enumerate() {
        if part > 0 {
            let gap = run(chars, end, is_separator);
            if gap.is_empty() {
                return None;
            }
            end += gap.len();
            id.push('-');
        }
        let word = run(chars, end, |c| c.is_ascii_alphanumeric());
        let digits = part == 2 || word.iter().all(char::is_ascii_digit);
        if !allowed.contains(&word.len()) || !digits || !word.iter().all(char::is_ascii_hexdigit) {
            return None;
        }
        id.extend(word);
        end += word.len();
    }
    Some((end, id))
}

/// Where the letters of the prefix end, which may be spaced out.
fn prefix_end(chars: &[char], at: usize) -> Option<usize> {
    let letters = ['L', 'E', 'A', 'D'];
    if chars.get(at..at + letters.len()) == Some(letters.as_slice()) {
        return Some(at + letters.len());
    }
    let spaced: Vec<char> = letters.iter().flat_map(|c| [*c, ' ']).take(7).collect();
    (chars.get(at..at + spaced.len()) == Some(spaced.as_slice())).then_some(at + spaced.len())
}

fn run(chars: &[char], from: usize, belongs: impl Fn(char) -> bool) -> &[char] {
    let rest = chars.get(from..).unwrap_or_default();
    let len = rest.iter().position(|c| !belongs(*c)).unwrap_or(rest.len());
    rest.get(..len).unwrap_or_default()
}

fn is_separator(c: char) -> bool {
    matches!(c, '-' | ' ' | '_' | '#' | '.' | '/' | ':')
}

fn is_digit(c: char) -> bool {
    c.is_ascii_digit()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MINE: &str = "LEAD-20260210-201000-1a2b3c";

    #[test]
    fn own_references_stay_and_others_go() {
        let own = find_lead_ids(MINE);
        let text = format!("Ref {MINE}. Theirs: LEAD-20260210-201000-ffffff!");
        assert_eq!(remove_foreign_lead_ids(&text, &own), format!("Ref {MINE}. Theirs: !"));
    }

    #[test]
    fn invented_and_disguised_references_go_too() {
        let none = BTreeSet::new();
        assert_eq!(remove_foreign_lead_ids("Booked: lead-12345 for you", &none), "Booked: for you");
        assert_eq!(remove_foreign_lead_ids("LEAD-OTHER", &none), "");
        assert_eq!(remove_foreign_lead_ids("LEAD-LEAD-1 x", &none), " x");
        assert_eq!(remove_foreign_lead_ids("a leading shop", &none), "a leading shop");
    }

    #[test]
    fn respelled_references_are_found() {
        for said in [
            "LEAD\u{2011}20260210\u{2011}201000\u{2011}1a2b3c",
            "LEAD \u{2013} 20260210 \u{2013} 201000 \u{2013} 1a2b3c",
            "LEAD 20260210 201000 1a2b3c",
            "lead_20260210_201000_1a2b3c",
            "LE\u{200b}AD-20260210-201000-1a2b3c",
            "ＬＥＡＤ－２０２６０２１０－２０１０００－１a２b３c",
            "L\u{415}\u{410}D-20260210-201000-1a2b3c",
            "L E A D - 20260210 - 201000 - 1a2b3c",
            "20260210-201000-1a2b3c",
            "Ref: 20260210 201000 1a2b3c",
        ] {
            assert_eq!(find_lead_ids(said), find_lead_ids(MINE), "{said}");
            let left = remove_foreign_lead_ids(said, &BTreeSet::new());
            assert!(!left.contains("1a2b3c"), "{said}: {left}");
        }
        for said in
            ["a lead 2 people follow", "leads to 2", "Take the lead. 3 PM", "2026-02-11 14:00"]
        {
            assert_eq!(find_lead_ids(said), BTreeSet::new(), "{said}");
        }
    }

    proptest! {
        #[test]
        fn nothing_foreign_is_left(text in "(LEAD-|[a-zA-Z0-9 é.-]){0,20}") {
            let left = remove_foreign_lead_ids(&text, &BTreeSet::new());
            prop_assert_eq!(find_lead_ids(&left), BTreeSet::new(), "{:?}", left);
        }
    }
}
