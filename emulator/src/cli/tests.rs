//! Whole command lines, each in a folder of its own.

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
};

use super::*;

/// A stream that a test reads afterwards.
#[derive(Clone, Default)]
struct Stream(Arc<Mutex<Vec<u8>>>);

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Stream {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

/// A project folder that goes with the test.
struct Project {
    root: PathBuf,
}

/// What a command left behind.
struct Done {
    exit: Exit,
    out: String,
    err: String,
}

impl Project {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let n = COUNT.fetch_add(1, Ordering::Relaxed);
        let root = std::env::temp_dir().join(format!("rehearse-cli-{}-{n}", std::process::id()));
        std::fs::create_dir_all(&root).unwrap();
        Self { root }
    }

    fn file(self, path: &str, text: &str) -> Self {
        let path = self.root.join(path);
        std::fs::create_dir_all(path.parent().unwrap_or(Path::new(""))).unwrap();
        std::fs::write(path, text).unwrap();
        self
    }

    fn rehearse(&self, line: &[&str]) -> Done {
        let (out, err) = (Stream::default(), Stream::default());
        let app = App {
            functions: Vec::new(),
            root: self.root.clone(),
            ui: Ui::of_test(out.clone(), err.clone()),
            program: "rehearse",
        };
        let arguments = std::iter::once("rehearse").chain(line.iter().copied());
        let exit = run_with(arguments, &app);
        drop(app);
        Done { exit, out: out.text(), err: err.text() }
    }
}

impl Drop for Project {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.root);
    }
}

#[test]
fn the_command_line_is_well_formed() {
    use clap::CommandFactory as _;
    Cli::command().debug_assert();
}

#[test]
fn a_mistyped_command_is_told_what_was_meant() {
    let done = Project::new().rehearse(&["rum"]);
    assert_eq!(done.exit, Exit::Wrong);
    assert!(done.err.contains("a similar subcommand exists: 'run'"), "{}", done.err);
}

#[test]
fn help_shows_examples_and_exit_codes_and_passes() {
    let done = Project::new().rehearse(&["--help"]);
    assert_eq!(done.exit, Exit::Passed);
    for part in ["rehearse run", "Exit codes:", "130 interrupted"] {
        assert!(done.err.contains(part), "{part}: {}", done.err);
    }
}

#[test]
fn targets_that_are_not_there_are_refused_with_those_that_are() {
    let done = Project::new().rehearse(&["run", "--target", "lambda"]);
    assert_eq!(done.exit, Exit::Wrong);
    assert!(done.err.contains("[possible values: in-process]"), "{}", done.err);
}

#[test]
fn completions_and_schema_go_to_the_output_alone() {
    let done = Project::new().rehearse(&["completions", "bash"]);
    assert_eq!((done.exit, done.err.as_str()), (Exit::Passed, ""));
    assert!(done.out.contains("complete -F _rehearse"), "{}", done.out);
    let done = Project::new().rehearse(&["schema"]);
    assert_eq!((done.exit, done.err.as_str()), (Exit::Passed, ""));
    let schema: serde_json::Value = serde_json::from_str(&done.out).unwrap();
    assert_eq!(schema["title"], "Scenario");
}

#[test]
fn without_a_world_every_client_says_how_to_start_one() {
    // Nothing listens on port 1: it is reserved, and binding it needs rights.
    for line in [vec!["send", "hi"], vec!["log"], vec!["reset"], vec!["ready"], vec!["env"]] {
        let line: Vec<&str> = line.into_iter().chain(["--control", "http://127.0.0.1:1"]).collect();
        let done = Project::new().rehearse(&line);
        assert_eq!(done.exit, Exit::Environment, "{line:?}");
        assert!(done.err.contains("no world is running at http://127.0.0.1:1"), "{}", done.err);
        assert!(done.err.contains("rehearse up"), "{}", done.err);
        assert_eq!(done.out, "");
    }
}

#[test]
fn a_text_without_words_or_pictures_is_wrong() {
    let done = Project::new().rehearse(&["send", ""]);
    assert_eq!(done.exit, Exit::Wrong);
}

#[test]
fn missing_and_empty_places_are_wrong_and_named() {
    let done = Project::new().rehearse(&["run"]);
    assert_eq!(done.exit, Exit::Wrong);
    assert!(done.err.contains("scenarios"), "{}", done.err);
    let project = Project::new().file("scenarios/README.md", "nothing yet");
    let done = project.rehearse(&["check"]);
    assert_eq!(done.exit, Exit::Wrong);
    assert!(done.err.contains("no scenario"), "{}", done.err);
}

#[test]
fn all_wrong_files_are_told_at_once() {
    let project = Project::new()
        .file("scenarios/a.yaml", "name: a\nstpes: []\n")
        .file("scenarios/b.yaml", "name: b\nsteps: 3\n");
    let done = project.rehearse(&["check"]);
    assert_eq!(done.exit, Exit::Wrong);
    assert!(done.err.contains("a.yaml:2:1") && done.err.contains("b.yaml:2:8"), "{}", done.err);
}
