//! `--target lambda`: the functions as processes of their own, with the real program.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde_json::Value;

use crate::{
    process::{
        Finished, interrupt, rehearse, send_signal, wait_for, wait_for_exit, wait_until_gone,
    },
    support::{project, root},
    up::{FREE_PORTS, Up},
};

/// The backend's functions and their binaries.
const FUNCTIONS: [(&str, &str); 4] = [
    ("Dispatcher", "dispatcher"),
    ("LateReply", "late_reply"),
    ("Scheduler", "scheduler"),
    ("StateManager", "state_manager"),
];

/// A binary of the workspace; `cargo test --workspace` builds all of them.
fn binary(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_BIN_EXE_rehearse-shop")).with_file_name(name);
    assert!(path.is_file(), "build it first: `cargo build --workspace --bins --examples`");
    path
}

/// A function's command, by the clock of this process. Functions have none of its environment, so under a false
/// clock (`scripts/false-clock`) they would have the true one, and leases would be years long.
fn by_this_clock(command: &str) -> String {
    let names = ["LD_PRELOAD", "FAKETIME", "FAKETIME_DONT_FAKE_MONOTONIC", "NO_FAKE_STAT"];
    let clock: Vec<String> = names
        .iter()
        .filter_map(|name| Some(format!("{name}={}", std::env::var(name).ok()?)))
        .collect();
    if clock.is_empty() { command.to_owned() } else { format!("env {} {command}", clock.join(" ")) }
}

/// `--target lambda` with the backend's own binaries, some of them replaced.
pub fn lambda(others: &[(&str, &str)]) -> Vec<String> {
    let mut words = vec!["--target".to_owned(), "lambda".to_owned()];
    let mut code: BTreeMap<&str, String> = FUNCTIONS
        .iter()
        .map(|(id, name)| (*id, by_this_clock(&binary(name).display().to_string())))
        .collect();
    code.extend(others.iter().map(|(id, code)| (*id, (*code).to_owned())));
    for (id, code) in code {
        words.extend(["--function".to_owned(), format!("{id}={code}")]);
    }
    words
}

/// `--target lambda` with functions that log at every level.
pub fn logging_everything() -> Vec<String> {
    let mut words = lambda(&[]);
    for word in words.iter_mut().filter(|word| word.contains('=')) {
        *word = word.replacen('=', "=env LOG_LEVEL=trace ", 1);
    }
    words
}

/// Runs scenarios on these functions.
fn run(folder: &Path, what: &[&str], others: &[(&str, &str)]) -> Finished {
    let lambda = lambda(others);
    let lambda: Vec<&str> = lambda.iter().map(String::as_str).collect();
    rehearse(folder, &[&["run"], what, lambda.as_slice()].concat())
}

/// `up` with functions as processes.
fn up(others: &[(&str, &str)]) -> Up {
    let lambda = lambda(others);
    let words = FREE_PORTS.into_iter().chain(lambda.iter().map(String::as_str));
    Up::with(&words.collect::<Vec<_>>())
}

#[test]
fn crashes_and_the_classics_pass_on_the_binaries_that_go_to_aws() {
    let _lock = crate::suite::lock();
    let ran = run(&root(), &["scenarios/crash", "scenarios/classic"], &[]);
    ran.expect(0, &["The dispatcher exceeds its timeout", "At the gym"]);
}

/// Killed with 9, it can do nothing more itself; interrupted, it ends in order.
#[cfg(target_os = "linux")]
#[test]
fn however_it_ends_it_leaves_no_process() {
    for end in [|up: &mut Up| up.child.kill().unwrap(), |up: &mut Up| interrupt(&up.child)] {
        let mut up = up(&[]);
        assert_eq!(up.rehearse(&["send", "Do you fix iPhone screens?"]).code, 0);
        let children = crate::process::children(up.child.id());
        assert!(!children.is_empty(), "the dispatcher runs");
        end(&mut up);
        wait_for_exit(&mut up.child);
        children.into_iter().for_each(|id| wait_until_gone(&id.to_string()));
    }
}

