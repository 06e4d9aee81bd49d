//! The report in GitHub Actions: an annotation for each problem, at its line, and the job's summary.

use std::fmt::Write as _;

use super::{
    style::plain,
    terminal,
    text::count,
    time,
    view::{Run, ScenarioReport},
};

/// GitHub shows no more annotations of a step than this.
const MOST: usize = 10;

/// The annotations as workflow commands, a line each. `below` is the folder that files are named from, as
/// seen from the repository's root, from where GitHub reads them: `shop/`, or empty at the root.
pub fn annotations(run: &Run, below: &str) -> String {
    let mut text = String::new();
    for error in run.load_errors() {
        let place = place(error).map(|(file, line)| {
            format!("file={},line={line},", property(&format!("{below}{file}")))
        });
        let place = place.unwrap_or_default();
        let _ = writeln!(text, "::error {place}title=rehearse::{}", data(error));
    }
    for report in failures(run).take(MOST) {
        let result = &report.result;
        let located = result.problems.iter().find_map(|problem| problem.location.as_ref());
        let (file, line) = located
            .map_or((report.file.as_str(), result.line), |place| (place.file.as_str(), place.line));
        let _ = writeln!(
            text,
            "::error file={},line={line},title={}::{}",
            property(&format!("{below}{file}")),
            property(&report.name),
            data(&plain(&terminal::failure(report, None))),
        );
    }
    text
}

/// The job's summary, in Markdown: how many ended how, and each failure in full.
pub fn summary(run: &Run) -> String {
    let counts = run.counts();
    let failed = counts.failed + counts.broken + counts.errors;
    let mut text = format!("### rehearse: {}", count(run.scenarios.len(), "scenario"));
    let took = time::duration(run.took);
    let _ = writeln!(text, ", {failed} failed\n\n{} passed, {took}\n", counts.passed);
    for error in run.load_errors() {
        let _ = writeln!(text, "{}\n", fenced(error));
    }
    for report in failures(run) {
        let name = escaped(&report.name);
        let full = fenced(&plain(&terminal::failure(report, None)));
        let _ = writeln!(text, "<details><summary>{name}</summary>\n\n{full}\n</details>\n");
    }
    text
}

/// The file and line that an error points at: ` --> a.yaml:3:14`.
fn place(error: &str) -> Option<(&str, &str)> {
    let place = error.lines().find_map(|line| line.trim_start().strip_prefix("--> "))?;
    let (place, _) = place.rsplit_once(':')?;
    let (file, line) = place.rsplit_once(':')?;
    line.parse::<u32>().ok().map(|_| (file, line))
}

fn failures(run: &Run) -> impl Iterator<Item = &ScenarioReport> {
    run.scenarios.iter().filter(|report| report.result.status.is_failure())
}

/// The message of a command.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// A property of a command.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

/// Text between fences that none of its own can end.
fn fenced(text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}text\n{}\n{fence}", text.trim_end())
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('\n', " ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples;

    #[test]
    fn a_failure_is_annotated_at_its_line_on_one_line() {
        let mut run = samples::run();
        run.scenarios[1].name = "Two: a, b\n::error::forged".into();
        let text = annotations(&run, "");
        assert_eq!(text.lines().count(), 1, "{text}");
        let begins = "::error file=scenarios/safety/one-slot.yaml,line=17,title=Two%3A a%2C b%0A%3A%3Aerror%3A%3Aforged::FAIL";
        assert!(text.starts_with(begins), "{text}");
        assert!(text.contains("expected  \"Confirmed: Wed Feb 11, 2:00 PM.\"%0A"), "{text}");
    }

    #[test]
    fn files_are_named_from_the_repositorys_root_and_wrong_ones_at_their_lines() {
        let mut run = samples::run();
        assert!(
            annotations(&run, "shop/").contains("file=shop/scenarios/safety/one-slot.yaml,line=17")
        );
        let error = "error: no such key\n --> scenarios/a.yaml:3:14\n  |".to_owned();
        run.not_started = Some(crate::report::NotStarted { exit_code: 2, errors: vec![error] });
        let text = annotations(&run, "shop/");
        assert!(
            text.starts_with("::error file=shop/scenarios/a.yaml,line=3,title=rehearse::"),
            "{text}"
        );
    }

    #[test]
    fn the_summary_counts_and_shows_failures_as_they_are() {
        let mut run = samples::run();
        run.scenarios[1].result.problems[0].notes.push("```\n<b>".into());
        run.scenarios[1].name = "<b>".into();
        let text = summary(&run);
        assert!(
            text.starts_with("### rehearse: 2 scenarios, 1 failed\n\n1 passed, 612 ms\n"),
            "{text}"
        );
        assert!(text.contains("<summary>&lt;b&gt;</summary>\n\n````text\nFAIL"), "{text}");
    }
}
