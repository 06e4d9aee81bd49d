//! Calls through the proxy, made by the real SDK.

use super::*;

#[tokio::test]
async fn a_conditional_put_reaches_the_table_and_its_failure_arrives_typed() {
    let database = TestDatabase::start().await;
    let client = database.client();
    let put = |client: &Client| {
        client
            .put_item()
            .table_name("Repairs_Lead_Log")
            .item("lead_id", s("LEAD-1"))
            .item("timestamp", n(7))
            .item("price", AttributeValue::N("79.90".into()))
            .condition_expression("attribute_not_exists(lead_id)")
    };
    put(&client).send().await.unwrap();
    let rows = database.database().rows("Leads").await.unwrap();
    assert_eq!(rows, [json!({ "lead_id": "LEAD-1", "timestamp": 7, "price": 79.9 })]);

    let error = put(&client).send().await.unwrap_err().into_service_error();
    assert!(matches!(error, PutItemError::ConditionalCheckFailedException(_)), "{error:?}");
}

#[tokio::test]
async fn a_transaction_is_all_or_nothing_and_its_reasons_arrive_typed() {
    let database = TestDatabase::start().await;
    let client = database.client();
    let send = |items: Vec<TransactWriteItem>| {
        client.transact_write_items().set_transact_items(Some(items)).send()
    };
    send(vec![put("+1"), put("+2")]).await.unwrap();
    let error = send(vec![put("+2"), put("+3")]).await.unwrap_err().into_service_error();
    let TransactWriteItemsError::TransactionCanceledException(cancelled) = error else {
        panic!("{error:?}")
    };
    let reasons: Vec<_> =
        cancelled.cancellation_reasons().iter().map(|r| r.code().unwrap()).collect();
    assert_eq!(reasons, ["ConditionalCheckFailed", "None"]);
    let phones = database.database().rows("OptOuts").await.unwrap();
    assert_eq!(phones, [json!({ "phone": "+1" }), json!({ "phone": "+2" })]);
}

#[tokio::test]
async fn the_journal_has_function_operation_tables_items_and_outcome() {
    let database = TestDatabase::start().await;
    let client = database.client();
    let delete = Delete::builder()
        .table_name("Repairs_Lead_Log")
        .key("lead_id", s("L"))
        .key("timestamp", n(1))
        .build()
        .unwrap();
    client
        .transact_write_items()
        .transact_items(put("+1"))
        .transact_items(TransactWriteItem::builder().delete(delete).build())
        .send()
        .await
        .unwrap();
    let missing = client.get_item().table_name("Nowhere").key("a", s("b")).send().await;
    assert!(missing.unwrap_err().into_service_error().is_resource_not_found_exception());

    let calls = database.calls();
    assert_eq!(calls[0].name, "dynamodb.TransactWriteItems");
    let ExchangeDetail::Database { function, operation, tables, items, request } = &calls[0].detail
    else {
        panic!()
    };
    assert_eq!(function.as_deref(), Some("Dispatcher"));
    assert_eq!((operation.as_str(), *items), ("TransactWriteItems", 2));
    assert_eq!(tables.as_slice(), ["Repairs_Opt_Outs", "Repairs_Lead_Log"]);
    assert_eq!(request["TransactItems"][0]["Put"]["Item"]["phone"]["S"], "+1");
    let outcome = calls[0].outcome.as_ref().unwrap();
    assert_eq!((outcome.status, outcome.error.as_deref()), (Some(200), None));

    let outcome = calls[1].outcome.as_ref().unwrap();
    assert_eq!(outcome.status, Some(400));
    assert_eq!(outcome.error.as_deref(), Some("ResourceNotFoundException"));
    assert!(outcome.response["message"].is_string());
}

#[tokio::test]
async fn without_a_function_in_the_url_calls_work_and_the_function_is_unknown() {
    let database = TestDatabase::start().await;
    let client = client(&database.database().url());
    let listed = client.list_tables().send().await.unwrap();
    assert_eq!(listed.table_names(), ["Repairs_Lead_Log", "Repairs_Opt_Outs"]);
    let described =
        client.describe_time_to_live().table_name("Repairs_Opt_Outs").send().await.unwrap();
    let ttl = described.time_to_live_description().unwrap();
    assert_eq!(ttl.attribute_name(), Some("expires_at"));
    let ExchangeDetail::Database { function, .. } = &database.calls()[0].detail else { panic!() };
    assert_eq!(*function, None);
}

#[tokio::test]
async fn indexes_can_be_queried() {
    let database = TestDatabase::start().await;
    database
        .database()
        .put_rows("Leads", &[json!({ "lead_id": "L", "timestamp": 1, "phone": "+1" })])
        .await
        .unwrap();
    let client = database.client();
    let found = client
        .query()
        .table_name("Repairs_Lead_Log")
        .index_name("ByPhone")
        .key_condition_expression("phone = :p")
        .expression_attribute_values(":p", s("+1"))
        .send();
    assert_eq!(found.await.unwrap().count(), 1);
}

