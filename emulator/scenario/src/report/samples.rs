//! A run to show in tests.

use std::time::Duration;

use jiff::{Timestamp, tz::TimeZone};

use super::{
    Difference, Failure, Run, ScenarioReport, Status, Step, conversation::ConversationLine,
};
use crate::report::conversation::Tone;

/// A run with one scenario of every outcome.
pub fn run() -> Run {
    let at: Timestamp = "2026-02-10T20:10:00Z".parse().unwrap();
    let ran = |name: &str, folder: &str, file: &str| ScenarioReport {
        name: name.into(),
        full_name: name.into(),
        file: file.into(),
        folder: folder.into(),
        line: 1,
        tags: vec![folder.into()],
        status: Status::Passed,
        took: Duration::from_micros(12_345),
        failures: Vec::new(),
        conversation: Vec::new(),
        journal: Vec::new(),
        replay: format!("rehearse run {file}"),
        zone: TimeZone::fixed(jiff::tz::offset(-5)),
    };
    let line = |label: &str, text: &str, tone| ConversationLine {
        at,
        label: label.into(),
        text: text.into(),
        tone,
    };
    let difference = |path: &str, expected: &str, actual: &str| Difference {
        path: path.into(),
        expected: expected.into(),
        actual: actual.into(),
    };
    let step = Some(Step { number: "2".into(), title: "customer: \"Yes\"".into() });
    let failed = ScenarioReport {
        status: Status::Failed,
        conversation: vec![
            line("customer →", "Can I come tomorrow?", Tone::Person),
            line("model", "check_availability(date: \"2026-02-11\")", Tone::Quiet),
            line("customer ←", "2:00 PM is free. Shall I book it?", Tone::Shop),
            line("customer →", "Yes", Tone::Person),
            line("model", "400 unexpected_request", Tone::Trouble),
        ],
        failures: vec![
            Failure {
                step: step.clone(),
                place: Some("scenarios/safety/one-slot.yaml:17".into()),
                message: "no round expects this request".into(),
                differences: vec![difference(
                    "instructions",
                    r#"something with "at the gym""#,
                    r#""You are Linda. Brandon is working.""#,
                )],
                nearest: Some("step 2, round 1".into()),
                notes: vec!["the script of step 1 was armed as well".into()],
            },
            Failure {
                step,
                place: Some("scenarios/safety/one-slot.yaml:20".into()),
                message: "the reply is not the expected one".into(),
                differences: vec![difference(
                    "",
                    r#""Confirmed: Wed Feb 11, 2:00 PM.""#,
                    r#""Confirmed: Wed Feb 11, 3:00 PM.""#,
                )],
                nearest: None,
                notes: Vec::new(),
            },
        ],
        ..ran("Two customers, one slot", "safety", "scenarios/safety/one-slot.yaml")
    };
    Run {
        started: at,
        took: Duration::from_millis(612),
        seed: Some(7),
        interrupted: false,
        scenarios: vec![
            ran("A customer books tomorrow", "booking", "scenarios/booking/tomorrow.yaml"),
            failed,
        ],
    }
}
