//! `up --target lambda --watch`: sources change, and so does what answers.

use std::{
    io::{BufRead, BufReader, Write},
    process::{Child, Stdio},
    sync::mpsc::{self, Receiver},
};

use rehearse_testutils::Folder;

use crate::{
    process::{
        Finished, PATIENCE, command, rehearse, send_signal, wait_for, wait_for_exit,
        wait_until_gone,
    },
    tools::tool,
    up::FREE_PORTS,
};

const TEMPLATE: &str = "
Transform: AWS::Serverless-2016-10-31
Resources:
  Hello:
    Type: AWS::Serverless::Function
    Properties:
      Timeout: 60
      Environment: { Variables: { GATE: gate } }
      Events: { Sms: { Type: HttpApi, Properties: { Path: /sms, Method: POST } } }
";

const SETTINGS: &str = r#"
[twilio]
number = "+19045550100"
account_sid = "AC00000000000000000000000000000000"
auth_token = "any"
[webhook]
route = "/sms"
[people]
customer = "+19045550101"
owner = "+19045550199"
"#;

/// A function in the standard library; `slow` waits at a gate.
const FUNCTION: &str = r#"
import base64, json, os, urllib.parse, urllib.request
api = "http://" + os.environ["AWS_LAMBDA_RUNTIME_API"] + "/2018-06-01/runtime/invocation/"
while True:
    with urllib.request.urlopen(api + "next") as asked:
        request, event = asked.headers["Lambda-Runtime-Aws-Request-Id"], json.load(asked)
    form = urllib.parse.parse_qs(base64.b64decode(event["body"]).decode())
    if form["Body"] == ["slow"]:
        open(os.environ["GATE"]).read()
    answer = {"statusCode": 200, "headers": {"content-type": "text/xml"},
              "body": "<Response><Message>VERSION</Message></Response>"}
    urllib.request.urlopen(api + request + "/response", json.dumps(answer).encode()).read()
"#;

/// Whoever writes VERSION BROKEN meets this compiler, which may be held up at its end.
const BUILD: &str = "
if grep -q BROKEN source/app.py; then echo 'error: app.py is broken' >&2; exit 1; fi
mkdir -p made && cp source/app.py made/app.py
if test -e .held; then read line < .held; rm .held; fi
";

/// A world that watches the sources of its function.
struct Watched {
    folder: Folder,
    up: Child,
    control: String,
    said: Receiver<String>,
}

impl Drop for Watched {
    fn drop(&mut self) {
        let _ = self.up.kill();
        let _ = self.up.wait();
    }
}

impl Watched {
    /// Where there is a Python, and by its own path: a function finds nothing of the environment.
    fn start() -> Option<Self> {
        let watched = Self::start_with(|_| {})?;
        // Nobody can tell yet whether somebody wrote what the first build made.
        let before = watched.says("swapped Hello");
        assert_eq!(before, "changed: made/app.py\n");
        Some(watched)
    }

    /// With something that happens while the first build runs.
    fn start_with(meanwhile: impl FnOnce(&Self)) -> Option<Self> {
        let own = tool("python3")?.args(["-c", "import sys; print(sys.executable)"]).output();
        let python = String::from_utf8(own.unwrap().stdout).unwrap();
        let folder = Folder::new();
        folder.write("template.yaml", TEMPLATE);
        folder.write("rehearse.toml", SETTINGS);
        folder.write("build.sh", BUILD);
        folder.write("source/app.py", FUNCTION.replace("VERSION", "one"));
        let function = format!("Hello={} made/app.py", python.trim());
        let hold = std::process::Command::new("mkfifo").arg(folder.path().join(".held")).status();
        assert!(hold.unwrap().success());
        let watch = ["--target", "lambda", "--watch", "--build", "sh build.sh", "--data", "rows"];
        let function = ["--function", &function];
        let mut up = command(folder.path(), &[&FREE_PORTS[..], &watch, &function].concat())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let out = BufReader::new(up.stdout.take().unwrap());
        let (sender, said) = mpsc::channel();
        let err = BufReader::new(up.stderr.take().unwrap());
        std::thread::spawn(move || {
            err.lines().map_while(Result::ok).for_each(|line| drop(sender.send(line)));
        });
        let mut watched = Self { folder, up, control: String::new(), said };
        let mut held = open(&watched.folder.path().join(".held"));
        meanwhile(&watched);
        held.write_all(b"go\n").unwrap();
        drop(held);
        for line in out.lines().map_while(Result::ok) {
            if let Some(rest) = line.trim().strip_prefix("control") {
                watched.control = rest.split_whitespace().next().unwrap().to_owned();
            }
            if line.starts_with("ready") {
                return Some(watched);
            }
        }
        panic!("it did not start: {:?}", watched.said.iter().collect::<Vec<_>>());
    }

    /// Writes another version of the function.
    fn becomes(&self, version: &str) {
        self.folder.write("source/app.py", FUNCTION.replace("VERSION", version));
    }

