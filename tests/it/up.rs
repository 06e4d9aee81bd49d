//! A running `rehearse up` for tests.

use std::{
    io::{BufRead, BufReader, Read, Write},
    path::Path,
    process::{Child, Stdio},
};

use serde_json::json;

use crate::process::{Finished, command, interrupt, rehearse, wait_for_exit};
use crate::support::root;

/// `up` with every part on a free port.
pub const FREE_PORTS: [&str; 15] = [
    "up",
    "--gateway-port",
    "0",
    "--twilio-port",
    "0",
    "--openai-port",
    "0",
    "--dynamodb-port",
    "0",
    "--control-port",
    "0",
    "--secrets-port",
    "0",
    "--lambda-port",
    "0",
];

/// A running `rehearse up`, killed when dropped.
pub struct Up {
    /// The process.
    pub child: Child,
    printed: Vec<String>,
    errors: Option<std::thread::JoinHandle<String>>,
}

impl Up {
    /// Starts a world on free ports and reads what it prints until it is ready.
    pub fn start() -> Self {
        Self::with(&FREE_PORTS)
    }

    /// The same with more words after those.
    pub fn start_with(words: &[&str]) -> Self {
        Self::with(&[&FREE_PORTS, words].concat())
    }

    /// The same with these words.
    pub fn with(words: &[&str]) -> Self {
        Self::ready(command(&root(), words).stdout(Stdio::piped()).spawn().unwrap())
    }

    /// As [`Up::start`], and keeps what it prints of errors.
    pub fn start_and_read_errors() -> Self {
        Self::in_folder_and_read_errors(&root())
    }

    /// The same for the project of a folder.
    pub fn in_folder_and_read_errors(folder: &Path) -> Self {
        let mut command = command(folder, &FREE_PORTS);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut stream = child.stderr.take().unwrap();
        let reader = std::thread::spawn(move || {
            let mut errors = Vec::new();
            stream.read_to_end(&mut errors).unwrap();
            String::from_utf8_lossy(&errors).into_owned()
        });
        let mut up = Self::ready(child);
        up.errors = Some(reader);
        up
    }

    /// Ends it as Ctrl-C does, and returns what it printed of errors.
    pub fn interrupt_and_take_errors(&mut self) -> String {
        interrupt(&self.child);
        wait_for_exit(&mut self.child);
        self.errors.take().map(|reader| reader.join().unwrap()).unwrap_or_default()
    }

    fn ready(child: Child) -> Self {
        let mut up = Self { child, printed: Vec::new(), errors: None };
        let out = up.child.stdout.take().unwrap();
        for line in BufReader::new(out).lines() {
            up.printed.push(line.unwrap());
            if up.printed.last().is_some_and(|line| line.starts_with("ready")) {
                return up;
            }
        }
        panic!("`up` ended before it was ready: {:?}", up.printed);
    }

    /// The address that stands beside a part's name.
    pub fn url(&self, part: &str) -> String {
        let mut lines = self.printed.iter().map(|l| l.split_whitespace().collect::<Vec<_>>());
        lines.find(|words| words.first() == Some(&part)).expect("the part is printed")[1].to_owned()
    }

    /// Sets business time through the control API.
    pub fn set_clock(&self, now: &str) {
        let body = json!({ "now": now }).to_string();
        let answer = self.call("control", "POST /clock", &body);
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }

    /// What the gateway answers, with its head.
    pub fn get(&self, path: &str) -> String {
        self.call("gateway", &format!("GET {path}"), "")
    }

    fn call(&self, part: &str, what: &str, body: &str) -> String {
        let url = self.url(part);
        let host = url.strip_prefix("http://").unwrap();
        let mut stream = std::net::TcpStream::connect(host).unwrap();
        write!(
            stream,
            "{what} HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    /// Runs a client of this world.
    pub fn rehearse(&self, words: &[&str]) -> Finished {
        rehearse(&root(), &[words, &["--control", &self.url("control")]].concat())
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
