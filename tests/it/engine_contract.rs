//! What the backend relies on in an engine, at its limits, on each of them.
//!
//! `REHEARSE_DYNAMODB=http://127.0.0.1:8000` tries another engine as well.

use serde_json::{Value, json};

use crate::endpoint::{Embedded, Endpoint, Local};

/// DynamoDB's largest item, bytes.
const MAX_ITEM: usize = 400 * 1024;

async fn ok(endpoint: &Endpoint, operation: &str, request: Value) -> Value {
    let (status, body) = endpoint.call(operation, &request).await;
    assert_eq!(status, 200, "{operation}: {body}");
    body
}

async fn refused(endpoint: &Endpoint, operation: &str, request: Value) -> String {
    let (status, body) = endpoint.call(operation, &request).await;
    assert_eq!(status, 400, "{operation}: {body}");
    body["__type"].as_str().unwrap_or_default().rsplit('#').next().unwrap_or_default().to_owned()
}

fn row(pk: &str, sk: &str, more: Value) -> Value {
    let mut row = json!({ "pk": { "S": pk }, "sk": { "S": sk } });
    for (name, value) in more.as_object().into_iter().flatten() {
        row[name] = value.clone();
    }
    row
}

async fn put(endpoint: &Endpoint, row: Value) {
    ok(endpoint, "PutItem", json!({ "TableName": "Rows", "Item": row })).await;
}

async fn get(endpoint: &Endpoint, pk: &str, sk: &str) -> Value {
    let key = json!({ "pk": { "S": pk }, "sk": { "S": sk } });
    let request = json!({ "TableName": "Rows", "Key": key, "ConsistentRead": true });
    ok(endpoint, "GetItem", request).await["Item"].take()
}

fn of(pk: &str) -> Value {
    json!({
        "TableName": "Rows", "ConsistentRead": true, "KeyConditionExpression": "pk = :pk",
        "ExpressionAttributeValues": { ":pk": { "S": pk } },
    })
}

async fn contract(endpoint: &Endpoint) {
    let key = |name: &str, role: &str| json!({ "AttributeName": name, "KeyType": role });
    let table = json!({
        "TableName": "Rows",
        "KeySchema": [key("pk", "HASH"), key("sk", "RANGE")],
        "AttributeDefinitions": [
            { "AttributeName": "pk", "AttributeType": "S" },
            { "AttributeName": "sk", "AttributeType": "S" },
            { "AttributeName": "kind", "AttributeType": "S" },
        ],
        "BillingMode": "PAY_PER_REQUEST",
        "GlobalSecondaryIndexes": [{
            "IndexName": "ByKind", "KeySchema": [key("kind", "HASH")],
            "Projection": { "ProjectionType": "ALL" },
        }],
    });
    ok(endpoint, "CreateTable", table).await;
    numbers_and_texts(endpoint).await;
    a_query_of_more_than_a_megabyte(endpoint).await;
    index_reads(endpoint).await;
    rows_whose_time_is_over(endpoint).await;
    sizes(endpoint).await;
    transactions(endpoint).await;
}

async fn numbers_and_texts(endpoint: &Endpoint) {
    let long = "12345678901234567890123456789012345678";
    let number = |n: &str| json!({ "n": { "N": n } });
    put(endpoint, row("n", "38", number(long))).await;
    assert_eq!(get(endpoint, "n", "38").await["n"]["N"], long, "no digit is lost");
    put(endpoint, row("n", "small", number("0.00000000000000000000000000000000000001"))).await;
    for wrong in [&format!("{long}9"), "1e126", "1e-131", "NaN", ""] {
        let item = row("n", "wrong", number(wrong));
        let code = refused(endpoint, "PutItem", json!({ "TableName": "Rows", "Item": item })).await;
        assert_eq!(code, "ValidationException", "{wrong}");
    }
    put(endpoint, row("n", "empty", json!({ "text": { "S": "" }, "list": { "L": [] } }))).await;
    assert_eq!(get(endpoint, "n", "empty").await["text"]["S"], "");
    let code = refused(
        endpoint,
        "PutItem",
        json!({ "TableName": "Rows", "Item": row("", "a", json!({})) }),
    );
    assert_eq!(code.await, "ValidationException", "but no key is empty");
    // Ordered by bytes, whatever a language makes of them.
    for sk in ["z", "é", "Z", "日本", "🦀", "a"] {
        put(endpoint, row("ключ", sk, json!({}))).await;
    }
    let found = ok(endpoint, "Query", of("ключ")).await;
    let order: Vec<&str> =
        found["Items"].as_array().unwrap().iter().map(|i| i["sk"]["S"].as_str().unwrap()).collect();
    assert_eq!(order, ["Z", "a", "z", "é", "日本", "🦀"]);
}

async fn a_query_of_more_than_a_megabyte(endpoint: &Endpoint) {
    for n in 0..5 {
        let text = json!({ "text": { "S": "x".repeat(300_000) } });
        put(endpoint, row("pages", &n.to_string(), text)).await;
    }
    let first = ok(endpoint, "Query", of("pages")).await;
    let seen = first["Items"].as_array().unwrap().len();
    assert!((3..5).contains(&seen), "a page of {seen} rows of 300 kB");
    let mut next = of("pages");
    next["ExclusiveStartKey"] = first["LastEvaluatedKey"].clone();
    let second = ok(endpoint, "Query", next).await;
    assert_eq!(second["Items"].as_array().unwrap().len(), 5 - seen);
    assert_eq!(second.get("LastEvaluatedKey"), None);
}

