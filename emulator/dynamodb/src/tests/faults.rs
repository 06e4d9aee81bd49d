//! Injected faults: what they look like on the wire, and which calls they are injected into.

use super::*;

const TOKEN: &str = "0123456789abcdef0123456789abcdef";

fn database_fault(database_fault: DatabaseFault) -> Failure {
    Failure { database_fault: Some(database_fault), ..Failure::default() }
}

fn target(table: &str, key: Value) -> FaultTarget {
    FaultTarget { table: Some(table.into()), key: key.as_object().cloned().unwrap_or_default() }
}

impl TestDatabase {
    fn arm(&self, on: &str, failure: Failure, target: FaultTarget) {
        self.faults().arm(Fault { on: on.into(), failure, target, ..Fault::default() });
    }

    fn last_error(&self) -> Option<String> {
        self.calls().last()?.outcome.clone()?.error
    }
}

fn lead(
    client: &Client,
    id: &str,
) -> aws_sdk_dynamodb::operation::put_item::builders::PutItemFluentBuilder {
    client.put_item().table_name("Repairs_Lead_Log").item("lead_id", s(id)).item("timestamp", n(1))
}

#[tokio::test]
async fn a_conflict_is_typed_for_single_writes_and_for_transactions() {
    let database = TestDatabase::start().await;
    let client = database.client();
    database.fail("PutItem", database_fault(DatabaseFault::Conflict));
    let error = lead(&client, "L").send().await.unwrap_err().into_service_error();
    assert!(matches!(error, PutItemError::TransactionConflictException(_)), "{error:?}");

    let held = target("OptOuts", json!({ "phone": "+2" }));
    database.arm("dynamodb.TransactWriteItems", database_fault(DatabaseFault::Conflict), held);
    let both = client.transact_write_items().transact_items(put("+1")).transact_items(put("+2"));
    let error = both.send().await.unwrap_err().into_service_error();
    let TransactWriteItemsError::TransactionCanceledException(canceled) = error else { panic!() };
    let codes: Vec<_> = canceled.cancellation_reasons().iter().filter_map(|r| r.code()).collect();
    assert_eq!(codes, ["None", "TransactionConflict"]);
    assert_eq!(database.database().rows("OptOuts").await.unwrap(), [] as [Value; 0]);
    assert_eq!(database.last_error().as_deref(), Some("TransactionCanceledException"));
}

#[tokio::test]
async fn faults_are_chosen_by_table_and_key() {
    let database = TestDatabase::start().await;
    let client = database.client();
    let down = || Failure { status: Some(500), ..Failure::default() };
    database.arm("dynamodb.*", down(), target("OptOuts", json!({})));
    database.arm("dynamodb.Query", down(), target("Leads", json!({ "lead_id": "L2" })));
    lead(&client, "L1").send().await.unwrap();
    assert!(client.scan().table_name("Repairs_Opt_Outs").send().await.is_err());
    let query = |id: &str| {
        let query = client.query().table_name("Repairs_Lead_Log");
        query
            .key_condition_expression("lead_id = :id")
            .expression_attribute_values(":id", s(id))
            .send()
    };
    assert!(query("L1").await.is_ok());
    assert!(query("L2").await.is_err());
}

#[tokio::test]
async fn a_truncated_body_and_a_wrong_checksum_arrive_after_the_write() {
    let database = TestDatabase::start().await;
    let client = database.client();
    database.fail("PutItem", database_fault(DatabaseFault::Truncated));
    assert!(lead(&client, "L").send().await.unwrap_err().as_service_error().is_none());
    assert_eq!(database.database().rows("Leads").await.unwrap().len(), 1);
    assert_eq!(database.last_error().as_deref(), Some("truncated"));
    assert_eq!(database.calls()[0].outcome.as_ref().unwrap().response, json!({}), "kept whole");

    let get =
        r#"{"TableName":"Repairs_Lead_Log","Key":{"lead_id":{"S":"L"},"timestamp":{"N":"1"}}}"#;
    database.fail("GetItem", database_fault(DatabaseFault::Truncated));
    let (head, body) = calls::operation(&database, "GetItem", get).await;
    let length: usize = calls::header(&head, "content-length").unwrap().parse().unwrap();
    assert_eq!(body.len(), length / 2, "{head}{body}");

    database.fail("GetItem", database_fault(DatabaseFault::WrongCrc));
    let (head, body) = calls::operation(&database, "GetItem", get).await;
    let sent: u32 = calls::header(&head, "x-amz-crc32").unwrap().parse().unwrap();
    assert_ne!(sent, calls::crc32(body.as_bytes()));
    assert_eq!(database.last_error().as_deref(), Some("wrong-crc"));
}

