//! What fails, and how it is told.

use super::support::{Project, environment_failure, fails, run};
use crate::{ScenarioResult, Status};

/// The place and summary of a failure's problems.
fn told(failure: &ScenarioResult) -> Vec<String> {
    failure
        .problems
        .iter()
        .map(|problem| {
            let place = problem.location.as_ref().map(|at| format!("{}:{}", at.line, at.column));
            format!("{} {}", place.unwrap_or_default(), problem.summary)
        })
        .collect()
}

#[tokio::test]
async fn another_text_than_expected() {
    let failure = fails("  - customer: Hi\n  - customer: Ho\n    reply: Hello\n").await;
    let step = failure.step.as_ref().unwrap();
    assert_eq!((step.number.as_str(), step.title.as_str()), ("2", "customer: Ho"));
    assert_eq!(told(&failure), ["5:12 the text to customer is not what was expected"]);
    assert_eq!(failure.problems[0].expected.as_deref(), Some("Hello"));
    assert_eq!(failure.problems[0].actual.as_deref(), Some("You said: Ho"));
}

#[tokio::test]
async fn a_model_that_is_not_scripted_is_not_asked() {
    let failure = fails("  - customer: ask me\n    reply: The model is down\n").await;
    assert_eq!(failure.problems.len(), 1, "{failure:#?}");
    assert_eq!(failure.problems[0].location.as_ref().unwrap().line, 3);
    assert!(failure.problems[0].actual.as_ref().unwrap().contains("ask me"), "{failure:#?}");
}

#[tokio::test]
async fn a_round_that_is_never_reached_is_told_with_its_place() {
    let failure = fails(
        "  - customer: hello\n    model:\n      - call: [{ save_note: { id: a, value: b } }]\n      - say: never\n",
    )
    .await;
    let told = told(&failure);
    assert!(told.iter().any(|t| t.starts_with("5:9 model round 1:")), "{told:?}");
}

#[tokio::test]
async fn a_request_that_a_round_does_not_expect_is_told_with_its_place() {
    let failure = fails(
        "  - customer: ask me\n    model:\n      - sees: { instructions: [You sell shoes] }\n        say: never\n",
    )
    .await;
    let told = told(&failure);
    assert!(told.len() == 1 && told[0].starts_with("5:9 model round 1:"), "{told:?}");
    assert!(format!("{:?}", failure.problems).contains("You sell shoes"), "{failure:#?}");
}

#[tokio::test]
async fn a_webhook_that_fails_unmentioned() {
    let failure = fails("  - customer: panic\n").await;
    assert_eq!(told(&failure), ["3:5 the webhook failed; Twilio sends nothing then"]);
    let notes = failure.problems[0].notes.join("\n");
    assert!(notes.contains("Notebook: the function panicked: on demand"), "{notes}");
}

#[tokio::test]
async fn attempts_that_went_otherwise() {
    let failure =
        fails("  - customer: hello\n    deliveries: [{ answer: 500 }, { answer: 200 }]\n").await;
    assert_eq!(
        told(&failure),
        [
            "4:18 the answer of delivery 1 is not what was expected",
            "4:17 the webhook was called once instead of 2 times"
        ]
    );
}

