//! Rows, and the lifetime of a database.

use std::net::TcpListener;

use super::*;
use rehearse_core::{clock::Clock, threads::Threads};

#[tokio::test]
async fn rows_are_ordered_by_key_and_numbers_by_value() {
    let database = TestDatabase::start().await;
    let row = |id: &str, at: i64| json!({ "lead_id": id, "timestamp": at });
    database.database().put_rows("Leads", &[row("b", 1), row("a", 10), row("a", 9)]).await.unwrap();
    let rows = database.database().snapshot("Leads").await.unwrap();
    assert_eq!(rows, [row("a", 9), row("a", 10), row("b", 1)]);
    let entries = database.journal().since(0);
    let ExchangeDetail::Rows { table, rows } = &entries[0].detail else { panic!() };
    assert_eq!((table.as_str(), rows.len()), ("Leads", 3));
    database.database().empty().await.unwrap();
    assert_eq!(database.database().rows("Leads").await.unwrap().len(), 0);
}

#[tokio::test]
async fn unknown_tables_and_rows_that_do_not_fit_are_refused() {
    let database = TestDatabase::start().await;
    let error = database.database().rows("Lead").await.unwrap_err();
    assert_eq!(error.to_string(), "there is no table `Lead`; did you mean `Leads`?");
    let error =
        database.database().put_rows("Leads", &[json!({ "lead_id": "L" })]).await.unwrap_err();
    assert!(matches!(error, DatabaseError::Row(row::RowError::MissingKey { .. })));
    let error =
        database.database().put_rows("OptOuts", &[json!({ "phone": "+1", "n": 1e200 })]).await;
    assert!(matches!(error, Err(DatabaseError::Engine { .. })), "{error:?}");
}

#[tokio::test]
async fn rows_are_deleted_by_their_keys_alone() {
    let database = TestDatabase::start().await;
    let database = database.database();
    let row = |id: &str, at: i64| json!({ "lead_id": id, "timestamp": at, "name": "Sam" });
    database.put_rows("Leads", &[row("a", 1), row("a", 2), row("b", 1)]).await.unwrap();
    let items = database.items("Leads").await.unwrap();
    assert_eq!(database.delete_items("Leads", &items[..1]).await.unwrap(), 1);
    assert_eq!(database.delete_items("Leads", &items[..1]).await.unwrap(), 0, "it was gone");
    // One key that does not fit keeps all from being deleted.
    let mut half = items[2].clone();
    half.remove("timestamp");
    let error = database.delete_items("Leads", &[items[1].clone(), half]).await.unwrap_err();
    assert!(matches!(error, DatabaseError::Row(row::RowError::MissingKey { .. })), "{error}");
    assert_eq!(database.rows("Leads").await.unwrap(), [row("a", 2), row("b", 1)]);
}

/// A table of 3 MB takes several pages.
#[tokio::test]
async fn every_page_is_read() {
    let database = TestDatabase::start().await;
    let row = |n: u32| json!({ "phone": format!("+{n:02}"), "text": "x".repeat(300_000) });
    let rows: Vec<Value> = (0..10).map(row).collect();
    database.database().put_rows("OptOuts", &rows).await.unwrap();
    assert_eq!(database.database().rows("OptOuts").await.unwrap(), rows);
}

#[tokio::test]
async fn a_dropped_database_stops_its_server_and_leaves_the_threads_running() {
    let (threads, service) = (Threads::start().unwrap(), crate::testing::service());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (journal, tables) = (Journal::new(Clock::running()), tables());
    let faults = Faults::default();
    let database = Database::start(listener, &threads, &service, &tables, journal, faults);
    let database = until("the database's start", database).await.unwrap();
    let (client, address) = (client(&database.url()), database.url().replace("http://", ""));
    client.list_tables().send().await.unwrap();
    drop(database);
    // The server stops in the next step of its own thread, not of this one.
    until("the port to close", async {
        while tokio::net::TcpStream::connect(&address).await.is_ok() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert!(client.list_tables().send().await.is_err());
    assert_eq!(until("other work", threads.run(async { 7 })).await.unwrap(), 7);
    // Dropping the last clone inside a runtime must not panic.
    drop(threads);
}

#[tokio::test]
async fn deep_conditions_do_not_overflow_a_stack() {
    let database = TestDatabase::start().await;
    let condition = format!("{}attribute_exists(phone){}", "(".repeat(2000), ")".repeat(2000));
    let put = database.client().put_item().table_name("Repairs_Opt_Outs").item("phone", s("+1"));
    assert!(put.condition_expression(condition).send().await.is_err());
    assert!(database.client().list_tables().send().await.is_ok());
}