/// After ten minutes a repeated transaction is a new one, which conflicts with its own rows.
#[tokio::test]
async fn an_expired_token_is_one_that_the_engine_has_never_seen() {
    let database = TestDatabase::start().await;
    let client = database.client();
    let transact = || {
        let transact = client.transact_write_items().transact_items(put("+1"));
        transact.client_request_token(TOKEN).send()
    };
    transact().await.unwrap();
    transact().await.unwrap();
    database.fail("TransactWriteItems", database_fault(DatabaseFault::ExpiredToken));
    let error = transact().await.unwrap_err().into_service_error();
    let TransactWriteItemsError::TransactionCanceledException(canceled) = error else { panic!() };
    assert_eq!(canceled.cancellation_reasons()[0].code(), Some("ConditionalCheckFailed"));
    let calls = database.calls();
    let ExchangeDetail::Database { request, .. } = &calls.last().unwrap().detail else { panic!() };
    assert_eq!(request["ClientRequestToken"], TOKEN, "the journal has what the caller sent");
}

#[tokio::test]
async fn stale_reads_see_earlier_rows_and_consistent_reads_current_ones() {
    let database = TestDatabase::start().await;
    let client = database.client();
    let row = |id: &str, at: i64| json!({ "lead_id": id, "timestamp": at, "phone": "+1" });
    database.database().put_rows("Leads", &[row("old", 1), row("gone", 2)]).await.unwrap();
    for operation in ["GetItem", "Query", "Scan", "BatchGetItem"] {
        database.arm(
            &format!("dynamodb.{operation}"),
            database_fault(DatabaseFault::Stale),
            FaultTarget::default(),
        );
    }
    let by_phone = || {
        let query = client.query().table_name("Repairs_Lead_Log").index_name("ByPhone");
        let query = query.key_condition_expression("phone = :p");
        query.expression_attribute_values(":p", s("+1")).send()
    };
    // Nothing was written since the fault was armed, so stale rows are the current ones.
    assert_eq!(by_phone().await.unwrap().count(), 2);

    lead(&client, "new").item("phone", s("+1")).send().await.unwrap();
    let key =
        |id: &str, at: i64| HashMap::from([("lead_id".into(), s(id)), ("timestamp".into(), n(at))]);
    let delete = client.delete_item().table_name("Repairs_Lead_Log");
    delete.set_key(Some(key("gone", 2))).send().await.unwrap();

    let seen = by_phone().await.unwrap();
    let mut ids: Vec<_> = seen.items().iter().map(|i| i["lead_id"].as_s().unwrap()).collect();
    ids.sort();
    assert_eq!(ids, ["gone", "old"], "an index, with the row that is gone and without the new one");
    let get = |id: &str, at: i64, consistent: bool| {
        let get = client.get_item().table_name("Repairs_Lead_Log").set_key(Some(key(id, at)));
        get.consistent_read(consistent).send()
    };
    assert_eq!(get("new", 1, false).await.unwrap().item, None, "no row yet");
    assert_eq!(database.last_error().as_deref(), Some("stale"));
    assert!(get("gone", 2, false).await.unwrap().item.is_some());
    assert!(get("new", 1, true).await.unwrap().item.is_some());
    assert_eq!(client.scan().table_name("Repairs_Lead_Log").send().await.unwrap().count(), 2);
    assert_eq!(
        database.database().rows("Leads").await.unwrap().len(),
        2,
        "the rows themselves are as written"
    );

    // A fault that is armed later freezes the rows of its own moment.
    database.faults().clear();
    database.arm("dynamodb.GetItem", database_fault(DatabaseFault::Stale), FaultTarget::default());
    assert!(get("new", 1, false).await.unwrap().item.is_some());
}
