//! Ctrl-C in the middle of a run.

use std::{
    io::{BufRead, BufReader, Read},
    process::Stdio,
};

use crate::{
    process::{command, interrupt, wait_for_exit},
    support::project,
};

#[test]
fn an_interrupted_run_leaves_whole_reports() {
    let folder = project();
    let text = "name: NAME\nsteps:\n  - customer: \"Hello\"\n    model: [{ say: \"Hi!\" }]\n";
    folder.write("scenarios/a.yaml", text);
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
    assert_eq!(wait_for_exit(&mut process), Some(130));
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
