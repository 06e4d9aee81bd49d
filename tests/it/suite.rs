//! Runs of every scenario of the project.
//!
//! Each wants the whole machine, and scenarios of deadlines and leases measure real time: so one
//! runs at a time, and tests that only read what a run in process left share a single one.

use std::{
    path::PathBuf,
    sync::{Mutex, MutexGuard, OnceLock, PoisonError},
};

use crate::lambda;
use crate::process::{Finished, command};
use crate::support::root;

/// The right to run every scenario.
static LOCK: Mutex<()> = Mutex::new(());

/// Waits until no other test runs every scenario.
pub fn lock() -> MutexGuard<'static, ()> {
    LOCK.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How many scenarios run at the same time. Without a number, four that mostly wait share a place, which
/// needs a machine that does nothing else; here it runs other tests.
const AT_ONCE: [&str; 2] = ["--jobs", "8"];

/// Everything that functions in process and the emulator log. Other crates log whole bodies below `info`.
const EVERY_LINE: &str = "info,dynoxide=off,handlers=trace,rehearse=trace";

/// Runs every scenario with these arguments.
pub fn run(words: &[&str]) -> Finished {
    let _lock = lock();
    let words = [&["run"], &AT_ONCE[..], words].concat();
    command(&root(), &words).env("RUST_LOG", EVERY_LINE).output().unwrap().into()
}

/// The report of one run of every scenario in process, with its journal, and what it printed. The
/// file stays where cargo keeps files of tests.
pub fn in_process() -> (PathBuf, &'static Finished) {
    static RUN: OnceLock<Finished> = OnceLock::new();
    reported("every-scenario.json", &RUN, &[])
}

/// The same of one run with the functions as processes, which log everything.
pub fn in_processes() -> (PathBuf, &'static Finished) {
    static RUN: OnceLock<Finished> = OnceLock::new();
    let target = lambda::logging_everything();
    reported("every-scenario-lambda.json", &RUN, &target)
}

fn reported(
    file: &str,
    run_once: &'static OnceLock<Finished>,
    words: &[String],
) -> (PathBuf, &'static Finished) {
    let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(file);
    let ran = run_once.get_or_init(|| {
        let to = format!("json={}", file.display());
        let mut all = vec!["--report-journal", "--report", "terminal", "--report", &to];
        all.extend(words.iter().map(String::as_str));
        run(&all)
    });
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    (file, ran)
}
