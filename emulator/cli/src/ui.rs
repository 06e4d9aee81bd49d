//! Output of commands: results go to standard output, everything else to standard error.

use std::{
    fmt::Display,
    io::{self, BufRead, IsTerminal as _, Write},
    sync::{Mutex, PoisonError},
};

use crate::error::{CommandError, Exit};
use rehearse_core::errors::io_words;
use rehearse_scenario::report::{
    style::{BAD, DIM, WARN, paint},
    text::count,
};

/// Greatest width of text, in columns.
const MAX_WIDTH: usize = 120;

/// The two streams of a command. Text is styled; streams without colour strip it.
pub(crate) struct Ui {
    out: Mutex<Box<dyn Write + Send>>,
    err: Mutex<Box<dyn Write + Send>>,
    /// Columns of the terminal that results go to; `None` when they go elsewhere.
    width: Option<usize>,
    /// Whether both streams are terminals that can show a progress bar.
    interactive: bool,
    /// Why a line of the result could not be written, in words; a closed pipe is no failure.
    lost: Mutex<Option<String>>,
    /// What a test types; `None` is the process's own input.
    #[cfg(test)]
    typed: Option<&'static str>,
}

impl Ui {
    /// The streams of this process.
    pub(crate) fn of_process() -> Self {
        let (out, err) = (io::stdout().is_terminal(), io::stderr().is_terminal());
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        Self {
            out: Mutex::new(Box::new(anstream::stdout())),
            err: Mutex::new(Box::new(anstream::stderr())),
            width: out.then(columns),
            interactive: out && err && !dumb,
            lost: Mutex::default(),
            #[cfg(test)]
            typed: None,
        }
    }

    /// Streams of a test, without colour and without a terminal.
    #[cfg(test)]
    pub(crate) fn of_test(
        out: impl Write + Send + 'static,
        err: impl Write + Send + 'static,
    ) -> Self {
        Self {
            out: Mutex::new(Box::new(anstream::StripStream::new(
                Box::new(out) as Box<dyn Write + Send>
            ))),
            err: Mutex::new(Box::new(anstream::StripStream::new(
                Box::new(err) as Box<dyn Write + Send>
            ))),
            width: None,
            interactive: false,
            lost: Mutex::default(),
            typed: Some(""),
        }
    }

    /// With something typed.
    #[cfg(test)]
    pub(crate) fn typing(mut self, text: &'static str) -> Self {
        self.typed = Some(text);
        self
    }

    /// Columns of the terminal that results go to.
    pub(crate) fn width(&self) -> Option<usize> {
        self.width
    }

    /// Whether a progress bar helps.
    pub(crate) fn interactive(&self) -> bool {
        self.interactive
    }

    /// A line of the result. That it could not be written is remembered, so that no command passes
    /// whose result is lost.
    pub(crate) fn line(&self, text: impl Display) -> io::Result<()> {
        write_line(&self.out, &text).inspect_err(|error| {
            if error.kind() != io::ErrorKind::BrokenPipe {
                let mut lost = self.lost.lock().unwrap_or_else(PoisonError::into_inner);
                lost.get_or_insert_with(|| io_words(error));
            }
        })
    }

    /// Why a line of the result was lost, if one was.
    pub(crate) fn lost(&self) -> Option<String> {
        self.lost.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A line about the result, on standard error. An error of that stream is ignored.
    pub(crate) fn note(&self, text: impl Display) {
        let _ = write_line(&self.err, &text);
    }

    /// What is typed or piped in.
    pub(crate) fn input(&self) -> Box<dyn BufRead + Send> {
        #[cfg(test)]
        if let Some(text) = self.typed {
            return Box::new(io::Cursor::new(text));
        }
        Box::new(io::BufReader::new(io::stdin()))
    }

    /// Asks for input, on the line where it is typed.
    pub(crate) fn prompt(&self, text: impl Display) {
        let mut stream = self.err.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = write!(stream, "{text}").and_then(|()| stream.flush());
    }

    /// Information that is not a warning.
    pub(crate) fn remark(&self, text: impl Display) {
        self.note(format_args!("{} {text}", paint(DIM, "note:")));
    }

    /// A problem that does not stop the command.
    pub(crate) fn warn(&self, text: impl Display) {
        self.note(format_args!("{} {text}", paint(WARN, "warning:")));
    }

    /// Prints an error and returns how the process ends.
    pub(crate) fn report(&self, problem: &CommandError) -> Exit {
        let errors = problem.texts();
        for (i, error) in errors.iter().enumerate() {
            // Those with a caret are apart from their neighbours.
            if i > 0 && (error.contains('\n') || errors[i - 1].contains('\n')) {
                self.note("");
            }
            // Errors with a caret come with their own heading.
            if error.starts_with("error:") {
                self.note(error);
            } else {
                self.note(format_args!("{} {error}", paint(BAD, "error:")));
            }
        }
        if errors.len() > 1 {
            let found = count(errors.len(), "error");
            self.note(format_args!("\n{}", paint(BAD, format!("{found} found"))));
        }
        if let Some(help) = &problem.help {
            self.note(format_args!(" {} {help}", paint(DIM, "help:")));
        }
        problem.exit
    }
}

/// Columns of the terminal behind the standard streams.
fn columns() -> usize {
    let wide = terminal_size::terminal_size().map_or(80, |(width, _)| usize::from(width.0));
    wide.clamp(40, MAX_WIDTH)
}

fn write_line(stream: &Mutex<Box<dyn Write + Send>>, text: &dyn Display) -> io::Result<()> {
    let mut stream = stream.lock().unwrap_or_else(PoisonError::into_inner);
    writeln!(stream, "{text}")?;
    stream.flush()
}
