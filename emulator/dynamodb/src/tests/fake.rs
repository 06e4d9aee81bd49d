//! The fake on its own, as another project's tests use it.

use super::*;

async fn put_and_read() {
    let leads = TableSpec::new("Leads")
        .partition_key("lead_id", AttributeKind::String)
        .sort_key("at", AttributeKind::Number);
    let dynamodb = FakeDynamoDb::start([leads]).await.unwrap();
    dynamodb.put("Leads", json!({ "lead_id": "L1", "at": 1 })).await.unwrap();
    let put = client(&dynamodb.url())
        .put_item()
        .table_name("Leads")
        .item("lead_id", s("L2"))
        .item("at", n(2))
        .send();
    until("the put's response", put).await.unwrap();
    let rows = dynamodb.rows("Leads").await.unwrap();
    assert_eq!(rows, [json!({ "lead_id": "L1", "at": 1 }), json!({ "lead_id": "L2", "at": 2 })]);
    assert_eq!(dynamodb.journal().exchanges().named("dynamodb.PutItem").count(), 1);
}

#[tokio::test]
async fn it_works_on_a_current_thread_runtime() {
    put_and_read().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_works_on_a_multi_thread_runtime() {
    put_and_read().await;
}

/// The fakes of one process share their threads, but nothing else.
#[test]
fn it_outlives_the_runtime_that_started_it() {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let start = FakeDynamoDb::start([TableSpec::new("Notes")]);
    let fake = runtime().block_on(start).unwrap();
    runtime().block_on(async {
        until("a list of tables", client(&fake.url()).list_tables().send()).await.unwrap();
    });
}

#[tokio::test]
async fn each_has_tables_and_faults_of_its_own() {
    let start = || FakeDynamoDb::start([TableSpec::new("Notes")]);
    let (one, other) = (start().await.unwrap(), start().await.unwrap());
    one.put("Notes", json!({ "id": "a" })).await.unwrap();
    let failure = Failure { status: Some(503), ..Failure::default() };
    one.faults().arm(Fault { on: "dynamodb.*".into(), failure, ..Fault::default() });
    assert_eq!(other.rows("Notes").await.unwrap(), [] as [Value; 0]);
    let list = client(&other.url()).list_tables().send();
    assert_eq!(until("a list of tables", list).await.unwrap().table_names(), ["Notes"]);
    assert!(until("the injected error", client(&one.url()).list_tables().send()).await.is_err());
}
