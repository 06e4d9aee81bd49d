//! Rows that a recording needs at its start, and rows that it has changed.

use std::{
    collections::{BTreeMap, HashSet},
    ops::Range,
};

use jiff::Timestamp;

use serde_json::{Map, Value, json};

use super::{
    known_rows::{Tables, WRITES},
    stable::Stable,
};
use crate::invariants::has_written;
use rehearse_core::{
    clock::Clock,
    journal::{Exchange, ExchangeDetail},
    matcher::Vars,
    table::TableSpec,
};
use rehearse_dynamodb::row;
use rehearse_world::Backend;

/// A row's place: the table's logical id, and the key as text.
pub(super) type Place = (String, Vec<String>);

/// The place of a row.
pub(super) fn place(table: &TableSpec, row: &Value) -> Place {
    (table.id.clone(), row::key_text(table, row))
}

/// The rows that were written, as far as the calls name their keys.
pub(super) fn written<'e>(
    exchanges: impl IntoIterator<Item = &'e Exchange>,
    tables: &[TableSpec],
) -> HashSet<Place> {
    let is_writing = |exchange: &&Exchange| {
        let ExchangeDetail::Database { operation, .. } = &exchange.detail else { return false };
        WRITES.contains(&operation.as_str()) && has_written(exchange)
    };
    let mut places = HashSet::new();
    for exchange in exchanges.into_iter().filter(is_writing) {
        let ExchangeDetail::Database { tables: names, request, .. } = &exchange.detail else {
            continue;
        };
        // What a transaction only looks at is not written.
        let mut request = request.clone();
        if let Some(items) = request.get_mut("TransactItems").and_then(Value::as_array_mut) {
            items.retain(|item| item.get("ConditionCheck").is_none());
        }
        for table in tables.iter().filter(|table| names.contains(&table.name)) {
            keys(&request, table, &mut places);
        }
    }
    places
}

/// The rows that were read or written: places, whether or not there was a row.
pub(super) fn touched<'e>(
    exchanges: impl IntoIterator<Item = &'e Exchange>,
    tables: &[TableSpec],
) -> HashSet<Place> {
    let mut places = HashSet::new();
    for exchange in exchanges {
        let ExchangeDetail::Database { tables: names, request, .. } = &exchange.detail else {
            continue;
        };
        let response = exchange.outcome.as_ref().map(|outcome| &outcome.response);
        for table in tables.iter().filter(|table| names.contains(&table.name)) {
            for value in [Some(request), response].into_iter().flatten() {
                keys(value, table, &mut places);
            }
        }
    }
    places
}

/// Adds the place of everything within a value that has the key of a table, in DynamoDB's own format.
fn keys(value: &Value, table: &TableSpec, places: &mut HashSet<Place>) {
    match value {
        Value::Array(list) => list.iter().for_each(|value| keys(value, table, places)),
        // A part of a transaction on another table, whose rows may have fields of the same names.
        Value::Object(map)
            if map.get("TableName").and_then(Value::as_str).is_some_and(|n| n != table.name) => {}
        Value::Object(map) => {
            let key: Option<Map<String, Value>> = table
                .key
                .attributes()
                .map(|attribute| {
                    let typed = map.get(&attribute.name)?;
                    typed.get(attribute.kind.letter())?;
                    Some((attribute.name.clone(), typed.clone()))
                })
                .collect();
            if let Some(key) = key {
                let row = row::from_item(table, key);
                places.insert(place(table, &row));
            }
            map.values().for_each(|value| keys(value, table, places));
        }
        _ => {}
    }
}

