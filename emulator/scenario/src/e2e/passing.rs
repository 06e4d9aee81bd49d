//! What works: every kind of step.

use super::support::{Project, SETTINGS, assert_passed, passes, run, run_file};

#[tokio::test]
async fn a_text_is_answered() {
    passes(
        r#"
  - customer: "hello there"
    reply: "You said: hello there"
  - customer: "twice a"
    from: other
    replies: ["a", { equals: A, via: twiml, segments: 1, encoding: GSM-7 }]
  - customer: silence
    reply: none
  - customer: null
    media: ["https://example.com/a.png", "https://example.com/b.jpg"]
    reply: { matches: "^2 pict" }
    deliveries: [{ answer: 200, error: { absent: true } }]
"#,
    )
    .await;
}

#[tokio::test]
async fn the_model_calls_tools_and_what_it_saw_is_kept() {
    passes(
        r#"
  - customer: "ask me to note milk"
    model:
      - sees: { instructions: ["You keep notes"], tools: [save_note] }
        call: [{ save_note: { id: milk, value: two litres } }]
      - sees: { results: [{ success: true }] }
        save: { ref: "results[0].ref" }
        say: "Saved as {{ ref }}"
    reply: "Saved as {{ ref }}"
  - customer: "ask again"
    model: [{ say: "Fine" }]
    reply: Fine
  - expect:
      tables: { Notes: [{ id: milk, value: { contains: litres } }] }
      calls: { openai.responses: 3, dynamodb.PutItem: 1, twilio.messages.create: 0 }
      cost: { model_calls: 3, segments: 2 }
"#,
    )
    .await;
}

#[tokio::test]
async fn the_api_is_called_and_answers_are_kept() {
    passes(
        r#"
  - request: POST /notes
    json: { id: a, value: "one {{ shop }}" }
    response: { status: 201, headers: { X-Kind: note }, json: { id: a, tags: [application/json] } }
    save: { id: json.id, kind: "json.tags[0]" }
  - request: POST /notes
    form: { id: "{{ id }}2", value: two }
    response: { status: 201, text: { contains: urlencoded } }
  - request: GET /notes?id={{ id }}
    response: { json: { value: { contains: "+1555" } } }
  - request: GET /notes?id=nothing
    response: { status: 404, json: { message: { any: string } } }
  - request: POST /notes
    body: "id=b&value=raw"
    headers: { Content-Type: application/x-www-form-urlencoded }
    response: { status: 201 }
  - customer: "hello {{ kind }}"
    reply: "You said: hello application/json"
  - expect:
      tables: { Notes: [{ id: a }, { id: a2 }, { id: b, value: raw }] }
      calls: { "http.POST /notes": 3 }
"#,
    )
    .await;
}

#[tokio::test]
async fn tables_start_with_what_is_given() {
    let report = run_file(
        r#"
name: rows
now: 2026-02-10T23:10:00-05:00
given:
  fixtures: [shelf]
  tables: { Notes: [{ id: "{{ day(1) }}", value: mine, at: 2 }] }
  env: { GREETING: "Good day, {{ owner }}" }
steps:
  - request: GET /notes?id=2026-02-11
    response: { json: { value: mine } }
  - expect: { tables: { Notes: unchanged } }
  - customer: "forget old"
  - customer: "store new x"
  - customer: greet
    reply: "Good day, +15552340009"
  - expect:
      tables:
        Notes: [{ id: new, at: 1770783000000 }]
  - expect: { tables: { Notes: { where: { id: old }, count: 0 } } }
  - expect: { tables: { Notes: { count: { at_most: 2 }, rows: [{ id: new }, { value: mine }] } } }
"#,
    )
    .await;
    assert_passed(&report);
}

#[tokio::test]
async fn business_time_moves_by_steps_only() {
    let report = run_file(
        r#"
name: time
now: 2026-02-10T15:00:00-05:00
steps:
  - customer: when
    reply: "1770753600000"
  - wait: 10m
  - customer: when
    reply: "1770754200000"
  - at: "{{ day(1) }}T09:00:00-05:00"
  - customer: when
    reply: "1770818400000"
"#,
    )
    .await;
    assert_passed(&report);
}

#[tokio::test]
async fn the_owner_is_alerted_through_the_api() {
    passes(
        r#"
  - customer: "alert fire"
    replies: { exactly: [Alerted, { to: owner, via: rest, equals: fire }] }
  - customer: "alert water"
    reply: Alerted
  - expect:
      sms: { exactly: [Alerted, Alerted, { to: owner, equals: fire }, { to: owner, equals: water }] }
      calls: { twilio.messages.create: 2 }
"#,
    )
    .await;
}

