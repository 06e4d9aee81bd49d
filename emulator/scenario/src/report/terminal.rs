//! The report for people. Every function gives styled text; `anstream` strips
//! the colours where a stream takes none.

use std::fmt::Write as _;

use super::{
    conversation::Renderer,
    diff,
    style::{BAD, BOLD, DIM, GOOD, NAME, Painted, WARN, paint},
    text::{count, visible, width, wrap},
    time,
    view::{Run, ScenarioReport},
};
use crate::{SourceLocation, Status};
use rehearse_core::matcher::Mismatch;

/// Widest name of a folder that still widens the column.
const MAX_FOLDER: usize = 20;

/// A terminal narrower than this has no column of folders.
const NARROW: usize = 60;

/// One line: how it ended, its time, its folder and its name. On a screen of `width` columns the name is
/// broken between words.
pub fn line(report: &ScenarioReport, folder_width: usize, width: Option<usize>) -> String {
    let took = match report.result.status {
        Status::Interrupted | Status::NotRun | Status::Skipped => "-".to_owned(),
        _ => time::duration(report.result.took),
    };
    let badge = badge(report.result.status);
    let is_narrow = width.is_some_and(|width| width < NARROW);
    let mut text = format!("{badge:>5}  {took:>8}  ");
    let mut indent = 17;
    if !is_narrow {
        let folder_width = folder_width.min(MAX_FOLDER);
        let _ = write!(text, "{:<folder_width$}  ", paint(DIM, &report.folder));
        indent += folder_width + 2;
    }
    let room = width.map(|width| width.saturating_sub(indent));
    let rows = wrap(&visible(&report.name), room);
    text.push_str(&rows.join(&format!("\n{:indent$}", "")));
    if let (Status::Skipped, Some(why)) = (report.result.status, report.result.problems.first()) {
        let place = why.location.as_ref().map_or(report.file.clone(), ToString::to_string);
        let indent = " ".repeat(17);
        let room = width.map(|width| width.saturating_sub(indent.len()));
        for row in wrap(&format!("{place}: {}", visible(&why.summary)), room) {
            let _ = write!(text, "\n{indent}{}", paint(DIM, row));
        }
    }
    text
}

fn badge(status: Status) -> Painted<&'static str> {
    let (style, word) = match status {
        Status::Passed => (GOOD, "ok"),
        Status::Failed => (BAD, "FAIL"),
        Status::Broken => (BAD, "WRONG"),
        Status::EnvironmentFailed => (WARN, "ERROR"),
        Status::Interrupted => (WARN, "STOP"),
        Status::NotRun => (DIM, "-"),
        Status::Skipped => (WARN, "skip"),
    };
    paint(style, word)
}

/// Columns of the labels before what was expected and what came.
const LABEL: usize = 10;

/// A failed scenario in full: where, the conversation so far, what was expected
/// and what came, and the command that runs it again.
pub fn failure(report: &ScenarioReport, width: Option<usize>) -> String {
    let result = &report.result;
    let mut text = String::new();
    let badge = badge(result.status);
    for (index, row) in
        wrap(&visible(&report.name), width.map(|w| w.saturating_sub(7))).iter().enumerate()
    {
        let row = paint(BOLD, row);
        let head = if index == 0 { format!("{badge}  {row}") } else { format!("      {row}") };
        line_to(&mut text, 0, &head);
    }
    let first = result.problems.iter().find_map(|problem| problem.location.as_ref());
    let first = first.map_or_else(|| format!("{}:{}", report.file, report.result.line), location);
    line_to(&mut text, 2, &paint(NAME, &first).to_string());
    if !report.conversation.is_empty() {
        text.push('\n');
        let room = width.map(|w| w.saturating_sub(2));
        for row in Renderer::new(result.zone.clone(), room).all(&report.conversation) {
            line_to(&mut text, 2, &row);
        }
    }
    for (index, problem) in result.problems.iter().enumerate() {
        text.push('\n');
        if let (0, Some(step)) = (index, &result.step) {
            let label = format!("step {}, {}", step.number, visible(&step.title));
            line_to(&mut text, 2, &paint(DIM, label).to_string());
        }
        for row in wrap(&visible(&problem.summary), width.map(|w| w.saturating_sub(2))) {
            line_to(&mut text, 2, &paint(BOLD, row).to_string());
        }
        let place = problem.location.as_ref().map(location);
        if let Some(place) = place.filter(|place| *place != first) {
            line_to(&mut text, 4, &paint(NAME, place).to_string());
        }
        differences(&mut text, 4, &problem.differences(), width);
        if let Some(nearest) = &problem.nearest {
            line_to(&mut text, 4, &format!("{} {}", paint(DIM, "nearest:"), visible(nearest)));
        }
        for note in problem.notes.iter().flat_map(|note| note.lines()) {
            for row in wrap(&visible(note), width.map(|w| w.saturating_sub(4))) {
                line_to(&mut text, 4, &paint(DIM, row).to_string());
            }
        }
    }
    text.push('\n');
    let replay = paint(NAME, &result.replay);
    line_to(&mut text, 2, &format!("{} {replay}", paint(DIM, "replay:")));
    text
}