/// The `given` of a scenario: the project's fixtures whose rows were all there, as far as they were
/// touched, and the touched rows besides.
pub(super) fn given(
    before: &Tables,
    touched: &HashSet<Place>,
    backend: &Backend,
    tables: &[TableSpec],
    names: &BTreeMap<String, Value>,
    stable: &Stable<'_>,
    zone: &jiff::tz::TimeZone,
) -> Map<String, Value> {
    let vars = Vars::new(Clock::stopped(stable.at), zone.clone());
    names.iter().for_each(|(name, value)| vars.set(name, value.clone()));
    let mut needed: Vec<(&TableSpec, &Value)> = Vec::new();
    for table in tables {
        let rows = before.get(&table.id).into_iter().flatten();
        needed.extend(
            rows.filter(|row| touched.contains(&place(table, row))).map(|row| (table, row)),
        );
    }
    // Each fixture that fits, with the places of its rows.
    let mut fitting: Vec<(&str, HashSet<Place>)> = Vec::new();
    for name in backend.fixtures() {
        let Ok(file) = backend.fixture(name) else { continue };
        let mut places = HashSet::new();
        let fits = file.iter().all(|(id, rows)| {
            let Some(table) = tables.iter().find(|table| table.id == *id) else { return false };
            rows.iter().all(|row| {
                let Ok(row) = vars.render(row) else { return false };
                places.insert(place(table, &row));
                before.get(id).is_some_and(|there| there.contains(&row))
            })
        });
        if fits {
            fitting.push((name, places));
        }
    }
    let mut fixtures = Vec::new();
    loop {
        let count = |places: &HashSet<Place>| {
            needed.iter().filter(|(table, row)| places.contains(&place(table, row))).count()
        };
        let best =
            fitting.iter().max_by_key(|(name, places)| (count(places), std::cmp::Reverse(*name)));
        let Some((name, places)) = best.filter(|(_, places)| count(places) > 0) else { break };
        fixtures.push(Value::from(*name));
        needed.retain(|(table, row)| !places.contains(&place(table, row)));
    }
    let mut own: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
    for (table, row) in needed {
        own.entry(&table.id).or_default().push(stable.words.value(row, stable.at));
    }
    let mut given = Map::new();
    // The project's own fixtures of every scenario would come otherwise.
    if !fixtures.is_empty() || !backend.settings().defaults.fixtures.is_empty() {
        given.insert("fixtures".into(), fixtures.into());
    }
    if !own.is_empty() {
        given.insert("tables".into(), json!(own));
    }
    given
}

/// Whether some row has a moment, in milliseconds, within the second after this one.
pub(super) fn has_moment_after(rows: &Tables, start: Timestamp) -> bool {
    fn has(value: &Value, second: &Range<i64>) -> bool {
        match value {
            Value::Number(number) => number.as_i64().is_some_and(|n| second.contains(&n)),
            Value::Array(list) => list.iter().any(|value| has(value, second)),
            Value::Object(map) => map.values().any(|value| has(value, second)),
            _ => false,
        }
    }
    let from = start.as_millisecond();
    rows.values().flatten().any(|row| has(row, &(from + 1..from + 1000)))
}

/// The expectations of the tables that have changed, each with its table. A list has exactly the rows that
/// have changed. Where it depends on the moment whether a row changes, such as one that only expires later,
/// each of the other rows has an expectation of its own.
pub(super) fn changed(
    [before, after]: [&Tables; 2],
    written: &HashSet<Place>,
    tables: &[TableSpec],
    stable: &Stable<'_>,
) -> Vec<(String, Value)> {
    let none = Vec::new();
    let mut expected = Vec::new();
    for table in tables {
        let before = before.get(&table.id).unwrap_or(&none);
        let after = after.get(&table.id).unwrap_or(&none);
        let key = |row: &Value| row::key_text(table, row);
        let matcher = |row: &Value| stable.matcher(row).unwrap_or_else(|| json!({}));
        let depends = |row: &&Value| {
            let old = before.iter().find(|old| key(old) == key(row));
            old.is_some_and(|old| {
                (old != *row || written.contains(&place(table, row)))
                    && matcher(old) == matcher(row)
            })
        };
        let (by_moment, changed): (Vec<&Value>, Vec<&Value>) = after
            .iter()
            .filter(|row| !before.contains(row) || depends(row))
            .partition(|row| depends(row));
        let rows: Vec<Value> = changed.into_iter().map(matcher).collect();
        let mut gone = before.iter().filter(|row| !after.iter().any(|now| key(now) == key(row)));
        if !by_moment.is_empty() {
            expected.extend(one_by_one(rows).map(|one| (table.id.clone(), one)));
        } else if !rows.is_empty() {
            expected.push((table.id.clone(), rows.into()));
        } else if let Some(gone) = gone.next() {
            let names = table.key.attributes().map(|attribute| attribute.name.as_str());
            let key: Map<String, Value> =
                names.filter_map(|name| Some((name.to_owned(), gone.get(name)?.clone()))).collect();
            let key = stable.words.value(&key.into(), stable.at);
            expected.push((table.id.clone(), json!({ "where": key, "count": 0 })));
        }
    }
    expected
}

/// An expectation for each row; one for all that look the same.
fn one_by_one(rows: Vec<Value>) -> impl Iterator<Item = Value> {
    let mut counted: Vec<(Value, u64)> = Vec::new();
    for row in rows.into_iter().filter(|row| *row != json!({})) {
        match counted.iter_mut().find(|(known, _)| *known == row) {
            Some((_, count)) => *count += 1,
            None => counted.push((row, 1)),
        }
    }
    let one = |(row, count)| json!({ "where": row, "count": { "at_least": count } });
    counted.into_iter().map(one)
}
