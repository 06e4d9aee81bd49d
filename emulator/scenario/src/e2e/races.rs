//! Races that happen every time, and databases that fail in their own ways.

use super::support::{failed, fails, passes, run};

const RACE: &str = r#"
  - together:
      - request: POST /notes
        json: { id: a, value: first }
      - request: POST /notes
        json: { id: a, value: second }
"#;

#[tokio::test]
async fn every_schedule_is_run_until_one_fails_and_its_seed_is_told() {
    // The one that goes last has the last word: in the first order that is the second.
    let last = "  - expect: { tables: { Notes: [{ id: a, value: second }] } }\n";
    let meet = "    meet: dynamodb.PutItem\n";
    passes(&format!("{RACE}{meet}    schedules: 1\n{last}")).await;
    let report = run(&format!("{RACE}{meet}    schedules: 2\n{last}")).await;
    assert!(report.replay.ends_with(" --seed 1"), "{}", report.replay);
    assert_eq!(failed(report).step_number(), Some("2"));
    let either = "  - expect: { tables: { Notes: [{ id: a }] }, calls: { dynamodb.PutItem: 2 } }\n";
    passes(&format!("{RACE}{meet}    schedules: 4\n{either}")).await;
}

#[tokio::test]
async fn a_step_that_never_comes_holds_nobody_up_and_is_told() {
    let failure = fails(
        r#"
  - together:
      - request: POST /notes
        json: { id: a, value: one }
        response: { status: 201 }
      - request: GET /notes?id=a
    meet: { on: dynamodb.PutItem, table: Notes }
"#,
    )
    .await;
    let problem = &failure.problems[0];
    assert_eq!(problem.summary, "the steps did not meet at dynamodb.PutItem");
    assert!(problem.actual.as_ref().unwrap().starts_with("1, and a step"));
    assert_eq!(problem.location.as_ref().unwrap().line, 9);
    assert_eq!(failure.problems.len(), 1, "the write was let go: {failure:#?}");
}

#[tokio::test]
async fn a_stale_read_does_not_see_what_was_just_written() {
    passes(
        r#"
  - faults: [{ on: dynamodb.GetItem, fail: stale, times: 1 }]
  - request: POST /notes
    json: { id: a, value: one }
  - request: GET /notes?id=a
    response: { status: 404 }
  - request: GET /notes?id=a
    response: { status: 200 }
  - expect: { tables: { Notes: [{ id: a }] } }
"#,
    )
    .await;
}

#[tokio::test]
async fn a_fault_on_a_row_that_is_never_touched_is_told() {
    let failure = fails(
        r#"
  - faults: [{ on: dynamodb.PutItem, fail: cut-before, table: Notes, key: { id: "{{ 'b' }}" } }]
  - request: POST /notes
    json: { id: a, value: one }
"#,
    )
    .await;
    assert_eq!(failure.problems[0].summary, "the fault on dynamodb.PutItem was never injected");
    passes(
        r#"
  - faults: [{ on: dynamodb.PutItem, fail: cut-before, key: { id: b }, call: 2 }]
  - request: POST /notes
    json: { id: b, value: one }
  - request: POST /notes
    json: { id: a, value: one }
  - request: POST /notes
    json: { id: b, value: two }
  - expect: { tables: { Notes: { where: { value: two }, count: 0 } } }
"#,
    )
    .await;
}

#[tokio::test]
async fn a_text_is_repeated_by_several_people_at_the_same_time() {
    passes(
        r#"
  - together:
      - customer: "Ho from {{ sender }}"
        repeat: { from: [customer, other] }
    replies:
      exactly:
        - { to: customer, equals: "You said: Ho from customer" }
        - { to: other, equals: "You said: Ho from other" }
  - expect: { calls: { webhook.sms: 2 } }
"#,
    )
    .await;
}

#[test]
fn what_cannot_be_repeated_is_told() {
    for (steps, says) in [
        (
            "  - { customer: Hi, repeat: { from: [customer, other] } }",
            "is for the steps of 'together'",
        ),
        ("  - together: [{ customer: Hi, repeat: { from: [customer] } }]", "at least two people"),
        ("  - together: [{ customer: Hi, repeat: { from: [other, other] } }]", "texts already"),
        (
            "  - together: [{ customer: Hi, from: other, repeat: { from: [customer, other] } }]",
            "not both",
        ),
    ] {
        let error = crate::Scenario::parse(&format!("name: a\nsteps:\n{steps}\n")).unwrap_err();
        assert!(error.to_string().contains(says), "{steps}: {error}");
    }
    let project = super::support::Project::new();
    let unknown =
        "name: a\nsteps:\n  - together: [{ customer: Hi, repeat: { from: [customer, othr] } }]\n";
    let errors = project.wrong(unknown);
    assert!(errors.len() == 1 && errors[0].contains("did you mean 'other'?"), "{errors:?}");
}
