//! Runs of every scenario of the project.
//!
//! Each wants the whole machine, and scenarios of deadlines and leases measure real time: so one
//! runs at a time, and tests that only read what a run in process left share a single one.

use std::{
    path::PathBuf,
    sync::{Mutex, MutexGuard, OnceLock, PoisonError},
};

use crate::process::{Finished, rehearse};
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

/// Runs every scenario with these arguments.
pub fn run(words: &[&str]) -> Finished {
    let _lock = lock();
    rehearse(&root(), &[&["run"], &AT_ONCE[..], words].concat())
}

/// The report of one run of every scenario in process, with its journal, and what it printed. The
/// file stays where cargo keeps files of tests.
pub fn in_process() -> (PathBuf, &'static Finished) {
    static RUN: OnceLock<Finished> = OnceLock::new();
    let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("every-scenario.json");
    let ran = RUN.get_or_init(|| {
        let to = format!("json={}", file.display());
        run(&["--report-journal", "--report", "terminal", "--report", &to])
    });
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    (file, ran)
}
