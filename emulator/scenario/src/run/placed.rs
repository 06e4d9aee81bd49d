//! A problem and where it stands in what was expected.

use crate::{outcome::Problem, places::YamlPath};

/// A problem, and its path below the expectation that was compared.
pub(super) struct PlacedProblem {
    pub(super) below: YamlPath,
    pub(super) problem: Problem,
}
