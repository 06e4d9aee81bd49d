//! Hands the backend's functions to the emulator's command line.

use std::process::ExitCode;

fn main() -> ExitCode {
    emulator::cli::main(Vec::new())
}
