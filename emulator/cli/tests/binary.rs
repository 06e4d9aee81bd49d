//! The `rehearse` binary, which has no functions linked in, from folders below the project's own.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail their test")]

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
};

use rehearse_testutils::{Finished, Folder, SETTINGS, TEMPLATE, command, free_port_base};

const SCENARIO: &str = "
name: A greeting is answered
steps:
  - customer: Hi
    reply: Hello
";

/// A process that is killed when the test ends.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The binary, without what the developer's own shell says about worlds.
fn rehearse(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = command(env!("CARGO_BIN_EXE_rehearse"), folder, arguments);
    command.env_remove("REHEARSE_CONTROL").env_remove("REHEARSE_DYNAMODB");
    command
}

fn run(folder: &Path, arguments: &[&str]) -> Finished {
    rehearse(folder, arguments).output().unwrap().into()
}

/// Starts `up` and waits until it prints `ready`.
fn up(folder: &Path, arguments: &[&str]) -> Running {
    let arguments = [&["up"], arguments].concat();
    let mut up = Running(rehearse(folder, &arguments).stdout(Stdio::piped()).spawn().unwrap());
    let lines = BufReader::new(up.0.stdout.take().unwrap()).lines();
    let mut printed: Vec<String> = Vec::new();
    for line in lines {
        printed.push(line.unwrap());
        if printed.last().is_some_and(|line| line.starts_with("ready")) {
            return up;
        }
    }
    panic!("`up` ended before it was ready: {printed:?}");
}

/// A backend that answers every text with "Hello", and the URL of its webhook.
fn backend() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/sms", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            std::thread::spawn(move || hello(&stream.unwrap()));
        }
    });
    url
}

fn hello(mut stream: &TcpStream) {
    const TWIML: &str = "<Response><Message>Hello</Message></Response>";
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 {
            // Somebody only looked whether this listens.
            return;
        }
        let line = line.trim_end().to_ascii_lowercase();
        if let Some(value) = line.strip_prefix("content-length: ") {
            length = value.parse().unwrap();
        }
        if line.is_empty() {
            break;
        }
    }
    reader.read_exact(&mut vec![0; length]).unwrap();
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/xml\r\nconnection: close";
    let response = format!("{head}\r\ncontent-length: {}\r\n\r\n{TWIML}", TWIML.len());
    stream.write_all(response.as_bytes()).unwrap();
}

/// `[ports]` from this one on, in steps of ten.
fn ports(base: u16) -> String {
    let names = ["gateway", "twilio", "openai", "dynamodb", "control", "secrets", "lambda"];
    let lines =
        names.iter().zip(0..).map(|(name, step)| format!("{name} = {}\n", base + step * 10));
    format!("[ports]\n{}", lines.collect::<String>())
}

/// A project whose settings have more lines than those of the greeting project.
fn project(settings: &str) -> Folder {
    let folder = Folder::new();
    folder.write("rehearse.toml", format!("{SETTINGS}{settings}"));
    folder.write("template.yaml", TEMPLATE);
    folder.write("scenarios/deep/hello.yaml", SCENARIO);
    folder
}

#[test]
fn every_command_finds_the_projects_world_from_a_folder_below_it() {
    let base = free_port_base();
    let project = project(&ports(base));
    let below = project.path().join("scenarios/deep");
    let _up = up(&below, &["--target", &backend()]);
    let control = format!("http://127.0.0.1:{}", base + 40);

    run(&below, &["ready", "--wait", "10s"]).expect(0, &["ready"]);
    run(&below, &["send", "Hi"]).expect(0, &["Hello"]);
    run(&below, &["log"]).expect(0, &["Hi", "Hello"]);
    run(&below, &["env", "--format", "dotenv"]).expect(0, &[&control]);
    let dump = run(&below, &["db", "dump"]);
    dump.expect(0, &["["]);
    std::fs::write(below.join("rows.json"), ROW).unwrap();
    run(&below, &["db", "load", "rows.json"]).expect(0, &["loaded 1 row into 1 table"]);
    run(&below, &["db", "dump", "Leads"]).expect(0, &["\"L1\""]);
    run(&below, &["snapshot", "take", "one"]).expect(0, &["taken: one", "1 row"]);
    run(&below, &["clock", "+2h"]).expect(0, &["it runs"]);
    run(&below, &["clock", "2h"]).expect(2, &["a length forward begins with +"]);
    run(&below, &["fault", "arm", "webhook.sms", "503", "--times", "1"])
        .expect(0, &["struck 0 of"]);
    run(&below, &["send", "Hi"]).expect(1, &["status 503"]);
    run(&below, &["fault"]).expect(0, &["webhook.sms", "struck 1 of 1 calls, used up"]);
    run(&below, &["fault", "arm", "webhook.sms", "200"])
        .expect(2, &["is not a status of a failure"]);
    run(&below, &["fault", "disarm", "all"]).expect(0, &["no fault is armed"]);
    std::fs::write(below.join("script.yaml"), "text: Hi\nmodel: [{ say: Hello }]\n").unwrap();
    run(&below, &["script", "arm", "script.yaml"]).expect(0, &["armed: script 1"]);
    // This backend asks no model.
    run(&below, &["script"]).expect(1, &["script 1, text: Hi", "model round 1: never reached"]);
    run(&below, &["script", "remove", "1", "--control", &control]).expect(1, &["never reached"]);
    run(&below, &["script"]).expect(0, &["no script is armed"]);
    run(&below, &["snapshot", "restore", "one"]).expect(0, &["restored: one"]);
    run(&below, &["snapshot", "restore", "two"]).expect(2, &["there is no snapshot 'two'", "one"]);
    run(&below, &["reset"]).expect(0, &["reset"]);
    run(&below, &["log"]).expect(0, &["nothing has happened yet"]);
    // The world was found: this one has no gateway, because its backend is somewhere else.
    run(&below, &["doctor"]).expect(3, &["the world has no gateway"]);
}