#[tokio::test]
async fn a_response_that_is_otherwise() {
    let failure = fails(
        "  - request: GET /notes?id=x\n    response: { status: 200, json: { value: a } }\n    save: { v: json.value }\n",
    )
    .await;
    assert_eq!(
        told(&failure),
        [
            "4:25 the response's status is not what was expected",
            "4:36 the response's JSON is not what was expected",
            "5:16 the response has nothing at json.value to save as v"
        ]
    );
    assert_eq!(failure.problems[0].notes, [r#"the body: {"message":"no such note"}"#]);
    assert_eq!(failure.problems[1].mismatches[0].path, "value");
}

#[tokio::test]
async fn rows_calls_and_cost_that_are_otherwise() {
    let failure = fails(
        r#"  - customer: "store a b"
  - expect:
      tables:
        Notes: [{ id: a, value: c }]
      sms: none
      calls: { dynamodb.BatchWriteItem: 1 }
      cost: { segments: 0 }
"#,
    )
    .await;
    assert_eq!(
        told(&failure),
        [
            "6:17 a new or changed row of Notes differs in value",
            "7:12 silence was expected, but 1 text arrived",
            "8:41 dynamodb.BatchWriteItem: expected 1, got 0",
            "9:25 segments: expected 0, got 1",
        ]
    );
    assert_eq!(failure.problems[2].notes, ["there were dynamodb.PutItem"]);
}

#[tokio::test]
async fn a_fault_that_is_never_injected() {
    let failure =
        fails("  - faults: [{ on: openai.responses, fail: 503, times: 1 }]\n  - customer: hello\n")
            .await;
    assert_eq!(failure.step_number(), Some("1"));
    assert_eq!(told(&failure), ["3:14 the fault on openai.responses was never injected"]);
}

#[tokio::test]
async fn a_scenario_that_only_running_finds_wrong() {
    for (steps, says) in [
        (
            "  - customer: '{{ ref }}'\n  - request: GET /notes\n    save: { ref: status }\n",
            "not defined",
        ),
        ("  - at: 2020-01-01T00:00:00Z\n", "time does not go back"),
        ("  - at: '{{ day(1) }}'\n", "not a moment"),
        ("  - request: GET /notes\n    headers: { 'a b': c }\n", "not a header field"),
    ] {
        let report = run(steps).await;
        assert_eq!(report.status, Status::Broken, "{:?}", report.problems);
        assert!(report.problems[0].summary.contains(says), "{:?}", report.problems);
        assert!(report.problems[0].location.is_some(), "{:?}", report.problems);
    }
}

#[test]
fn what_a_backend_does_not_know_is_found_before_anything_runs() {
    let project = Project::new();
    for (head, place, says) in [
        ("given: { tables: { Notes: [{ value: x }] } }", "2:28", "key attribute `id`"),
        (
            "given: { tables: { Notes: [{ id: a }, { id: a }] } }",
            "2:39",
            "key \"a\" of Notes is given twice",
        ),
        ("given: { tables: { Notes: [{ id: a, n: 9007199254740993.5 }] } }", "2:40", "more digits"),
        ("given: { tables: { Notes: [{ id: 1 }] } }", "2:34", "must be a string"),
        ("given: { tables: { Note: [] } }", "2:20", "did you mean 'Notes'?"),
        ("given: { fixtures: [shelv] }", "2:21", "did you mean 'shelf'?"),
        ("given: { env: { A: '{{ custmer }}' } }", "2:20", "did you mean 'customer'?"),
    ] {
        let errors = project.wrong(&format!("name: a\n{head}\nsteps: [{{ customer: Hi }}]\n"));
        assert_eq!(errors.len(), 1, "{errors:?}");
        assert!(errors[0].contains(&format!("scenario.yaml:{place}")), "{}", errors[0]);
        assert!(errors[0].contains(says), "{}", errors[0]);
    }
}

#[test]
fn a_fixture_that_does_not_fit_is_found_before_anything_runs() {
    let project = Project::new();
    project.write("rows/shelf.yaml", "Notes:\n  - { id: 3 }\n");
    let errors =
        project.wrong("name: a\ngiven: { fixtures: [shelf] }\nsteps: [{ customer: Hi }]\n");
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert!(errors[0].contains("shelf.yaml:2:"), "{}", errors[0]);
}

#[tokio::test]
async fn a_function_that_does_not_start_is_the_environment() {
    let project = Project::new();
    let text = "name: a\nsteps: [{ customer: Hi }]";
    let scenario = &project.scenarios(text)[0];
    let report = project.without("OPENAI_BASE_URL").run(scenario).await;
    let message = environment_failure(&report);
    assert_eq!(message, "failed to start the function Notebook: OPENAI_BASE_URL is not set");
}

#[tokio::test]
async fn a_scenario_that_does_not_end_is_stopped() {
    let project = Project::new();
    let scenario = &project.scenarios("name: a\nsteps: [{ customer: slow }]")[0];
    let report = project.limited(std::time::Duration::from_millis(1)).run(scenario).await;
    let message = environment_failure(&report);
    assert!(message.contains("still running after 1ms"), "{message}");
}

/// The rows for stale reads cannot be copied from a table that is gone. The backend gets an error,
/// as it might from DynamoDB, but the scenario must not blame the backend.
#[tokio::test]
async fn a_failure_of_the_emulator_is_the_environment() {
    let steps = "
  - { customer: destroy, reply: Destroyed }
  - faults: [{ on: dynamodb.*, fail: stale }]
  - { customer: store a b, reply: Another reply }
";
    let report = run(steps).await;
    let message = environment_failure(&report);
    let expected = "the emulator failed in dynamodb.PutItem: the copy of the rows for stale reads \
                    failed: failed to read the rows of table notes";
    assert!(message.starts_with(expected), "{message}");
}

#[tokio::test]
async fn a_model_that_was_asked_without_a_script_is_told_first_with_what_to_add() {
    let failure = fails("  - customer: ask me\n    reply: Another\n").await;
    assert_eq!(failure.problems.len(), 2, "{failure:#?}");
    let advice = &failure.problems[0].notes[0];
    assert!(advice.contains(r#"model: [{ say: "..." }]"#), "{advice}");
    assert_eq!(told(&failure)[1], "4:12 the text to customer is not what was expected");
}

#[test]
fn a_request_that_no_route_takes_is_found_before_anything_runs() {
    let project = Project::new();
    let wrong = |step: &str| project.wrong(&format!("name: a\nsteps:\n  - {step}\n"));
    for (step, says) in [
        ("request: GET /note", "unknown route 'GET /note'; did you mean 'GET /notes'?"),
        ("request: PUT /notes", "unknown route 'PUT /notes'"),
        ("{ request: POST /note?id=a, response: { status: 201 } }", "did you mean 'POST /notes'?"),
        (
            "together: [{ request: GET /nots }, { request: GET /notes }]",
            "did you mean 'GET /notes'?",
        ),
    ] {
        let errors = wrong(step);
        assert_eq!(errors.len(), 1, "{step}: {errors:?}");
        assert!(
            errors[0].contains(says) && errors[0].contains("scenario.yaml:3:"),
            "{}",
            errors[0]
        );
    }
    for step in [
        "request: GET /notes?id={{ customer }}",
        "{ request: GET /nowhere, response: { status: 404 } }",
        "{ request: GET /nowhere, response: { status: { one_of: [403, 404] } } }",
        "{ request: GET /nowhere, headers: { Host: other.example.com } }",
    ] {
        assert_eq!(wrong(step), [""; 0], "{step}");
    }
}

#[test]
fn a_filter_that_templates_do_not_have_is_found_before_anything_runs() {
    let project = Project::new();
    for (text, says) in [
        ("{{ shop | uppr }}", "unknown filter 'uppr'; did you mean 'upper'?"),
        ("{% if false %}{{ shop|lenght }}{% endif %}", "did you mean 'length'?"),
    ] {
        let errors = project.wrong(&format!("name: a\nsteps:\n  - customer: \"{text}\"\n"));
        assert_eq!(errors.len(), 1, "{text}: {errors:?}");
        assert!(errors[0].contains(says), "{}", errors[0]);
    }
    let fine = "name: a\nsteps:\n  - customer: \"{{ shop | replace('+', '|x') | upper }}\"\n";
    assert_eq!(project.wrong(fine), [""; 0]);
}

#[test]
fn a_picture_is_a_url() {
    let of = |url: &str| {
        let text = format!("name: a\nsteps:\n  - customer: Hi\n    media: [\"{url}\"]\n");
        crate::Scenario::parse(&text).err().map(|error| error.to_string())
    };
    for wrong in ["notaurl", "example.com/a.jpg", "ftp://example.com/a.jpg", "https://"] {
        let error = of(wrong).unwrap_or_default();
        assert!(error.contains("is not a URL such as https://example.com/a.jpg"), "{error}");
    }
    assert_eq!(of("https://example.com/a.jpg"), None);
    assert_eq!(of("{{ env.PICTURES }}/a.jpg"), None);
}

#[test]
fn defaults_of_the_settings_are_checked() {
    let project = Project::new();
    let runner = project.with(|settings| {
        settings.defaults.now = Some("tomorrow".into());
        settings.defaults.fixtures = vec!["shelv".into()];
    });
    let errors = runner.check(&project.parsed("name: a\nsteps: [{ customer: Hi }]\n"));
    let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
    assert!(errors.iter().any(|e| e.starts_with("rehearse.toml: [defaults] now: ")), "{errors:?}");
    assert!(errors.iter().any(|e| e.contains("did you mean 'shelf'?")), "{errors:?}");
}

#[tokio::test]
async fn what_no_fake_reproduces_is_named_with_what_to_do() {
    let result = fails("  - customer: elsewhere Hello\n    reply: Goodbye\n").await;
    let report = result.to_string();
    for part in [
        "rehearse does not reproduce POST /v1/audio/transcriptions of OpenAI",
        "OpenAI has no POST /chat/completions: a base URL ends with /v1",
        "Calls.json of Twilio: give the client",
    ] {
        assert!(report.contains(part), "{part}: {report}");
    }
    let others = ["openai.unknown", "openai.unknown", "twilio.unknown"];
    let found: Vec<&str> = result
        .journal
        .iter()
        .filter(|exchange| exchange.name.ends_with(".unknown"))
        .map(|exchange| exchange.name.as_str())
        .collect();
    assert_eq!(found, others);
}
