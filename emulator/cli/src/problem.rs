//! How a command ends, and what it says when it cannot do its work.

use rehearse_core::errors::with_causes;
use std::process::ExitCode;

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
    /// Ctrl-C.
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
            130 => Self::Interrupted,
            _ => Self::Environment,
        }
    }
}

/// Why a command could not do its work.
#[derive(Debug)]
pub(crate) struct Problem {
    /// How the process ends.
    pub(crate) exit: Exit,
    /// What is wrong; several when all are told at once.
    pub(crate) errors: Vec<String>,
    /// What to do about it.
    pub(crate) help: Option<String>,
}

impl Problem {
    /// The user's input is wrong.
    pub(crate) fn wrong(error: impl Into<String>) -> Self {
        Self { exit: Exit::Wrong, errors: vec![error.into()], help: None }
    }

    /// The environment failed.
    pub(crate) fn environment(error: impl Into<String>) -> Self {
        Self { exit: Exit::Environment, errors: vec![error.into()], help: None }
    }

    /// With what to do about it.
    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// A pipe that its reader closed (`rehearse log | head`) is no failure.
impl From<std::io::Error> for Problem {
    fn from(error: std::io::Error) -> Self {
        if error.kind() == std::io::ErrorKind::BrokenPipe {
            return Self { exit: Exit::Passed, errors: Vec::new(), help: None };
        }
        Self::environment(format!("failed to write the output: {error}"))
    }
}

impl From<rehearse_control::ClientError> for Problem {
    fn from(error: rehearse_control::ClientError) -> Self {
        use rehearse_control::ClientError as Client;
        let text = with_causes(&error);
        match error {
            Client::NotRunning { .. } => Self::environment(text)
                .help("start one with `rehearse up`, or name another with --control URL"),
            Client::NotControl { .. } => Self::environment(text)
                .help("name the control API of a world with --control URL or REHEARSE_CONTROL"),
            Client::Refused { status, help, .. } if status < 500 => {
                Self { help, ..Self::wrong(text) }
            }
            Client::Refused { help, .. } => Self { help, ..Self::environment(text) },
            Client::Transport { .. } | Client::Dropped { .. } => Self::environment(text),
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
    }

    #[test]
    fn a_closed_pipe_ends_quietly() {
        let closed = std::io::Error::from(std::io::ErrorKind::BrokenPipe);
        assert_eq!(Problem::from(closed).exit, Exit::Passed);
    }
}
