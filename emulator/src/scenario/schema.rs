//! The scenario format as JSON Schema, for editors.

use serde_json::Value;

use super::document::Document;

/// The format of a scenario file.
pub fn schema() -> Value {
    schemars::schema_for!(Document).to_value()
}
