//! Calls to DynamoDB before the engine.

use rehearse_dynamodb::hostile::before_the_engine;
use serde_json::Value;

const OPERATIONS: [&str; 10] = [
    "PutItem",
    "GetItem",
    "UpdateItem",
    "DeleteItem",
    "Query",
    "Scan",
    "BatchGetItem",
    "BatchWriteItem",
    "TransactWriteItems",
    "ExecuteStatement",
];

/// The first byte chooses the operation, the rest is the body. What is refused is refused as DynamoDB
/// does, and JSON stays JSON on its way.
pub(crate) fn database_body(bytes: &[u8]) {
    let Some((first, body)) = bytes.split_first() else { return };
    let operation = OPERATIONS[usize::from(*first) % OPERATIONS.len()];
    let (refusal, rewritten) = before_the_engine(operation, body);
    if let Some(refusal) = refusal {
        let kind = refusal["__type"].as_str().unwrap_or_default();
        assert!(kind.ends_with("Exception"), "{refusal}");
        assert!(["message", "Message"].iter().any(|name| refusal[*name].is_string()), "{refusal}");
    }
    let is_json = |body: &[u8]| serde_json::from_slice::<Value>(body).is_ok();
    assert_eq!(is_json(body), is_json(&rewritten));
}
