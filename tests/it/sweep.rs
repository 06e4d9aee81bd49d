//! `run --sweep` and `--inject`, from outside.

use rehearse_testutils::Folder;
use serde_json::Value;

use crate::{process::rehearse, suite, support::root};

const BOOKING: &str = "scenarios/classic/booking.yaml";

const SETTINGS: &str = r#"
[twilio]
number = "+15555550100"
account_sid = "AC00000000000000000000000000000000"
auth_token = "any"
[webhook]
route = "/sms"
[people]
customer = "+15555550101"
owner = "+15555550102"
"#;

#[test]
fn one_failure_of_one_call_is_tried_by_its_name() {
    let ran =
        rehearse(&root(), &["run", BOOKING, "--inject", "cut-after@dynamodb.TransactWriteItems#1"]);
    ran.expect(0, &["1 scenario: 1 passed"]);
}

#[test]
fn a_call_that_is_never_made_is_told() {
    let ran =
        rehearse(&root(), &["run", BOOKING, "--inject", "error@dynamodb.TransactWriteItems#99"]);
    ran.expect(2, &["the call that should fail was not made"]);
}

#[test]
fn wrong_words_are_told_with_what_to_do() {
    for (words, says) in [
        (&["--inject", "cut@dynamodb.PutItem#1"][..], "no call fails with 'cut'"),
        (&["--inject", "error@dynamodb.Putitem#1"], "did you mean 'dynamodb.PutItem'?"),
        (&["--sweep", "--report", "junit"], "a sweep has no junit report"),
        (&["--sweep", "--report", "tap"], "a sweep has no tap report"),
        (&["--sweep", "--repeat", "2"], "cannot be used with"),
    ] {
        rehearse(&root(), &[&["run", BOOKING], words].concat()).expect(2, &[says]);
    }
}

#[test]
fn a_project_without_sentences_is_told_to_write_some() {
    let folder = Folder::new();
    folder.write("rehearse.toml", SETTINGS);
    folder.write("scenarios/a.yaml", "name: A\nsteps:\n  - customer: Hi\n");
    let target = ["--target", "http://127.0.0.1:9/sms"];
    let ran = rehearse(folder.path(), &[&["run", "--sweep"][..], &target].concat());
    ran.expect(2, &["no always.yaml says what must always hold", "docs/sweep.md"]);
}

#[test]
fn a_sweep_of_one_scenario_counts_every_call_by_its_failure() {
    let _lock = suite::lock();
    let folder = Folder::new();
    let (json, html) = (folder.path().join("sweep.json"), folder.path().join("sweep.html"));
    let reports =
        [format!("--report=json={}", json.display()), format!("--report=html={}", html.display())];
    let words = ["run", "scenarios/owner/wrong-token.yaml", "--sweep", &reports[0], &reports[1]];
    let ran = rehearse(&root(), &words);
    ran.expect(0, &["every sentence held"]);
    let report: Value = serde_json::from_str(&std::fs::read_to_string(json).unwrap()).unwrap();
    let sum: u64 =
        report["cells"].as_array().unwrap().iter().map(|c| c["trials"].as_u64().unwrap()).sum();
    assert_eq!(report["trials"], sum);
    assert!(sum > 0 && report["sentences"].as_array().unwrap().len() > 5, "{report:#}");
    let page = std::fs::read_to_string(html).unwrap();
    assert!(page.contains("<th scope=\"row\">ssm.GetParameter</th>"), "{page}");
    assert!(!page.contains("http://") && !page.contains("https://"), "it needs no network");
}
