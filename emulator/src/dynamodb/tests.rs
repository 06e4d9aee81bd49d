use std::{collections::HashMap, io::Write, net::TcpListener, time::Duration};

use aws_sdk_dynamodb::{
    Client, Config,
    config::{BehaviorVersion, Credentials, Region, retry::RetryConfig},
    error::ProvideErrorMetadata,
    operation::{put_item::PutItemError, transact_write_items::TransactWriteItemsError},
    types::{AttributeValue, Delete, Put, TransactWriteItem},
};
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;
use crate::{
    clock::Clock,
    faults::{Cut, Failure, Fault, Faults},
    journal::{Crossing, Entry, Journal},
};

fn attribute(name: &str, kind: AttributeKind) -> Attribute {
    Attribute { name: name.into(), kind }
}

fn tables() -> Vec<TableSpec> {
    let lead_key = Key {
        hash: attribute("lead_id", AttributeKind::String),
        range: Some(attribute("timestamp", AttributeKind::Number)),
    };
    let by_phone = Index {
        name: "ByPhone".into(),
        key: Key { hash: attribute("phone", AttributeKind::String), range: None },
        global: true,
        projection: Projection::All,
    };
    vec![
        TableSpec {
            id: "Leads".into(),
            name: "Repairs_Lead_Log".into(),
            key: lead_key,
            indexes: vec![by_phone],
            ttl: None,
        },
        TableSpec {
            id: "OptOuts".into(),
            name: "Repairs_Opt_Outs".into(),
            key: Key { hash: attribute("phone", AttributeKind::String), range: None },
            indexes: Vec::new(),
            ttl: Some("expires_at".into()),
        },
    ]
}

/// A database, what it records, and what can go wrong.
struct Lab {
    database: Database,
    journal: Journal,
    faults: Faults,
    engine: Engine,
}

impl Lab {
    fn start() -> Self {
        let clock = Clock::stopped(Timestamp::UNIX_EPOCH);
        let journal = Journal::new(clock.clone());
        let faults = Faults::default();
        let engine = Engine::start().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let database =
            Database::start(listener, &engine, &tables(), journal.clone(), clock, faults.clone())
                .unwrap();
        Self { database, journal, faults, engine }
    }

    /// The SDK as a function uses it; no retries, so that every failure is seen.
    fn client(&self) -> Client {
        client(&format!("{}/fn/Dispatcher", self.database.url()))
    }

    fn fail(&self, operation: &str, failure: Failure) {
        let on = format!("dynamodb.{operation}");
        self.faults.arm(Fault { on, failure, skip: 0, times: Some(1) });
    }

    fn calls(&self) -> Vec<Entry> {
        let entries = self.journal.since(0).into_iter();
        entries.filter(|e| matches!(e.crossing, Crossing::Database { .. })).collect()
    }
}

fn client(url: &str) -> Client {
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .endpoint_url(url)
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("rehearse", "rehearse", None, None, "test"))
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .retry_config(RetryConfig::disabled())
        .build();
    Client::from_conf(config)
}

fn s(text: &str) -> AttributeValue {
    AttributeValue::S(text.into())
}

fn n(number: i64) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

fn put(phone: &str) -> TransactWriteItem {
    let put = Put::builder()
        .table_name("Repairs_Opt_Outs")
        .item("phone", s(phone))
        .condition_expression("attribute_not_exists(phone)");
    TransactWriteItem::builder().put(put.build().unwrap()).build()
}

#[tokio::test]
async fn a_conditional_put_reaches_the_table_and_its_failure_arrives_typed() {
    let lab = Lab::start();
    let client = lab.client();
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
    let rows = lab.database.rows("Leads").unwrap();
    assert_eq!(rows, [json!({ "lead_id": "LEAD-1", "timestamp": 7, "price": 79.9 })]);

    let error = put(&client).send().await.unwrap_err().into_service_error();
    assert!(matches!(error, PutItemError::ConditionalCheckFailedException(_)), "{error:?}");
}

#[tokio::test]
async fn a_transaction_is_all_or_nothing_and_its_reasons_arrive_typed() {
    let lab = Lab::start();
    let client = lab.client();
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
    let phones = lab.database.rows("OptOuts").unwrap();
    assert_eq!(phones, [json!({ "phone": "+1" }), json!({ "phone": "+2" })]);
}

