//! Where everything of a scenario stands in its file, by path.

pub(super) use rehearse_core::yaml::tree::{Node, YamlPath};
