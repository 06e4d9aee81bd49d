//! Which differences a report shows for a value and its parts.

use super::Mismatch;

/// The differences that a report shows: the single mismatches if at least one of them has a path
/// into the value, else one difference of the whole, if there is one. A missing side of the whole is
/// shown as `nothing`.
pub fn differences(
    expected: Option<String>,
    actual: Option<String>,
    mismatches: Vec<Mismatch>,
) -> Vec<Mismatch> {
    if mismatches.iter().any(|mismatch| !mismatch.path.is_empty())
        || (expected.is_none() && actual.is_none())
    {
        return mismatches;
    }
    vec![Mismatch {
        path: String::new(),
        expected: expected.unwrap_or_else(|| "nothing".into()),
        actual: actual.unwrap_or_else(|| "nothing".into()),
    }]
}
