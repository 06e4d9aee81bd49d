//! What a request to DynamoDB is, as the journal tells it.

use serde_json::Value;

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
}
