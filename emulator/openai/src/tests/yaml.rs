//! Reading scripts from YAML: short forms, and errors that point at their line.

use std::time::Duration;

use super::support::{rounds, try_rounds};
use crate::{CutPoint, IncompleteReason, Round};

fn fail(yaml: &str) -> crate::RoundFailure {
    rounds(&format!("[{{ fail: {yaml}, say: a }}]")).remove(0).fail.unwrap()
}

#[test]
fn short_forms_are_read() {
    assert_eq!(fail("503").status, Some(503));
    assert_eq!(fail("cut").cut, Some(CutPoint::Before));
    assert_eq!(fail("{ cut: mid-stream }").cut, Some(CutPoint::MidStream));
    assert_eq!(
        fail("{ cut: { events: 2 } }").cut,
        Some(CutPoint::Events { whole: 2, inside: false })
    );
    assert_eq!(fail("{ cut: { after: 1s } }").cut, Some(CutPoint::Elapsed(Duration::from_secs(1))));
    assert_eq!(fail("failed").failed.as_deref(), Some("server_error"));
    assert_eq!(
        fail("{ incomplete: content_filter }").incomplete,
        Some(IncompleteReason::ContentFilter)
    );
    for (delay, ms) in
        [("20s", 20_000), ("300ms", 300), ("1.5s", 1500), ("2m", 120_000), ("250", 250)]
    {
        let fail = fail(&format!("{{ delay: {delay} }}"));
        assert_eq!(fail.delay, Some(Duration::from_millis(ms)));
    }
    let round =
        rounds("[{ call: { list_bookings: {} }, raw_call: { name: a, arguments: b } }]").remove(0);
    assert_eq!((round.call.len(), round.raw_call.len()), (1, 1));
    assert!(rounds("[{ call: [{ list_bookings: }] }]")[0].call[0].arguments.is_empty());
    let sees =
        rounds("[{ sees: { instructions: a, tools: b, history: c, results: { d: 1 } }, say: x }]");
    let sees = sees[0].expectation.as_ref().unwrap();
    assert_eq!([sees.instructions.len(), sees.tools.len(), sees.results.len()], [1; 3]);
    assert_eq!(sees.history.as_ref().map(Vec::len), Some(1));
    let silent = rounds("[{ sees: { history: [] }, say: x }, { sees: { input: a }, say: x }]");
    let history = |at: usize| silent[at].expectation.as_ref().unwrap().history.clone();
    assert_eq!((history(0), history(1)), (Some(vec![]), None));
}

#[test]
fn errors_point_at_their_line() {
    let mut wrong = Vec::new();
    for (yaml, place, says) in [
        ("- sey: a", "1:3", "unknown key"),
        ("- say: a\n  sees: { instructons: [a] }", "2:11", "unknown key"),
        ("- call: [{ a: {}, b: {} }]", "1:", "a map with one key"),
        ("- call: [{ a: 3 }]", "1:15", "a map is needed here"),
        ("- call: a", "1:3", "a list"),
        ("- say: a\n  fail: { stauts: 503 }", "2:11", "unknown key"),
        ("- fail: 200", "1:9", "not a failing HTTP status"),
        ("- fail: { status: 99 }", "1:19", "not a failing HTTP status"),
        ("- fail: slow", "1:9", "unknown failure 'slow'"),
        ("- fail: { failed: tired }", "1:19", "no error code 'tired'"),
        ("- fail: { cut: sometime }", "1:16", "unknown place 'sometime' of a cut"),
        ("- fail: { cut: { inside: true } }", "1:", "a cut has 'events'"),
        ("- fail: { cut: { events: 1, after: 1s } }", "1:", "a cut has 'events'"),
        ("- { say: a, stream: { packet: 0 } }", "1:", "at least 1 byte"),
        ("- { say: a, stream: { tokens_per_second: 0 } }", "1:", "more than 0"),
        ("- fail: { retry_after: 1 }", "1:", "needs one of"),
        ("- { fail: { delay: 1s, retry_after: 1 }, say: a }", "1:", "need a 'status'"),
        ("- { fail: { status: 500, empty: true } }", "1:", "only one of"),
        ("- { fail: { status: 500, times: 0 } }", "1:33", "counts from 1"),
        ("- { fail: { delay: soon }, say: a }", "1:13", "300ms"),
        ("- fail: { delay: 1s }", "1:", "a delay alone is not an answer"),
        ("- { fail: empty, say: a }", "1:", "no room for say"),
        ("- { say: a, save: { x: 'results[' } }", "1:24", "not a path"),
        ("- sees: { input: a }", "1:", "a round needs one of"),
        ("- { either: [{ say: a }], say: b }", "1:", "'either' stands alone"),
        ("- { either: [{ sya: a }] }", "1:16", "unknown key"),
        ("- { at_once: true, call: { a: {} } }", "1:", "a round of several calls"),
        ("- { sees: { input: { contains: a, b: c } }, say: a }", "1:", "must be the only key"),
    ] {
        let error = try_rounds(yaml).unwrap_err();
        if !error.contains(&format!("test.yaml:{place}"))
            || !error.contains('^')
            || !error.contains(says)
        {
            wrong.push(format!("{yaml}: {place} {says}\n{error}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn the_schema_names_every_key() {
    let schema = serde_json::to_string(&schemars::schema_for!(Vec<Round>)).unwrap();
    for key in [
        "sees",
        "call",
        "raw_call",
        "say",
        "fail",
        "save",
        "either",
        "retry_after",
        "mid-stream",
        "at_once",
        "stream",
        "packet",
        "failed",
        "inside",
    ] {
        assert!(schema.contains(&format!("\"{key}\"")), "{key}");
    }
}
