//! What can be set and read: time, people, tables, fixtures, snapshots.

use serde_json::json;

use super::support::{CUSTOMER, Running};
use crate::SnapshotRequest;
use rehearse_core::faults::{Failure, Fault};
use rehearse_testutils::{self as testing, Folder, TEMPLATE};

#[tokio::test]
async fn time_and_people_can_be_read() {
    let running = Running::start().await;
    let clock = running.ok("GET", "/clock", "").await;
    assert_eq!((&clock["running"], &clock["time_zone"]), (&json!(true), &json!("UTC")));
    let people = running.ok("GET", "/people", "").await;
    assert_eq!(people["people"], json!([{ "name": "customer", "number": CUSTOMER }]));
    assert_eq!(people["shop"], running.world.twilio().number());
}

#[tokio::test]
async fn tables_are_listed_with_their_keys_and_counts() {
    let running = Running::start().await;
    running.world.database().put_rows("Leads", &[json!({ "id": "L1" })]).await.unwrap();
    let tables = running.ok("GET", "/tables", "").await;
    let leads = &tables["tables"][0];
    assert_eq!((&leads["id"], &leads["rows"]), (&json!("Leads"), &json!(1)));
    assert_eq!(leads["key"], json!({ "hash": "id", "range": null }));
}

#[tokio::test]
async fn a_fixture_is_loaded_with_its_templates_filled_in() {
    let folder = Folder::new();
    folder.write("fixtures/dynamodb/two.yaml", "Leads: [{ id: '{{ customer }}' }, { id: b }]\n");
    folder.write("fixtures/dynamodb/wrong.yaml", "Leads: [{ name: a }]\n");
    folder.write("fixtures/dynamodb/unknown.yaml", "Leads: [{ id: '{{ nobody }}' }]\n");
    let running = Running::with_root(testing::hello(), None, TEMPLATE, folder.path()).await;
    let listed = running.ok("GET", "/fixtures", "").await;
    assert_eq!(listed, json!({ "fixtures": ["two", "unknown", "wrong"] }));
    let loaded = running.ok("POST", "/fixtures/two", "").await;
    assert_eq!(loaded, json!({ "fixture": "two", "rows": { "Leads": 2 } }));
    let rows = running.ok("GET", "/tables/Leads", "").await;
    assert_eq!(rows["rows"], json!([{ "id": CUSTOMER }, { "id": "b" }]));
    for (name, status, says) in [
        ("twoo", 404, "did you mean `two`?"),
        ("wrong", 400, "wrong.yaml:1"),
        ("unknown", 400, "not defined"),
    ] {
        let (found, error) = running.raw("POST", &format!("/fixtures/{name}"), "").await;
        assert!(found == status && error.error.contains(says), "{name}: {error:?}");
    }
}

#[tokio::test]
async fn a_snapshot_is_gone_back_to() {
    let running = Running::start().await;
    let database = running.world.database();
    database.put_rows("Leads", &[json!({ "id": "L1", "n": 1 })]).await.unwrap();
    running.text("STOP").await;
    let named = SnapshotRequest { name: Some("before the visit".into()) };
    let taken = running.client.take_snapshot(&named).await.unwrap();
    assert_eq!(taken.rows["Leads"], 1);

    let rows = [json!({ "id": "L1", "n": 2 }), json!({ "id": "L2" })];
    database.put_rows("Leads", &rows).await.unwrap();
    running.text("START").await;
    running.world.advance(jiff::SignedDuration::from_hours(48)).await.unwrap();
    let restored = running.client.restore_snapshot("before the visit").await.unwrap();
    assert_eq!(restored.now, taken.now);
    let rows = running.ok("GET", "/tables/Leads", "").await;
    assert_eq!(rows["rows"], json!([{ "id": "L1", "n": 1 }]));
    assert!(running.world.clock().now().duration_since(taken.now).as_hours() < 1);
    assert!(running.world.twilio().opt_outs().iter().any(|(_, person)| person == CUSTOMER));
    assert!(!running.messages().await.is_empty(), "texts stay");

    assert_eq!(running.ok("POST", "/snapshots", "").await["name"], "1");
    let names: Vec<_> = running.client.snapshots().await.unwrap().snapshots;
    assert_eq!(
        names.iter().map(|s| s.name.as_str()).collect::<Vec<_>>(),
        ["1", "before the visit"]
    );
    running.client.remove_snapshot("1").await.unwrap();
    let (status, error) = running.raw("POST", "/snapshots/1/restore", "").await;
    assert!(status == 404 && error.help.unwrap().contains("before the visit"));
    for wrong in [r#"{"name": ""}"#, r#"{"name": "a/b"}"#, r#"{"nmae": "a"}"#] {
        assert_eq!(running.raw("POST", "/snapshots", wrong).await.0, 400, "{wrong}");
    }
}

#[tokio::test]
async fn snapshots_are_bounded() {
    let running = Running::start().await;
    let take = || running.ok("POST", "/snapshots", "{}");
    futures::future::join_all((0..20).map(|_| take())).await;
    // At the same moment, too, none takes the name of another.
    let listed = running.client.snapshots().await.unwrap().snapshots;
    assert_eq!(listed.len(), 20);
    let (status, error) = running.raw("POST", "/snapshots", "{}").await;
    assert!(status == 409 && error.error.contains("20 snapshots"), "{error:?}");
    running.ok("POST", "/snapshots", r#"{"name": "7"}"#).await;
}

#[tokio::test]
async fn what_is_under_way_is_not_cut_in_half_by_a_snapshot() {
    let running = Running::start().await;
    let failure = Failure { delay_ms: Some(300), ..Failure::default() };
    running.world.faults().arm(Fault { on: "webhook.sms".into(), failure, ..Fault::default() });
    let mut changes = running.world.journal().watch();
    let (sent, taken) = tokio::join!(running.hello(), async {
        let begun = || running.world.journal().exchanges().named("webhook.sms").count() == 1;
        let _ = changes.wait_for(|_| begun()).await;
        let taken = running.ok("POST", "/snapshots", "").await;
        let webhook = running.world.journal().exchanges().named("webhook.sms").last();
        assert!(webhook.unwrap().outcome.is_some(), "it waited for the delivery");
        taken
    });
    assert_eq!((sent.replies.len(), &taken["name"]), (1, &json!("1")));
}
