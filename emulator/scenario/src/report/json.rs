//! The JSON report.
//!
//! ```json
//! {
//!   "version": 1,
//!   "outcome": "failed",              // passed, failed, broken, error, interrupted
//!   "exit_code": 1,
//!   "started_at": "2026-02-10T20:10:00Z",
//!   "took_ms": 612.4,
//!   "seed": null,
//!   "counts": { "passed": 40, "failed": 1, "broken": 0, "errors": 0, "interrupted": 0, "not_run": 0,
//!               "skipped": 0 },
//!   "errors": ["..."],                // only when nothing was run: files that cannot be read
//!   "scenarios": [{
//!     "name": "...", "file": "scenarios/booking/a.yaml", "line": 1, "tags": ["booking"],
//!     "outcome": "failed",            // passed, failed, broken, error, interrupted, not_run, skipped
//!     "took_ms": 12.3,
//!     "replay": "rehearse run ...",
//!     "failures": [{
//!       "step": { "number": "2", "title": "customer: \"Yes\"" },
//!       "place": "scenarios/booking/a.yaml:17",
//!       "message": "...",
//!       "differences": [{ "path": "", "expected": "...", "actual": "..." }],
//!       "nearest": "step 2, round 1",
//!       "notes": ["..."]
//!     }],
//!     "journal": []                   // only when asked for
//!   }]
//! }
//! ```
//! Keys are only ever added; a change of meaning raises `version`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::view::{Counts, Run, ScenarioReport};
use crate::{Problem, ScenarioResult, StepLabel};
use rehearse_core::journal::Exchange;

/// The version of the shape.
pub const VERSION: u32 = 1;

/// The report's text; with the journals of all scenarios when `journal` is set.
///
/// # Errors
/// When an exchange cannot be written as JSON.
pub fn json(run: &Run, journal: bool) -> serde_json::Result<String> {
    let report = Report {
        version: VERSION,
        outcome: outcome(run),
        exit_code: run.exit_code(),
        started_at: run.started.to_string(),
        took_ms: millis(run.took),
        seed: run.seed,
        counts: run.counts(),
        errors: run.load_errors(),
        scenarios: run.scenarios.iter().map(|report| Scenario::new(report, journal)).collect(),
    };
    serde_json::to_string_pretty(&report).map(|text| text + "\n")
}

/// How a run ended, in a word.
pub(super) fn outcome(run: &Run) -> &'static str {
    if run.interrupted.is_some() {
        return "interrupted";
    }
    match run.exit_code() {
        0 => "passed",
        1 => "failed",
        2 => "broken",
        _ => "error",
    }
}

/// The shape of the report as JSON Schema.
pub fn schema() -> Value {
    let mut schema = schemars::schema_for!(Report<'static>).to_value();
    if let Some(version) = schema.pointer_mut("/properties/version") {
        *version = serde_json::json!({ "const": VERSION, "description": "Version of the shape." });
    }
    schema
}

/// The journals in a report's text; none when it was written without them.
///
/// # Errors
/// When it is not such a report.
pub fn journals(text: &str) -> serde_json::Result<Vec<Vec<Exchange>>> {
    #[derive(Deserialize)]
    struct StoredReport {
        scenarios: Vec<StoredScenario>,
    }
    #[derive(Deserialize)]
    struct StoredScenario {
        journal: Option<Vec<Exchange>>,
    }
    let written: StoredReport = serde_json::from_str(text)?;
    Ok(written.scenarios.into_iter().filter_map(|scenario| scenario.journal).collect())
}

/// The report of `rehearse run --report json`.
#[derive(Serialize, JsonSchema)]
#[schemars(title = "Report", rename = "Report")]
struct Report<'a> {
    /// Version of the shape.
    version: u32,
    /// How the run ended: `passed`, `failed`, `broken` (a scenario or a file is wrong), `error` (the
    /// environment failed) or `interrupted`.
    outcome: &'static str,
    /// The process's exit code.
    exit_code: u8,
    /// When it began, in UTC.
    started_at: String,
    /// How long it took, in milliseconds.
    took_ms: f64,
    /// The seed that was asked for.
    seed: Option<u64>,
    /// How many scenarios ended how.
    counts: Counts,
    /// Why nothing was run: files that cannot be read, and so on. Not there when the run was started.
    #[serde(default, skip_serializing_if = "<[String]>::is_empty")]
    errors: &'a [String],
    /// Every selected scenario, in the order of their files.
    scenarios: Vec<Scenario<'a>>,
}

/// A scenario of a run.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Scenario")]
struct Scenario<'a> {
    /// Its name, unique in the run.
    name: &'a str,
    /// Its file.
    file: &'a str,
    /// The line of its name.
    line: u64,
    /// Its tags.
    tags: &'a [String],
    /// How it ended: `passed`, `failed`, `broken`, `error`, `interrupted`, `not_run` or `skipped`.
    outcome: &'static str,
    /// How long it took, in milliseconds.
    took_ms: f64,
    /// The command that runs it again in the same way.
    replay: &'a str,
    /// What is wrong; empty when it passed.
    failures: Vec<Failure<'a>>,
    /// Every exchange of its world; there with `--report-journal`.
    #[serde(skip_serializing_if = "Option::is_none")]
    journal: Option<&'a [Exchange]>,
}

/// One thing that is wrong.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Failure")]
struct Failure<'a> {
    /// The step that ended the scenario.
    step: Option<&'a StepLabel>,
    /// The expectation's file and line: `scenarios/a.yaml:17`.
    place: Option<String>,
    /// What is wrong, in a line.
    message: &'a str,
    /// Where what came differs from what was expected.
    differences: Vec<Difference>,
    /// The round that is nearest to an unexpected request.
    nearest: Option<&'a str>,
    /// What else helps to understand it.
    notes: &'a [String],
}

