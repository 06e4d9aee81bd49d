//! The JUnit report, as CI systems read it: a suite per folder, a case per scenario.

use std::{collections::BTreeMap, io, time::Duration};

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::{
    style::plain,
    terminal,
    view::{Run, ScenarioReport},
};
use crate::Status;

/// The report's text.
///
/// # Errors
/// Fails if the XML cannot be written, which does not happen in memory.
pub fn junit(run: &Run) -> io::Result<String> {
    let mut folders: BTreeMap<&str, Vec<&ScenarioReport>> = BTreeMap::new();
    for report in &run.scenarios {
        folders.entry(&report.folder).or_default().push(report);
    }
    let mut junit = Report::new("rehearse");
    junit.set_time(run.took);
    for (folder, reports) in folders {
        let name = if folder.is_empty() { "scenarios" } else { folder };
        junit.add_test_suite(suite(name, &reports, run));
    }
    if !run.load_errors().is_empty() {
        let mut suite = TestSuite::new("rehearse");
        suite.add_test_cases(run.load_errors().iter().enumerate().map(|(index, error)| {
            let first = error.lines().next().unwrap_or_default();
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
            status.set_message(legal(first)).set_type("load").set_description(legal(error));
            // Names are unique in a suite.
            TestCase::new(format!("what is to be run can be read, {}", index + 1), status)
        }));
        junit.add_test_suite(suite);
    }
    junit.to_string().map_err(io::Error::other)
}

fn suite(name: &str, reports: &[&ScenarioReport], run: &Run) -> TestSuite {
    let mut suite = TestSuite::new(name);
    suite.set_time(reports.iter().map(|report| report.result.took).sum::<Duration>());
    // The library takes the time of another crate; both know RFC 3339.
    suite.timestamp = run.started.to_string().parse().ok();
    suite.add_test_cases(reports.iter().map(|report| case(name, report)));
    suite
}

fn case(suite: &str, report: &ScenarioReport) -> TestCase {
    let mut case = TestCase::new(legal(&report.name), status(report));
    case.set_classname(suite);
    case.set_time(report.result.took);
    case.extra.insert("file".into(), report.file.as_str().into());
    case.extra.insert("line".into(), report.result.line.to_string().into());
    case
}

fn status(report: &ScenarioReport) -> TestCaseStatus {
    let first = report.result.problems.first().map(|problem| problem.summary.as_str());
    let (kind, name) = match report.result.status {
        Status::Passed => return TestCaseStatus::success(),
        Status::Interrupted => return skipped("interrupted"),
        Status::NotRun => return skipped("not run"),
        Status::Skipped => return skipped(first.unwrap_or("skipped")),
        Status::Failed => (NonSuccessKind::Failure, "expectation"),
        Status::Broken => (NonSuccessKind::Error, "scenario"),
        Status::EnvironmentFailed => (NonSuccessKind::Error, "environment"),
    };
    let mut status = TestCaseStatus::non_success(kind);
    status
        .set_message(legal(first.unwrap_or_default()))
        .set_type(name)
        .set_description(legal(&plain(&terminal::failure(report, None))));
    status
}

fn skipped(message: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::skipped();
    status.set_message(legal(message));
    status
}

/// The text without the two characters that XML 1.0 forbids and the library lets through.
fn legal(text: &str) -> String {
    text.replace(['\u{FFFE}', '\u{FFFF}'], "\u{FFFD}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples;

    /// Reads the report back; fails unless it is well formed and has the elements of JUnit.
    fn read(xml: &str) -> Report {
        Report::deserialize_from_str(xml).unwrap()
    }

    fn cases(report: &Report) -> Vec<&TestCase> {
        report.test_suites.iter().flat_map(|suite| &suite.test_cases).collect()
    }

    #[test]
    fn a_suite_per_folder_and_a_case_per_scenario() {
        let xml = junit(&samples::run()).unwrap();
        insta::assert_snapshot!(xml, @r##"
        <?xml version="1.0" encoding="UTF-8"?>
        <testsuites name="rehearse" tests="2" skipped="0" failures="1" errors="0" time="0.612">
            <testsuite name="booking" tests="1" skipped="0" errors="0" failures="0" timestamp="2026-02-10T20:10:00.000+00:00" time="0.012">
                <testcase name="A customer books tomorrow" classname="booking" time="0.012" file="scenarios/booking/tomorrow.yaml" line="1"/>
            </testsuite>
            <testsuite name="safety" tests="1" skipped="0" errors="0" failures="1" timestamp="2026-02-10T20:10:00.000+00:00" time="0.012">
                <testcase name="Two customers, one slot" classname="safety" time="0.012" file="scenarios/safety/one-slot.yaml" line="1">
                    <failure message="no round expects this request" type="expectation">FAIL  Two customers, one slot
          scenarios/safety/one-slot.yaml:17

          Tue Feb 10 2026
          15:10  customer →  Can I come tomorrow?
                      model  check_availability(date: &quot;2026-02-11&quot;)
          15:10  customer ←  2:00 PM is free. Shall I book it?
          15:10  customer →  Yes
                      model  400 unexpected_request

          step 2, customer: &quot;Yes&quot;
          no round expects this request
            instructions
              expected  something with &quot;at the gym&quot;
                  came  &quot;You are Linda. Brandon is working.&quot;
            nearest: step 2, round 1
            the script of step 1 was armed as well

          the reply is not the expected one
            scenarios/safety/one-slot.yaml:20
            expected  &quot;Confirmed: Wed Feb 11, 2:00 PM.&quot;
                came  &quot;Confirmed: Wed Feb 11, 3:00 PM.&quot;

          replay: rehearse run scenarios/safety/one-slot.yaml
        </failure>
                </testcase>
            </testsuite>
        </testsuites>
        "##);
    }

    #[test]
    fn a_run_that_was_not_started_has_its_errors() {
        let errors = vec!["error: x\n --> a.yaml:1".to_owned(), "b.yaml: y".to_owned()];
        let not_started = Some(crate::report::NotStarted { exit_code: 2, errors });
        let run = Run { not_started, scenarios: Vec::new(), ..samples::run() };
        let report = read(&junit(&run).unwrap());
        assert_eq!((report.tests, report.errors), (2, 2));
    }

    #[test]
    fn forbidden_characters_and_markup_are_made_harmless() {
        let mut run = samples::run();
        let evil = "a\u{0}b\u{1b}[31m\u{FFFF}<c> \"&]]>";
        run.scenarios[1].name = evil.into();
        run.scenarios[1].result.problems[0].summary = evil.into();
        let xml = junit(&run).unwrap();
        assert!(!xml.contains(['\u{0}', '\u{1b}', '\u{FFFF}']), "{xml}");
        let name = cases(&read(&xml))[1].name.as_str().to_owned();
        assert_eq!(name, "ab\u{FFFD}<c> \"&]]>");
    }

    #[test]
    fn interrupted_and_unstarted_scenarios_are_skipped_cases() {
        let mut run = samples::run();
        run.interrupted = Some(130);
        run.scenarios[0].result.status = Status::Interrupted;
        run.scenarios[1].result.status = Status::NotRun;
        let report = read(&junit(&run).unwrap());
        let messages: Vec<_> = cases(&report)
            .into_iter()
            .map(|case| match &case.status {
                TestCaseStatus::Skipped { message, .. } => message.as_ref().unwrap().as_str(),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(messages, ["interrupted", "not run"]);
        assert_eq!(report.skipped, 2);
    }
}
