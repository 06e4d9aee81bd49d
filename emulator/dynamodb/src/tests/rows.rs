//! Rows, and the life of a database.

use super::*;

#[tokio::test]
async fn rows_are_ordered_by_key_numbers_by_size() {
    let lab = TestDatabase::start().await;
    let row = |id: &str, at: i64| json!({ "lead_id": id, "timestamp": at });
    lab.database.put_rows("Leads", &[row("b", 1), row("a", 10), row("a", 9)]).await.unwrap();
    let rows = lab.database.snapshot("Leads").await.unwrap();
    assert_eq!(rows, [row("a", 9), row("a", 10), row("b", 1)]);
    let entries = lab.journal.since(0);
    let ExchangeDetail::Rows { table, rows } = &entries[0].detail else { panic!() };
    assert_eq!((table.as_str(), rows.len()), ("Leads", 3));
    lab.database.empty().await.unwrap();
    assert_eq!(lab.database.rows("Leads").await.unwrap().len(), 0);
}

#[tokio::test]
async fn rows_that_do_not_fit_and_tables_that_are_not_there_are_refused() {
    let lab = TestDatabase::start().await;
    let error = lab.database.rows("Lead").await.unwrap_err();
    assert_eq!(error.to_string(), "there is no table `Lead`; did you mean `Leads`?");
    let error = lab.database.put_rows("Leads", &[json!({ "lead_id": "L" })]).await.unwrap_err();
    assert!(matches!(error, DatabaseError::Row(row::RowError::MissingKey { .. })));
    let error = lab.database.put_rows("OptOuts", &[json!({ "phone": "+1", "n": 1e200 })]).await;
    assert!(matches!(error, Err(DatabaseError::Engine { .. })), "{error:?}");
}

/// A table of 3 MB takes several pages.
#[tokio::test]
async fn every_page_is_read() {
    let lab = TestDatabase::start().await;
    let row = |n: u32| json!({ "phone": format!("+{n:02}"), "text": "x".repeat(300_000) });
    let rows: Vec<Value> = (0..10).map(row).collect();
    lab.database.put_rows("OptOuts", &rows).await.unwrap();
    assert_eq!(lab.database.rows("OptOuts").await.unwrap(), rows);
}

#[tokio::test]
async fn a_dropped_database_stops_both_servers_and_the_threads_live_on() {
    let lab = TestDatabase::start().await;
    let client = lab.client();
    client.list_tables().send().await.unwrap();
    let address = lab.database.url().replace("http://", "");
    let TestDatabase { database, threads, .. } = lab;
    drop(database);
    // Closing is the runtime's next step, not this thread's.
    let closed = async {
        while tokio::net::TcpStream::connect(&address).await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), closed).await.unwrap();
    assert!(client.list_tables().send().await.is_err());
    assert!(threads.handle().is_ok());
    // Dropping the last clone inside a runtime must not panic.
    drop(threads);
}

#[tokio::test]
async fn deep_conditions_do_not_overflow_a_stack() {
    let lab = TestDatabase::start().await;
    let condition = format!("{}attribute_exists(phone){}", "(".repeat(2000), ")".repeat(2000));
    let put = lab.client().put_item().table_name("Repairs_Opt_Outs").item("phone", s("+1"));
    assert!(put.condition_expression(condition).send().await.is_err());
    assert!(lab.client().list_tables().send().await.is_ok());
}
