//! A running world from outside: the program is started as a user starts it.

use std::{
    io::{BufRead, BufReader, Read},
    path::Path,
    process::{Child, Stdio},
    time::{Duration, Instant},
};

use crate::support::{Ran, command, project, rehearse, root, write};

/// `rehearse up` on free ports. Dropping it ends it.
struct Up {
    process: Child,
    control: String,
}

impl Up {
    fn start(folder: &Path) -> Self {
        let ports = ["gateway", "twilio", "openai", "dynamodb", "control"];
        let flags = ports.iter().flat_map(|part| [format!("--{part}-port"), "0".into()]);
        let words: Vec<String> = std::iter::once("up".into()).chain(flags).collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let mut process = command(folder, &words).stdout(Stdio::piped()).spawn().unwrap();
        let mut control = None;
        for line in BufReader::new(process.stdout.as_mut().unwrap()).lines() {
            let line = line.unwrap();
            let mut words = line.split_whitespace();
            match words.next() {
                Some("control") => control = words.next().map(str::to_owned),
                Some("ready") => break,
                _ => {}
            }
        }
        Self { process, control: control.expect("the table names the control API") }
    }

    /// Runs a client of this world.
    fn rehearse(&self, words: &[&str]) -> Ran {
        rehearse(&root(), &[words, &["--control", &self.control]].concat())
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn interrupt(process: &Child) {
    let id = process.id().to_string();
    assert!(std::process::Command::new("kill").args(["-INT", &id]).status().unwrap().success());
}

#[test]
fn up_serves_every_client_and_ends_within_a_second() {
    let mut up = Up::start(&root());
    assert_eq!(up.rehearse(&["ready"]).out, "ready\n");
    let log = up.rehearse(&["log"]);
    assert_eq!((log.out.as_str(), log.err.as_str()), ("", "nothing has happened yet\n"));

    let sent = up.rehearse(&["send", "Do you fix iPhone screens?"]);
    assert!(sent.code == 0 && sent.out.contains("$79"), "{sent:?}");
    let log = up.rehearse(&["log", "--phone", "customer"]);
    assert!(log.out.contains("customer →  Do you fix iPhone screens?"), "{}", log.out);
    let json = up.rehearse(&["log", "--json"]);
    for line in json.out.lines() {
        let entry: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(entry["name"].is_string(), "{line}");
    }
    assert!(json.out.lines().count() > 5, "{}", json.out);

    let env = up.rehearse(&["env"]);
    for name in ["AWS_ENDPOINT_URL=", "AWS_DEFAULT_REGION=", "OPENAI_BASE_URL="] {
        assert!(env.out.contains(&format!("export {name}")), "{name}: {}", env.out);
    }
    assert_eq!(up.rehearse(&["reset"]).code, 0);
    assert_eq!(up.rehearse(&["log"]).out, "");

    let port = up.control.rsplit(':').next().unwrap().to_owned();
    let second = rehearse(&root(), &["up", "--control-port", &port]);
    assert_eq!(second.code, 3);
    assert!(second.err.contains("a world is running already"), "{}", second.err);

    let asked = Instant::now();
    interrupt(&up.process);
    assert_eq!(up.process.wait().unwrap().code(), Some(130));
    assert!(asked.elapsed() < Duration::from_secs(1), "{:?}", asked.elapsed());
}

#[test]
fn an_interrupted_run_leaves_whole_reports() {
    let folder = project();
    let text = "name: NAME\nsteps:\n  - customer: \"Hello\"\n    model: [{ say: \"Hi!\" }]\n";
    write(folder.path(), "scenarios/a.yaml", text);
    let words = "run --repeat 5000 --jobs 2 --report junit=run.xml --report json=run.json";
    let words: Vec<&str> = words.split(' ').collect();
    let mut process = command(folder.path(), &words).stdout(Stdio::piped()).spawn().unwrap();
    let mut out = BufReader::new(process.stdout.take().unwrap());
    let mut first = String::new();
    out.read_line(&mut first).unwrap();
    assert!(first.trim_start().starts_with("ok"), "{first}");
    interrupt(&process);
    let mut rest = String::new();
    out.read_to_string(&mut rest).unwrap();
    assert_eq!(process.wait().unwrap().code(), Some(130));
    assert!(rest.ends_with("interrupted before the end\n"), "{}", &rest[rest.len() - 300..]);

    let json = std::fs::read_to_string(folder.path().join("run.json")).unwrap();
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&json["outcome"], &json["exit_code"]), (&"interrupted".into(), &130.into()));
    assert_eq!(json["scenarios"].as_array().unwrap().len(), 5000);
    assert!(json["counts"]["not_run"].as_u64().unwrap() > 0, "it was interrupted in time");
    let junit = std::fs::read_to_string(folder.path().join("run.xml")).unwrap();
    assert_eq!(junit.matches("<testcase ").count(), 5000);
    assert!(junit.trim_end().ends_with("</testsuites>"));
}