async fn index_reads(endpoint: &Endpoint) {
    put(endpoint, row("i", "in", json!({ "kind": { "S": "slot" } }))).await;
    put(endpoint, row("i", "out", json!({}))).await;
    let query = json!({
        "TableName": "Rows", "IndexName": "ByKind", "KeyConditionExpression": "kind = :kind",
        "ExpressionAttributeValues": { ":kind": { "S": "slot" } },
    });
    let found = ok(endpoint, "Query", query.clone()).await;
    assert_eq!(found["Items"], json!([row("i", "in", json!({ "kind": { "S": "slot" } }))]));
    let mut consistent = query;
    consistent["ConsistentRead"] = true.into();
    assert_eq!(refused(endpoint, "Query", consistent).await, "ValidationException");
    let key = json!({ "pk": { "S": "i" }, "sk": { "S": "in" } });
    ok(endpoint, "DeleteItem", json!({ "TableName": "Rows", "Key": key })).await;
}

/// DynamoDB removes them within days, not at once: whoever reads must look at the time.
async fn rows_whose_time_is_over(endpoint: &Endpoint) {
    let ttl = json!({ "AttributeName": "expires_at", "Enabled": true });
    ok(
        endpoint,
        "UpdateTimeToLive",
        json!({ "TableName": "Rows", "TimeToLiveSpecification": ttl }),
    )
    .await;
    // Longer ago than five years is never removed, by DynamoDB's own rule.
    put(endpoint, row("ttl", "over", json!({ "expires_at": { "N": "1" } }))).await;
    assert_eq!(get(endpoint, "ttl", "over").await["expires_at"]["N"], "1");
    assert_eq!(ok(endpoint, "Query", of("ttl")).await["Count"], 1);
}

async fn sizes(endpoint: &Endpoint) {
    // Names count as well: `pk`, `sk`, `text`, and the two keys.
    let fits = MAX_ITEM - "pk".len() - "size".len() - "sk".len() - "a".len() - "text".len();
    let item = |bytes: usize| row("size", "a", json!({ "text": { "S": "x".repeat(bytes) } }));
    put(endpoint, item(fits)).await;
    let over = json!({ "TableName": "Rows", "Item": item(fits + 1) });
    assert_eq!(refused(endpoint, "PutItem", over).await, "ValidationException");
    let kept = get(endpoint, "size", "a").await;
    assert_eq!(kept["text"]["S"].as_str().map(str::len), Some(fits), "the old one stays");
}

async fn transactions(endpoint: &Endpoint) {
    let puts = |count: usize| -> Vec<Value> {
        let put = |n: usize| json!({ "Put": { "TableName": "Rows", "Item": row("t", &format!("{n:03}"), json!({})) } });
        (0..count).map(put).collect()
    };
    ok(endpoint, "TransactWriteItems", json!({ "TransactItems": puts(100) })).await;
    assert_eq!(ok(endpoint, "Query", of("t")).await["Count"], 100);
    let many = json!({ "TransactItems": puts(101) });
    assert_eq!(refused(endpoint, "TransactWriteItems", many).await, "ValidationException");

    let check = json!({ "ConditionCheck": {
        "TableName": "Rows", "Key": row("t", "none", json!({})),
        "ConditionExpression": "attribute_exists(pk)",
    } });
    let write = json!({ "Put": { "TableName": "Rows", "Item": row("t", "new", json!({})) } });
    let both = json!({ "TransactItems": [write, check], "ClientRequestToken": "all-or-nothing" });
    assert_eq!(refused(endpoint, "TransactWriteItems", both).await, "TransactionCanceledException");
    assert_eq!(get(endpoint, "t", "new").await, Value::Null);

    for change in ["SET sk = :v", "REMOVE sk"] {
        let values = json!({ ":v": { "S": "other" } });
        let mut update = json!({
            "TableName": "Rows", "Key": row("t", "001", json!({})), "UpdateExpression": change,
        });
        if change.contains(":v") {
            update["ExpressionAttributeValues"] = values;
        }
        let request = json!({ "TransactItems": [{ "Update": update }] });
        let code = refused(endpoint, "TransactWriteItems", request).await;
        assert_eq!(code, "TransactionCanceledException", "{change}: a key stays what it is");
        assert_eq!(get(endpoint, "t", "001").await, row("t", "001", json!({})), "{change}");
    }

    let add = |n: &str| {
        json!({ "ClientRequestToken": "once", "TransactItems": [{ "Update": {
        "TableName": "Rows", "Key": row("t", "000", json!({})),
        "UpdateExpression": "ADD v :n", "ExpressionAttributeValues": { ":n": { "N": n } },
    } }] })
    };
    for _ in 0..3 {
        ok(endpoint, "TransactWriteItems", add("1")).await;
    }
    assert_eq!(get(endpoint, "t", "000").await["v"]["N"], "1", "a repeated token changes nothing");
    let code = refused(endpoint, "TransactWriteItems", add("2")).await;
    assert_eq!(code, "IdempotentParameterMismatchException");
}

#[tokio::test]
async fn embedded() {
    let engine = Embedded::start().await;
    contract(&engine.endpoint()).await;
}

#[tokio::test]
async fn dynamodb_local() {
    let Some(local) = Local::start().await else { return };
    contract(&local.endpoint()).await;
}

#[tokio::test]
async fn an_endpoint_that_is_named() {
    let url = std::env::var("REHEARSE_DYNAMODB").ok().filter(|url| url.contains("://"));
    let Some(url) = url else {
        eprintln!("skipped: REHEARSE_DYNAMODB names no URL");
        return;
    };
    contract(&Endpoint::new(url, "contract")).await;
}
