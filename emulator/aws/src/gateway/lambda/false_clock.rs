//! The clock of a process that shows business time, by libfaketime.
//!
//! libfaketime reads a file that says how far its process's clock is from the machine's. It is written before
//! each event, so that a function sees time pass while it works, and begins anew at the world's time.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use rustix::time::{ClockId, clock_gettime};
use uuid::Uuid;

use crate::function::WorldClock;

/// How one process is told the time.
#[derive(Debug)]
pub(super) struct FalseClock {
    library: PathBuf,
    file: PathBuf,
    /// The process that it was given to.
    process: Option<u32>,
}

/// Where libfaketime keeps what a program shares with the programs that it starts, and the beginnings of its two names,
/// which end with the number of the process.
const SHARED_MEMORY: &str = "/dev/shm";
const SHARED: [&str; 2] = ["faketime_shm_", "sem.faketime_sem_"];

impl FalseClock {
    /// A clock that shows `now`.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(super) fn start(clock: &WorldClock, now: Timestamp) -> io::Result<Self> {
        let file = clock.folder.join(format!("clock-{}", Uuid::new_v4().simple()));
        let clock = Self { library: clock.library.clone(), file, process: None };
        clock.set(now)?;
        Ok(clock)
    }

    /// Lets it show `now` and run on from there.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(super) fn set(&self, now: Timestamp) -> io::Result<()> {
        // The process may read the file at any moment, so it is never half written.
        let new = self.file.with_extension("new");
        fs::write(&new, format!("{}\n", offset(now.duration_since(machine()))))?;
        fs::rename(new, &self.file)
    }

    /// Remembers which process has it, to tidy up after it.
    pub(super) fn given_to(&mut self, process: Option<u32>) {
        self.process = process;
    }

    /// The variables by which the process gets it. `preloaded` is what the function itself preloads.
    pub(super) fn variables(&self, preloaded: Option<&str>) -> [(&'static str, String); 6] {
        let library = self.library.display();
        let preload = match preloaded {
            Some(others) if !others.is_empty() => format!("{library}:{others}"),
            _ => library.to_string(),
        };
        [
            ("LD_PRELOAD", preload),
            ("FAKETIME_TIMESTAMP_FILE", self.file.display().to_string()),
            ("FAKETIME_NO_CACHE", "1".into()),
            // What measures time is true: deadlines and timeouts are elapsed time.
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".into()),
            ("NO_FAKE_STAT", "1".into()),
            ("FAKETIME_DISABLE_SHM", "1".into()),
        ]
    }
}

impl Drop for FalseClock {
    fn drop(&mut self) {
        // It lies in a folder that goes with the program; this only keeps it small.
        let _ = fs::remove_file(&self.file);
        // The library removes its own only when a program ends by itself, and functions are killed.
        for beginning in SHARED {
            let name = self.process.map(|process| format!("{beginning}{process}"));
            let _ = name.map(|name| fs::remove_file(Path::new(SHARED_MEMORY).join(name)));
        }
    }
}

/// The machine's clock, which the process would see without libfaketime. It is asked for past the C library, because
/// this process may have a false clock itself.
fn machine() -> Timestamp {
    let now = clock_gettime(ClockId::Realtime);
    let since = u64::try_from(now.tv_sec).unwrap_or_default();
    let part = u32::try_from(now.tv_nsec).unwrap_or_default();
    Timestamp::try_from(std::time::UNIX_EPOCH + Duration::new(since, part)).unwrap_or_default()
}

/// `+12.345`: seconds, as libfaketime reads them. Rounded up, so that a process is never earlier than the world.
fn offset(by: SignedDuration) -> String {
    let millis = -(-by.as_nanos()).div_euclid(1_000_000);
    let sign = if millis < 0 { '-' } else { '+' };
    let millis = millis.unsigned_abs();
    format!("{sign}{}.{:03}", millis / 1000, millis % 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_are_written_in_seconds() {
        for (millis, text) in
            [(0, "+0.000"), (1_500, "+1.500"), (-1, "-0.001"), (-61_020, "-61.020")]
        {
            assert_eq!(offset(SignedDuration::from_millis(millis)), text);
        }
        assert_eq!(offset(SignedDuration::from_micros(1)), "+0.001");
        assert_eq!(offset(SignedDuration::from_micros(-1_999)), "-0.001");
    }

    #[test]
    fn what_a_function_preloads_itself_is_kept() {
        let folder = rehearse_testutils::Folder::new();
        let clock = WorldClock { library: "/lib/faketime".into(), folder: folder.path().into() };
        let clock = FalseClock::start(&clock, Timestamp::UNIX_EPOCH).unwrap();
        assert_eq!(clock.variables(None)[0], ("LD_PRELOAD", "/lib/faketime".into()));
        let own = clock.variables(Some("/lib/a.so"));
        assert_eq!(own[0].1, "/lib/faketime:/lib/a.so");
        let file = std::path::PathBuf::from(&own[1].1);
        assert!(fs::read_to_string(&file).unwrap().starts_with('-'));
        drop(clock);
        assert!(!file.exists());
    }

    #[test]
    fn what_the_library_shares_goes_with_the_process() {
        // No process has so high a number.
        let process = u32::MAX;
        let shared =
            SHARED.map(|beginning| Path::new(SHARED_MEMORY).join(format!("{beginning}{process}")));
        if shared.iter().any(|file| fs::write(file, "").is_err()) {
            eprintln!("skipped: there is no {SHARED_MEMORY}");
            return;
        }
        let folder = rehearse_testutils::Folder::new();
        let clock = WorldClock { library: "/lib/faketime".into(), folder: folder.path().into() };
        let mut clock = FalseClock::start(&clock, Timestamp::UNIX_EPOCH).unwrap();
        clock.given_to(Some(process));
        drop(clock);
        assert!(shared.iter().all(|file| !file.exists()));
    }
}