#[tokio::test]
async fn the_journal_has_function_operation_tables_items_and_outcome() {
    let lab = Lab::start();
    let client = lab.client();
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

    let calls = lab.calls();
    assert_eq!(calls[0].name, "dynamodb.TransactWriteItems");
    let Crossing::Database { function, operation, tables, items, request } = &calls[0].crossing
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
    assert!(outcome.answer["message"].is_string());
}

#[tokio::test]
async fn without_a_prefix_the_function_is_unknown_and_everything_works() {
    let lab = Lab::start();
    let client = client(&lab.database.url());
    let listed = client.list_tables().send().await.unwrap();
    assert_eq!(listed.table_names(), ["Repairs_Lead_Log", "Repairs_Opt_Outs"]);
    let described =
        client.describe_time_to_live().table_name("Repairs_Opt_Outs").send().await.unwrap();
    let ttl = described.time_to_live_description().unwrap();
    assert_eq!(ttl.attribute_name(), Some("expires_at"));
    let Crossing::Database { function, .. } = &lab.calls()[0].crossing else { panic!() };
    assert_eq!(*function, None);
}

#[tokio::test]
async fn indexes_are_there() {
    let lab = Lab::start();
    lab.database
        .put_rows("Leads", &[json!({ "lead_id": "L", "timestamp": 1, "phone": "+1" })])
        .unwrap();
    let client = lab.client();
    let found = client
        .query()
        .table_name("Repairs_Lead_Log")
        .index_name("ByPhone")
        .key_condition_expression("phone = :p")
        .expression_attribute_values(":p", s("+1"))
        .send();
    assert_eq!(found.await.unwrap().count(), 1);
}

/// Bytes and headers as the engine sent them: a client that checks the checksum must be content.
#[tokio::test]
async fn bodies_and_headers_pass_unchanged() {
    let lab = Lab::start();
    let body = r#"{"TableName":"Repairs_Opt_Outs","Item":{}}"#;
    let (head, body) = raw(
        &lab,
        &format!(
            "POST /fn/Scheduler/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\
             X-Amz-Target: DynamoDB_20120810.PutItem\r\nX-Amz-Date: 20260210T000000Z\r\n\
             Authorization: AWS4-HMAC-SHA256 Credential=a/20260210/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0\r\n\
             Content-Type: application/x-amz-json-1.0\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        ),
    )
    .await;
    assert!(head.starts_with("http/1.1 400"), "{head}");
    assert!(head.contains("content-type: application/x-amz-json-1.0"), "{head}");
    assert!(head.contains("x-amzn-requestid: "), "{head}");
    let crc = format!("x-amz-crc32: {}", crc32(body.as_bytes()));
    assert!(head.contains(&crc), "{head}");
    let body: Value = serde_json::from_str(&body).unwrap();
    assert!(body["__type"].as_str().unwrap().ends_with("ValidationException"), "{body}");
    // A look by hand is answered and is no call.
    let (head, _) = raw(&lab, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
    assert!(head.starts_with("http/1.1 200"), "{head}");
    assert_eq!(lab.calls().len(), 1);
}

/// Sends bytes; the answer's head in lower case, and its body.
async fn raw(lab: &Lab, request: &str) -> (String, String) {
    let address = lab.database.url().replace("http://", "");
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.to_ascii_lowercase(), body.to_owned())
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0_u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            if crc & 1 == 1 { (crc >> 1) ^ 0xEDB8_8320 } else { crc >> 1 }
        })
    })
}

#[tokio::test]
async fn injected_errors_arrive_typed_and_change_nothing() {
    let lab = Lab::start();
    let client = lab.client();
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
        lab.fail("PutItem", failure);
        let error = put().await.unwrap_err().into_service_error();
        assert_eq!(error.code(), Some(code));
        let outcome = lab.calls().last().unwrap().outcome.clone().unwrap();
        assert_eq!(outcome.error.as_deref(), Some(code));
    }
    assert_eq!(lab.database.rows("OptOuts").unwrap(), [] as [Value; 0]);
    put().await.unwrap();
}

#[tokio::test]
async fn a_cut_before_has_no_effect_and_a_cut_after_has_one() {
    let lab = Lab::start();
    let client = lab.client();
    let put = || client.put_item().table_name("Repairs_Opt_Outs").item("phone", s("+1")).send();
    let rows = || lab.database.rows("OptOuts").unwrap().len();
    lab.fail("PutItem", Failure { cut: Some(Cut::Before), ..Failure::default() });
    assert!(put().await.unwrap_err().as_service_error().is_none());
    assert_eq!(rows(), 0);
    lab.fail("PutItem", Failure { cut: Some(Cut::After), ..Failure::default() });
    assert!(put().await.unwrap_err().as_service_error().is_none());
    assert_eq!(rows(), 1);
    let outcomes: Vec<_> = lab.calls().into_iter().map(|c| c.outcome.unwrap()).collect();
    assert_eq!(outcomes[0].error.as_deref(), Some("cut"));
    assert_eq!(outcomes[1].error.as_deref(), Some("cut"));
    assert_eq!(outcomes[1].answer, json!({}));
}