    /// Waits for a line with these words, and gives those before it.
    fn says(&self, words: &str) -> String {
        let mut before = String::new();
        loop {
            let line = self.said.recv_timeout(PATIENCE).unwrap_or_else(|_| {
                panic!("'{words}' did not come within {PATIENCE:?}, after:\n{before}")
            });
            if line.contains(words) {
                return before;
            }
            before = format!("{before}{line}\n");
        }
    }

    fn send(&self, text: &str) -> Finished {
        rehearse(self.folder.path(), &["send", text, "--control", &self.control])
    }
}

/// A gate opens once somebody stands on the other side.
fn open(gate: &std::path::Path) -> std::fs::File {
    std::fs::OpenOptions::new().write(true).open(gate).unwrap()
}

#[test]
fn an_edit_during_the_first_build_is_built_too() {
    let Some(watched) = Watched::start_with(|watched| watched.becomes("two")) else { return };
    let before = watched.says("swapped Hello");
    assert!(before.contains("source/app.py"), "{before}");
    assert_eq!(watched.send("hi").out, "two\n");
}

#[test]
fn what_nobody_edits_is_no_change_and_settings_need_a_restart() {
    let Some(watched) = Watched::start() else { return };
    let folder = &watched.folder;
    folder.write("up.log", "ready");
    folder.write("rows/dynamodb.sqlite-wal", "a row");
    folder.write("source/sedUf7bKv", "a draft");
    std::fs::remove_file(folder.path().join("source/sedUf7bKv")).unwrap();
    folder.write("template.yaml", TEMPLATE.replace("/sms", "/texts"));
    let before = watched.says("template.yaml changed: `up` must be restarted to use it");
    assert_eq!(before, "", "nothing is swapped");
    folder.write("rehearse.toml", SETTINGS);
    watched.becomes("two");
    let said = watched.says("swapped Hello");
    let changed = said.lines().filter(|line| line.starts_with("changed:")).collect::<Vec<_>>();
    assert_eq!(changed, ["changed: source/app.py"], "{said}");
    assert!(said.contains("rehearse.toml changed: `up` must be restarted"), "{said}");
}

#[test]
fn a_build_ends_with_the_world_that_asked_for_it() {
    for (signal, code) in [("-INT", Some(130)), ("-TERM", Some(143)), ("-KILL", None)] {
        let folder = crate::support::project();
        let build = "sleep 600 & echo $! > made; mv made pid; wait";
        let words = [&FREE_PORTS[..], &["--target", "lambda", "--build", build]].concat();
        let mut up = command(folder.path(), &words).spawn().unwrap();
        let pid = wait_for("the build runs", || {
            assert_eq!(up.try_wait().unwrap(), None, "it waits for its build");
            std::fs::read_to_string(folder.path().join("pid")).ok()
        });
        assert!(send_signal(signal, &up.id().to_string()));
        assert_eq!(wait_for_exit(&mut up), code, "{signal}");
        wait_until_gone(pid.trim());
    }
}

#[test]
fn a_changed_source_is_built_and_answers_and_a_broken_one_changes_nothing() {
    let Some(watched) = Watched::start() else { return };
    assert_eq!(watched.send("hi").out, "one\n");
    watched.becomes("two");
    watched.says("swapped Hello");
    assert_eq!(watched.send("hi").out, "two\n");

    watched.becomes("BROKEN");
    let said = watched.says("the last good build goes on serving");
    assert!(said.contains("source/app.py\n"), "{said}");
    assert!(said.contains("error: app.py is broken"), "{said}");
    assert_eq!(watched.send("hi").out, "two\n");

    watched.becomes("three");
    watched.says("swapped Hello");
    assert_eq!(watched.send("hi").out, "three\n");
}

#[test]
fn what_runs_while_processes_are_swapped_comes_to_its_end() {
    let Some(watched) = Watched::start() else { return };
    let gate = watched.folder.path().join("gate");
    assert!(std::process::Command::new("mkfifo").arg(&gate).status().unwrap().success());
    let words = ["send", "slow", "--control", &watched.control];
    let slow = command(watched.folder.path(), &words).stdout(Stdio::piped()).spawn().unwrap();
    let mut gate = open(&gate);
    watched.becomes("two");
    watched.says("swapped Hello");
    let words = ["send", "hi", "--from", "owner", "--control", &watched.control];
    assert_eq!(rehearse(watched.folder.path(), &words).out, "two\n");
    gate.write_all(b"go").unwrap();
    drop(gate);
    let slow = slow.wait_with_output().unwrap();
    assert_eq!(String::from_utf8(slow.stdout).unwrap(), "one\n");
}

#[test]
fn watching_is_for_functions_that_are_processes() {
    let folder = crate::support::project();
    for words in [&["up", "--watch"][..], &["up", "--build", "make"]] {
        let ran = rehearse(folder.path(), words);
        assert_eq!((ran.code, ran.err.contains("is for --target lambda")), (2, true), "{ran:?}");
    }
    let words = ["up", "--target", "lambda", "--build", "echo no such compiler; exit 3"];
    let ran = rehearse(folder.path(), &words);
    assert_eq!((ran.code, ran.err.contains("no such compiler")), (3, true), "{ran:?}");
}
