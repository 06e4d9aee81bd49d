//! `invoke:` steps: functions that a router serves, and functions that run as processes.

use std::path::PathBuf;

use axum::{Json, Router, http::StatusCode, routing::post};
use serde_json::{Value, json};

use super::support::{SETTINGS, assert_passed, failed};
use crate::{Options, Runner, ScenarioResult, read, report::conversation};
use rehearse_aws::{Executable, Function};
use rehearse_testutils::{self as testing, Folder};
use rehearse_world::Backend;

const TEMPLATE: &str = "
Transform: AWS::Serverless-2016-10-31
Resources:
  Front:
    Type: AWS::Serverless::Function
    Properties:
      Timeout: 5
      Events: { Sms: { Type: HttpApi, Properties: { Method: POST, Path: /sms } } }
  Count:
    Type: AWS::Serverless::Function
    Properties: { Timeout: 60 }
  Hang:
    Type: AWS::Serverless::Function
    Properties: { Timeout: 1 }
";

/// A client of the Runtime API in Python: returns how many records an event has, and says what it does.
const PROGRAM: &str = r#"
import json, os, time, urllib.error, urllib.request
base = f"http://{os.environ['AWS_LAMBDA_RUNTIME_API']}/2018-06-01/runtime/invocation/"
while True:
    with urllib.request.urlopen(base + "next") as answer:
        identity, event = answer.headers["Lambda-Runtime-Aws-Request-Id"], json.load(answer)
    print("an event with", sorted(event), flush=True)
    if "hang" in event:
        time.sleep(3600)
    path, result = "/response", {"count": len(event.get("Records", [])), "event": event}
    if "fail" in event:
        path, result = "/error", {"errorType": "KeyError", "errorMessage": f"{event['fail']}: none"}
    urllib.request.urlopen(base + identity + path, data=json.dumps(result).encode()).read()
"#;

async fn count(Json(event): Json<Value>) -> (StatusCode, Json<Value>) {
    if event.get("hang").is_some() {
        std::future::pending::<()>().await;
    }
    if event.get("fail").is_some() {
        return (StatusCode::INTERNAL_SERVER_ERROR, Json(json!("no such key")));
    }
    let count = event["Records"].as_array().map_or(0, Vec::len);
    (StatusCode::OK, Json(json!({ "count": count, "event": event })))
}

fn in_process() -> Vec<Function> {
    let router = Router::new().route("/events", post(count));
    let hanging = router.clone();
    vec![
        Function::new("Front", |_| Ok(Router::new())),
        Function::new("Count", move |_| Ok(router.clone())),
        Function::new("Hang", move |_| Ok(hanging.clone())),
    ]
}

pub(super) fn python() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let found = std::env::split_paths(&path).map(|folder| folder.join("python3"));
    let found = found.into_iter().find(|program| program.is_file());
    if found.is_none() {
        eprintln!("skipped: there is no python3");
    }
    found
}

/// The same function as a process; `None`, aloud, without Python.
fn processes(folder: &Folder) -> Option<Vec<Function>> {
    let executable = Executable {
        program: python()?,
        arguments: vec![folder.write("count.py", PROGRAM).display().to_string()],
        folder: folder.path().to_owned(),
        world_clock: None,
    };
    let all = ["Front", "Count", "Hang"];
    Some(all.map(|id| Function::lambda(id, executable.clone())).into())
}

struct Tried {
    folder: Folder,
    runner: Runner,
}

impl Tried {
    fn new(functions: impl FnOnce(&Folder) -> Option<Vec<Function>>) -> Option<Self> {
        let folder = Folder::new();
        let functions = functions(&folder)?;
        let (template, settings) = (testing::template(TEMPLATE), testing::settings(SETTINGS));
        let backend = Backend::new(functions, template, settings, folder.path()).unwrap();
        Some(Self { folder, runner: Runner::new(backend, Options::default()) })
    }

    fn in_process() -> Self {
        Self::new(|_| Some(in_process())).unwrap()
    }

    async fn run(&self, steps: &str) -> ScenarioResult {
        let text = format!("name: test\nsteps:\n{steps}");
        let scenarios = read(&[self.folder.write("scenario.yaml", text)]);
        let scenarios = scenarios.unwrap_or_else(|errors| panic!("{}", errors[0]));
        let errors = self.runner.check(&scenarios);
        assert!(errors.is_empty(), "{}", errors[0]);
        self.runner.run(&scenarios[0]).await
    }

    fn wrong(&self, step: &str) -> String {
        wrong(&self.folder, &self.runner, step)
    }
}

fn wrong(folder: &Folder, runner: &Runner, step: &str) -> String {
    let file = folder.write("scenario.yaml", format!("name: test\nsteps:\n  - {step}\n"));
    let errors = match read(&[file]) {
        Ok(scenarios) => runner.check(&scenarios),
        Err(errors) => errors,
    };
    errors.iter().map(ToString::to_string).collect()
}

const RESULTS: &str = r#"
  - invoke: Count
    event: { Records: [{ body: "{{ customer }}" }, { body: b }] }
    result: { count: 2, event: { Records: { contains: { body: "+15552340001" } } } }
    save: { n: result.count }
  - invoke: Count
    event: { file: events/one.json }
    result: { count: 1, event: { Records: [{ n: "2 of +15552340001" }] } }
  - invoke: Count
    result: { count: 0, event: { equals: {} } }
  - together:
      - { invoke: Count, event: { Records: [1] }, result: { count: 1 } }
      - { invoke: Count, event: { Records: [1, 2] }, result: { count: 2 } }
  - expect: { calls: { invocation.Count: 5 } }
