//! Stands in for the embedded engine in builds without the feature `embedded`.

use std::{net::SocketAddr, path::PathBuf};

use serde_json::{Map, Value};
use tokio::runtime::Handle;

use crate::{service_error::ServiceError, table::TableSpec};

/// No value of this type exists.
pub(crate) enum EmbeddedEngine {}

/// No value of this type exists.
pub(crate) enum DataFolder {}

/// The feature is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this build has no embedded engine: rehearse-dynamodb lacks its feature `embedded`")]
pub(crate) struct EmbeddedError;

impl EmbeddedError {
    pub(crate) fn code(self) -> &'static str {
        "FeatureMissing"
    }
}

impl EmbeddedEngine {
    pub(crate) fn in_memory(_: &Handle, _: &[TableSpec]) -> Result<Self, EmbeddedError> {
        Err(EmbeddedError)
    }

    pub(crate) fn address(&self) -> SocketAddr {
        match *self {}
    }

    pub(crate) fn put(&self, _: &TableSpec, _: Map<String, Value>) -> Result<(), EmbeddedError> {
        match *self {}
    }

    pub(crate) fn delete(
        &self,
        _: &TableSpec,
        _: Map<String, Value>,
    ) -> Result<bool, EmbeddedError> {
        match *self {}
    }

    pub(crate) fn scan(&self, _: &TableSpec) -> Result<Vec<Map<String, Value>>, EmbeddedError> {
        match *self {}
    }

    pub(crate) fn empty(&self, _: &TableSpec) -> Result<(), EmbeddedError> {
        match *self {}
    }
}

impl DataFolder {
    pub(crate) fn open(_: PathBuf) -> Result<Self, ServiceError> {
        Err(ServiceError::NotBuilt { engine: "embedded" })
    }

    pub(crate) fn start(
        &self,
        _: &Handle,
        _: &[TableSpec],
    ) -> Result<EmbeddedEngine, ServiceError> {
        match *self {}
    }
}
