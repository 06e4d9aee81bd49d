//! Small things about names.

/// The most similar of some names, if any is similar enough to be meant.
pub(super) fn nearest<'a>(
    name: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let distance =
        |c: &str| strsim::osa_distance(&c.to_ascii_lowercase(), &name.to_ascii_lowercase());
    let near = (name.chars().count() / 3).max(1);
    let scored = candidates.into_iter().map(|c| (distance(c), c)).filter(|(d, _)| *d <= near);
    scored.min_by_key(|(d, _)| *d).map(|(_, candidate)| candidate)
}

/// `; did you mean `X`?`, or nothing.
pub(super) fn hint<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> String {
    nearest(name, candidates).map(|n| format!("; did you mean `{n}`?")).unwrap_or_default()
}
