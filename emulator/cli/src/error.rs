//! How a command ends, and what it says when it cannot do its work.

use std::{error::Error, process::ExitCode};

use rehearse_core::errors::with_causes;

/// The exit codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Everything went as expected.
    Passed,
    /// An expectation failed.
    Failed,
    /// A scenario or the command line is wrong.
    Wrong,
    /// The environment failed.
    Environment,
    /// Ctrl-C, or another signal that ends a command in good order.
    Interrupted,
    /// As the command that was run ended.
    Command(u8),
}

impl Exit {
    /// The process's exit code.
    pub(crate) fn code(self) -> ExitCode {
        ExitCode::from(self.number())
    }

    /// The number.
    pub(crate) fn number(self) -> u8 {
        match self {
            Self::Passed => 0,
            Self::Failed => 1,
            Self::Wrong => 2,
            Self::Environment => 3,
            Self::Interrupted => 130,
            Self::Command(code) => code,
        }
    }

    /// The exit of a number; anything unknown is the environment's fault.
    pub(crate) fn of(number: u8) -> Self {
        match number {
            0 => Self::Passed,
            1 => Self::Failed,
            2 => Self::Wrong,
            // Which signal it was is told when the process ends.
            129 | 130 | 143 => Self::Interrupted,
            _ => Self::Environment,
        }
    }
}

/// An error with its sources.
pub(crate) type Cause = Box<dyn Error + Send + Sync>;

/// Why a command could not do its work.
#[derive(Debug)]
pub(crate) struct CommandError {
    /// How the process ends.
    pub(crate) exit: Exit,
    /// What is wrong; several when all are told at once.
    pub(crate) errors: Vec<Cause>,
    /// What to do about it.
    pub(crate) help: Option<String>,
}

/// What failed, and why.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
struct Failure {
    message: String,
    source: Cause,
}

impl CommandError {
    /// The user's input is wrong.
    pub(crate) fn wrong(error: impl Into<Cause>) -> Self {
        Self { exit: Exit::Wrong, errors: vec![error.into()], help: None }
    }

    /// The environment failed.
    pub(crate) fn environment(error: impl Into<Cause>) -> Self {
        Self { exit: Exit::Environment, errors: vec![error.into()], help: None }
    }

    /// With the error that caused it.
    pub(crate) fn because(mut self, source: impl Into<Cause>) -> Self {
        if let Some(error) = self.errors.pop() {
            let failure = Failure { message: error.to_string(), source: source.into() };
            self.errors.push(Box::new(failure));
        }
        self
    }

    /// With what to do about it.
    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The errors as users read them, each with its causes in one line.
    pub(crate) fn texts(&self) -> Vec<String> {
        self.errors.iter().map(|error| with_causes(error.as_ref())).collect()
    }
}

/// A pipe that its reader closed (`rehearse log | head`) is not a failure.
impl From<std::io::Error> for CommandError {
    fn from(error: std::io::Error) -> Self {
        if error.kind() == std::io::ErrorKind::BrokenPipe {
            return Self { exit: Exit::Passed, errors: Vec::new(), help: None };
        }
        Self::environment("failed to write the output").because(error)
    }
}

impl From<rehearse_control::ClientError> for CommandError {
    fn from(error: rehearse_control::ClientError) -> Self {
        use rehearse_control::ClientError as Client;
        match &error {
            Client::NotRunning { .. } => Self::environment(error)
                .help("start one with `rehearse up`, or name another with --control URL"),
            Client::NotControl { .. } => Self::environment(error)
                .help("name the control API of a world with --control URL or REHEARSE_CONTROL"),
            Client::Refused { status, help, .. } => {
                let help = help.clone();
                let refused = if *status < 500 { Self::wrong } else { Self::environment };
                Self { help, ..refused(error) }
            }
            Client::Transport { .. } | Client::Dropped { .. } => Self::environment(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_codes_are_an_interface() {
        let all = [Exit::Passed, Exit::Failed, Exit::Wrong, Exit::Environment, Exit::Interrupted];
        assert_eq!(all.map(Exit::number), [0, 1, 2, 3, 130]);
        assert_eq!(all.map(|exit| Exit::of(exit.number())), all);
        assert_eq!([129, 143].map(Exit::of), [Exit::Interrupted; 2], "SIGHUP and SIGTERM");
    }

    #[test]
    fn a_closed_pipe_ends_quietly() {
        let closed = std::io::Error::from(std::io::ErrorKind::BrokenPipe);
        assert_eq!(CommandError::from(closed).exit, Exit::Passed);
    }

    #[test]
    fn causes_are_kept_and_shown_in_one_line() {
        let source = std::io::Error::other("no space");
        let error = CommandError::environment("failed to write a.json").because(source);
        assert_eq!(error.texts(), ["failed to write a.json: no space"]);
        assert!(error.errors[0].source().is_some_and(|source| source.is::<std::io::Error>()));
    }
}
