//! What other people's tools make of it: shells, schema validators, the official SDKs.

use std::process::Stdio;

use rehearse_testutils::Folder;

use crate::{process::rehearse, support::root, up::Up};

/// Tools that are not everywhere are used where they are; where not, that is said.
pub fn tool(name: &str) -> Option<std::process::Command> {
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
    let folder = Folder::new();
    folder.write("completions", rehearse(&root(), &["completions", "bash"]).out);
    let script = "source completions; COMP_WORDS=(rehearse run --rep); COMP_CWORD=2; \
                  _rehearse rehearse --rep run; echo ${COMPREPLY[@]}";
    let ran = bash.current_dir(folder.path()).args(["--norc", "-c", script]).output().unwrap();
    let words = String::from_utf8(ran.stdout).unwrap();
    assert_eq!(words, "--repeat --report --report-journal\n", "{:?}", ran.stderr);
}

/// `pip install check-jsonschema` brings the validator that editors' messages are like.
#[test]
fn every_scenario_fits_the_schema_and_a_wrong_key_does_not() {
    let Some(mut validator) = tool("check-jsonschema") else { return };
    let folder = Folder::new();
    folder.write("schema.json", rehearse(&root(), &["schema"]).out);
    let schema = folder.path().join("schema.json");
    let files = crate::support::files(&root().join("scenarios"), ".yaml");
    let ran = validator.arg("--schemafile").arg(&schema).args(&files).output().unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stdout));

    let wrong = "name: a\nsteps:\n  - customer: Hi\n    repyl: Hi\n";
    folder.write("wrong.yaml", wrong);
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
    let Some(python) = tool(&python) else { return };
    sdks(python, "check.py", "Python");
}

/// REHEARSE_NODE_PATH names a `node_modules` that has the packages.
#[test]
fn the_official_node_sdks_work_against_it() {
    let Some(mut node) = tool("node") else { return };
    if let Some(modules) = std::env::var_os("REHEARSE_NODE_PATH") {
        node.env("NODE_PATH", modules);
    }
    sdks(node, "check.js", "Node");
}

/// Runs a check with what `env` prints: its variables, and its line for Twilio in this language.
fn sdks(mut program: std::process::Command, check: &str, language: &str) {
    let up = Up::start();
    assert_eq!(up.rehearse(&["send", "STOP", "--from", "customer2"]).code, 0);
    let env: std::collections::BTreeMap<String, String> =
        serde_json::from_str(&up.rehearse(&["env", "--format", "json"]).out).unwrap();
    let shell = up.rehearse(&["env"]).out;
    let mut notes = shell.lines().filter_map(|line| line.strip_prefix("#   "));
    let line = notes.find_map(|note| note.strip_prefix(language)).expect("a line for Twilio");
    let folder = Folder::new();
    let dumped = up.rehearse(&["db", "dump", "OptOuts", "Conversations"]);
    assert_eq!(dumped.code, 0, "{}", dumped.err);
    folder.write("dump.json", dumped.out);
    let opted_out = "+19045550102";
    let ran = program
        .arg(root().join("tests/sdk").join(check))
        .envs(env)
        .env("REHEARSE_CONTROL", up.url("control"))
        .env("TWILIO_LINE", line.trim())
        .env("OPTED_OUT", opted_out)
        .env("DUMP", folder.path().join("dump.json"))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ran.stdout);
    match ran.status.code() {
        Some(77) => eprintln!("{said}"),
        code => assert_eq!(code, Some(0), "{said}{}", String::from_utf8_lossy(&ran.stderr)),
    }
}

/// A suite in Python that knows nothing of any world, in one of its own.
#[test]
fn a_python_suite_runs_inside_exec() {
    let python = std::env::var("REHEARSE_PYTHON").unwrap_or_else(|_| "python3".into());
    if tool(&python).is_none() {
        return;
    }
    let ran = rehearse(&root(), &["exec", "--", &python, "tests/sdk/check.py"]);
    match ran.code {
        77 => eprintln!("{}", ran.out),
        code => assert_eq!((code, ran.out.matches("ok ").count()), (0, 5), "{ran:?}"),
    }
}
