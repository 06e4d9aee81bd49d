//! What a request to DynamoDB is, as the journal tells it.

use serde_json::{Map, Value};

use super::{item, table::TableSpec};
use rehearse_core::faults::TouchedRow;

/// Operation names that carry one item or key.
const SINGLE: [&str; 4] = ["PutItem", "GetItem", "UpdateItem", "DeleteItem"];

/// The operation of an `X-Amz-Target` header, `DynamoDB_20120810.PutItem`.
pub(super) fn operation(target: Option<&str>) -> String {
    target.and_then(|t| t.rsplit('.').next()).filter(|o| !o.is_empty()).unwrap_or("Unknown").into()
}

/// Splits `/fn/Dispatcher/` into the function and the path that remains.
pub(super) fn function(path: &str) -> (Option<&str>, &str) {
    let Some(rest) = path.strip_prefix("/fn/") else { return (None, path) };
    let (function, rest) = rest.find('/').map_or((rest, "/"), |at| rest.split_at(at));
    ((!function.is_empty()).then_some(function), rest)
}

/// The tables that a request names, in order, without repeats.
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

/// Items that a request carries or keys that it names.
pub(super) fn items(operation: &str, request: &Value) -> usize {
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

/// The parts of a transaction.
fn actions(request: &Value) -> impl Iterator<Item = &Value> {
    let items = request["TransactItems"].as_array().into_iter().flatten();
    items.filter_map(|item| item.as_object()?.values().next())
}

/// Operations that change rows.
pub(super) fn writes(operation: &str) -> bool {
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

/// Whether a request is a read that DynamoDB may answer with rows of a moment ago.
pub(super) fn eventual(operation: &str, request: &Value) -> bool {
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

/// The tables and rows that a request touches, tables by their logical ids.
pub(super) fn touched(request: &Value, tables: &[TableSpec]) -> Vec<TouchedRow> {
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
                keys.filter_map(Value::as_object).map(item::plain_map).collect()
            }
        };
        all.extend(rows.into_iter().map(|attributes| TouchedRow { table: id(name), attributes }));
    }
    all
}

/// The key or the item of one action, plain.
fn row(action: &Value) -> Option<Map<String, Value>> {
    let row = action["Key"].as_object().or_else(|| action["Item"].as_object())?;
    Some(item::plain_map(row))
}

/// What a query's key condition holds equal: `phone = :phone AND #start >= :from` is the phone.
fn equalities(request: &Value) -> Option<Map<String, Value>> {
    let condition = request["KeyConditionExpression"].as_str()?;
    // Keywords are letters of any case; values and names hold no blanks.
    let words: Vec<&str> = condition.split([' ', '(', ')']).filter(|w| !w.is_empty()).collect();
    let equal = words.windows(3).filter(|words| words[1] == "=").filter_map(|words| {
        let name = request["ExpressionAttributeNames"][words[0]].as_str().unwrap_or(words[0]);
        let value = request["ExpressionAttributeValues"].get(words[2])?;
        Some((name.to_owned(), item::plain(value)))
    });
    Some(equal.collect())
}

/// A body as JSON; as a string when it is none.
pub(super) fn json_or_text(body: &[u8]) -> Value {
    serde_json::from_slice(body)
        .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(body).into_owned()))
}

/// The error code of an answer: what follows `#` in its `__type`.
pub(super) fn error_code(answer: &Value) -> Option<String> {
    let kind = answer["__type"].as_str()?;
    Some(kind.rsplit('#').next().unwrap_or(kind).into())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_function_is_the_prefix_of_the_path() {
        assert_eq!(function("/fn/Dispatcher/"), (Some("Dispatcher"), "/"));
        assert_eq!(function("/fn/Dispatcher"), (Some("Dispatcher"), "/"));
        assert_eq!(function("/"), (None, "/"));
        assert_eq!(function("/fn/"), (None, "/"));
    }

    #[test]
    fn transactions_and_batches_name_their_tables_and_count_their_items() {
        let transaction = json!({ "TransactItems": [
            { "Put": { "TableName": "Leads", "Item": {} } },
            { "Update": { "TableName": "Schedule", "Key": {} } },
            { "ConditionCheck": { "TableName": "Leads", "Key": {} } },
        ] });
        assert_eq!(tables(&transaction), ["Leads", "Schedule"]);
        assert_eq!(items("TransactWriteItems", &transaction), 3);
        let batch = json!({ "RequestItems": { "A": { "Keys": [{}, {}] }, "B": [{}] } });
        assert_eq!(tables(&batch), ["A", "B"]);
        assert_eq!(items("BatchGetItem", &batch), 3);
        assert_eq!(items("Query", &json!({ "TableName": "A" })), 0);
    }

    #[test]
    fn codes_and_operations_are_the_last_part() {
        let answer = json!({ "__type": "com.amazonaws.dynamodb.v20120810#ThrottlingException" });
        assert_eq!(error_code(&answer).as_deref(), Some("ThrottlingException"));
        assert_eq!(operation(Some("DynamoDB_20120810.PutItem")), "PutItem");
        assert_eq!(operation(None), "Unknown");
    }

    #[test]
    fn what_a_call_touches_is_plain_and_goes_by_logical_ids() {
        let tables = super::super::tests::tables();
        let lead = json!({ "lead_id": { "S": "L" }, "timestamp": { "N": "7" } });
        let transaction = json!({ "TransactItems": [
            { "Put": { "TableName": "Repairs_Lead_Log", "Item": lead } },
            { "Delete": { "TableName": "ExternalTables", "Key": { "id": { "S": "x" } } } },
        ] });
        let seen: Vec<_> = touched(&transaction, &tables)
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
            Value::Object(touched(&query, &tables).remove(0).attributes),
            json!({ "lead_id": "L" })
        );
        let batch = json!({ "RequestItems": { "Repairs_Opt_Outs": [
            { "PutRequest": { "Item": { "phone": { "S": "+1" } } } },
            { "DeleteRequest": { "Key": { "phone": { "S": "+2" } } } },
        ] } });
        let phones: Vec<_> =
            touched(&batch, &tables).into_iter().map(|t| t.attributes["phone"].clone()).collect();
        assert_eq!(phones, ["+1", "+2"]);
    }

    #[test]
    fn only_reads_that_do_not_ask_for_more_are_eventual() {
        assert!(eventual("Query", &json!({})));
        assert!(eventual("GetItem", &json!({ "ConsistentRead": false })));
        assert!(!eventual("Scan", &json!({ "ConsistentRead": true })));
        assert!(!eventual("TransactGetItems", &json!({})));
        let batch =
            json!({ "RequestItems": { "A": { "Keys": [] }, "B": { "ConsistentRead": true } } });
        assert!(!eventual("BatchGetItem", &batch));
    }
}
