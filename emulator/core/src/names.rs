//! Suggestions in errors about unknown names.

/// The candidate that is most similar to `name`, if one is similar enough to be a misspelling.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let distance =
        |c: &str| strsim::osa_distance(&c.to_ascii_lowercase(), &name.to_ascii_lowercase());
    let near = (name.chars().count() / 3).max(1);
    let scored = candidates.into_iter().map(|c| (distance(c), c)).filter(|(d, _)| *d <= near);
    scored.min_by_key(|(d, _)| *d).map(|(_, candidate)| candidate)
}

/// ``; did you mean `X`?`` to append to an error, or an empty text when no candidate is similar.
pub fn hint<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> String {
    nearest(name, candidates).map(|n| format!("; did you mean `{n}`?")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelled_name_is_found_and_another_word_is_not() {
        let names = ["Leads", "OptOuts", "Schedule"];
        for (wrong, meant) in [("Leeds", "Leads"), ("optout", "OptOuts"), ("Shcedule", "Schedule")]
        {
            assert_eq!(nearest(wrong, names), Some(meant));
        }
        assert_eq!(hint("Customers", names), "");
        assert_eq!(hint("Lead", names), "; did you mean `Leads`?");
    }
}