"#;

async fn results_are_compared(tried: &Tried) {
    tried
        .folder
        .write("events/one.json", r#"{ "Records": [{ "n": "{{ n }} of {{ customer }}" }] }"#);
    let result = tried.run(RESULTS).await;
    assert_passed(&result);
    let mut reader =
        conversation::Reader::new(result.people.clone(), conversation::Detail::Everything);
    let lines = reader.lines(&result.journal);
    assert!(lines.iter().any(|line| line.text == "Count by the scenario"), "{lines:?}");
}

async fn a_timeout_is_an_error_as_on_aws(tried: &Tried) {
    let step = "  - invoke: Hang\n    event: { hang: true }\n    error: { errorType: Sandbox.Timedout, errorMessage: { contains: \"timed out after 1.00 seconds\" } }\n";
    assert_passed(&tried.run(step).await);
}

#[tokio::test]
async fn a_routers_result_is_compared() {
    results_are_compared(&Tried::in_process()).await;
}

#[tokio::test]
async fn a_processs_result_is_compared() {
    let Some(tried) = Tried::new(processes) else { return };
    results_are_compared(&tried).await;
}

#[tokio::test]
async fn a_router_times_out() {
    a_timeout_is_an_error_as_on_aws(&Tried::in_process()).await;
}

#[tokio::test]
async fn a_process_fails_and_times_out_as_the_runtime_api_says() {
    let Some(tried) = Tried::new(processes) else { return };
    let step = "  - invoke: Count\n    event: { fail: yes it does }\n    error: { errorType: KeyError, errorMessage: \"yes it does: none\" }\n";
    assert_passed(&tried.run(step).await);
    a_timeout_is_an_error_as_on_aws(&tried).await;
}

#[tokio::test]
async fn a_wrong_result_shows_what_the_function_wrote() {
    let Some(tried) = Tried::new(processes) else { return };
    let result = failed(
        tried
            .run("  - invoke: Count\n    event: { Records: [] }\n    result: { count: 7 }\n")
            .await,
    );
    let report = result.to_string();
    for part in [
        "the result of Count is not what was expected",
        "count",
        "Count wrote: an event with ['Records']",
        "step 1, invoke Count",
    ] {
        assert!(report.contains(part), "{part}: {report}");
    }
    let result = failed(tried.run("  - invoke: Count\n    event: { fail: x }\n").await);
    let report = result.to_string();
    for part in ["Count failed", "KeyError: x: none", "an event with ['fail']"] {
        assert!(report.contains(part), "{part}: {report}");
    }
    let right = failed(tried.run("  - invoke: Count\n    error: { errorType: KeyError }\n").await);
    assert_eq!(right.problems[0].summary, "Count did not fail");
}

#[tokio::test]
async fn a_router_without_the_route_is_told_of_it() {
    let result = failed(Tried::in_process().run("  - invoke: Front\n").await);
    let report = result.to_string();
    for part in ["Front failed", "404", "POST /events", "--target lambda"] {
        assert!(report.contains(part), "{part}: {report}");
    }
}

#[test]
fn what_is_wrong_with_an_invocation_is_told_before_it_runs() {
    let tried = Tried::in_process();
    tried.folder.write("broken.json", "{ \"a\": ");
    for (step, says) in [
        ("invoke: Cuont", "unknown function 'Cuont'; did you mean 'Count'?"),
        ("{ invoke: Count, evnt: {} }", "did you mean `event`?"),
        ("{ invoke: Count, event: { file: missing.json } }", "the event cannot be read"),
        ("{ invoke: Count, event: { file: broken.json } }", "the event cannot be read"),
        ("{ invoke: Count, event: { file: 7 } }", "`file` is the path of a file"),
        ("{ invoke: Count, error: {} }", "say errorType, errorMessage or both"),
        ("{ invoke: Count, error: { errorTyp: a } }", "did you mean `errorType`?"),
        ("{ invoke: Count, result: 1, error: { errorType: a } }", "returns a `result` or fails"),
        ("{ invoke: Count, save: { a: json.b } }", "a path begins with result or error"),
        ("{ invoke: Count, event: { a: '{{ nobody }}' } }", "unknown name 'nobody'"),
    ] {
        let found = tried.wrong(step);
        assert!(found.contains(says) && found.contains('^'), "{step}: {found}");
    }
    assert_eq!(tried.wrong("{ invoke: Count, event: { file: '{{ customer }}.json' } }"), "");
}

#[test]
fn a_backend_at_a_url_has_no_function_to_invoke() {
    let folder = Folder::new();
    let url = "http://127.0.0.1:9/sms".parse().unwrap();
    let (template, settings) = (testing::template(TEMPLATE), testing::settings(SETTINGS));
    let backend = Backend::external(url, template, settings, folder.path()).unwrap();
    let runner = Runner::new(backend, Options::default());
    for step in ["invoke: Count", "together: [{ invoke: Count }, { customer: a }]"] {
        let found = wrong(&folder, &runner, step);
        assert!(
            found.contains("a backend at a URL has no functions") && found.contains('^'),
            "{found}"
        );
    }
}
