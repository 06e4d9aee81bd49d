//! Trials: a call fails, the steps go on unjudged, and sentences are judged in the end.

use std::sync::Arc;

use super::support::Project;
use crate::{
    Status,
    invariants::Invariants,
    sweep::{Injection, Matrix, Trial, TrialEnd, injections},
};
use rehearse_core::yaml::Source;

const STORE: &str = "
name: test
steps:
  - customer: store a one
    reply: Stored a
  - expect: { tables: { Notes: [{ id: a, value: one }] } }
";

const TOLD: &str = r#"
environment: { GREETING: short }
settle: 1m
always:
  - sentence: Who is told "Stored" has it
    each: { texts: out, find: 'Stored (?<id>\w+)' }
    there_is: { rows_ever: Notes, where: { id: "{{ it.id }}" } }
  - sentence: Every text gets an answer
    each: { texts: in }
    there_is: { texts: out, where: { to: "{{ it.from }}" } }
"#;

fn sentences() -> Arc<Invariants> {
    Arc::new(Invariants::parse(Source::new("always.yaml", TOLD)).unwrap())
}

async fn trial(scenario: &str, injection: Option<&str>) -> Trial {
    let project = Project::new();
    let scenarios = project.scenarios(scenario);
    let injection: Option<Injection> = injection.map(|text| text.parse().unwrap());
    project.runner().trial(&scenarios[0], &sentences(), injection).await
}

fn violated(trial: &Trial) -> Vec<&str> {
    match &trial.end {
        TrialEnd::Violated(violations) => violations.iter().map(|v| v.sentence.as_str()).collect(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn sentences_hold_when_nothing_fails() {
    let trial = trial(STORE, None).await;
    assert_eq!(trial.end, TrialEnd::Held);
    assert_eq!(trial.result.status, Status::Passed);
}

#[tokio::test]
async fn a_write_that_failed_and_is_told_is_found_with_the_command_that_finds_it_again() {
    let trial = trial(STORE, Some("error@dynamodb.PutItem#1")).await;
    assert_eq!(violated(&trial), [r#"Who is told "Stored" has it"#]);
    assert_eq!(trial.result.status, Status::Failed);
    let replay = &trial.result.replay;
    assert!(replay.ends_with("--inject error@dynamodb.PutItem#1"), "{replay}");
}

#[tokio::test]
async fn a_write_whose_response_is_lost_is_there() {
    let trial = trial(STORE, Some("cut-after@dynamodb.PutItem#1")).await;
    assert_eq!(trial.end, TrialEnd::Held);
}

#[tokio::test]
async fn a_call_that_is_never_made_proves_nothing() {
    let trial = trial(STORE, Some("error@dynamodb.PutItem#2")).await;
    assert_eq!(trial.end, TrialEnd::NotReached);
    assert_eq!(trial.result.status, Status::Broken);
}

#[tokio::test]
async fn a_function_crashes_and_its_customer_is_answered_by_the_repeat() {
    // The fallback URL is the same function.
    let trial = trial(STORE, Some("crash-before@dynamodb.PutItem#1@Notebook")).await;
    assert_eq!(trial.end, TrialEnd::Held);
    let attempts = trial.result.journal.iter().filter(|e| e.name.starts_with("webhook.")).count();
    assert!(attempts > 1, "Twilio came again");
}

#[tokio::test]
async fn a_text_is_delivered_twice() {
    let trial = trial(STORE, Some("duplicate@webhook.sms#1")).await;
    let names = trial.result.journal.iter().map(|exchange| exchange.name.as_str());
    assert_eq!(names.filter(|name| *name == "webhook.sms").count(), 2);
}

#[tokio::test]
async fn steps_go_on_after_one_that_is_not_as_it_was() {
    // The second step expects a row that the failure prevents, and the third texts again.
    let steps = format!("{STORE}  - customer: greet\n    reply: hello\n");
    let trial = trial(&steps, Some("error@dynamodb.PutItem#1")).await;
    let greeted = trial.result.journal.iter().filter(|e| e.name == "sms.sent").count();
    assert_eq!(greeted, 2);
}

#[tokio::test]
async fn functions_get_the_variables_of_the_sentences_unless_the_scenario_has_its_own() {
    let body = |trial: &Trial| {
        let sent = trial.result.journal.iter().find(|e| e.name == "sms.sent").unwrap();
        serde_json::to_value(&sent.detail).unwrap()["body"].clone()
    };
    let greet = "  - customer: greet\n    reply: hello\n";
    let other = trial(&format!("name: a\nsteps:\n{greet}"), None).await;
    assert_eq!(body(&other), "short");
    let own = format!("name: a\ngiven: {{ env: {{ GREETING: own }} }}\nsteps:\n{greet}");
    assert_eq!(body(&trial(&own, None).await), "own");
}

#[tokio::test]
async fn a_round_answers_although_it_expects_another_request() {
    let ask = "
name: test
steps:
  - customer: ask me
    model: [{ sees: { instructions: nothing of the kind }, say: Fine }]
    reply: Fine
";
    let trial = trial(ask, None).await;
    assert_eq!(trial.end, TrialEnd::Held);
    let said = trial.result.journal.iter().any(|e| format!("{:?}", e.detail).contains("Fine"));
    assert!(said);
}

#[tokio::test]
async fn a_whole_sweep_counts_by_exchange_and_failure() {
    let project = Project::new();
    let scenarios = project.scenarios(STORE);
    let (runner, sentences) = (project.runner(), sentences());
    let baseline = runner.trial(&scenarios[0], &sentences, None).await;
    let listing = injections(&baseline.result.journal[..baseline.of_steps], true);
    let mut matrix = Matrix::default();
    matrix.add_scenario(&listing);
    for injection in &listing.injections {
        let trial = runner.trial(&scenarios[0], &sentences, Some(injection.clone())).await;
        matrix.add(injection, &trial, trial.result.replay.clone());
    }
    assert_eq!(matrix.trials() + matrix.not_reached(), listing.injections.len());
    let mut red: Vec<&str> = matrix.red().map(|red| red.injection.as_str()).collect();
    red.sort_unstable();
    // The notebook says "Stored" without looking at the database's answer.
    assert_eq!(
        red,
        ["conflict", "error", "throttled"].map(|kind| format!("{kind}@dynamodb.PutItem#1"))
    );
}
