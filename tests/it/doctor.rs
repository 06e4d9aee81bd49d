//! `rehearse doctor` against a running world.

use crate::{process::rehearse, support::root, up::Up};

#[test]
fn the_projects_own_backend_is_well_and_nothing_is_changed_by_asking() {
    let up = Up::start();
    let ran = up.rehearse(&["doctor"]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    for check in [
        "an unsigned webhook is refused",
        "a webhook with a wrong signature is refused",
        "/scheduler answers",
        "a page may DELETE /state",
        "free slots are listed",
        "the owner's state is refused without its token",
    ] {
        let ok = |line: &str| line.trim_start().starts_with("ok ") && line.contains(check);
        assert!(ran.out.lines().any(ok), "{check}: {}", ran.out);
    }
    assert!(ran.out.contains("0 failed"), "{}", ran.out);

    let journal = up.rehearse(&["log", "--json"]).out;
    for write in ["PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems", "openai."] {
        assert!(!journal.contains(&format!("\"name\":\"dynamodb.{write}")), "{write}: {journal}");
    }
    assert!(journal.contains("\"name\":\"dynamodb.Query\""), "{journal}");
    assert!(!journal.contains("\"name\":\"openai."), "{journal}");

    // By its URL, as a deployed one is.
    let ran = rehearse(&root(), &["doctor", "--url", &up.url("gateway")]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
}

#[test]
fn a_backend_without_its_routes_fails_and_one_that_is_not_there_is_an_error() {
    let up = Up::start();
    // Something else is served there.
    let ran = rehearse(&root(), &["doctor", "--url", &up.url("twilio")]);
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("FAIL  free slots are listed"), "{}", ran.out);
    let ran = rehearse(&root(), &["doctor", "--url", "http://127.0.0.1:9"]);
    assert_eq!(ran.code, 3, "{}{}", ran.out, ran.err);
    assert!(ran.err.contains("http://127.0.0.1:9 does not answer"), "{}", ran.err);
}
