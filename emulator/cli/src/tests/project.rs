//! A project in a folder of its own, and what a command line does in it.

use std::{
    io::{self, Write},
    sync::{Arc, Mutex},
};

use super::super::*;
use rehearse_testutils::{Folder, SETTINGS, TEMPLATE, hello};

/// A scenario that passes in [`Project::hello`].
pub(super) const PASSES: &str = "
name: A greeting is answered
tags: [greeting]
steps:
  - customer: Hi
    reply: Hello
";

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
pub(super) struct Project(pub(super) Folder);

/// What a command left behind.
pub(super) struct Done {
    pub(super) exit: Exit,
    pub(super) out: String,
    pub(super) err: String,
}

impl Project {
    pub(super) fn new() -> Self {
        Self(Folder::new())
    }

    pub(super) fn file(self, path: &str, text: &str) -> Self {
        self.0.write(path, text);
        self
    }

    /// A project whose one function answers every text with "Hello".
    pub(super) fn hello() -> Self {
        Self::new()
            .file("rehearse.toml", SETTINGS)
            .file("template.yaml", TEMPLATE)
            .file("scenarios/greeting/hello.yaml", PASSES)
    }

    pub(super) fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.0.path().join(path)).unwrap()
    }

    pub(super) fn rehearse(&self, line: &[&str]) -> Done {
        self.rehearse_typing(line, "")
    }

    pub(super) fn rehearse_typing(&self, line: &[&str], typed: &'static str) -> Done {
        let (out, err) = (Stream::default(), Stream::default());
        let app = App {
            functions: vec![hello()],
            root: self.0.path().into(),
            ui: Ui::of_test(out.clone(), err.clone()).typing(typed),
            program: "rehearse",
            github: None,
        };
        let arguments = std::iter::once("rehearse").chain(line.iter().copied());
        let exit = run_with(arguments, &app);
        drop(app);
        Done { exit, out: out.text(), err: err.text() }
    }
}
