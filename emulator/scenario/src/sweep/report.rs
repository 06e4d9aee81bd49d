//! The matrix of a sweep for terminals, programs and browsers.

use std::fmt::Write as _;

use minijinja::Environment;
use serde_json::{Value, json};

use super::{Cell, Matrix, RedTrial};
use crate::report::{
    style::{BAD, DIM, GOOD, NAME, paint},
    text::count,
};

/// Version of the JSON report's shape.
const VERSION: u32 = 1;

/// The matrix, the red trials and a summary, with colours.
pub fn terminal(matrix: &Matrix) -> String {
    let mut text = String::new();
    table(&mut text, matrix);
    for red in matrix.red() {
        let _ = writeln!(text, "\n{} {}", paint(BAD, &red.injection), red.scenario);
        for line in wrong(red) {
            let _ = writeln!(text, "  {line}");
        }
        let _ = writeln!(text, "  {}", paint(DIM, &red.replay));
    }
    let red = matrix.red().count();
    let verdict = match red {
        0 => paint(GOOD, "every sentence held".to_owned()).to_string(),
        red => paint(BAD, format!("{red} red")).to_string(),
    };
    let _ = writeln!(
        text,
        "\n{}, {}: {verdict}",
        count(matrix.scenarios, "scenario"),
        count(matrix.trials(), "trial"),
    );
    let left_out = format!(
        "not tried: {} of reads after an effect that they do not have, {} of calls alike; {} did not \
         come to their call",
        matrix.same_as_before,
        matrix.alike,
        matrix.not_reached(),
    );
    let _ = writeln!(text, "{}", paint(DIM, left_out));
    text
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
        "scenarios": matrix.scenarios,
        "trials": matrix.trials(),
        "not_reached": matrix.not_reached(),
        "not_tried": { "same_as_before": matrix.same_as_before, "alike": matrix.alike },
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
                    let class = if cell.red.is_empty() { "held" } else { "red" };
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
        "scenarios": count(matrix.scenarios, "scenario"),
        "trials": count(matrix.trials(), "trial"),
        "same_as_before": matrix.same_as_before,
        "alike": matrix.alike,
        "not_reached": matrix.not_reached(),
    });
    let page = minijinja::Value::from(minijinja::value::Serde(&page));
    environment.get_template("sweep.html")?.render(page)
}
