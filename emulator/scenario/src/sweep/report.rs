//! The matrix of a sweep for terminals, programs and browsers.

use std::fmt::Write as _;

use minijinja::Environment;
use serde_json::{Value, json};

use super::{Cell, LeftOut, Matrix, RedTrial};
use crate::report::{
    style::{BAD, DIM, GOOD, NAME, paint},
    text::count,
};

/// Version of the JSON report's shape.
const VERSION: u32 = 1;

/// The matrix, the red trials and a summary, with colours.
pub fn terminal(matrix: &Matrix, sentences: &[&str]) -> String {
    let mut text = String::new();
    table(&mut text, matrix);
    for red in matrix.red() {
        let _ = writeln!(text, "\n{} {}", paint(BAD, &red.injection), red.scenario);
        for line in wrong(red) {
            let _ = writeln!(text, "  {line}");
        }
        let _ = writeln!(text, "  {}", paint(DIM, &red.replay));
    }
    let verdict = verdict(matrix);
    let style = if matrix.is_green() { GOOD } else { BAD };
    let _ = writeln!(
        text,
        "\n{}, {}: {}",
        count(matrix.scenarios, "scenario"),
        count(matrix.trials(), "trial"),
        paint(style, verdict),
    );
    let _ = writeln!(text, "{}", paint(DIM, left_out(matrix)));
    for sentence in matrix.never_judged(sentences) {
        let _ = writeln!(text, "{}", paint(DIM, format!("never about anything: {sentence}")));
    }
    text
}

/// How the sweep ended, in short.
fn verdict(matrix: &Matrix) -> String {
    let (red, not_made) = (matrix.red().count(), matrix.not_made());
    let ended = match (red, matrix.trials()) {
        (0, 0) => "nothing was tried, so nothing is proved".into(),
        (0, _) => "every sentence held".into(),
        (red, _) => format!("{red} red"),
    };
    if not_made > 0 { format!("{ended}, {not_made} not made") } else { ended }
}

/// What was not tried.
fn left_out(matrix: &Matrix) -> String {
    let LeftOut { same_as_before, alike, unknown_caller } = matrix.left_out;
    let not_reached = matrix.not_reached();
    format!(
        "not tried: {same_as_before} of reads after an effect that they do not have, {alike} of calls \
         alike, {unknown_caller} crashes of whichever function called; {not_reached} did not come to \
         their call"
    )
}

fn table(text: &mut String, matrix: &Matrix) {
    let (kinds, exchanges) = (matrix.kinds(), matrix.exchanges());
    let first = exchanges.iter().map(|on| on.len()).max().unwrap_or(0);
    let _ = write!(text, "{:first$}", "");
    for kind in &kinds {
        let _ = write!(text, "  {}", paint(NAME, kind.name()));
    }
    text.push('\n');
    for on in exchanges {
        let _ = write!(text, "{on:first$}");
        for kind in &kinds {
            let width = kind.name().len() + 2;
            let cell = matrix.cell(on, *kind);
            let told = cell.map_or_else(String::new, in_short);
            let padded = format!("{told:>width$}");
            match cell {
                Some(cell) if !cell.red.is_empty() => {
                    let _ = write!(text, "{}", paint(BAD, padded));
                }
                _ => text.push_str(&padded),
            }
        }
        text.push('\n');
    }
}

/// `12` trials, or `2/12` when two of them are red.
fn in_short(cell: &Cell) -> String {
    match (cell.red.len(), cell.trials) {
        (0, 0) => "-".into(),
        (0, trials) => trials.to_string(),
        (red, trials) => format!("{red}/{trials}"),
    }
}

fn wrong(red: &RedTrial) -> Vec<String> {
    let mut lines: Vec<String> =
        red.violations.iter().map(|v| format!("{}: {}", v.sentence, v.about)).collect();
    lines.extend(red.not_judged.iter().map(|why| format!("it could not be judged: {why}")));
    lines
}

/// The matrix as JSON. docs/sweep.md describes the shape.
pub fn json(matrix: &Matrix, sentences: &[&str]) -> Value {
    let cell = |(on, kind, cell): (&str, super::InjectionKind, &Cell)| {
        json!({
            "exchange": on,
            "failure": kind.name(),
            "trials": cell.trials,
            "not_reached": cell.not_reached,
            "red": cell.red,
        })
    };
    json!({
        "version": VERSION,
        "sentences": sentences,
        "never_judged": matrix.never_judged(sentences),
        "scenarios": matrix.scenarios,
        "trials": matrix.trials(),
        "not_reached": matrix.not_reached(),
        "not_made": matrix.not_made(),
        "not_tried": matrix.left_out,
        "cells": matrix.cells().map(cell).collect::<Vec<_>>(),
    })
}

/// The matrix as one page that needs no network.
///
/// # Errors
/// The page's template fails, which is a mistake of this crate.
pub fn html(matrix: &Matrix, sentences: &[&str]) -> Result<String, minijinja::Error> {
    let kinds: Vec<&str> = matrix.kinds().iter().map(|kind| kind.name()).collect();
    let row = |on: &str| {
        let cells: Vec<Value> = matrix
            .kinds()
            .into_iter()
            .map(|kind| match matrix.cell(on, kind) {
                None => json!({ "class": "none", "told": "" }),
                Some(cell) => {
                    let class = match (cell.red.is_empty(), cell.trials) {
                        (true, 0) => "none",
                        (true, _) => "held",
                        (false, _) => "red",
                    };
                    json!({ "class": class, "told": in_short(cell) })
                }
            })
            .collect();
        json!({ "on": on, "cells": cells })
    };
    let rows: Vec<Value> = matrix.exchanges().into_iter().map(row).collect();
    let red: Vec<Value> = matrix
        .red()
        .map(|red| {
            json!({
                "scenario": red.scenario,
                "injection": red.injection,
                "wrong": wrong(red),
                "replay": red.replay,
            })
        })
        .collect();
    let mut environment = Environment::new();
    // Names that end in `.html` are escaped.
    environment.add_template("sweep.html", include_str!("sweep.html"))?;
    let page = json!({
        "kinds": kinds,
        "rows": rows,
        "red": red,
        "sentences": sentences,
        "never_judged": matrix.never_judged(sentences),
        "scenarios": count(matrix.scenarios, "scenario"),
        "trials": count(matrix.trials(), "trial"),
        "verdict": verdict(matrix),
        "left_out": left_out(matrix),
    });
    let page = minijinja::Value::from(minijinja::value::Serde(&page));
    environment.get_template("sweep.html")?.render(page)
}