/// Tools that are not everywhere are used where they are; where not, that is said.
fn tool(name: &str) -> Option<std::process::Command> {
    let there = std::process::Command::new(name)
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    if there.is_err() {
        eprintln!("skipped: {name} is not on the PATH");
        return None;
    }
    Some(std::process::Command::new(name))
}

#[test]
fn bash_completes_commands_and_flags() {
    let Some(mut bash) = tool("bash") else { return };
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "completions", rehearse(&root(), &["completions", "bash"]).out);
    let script = "source completions; COMP_WORDS=(rehearse run --re); COMP_CWORD=2; \
                  _rehearse rehearse --re run; echo ${COMPREPLY[@]}";
    let ran = bash.current_dir(folder.path()).args(["--norc", "-c", script]).output().unwrap();
    let words = String::from_utf8(ran.stdout).unwrap();
    assert_eq!(words, "--repeat --report --report-journal\n", "{:?}", ran.stderr);
}

/// `pip install check-jsonschema` brings the validator that editors' messages are like.
#[test]
fn every_scenario_fits_the_schema_and_a_wrong_key_does_not() {
    let Some(mut validator) = tool("check-jsonschema") else { return };
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "schema.json", rehearse(&root(), &["schema"]).out);
    let schema = folder.path().join("schema.json");
    let files = crate::support::files(&root().join("scenarios"), ".yaml");
    let ran = validator.arg("--schemafile").arg(&schema).args(&files).output().unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stdout));

    let wrong = "name: a\nsteps:\n  - customer: Hi\n    repyl: Hi\n";
    write(folder.path(), "wrong.yaml", wrong);
    let mut validator = std::process::Command::new("check-jsonschema");
    validator.arg("--schemafile").arg(&schema).arg(folder.path().join("wrong.yaml"));
    let ran = validator.output().unwrap();
    let said = String::from_utf8_lossy(&ran.stdout);
    assert!(!ran.status.success() && said.contains("'repyl' was unexpected"), "{said}");
}

/// REHEARSE_PYTHON names an interpreter that has the packages.
#[test]
fn the_official_python_sdks_work_against_it() {
    let python = std::env::var("REHEARSE_PYTHON").unwrap_or_else(|_| "python3".into());
    let Some(mut python) = tool(&python) else { return };
    let up = Up::start(&root());
    assert_eq!(up.rehearse(&["send", "STOP", "--from", "customer2"]).code, 0);
    let env: std::collections::BTreeMap<String, String> =
        serde_json::from_str(&up.rehearse(&["env", "--format", "json"]).out).unwrap();
    let opted_out = "+19045550102";
    let ran = python
        .arg(root().join("tests/sdk/check.py"))
        .envs(env)
        .env("OPTED_OUT", opted_out)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ran.stdout);
    match ran.status.code() {
        Some(77) => eprintln!("{said}"),
        code => assert_eq!(code, Some(0), "{said}{}", String::from_utf8_lossy(&ran.stderr)),
    }
}
