//! A folder with the database file of an embedded engine, whose tables outlive the process.

use std::{
    fs::{File, TryLockError},
    io::{Read as _, Seek as _, Write as _},
    path::PathBuf,
};

use serde_json::{Value, json};
use tokio::runtime::Handle;

use super::engine::{self, EmbeddedEngine};
use crate::{service_error::ServiceError, table::TableSpec, tables::create_table_request};
use rehearse_core::errors::{io_words, with_causes};

/// The engine's file.
const DATABASE: &str = "dynamodb.sqlite";
/// The file that this process locks. The system releases the lock even if the process is killed.
const LOCK: &str = "lock";

/// A folder with a database, locked by this process until it is dropped.
pub(crate) struct DataFolder {
    folder: PathBuf,
    database: dynoxide::Database,
    _lock: File,
}

impl DataFolder {
    /// Opens the database in a folder. Creates the folder and the database if they do not exist.
    ///
    /// # Errors
    /// When another process has the folder, or it cannot be read or written.
    pub(crate) fn open(folder: PathBuf) -> Result<Self, ServiceError> {
        let failed = |reason: String| ServiceError::Folder { folder: folder.clone(), reason };
        std::fs::create_dir_all(&folder).map_err(|e| failed(io_words(&e)))?;
        let mut lock = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(folder.join(LOCK))
            .map_err(|e| failed(io_words(&e)))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                let _ = lock.read_to_string(&mut text);
                return Err(ServiceError::FolderInUse { folder, by: text.trim().parse().ok() });
            }
            Err(TryLockError::Error(error)) => return Err(failed(io_words(&error))),
        }
        // Only the error message of the next process needs the id, so failing to write it is fine.
        let _ = lock.set_len(0).and_then(|()| lock.rewind());
        let _ = writeln!(lock, "{}", std::process::id());
        let path = folder.join(DATABASE);
        let path = path.to_str().ok_or_else(|| failed("its name is not UTF-8".into()))?;
        let database =
            dynoxide::Database::new(path).map_err(|error| failed(with_causes(&error)))?;
        Ok(Self { folder, database, _lock: lock })
    }

    /// An engine with these tables, served on `runtime`. Creates the tables that are missing.
    ///
    /// # Errors
    /// When a table cannot be created, an existing one has other keys or indexes, or no port can
    /// be served.
    pub(crate) fn start(
        &self,
        runtime: &Handle,
        tables: &[TableSpec],
    ) -> Result<EmbeddedEngine, ServiceError> {
        for table in tables {
            let refused = |error: dynoxide::DynoxideError| ServiceError::Table {
                table: table.name.clone(),
                reason: with_causes(&error),
            };
            match engine::describe_table(&self.database, &table.name).map_err(refused)? {
                None => engine::create_table(&self.database, table).map_err(refused)?,
                Some(found) if is_same_table(&found["Table"], &create_table_request(table)) => {}
                Some(_) => {
                    let (folder, table) = (self.folder.clone(), table.name.clone());
                    return Err(ServiceError::OtherTable { folder, table });
                }
            }
        }
        EmbeddedEngine::serve(runtime, self.database.clone())
            .map_err(|error| ServiceError::Serve(error.to_string()))
    }
}

/// Whether an existing table has the keys and indexes of a `CreateTable` request.
fn is_same_table(found: &Value, wanted: &Value) -> bool {
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
    found["KeySchema"] == wanted["KeySchema"]
        && attributes(found) == attributes(wanted)
        && indexes(found) == indexes(wanted)
}
