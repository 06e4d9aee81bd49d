//! Failures of the emulator itself, which must not look like faults or like errors of the backend.

use std::io::{Read as _, Write as _};

use super::*;

fn arm_stale(database: &TestDatabase) {
    let failure = Failure { database_fault: Some(DatabaseFault::Stale), ..Failure::default() };
    database.faults().arm(Fault { on: "dynamodb.*".into(), failure, ..Fault::default() });
}

/// A table that is gone makes the copy of the rows fail.
#[tokio::test]
async fn a_copy_that_fails_is_told_apart_from_a_cut() {
    let database = TestDatabase::start().await;
    let client = database.client();
    let delete = client.delete_table().table_name("Repairs_Lead_Log").send();
    until("the table's deletion", delete).await.unwrap();
    arm_stale(&database);

    let put = client.put_item().table_name("Repairs_Opt_Outs").item("phone", s("+15550001"));
    let error = until("the put's response", put.send()).await.unwrap_err();
    let error = error.as_service_error().expect("a response, not a cut connection");
    assert_eq!(error.code(), Some("InternalServerError"));
    let message = error.message().unwrap();
    assert!(message.starts_with("The emulator failed, not the backend: "), "{message}");

    let outcome = database.calls().last().unwrap().outcome.clone().unwrap();
    assert_eq!(outcome.error.as_deref(), Some("emulator-failure"));
    let reason = outcome.as_emulator_failure().unwrap();
    assert!(reason.contains("failed to read the rows of table Repairs_Lead_Log"), "{reason}");
    assert!(!reason.contains("+15550001"), "{reason}");
    let rows = database.database().rows("OptOuts").await.unwrap();
    assert_eq!(rows, [] as [Value; 0], "the write did not go on without the copy");
}

#[tokio::test]
async fn a_cut_that_was_asked_for_is_no_failure_of_the_emulator() {
    let database = TestDatabase::start().await;
    database.fail("ListTables", Failure { cut: Some(Cut::Before), ..Failure::default() });
    let list = database.client().list_tables().send();
    assert!(until("the list's response", list).await.unwrap_err().as_service_error().is_none());
    let outcome = database.calls().last().unwrap().outcome.clone().unwrap();
    assert_eq!((outcome.error.as_deref(), outcome.as_emulator_failure()), (Some("cut"), None));
}

/// An endpoint of the user's that lists its tables once and then hangs up on every call.
fn engine_that_hangs_up() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    // A thread, because dropping the service blocks the test's runtime. It ends with the process.
    std::thread::spawn(move || {
        let (mut listed, mut bytes) = (false, [0; 4096]);
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            if stream.read(&mut bytes).unwrap_or(0) > 0 && !listed {
                listed = true;
                let body = "{\"TableNames\":[]}";
                let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
                let _ = stream.write_all(format!("{head}{body}").as_bytes());
            }
        }
    });
    url
}

#[tokio::test]
async fn an_engine_that_hangs_up_is_told_apart_from_a_cut() {
    let choice = engine_that_hangs_up().parse().unwrap();
    let service = Service::start(ServiceOptions { choice, ..ServiceOptions::default() }).unwrap();
    let fake = FakeDynamoDb::start_on(&service, []);
    let fake = until("the database's start", fake).await.unwrap();
    let get = client(&fake.url()).get_item().table_name("Notes").key("id", s("a")).send();
    assert!(until("the call's response", get).await.is_err());
    let outcome = fake.journal().since(0).last().unwrap().outcome.clone().unwrap();
    let reason = outcome.as_emulator_failure().unwrap_or_else(|| panic!("{outcome:?}"));
    assert!(reason.starts_with("the database engine does not respond"), "{reason}");
}
