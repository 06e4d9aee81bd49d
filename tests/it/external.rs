//! `--target URL`: a backend that somebody else started, here one in plain Python.

use std::{
    path::Path,
    process::{Child, Stdio},
};

use rehearse_testutils::{Folder, free_port_base};

use crate::{
    process::{Finished, rehearse},
    support::{files, root},
    tools::tool,
};

/// The example of a backend in Python, in a folder of its own and on ports of its own.
struct Example {
    folder: Folder,
    base: String,
    url: String,
    backend: Option<Child>,
}

impl Drop for Example {
    fn drop(&mut self) {
        if let Some(backend) = &mut self.backend {
            let _ = backend.kill();
            let _ = backend.wait();
        }
    }
}

impl Example {
    fn new() -> Self {
        let folder = Folder::new();
        let example = root().join("examples/python");
        for file in files(&example, "") {
            let name = file.strip_prefix(&example).unwrap().to_str().unwrap();
            if !name.starts_with('.') {
                folder.write(name, std::fs::read(&file).unwrap());
            }
        }
        // The backend has the port that a gateway would have.
        let base = free_port_base().to_string();
        let url = format!("http://127.0.0.1:{base}/sms?shop=1");
        Self { folder, base, url, backend: None }
    }

    /// Starts the backend with what `env` prints, where there is a Python.
    fn started() -> Option<Self> {
        let mut python = tool("python3")?;
        let mut example = Self::new();
        let env = example.rehearse(&["env", "--format", "json"]);
        let env: std::collections::BTreeMap<String, String> =
            serde_json::from_str(&env.out).unwrap();
        let backend = python
            .arg(example.folder.path().join("backend.py"))
            .arg(&example.base)
            .envs(env)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        example.backend = Some(backend.unwrap());
        Some(example)
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn rehearse(&self, words: &[&str]) -> Finished {
        let target = ["--target", &self.url, "--port-base", &self.base];
        rehearse(self.path(), &[words, &target].concat())
    }
}

#[test]
fn the_sweep_finds_the_fault_that_the_examples_readme_tells_of() {
    let Some(example) = Example::started() else { return };
    let answers = "scenarios/answers.yaml";
    let lost = "error@webhook.sms#1";
    let again = format!("--inject {lost}");
    let told = ["it must always hold: Every text gets an answer", &again];
    example.rehearse(&["run", answers, "--wait", "20s", "--inject", lost]).expect(1, &told);
    for survived in ["error@dynamodb.PutItem#1", "cut-after@dynamodb.PutItem#1"] {
        let ran = example.rehearse(&["run", answers, "--inject", survived]);
        ran.expect(0, &["1 scenario: 1 passed"]);
    }

    let toml = std::fs::read_to_string(example.path().join("rehearse.toml")).unwrap();
    let webhook = "[webhook]\noverrides = \"#rc=2&rp=5xx\"";
    example.folder.write("rehearse.toml", toml.replace("[webhook]", webhook));
    example.rehearse(&["run", answers, "--inject", lost]).expect(0, &["1 scenario: 1 passed"]);
}

#[test]
fn a_backend_in_python_passes_its_scenarios_one_after_another() {
    let Some(example) = Example::started() else { return };
    let ran = example.rehearse(&["run", "--wait", "20s", "--repeat", "3"]);
    let count = 3 * files(&example.path().join("scenarios"), ".yaml").len();
    ran.expect(0, &[&format!("{count} scenarios: {count} passed")]);
}

#[test]
fn a_scenario_that_needs_what_cannot_be_given_is_skipped_with_its_reason() {
    let Some(example) = Example::started() else { return };
    let text = "name: Another day\nnow: 2026-02-10T15:10:00-05:00\nsteps:\n  - customer: hello\n";
    example.folder.write("scenarios/day.yaml", text);
    let report = ["run", "--wait", "20s", "--report", "junit=report.xml"];
    let ran = example.rehearse(&report);
    ran.expect(0, &["skip", "scenarios/day.yaml:2: the backend keeps its own time", "1 skipped"]);
    let xml = std::fs::read_to_string(example.path().join("report.xml")).unwrap();
    assert!(xml.contains("<skipped message=\"the backend keeps its own time"), "{xml}");

    let ran = example.rehearse(&["run", "scenarios/day.yaml"]);
    ran.expect(2, &["1 skipped", "nothing was run, so nothing is proved"]);
}

#[test]
fn a_failure_says_how_to_see_it_again() {
    let Some(example) = Example::started() else { return };
    let text = "name: Wrong\nsteps:\n  - request: GET /questions\n    response: { status: 418 }\n";
    example.folder.write("scenarios/wrong.yaml", text);
    let ran = example.rehearse(&["run", "--wait", "20s", "scenarios/wrong.yaml"]);
    let replay = format!(
        "replay: rehearse-shop run scenarios/wrong.yaml --target '{}' --port-base {}",
        example.url, example.base
    );
    ran.expect(1, &["GET /questions → 200", &replay]);
}

#[test]
fn without_a_template_there_are_no_tables_to_name() {
    let Some(example) = Example::started() else { return };
    std::fs::remove_file(example.path().join("template.yaml")).unwrap();
    let ran = example.rehearse(&["run", "--wait", "20s", "--name", "Twilio"]);
    ran.expect(2, &["Questions", "no template describes a table"]);
    for file in files(&example.path().join("scenarios"), ".yaml") {
        std::fs::remove_file(file).unwrap();
    }
    let text = "name: Forged\nsteps:\n  - customer: Hi\n    signature: wrong\n    \
                deliveries: [{ answer: 403 }]\n";
    example.folder.write("scenarios/forged.yaml", text);
    example.rehearse(&["run", "--wait", "20s"]).expect(0, &["1 passed"]);
}

#[test]
fn chat_reaches_it() {
    let Some(example) = Example::started() else { return };
    // Nobody plays the model here, so the backend says that it is sorry.
    assert_eq!(example.rehearse(&["run", "--wait", "20s", "--name", "model fails"]).code, 0);
    let words = ["chat", "--target", &example.url, "--port-base", &example.base];
    let mut chat = crate::process::command(example.path(), &words);
    let mut child = chat.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), b"Are you open?\n").unwrap();
    let output = child.wait_with_output().unwrap();
    let out = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && out.contains("Sorry"), "{out}");
}