const ROW: &str = r#"{"Leads": [{"PutRequest": {"Item": {"id": {"S": "L1"}}}}]}"#;

#[test]
fn an_option_and_the_environment_win_over_the_settings() {
    let base = free_port_base();
    let project = project(&ports(base));
    let nobody = "http://127.0.0.1:1";
    let says = "no world is running at";
    let settings = format!("{says} http://127.0.0.1:{}", base + 40);
    let fault = ["fault", "arm", "webhook.sms", "503"];
    for command in [
        &["ready"][..],
        &["log"],
        &["reset"],
        &["send", "Hi"],
        &["db", "dump"],
        &["clock", "+1h"],
        &fault,
        &["script"],
        &["snapshot", "take"],
    ] {
        run(project.path(), command).expect(3, &[&settings]);
        let option = [command, &["--control", nobody]].concat();
        run(project.path(), &option).expect(3, &[&format!("{says} {nobody}")]);
        let output =
            rehearse(project.path(), command).env("REHEARSE_CONTROL", nobody).output().unwrap();
        let err = String::from_utf8(output.stderr).unwrap();
        assert!(err.contains(&format!("{says} {nobody}")), "{err}");
    }
}

#[test]
fn a_world_begins_at_the_moment_that_it_is_told() {
    let project = project(&ports(free_port_base()));
    let _up = up(project.path(), &["--target", &backend(), "--now", "2031-02-10T15:10:00-05:00"]);
    run(project.path(), &["clock"]).expect(0, &["Mon 2031-02-10 20:1", "it runs"]);
    run(project.path(), &["chat", "--now", "soon"]).expect(2, &["is not a moment such as"]);
}

