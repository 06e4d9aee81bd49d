//! `--report FORMAT[=FILE]`: formats and files of reports.

use std::{
    io::{self, Write as _},
    path::PathBuf,
    str::FromStr,
};

use crate::{app::App, error::CommandError};
use rehearse_scenario::{
    report::{self, NotStarted, Run, style::plain, terminal},
    sweep::{self, Matrix},
};

/// The report options.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct ReportArgs {
    /// Write a report to standard output or a file: terminal, html, junit, json, tap or github; of a sweep
    /// terminal, json or html. Can be repeated. In GitHub Actions, github is on by itself.
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
    Tap,
    Github,
}

/// The formats by their names.
const FORMATS: [(&str, Format); 6] = [
    ("terminal", Format::Terminal),
    ("html", Format::Html),
    ("junit", Format::Junit),
    ("json", Format::Json),
    ("tap", Format::Tap),
    ("github", Format::Github),
];

impl FromStr for ReportTarget {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (format, file) = match text.split_once('=') {
            Some((_, "")) => return Err("a file name must follow the '='".into()),
            Some((format, file)) => (format, Some(PathBuf::from(file))),
            None => (text, None),
        };
        let Some((_, format)) = FORMATS.iter().find(|(name, _)| *name == format) else {
            let names = FORMATS.map(|(name, _)| name);
            let hint = rehearse_core::names::hint(format, names);
            let there = names.join(", ");
            return Err(format!("'{format}' is not a format{hint}; there are {there}"));
        };
        Ok(Self { format: *format, file })
    }
}

impl ReportArgs {
    /// Refuses what cannot be written together, or not of a run or a sweep.
    pub(crate) fn check(&self, sweep: bool) -> Result<(), CommandError> {
        for (name, format) in FORMATS {
            let of_run = matches!(format, Format::Junit | Format::Tap | Format::Github);
            if sweep && of_run && self.reports.iter().any(|target| target.format == format) {
                return Err(CommandError::wrong(format!("a sweep has no {name} report"))
                    .help("it has --report json=FILE and --report html=FILE"));
            }
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
        let has = |format| self.reports.iter().any(|t| t.format == format);
        (self.report_journal && has(Format::Json)) || has(Format::Html)
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
        let below = app.github.as_ref().map_or("", |github| github.below.as_str());
        self.write_each(app, |format| match format {
            Format::Terminal => Ok(plain(&terminal::whole(run))),
            Format::Junit => report::junit(run),
            Format::Json => report::json(run, self.report_journal).map_err(Into::into),
            Format::Html => report::html(run).map_err(io::Error::other),
            Format::Tap => Ok(report::tap(run)),
            Format::Github => Ok(report::github::annotations(run, below)),
        })?;
        self.tell_github(run, app)
    }

    /// Writes the reports of a run that could not be started, in which its errors are: whoever reads them
    /// would take the report of an earlier run for this one's. Returns the error of the run.
    pub(crate) fn write_not_started(&self, error: CommandError, app: &App) -> CommandError {
        let run = Run {
            started: jiff::Timestamp::now(),
            took: std::time::Duration::ZERO,
            seed: None,
            interrupted: None,
            scenarios: Vec::new(),
            not_started: Some(NotStarted { exit_code: error.exit.number(), errors: error.texts() }),
        };
        match self.write(&run, app) {
            Ok(()) => error,
            Err(unwritten) => {
                let errors = error.errors.into_iter().chain(unwritten.errors).collect();
                CommandError { errors, ..error }
            }
        }
    }

    /// In GitHub Actions, annotates what failed and adds to the job's summary.
    fn tell_github(&self, run: &Run, app: &App) -> Result<(), CommandError> {
        let Some(github) = &app.github else { return Ok(()) };
        if self.reports.iter().all(|target| target.format != Format::Github) {
            let annotations = report::github::annotations(run, &github.below);
            if !annotations.is_empty() {
                // Commands are read from both streams; standard output may be a report.
                app.ui.note(annotations.trim_end());
            }
        }
        let Some(file) = &github.summary else { return Ok(()) };
        let opened = std::fs::File::options().create(true).append(true).open(file);
        let written =
            opened.and_then(|mut to| to.write_all(report::github::summary(run).as_bytes()));
        written.map_err(|error| {
            let file = file.display();
            CommandError::environment(format!("failed to write the job's summary to {file}"))
                .because(error)
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
            Format::Junit | Format::Tap | Format::Github => Ok(String::new()),
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
        assert!(parse("xml").unwrap_err().contains("terminal, html, junit, json, tap, github"));
        assert!(parse("junti=a").unwrap_err().contains("did you mean `junit`?"));
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
