//! The engine inside this process, in memory or with a database file in a folder.
//!
//! Without the feature `embedded` the same types exist, and starting one returns an error.

#[cfg(not(feature = "embedded"))]
mod absent;
#[cfg(feature = "embedded")]
mod data_folder;
#[cfg(feature = "embedded")]
mod engine;

#[cfg(not(feature = "embedded"))]
pub(super) use self::absent::{DataFolder, EmbeddedEngine, EmbeddedError};
#[cfg(feature = "embedded")]
pub(super) use self::{
    data_folder::DataFolder,
    engine::{EmbeddedEngine, EmbeddedError},
};