#[tokio::test]
async fn a_delay_delays() {
    let lab = Lab::start();
    let client = lab.client();
    lab.fail("GetItem", Failure { delay_ms: Some(60_000), ..Failure::default() });
    let get = client.get_item().table_name("Repairs_Opt_Outs").key("phone", s("+1")).send();
    assert!(tokio::time::timeout(Duration::from_millis(100), get).await.is_err());
    // The caller went away: the crossing ends as cut, without an answer.
    let mut changes = lab.journal.watch();
    while lab.calls()[0].outcome.is_none() {
        changes.changed().await.unwrap();
    }
    assert_eq!(lab.calls()[0].outcome.as_ref().unwrap().error.as_deref(), Some("cut"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_at_once_exactly_one_wins() {
    let lab = Lab::start();
    let client = lab.client();
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

#[tokio::test]
async fn rows_are_ordered_by_key_numbers_by_size() {
    let lab = Lab::start();
    let row = |id: &str, at: i64| json!({ "lead_id": id, "timestamp": at });
    lab.database.put_rows("Leads", &[row("b", 1), row("a", 10), row("a", 9)]).unwrap();
    let rows = lab.database.snapshot("Leads").unwrap();
    assert_eq!(rows, [row("a", 9), row("a", 10), row("b", 1)]);
    let entries = lab.journal.since(0);
    let Crossing::Rows { table, rows } = &entries[0].crossing else { panic!() };
    assert_eq!((table.as_str(), rows.len()), ("Leads", 3));
    lab.database.empty().unwrap();
    assert_eq!(lab.database.rows("Leads").unwrap().len(), 0);
}

#[tokio::test]
async fn rows_that_do_not_fit_and_tables_that_are_not_there_are_refused() {
    let lab = Lab::start();
    let error = lab.database.rows("Lead").unwrap_err();
    assert_eq!(error.to_string(), "there is no table `Lead`; did you mean `Leads`?");
    let error = lab.database.put_rows("Leads", &[json!({ "lead_id": "L" })]).unwrap_err();
    assert!(matches!(error, DatabaseError::Row(row::RowError::MissingKey { .. })));
    let error = lab.database.put_rows("OptOuts", &[json!({ "phone": "+1", "n": 1e200 })]);
    assert!(matches!(error, Err(DatabaseError::Engine { .. })), "{error:?}");
}

/// A table of 3 MB takes several pages.
#[tokio::test]
async fn every_page_is_read() {
    let lab = Lab::start();
    let row = |n: u32| json!({ "phone": format!("+{n:02}"), "text": "x".repeat(300_000) });
    let rows: Vec<Value> = (0..10).map(row).collect();
    lab.database.put_rows("OptOuts", &rows).unwrap();
    assert_eq!(lab.database.rows("OptOuts").unwrap(), rows);
}

#[tokio::test]
async fn a_dropped_database_stops_both_servers_and_the_engine_lives_on() {
    let lab = Lab::start();
    let client = lab.client();
    client.list_tables().send().await.unwrap();
    let address = lab.database.url().replace("http://", "");
    let Lab { database, engine, .. } = lab;
    drop(database);
    // Closing is the runtime's next step, not this thread's.
    let closed = async {
        while tokio::net::TcpStream::connect(&address).await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), closed).await.unwrap();
    assert!(client.list_tables().send().await.is_err());
    assert!(engine.handle().is_ok());
    // Dropping the last clone inside a runtime must not panic.
    drop(engine);
}

#[tokio::test]
async fn deep_conditions_do_not_overflow_a_stack() {
    let lab = Lab::start();
    let condition = format!("{}attribute_exists(phone){}", "(".repeat(2000), ")".repeat(2000));
    let put = lab.client().put_item().table_name("Repairs_Opt_Outs").item("phone", s("+1"));
    assert!(put.condition_expression(condition).send().await.is_err());
    assert!(lab.client().list_tables().send().await.is_ok());
}

#[track_caller]
fn refused(text: &str, line: u64, message: &str) {
    let error = fixture::parse("rows.yaml", text, &tables()).unwrap_err();
    let fixture::FixtureError::Invalid { report, line: found } = &error else { panic!("{error}") };
    assert!(report.contains(message), "{report}");
    assert!(report.contains(&format!("rows.yaml:{line}:")), "{report}");
    assert!(report.contains('^'), "{report}");
    assert_eq!(*found, line);
}

#[test]
fn fixtures_are_yaml_or_json() {
    let yaml = "Leads:\n  - { lead_id: L, timestamp: 7, price: 79.5, ok: yes, tags: [a, null] }\nOptOuts: []\n";
    let json = "{\n\t\"Leads\": [\n\t\t{ \"lead_id\": \"L\", \"timestamp\": 7, \"price\": 79.5, \"ok\": \"yes\", \"tags\": [\"a\", null] }\n\t],\n\t\"OptOuts\": []\n}";
    let expected =
        json!({ "lead_id": "L", "timestamp": 7, "price": 79.5, "ok": "yes", "tags": ["a", null] });
    for text in [yaml, json] {
        let rows = fixture::parse("rows", text, &tables()).unwrap();
        assert_eq!(
            rows,
            [("Leads".to_owned(), vec![expected.clone()]), ("OptOuts".to_owned(), vec![])]
        );
    }
}

#[test]
fn fixtures_that_do_not_fit_are_pointed_at() {
    refused(
        "Leeds:\n  - { lead_id: L, timestamp: 7 }",
        1,
        "no table `Leeds`; did you mean `Leads`?",
    );
    refused("Pets: []", 1, "no table `Pets`; the template has Leads, OptOuts");
    refused("Leads:\n  - { lead_id: L }", 2, "needs its key attribute `timestamp` (a number)");
    refused(
        "Leads:\n  - lead_id: L\n    timestamp: \"7\"",
        3,
        "key attribute `timestamp` of Leads must be a number, not the string \"7\"",
    );
    refused("OptOuts:\n  - { phone: 7 }", 2, "must be a string, not the number 7");
    refused("OptOuts:\n  - { phone: '' }", 2, "must not be empty");
    refused("Leads:\n  - { lead_id: L, timestamp: 1, phone: 5 }", 2, "`phone` of Leads must be");
    refused("OptOuts:\n  - { phone: a }\n  - { phone: a }", 3, "already at line 2");
    refused("OptOuts:\n  - { phone: a, phone: b }", 2, "duplicate");
    refused("OptOuts: { phone: a }", 1, "");
    refused("OptOuts:\n  - a", 2, "");
    let large = format!("OptOuts:\n  - {{ phone: a, text: {} }}", "x".repeat(500_000));
    let error = fixture::parse("rows.yaml", &large, &tables()).unwrap_err().to_string();
    assert!(error.contains("stores at most 409600"), "{}", &error[..200]);
}

#[test]
fn fixture_files_that_cannot_be_read_are_named() {
    let folder = std::env::temp_dir().join(format!("rehearse-fixture-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let missing = fixture::read(&folder.join("none.yaml"), &tables()).unwrap_err();
    assert!(missing.to_string().contains("none.yaml"));
    let path = folder.join("latin1.yaml");
    std::fs::File::create(&path).unwrap().write_all(b"OptOuts: [] # caf\xe9").unwrap();
    let error = fixture::read(&path, &tables()).unwrap_err();
    assert!(matches!(error, fixture::FixtureError::Read { .. }));
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn sizes_are_counted_as_dynamodb_counts() {
    let table = &tables()[1];
    // `phone` + `+1` + `text` leave this many.
    let text = "x".repeat(row::MAX_ITEM_BYTES - 5 - 2 - 4);
    row::check(table, &json!({ "phone": "+1", "text": text })).unwrap();
    let error = row::check(table, &json!({ "phone": "+11", "text": text })).unwrap_err();
    assert!(matches!(error, row::RowError::TooLarge { bytes: 409_601, .. }), "{error:?}");
}

/// The engine agrees with this crate about what is too large, near the limit.
#[tokio::test]
async fn the_engine_refuses_what_the_check_refuses() {
    let lab = Lab::start();
    let item = |bytes: usize| {
        HashMap::from([("phone".to_owned(), s("+1")), ("text".to_owned(), s(&"x".repeat(bytes)))])
    };
    let put = |bytes| {
        lab.client().put_item().table_name("Repairs_Opt_Outs").set_item(Some(item(bytes))).send()
    };
    let most = row::MAX_ITEM_BYTES - 5 - 2 - 4;
    assert!(put(most).await.is_ok());
    assert!(put(most + 1).await.is_err());
}
