//! A database that outlives its process, and its rows as files.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use futures::StreamExt as _;
use handlers::{
    adapters::dynamodb::DynamoDb,
    domain::slot::{Slot, SlotTime},
    ports::{BookOutcome, Store as _},
};
use jiff::{Span, civil::date};
use serde_json::{Value, json};

use rehearse_testutils::Folder;

use crate::{
    process::rehearse,
    store::{booking, lead, phone, store},
    support::{project, root},
    up::Up,
};

fn up(data: &Path) -> Up {
    Up::start_with(&["--dynamodb", "embedded", "--data", data.to_str().unwrap()])
}

/// The rows of a table, from the control API.
fn rows(up: &Up, table: &str) -> Vec<Value> {
    let dump = up.rehearse(&["db", "dump", table]);
    assert_eq!(dump.code, 0, "{}", dump.err);
    let batches: Vec<Value> = serde_json::from_str(&dump.out).unwrap();
    let writes = batches.iter().flat_map(|b| b.as_object().unwrap().values());
    writes.flat_map(|w| w.as_array().unwrap()).map(|w| w["PutRequest"]["Item"].clone()).collect()
}

#[test]
fn a_text_that_was_answered_is_there_after_a_restart_and_not_after_a_reset() {
    let folder = Folder::new();
    let data = folder.path().join("new/data");
    let first = up(&data);
    assert_eq!(first.rehearse(&["send", "Do you fix iPhone screens?"]).code, 0);
    let before = rows(&first, "Conversations");
    assert!(!before.is_empty());
    drop(first);
    let second = up(&data);
    assert_eq!(rows(&second, "Conversations"), before);
    assert_eq!(second.rehearse(&["reset"]).code, 0);
    drop(second);
    assert_eq!(rows(&up(&data), "Conversations"), [] as [Value; 0]);
}

/// A thousand bookings, each on a date of its own: those of one date wait for each other.
const BOOKINGS: usize = 1000;

fn nth(n: usize) -> handlers::domain::lead::Lead {
    let day = date(2027, 1, 4).checked_add(Span::new().days(n as i64)).unwrap();
    let customer = phone(&format!("+1904555{:04}", 1000 + n));
    let slot = Slot::new(day, SlotTime::hour_of_day(9));
    handlers::domain::lead::Lead { slot, ..lead(&format!("LEAD-{n}"), &customer, 9) }
}

async fn book(store: &DynamoDb, n: usize) -> Option<usize> {
    let told = store.book(&booking(&nth(n), &n.to_string(), None)).await;
    matches!(told, Ok(BookOutcome::Booked)).then_some(n)
}

/// What was acknowledged before a kill is there; what was not is there whole or not at all.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_amid_a_thousand_bookings_loses_none_that_was_acknowledged() {
    let folder = Folder::new();
    let mut first = up(folder.path());
    let at = store(&first.url("dynamodb"));
    let told = Arc::new(AtomicUsize::new(0));
    let (enough, killed) = tokio::sync::oneshot::channel();
    let mut enough = Some(enough);
    let kill = tokio::task::spawn(async move {
        let _ = killed.await;
        // `kill` of a process is SIGKILL: nothing of it runs any more.
        first.child.kill().unwrap();
        first.child.wait().unwrap();
    });
    let mut calls = futures::stream::iter(0..BOOKINGS)
        .map(|n| {
            let at = at.clone();
            async move { book(&at, n).await }
        })
        .buffer_unordered(16);
    let mut acknowledged = Vec::new();
    while let Some(told_yes) = calls.next().await {
        acknowledged.extend(told_yes);
        if told.fetch_add(1, Ordering::Relaxed) == BOOKINGS / 3 {
            let _ = enough.take().map(|sender| sender.send(()));
        }
    }
    kill.await.unwrap();
    let many = acknowledged.len();
    assert!((BOOKINGS / 4..BOOKINGS).contains(&many), "it was killed in the middle: {many}");

    let second = up(folder.path());
    let of = |table: &str, key: &str| {
        let rows = rows(&second, table).into_iter();
        rows.filter_map(|row| row[key]["S"].as_str().map(str::to_owned)).collect::<Vec<_>>()
    };
    let mut tables =
        [("Leads", "lead_id"), ("Schedule", "lead_id"), ("CustomerBookings", "lead_id")]
            .map(|(table, key)| of(table, key));
    tables.iter_mut().for_each(|ids| ids.sort());
    for n in acknowledged {
        assert!(tables[0].contains(&format!("LEAD-{n}")), "LEAD-{n} was told and is lost");
    }
    assert_eq!(tables[0], tables[1], "no lead without its slot");
    assert_eq!(tables[0], tables[2], "no lead without its customer's booking");
}

