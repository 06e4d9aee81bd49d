//! Prints figures, one a line, as text or JSON.

use std::time::Duration;

use serde_json::json;

use super::{memory, nth, rank};
use crate::{app::App, error::CommandError};
use rehearse_scenario::report::{
    style::{BOLD, DIM, paint},
    time,
};

/// Prints figures as they come.
pub(crate) struct Figures<'a> {
    pub(crate) app: &'a App,
    pub(crate) json: bool,
}

impl Figures<'_> {
    pub(crate) fn time(&self, name: &str, took: Duration, about: &str) -> Result<(), CommandError> {
        self.line(name, &brief(took), Some(took.as_secs_f64()), "s", about)
    }

    /// The median of what is sorted.
    pub(crate) fn nth(
        &self,
        name: &str,
        sorted: &[Duration],
        about: &str,
    ) -> Result<(), CommandError> {
        let median = rank(sorted, 50).map(|took| took.as_secs_f64());
        self.line(name, &nth(sorted, 50), median, "s", about)
    }

    pub(crate) fn rate(
        &self,
        name: &str,
        count: usize,
        took: Duration,
        about: &str,
    ) -> Result<(), CommandError> {
        let rate = count as f64 / took.as_secs_f64().max(f64::MIN_POSITIVE);
        self.line(name, &format!("{rate:.0} /s"), Some(rate), "/s", about)
    }

    /// What this process has.
    pub(crate) fn memory(&self) -> Result<(), CommandError> {
        let (now, peak) = (memory::resident(), memory::peak());
        let text = |bytes: Option<f64>| {
            bytes.map_or_else(|| "unknown".into(), |bytes| format!("{:.1} MB", bytes / 1e6))
        };
        self.line("memory", &text(now), now, "bytes", &format!("at most {} so far", text(peak)))
    }

    fn line(
        &self,
        name: &str,
        text: &str,
        value: Option<f64>,
        unit: &str,
        about: &str,
    ) -> Result<(), CommandError> {
        if self.json {
            let figure = json!({ "figure": name, "value": value, "unit": unit });
            return Ok(self.app.ui.line(figure)?);
        }
        let (text, about) = (paint(BOLD, text), paint(DIM, about));
        Ok(self.app.ui.line(format_args!("{name:<28}  {text:>11}  {about}"))?)
    }
}

/// A duration, the shortest in microseconds: `144 µs`.
pub(crate) fn brief(took: Duration) -> String {
    match took.as_micros() {
        0..1000 => format!("{:.0} µs", took.as_secs_f64() * 1e6),
        _ => time::duration(took),
    }
}