/// A client that verifies the checksum must accept what passes through the proxy.
#[tokio::test]
async fn bodies_and_headers_pass_unchanged() {
    let database = TestDatabase::start().await;
    let body = r#"{"TableName":"Repairs_Opt_Outs","Item":{}}"#;
    let (head, body) = operation(&database, "PutItem", body).await;
    assert!(head.starts_with("http/1.1 400"), "{head}");
    assert!(head.contains("content-type: application/x-amz-json-1.0"), "{head}");
    assert!(head.contains("x-amzn-requestid: "), "{head}");
    let crc = format!("x-amz-crc32: {}", crc32(body.as_bytes()));
    assert!(head.contains(&crc), "{head}");
    let body: Value = serde_json::from_str(&body).unwrap();
    assert!(body["__type"].as_str().unwrap().ends_with("ValidationException"), "{body}");
    // A GET is answered and is not recorded.
    let (head, _) = raw(&database, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
    assert!(head.starts_with("http/1.1 200"), "{head}");
    assert_eq!(database.calls().len(), 1);
}

/// Calls an operation over a plain socket; returns head and body of the response.
pub(super) async fn operation(database: &TestDatabase, name: &str, body: &str) -> (String, String) {
    let request = format!(
        "POST /fn/Scheduler/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\
         X-Amz-Target: DynamoDB_20120810.{name}\r\nX-Amz-Date: 20260210T000000Z\r\n\
         Authorization: AWS4-HMAC-SHA256 Credential=a/20260210/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0\r\n\
         Content-Type: application/x-amz-json-1.0\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    raw(database, &request).await
}

/// The value of a header in a head.
pub(super) fn header<'h>(head: &'h str, name: &str) -> Option<&'h str> {
    head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}

/// Sends a request over a plain socket; returns the response's head in lower case, and its body.
async fn raw(database: &TestDatabase, request: &str) -> (String, String) {
    let address = database.database().url().replace("http://", "");
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut response = Vec::new();
    // If the connection breaks in the middle, what has arrived until then counts.
    let _ = stream.read_to_end(&mut response).await;
    let response = String::from_utf8(response).unwrap();
    let (head, body) = response.split_once("\r\n\r\n").unwrap();
    (head.to_ascii_lowercase(), body.to_owned())
}

pub(super) fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0_u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            if crc & 1 == 1 { (crc >> 1) ^ 0xEDB8_8320 } else { crc >> 1 }
        })
    })
}

#[tokio::test]
async fn injected_errors_arrive_typed_and_change_nothing() {
    let database = TestDatabase::start().await;
    let client = database.client();
    let put = || client.put_item().table_name("Repairs_Opt_Outs").item("phone", s("+1")).send();
    for (failure, code) in [
        (Failure { status: Some(400), ..Failure::default() }, "ThrottlingException"),
        (Failure { status: Some(500), ..Failure::default() }, "InternalServerError"),
        (Failure { status: Some(503), ..Failure::default() }, "ServiceUnavailable"),
        (
            Failure { code: Some("TransactionConflictException".into()), ..Failure::default() },
            "TransactionConflictException",
        ),
    ] {
        database.fail("PutItem", failure);
        let error = put().await.unwrap_err().into_service_error();
        assert_eq!(error.code(), Some(code));
        let outcome = database.calls().last().unwrap().outcome.clone().unwrap();
        assert_eq!(outcome.error.as_deref(), Some(code));
    }
    assert_eq!(database.database().rows("OptOuts").await.unwrap(), [] as [Value; 0]);
    put().await.unwrap();
}

#[tokio::test]
async fn a_cut_before_has_no_effect_and_a_cut_after_has_one() {
    let database = TestDatabase::start().await;
    let client = database.client();
    let put = || client.put_item().table_name("Repairs_Opt_Outs").item("phone", s("+1")).send();
    let rows = async || database.database().rows("OptOuts").await.unwrap().len();
    database.fail("PutItem", Failure { cut: Some(Cut::Before), ..Failure::default() });
    assert!(put().await.unwrap_err().as_service_error().is_none());
    assert_eq!(rows().await, 0);
    database.fail("PutItem", Failure { cut: Some(Cut::After), ..Failure::default() });
    assert!(put().await.unwrap_err().as_service_error().is_none());
    assert_eq!(rows().await, 1);
    let outcomes: Vec<_> = database.calls().into_iter().map(|c| c.outcome.unwrap()).collect();
    assert_eq!(outcomes[0].error.as_deref(), Some("cut"));
    assert_eq!(outcomes[1].error.as_deref(), Some("cut"));
    assert_eq!(outcomes[1].response, json!({}));
}

