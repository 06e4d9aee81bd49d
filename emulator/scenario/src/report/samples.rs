//! A run to show in tests.

use std::{collections::BTreeMap, time::Duration};

use jiff::{Timestamp, tz::TimeZone};

use super::{
    Run, ScenarioReport,
    conversation::{ConversationLine, Tone},
};
use crate::{Problem, ScenarioResult, SourceLocation, Status, StepLabel};
use rehearse_core::matcher::Mismatch;

/// A run with one scenario of every outcome.
pub fn run() -> Run {
    // 2026-02-10T20:10:00Z
    let at = Timestamp::constant(1770754200, 0);
    let report = |name: &str, folder: &str, file: &str| ScenarioReport {
        name: name.into(),
        full_name: name.into(),
        file: file.into(),
        folder: folder.into(),
        conversation: Vec::new(),
        result: ScenarioResult {
            name: name.into(),
            path: file.into(),
            line: 1,
            tags: vec![folder.into()],
            each: None,
            status: Status::Passed,
            step: None,
            problems: Vec::new(),
            took: Duration::from_micros(12_345),
            journal: Vec::new(),
            people: BTreeMap::new(),
            replay: format!("rehearse run {file}"),
            zone: TimeZone::fixed(jiff::tz::offset(-5)),
        },
    };
    let line = |label: &str, text: &str, tone| ConversationLine {
        at,
        label: label.into(),
        text: text.into(),
        tone,
    };
    let problem = |line, summary: &str| {
        let file = "scenarios/safety/one-slot.yaml".into();
        Problem::new(summary).at(SourceLocation { file, line, column: 1 })
    };
    let mut failed = report("Two customers, one slot", "safety", "scenarios/safety/one-slot.yaml");
    failed.conversation = vec![
        line("customer →", "Can I come tomorrow?", Tone::Person),
        line("model", "check_availability(date: \"2026-02-11\")", Tone::Quiet),
        line("customer ←", "2:00 PM is free. Shall I book it?", Tone::Shop),
        line("customer →", "Yes", Tone::Person),
        line("model", "400 unexpected_request", Tone::Trouble),
    ];
    failed.result.status = Status::Failed;
    failed.result.step = Some(StepLabel { number: "2".into(), title: "customer: \"Yes\"".into() });
    failed.result.problems = vec![
        Problem {
            mismatches: vec![Mismatch {
                path: "instructions".into(),
                expected: r#"something with "at the gym""#.into(),
                actual: r#""You are Linda. Brandon is working.""#.into(),
            }],
            nearest: Some("step 2, round 1".into()),
            notes: vec!["the script of step 1 was armed as well".into()],
            ..problem(17, "no round expects this request")
        },
        problem(20, "the reply is not the expected one").differs(
            r#""Confirmed: Wed Feb 11, 2:00 PM.""#,
            r#""Confirmed: Wed Feb 11, 3:00 PM.""#,
        ),
    ];
    Run {
        started: at,
        took: Duration::from_millis(612),
        seed: Some(7),
        interrupted: None,
        not_started: None,
        scenarios: vec![
            report("A customer books tomorrow", "booking", "scenarios/booking/tomorrow.yaml"),
            failed,
        ],
    }
}
