//! The clock of a function that runs as processes: libfaketime shows it the scenario's time.

use std::path::{Path, PathBuf};

use super::{
    invoking::python,
    support::{SETTINGS, assert_passed},
};
use crate::{Options, Runner, read};
use rehearse_aws::{Executable, Function, WorldClock};
use rehearse_testutils::{self as testing, Folder};
use rehearse_world::Backend;

const TEMPLATE: &str = "
Transform: AWS::Serverless-2016-10-31
Resources:
  Clock:
    Type: AWS::Serverless::Function
    Properties:
      Timeout: 60
      Events: { Sms: { Type: HttpApi, Properties: { Method: POST, Path: /sms } } }
";

/// Returns what time it is in seconds, and how many milliseconds the deadline leaves.
const PROGRAM: &str = r#"
import json, os, time, urllib.request
base = f"http://{os.environ['AWS_LAMBDA_RUNTIME_API']}/2018-06-01/runtime/invocation/"
while True:
    with urllib.request.urlopen(base + "next") as answer:
        identity, event = answer.headers["Lambda-Runtime-Aws-Request-Id"], json.load(answer)
        deadline = int(answer.headers["Lambda-Runtime-Deadline-Ms"])
    now = time.time()
    # Within the function's timeout of the moment that the event names, however slow the machine is.
    right = event["at"] <= now < event["at"] + 60
    left = deadline / 1000 - now
    result = {"now": now, "right": right, "left": left, "in_time": 0 < left <= 60.01, "day": time.strftime("%F")}
    urllib.request.urlopen(base + identity + "/response", data=json.dumps(result).encode()).read()
"#;

fn libfaketime() -> Option<PathBuf> {
    let below = std::fs::read_dir("/usr/lib").ok()?.filter_map(|entry| Some(entry.ok()?.path()));
    let folders = below.chain([Path::new("/usr/lib").to_path_buf()]);
    let found = folders.map(|folder| folder.join("faketime/libfaketimeMT.so.1"));
    let found = found.into_iter().find(|library| library.is_file());
    if found.is_none() {
        eprintln!("skipped: libfaketime is not installed");
    }
    found
}

#[tokio::test]
async fn a_process_sees_the_scenarios_time_as_it_moves_and_has_its_time_left() {
    let folder = Folder::new();
    let Some((program, library)) = python().zip(libfaketime()) else { return };
    let executable = Executable {
        program,
        arguments: vec![folder.write("clock.py", PROGRAM).display().to_string()],
        folder: folder.path().to_owned(),
        world_clock: Some(WorldClock { library, folder: folder.path().to_owned() }),
    };
    let function = Function::lambda("Clock", executable);
    let (template, settings) = (testing::template(TEMPLATE), testing::settings(SETTINGS));
    let backend = Backend::new(vec![function], template, settings, folder.path()).unwrap();
    // 2031-06-01T12:00:00Z, and a day and an hour later, on the process that runs already.
    let text = "
name: test
now: 2031-06-01T12:00:00Z
steps:
  - invoke: Clock
    event: { at: 1938081600 }
    result: { right: true, in_time: true, day: \"2031-06-01\" }
  - wait: 25h
  - invoke: Clock
    event: { at: 1938171600 }
    result: { right: true, in_time: true, day: \"2031-06-02\" }
";
    let scenarios = read(&[folder.write("scenario.yaml", text)]);
    let scenarios = scenarios.unwrap_or_else(|errors| panic!("{}", errors[0]));
    assert_passed(&Runner::new(backend, Options::default()).run(&scenarios[0]).await);
}
