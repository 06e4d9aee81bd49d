//! What a request to DynamoDB asks for, as the journal and faults need to know it.

use http::HeaderMap;
use serde_json::{Map, Value};

use super::{item, table::TableSpec};
use rehearse_core::faults::TouchedRow;

/// Operations with exactly one item or key.
const SINGLE: [&str; 4] = ["PutItem", "GetItem", "UpdateItem", "DeleteItem"];

/// The operation in the `X-Amz-Target` header (`DynamoDB_20120810.PutItem`), or `Unknown`.
pub(super) fn operation(headers: &HeaderMap) -> String {
    let target = headers.get("x-amz-target").and_then(|target| target.to_str().ok());
    target.and_then(|t| t.rsplit('.').next()).filter(|o| !o.is_empty()).unwrap_or("Unknown").into()
}

/// Splits `/fn/Dispatcher/` into the function and the rest of the path.
pub(super) fn split_function(path: &str) -> (Option<&str>, &str) {
    let Some(rest) = path.strip_prefix("/fn/") else { return (None, path) };
    let (function, rest) = rest.find('/').map_or((rest, "/"), |at| rest.split_at(at));
    ((!function.is_empty()).then_some(function), rest)
}

/// The table names in a request, in order, without repeats.
pub(super) fn tables(request: &Value) -> Vec<String> {
    let mut tables: Vec<String> = Vec::new();
    let mut add = |name: Option<&str>| {
        if let Some(name) = name.filter(|name| !tables.iter().any(|known| known == name)) {
            tables.push(name.into());
        }
    };
    add(request["TableName"].as_str());
    for table in request["RequestItems"].as_object().into_iter().flat_map(|map| map.keys()) {
        add(Some(table));
    }
    for action in actions(request) {
        add(action["TableName"].as_str());
    }
    tables
}

/// How many items or keys a request contains.
pub(super) fn item_count(operation: &str, request: &Value) -> usize {
    if SINGLE.contains(&operation) {
        return 1;
    }
    let batched = |table: &Value| match table {
        Value::Array(writes) => writes.len(),
        table => table["Keys"].as_array().map_or(0, Vec::len),
    };
    let batch: usize =
        request["RequestItems"].as_object().map_or(0, |map| map.values().map(batched).sum());
    batch + actions(request).count()
}

/// The actions of a transaction.
fn actions(request: &Value) -> impl Iterator<Item = &Value> {
    let items = request["TransactItems"].as_array().into_iter().flatten();
    items.filter_map(|item| item.as_object()?.values().next())
}

/// Whether an operation may change rows.
pub(super) fn is_write(operation: &str) -> bool {
    matches!(
        operation,
        "PutItem"
            | "UpdateItem"
            | "DeleteItem"
            | "BatchWriteItem"
            | "TransactWriteItems"
            | "ExecuteStatement"
            | "BatchExecuteStatement"
            | "ExecuteTransaction"
    )
}

/// Whether a request is a read that DynamoDB may serve from a replica that lags behind.
pub(super) fn is_eventually_consistent(operation: &str, request: &Value) -> bool {
    let consistent = |part: &Value| part["ConsistentRead"] == Value::Bool(true);
    match operation {
        "GetItem" | "Query" | "Scan" => !consistent(request),
        "BatchGetItem" => {
            let mut tables = request["RequestItems"].as_object().into_iter().flat_map(Map::values);
            !tables.any(consistent)
        }
        _ => false,
    }
}

/// The tables and rows that a request reads or writes, tables by their logical ids.
pub(super) fn touched_rows(request: &Value, tables: &[TableSpec]) -> Vec<TouchedRow> {
    let id = |name: &str| {
        let table = tables.iter().find(|table| table.name == name);
        table.map_or(name, |table| &table.id).to_owned()
    };
    let mut all = Vec::new();
    if let Some(name) = request["TableName"].as_str() {
        let attributes = row(request).or_else(|| equalities(request)).unwrap_or_default();
        all.push(TouchedRow { table: id(name), attributes });
    }
    for action in actions(request) {
        if let Some(name) = action["TableName"].as_str() {
            let attributes = row(action).unwrap_or_default();
            all.push(TouchedRow { table: id(name), attributes });
        }
    }
    for (name, batch) in request["RequestItems"].as_object().into_iter().flatten() {
        let rows: Vec<_> = match batch {
            Value::Array(writes) => {
                writes.iter().filter_map(|write| row(write.as_object()?.values().next()?)).collect()
            }
            reads => {
                let keys = reads["Keys"].as_array().into_iter().flatten();
                keys.filter_map(Value::as_object).map(item::to_row).collect()
            }
        };
        all.extend(rows.into_iter().map(|attributes| TouchedRow { table: id(name), attributes }));
    }
    all
}

/// The key or the item of one action, as plain JSON.
fn row(action: &Value) -> Option<Map<String, Value>> {
    let row = action["Key"].as_object().or_else(|| action["Item"].as_object())?;
    Some(item::to_row(row))
}