#[tokio::test]
async fn a_delay_delays() {
    let database = TestDatabase::start().await;
    let client = database.client();
    database.fail("GetItem", Failure { delay_ms: Some(60_000), ..Failure::default() });
    let get = client.get_item().table_name("Repairs_Opt_Outs").key("phone", s("+1")).send();
    assert!(tokio::time::timeout(Duration::from_millis(100), get).await.is_err());
    // The caller gave up, so the exchange ends as cut, without a response.
    let mut changes = database.journal().watch();
    while database.calls()[0].outcome.is_none() {
        until("the end of the abandoned call", changes.changed()).await.unwrap();
    }
    assert_eq!(database.calls()[0].outcome.as_ref().unwrap().error.as_deref(), Some("cut"));
}

fn delayed(delay_ms: u64) -> Failure {
    Failure { delay_ms: Some(delay_ms), ..Failure::default() }
}

/// Puts a row with a delay, and stops waiting once the call has arrived and been delayed.
async fn abandoned_put(database: &TestDatabase, failure: Failure) {
    let mut changes = database.journal().watch();
    database.fail("PutItem", failure);
    let client = database.client();
    let put = client.put_item().table_name("Repairs_Opt_Outs").item("phone", s("+1")).send();
    tokio::select! {
        biased;
        _ = changes.wait_for(|_| !database.calls().is_empty()) => {}
        _ = put => panic!("it is delayed"),
    }
    // Its end in the journal comes after its delay has begun.
    let ended = |_: &u64| database.calls()[0].outcome.is_some();
    until("the end of the abandoned call", changes.wait_for(ended)).await.unwrap();
}

#[tokio::test]
async fn a_delayed_call_is_carried_out_without_its_caller_and_waited_for() {
    let database = TestDatabase::start().await;
    abandoned_put(&database, delayed(1000)).await;
    until("the delayed call", database.database().settled()).await;
    assert_eq!(database.database().rows("OptOuts").await.unwrap(), [json!({ "phone": "+1" })]);
    assert!(database.database().begun_if_idle().is_some());
}

#[tokio::test]
async fn a_delayed_call_whose_response_fails_is_carried_out_without_its_caller_too() {
    for failure in [
        Failure { cut: Some(Cut::After), ..delayed(1000) },
        Failure { database_fault: Some(DatabaseFault::WrongCrc), ..delayed(1000) },
    ] {
        let database = TestDatabase::start().await;
        abandoned_put(&database, failure.clone()).await;
        until("the delayed call", database.database().settled()).await;
        let rows = database.database().rows("OptOuts").await.unwrap();
        assert_eq!(rows, [json!({ "phone": "+1" })], "{failure:?}");
    }
}

#[tokio::test]
async fn a_delayed_call_that_never_reaches_the_database_has_no_effect() {
    for failure in [
        Failure { cut: Some(Cut::Before), ..delayed(1000) },
        Failure { status: Some(500), ..delayed(1000) },
    ] {
        let database = TestDatabase::start().await;
        abandoned_put(&database, failure.clone()).await;
        until("nothing", database.database().settled()).await;
        let rows = database.database().rows("OptOuts").await.unwrap();
        assert_eq!(rows, [] as [Value; 0], "{failure:?}");
    }
}

#[tokio::test]
async fn a_delayed_call_that_is_abandoned_has_no_effect_and_is_not_waited_for() {
    let database = TestDatabase::start().await;
    abandoned_put(&database, delayed(5_000)).await;
    assert_eq!(database.database().begun_if_idle(), None);
    until("its end", database.database().abandon_delayed_calls()).await;
    until("nothing", database.database().settled()).await;
    assert_eq!(database.database().rows("OptOuts").await.unwrap(), [] as [Value; 0]);
}

#[tokio::test]
async fn a_call_that_hangs_is_not_waited_for() {
    let database = TestDatabase::start().await;
    abandoned_put(&database, delayed(5_001)).await;
    assert!(database.database().begun_if_idle().is_some());
    until("nothing", database.database().settled()).await;
    assert_eq!(database.database().rows("OptOuts").await.unwrap(), [] as [Value; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_concurrent_conditional_puts_exactly_one_succeeds() {
    let database = TestDatabase::start().await;
    let client = database.client();
    let tasks: Vec<_> = (0..40)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move {
                client.transact_write_items().transact_items(put("+1")).send().await.is_ok()
            })
        })
        .collect();
    let mut winners = 0;
    for task in tasks {
        winners += u32::from(task.await.unwrap());
    }
    assert_eq!(winners, 1);
}
