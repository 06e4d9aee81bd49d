//! Fixtures: files of rows.

use super::*;
use rehearse_core::yaml::Source;
use rehearse_core::yaml::YamlError;
use rehearse_testutils::Folder;

fn parse(text: &str) -> Result<fixture::Rows, YamlError> {
    fixture::parse(&Source::new("rows.yaml", text), &tables())
}

#[track_caller]
fn refused(text: &str, line: u64, message: &str) {
    let error = parse(text).unwrap_err();
    let YamlError::Shape { report, line: found } = &error else { panic!("{error}") };
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
        let rows = parse(text).unwrap();
        assert_eq!(
            rows,
            [("Leads".to_owned(), vec![expected.clone()]), ("OptOuts".to_owned(), vec![])]
        );
    }
}

#[test]
fn fixtures_that_do_not_fit_are_refused_with_their_line() {
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
    let error = parse(&large).unwrap_err().to_string();
    assert!(error.contains("stores at most 409600"), "{}", &error[..200]);
}

#[test]
fn fixture_files_that_cannot_be_read_are_named() {
    let folder = Folder::new();
    let missing = fixture::read(&folder.path().join("none.yaml"), &tables()).unwrap_err();
    assert!(missing.to_string().contains("none.yaml"));
    let path = folder.write("latin1.yaml", b"OptOuts: [] # caf\xe9");
    let error = fixture::read(&path, &tables()).unwrap_err();
    assert!(matches!(error, YamlError::NotUtf8 { line: 1, .. }));
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

/// The engine and this crate agree on the size limit of an item.
#[tokio::test]
async fn the_engine_has_the_same_size_limit_as_the_check() {
    let database = TestDatabase::start().await;
    let item = |bytes: usize| {
        HashMap::from([("phone".to_owned(), s("+1")), ("text".to_owned(), s(&"x".repeat(bytes)))])
    };
    let put = |bytes| {
        database
            .client()
            .put_item()
            .table_name("Repairs_Opt_Outs")
            .set_item(Some(item(bytes)))
            .send()
    };
    let most = row::MAX_ITEM_BYTES - 5 - 2 - 4;
    assert!(put(most).await.is_ok());
    assert!(put(most + 1).await.is_err());
}
