//! Refuses what DynamoDB refuses and the embedded engine would accept.
//!
//! Code that passes here must not fail on AWS, and a row must never lose its key. DynamoDB Local
//! has each of these rules too, with the same messages; the differential test compares them.

mod expression;
mod token;

use std::collections::HashMap;

use serde_json::{Value, json};

use self::expression::Expression;
use super::{
    table::{Projection, TableSpec},
    wire,
};

const EXPRESSIONS: [&str; 5] = [
    "UpdateExpression",
    "ConditionExpression",
    "KeyConditionExpression",
    "FilterExpression",
    "ProjectionExpression",
];

/// The rules, with what they need to know about the tables.
#[derive(Debug, Default)]
pub(super) struct StrictRules {
    /// The projected attributes of each global index that does not project all, by table and index.
    projected: HashMap<(String, String), Vec<String>>,
}

impl StrictRules {
    /// The rules for these tables.
    pub(super) fn new(tables: &[TableSpec]) -> Self {
        let mut projected = HashMap::new();
        for table in tables {
            for index in table.indexes.iter().filter(|index| index.global) {
                let more = match &index.projection {
                    Projection::All => continue,
                    Projection::KeysOnly => &[][..],
                    Projection::Include(names) => names,
                };
                let keys = [&table.key, &index.key];
                let keys = keys.into_iter().flat_map(super::table::Key::attributes);
                let names = keys.map(|key| key.name.clone()).chain(more.iter().cloned());
                projected.insert((table.name.clone(), index.name.clone()), names.collect());
            }
        }
        Self { projected }
    }

    /// The body of DynamoDB's error for a request that it refuses; `None` for any other request.
    pub(super) fn refusal(&self, operation: &str, request: &Value) -> Option<Value> {
        let message = holders(operation, request).into_iter().find_map(|holder| {
            EXPRESSIONS.iter().find_map(|member| Expression::of(holder, member)?.refusal())
        });
        let message = message.or_else(|| match operation {
            "Query" => empty_key(request).or_else(|| self.not_projected(request)),
            "BatchWriteItem" => put_and_delete(request),
            _ => None,
        });
        if let Some(message) = message {
            let code = "com.amazon.coral.validate#ValidationException";
            return Some(json!({ "__type": code, "message": message }));
        }
        (operation == "TransactWriteItems").then(|| key_updates(request)).flatten()
    }

    /// The error for a query that needs attributes that its index does not project.
    fn not_projected(&self, request: &Value) -> Option<String> {
        let name = request["IndexName"].as_str()?;
        let table = request["TableName"].as_str()?;
        let has = self.projected.get(&(table.to_owned(), name.to_owned()))?;
        let missing = |member| {
            let attributes = Expression::of(request, member)?.attributes();
            let all: Vec<_> =
                attributes.into_iter().filter(|a| !has.iter().any(|own| own == a)).collect();
            (!all.is_empty()).then(|| all.join(", "))
        };
        let wrong = "One or more parameter values were invalid:";
        if let Some(all) = missing("ProjectionExpression") {
            return Some(format!("{wrong} Global secondary index {name} does not project [{all}]"));
        }
        let all = missing("FilterExpression")?;
        Some(format!(
            "{wrong} Secondary index {name} does not project one or more filter attributes: [{all}]"
        ))
    }
}

/// Whether a rule may apply to a request. It only searches the body's bytes, so most requests need
/// not be parsed.
pub(super) fn may_apply(operation: &str, body: &[u8]) -> bool {
    const MARK: &[u8] = b"Expression\"";
    operation == "BatchWriteItem" || body.windows(MARK.len()).any(|window| window == MARK)
}

/// The parts of a request that have expressions with their own names and values.
fn holders<'r>(operation: &str, request: &'r Value) -> Vec<&'r Value> {
    let members = |value: &'r Value| value.as_object().into_iter().flat_map(|map| map.values());
    match operation {
        "TransactWriteItems" | "TransactGetItems" => {
            let items = request["TransactItems"].as_array().into_iter().flatten();
            items.flat_map(members).collect()
        }
        "BatchGetItem" => members(&request["RequestItems"]).collect(),
        _ => vec![request],
    }
}

/// The error for a query for an empty key, which no row can have.
fn empty_key(request: &Value) -> Option<String> {
    let condition = Expression::of(request, "KeyConditionExpression")?;
    let is_empty = |value: &Value| value["S"] == "" || value["B"] == "";
    let (key, _) = condition.compared().into_iter().find(|(_, value)| is_empty(value))?;
    let wrong = "One or more parameter values are not valid.";
    let empty = "The AttributeValue for a key attribute cannot contain an empty string value.";
    Some(match request["IndexName"].as_str() {
        Some(index) => format!(
            "{wrong} A value specified for a secondary index key is not supported. {empty} \
             IndexName: {index}, IndexKey: {key}"
        ),
        None => format!("{wrong} {empty} Key: {key}"),
    })
}

/// The error for a batch entry that is both a put and a delete.
fn put_and_delete(request: &Value) -> Option<String> {
    let tables = request["RequestItems"].as_object()?;
    let mut writes = tables.values().filter_map(Value::as_array).flatten();
    let both =
        writes.any(|write| !write["PutRequest"].is_null() && !write["DeleteRequest"].is_null());
    both.then(|| {
        "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the \
         supported datatypes"
            .to_owned()
    })
}

