//! The report in the Test Anything Protocol, version 14: a line for each scenario, and what is wrong as
//! YAML below it.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::{style::plain, terminal, view::Run};
use crate::Status;

/// The report's text.
pub fn tap(run: &Run) -> String {
    let errors = run.load_errors();
    let mut text = format!("TAP version 14\n1..{}\n", run.scenarios.len());
    for error in errors {
        let line = error.split_whitespace().collect::<Vec<_>>().join(" ");
        let _ = writeln!(text, "Bail out! {line}");
    }
    for (index, report) in run.scenarios.iter().enumerate() {
        let result = &report.result;
        let first = result.problems.first().map(|problem| problem.summary.as_str());
        let (ok, directive) = match result.status {
            Status::Passed => ("ok", String::new()),
            Status::Skipped => ("ok", format!(" # SKIP {}", escaped(first.unwrap_or_default()))),
            Status::Interrupted => ("ok", " # SKIP interrupted".into()),
            Status::NotRun => ("ok", " # SKIP not run".into()),
            Status::Failed | Status::Broken | Status::EnvironmentFailed => {
                ("not ok", String::new())
            }
        };
        let _ = writeln!(text, "{ok} {} - {}{directive}", index + 1, escaped(&report.name));
        if result.status.is_failure() {
            diagnosis(
                &mut text,
                &json!({
                    "message": first,
                    "severity": if result.status == Status::Failed { "fail" } else { "error" },
                    "at": { "file": report.file, "line": result.line },
                    "report": plain(&terminal::failure(report, None)),
                    "replay": result.replay,
                }),
            );
        }
    }
    text
}

/// JSON is YAML, and its texts stand on one line whatever they contain.
fn diagnosis(text: &mut String, of: &Value) {
    let _ = writeln!(text, "  ---");
    for (key, value) in of.as_object().into_iter().flatten() {
        let _ = writeln!(text, "  {key}: {value}");
    }
    let _ = writeln!(text, "  ...");
}

/// A description on one line, in which `#` begins no directive.
fn escaped(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    line.replace('\\', "\\\\").replace('#', "\\#")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples;

    #[test]
    fn each_scenario_is_a_line_and_a_failure_has_its_report() {
        let mut run = samples::run();
        run.scenarios[0].name = "a # SKIP\nb".into();
        let text = tap(&run);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[..3], ["TAP version 14", "1..2", "ok 1 - a \\# SKIP b"]);
        assert_eq!(lines[3..5], ["not ok 2 - Two customers, one slot", "  ---"]);
        assert!(lines[5].starts_with("  message: \"no round expects"), "{text}");
        assert_eq!(lines.last(), Some(&"  ..."));
        run.scenarios[1].result.status = Status::NotRun;
        assert!(tap(&run).contains("ok 2 - Two customers, one slot # SKIP not run"));
    }
}