fn location(location: &SourceLocation) -> String {
    location.to_string()
}

fn differences(text: &mut String, indent: usize, differences: &[Mismatch], width: Option<usize>) {
    for difference in differences {
        if !difference.path.is_empty() {
            line_to(text, indent, &difference.path);
        }
        let inner = if difference.path.is_empty() { indent } else { indent + 2 };
        for row in diff::lines(&difference.expected, &difference.actual) {
            // Behind the label what goes on stands in the column where it began.
            let rows = wrap(&row, width.map(|width| width.saturating_sub(inner + LABEL)));
            for (i, row) in rows.iter().enumerate() {
                line_to(text, if i == 0 { inner } else { inner + LABEL }, row);
            }
        }
    }
}

/// The last word: how many, how long, how to repeat what failed.
pub fn summary(run: &Run) -> String {
    let counts = run.counts();
    let mut parts = vec![paint(GOOD, format!("{} passed", counts.passed)).to_string()];
    let mut part = |n: usize, style, word: &str| {
        if n > 0 {
            parts.push(paint(style, format!("{n} {word}")).to_string());
        }
    };
    part(counts.failed, BAD, "failed");
    part(counts.broken, BAD, "wrong");
    part(counts.errors, WARN, "could not run");
    part(counts.interrupted, WARN, "interrupted");
    part(counts.not_run, DIM, "not run");
    part(counts.skipped, WARN, "skipped");
    let total = count(run.scenarios.len(), "scenario");
    let mut text = format!(
        "{} {}  {}",
        paint(BOLD, format!("{total}:")),
        parts.join(", "),
        paint(DIM, format!("in {}", time::duration(run.took)))
    );
    if counts.skipped > 0 && counts.skipped == run.scenarios.len() {
        let _ = write!(text, "\n{}", paint(WARN, "nothing was run, so nothing is proved"));
    }
    if run.interrupted.is_some() {
        let _ = write!(text, "\n{}", paint(WARN, "interrupted before the end"));
    }
    text
}

/// The whole report in one piece.
pub fn whole(run: &Run) -> String {
    let folders = run.scenarios.iter().map(|report| width(&report.folder)).max().unwrap_or(0);
    let lines = run.scenarios.iter().map(|report| line(report, folders, None) + "\n");
    lines.collect::<String>() + &endings(run, None)
}

/// What follows the lines of all scenarios: failures in full, then the summary.
pub fn endings(run: &Run, width: Option<usize>) -> String {
    let mut text = String::from("\n");
    for error in run.load_errors() {
        let _ = writeln!(text, "{error}\n");
    }
    for report in &run.scenarios {
        if report.result.status.is_failure() {
            text.push_str(&failure(report, width));
            text.push('\n');
        }
    }
    for row in wrap(&summary(run), width) {
        text.push_str(&row);
        text.push('\n');
    }
    text
}