/// The attributes that a key condition compares with `=`: `phone` in
/// `phone = :phone AND #start >= :from`.
fn equalities(request: &Value) -> Option<Map<String, Value>> {
    let condition = request["KeyConditionExpression"].as_str()?;
    // Names and values contain no spaces.
    let words: Vec<&str> = condition.split([' ', '(', ')']).filter(|w| !w.is_empty()).collect();
    let equal = words.windows(3).filter(|words| words[1] == "=").filter_map(|words| {
        let name = request["ExpressionAttributeNames"][words[0]].as_str().unwrap_or(words[0]);
        let value = request["ExpressionAttributeValues"].get(words[2])?;
        Some((name.to_owned(), item::to_plain(value)))
    });
    Some(equal.collect())
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};
    use serde_json::json;

    use super::*;

    #[test]
    fn the_function_is_taken_from_the_path() {
        assert_eq!(split_function("/fn/Dispatcher/"), (Some("Dispatcher"), "/"));
        assert_eq!(split_function("/fn/Dispatcher"), (Some("Dispatcher"), "/"));
        assert_eq!(split_function("/"), (None, "/"));
        assert_eq!(split_function("/fn/"), (None, "/"));
    }

    #[test]
    fn transactions_and_batches_name_their_tables_and_count_their_items() {
        let transaction = json!({ "TransactItems": [
            { "Put": { "TableName": "Leads", "Item": {} } },
            { "Update": { "TableName": "Schedule", "Key": {} } },
            { "ConditionCheck": { "TableName": "Leads", "Key": {} } },
        ] });
        assert_eq!(tables(&transaction), ["Leads", "Schedule"]);
        assert_eq!(item_count("TransactWriteItems", &transaction), 3);
        let batch = json!({ "RequestItems": { "A": { "Keys": [{}, {}] }, "B": [{}] } });
        assert_eq!(tables(&batch), ["A", "B"]);
        assert_eq!(item_count("BatchGetItem", &batch), 3);
        assert_eq!(item_count("Query", &json!({ "TableName": "A" })), 0);
    }

    #[test]
    fn the_operation_is_the_last_part_of_the_target() {
        let target = HeaderValue::from_static("DynamoDB_20120810.PutItem");
        let headers = HeaderMap::from_iter([(HeaderName::from_static("x-amz-target"), target)]);
        assert_eq!(operation(&headers), "PutItem");
        assert_eq!(operation(&HeaderMap::new()), "Unknown");
    }

    #[test]
    fn touched_rows_are_plain_and_name_tables_by_logical_id() {
        let tables = super::super::tests::tables();
        let lead = json!({ "lead_id": { "S": "L" }, "timestamp": { "N": "7" } });
        let transaction = json!({ "TransactItems": [
            { "Put": { "TableName": "Repairs_Lead_Log", "Item": lead } },
            { "Delete": { "TableName": "ExternalTables", "Key": { "id": { "S": "x" } } } },
        ] });
        let seen: Vec<_> = touched_rows(&transaction, &tables)
            .into_iter()
            .map(|t| (t.table, Value::Object(t.attributes)))
            .collect();
        let expected = [
            ("Leads".to_owned(), json!({ "lead_id": "L", "timestamp": 7 })),
            ("ExternalTables".to_owned(), json!({ "id": "x" })),
        ];
        assert_eq!(seen, expected);
        let query = json!({
            "TableName": "Repairs_Lead_Log",
            "KeyConditionExpression": "lead_id = :id AND (#at >= :at)",
            "ExpressionAttributeNames": { "#at": "timestamp" },
            "ExpressionAttributeValues": { ":id": { "S": "L" }, ":at": { "N": "1" } },
        });
        assert_eq!(
            Value::Object(touched_rows(&query, &tables).remove(0).attributes),
            json!({ "lead_id": "L" })
        );
        let batch = json!({ "RequestItems": { "Repairs_Opt_Outs": [
            { "PutRequest": { "Item": { "phone": { "S": "+1" } } } },
            { "DeleteRequest": { "Key": { "phone": { "S": "+2" } } } },
        ] } });
        let phones: Vec<_> = touched_rows(&batch, &tables)
            .into_iter()
            .map(|t| t.attributes["phone"].clone())
            .collect();
        assert_eq!(phones, ["+1", "+2"]);
    }

    #[test]
    fn only_reads_without_consistent_read_are_eventually_consistent() {
        assert!(is_eventually_consistent("Query", &json!({})));
        assert!(is_eventually_consistent("GetItem", &json!({ "ConsistentRead": false })));
        assert!(!is_eventually_consistent("Scan", &json!({ "ConsistentRead": true })));
        assert!(!is_eventually_consistent("TransactGetItems", &json!({})));
        let batch =
            json!({ "RequestItems": { "A": { "Keys": [] }, "B": { "ConsistentRead": true } } });
        assert!(!is_eventually_consistent("BatchGetItem", &batch));
    }
}
