//! `--report FORMAT[=FILE]`: formats and files of reports.

use std::{io, path::PathBuf, str::FromStr};

use crate::{app::App, error::CommandError};
use rehearse_scenario::{
    report::{self, Run, style::plain, terminal},
    sweep::{self, Matrix},
};

/// The report options.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct ReportArgs {
    /// Write a report: terminal, junit, json or, of a sweep, html, to standard output or a file; can be repeated.
    #[arg(long = "report", value_name = "FORMAT[=FILE]")]
    reports: Vec<ReportTarget>,
    /// Include every scenario's journal in the JSON report.
    #[arg(long)]
    report_journal: bool,
}

/// One report.
#[derive(Debug, Clone, PartialEq, Eq)]
struct ReportTarget {
    format: Format,
    file: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Terminal,
    Junit,
    Json,
    Html,
}

impl FromStr for ReportTarget {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (format, file) = match text.split_once('=') {
            Some((_, "")) => return Err("a file name must follow the '='".into()),
            Some((format, file)) => (format, Some(PathBuf::from(file))),
            None => (text, None),
        };
        let format = match format {
            "terminal" => Format::Terminal,
            "junit" => Format::Junit,
            "json" => Format::Json,
            "html" => Format::Html,
            _ => {
                return Err(format!(
                    "'{format}' is not a format; there are terminal, junit, json and html"
                ));
            }
        };
        Ok(Self { format, file })
    }
}

impl ReportArgs {
    /// Refuses what cannot be written together, or not of a run or a sweep.
    pub(crate) fn check(&self, sweep: bool) -> Result<(), CommandError> {
        let missing = if sweep { Format::Junit } else { Format::Html };
        if self.reports.iter().any(|target| target.format == missing) {
            return Err(if sweep {
                CommandError::wrong("a sweep has no JUnit report")
                    .help("it has --report json=FILE and --report html=FILE")
            } else {
                CommandError::wrong("only a sweep has an HTML report").help("add --sweep")
            });
        }
        let to_output = self.reports.iter().filter(|t| t.file.is_none()).count();
        if to_output > 1 {
            return Err(CommandError::wrong("two reports cannot share the standard output")
                .help("give one of them a file: --report junit=report.xml"));
        }
        for (i, target) in self.reports.iter().enumerate() {
            let Some(file) = &target.file else { continue };
            if self.reports[..i].iter().any(|other| other.file.as_ref() == Some(file)) {
                return Err(CommandError::wrong(format!(
                    "two reports name the file {}",
                    file.display()
                )));
            }
        }
        Ok(())
    }

    /// Whether a report needs the scenarios' journals.
    pub(crate) fn keep_journals(&self) -> bool {
        self.report_journal && self.reports.iter().any(|t| t.format == Format::Json)
    }

    /// Where the lines of the run go while it runs: standard output, or standard error when a report
    /// for machines goes to standard output.
    pub(crate) fn screen<'a>(&self, app: &'a App) -> RunOutput<'a> {
        let taken = self.reports.iter().any(|t| t.file.is_none() && t.format != Format::Terminal);
        RunOutput { app, beside: taken }
    }

    /// Writes every report that was not printed during the run.
    ///
    /// # Errors
    /// Those of all reports; one that fails does not stop the next.
    pub(crate) fn write(&self, run: &Run, app: &App) -> Result<(), CommandError> {
        self.write_each(app, |format| match format {
            Format::Terminal => Ok(plain(&terminal::whole(run))),
            Format::Junit => report::junit(run),
            Format::Json => report::json(run, self.report_journal).map_err(Into::into),
            Format::Html => Ok(String::new()),
        })
    }

    /// Writes the reports of a sweep.
    ///
    /// # Errors
    /// Those of all reports; one that fails does not stop the next.
    pub(crate) fn write_sweep(
        &self,
        matrix: &Matrix,
        sentences: &[&str],
        app: &App,
    ) -> Result<(), CommandError> {
        self.write_each(app, |format| match format {
            Format::Terminal => Ok(plain(&sweep::terminal(matrix, sentences))),
            Format::Json => Ok(format!("{:#}\n", sweep::json(matrix, sentences))),
            Format::Html => sweep::html(matrix, sentences).map_err(io::Error::other),
            Format::Junit => Ok(String::new()),
        })
    }

    fn write_each(
        &self,
        app: &App,
        text: impl Fn(Format) -> io::Result<String>,
    ) -> Result<(), CommandError> {
        let mut errors = Vec::new();
        for target in &self.reports {
            if target.format == Format::Terminal && target.file.is_none() {
                continue;
            }
            let written = text(target.format).and_then(|text| match &target.file {
                Some(file) => report::write_atomically(&app.root.join(file), &text),
                None => app.ui.line(text.trim_end()),
            });
            if let Err(error) = written {
                let to = target
                    .file
                    .as_ref()
                    .map_or("standard output".into(), |f| f.display().to_string());
                let message = format!("failed to write the report to {to}");
                errors.extend(CommandError::environment(message).because(error).errors);
            }
        }
        if errors.is_empty() {
            Ok(())
        } else {
            Err(CommandError { errors, ..CommandError::environment("") })
        }
    }
}

/// The terminal report as it grows.
pub(crate) struct RunOutput<'a> {
    app: &'a App,
    beside: bool,
}

impl RunOutput<'_> {
    /// Whether lines go to standard output.
    pub(crate) fn is_shown(&self) -> bool {
        !self.beside
    }

    /// A line while the run goes on. A closed pipe does not stop the run.
    pub(crate) fn line(&self, text: &str) {
        if self.beside {
            self.app.ui.note(text);
        } else {
            let _ = self.app.ui.line(text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_and_files_are_read_and_errors_say_what_there_is() {
        let parse = str::parse::<ReportTarget>;
        assert_eq!(parse("junit=a=b.xml").unwrap().file, Some("a=b.xml".into()));
        assert_eq!(parse("json").unwrap(), ReportTarget { format: Format::Json, file: None });
        assert!(parse("xml").unwrap_err().contains("terminal, junit, json and html"));
        assert!(parse("json=").is_err());
    }

    #[test]
    fn two_reports_cannot_share_a_place() {
        let targets = |texts: &[&str]| ReportArgs {
            reports: texts.iter().map(|t| t.parse().unwrap()).collect(),
            report_journal: false,
        };
        assert!(targets(&["junit", "json"]).check(false).is_err());
        assert!(targets(&["junit=a", "json=a"]).check(false).is_err());
        assert!(targets(&["terminal", "junit=a", "json=b"]).check(false).is_ok());
    }
}