#[test]
fn what_a_function_writes_is_in_the_log_under_its_request() {
    let client = example("runtime_client");
    let up = up(&[("StateManager", &client)]);
    assert!(up.get("/state").starts_with("HTTP/1.1 200"));
    let lines = up.rehearse(&["log", "--json"]).out;
    let entries = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let mut wrote = entries.filter(|entry| entry["crossing"]["line"] == "doing /state");
    let entry = wrote.next().expect("what the function wrote");
    let id = entry["crossing"]["request_id"].as_str().unwrap();
    assert_eq!((&entry["name"], id.len()), (&"log.StateManager".into(), 36));
    let text = up.rehearse(&["log"]).out;
    let line = format!("StateManager {}: doing /state", &id[..8]);
    assert!(text.contains(&line), "no '{line}' in:\n{text}");
}

#[test]
fn a_missing_variable_is_named_in_the_journal() {
    let folder = project();
    for (file, line) in [
        ("template.yaml", "          TWILIO_PHONE_NUMBER: !Ref TwilioPhoneNumber\n"),
        ("rehearse.toml", "TWILIO_PHONE_NUMBER = \"{number}\"\n"),
    ] {
        let text = std::fs::read_to_string(folder.path().join(file)).unwrap();
        let without = text.replace(line, "");
        assert_ne!(text, without);
        folder.write(file, without);
    }
    folder.write("scenarios/a.yaml", SCENARIO);
    let words = ["--report-journal", "--report", "json=run.json"];
    run(folder.path(), &words, &[]).expect(1, &[]);
    let report = std::fs::read_to_string(folder.path().join("run.json")).unwrap();
    for part in ["the function did not start", "TWILIO_PHONE_NUMBER"] {
        assert!(report.contains(part), "no '{part}' in {report}");
    }
}

const SCENARIO: &str = "name: Hello\nnow: 2026-02-10T15:10:00-05:00\nsteps:\n  - customer: \"Hello\"\n    model: [{ say: \"Hi!\" }]\n    reply: \"Hi!\"\n";

#[test]
fn what_cannot_be_run_is_refused_before_anything_starts() {
    let folder = project();
    folder.write("scenarios/a.yaml", SCENARIO);
    folder.write("plain", "no program\n");
    let with_function =
        |code: &str| rehearse(folder.path(), &["run", "--target", "lambda", "--function", code]);
    let all = |id, code: &str| run(folder.path(), &[], &[(id, code)]);
    with_function("Dispacher=./plain").expect(2, &["no function `Dispacher`", "`Dispatcher`"]);
    with_function("Dispatcher").expect(2, &["Dispatcher=./bootstrap"]);
    all("Dispatcher", "./none").expect(3, &["Dispatcher: failed to read ./none", "build it first"]);
    all("Dispatcher", "./plain").expect(3, &["is not executable", "chmod +x"]);
    all("Dispatcher", "no-such-program").expect(3, &["there is no program `no-such-program`"]);
}

