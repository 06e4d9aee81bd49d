//! Tables, their rows, and fixtures.

use std::collections::BTreeMap;

use axum::{Json, extract::State, http::StatusCode};

use super::{SharedState, template_error};
use crate::{
    DeleteItems, DeletedItems, Fixtures, IndexInfo, Items, KeyInfo, LoadedFixture, PutItems, Rows,
    TableInfo, Tables, Written,
    error::{ApiError, JsonBody, PathPart},
};
use rehearse_core::{errors::with_causes, names::hint, table::Key};
use rehearse_dynamodb::DatabaseError;

pub(crate) async fn tables(State(api): SharedState) -> Result<Json<Tables>, ApiError> {
    let database = api.world.database();
    let mut tables = Vec::new();
    for table in database.tables() {
        let index = |index: &rehearse_core::table::Index| IndexInfo {
            name: index.name.clone(),
            key: key(&index.key),
            global: index.global,
        };
        tables.push(TableInfo {
            id: table.id.clone(),
            name: table.name.clone(),
            key: key(&table.key),
            indexes: table.indexes.iter().map(index).collect(),
            ttl: table.ttl.clone(),
            rows: database.items(&table.id).await.map_err(|e| database_error(&e))?.len(),
        });
    }
    Ok(Json(Tables { tables }))
}

pub(crate) async fn table(
    State(api): SharedState,
    PathPart(table): PathPart,
) -> Result<Json<Rows>, ApiError> {
    match api.world.database().rows(&table).await {
        Ok(rows) => Ok(Json(Rows { table, rows })),
        Err(error @ DatabaseError::UnknownTable { .. }) => {
            Err(ApiError::new(StatusCode::NOT_FOUND, error.to_string())
                .help("tables go by their logical id in the template"))
        }
        Err(error) => Err(ApiError::failed(&error)),
    }
}

pub(crate) async fn items(
    State(api): SharedState,
    PathPart(table): PathPart,
) -> Result<Json<Items>, ApiError> {
    let database = api.world.database();
    let spec = database.find(&table).map_err(|e| database_error(&e))?;
    let items = database.items(&spec.id).await.map_err(|e| database_error(&e))?;
    Ok(Json(Items { table: spec.id.clone(), name: spec.name.clone(), items }))
}

pub(crate) async fn put_items(
    State(api): SharedState,
    PathPart(table): PathPart,
    JsonBody(request): JsonBody<PutItems>,
) -> Result<Json<Written>, ApiError> {
    let database = api.world.database();
    let id = database.find(&table).map_err(|e| database_error(&e))?.id.clone();
    let PutItems { items, check_only } = request;
    let keys = database.check_items(&id, &items).map_err(|e| database_error(&e))?;
    if !check_only {
        database.put_items(&id, items).await.map_err(|e| database_error(&e))?;
        api.recorder.rows_written().await;
    }
    Ok(Json(Written { table: id, keys }))
}

pub(crate) async fn delete_items(
    State(api): SharedState,
    PathPart(table): PathPart,
    JsonBody(request): JsonBody<DeleteItems>,
) -> Result<Json<DeletedItems>, ApiError> {
    let database = api.world.database();
    let table = database.find(&table).map_err(|e| database_error(&e))?.id.clone();
    let deleted = database.delete_items(&table, &request.keys).await.map_err(|e| match e {
        DatabaseError::Row(row) => {
            ApiError::bad_request(row.to_string()).help("nothing was deleted")
        }
        error => database_error(&error),
    })?;
    api.recorder.rows_written().await;
    Ok(Json(DeletedItems { table, deleted }))
}

fn database_error(error: &DatabaseError) -> ApiError {
    match error {
        DatabaseError::UnknownTable { .. } => {
            ApiError::new(StatusCode::NOT_FOUND, error.to_string())
                .help("tables go by their logical id in the template, or by their name")
        }
        DatabaseError::Row(row) => {
            ApiError::bad_request(row.to_string()).help("nothing was written")
        }
        error => ApiError::failed(error),
    }
}

pub(crate) async fn fixtures(State(api): SharedState) -> Json<Fixtures> {
    Json(Fixtures { fixtures: api.backend.fixtures().map(str::to_owned).collect() })
}

pub(crate) async fn load_fixture(
    State(api): SharedState,
    PathPart(fixture): PathPart,
) -> Result<Json<LoadedFixture>, ApiError> {
    let known: Vec<&str> = api.backend.fixtures().collect();
    if !known.contains(&fixture.as_str()) {
        let hint = hint(&fixture, known.iter().copied());
        return Err(ApiError::not_found(format!("there is no fixture '{fixture}'{hint}"))
            .help("GET /fixtures has their names"));
    }
    let wrong = |error: String| ApiError::bad_request(error).help("mend the file, and try again");
    let file = api.backend.fixture(&fixture).map_err(|error| wrong(error.to_string()))?;
    let vars = api.scripts.vars();
    // All are filled in before the first is written.
    let mut filled = Vec::new();
    for (table, rows) in file.iter() {
        let rows: Result<Vec<_>, _> = rows.iter().map(|row| vars.render(row)).collect();
        filled.push((table, rows.map_err(|error| template_error(&error))?));
    }
    let mut counts = BTreeMap::new();
    for (table, rows) in filled {
        let written = api.world.database().put_rows(table, &rows).await;
        written.map_err(|error| match &error {
            DatabaseError::Row(_) => wrong(with_causes(&error)),
            error => ApiError::failed(error),
        })?;
        *counts.entry(table.clone()).or_default() += rows.len();
    }
    api.recorder.rows_written().await;
    Ok(Json(LoadedFixture { fixture, rows: counts }))
}

fn key(key: &Key) -> KeyInfo {
    let range = key.range.as_ref().map(|range| range.name.clone());
    KeyInfo { hash: key.hash.name.clone(), range }
}