#[test]
fn a_folder_that_cannot_be_used_is_told_and_left_as_it_is() {
    let folder = Folder::new();
    let open = |data: &str| rehearse(&root(), &["up", "--data", data, "--dynamodb", "embedded"]);
    folder.write("file", "mine");
    let file = folder.path().join("file");
    // Not even root can write there.
    for data in ["/proc/rehearse", file.to_str().unwrap(), file.join("below").to_str().unwrap()] {
        let ran = open(data);
        assert_eq!(ran.code, 3, "{}", ran.err);
        assert!(ran.err.contains(&format!("failed to use the data folder {data}")), "{}", ran.err);
        assert!(ran.err.contains("--data"), "{}", ran.err);
    }
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "mine");

    folder.write("junk/dynamodb.sqlite", "this is no database, but somebody's text".repeat(100));
    let ran = open(folder.path().join("junk").to_str().unwrap());
    assert_eq!(ran.code, 3, "{}", ran.err);
    let text = std::fs::read_to_string(folder.path().join("junk/dynamodb.sqlite")).unwrap();
    assert!(text.starts_with("this is no database"), "nothing was written over it");
}

#[test]
fn a_folder_that_another_process_has_is_told_with_the_process() {
    let folder = Folder::new();
    let first = up(folder.path());
    let data = folder.path().to_str().unwrap();
    let ran = rehearse(&root(), &["up", "--data", data, "--dynamodb", "embedded"]);
    assert_eq!(ran.code, 3, "{}", ran.err);
    let says = format!("is in use by process {}", first.child.id());
    assert!(ran.err.contains(&says), "{}", ran.err);
    assert_eq!(first.rehearse(&["ready"]).code, 0, "and that one goes on");
}

#[test]
fn a_table_whose_keys_the_template_changed_is_not_touched() {
    let (project, folder) = (project(), Folder::new());
    drop(up(folder.path()));
    let template = std::fs::read_to_string(project.path().join("template.yaml")).unwrap();
    let changed = template.replace("AttributeName: slot_time", "AttributeName: hour");
    project.write("template.yaml", changed);
    let data = folder.path().to_str().unwrap();
    let ran = rehearse(
        project.path(),
        &["up", "--port-base", "17310", "--data", data, "--dynamodb", "embedded"],
    );
    assert_eq!(ran.code, 3, "{}", ran.err);
    assert!(ran.err.contains("Repairs_Schedule") && ran.err.contains("db dump"), "{}", ran.err);
}

#[test]
fn rows_go_out_and_come_in_again_as_they_were() {
    let (one, other) = (Up::start(), Up::start());
    let folder = Folder::new();
    let item = |n: usize| {
        json!({ "PutRequest": { "Item": {
            "phone": { "S": format!("+1904555{n:04}") }, "digits": { "N": "3.14159265358979323846264338327950288" },
            "tags": { "SS": ["a", "b"] }, "blob": { "B": "AQI=" }, "empty": { "S": "" },
            "deep": { "M": { "é": { "L": [{ "NULL": true }, { "BOOL": false }] } } },
        } } })
    };
    let batch = json!({ "OptOuts": (0..60).map(item).collect::<Vec<_>>() });
    folder.write("rows.json", batch.to_string());
    let file = folder.path().join("rows.json");
    let loaded = one.rehearse(&["db", "load", file.to_str().unwrap()]);
    assert_eq!(
        (loaded.code, loaded.out.as_str()),
        (0, "loaded 60 rows into 1 table\n"),
        "{}",
        loaded.err
    );

    let dumped = folder.path().join("dump");
    let ran = one.rehearse(&["db", "dump", "--dir", dumped.to_str().unwrap()]);
    assert_eq!((ran.code, ran.err.contains("3 files in")), (0, true), "{}", ran.err);
    let first = std::fs::read_to_string(dumped.join("Repairs_Opt_Outs.00001.json")).unwrap();
    let first: Value = serde_json::from_str(&first).unwrap();
    assert_eq!(first["Repairs_Opt_Outs"].as_array().unwrap().len(), 25);
    assert_eq!(
        one.rehearse(&["db", "dump", "--dir", dumped.to_str().unwrap()]).code,
        2,
        "not empty"
    );
    assert_eq!(other.rehearse(&["db", "load", dumped.to_str().unwrap()]).code, 0);
    assert_eq!(rows(&one, "OptOuts").len(), 60);
    assert_eq!(rows(&other, "Repairs_Opt_Outs"), rows(&one, "OptOuts"));
    assert_eq!(one.rehearse(&["log", "--json"]).out, "", "the journal tells of the backend alone");
}

/// A text in so many lists.
fn nested(depth: usize) -> Value {
    (0..depth).fold(json!({ "S": "x" }), |value, _| json!({ "L": [value] }))
}