/// The fake Twilio reads what a function answers as the real one does: by its type.
#[test]
fn a_response_without_a_type_of_twiml_is_no_twiml() {
    let client = example("runtime_client");
    let with = |answer: &str, step: &str| {
        let folder = project();
        let text = format!(
            "name: Untyped\nnow: 2026-02-10T15:10:00-05:00\ngiven: {{ env: {{ ANSWER: '{answer}' }} }}\nsteps:\n  - customer: Hello\n    {step}\n"
        );
        folder.write("scenarios/a.yaml", text);
        run(folder.path(), &[], &[("Dispatcher", &client)])
    };
    // API Gateway's own type is text/plain, so the customer reads the markup.
    let untyped = r#"{"statusCode":200,"body":"<Response><Message>Hi</Message></Response>"}"#;
    with(untyped, "reply: \"<Response><Message>Hi</Message></Response>\"").expect(0, &[]);
    // Any JSON without a status is a 200 of application/json, which Twilio does not take.
    with(r#"{"reply":"Hi"}"#, "reply: Hi").expect(1, &["12300"]);
}

/// REHEARSE_PYTHON names an interpreter that has `awslambdaric`.
#[test]
fn a_python_function_runs_on_its_own_runtime_client() {
    let python = std::env::var("REHEARSE_PYTHON").unwrap_or_else(|_| "python3".into());
    let there = Command::new(&python)
        .args(["-c", "import awslambdaric"])
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    if !there {
        eprintln!("skipped: {python} has no awslambdaric");
        return;
    }
    let app = "\
import os

def handler(event, context):
    if event['rawPath'] == '/state':
        print('about to fail')
        raise ValueError('no such state')
    left = context.get_remaining_time_in_millis()
    return {'statusCode': 200, 'body': f\"{os.environ['_HANDLER']} {context.function_name} {0 < left <= 10000}\"}
";
    other_language(("app.py", app), &format!("{python} -m awslambdaric app.handler"), "ValueError");
}

/// REHEARSE_NODE_RIC names a folder in which `npm install aws-lambda-ric` was run and compiled.
#[test]
fn a_node_function_runs_on_its_own_runtime_client() {
    let Some(folder) = std::env::var_os("REHEARSE_NODE_RIC") else {
        eprintln!("skipped: REHEARSE_NODE_RIC names no folder with aws-lambda-ric");
        return;
    };
    let ric = Path::new(&folder).join("node_modules/aws-lambda-ric/bin/index.mjs");
    assert!(ric.is_file(), "{} is not there", ric.display());
    let app = "\
exports.handler = async (event, context) => {
  if (event.rawPath === '/state') {
    console.log('about to fail');
    throw new TypeError('no such state');
  }
  const left = context.getRemainingTimeInMillis();
  const body = `${process.env._HANDLER} ${context.functionName} ${0 < left && left <= 10000 ? 'True' : left}`;
  return { statusCode: 200, body };
};
";
    let command = format!("node {} app.handler", ric.display());
    other_language(("app.js", app), &command, "TypeError");
}

/// A function in another language: answers, fails, and answers again.
fn other_language((file, app): (&str, &str), command: &str, error: &str) {
    let folder = project();
    folder.write(file, app);
    folder.write(
        "scenarios/a.yaml",
        "name: Another language\nsteps:
  - request: GET /scheduler
    response: { status: 200, text: bootstrap Scheduler True }
  - request: GET /state
    response: { status: 500, json: { message: Internal Server Error } }
  - request: GET /scheduler
    response: { status: 200, text: bootstrap Scheduler True }
  - request: GET /state
    response: { status: 500 }
",
    );
    let command = by_this_clock(command);
    let others = [("Scheduler", command.as_str()), ("StateManager", command.as_str())];
    let report = folder.path().join("run.json");
    let words = ["--report-journal", "--report", "json=run.json"];
    run(folder.path(), &words, &others).expect(0, &[]);
    let report = std::fs::read_to_string(report).unwrap();
    assert!(report.contains("about to fail"), "what it printed is in the journal: {report}");
    let said = format!("the function failed: {error}: no such state");
    assert!(report.contains(&said), "no '{said}' in {report}");
}

const SLOW: &str = "[package]
name = \"slow\"
version = \"0.1.0\"
edition = \"2024\"
";

/// It tells its process, and would take an hour.
const BUILD: &str = r#"fn main() {
    std::fs::write("begun.part", std::process::id().to_string()).unwrap();
    std::fs::rename("begun.part", "begun").unwrap();
    std::thread::sleep(std::time::Duration::from_secs(3600));
}
"#;

/// cargo, and the processes that it started, end with the run that needs the functions built.
///
/// `cargo` in the name leaves this test out under a false clock.
#[test]
fn cargo_ends_with_the_run_that_started_it_also_when_that_is_killed() {
    for (signal, code) in [("-INT", Some(130)), ("-TERM", Some(143)), ("-KILL", None)] {
        let folder = project();
        folder.write("Cargo.toml", SLOW);
        folder.write("build.rs", BUILD);
        for (_, binary) in FUNCTIONS {
            folder.write(&format!("src/bin/{binary}.rs"), "fn main() {}");
        }
        folder.write("scenarios/a.yaml", "name: a\nsteps:\n  - request: GET /state\n");
        // As a script's background starts it: Ctrl-C would be ignored.
        let ignoring = "trap '' INT; exec \"$0\" run --target lambda";
        let mut run = Command::new("sh")
            .args(["-c", ignoring, env!("CARGO_BIN_EXE_rehearse-shop")])
            .current_dir(folder.path())
            .env("CARGO_TARGET_DIR", folder.path().join("target"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let begun = folder.path().join("begun");
        wait_for("the build script runs", || {
            assert_eq!(run.try_wait().unwrap(), None, "it builds");
            begun.is_file().then_some(())
        });
        let build: u32 = std::fs::read_to_string(begun).unwrap().parse().unwrap();
        assert!(send_signal(signal, &run.id().to_string()));
        assert_eq!(wait_for_exit(&mut run), code, "{signal}");
        wait_until_gone(&build.to_string());
    }
}

fn example(name: &str) -> String {
    binary(&format!("examples/{name}")).display().to_string()
}