/// One place where a value is not what was expected.
#[derive(Serialize, JsonSchema)]
struct Difference {
    /// The place inside the value; empty for all of it.
    path: String,
    /// What was expected.
    expected: String,
    /// What came.
    actual: String,
}

impl<'a> Scenario<'a> {
    fn new(report: &'a ScenarioReport, journal: bool) -> Self {
        let result = &report.result;
        Self {
            name: &report.name,
            file: &report.file,
            line: report.result.line,
            tags: &result.tags,
            outcome: result.status.word(),
            took_ms: millis(result.took),
            replay: &result.replay,
            failures: result.problems.iter().map(|p| Failure::new(result, p)).collect(),
            journal: journal.then_some(result.journal.as_slice()),
        }
    }
}

impl<'a> Failure<'a> {
    fn new(result: &'a ScenarioResult, problem: &'a Problem) -> Self {
        let differences = problem.differences().into_iter();
        Self {
            step: result.step.as_ref(),
            place: problem.location.as_ref().map(ToString::to_string),
            message: &problem.summary,
            differences: differences
                .map(|d| Difference { path: d.path, expected: d.expected, actual: d.actual })
                .collect(),
            nearest: problem.nearest.as_deref(),
            notes: &problem.notes,
        }
    }
}

/// Milliseconds with three digits behind the point.
fn millis(took: std::time::Duration) -> f64 {
    took.as_micros() as f64 / 1e3
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples;

    #[test]
    fn the_shape_is_the_documented_one() {
        let text = json(&samples::run(), false).unwrap();
        insta::assert_snapshot!(text, @r##"
        {
          "version": 1,
          "outcome": "failed",
          "exit_code": 1,
          "started_at": "2026-02-10T20:10:00Z",
          "took_ms": 612.0,
          "seed": 7,
          "counts": {
            "passed": 1,
            "failed": 1,
            "broken": 0,
            "errors": 0,
            "interrupted": 0,
            "not_run": 0,
            "skipped": 0
          },
          "scenarios": [
            {
              "name": "A customer books tomorrow",
              "file": "scenarios/booking/tomorrow.yaml",
              "line": 1,
              "tags": [
                "booking"
              ],
              "outcome": "passed",
              "took_ms": 12.345,
              "replay": "rehearse run scenarios/booking/tomorrow.yaml",
              "failures": []
            },
            {
              "name": "Two customers, one slot",
              "file": "scenarios/safety/one-slot.yaml",
              "line": 1,
              "tags": [
                "safety"
              ],
              "outcome": "failed",
              "took_ms": 12.345,
              "replay": "rehearse run scenarios/safety/one-slot.yaml",
              "failures": [
                {
                  "step": {
                    "number": "2",
                    "title": "customer: \"Yes\""
                  },
                  "place": "scenarios/safety/one-slot.yaml:17",
                  "message": "no round expects this request",
                  "differences": [
                    {
                      "path": "instructions",
                      "expected": "something with \"at the gym\"",
                      "actual": "\"You are Linda. Brandon is working.\""
                    }
                  ],
                  "nearest": "step 2, round 1",
                  "notes": [
                    "the script of step 1 was armed as well"
                  ]
                },
                {
                  "step": {
                    "number": "2",
                    "title": "customer: \"Yes\""
                  },
                  "place": "scenarios/safety/one-slot.yaml:20",
                  "message": "the reply is not the expected one",
                  "differences": [
                    {
                      "path": "",
                      "expected": "\"Confirmed: Wed Feb 11, 2:00 PM.\"",
                      "actual": "\"Confirmed: Wed Feb 11, 3:00 PM.\""
                    }
                  ],
                  "nearest": null,
                  "notes": []
                }
              ]
            }
          ]
        }
        "##);
    }

    #[test]
    fn what_is_written_fits_the_schema() {
        let mut run = samples::run();
        let journal = rehearse_core::journal::Journal::new(rehearse_core::clock::Clock::running());
        let line = rehearse_core::journal::ExchangeDetail::Log {
            function: "F".into(),
            request_id: None,
            line: "x".into(),
        };
        journal.note("log", line);
        run.scenarios[0].result.journal = journal.since(0);
        let mut broken = run.clone();
        broken.scenarios.clear();
        broken.not_started =
            Some(crate::report::NotStarted { exit_code: 2, errors: vec!["a.yaml:1".into()] });
        let schema = jsonschema::validator_for(&schema()).unwrap();
        for (run, outcome) in [(&run, "failed"), (&broken, "broken")] {
            let report: Value = serde_json::from_str(&json(run, true).unwrap()).unwrap();
            let errors: Vec<String> = schema.iter_errors(&report).map(|e| e.to_string()).collect();
            assert_eq!(errors, [""; 0]);
            assert_eq!(report["outcome"], outcome);
        }
        let mut other: Value = serde_json::from_str(&json(&run, false).unwrap()).unwrap();
        other["version"] = 2.into();
        assert!(!schema.is_valid(&other), "a new version has a schema of its own");
    }

    #[test]
    fn journals_are_there_only_when_asked_for() {
        let read = |journal| -> serde_json::Value {
            serde_json::from_str(&json(&samples::run(), journal).unwrap()).unwrap()
        };
        assert!(read(false)["scenarios"][0].get("journal").is_none());
        assert!(read(true)["scenarios"][0]["journal"].is_array());
    }
}
