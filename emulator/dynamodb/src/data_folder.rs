//! An embedded engine whose tables outlive the process.

use rehearse_core::errors::with_causes;
use std::{
    fs::{File, TryLockError},
    io::{Read as _, Seek as _, Write as _},
    path::PathBuf,
};

use serde_json::{Value, json};

use super::{
    embedded::Embedded, service_error::ServiceError, table::TableSpec, tables::create_table_request,
};

/// The engine's file.
const DATABASE: &str = "dynamodb.sqlite";
/// Whose lock the process holds; the system gives it back even after a kill.
const LOCK: &str = "lock";

/// A folder with a database, for this process alone.
pub(super) struct DataFolder {
    folder: PathBuf,
    database: dynoxide::Database,
    _lock: File,
}

impl DataFolder {
    /// Opens the database of a folder; both are made when they are not there.
    pub(super) fn open(folder: PathBuf) -> Result<Self, ServiceError> {
        let failed = |reason: String| ServiceError::Folder { folder: folder.clone(), reason };
        std::fs::create_dir_all(&folder).map_err(|e| failed(e.to_string()))?;
        let mut lock = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(folder.join(LOCK))
            .map_err(|e| failed(e.to_string()))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                let _ = lock.read_to_string(&mut text);
                return Err(ServiceError::FolderInUse { folder, by: text.trim().parse().ok() });
            }
            Err(TryLockError::Error(error)) => return Err(failed(error.to_string())),
        }
        // Only for the message to whoever comes next.
        let _ = lock.set_len(0).and_then(|()| lock.rewind());
        let _ = writeln!(lock, "{}", std::process::id());
        let path = folder.join(DATABASE);
        let path = path.to_str().ok_or_else(|| failed("its name is not UTF-8".into()))?;
        let database =
            dynoxide::Database::new(path).map_err(|error| failed(with_causes(&error)))?;
        Ok(Self { folder, database, _lock: lock })
    }

    /// The database with these tables: those that are missing are made.
    pub(super) fn database(
        &self,
        tables: &[TableSpec],
    ) -> Result<dynoxide::Database, ServiceError> {
        for table in tables {
            let refused = |error: dynoxide::DynoxideError| ServiceError::Table {
                table: table.name.clone(),
                reason: with_causes(&error),
            };
            match Embedded::described(&self.database, &table.name).map_err(refused)? {
                None => Embedded::create(&self.database, table).map_err(refused)?,
                Some(there) if same(&there["Table"], &create_table_request(table)) => {}
                Some(_) => {
                    let (folder, table) = (self.folder.clone(), table.name.clone());
                    return Err(ServiceError::OtherTable { folder, table });
                }
            }
        }
        Ok(self.database.clone())
    }
}

/// Whether a table that is there has the keys and indexes of a request to create it.
fn same(there: &Value, wanted: &Value) -> bool {
    let indexes = |table: &Value| {
        let lists = ["GlobalSecondaryIndexes", "LocalSecondaryIndexes"];
        let mut all: Vec<String> = lists
            .iter()
            .flat_map(|list| table[*list].as_array().into_iter().flatten())
            .map(|index| json!([index["IndexName"], index["KeySchema"]]).to_string())
            .collect();
        all.sort();
        all
    };
    let attributes = |table: &Value| {
        let all = table["AttributeDefinitions"].as_array().into_iter().flatten();
        let mut all: Vec<String> =
            all.map(|a| json!([a["AttributeName"], a["AttributeType"]]).to_string()).collect();
        all.sort();
        all
    };
    there["KeySchema"] == wanted["KeySchema"]
        && attributes(there) == attributes(wanted)
        && indexes(there) == indexes(wanted)
}
