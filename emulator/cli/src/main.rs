//! The command line for every project: no backend is linked in.

use std::process::ExitCode;

fn main() -> ExitCode {
    rehearse_cli::main("rehearse", || Ok(Vec::new()))
}