/// The error for a transaction that would change a row's key.
fn key_updates(request: &Value) -> Option<Value> {
    let items = request["TransactItems"].as_array()?;
    let refusal_of = |item: &Value| {
        let update = &item["Update"];
        let key = update["Key"].as_object()?;
        let targets = Expression::of(update, "UpdateExpression")?.targets();
        let part = targets.into_iter().find(|target| key.contains_key(*target))?;
        Some(format!(
            "One or more parameter values were invalid: Cannot update attribute {part}. This \
             attribute is part of the key"
        ))
    };
    let refusals: Vec<Option<String>> = items.iter().map(refusal_of).collect();
    if refusals.iter().all(Option::is_none) {
        return None;
    }
    let reason = |refusal: Option<String>| match refusal {
        Some(message) => json!({ "Code": "ValidationError", "Message": message }),
        None => json!({ "Code": "None" }),
    };
    Some(wire::transaction_canceled(&refusals.into_iter().map(reason).collect::<Vec<_>>()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rehearse_core::table::{Attribute, AttributeKind, Index, Key};

    fn key(name: &str) -> Key {
        Key { hash: Attribute { name: name.into(), kind: AttributeKind::String }, range: None }
    }

    fn rules() -> StrictRules {
        let index = |name: &str, projection| Index {
            name: name.into(),
            key: key("kind"),
            global: true,
            projection,
        };
        StrictRules::new(&[TableSpec {
            id: "T".into(),
            name: "Tab".into(),
            key: key("pk"),
            indexes: vec![
                index("Keys", Projection::KeysOnly),
                index("Some", Projection::Include(vec!["v".into()])),
                index("All", Projection::All),
            ],
            ttl: None,
        }])
    }

    fn message(operation: &str, request: &Value) -> Option<String> {
        let refusal = rules().refusal(operation, request)?;
        refusal["message"].as_str().map(str::to_owned)
    }

    #[test]
    fn a_transaction_must_not_change_a_key() {
        let update = |text: &str| {
            json!({ "Update": {
                "TableName": "Tab", "Key": { "pk": { "S": "a" } }, "UpdateExpression": text,
                "ExpressionAttributeNames": { "#k": "pk" }, "ExpressionAttributeValues": { ":v": { "S": "b" } },
            } })
        };
        for text in ["SET pk = :v", "SET a = :v REMOVE pk", "SET #k = :v", "SET pk.x = :v"] {
            let request = json!({ "TransactItems": [update("SET a = :v"), update(text)] });
            let refusal = rules().refusal("TransactWriteItems", &request);
            let refusal = refusal.unwrap_or_else(|| panic!("`{text}` was not refused"));
            assert!(refusal["__type"].as_str().unwrap().ends_with("TransactionCanceledException"));
            let reasons = &refusal["CancellationReasons"];
            assert_eq!(reasons[0], json!({ "Code": "None" }), "{text}");
            assert_eq!(reasons[1]["Code"], "ValidationError", "{text}");
            let says = "Cannot update attribute pk. This attribute is part of the key";
            assert!(reasons[1]["Message"].as_str().unwrap().contains(says), "{text}");
        }
        let request = json!({ "TransactItems": [update("SET a = pk, b = :v")] });
        assert_eq!(rules().refusal("TransactWriteItems", &request), None);
    }

    #[test]
    fn an_expression_is_checked_wherever_it_is() {
        let wrong = json!({ "ConditionExpression": "s = s" });
        for (operation, request) in [
            ("PutItem", wrong.clone()),
            ("TransactWriteItems", json!({ "TransactItems": [{ "Put": wrong }] })),
            (
                "TransactGetItems",
                json!({ "TransactItems": [{ "Get": { "ProjectionExpression": "_a" } }] }),
            ),
            (
                "BatchGetItem",
                json!({ "RequestItems": { "Tab": { "ProjectionExpression": "#n" } } }),
            ),
        ] {
            assert!(message(operation, &request).is_some(), "{operation}");
            assert!(may_apply(operation, request.to_string().as_bytes()), "{operation}");
        }
    }

    #[test]
    fn a_query_needs_a_key_and_projected_attributes() {
        let query = |index: &str, more: &[(&str, &str)], value: &str| {
            let mut request = json!({
                "TableName": "Tab", "IndexName": index, "KeyConditionExpression": "kind = :k",
                "ExpressionAttributeValues": { ":k": { "S": value } },
            });
            for (name, value) in more {
                request[*name] = json!(value);
            }
            message("Query", &request)
        };
        let empty = query("Keys", &[], "").unwrap();
        assert!(empty.ends_with("empty string value. IndexName: Keys, IndexKey: kind"), "{empty}");
        let projected = [("ProjectionExpression", "pk, v")];
        let says = query("Keys", &projected, "x").unwrap();
        assert!(says.ends_with("Global secondary index Keys does not project [v]"), "{says}");
        let filtered = [("FilterExpression", "size(w) > :k")];
        let says = query("Some", &filtered, "x").unwrap();
        assert!(says.ends_with("does not project one or more filter attributes: [w]"), "{says}");
        assert_eq!(query("Some", &projected, "x"), None);
        assert_eq!(query("All", &filtered, "x"), None);
    }

    #[test]
    fn an_entry_of_a_batch_is_either_put_or_delete() {
        let write = json!({ "PutRequest": { "Item": {} }, "DeleteRequest": { "Key": {} } });
        let request = json!({ "RequestItems": { "Tab": [write] } });
        assert!(message("BatchWriteItem", &request).is_some());
        let request = json!({ "RequestItems": { "Tab": [{ "PutRequest": { "Item": {} } }] } });
        assert_eq!(message("BatchWriteItem", &request), None);
    }
}
