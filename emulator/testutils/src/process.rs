//! Programs that tests start, and what they print.

use std::{
    path::Path,
    process::{Command, Output, Stdio},
};

/// Exit code and output of a process that has ended.
#[derive(Debug)]
pub struct Finished {
    /// Exit code; -1 when a signal ended it.
    pub code: i32,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl From<Output> for Finished {
    fn from(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Self {
            code: output.status.code().unwrap_or(-1),
            out: text(output.stdout),
            err: text(output.stderr),
        }
    }
}

impl Finished {
    /// Asserts the exit code and that all texts are in the output.
    ///
    /// # Panics
    /// With the whole output, when this is not so or when the program panicked.
    #[track_caller]
    pub fn expect(&self, code: i32, texts: &[&str]) {
        let all = format!("{}{}", self.out, self.err);
        assert_eq!(self.code, code, "{all}");
        for text in texts {
            assert!(all.contains(text), "no '{text}' in:\n{all}");
        }
        assert!(!all.contains("panicked"), "{all}");
    }
}

/// A program in a folder, ready to be started: without colours, without input and without what the
/// developer's own shell says about logs.
pub fn command(program: &str, folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command
        .current_dir(folder)
        .args(arguments)
        .env("NO_COLOR", "1")
        .env_remove("CARGO_MANIFEST_DIR")
        .env_remove("GITHUB_ACTIONS")
        .env_remove("REHEARSE_LOG")
        .env_remove("RUST_LOG")
        .stdin(Stdio::null());
    command
}