#[test]
fn a_dump_that_is_wrong_is_refused_before_anything_is_written() {
    let up = Up::start();
    let folder = Folder::new();
    let load = |text: &str| {
        folder.write("rows.json", text);
        up.rehearse(&["db", "load", folder.path().join("rows.json").to_str().unwrap()])
    };
    let good = json!({ "phone": { "S": "+1" } });
    let dump = |items: &[Value]| {
        let put = |item: &Value| json!({ "PutRequest": { "Item": item } });
        json!([{ "OptOuts": [put(&good)] }, { "OptOuts": items.iter().map(put).collect::<Vec<_>>() }])
    };
    let whole = dump(&[json!({ "phone": { "S": "+2" } })]).to_string();
    let large = json!({ "phone": { "S": "+2" }, "text": { "S": "x".repeat(409_600) } });
    for (text, says) in [
        (whole[..whole.len() / 2].to_owned(), "the dump was cut"),
        (String::new(), "the dump was cut"),
        (json!({ "phone": "+1" }).to_string(), "it is not a dump"),
        (dump(&[json!({ "phone": { "N": "7" } })]).to_string(), "must be a string"),
        (dump(&[json!({ "fone": { "S": "+1" } })]).to_string(), "needs its key attribute `phone`"),
        (dump(&[json!({ "phone": { "S": "" } })]).to_string(), "must not be empty"),
        (dump(&[json!({ "phone": { "S": "+2" }, "a": "b" })]).to_string(), "attribute `a`"),
        (dump(&[large]).to_string(), "stores at most 409600"),
        (
            dump(&[json!({ "phone": { "S": "+2" }, "v": { "N": "NaN" } })]).to_string(),
            "attribute `v`",
        ),
        (
            dump(&[json!({ "phone": { "S": "+2" }, "v": { "N": "1e999" } })]).to_string(),
            "attribute `v`",
        ),
        (dump(&[json!({ "phone": { "S": "+2" }, "v": { "SS": ["a", "a"] } })]).to_string(), "`v`"),
        (dump(&[json!({ "phone": { "S": "+2" }, "v": nested(32) })]).to_string(), "attribute `v`"),
        (dump(std::slice::from_ref(&good)).to_string(), "two rows of OptOuts have the key +1"),
        (
            json!({ "OptOut": [] , "Optouts": [{ "PutRequest": { "Item": good } }] }).to_string(),
            "did you mean `OptOuts`?",
        ),
    ] {
        let ran = load(&text);
        assert_eq!(ran.code, 2, "{}", ran.err);
        assert!(ran.err.contains(says), "no '{says}' in {}", ran.err);
        assert_eq!(rows(&up, "OptOuts"), [] as [Value; 0], "{says}");
    }
    assert_eq!(load(&whole).code, 0);
    // What DynamoDB holds is loaded again: binary counts as its bytes, not as its base64.
    let blob = json!({ "B": "A".repeat(400_000) });
    let item = json!({ "phone": { "S": "+3" }, "b": blob, "v": nested(31) });
    let ran = load(&json!([{ "OptOuts": [{ "PutRequest": { "Item": item } }] }]).to_string());
    assert_eq!(ran.code, 0, "{}", ran.err);
}

#[test]
fn rows_and_tables_that_dynamodb_refuses_are_pointed_at() {
    let project = project();
    let check = |says: &[&str]| {
        let ran = rehearse(project.path(), &["check"]);
        let all = format!("{}{}", ran.out, ran.err);
        assert_eq!(ran.code, 2, "{all}");
        says.iter().for_each(|part| assert!(all.contains(part), "no '{part}' in {all}"));
    };
    project.write("scenarios/a.yaml", "name: a\nsteps:\n  - request: GET /state\n");
    let fixture = "fixtures/dynamodb/bad.yaml";
    project.write(fixture, "Schedule:\n  - { schedule_date: 2026, slot_time: a }\n");
    check(&[
        "bad.yaml:2",
        "`schedule_date` of Schedule must be a string, not the number 2026",
        "^",
    ]);
    project.write(fixture, "OptOuts:\n  - { phone: a }\n  - { phone: a }\n");
    check(&["bad.yaml:3", "is already at line 2", "^"]);
    project.write(fixture, format!("OptOuts:\n  - {{ phone: a, t: {} }}\n", "x".repeat(409_600)));
    check(&["bad.yaml:2", "stores at most 409600"]);
    project.write(fixture, "OptOuts: []\n");
    let template = std::fs::read_to_string(root().join("template.yaml")).unwrap();
    for name in ["ab", "Repairs Schedule", "Réparations"] {
        let renamed =
            template.replace("TableName: !Ref ScheduleTable", &format!("TableName: {name}"));
        let line = renamed.lines().position(|l| l.contains(&format!("TableName: {name}"))).unwrap();
        project.write("template.yaml", &renamed);
        let place = format!("template.yaml:{}", line + 1);
        check(&[&place, "cannot be a table's name", "3 to 255", "^"]);
    }
}