#[test]
fn a_backend_that_is_not_there_is_found_before_any_scenario() {
    let example = Example::new();
    let ran = example.rehearse(&["run"]);
    let env = format!("rehearse-shop env --target {}", example.url);
    ran.expect(3, &["no backend listens at", &env]);
    assert_eq!(ran.out, "", "no scenario was begun");
}

#[test]
fn a_busy_port_names_who_has_it() {
    let example = Example::new();
    let port: u16 = example.base.parse().unwrap();
    let _taken = std::net::TcpListener::bind(("127.0.0.1", port + 20)).unwrap();
    example.rehearse(&["run"]).expect(3, &["for openai, is taken", "--openai-port"]);
}

#[test]
fn targets_that_cannot_be_are_refused_with_what_was_meant() {
    let example = Example::new();
    for (target, says) in [
        ("in-proces", "did you mean `in-process`?"),
        ("localhost:3000/sms", "did you mean http://localhost:3000/sms?"),
        ("https://127.0.0.1/sms", "begins with http://"),
        ("http://example.com/sms", "not on this machine"),
        ("http://me:secret@127.0.0.1/", "no user name or password"),
        ("http://", "not a URL"),
        ("http://127.0.0.1:4010/sms", "where twilio will listen"),
    ] {
        let ran = rehearse(example.path(), &["run", "--target", target]);
        ran.expect(2, &[says]);
    }
    example.rehearse(&["run", "--jobs", "2"]).expect(2, &["--jobs 2", "one after another"]);
    let run = |words: &[&str]| rehearse(example.path(), &[&["run"], words].concat());
    run(&["--port-base", "5000"]).expect(2, &["--port-base"]);
    run(&["--wait", "1s"]).expect(2, &["--wait"]);
    let ran = rehearse(example.path(), &["env", "--target", "in-process"]);
    ran.expect(2, &["no fixed ports"]);
}