/// Adds an indented line; an empty one stays empty.
fn line_to(text: &mut String, indent: usize, line: &str) {
    let line = line.trim_end();
    if !line.is_empty() {
        let _ = write!(text, "{:indent$}{line}", "");
    }
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{samples, style::plain};

    #[test]
    fn a_failure_in_full() {
        let run = samples::run();
        insta::assert_snapshot!(plain(&failure(&run.scenarios[1], None)), @r##"
        FAIL  Two customers, one slot
          scenarios/safety/one-slot.yaml:17

          Tue Feb 10 2026
          15:10  customer →  Can I come tomorrow?
                      model  check_availability(date: "2026-02-11")
          15:10  customer ←  2:00 PM is free. Shall I book it?
          15:10  customer →  Yes
                      model  400 unexpected_request

          step 2, customer: "Yes"
          no round expects this request
            instructions
              expected  something with "at the gym"
                  came  "You are Linda. Brandon is working."
            nearest: step 2, round 1
            the script of step 1 was armed as well

          the reply is not the expected one
            scenarios/safety/one-slot.yaml:20
            expected  "Confirmed: Wed Feb 11, 2:00 PM."
                came  "Confirmed: Wed Feb 11, 3:00 PM."

          replay: rehearse run scenarios/safety/one-slot.yaml
        "##);
    }

    #[test]
    fn the_same_failure_in_colour() {
        let run = samples::run();
        let text = failure(&run.scenarios[1], Some(80)).replace('\u{1b}', "␛");
        insta::assert_snapshot!(text, @r##"
        ␛[1m␛[31mFAIL␛[0m  ␛[1mTwo customers, one slot␛[0m
          ␛[36mscenarios/safety/one-slot.yaml:17␛[0m

          ␛[2mTue Feb 10 2026␛[0m
          ␛[2m15:10␛[0m  ␛[1mcustomer →␛[0m  Can I come tomorrow?
                 ␛[2m     model␛[0m  ␛[2mcheck_availability(date: "2026-02-11")␛[0m
          ␛[2m15:10␛[0m  ␛[36mcustomer ←␛[0m  2:00 PM is free. Shall I book it?
          ␛[2m15:10␛[0m  ␛[1mcustomer →␛[0m  Yes
                 ␛[31m     model␛[0m  ␛[31m400 unexpected_request␛[0m

          ␛[2mstep 2, customer: "Yes"␛[0m
          ␛[1mno round expects this request␛[0m
            instructions
              ␛[2mexpected␛[0m  ␛[32msomething with "at the gym"␛[0m
              ␛[2m    came␛[0m  ␛[31m"You are Linda. Brandon is working."␛[0m
            ␛[2mnearest:␛[0m step 2, round 1
            ␛[2mthe script of step 1 was armed as well␛[0m

          ␛[1mthe reply is not the expected one␛[0m
            ␛[36mscenarios/safety/one-slot.yaml:20␛[0m
            ␛[2mexpected␛[0m  ␛[32m"Confirmed: Wed Feb 11, ␛[0m␛[1m␛[4m␛[32m2:00␛[0m␛[32m PM."␛[0m
            ␛[2m    came␛[0m  ␛[31m"Confirmed: Wed Feb 11, ␛[0m␛[1m␛[4m␛[31m3:00␛[0m␛[31m PM."␛[0m

          ␛[2mreplay:␛[0m ␛[36mrehearse run scenarios/safety/one-slot.yaml␛[0m
        "##);
    }

    #[test]
    fn one_line_per_scenario_and_a_summary() {
        let run = samples::run();
        let mut text: String =
            run.scenarios.iter().map(|ran| plain(&line(ran, 7, None)) + "\n").collect();
        text.push_str(&plain(&summary(&run)));
        insta::assert_snapshot!(text, @r##"
           ok     12 ms  booking  A customer books tomorrow
         FAIL     12 ms  safety   Two customers, one slot
        2 scenarios: 1 passed, 1 failed  in 612 ms
        "##);
    }

    #[test]
    fn an_interrupted_run_says_so() {
        let mut run = samples::run();
        run.interrupted = Some(130);
        run.scenarios[0].result.status = Status::Interrupted;
        run.scenarios[1].result.status = Status::NotRun;
        insta::assert_snapshot!(plain(&summary(&run)), @r##"
        2 scenarios: 0 passed, 1 interrupted, 1 not run  in 612 ms
        interrupted before the end
        "##);
    }

    #[test]
    fn on_forty_columns_everything_is_broken_between_words() {
        let mut run = samples::run();
        run.scenarios[1].name =
            "Two customers ask for the one slot that is left in the week".into();
        let lines = run.scenarios.iter().map(|ran| line(ran, 7, Some(40)) + "\n");
        let text = plain(&(lines.collect::<String>() + &endings(&run, Some(40))));
        for row in text.lines() {
            // A word that is wider than the screen stays whole: a path can be copied.
            let words = row.split_whitespace().count();
            let whole = words <= 2 || row.contains("replay:");
            assert!(width(row) <= 40 || whole, "{row:?} in\n{text}");
        }
        assert!(text.contains("Two customers ask for\n"), "{text}");
    }
}
