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

use serde::{Deserialize, Serialize};

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
        outcome: match run.exit_code() {
            0 => "passed",
            1 => "failed",
            2 => "broken",
            130 => "interrupted",
            _ => "error",
        },
        exit_code: run.exit_code(),
        started_at: run.started.to_string(),
        took_ms: millis(run.took),
        seed: run.seed,
        counts: run.counts(),
        scenarios: run.scenarios.iter().map(|report| Scenario::new(report, journal)).collect(),
    };
    serde_json::to_string_pretty(&report).map(|text| text + "\n")
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

#[derive(Serialize)]
struct Report<'a> {
    version: u32,
    outcome: &'static str,
    exit_code: u8,
    started_at: String,
    took_ms: f64,
    seed: Option<u64>,
    counts: Counts,
    scenarios: Vec<Scenario<'a>>,
}

#[derive(Serialize)]
struct Scenario<'a> {
    name: &'a str,
    file: &'a str,
    line: u64,
    tags: &'a [String],
    outcome: &'static str,
    took_ms: f64,
    replay: &'a str,
    failures: Vec<Failure<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    journal: Option<&'a [Exchange]>,
}

#[derive(Serialize)]
struct Failure<'a> {
    step: Option<&'a StepLabel>,
    place: Option<String>,
    message: &'a str,
    differences: Vec<Difference>,
    nearest: Option<&'a str>,
    notes: &'a [String],
}

#[derive(Serialize)]
struct Difference {
    path: String,
    expected: String,
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
    fn journals_are_there_only_when_asked_for() {
        let read = |journal| -> serde_json::Value {
            serde_json::from_str(&json(&samples::run(), journal).unwrap()).unwrap()
        };
        assert!(read(false)["scenarios"][0].get("journal").is_none());
        assert!(read(true)["scenarios"][0]["journal"].is_array());
    }
}
