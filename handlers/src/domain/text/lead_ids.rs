//! Finds and removes lead ids in a text. Customers know them as references of bookings.

use std::{collections::BTreeSet, ops::Range};

const PREFIX: &str = "LEAD-";

/// Every lead id in a text, in upper case. Includes ids of a form that no lead has, because a
/// customer could not tell the difference.
pub fn find_lead_ids(text: &str) -> BTreeSet<String> {
    spans(text).filter_map(|span| text.get(span)).map(str::to_ascii_uppercase).collect()
}

/// Removes the lead ids that are not in `own` (as [`find_lead_ids`] returns them). The words around
/// them stay, even if they make no sense alone.
pub fn remove_foreign_lead_ids(text: &str, own: &BTreeSet<String>) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut from = 0;
    for span in spans(text) {
        let is_own =
            text.get(span.clone()).is_some_and(|id| own.contains(&id.to_ascii_uppercase()));
        if is_own {
            continue;
        }
        let before = text.get(from..span.start).unwrap_or_default();
        let after_space = before.ends_with(' ') || (before.is_empty() && kept.ends_with(' '));
        kept.push_str(before);
        from = span.end;
        // Avoids two spaces where the id was.
        if after_space && text.get(from..).is_some_and(|rest| rest.starts_with(' ')) {
            from += 1;
        }
    }
    kept.push_str(text.get(from..).unwrap_or_default());
    kept
}

/// The byte ranges of lead ids.
fn spans(text: &str) -> impl Iterator<Item = Range<usize>> {
    // Converting to ASCII upper case keeps byte positions.
    let upper = text.to_ascii_uppercase();
    let mut from = 0;
    std::iter::from_fn(move || {
        let start = from + upper.get(from..)?.find(PREFIX)?;
        let id = upper.get(start..)?;
        let len = id.find(|c: char| !c.is_ascii_alphanumeric() && c != '-').unwrap_or(id.len());
        // A hyphen at the end is punctuation.
        let len = id.get(..len)?.trim_end_matches('-').len().max(PREFIX.len());
        from = start + len;
        Some(start..from)
    })
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

    proptest! {
        #[test]
        fn nothing_foreign_is_left(text in "(LEAD-|[a-zA-Z0-9 é.-]){0,20}") {
            let left = remove_foreign_lead_ids(&text, &BTreeSet::new());
            prop_assert_eq!(find_lead_ids(&left), BTreeSet::new(), "{:?}", left);
        }
    }
}
