//! Fifty clients want one slot, two hundred times on each engine, by single writes and by transactions: exactly one gets it.

use futures::future::join_all;
use serde_json::{Value, json};

use crate::endpoint::{Embedded, Endpoint, Local};

const CLIENTS: usize = 50;
/// Of each kind.
const ROUNDS: usize = 200;

async fn made(endpoint: &Endpoint) {
    let table = json!({
        "TableName": "Slots",
        "KeySchema": [{ "AttributeName": "slot", "KeyType": "HASH" }],
        "AttributeDefinitions": [{ "AttributeName": "slot", "AttributeType": "S" }],
        "BillingMode": "PAY_PER_REQUEST",
    });
    let (status, body) = endpoint.call("CreateTable", &table).await;
    assert_eq!(status, 200, "{body}");
}

fn put(round: usize, client: usize) -> Value {
    json!({
        "TableName": "Slots",
        "Item": { "slot": { "S": format!("round {round}") }, "holder": { "S": format!("client {client}") } },
        "ConditionExpression": "attribute_not_exists(slot)",
    })
}

fn code(body: &Value) -> &str {
    body["__type"].as_str().unwrap_or_default().rsplit('#').next().unwrap_or_default()
}

async fn single_writes(endpoint: &Endpoint, round: usize) -> Vec<usize> {
    let all = (0..CLIENTS).map(|client| async move {
        let (status, body) = endpoint.call("PutItem", &put(round, client)).await;
        if status != 200 {
            assert_eq!(code(&body), "ConditionalCheckFailedException", "{body}");
        }
        (status == 200).then_some(client)
    });
    join_all(all).await.into_iter().flatten().collect()
}

async fn transactions(endpoint: &Endpoint, round: usize) -> Vec<usize> {
    let all = (0..CLIENTS).map(|client| async move {
        let note = json!({
            "TableName": "Slots",
            "Item": { "slot": { "S": format!("note {round} {client}") } },
        });
        let both = json!([{ "Put": put(round, client) }, { "Put": note }]);
        let request = json!({
            "TransactItems": both, "ClientRequestToken": format!("{round} {client}"),
        });
        let (status, body) = endpoint.call("TransactWriteItems", &request).await;
        if status != 200 {
            assert_eq!(code(&body), "TransactionCanceledException", "{body}");
            assert_eq!(body["CancellationReasons"][0]["Code"], "ConditionalCheckFailed", "{body}");
            assert_eq!(body["CancellationReasons"][1]["Code"], "None", "{body}");
        }
        (status == 200).then_some(client)
    });
    join_all(all).await.into_iter().flatten().collect()
}

async fn one_winner_each_time(endpoint: &Endpoint) {
    made(endpoint).await;
    for round in 0..ROUNDS {
        for (round, winners) in [
            (2 * round, single_writes(endpoint, 2 * round).await),
            (2 * round + 1, transactions(endpoint, 2 * round + 1).await),
        ] {
            let [winner] = winners[..] else { panic!("round {round} was won by {winners:?}") };
            let key = json!({
                "TableName": "Slots", "Key": { "slot": { "S": format!("round {round}") } },
                "ConsistentRead": true,
            });
            let (_, row) = endpoint.call("GetItem", &key).await;
            assert_eq!(row["Item"]["holder"]["S"], format!("client {winner}"), "round {round}");
        }
    }
    // A transaction that lost wrote nothing of what it brought along.
    let notes = endpoint.rows("Slots").await;
    let notes = notes.iter().filter(|row| row["slot"]["S"].as_str().unwrap().starts_with("note"));
    assert_eq!(notes.count(), ROUNDS);
}

#[tokio::test]
async fn embedded() {
    let engine = Embedded::start().await;
    one_winner_each_time(&engine.endpoint()).await;
}

#[tokio::test]
async fn dynamodb_local() {
    let Some(local) = Local::start().await else { return };
    one_winner_each_time(&local.endpoint()).await;
}