#[tokio::test]
async fn providers_fail_as_told_and_only_then() {
    passes(
        r#"
  - faults:
      - { on: twilio.messages.create, fail: { status: 400, code: 21610 }, times: 1 }
      - { on: openai.responses, fail: 503, times: 1, skip: 1 }
  - customer: "alert fire"
    reply: "Not alerted: 21610"
  - customer: "alert water"
    replies: { exactly: [Alerted, { to: owner }] }
  - customer: "ask one"
    model: [{ say: One }]
    reply: One
  - customer: "ask two"
    reply: "The model is down"
"#,
    )
    .await;
}

#[tokio::test]
async fn steps_run_together() {
    passes(
        r#"
  - together:
      - customer: "slow one"
        reply: one
      - customer: "slow two"
        from: other
      - request: GET /notes?id=x
        response: { status: 404 }
    replies: { exactly: [one, { to: other, equals: two }] }
"#,
    )
    .await;
}

#[tokio::test]
async fn the_same_webhook_comes_again() {
    let report = run(r#"
  - customer: "store a b"
    duplicate: { times: 2 }
    deliveries: [{ answer: 200 }, { answer: 200 }]
    replies: ["Stored a", "Stored a"]
  - customer: "slow c"
    duplicate: { times: 3, gap: 0s }
    replies: [c, c, c]
  - expect:
      tables: { Notes: [{ id: a }] }
      calls: { webhook.sms: 5, dynamodb.PutItem: 2 }
"#)
    .await;
    assert_passed(&report);
    let slow: Vec<_> = report.journal.iter().filter(|e| e.name == "webhook.sms").skip(2).collect();
    let first_end = slow[0].started_us + slow[0].took_us.unwrap();
    assert!(slow.iter().all(|e| e.started_us < first_end), "they overlap");
}

#[tokio::test]
async fn between_two_deliveries_business_time_passes_and_nobody_waits() {
    let began = std::time::Instant::now();
    let report = run(r#"
  - customer: "store a b"
    duplicate: { times: 3, gap: 1h }
    replies: ["Stored a", "Stored a", "Stored a"]
"#)
    .await;
    assert_passed(&report);
    assert!(began.elapsed() < std::time::Duration::from_secs(60), "the hours are not real");
    let webhooks: Vec<_> = report.journal.iter().filter(|e| e.name == "webhook.sms").collect();
    let gaps: Vec<_> =
        webhooks.windows(2).map(|pair| pair[1].at.duration_since(pair[0].at).as_hours()).collect();
    assert_eq!(gaps, [1, 1]);
}

#[tokio::test]
async fn forged_webhooks_are_one_call_each() {
    for signature in ["missing", "wrong", "other_body"] {
        passes(&format!(
            r#"
  - customer: "store a b"
    signature: {signature}
    deliveries: [{{ answer: 403 }}]
    reply: none
  - expect: {{ tables: {{ Notes: unchanged }} }}
  - customer: "hello"
    reply: {{ any: string }}
"#
        ))
        .await;
    }
}

#[tokio::test]
async fn forged_and_honest_webhooks_come_together() {
    passes(
        r#"
  - together:
      - customer: "store a b"
        signature: wrong
        deliveries: [{ answer: 403 }]
      - customer: "store c d"
        from: other
        signature: missing
        deliveries: [{ answer: 403 }]
      - customer: "store e f"
        from: owner
    replies: [{ to: owner, equals: Stored e }]
  - expect: { tables: { Notes: [{ id: e }] } }
"#,
    )
    .await;
}

#[tokio::test]
async fn a_crash_is_retried_as_the_number_says() {
    let report = run_file(
        r##"
name: retries
given: { twilio: { overrides: "#rc=2&rp=5xx", fallback: none } }
steps:
  - customer: crash
    deliveries: [{ answer: 500, error: 11200 }, { answer: 500 }, { answer: 500 }]
    reply: none
  - customer: panic
    deliveries: [{ answer: 500 }, { answer: 500 }, { answer: 500 }]
"##,
    )
    .await;
    assert_passed(&report);
}

#[tokio::test]
async fn what_is_given_of_the_number_holds_for_its_messaging_service() {
    let project = Project::new();
    let service =
        "[[twilio.services]]\nname = \"a\"\nnumbers = [\"+15552340000\"]\nroute = \"/sms\"\n";
    let services = rehearse_testutils::settings(&format!("{SETTINGS}\n{service}")).twilio.services;
    let runner = project.with(|settings| settings.twilio.services = services);
    let retries = r##"
name: retries
given: { twilio: { overrides: "#rc=2&rp=5xx", fallback: none } }
steps:
  - customer: crash
    deliveries: [{ answer: 500, error: 11200 }, { answer: 500 }, { answer: 500 }]
    reply: none
"##;
    let forged = r##"
name: forged
given: { twilio: { overrides: "#rc=0" } }
steps:
  - customer: crash
    deliveries: [{ answer: 500 }, { answer: 500 }]
    reply: none
  - customer: hello
    signature: wrong
    deliveries: [{ answer: 403 }]
    reply: none
"##;
    for text in [retries, forged] {
        assert_passed(&runner.run(&project.scenarios(text)[0]).await);
    }
}

#[tokio::test]
async fn what_must_always_hold_is_checked_after_every_step() {
    let report = run_file(
        r#"
name: always
always: { cost: { segments: { at_most: 1 } } }
steps:
  - customer: one
  - customer: silence
  - customer: two
"#,
    )
    .await;
    let failure = super::support::failed(report);
    assert_eq!(failure.step_number(), Some("3"));
    assert_eq!(failure.problems[0].summary, "segments: expected at most 1, got 2");
}

#[tokio::test]
async fn every_entry_of_each_is_a_run_of_its_own() {
    let project = Project::new();
    let scenarios = project.scenarios(
        r#"
name: it's each
now: "{{ start }}"
each:
  - { start: "2026-02-10T15:00:00Z", says: a, then: "{{ day(1) }}" }
  - { start: "2026-03-10T15:00:00Z", says: b, then: "{{ day(1) }}" }
steps:
  - customer: "{{ says }} {{ then }}"
    reply: "You said: {{ says }} 2026-02-11"
"#,
    );
    assert_eq!(scenarios.len(), 2);
    let first = project.runner().run(&scenarios[0]).await;
    assert_passed(&first);
    let second = project.runner().clone().with_seed(7).run(&scenarios[1]).await;
    assert!(!second.passed());
    let command = second.replay.split_once("scenario.yaml ").unwrap().1;
    assert_eq!(
        command,
        r"--name 'it'\''s each (start: 2026-03-10T15:00:00Z, says: b, then: {{ day(1) }})' --seed 7"
    );
}

#[tokio::test]
async fn opting_out_silences_the_shop() {
    passes(
        r#"
  - customer: STOP
    replies: [{ via: twilio, contains: unsubscribed }]
  - customer: hello
    reply: none
"#,
    )
    .await;
}

#[tokio::test]
async fn worlds_run_side_by_side() {
    let project = Project::new();
    let scenarios = project.scenarios("name: a\nsteps: [{ customer: Hi, reply: 'You said: Hi' }]");
    let runs = (0..20).map(|_| project.runner().run(&scenarios[0]));
    for report in futures::future::join_all(runs).await {
        assert_passed(&report);
    }
}

#[tokio::test]
async fn what_a_scenario_does_not_say_are_the_defaults_of_the_settings() {
    let project = super::support::Project::new();
    let runner = project.with(|settings| {
        settings.defaults.now = Some("2031-02-10T15:10:00-05:00".into());
        settings.defaults.fixtures = vec!["shelf".into()];
    });
    let steps = |head: &str, rows: &str, day: &str| {
        format!(
            "name: a\n{head}\nsteps:\n  - expect: {{ tables: {{ Notes: {{ count: {rows}, where: {{ id: old }} }} }} }}\n  \
             - customer: \"{{{{ day(0) }}}}\"\n    reply: \"You said: {day}\"\n"
        )
    };
    for text in [
        steps("tags: [a]", "1", "2031-02-10"),
        steps("given: { fixtures: [] }", "0", "2031-02-10"),
        steps("now: 2030-01-01T12:00:00Z", "1", "2030-01-01"),
    ] {
        let scenarios = project.parsed(&text);
        assert!(runner.check(&scenarios).is_empty(), "{text}");
        super::support::assert_passed(&runner.run(&scenarios[0]).await);
    }
}

#[tokio::test]
async fn a_script_that_several_steps_have_is_written_once() {
    passes(
        r#"
  - customer: ask me
    model: &answer
      - say: Yes.
    reply: Yes.
  - customer: ask me again
    model: *answer
    reply: Yes.
"#,
    )
    .await;
}
