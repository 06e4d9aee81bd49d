//! `rehearse coverage`

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::{
    app::App,
    error::{CommandError, Exit},
    journals::JournalArgs,
    project::Project,
};
use rehearse_scenario::{
    coverage::{Cases, Coverage, Group, Hole},
    report::{
        style::{BAD, DIM, GOOD, NAME, paint},
        text::count,
    },
};

/// Print what the scenarios have touched of tools, providers, webhooks and tables, and what they have not
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Runs every scenario quietly, or reads the journals of a run that was:
  rehearse run --report json=run.json --report-journal
  rehearse coverage --report run.json

A hole is something that was used and never went in one of the ways in which it can go: a tool that
never refused, a route that never failed, a condition that always held. Exit code 1: less was
touched than --fail-under asks for.")]
pub(crate) struct Args {
    /// Fail when less than this percentage was touched.
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(0..=100))]
    fail_under: Option<u8>,
    /// Print it as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    journals: JournalArgs,
}

pub(crate) fn coverage(args: Args, app: &App) -> Result<Exit, CommandError> {
    let project = Project::find(app)?;
    let mut coverage = Coverage::default();
    let external = |backend| {
        CommandError::wrong(format!("the scenarios of {backend} are not run here")).help(
            "run them with `rehearse run --report json=FILE --report-journal`, and give that file \
             with --report",
        )
    };
    args.journals.read(&project, app, external, |journal| coverage.add(journal))?;
    let (touched, all) = coverage.touched();
    let percent = percent(touched, all);
    let holes = coverage.holes();
    if args.json {
        app.ui.line(format!("{:#}", as_json(&coverage, percent)))?;
    } else {
        app.ui.line(table(&coverage).trim_end())?;
        if !holes.is_empty() {
            app.ui.line(format!("\n{}", paint(NAME, "holes")))?;
        }
        for Hole { group, subject, way } in &holes {
            app.ui.line(format!("  {}  {subject}: {}", group.name(), way.name()))?;
        }
        let style = if holes.is_empty() { GOOD } else { NAME };
        let told = format!("{percent} %");
        app.ui.line(format!(
            "\n{} of what was used was touched in every way: {touched} of {all}, {}",
            paint(style, told),
            count(holes.len(), "hole")
        ))?;
    }
    match args.fail_under {
        Some(least) if percent < usize::from(least) => {
            app.ui.note(format!("{} less than --fail-under {least}", paint(BAD, "failed:")));
            Ok(Exit::Failed)
        }
        _ => Ok(Exit::Passed),
    }
}

/// Rounded down, so that 100 means all; 100 when nothing was expected.
fn percent(touched: usize, all: usize) -> usize {
    (touched * 100).checked_div(all).unwrap_or(100)
}

fn table(coverage: &Coverage) -> String {
    let width = coverage.rows().map(|(_, subject, _)| subject.chars().count()).max().unwrap_or(0);
    let mut text = String::new();
    let mut last = None;
    for (group, subject, cases) in coverage.rows() {
        if last != Some(group) {
            let gap = if last.is_some() { "\n" } else { "" };
            let _ = writeln!(text, "{gap}{}", paint(NAME, group.name()));
            last = Some(group);
        }
        let cases: Vec<String> = cases
            .iter()
            .map(|(way, case)| match case.count {
                0 => paint(BAD, format!("{} 0", way.name())).to_string(),
                count => format!("{} {}", way.name(), paint(DIM, count)),
            })
            .collect();
        let _ = writeln!(text, "  {subject:width$}  {}", cases.join("  "));
    }
    text
}

fn as_json(coverage: &Coverage, percent: usize) -> Value {
    let subject = |(group, subject, cases): (Group, &str, &Cases)| {
        let counts: serde_json::Map<String, Value> =
            cases.iter().map(|(way, case)| (way.name().to_owned(), json!(case.count))).collect();
        json!({ "group": group.name(), "subject": subject, "cases": counts })
    };
    let hole = |hole: &Hole| json!({ "group": hole.group.name(), "subject": hole.subject, "case": hole.way.name() });
    json!({
        "percent": percent,
        "subjects": coverage.rows().map(subject).collect::<Vec<_>>(),
        "holes": coverage.holes().iter().map(hole).collect::<Vec<_>>(),
    })
}