#[cfg(unix)]
#[test]
fn the_console_is_opened_in_a_browser_and_named_where_there_is_none() {
    use std::{fs, os::unix::fs::PermissionsExt as _, sync::mpsc, thread, time::Duration};

    let base = free_port_base();
    let project = project(&ports(base));
    let programs = Folder::new();
    let start = || {
        let arguments = ["up", "--open", "--target", &backend()];
        let mut command = rehearse(project.path(), &arguments);
        command.env("PATH", programs.path()).stdout(Stdio::null()).stderr(Stdio::piped());
        Running(command.spawn().unwrap())
    };
    let url = format!("http://127.0.0.1:{}", base + 40);

    let mut without = start();
    let errors = BufReader::new(without.0.stderr.take().unwrap()).lines();
    let said = errors.map_while(Result::ok).find(|line| line.contains("opens a browser"));
    assert!(said.unwrap().contains(&format!("open {url} yourself")));
    drop(without);

    // Reading it waits until the program has been called.
    let called = programs.path().join("called");
    assert!(Command::new("mkfifo").arg(&called).status().unwrap().success());
    for name in ["xdg-open", "open"] {
        let script = format!("#!/bin/sh\necho \"$1\" > '{}'\n", called.display());
        let path = programs.write(name, script);
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let _up = start();
    let (sender, opened) = mpsc::channel();
    thread::spawn(move || sender.send(fs::read_to_string(called).unwrap()));
    assert_eq!(opened.recv_timeout(Duration::from_secs(60)).unwrap(), format!("{url}\n"));
}

#[test]
fn settings_that_cannot_be_read_are_an_error_only_where_they_are_needed() {
    let folder = Folder::new();
    folder.write("rehearse.toml", "[ports]\ncontrol = \"x\"\n");
    run(folder.path(), &["ready"]).expect(2, &["rehearse.toml"]);
    run(folder.path(), &["ready", "--control", "http://127.0.0.1:1"]).expect(3, &["no world"]);
}

#[test]
fn scenarios_run_from_a_folder_below_the_project() {
    let base = free_port_base();
    let project = project(&ports(base));
    let below = project.path().join("scenarios/deep");
    let url = backend();
    run(&below, &["check"]).expect(0, &["ok 1 scenario"]);
    run(&below, &["run", "--target", &url]).expect(0, &["1 scenario: 1 passed"]);
    run(&below, &["run", "hello.yaml", "--target", &url]).expect(0, &["1 scenario: 1 passed"]);
    run(&below, &["run", "--list"]).expect(0, &["A greeting is answered"]);
}

#[test]
fn functions_of_the_template_run_as_processes_by_default() {
    let project = project("");
    for command in [&["run"][..], &["up"], &["chat"], &["exec", "--", "true"], &["iam"]] {
        // The greeting project's template does not say how its function is built.
        let finished = run(project.path(), command);
        finished.expect(3, &["nothing says what runs the function Hello", "--function Hello="]);
        let named = [&command[..1], &["--function", "Hello=./none"], &command[1..]].concat();
        run(project.path(), &named).expect(3, &["Hello: failed to read ./none"]);
    }
}

#[test]
fn the_webhooks_url_of_the_settings_is_the_default_before_functions() {
    let url = backend();
    let base = free_port_base();
    let settings = SETTINGS.replace("[webhook]\n", &format!("[webhook]\nurl = \"{url}\"\n"));
    let folder = Folder::new();
    folder.write("rehearse.toml", format!("{settings}{}", ports(base)));
    folder.write("template.yaml", TEMPLATE);
    folder.write("scenarios/hello.yaml", SCENARIO);
    run(folder.path(), &["run"]).expect(0, &["1 scenario: 1 passed"]);
    run(folder.path(), &["iam"]).expect(2, &["--target in-process or lambda"]);
    let lambda = run(folder.path(), &["run", "--target", "lambda"]);
    lambda.expect(3, &["nothing says what runs the function Hello"]);

    folder.write("rehearse.toml", settings.replace(&url, "localhost:3000"));
    run(folder.path(), &["run"]).expect(2, &["rehearse.toml: [webhook] url: "]);
}

#[test]
fn in_process_without_linked_functions_says_what_to_do() {
    let project = project("");
    for command in [&["run"][..], &["up"], &["chat"], &["exec"], &["iam"]] {
        let target = ["--target", "in-process"];
        let rest: &[&str] = if command[0] == "exec" { &["--", "true"] } else { &[] };
        run(project.path(), &[command, &target, rest].concat()).expect(
            2,
            &["functions that are linked into the program", "--target lambda", "--target URL"],
        );
    }
}

#[test]
fn without_functions_and_without_a_url_the_error_says_where_to_name_them() {
    let folder = Folder::new();
    folder.write("rehearse.toml", SETTINGS);
    folder.write("scenarios/hello.yaml", SCENARIO);
    let says = ["nothing says what runs the backend", "--target URL", "[webhook]", "template.yaml"];
    run(folder.path(), &["run"]).expect(2, &says);
}

/// A disk that is full: whatever is written there fails.
#[cfg(target_os = "linux")]
#[test]
fn a_result_that_cannot_be_written_is_a_failure_of_every_command_that_prints() {
    let project = project(&ports(free_port_base()));
    let url = backend();
    let run_at = ["run", "--target", &url];
    for command in [
        &["schema"][..],
        &["check"],
        &["run", "--list"],
        &run_at,
        &[&run_at[..], &["--report", "json"]].concat(),
        &["env", "--target", &url],
        &["completions", "bash"],
        &["man"],
        &["--help"],
        &["help", "run"],
        &["--version"],
    ] {
        let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
        let mut command_line = rehearse(project.path(), command);
        let output = command_line.stdout(full).output().unwrap();
        let err = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(3), "{command:?}: {err}");
        assert!(err.contains("the disk is full; make room"), "{command:?}: {err}");
        assert_eq!(err.matches("the disk is full").count(), 1, "{command:?}: {err}");
    }
}

#[test]
fn a_reader_that_has_read_enough_is_no_failure() {
    let project = project(&ports(free_port_base()));
    let url = backend();
    for command in [&["schema"][..], &["run", "--repeat", "3", "--target", &url], &["--help"]] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = rehearse(project.path(), command).stdout(writer).output().unwrap();
        let err = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), err.as_str()), (Some(0), ""), "{command:?}");
    }
}

#[test]
fn in_github_actions_failures_are_annotated_and_summed_up() {
    let project = project(&ports(free_port_base()));
    project.write(
        "scenarios/bye.yaml",
        "name: A goodbye\nsteps:\n  - customer: Bye\n    reply: Goodbye\n",
    );
    let summary = project.path().join("summary.md");
    std::fs::write(&summary, "before\n").unwrap();
    let url = backend();
    let output = rehearse(project.path(), &["run", "--target", &url, "--report", "json"])
        .env("GITHUB_ACTIONS", "true")
        .env("GITHUB_STEP_SUMMARY", &summary)
        .output()
        .unwrap();
    let (out, err) =
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert!(out.starts_with('{'), "the report is alone there: {out}");
    let annotation = "::error file=scenarios/bye.yaml,line=4,title=A goodbye::";
    assert_eq!(err.matches(annotation).count(), 1, "{err}");
    let summary = std::fs::read_to_string(summary).unwrap();
    assert!(summary.starts_with("before\n### rehearse: 2 scenarios, 1 failed"), "{summary}");
}
