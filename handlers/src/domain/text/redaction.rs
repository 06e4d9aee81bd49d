//! Removes statements about other customers' bookings, so that the rest of the text still reads
//! well.

use std::collections::BTreeSet;

use super::{
    lead_ids::{find_lead_ids, remove_foreign_lead_ids},
    sentences::sentences,
};

/// Removes sentences, or clauses at their ends, that contain a lead id which is not in `own` (as
/// [`find_lead_ids`] returns them). May leave nothing.
pub fn remove_foreign_lead_clauses(text: &str, own: &BTreeSet<String>) -> String {
    let is_foreign = |part: &str| !find_lead_ids(part).is_subset(own);
    if !is_foreign(text) {
        return text.to_owned();
    }
    let sentences = sentences(text);
    let mut kept: Vec<String> = Vec::with_capacity(sentences.len());
    let mut dangling_introduction = None;
    for sentence in sentences {
        if !is_foreign(sentence) {
            // "These are yours:" still introduces a list whose first entry is gone.
            let is_listed =
                sentence.starts_with(['-', '*']) || sentence.starts_with(char::is_numeric);
            if let Some(at) = dangling_introduction.take().filter(|_| !is_listed) {
                kept.truncate(at);
            }
            kept.push(sentence.to_owned());
            continue;
        }
        if kept.last().is_some_and(|last| last.trim_end().ends_with(':')) {
            dangling_introduction = Some(kept.len() - 1);
        }
        kept.extend(without_clauses(sentence, is_foreign));
    }
    if let Some(at) = dangling_introduction {
        kept.truncate(at);
    }
    let mut left = kept.concat().trim_end().to_owned();
    // Joining the rest must not create new foreign ids.
    while is_foreign(&left) {
        left = remove_foreign_lead_ids(&left, own);
    }
    left
}

/// A sentence without its foreign clauses; `None` when it begins with one.
fn without_clauses(sentence: &str, is_foreign: impl Fn(&str) -> bool) -> Option<String> {
    let words = sentence.trim_end();
    let space = sentence.get(words.len()..).unwrap_or_default();
    let stop = words.chars().last().filter(|c| matches!(c, '.' | '!' | '?'));
    let words = words.trim_end_matches(['.', '!', '?']);
    let clauses = clauses(words);
    if clauses.first().is_none_or(|first| is_foreign(first)) {
        return None;
    }
    let kept: String = clauses.into_iter().filter(|clause| !is_foreign(clause)).collect();
    let stop = stop.map(String::from).unwrap_or_default();
    Some(format!("{}{stop}{space}", kept.trim_end()))
}

/// Splits a sentence into clauses, each with the separator before it.
fn clauses(words: &str) -> Vec<&str> {
    const BEFORE: [&str; 6] = [", ", "; ", " - ", " \u{2013} ", " \u{2014} ", " ("];
    const BEHIND: &str = ")";
    let mut clauses = Vec::new();
    let mut rest = words;
    while !rest.is_empty() {
        // Skips the separator at the beginning of the clause.
        let first = rest.chars().next().map_or(0, char::len_utf8);
        let tail = rest.get(first..).unwrap_or_default();
        let before = BEFORE.iter().filter_map(|separator| tail.find(separator)).min();
        let behind = tail.find(BEHIND).map(|at| at + BEHIND.len());
        let end = [before, behind].into_iter().flatten().min().map_or(rest.len(), |at| first + at);
        let (clause, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
        clauses.push(clause);
        rest = after;
    }
    clauses
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MINE: &str = "LEAD-20260210-201000-1a2b3c";

    fn left(text: &str) -> String {
        let text = text.replace("MINE", MINE).replace("THEIRS", "LEAD-20260210-201000-ffffff");
        remove_foreign_lead_clauses(&text, &find_lead_ids(MINE)).replace(MINE, "MINE")
    }

    #[test]
    fn what_is_left_reads_well() {
        for (said, expected) in [
            ("You're all set. Your reference is THEIRS.", "You're all set."),
            ("You're all set! Ref. THEIRS. See you.", "You're all set! See you."),
            ("All set, your reference is THEIRS. See you!", "All set. See you!"),
            ("All set (Ref THEIRS). See you!", "All set. See you!"),
            ("Hi Ann, your reference is THEIRS, see you at two.", "Hi Ann, see you at two."),
            ("All set - THEIRS", "All set"),
            ("Yours is MINE, THEIRS is not.", "Yours is MINE."),
            ("Booked!\nRef: THEIRS\nSee you!", "Booked!\nSee you!"),
            ("Your reference:\nTHEIRS\nSee you!", "See you!"),
            ("Your reference:\nTHEIRS", ""),
            ("You have:\n- THEIRS at two\n- MINE at three", "You have:\n- MINE at three"),
            ("You have:\n1. THEIRS\n2. MINE", "You have:\n2. MINE"),
            ("THEIRS is cancelled.", ""),
            ("Your booking is MINE. It costs $79.", "Your booking is MINE. It costs $79."),
        ] {
            assert_eq!(left(said), expected, "{said}");
        }
    }

    proptest! {
        #[test]
        fn nothing_foreign_is_left(text in "(LEAD-|LEAD|[a-zA-Z0-9 é.,;:()!\n-]){0,24}") {
            let left = remove_foreign_lead_clauses(&text, &BTreeSet::new());
            prop_assert_eq!(find_lead_ids(&left), BTreeSet::new(), "{:?}", left);
        }

        #[test]
        fn without_references_nothing_changes(text in "[a-zA-Z0-9 é.,;:()!\n-]{0,60}") {
            prop_assume!(find_lead_ids(&text).is_empty());
            prop_assert_eq!(remove_foreign_lead_clauses(&text, &BTreeSet::new()), text);
        }

        #[test]
        fn any_text_is_read(text in any::<String>()) {
            let text = format!("{text} LEAD-1 {text}");
            let left = remove_foreign_lead_clauses(&text, &BTreeSet::new());
            prop_assert!(!left.contains("LEAD-1"));
        }
    }
}
