//! libfaketime, by which handlers of interpreted languages see the scenario's time.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// Where distributions put the library, each perhaps below a folder of an architecture.
const FOLDERS: [&str; 4] = ["/usr/lib", "/usr/lib64", "/usr/local/lib", "/lib"];
/// The library for programs with threads.
const LIBRARY: &str = "faketime/libfaketimeMT.so.1";
/// What a program is told to take for the time, to see whether it does: the second in which 2001 began.
const TOLD: &str = "@2001-01-01 00:00:00";
const TOLD_SECONDS: u64 = 978_307_200;

/// The library where it is installed, perhaps for several architectures.
pub(super) fn libraries() -> Vec<PathBuf> {
    FOLDERS.iter().flat_map(|folder| libraries_below(Path::new(folder))).collect()
}

fn libraries_below(folder: &Path) -> Vec<PathBuf> {
    // `x86_64-linux-gnu`, and whatever else it is.
    let entries = fs::read_dir(folder).into_iter().flatten();
    let mut below: Vec<PathBuf> =
        entries.filter_map(|entry| Some(entry.ok()?.path().join(LIBRARY))).collect();
    below.sort();
    below.insert(0, folder.join(LIBRARY));
    below.retain(|library| library.is_file());
    below
}

/// Whether a program that prints the seconds since 1970 by these arguments takes its time from the library: one that is linked
/// without the C library, or for another architecture, does not.
pub(super) fn follows(program: &Path, arguments: &[&str], library: &Path) -> bool {
    let mut command = Command::new(program);
    command
        .args(arguments)
        .env("LD_PRELOAD", library)
        .env_remove("FAKETIME_TIMESTAMP_FILE")
        .env("FAKETIME", TOLD)
        .env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
        .env("FAKETIME_DISABLE_SHM", "1")
        .env("TZ", "UTC")
        .stdin(Stdio::null())
        .stderr(Stdio::null());
    let Ok(output) = command.output() else { return false };
    let seconds = String::from_utf8_lossy(&output.stdout).trim().parse::<u64>();
    // It runs on from there, however slow the machine is.
    seconds.is_ok_and(|seconds| (TOLD_SECONDS..TOLD_SECONDS + 86_400).contains(&seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_of_every_architecture_are_found() {
        let folder = tempfile::tempdir().unwrap();
        assert!(libraries_below(folder.path()).is_empty());
        assert!(libraries_below(&folder.path().join("missing")).is_empty());
        let places = ["", "i386-linux-gnu", "x86_64-linux-gnu"];
        let libraries = places.map(|place| folder.path().join(place).join(LIBRARY));
        for library in &libraries {
            fs::create_dir_all(library.parent().unwrap()).unwrap();
            fs::write(library, "").unwrap();
        }
        // A folder of that name that has none.
        fs::create_dir_all(folder.path().join("python3")).unwrap();
        assert_eq!(libraries_below(folder.path()), libraries);
    }

    #[test]
    fn a_program_that_does_not_take_its_time_from_the_library_is_noticed() {
        assert!(!follows(Path::new("/bin/echo"), &["1"], Path::new("/no/such/library.so")));
        assert!(!follows(Path::new("/no/such/program"), &[], Path::new("/no/such/library.so")));
        assert!(follows(Path::new("/bin/echo"), &["978307201"], Path::new("/no/such/library.so")));
    }
}
