//! Against a backend that somebody else started: known by its URL, pointed at one world.

use std::{collections::HashSet, sync::Arc};

use axum::{Extension, Router, response::IntoResponse, routing::get};
use futures::future::join_all;
use jiff::Timestamp;
use lambda_http::request::RequestContext;
use tokio::task::JoinHandle;

use super::{
    backend,
    support::{SETTINGS, TEMPLATE, assert_passed, environment_failure, failed},
};
use crate::{Options, Runner, ScenarioResult, Status, read};
use rehearse_aws::function::Code;
use rehearse_core::journal::ExchangeDetail;
use rehearse_testutils::{self as testing, Folder};
use rehearse_world::{Backend, Bind, World};

/// A notebook that runs by itself, and the runner that knows its URL.
pub(super) struct ExternalBackend {
    folder: Folder,
    runner: Runner,
    server: JoinHandle<()>,
}

impl Drop for ExternalBackend {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl ExternalBackend {
    pub(super) async fn start(path: &str) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}{path}", listener.local_addr().unwrap());
        let folder = Folder::new();
        folder.write("rows/shelf.yaml", "Notes:\n  - { id: old, value: from a file, at: 1 }\n");
        let (template, settings) = (testing::template(TEMPLATE), testing::settings(SETTINGS));
        let backend =
            Backend::external(url.parse().unwrap(), template, settings, folder.path()).unwrap();
        let runner = Runner::new(backend, Options::default());
        let runner = runner.with_shared_world(Bind::Free).await.unwrap();
        let mut environment = world(&runner).environments().values().next().unwrap().clone();
        assert_eq!(environment["PUBLIC_URL"], url.split('?').next().unwrap());
        environment.insert("PUBLIC_URL".into(), url);
        let hang_up = || async {
            let body = futures::stream::iter([Err::<&str, _>(std::io::Error::other("gone"))]);
            axum::body::Body::from_stream(body).into_response()
        };
        let context = RequestContext::ApiGatewayV2(Default::default());
        let function = backend::function();
        let Code::InProcess(build) = function.code() else { unreachable!() };
        let router: Router = build(&environment, &Default::default()).unwrap();
        let router = router.route("/gone", get(hang_up)).layer(Extension(context));
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { folder, runner, server }
    }

    async fn run(&self, text: &str) -> ScenarioResult {
        let scenarios = read(&[self.folder.write("scenario.yaml", text)]).unwrap();
        let errors = self.runner.check(&scenarios);
        assert!(errors.is_empty(), "{}", errors[0]);
        self.runner.run(&scenarios[0]).await
    }

    pub(super) async fn steps(&self, steps: &str) -> ScenarioResult {
        self.run(&format!("name: test\nsteps:\n{steps}")).await
    }
}

fn world(runner: &Runner) -> &Arc<World> {
    runner.world().unwrap()
}

#[tokio::test]
async fn texts_go_to_the_very_url_and_requests_to_its_origin() {
    let external = ExternalBackend::start("/sms?shop=1&name=a%20b").await;
    let report = external
        .steps(
            r#"
  - customer: "ask me to note milk"
    model:
      - call: [{ save_note: { id: milk, value: two } }]
      - say: "Saved"
    reply: Saved
  - customer: "alert soon"
    replies: { exactly: ["Alerted", { to: owner, equals: soon }] }
  - request: GET /notes?id=milk
    response: { status: 200, json: { value: two } }
  - expect:
      tables: { Notes: [{ id: milk, value: two }] }
      calls: { openai.responses: 2, webhook.sms: 2 }
"#,
        )
        .await;
    assert_passed(&report);
    let calls: Vec<(&str, Option<u16>)> = report
        .journal
        .iter()
        .filter(|entry| matches!(entry.detail, ExchangeDetail::Http { .. }))
        .map(|entry| (entry.name.as_str(), entry.outcome.as_ref().unwrap().status))
        .collect();
    assert_eq!(calls, [("http.GET /notes", Some(200))]);
    let url = |entry: &rehearse_core::journal::Exchange| match &entry.detail {
        ExchangeDetail::Webhook { url, .. } => Some(url.clone()),
        _ => None,
    };
    let called = report.journal.iter().find_map(url).unwrap();
    assert!(called.ends_with("/sms?shop=1&name=a%20b"), "{called}");
    assert!(report.replay.starts_with("rehearse run "), "{}", report.replay);
}

#[tokio::test]
async fn every_scenario_finds_tables_texts_scripts_and_faults_as_at_the_start() {
    let external = ExternalBackend::start("/sms").await;
    let first = external
        .run(
            r##"
name: leaves much behind
given:
  fixtures: [shelf]
  twilio: { overrides: "#rc=5&rp=all", fallback: none }
steps:
  - customer: "store a b"
    reply: "Stored a"
  - faults: [{ on: dynamodb.GetItem, fail: 500 }, { on: twilio.messages.create, fail: 500, skip: 9 }]
  - customer: STOP
  - request: GET /notes?id=a
    response: { status: 404 }
  - customer: "ask for what no script expects"
"##,
        )
        .await;
    failed(first);
    let second = external
        .steps(
            r#"
  - expect: { tables: { Notes: { count: 0 } }, calls: { webhook.sms: 0 } }
  - request: GET /notes?id=a
    response: { status: 404 }
  - customer: "alert all"
    replies: { exactly: ["Alerted", { to: owner, equals: all }] }
  - customer: "crash"
    reply: none
    deliveries: [{ answer: 500 }, { answer: 500 }, { answer: 500 }, { answer: 500 }]
"#,
        )
        .await;
    assert_passed(&second);
}

#[tokio::test]
async fn ids_of_texts_are_never_used_again() {
    let external = ExternalBackend::start("/sms").await;
    let mut sids = HashSet::new();
    for _ in 0..3 {
        let report = external.steps("  - customer: \"hello\"\n").await;
        let of = |entry: &rehearse_core::journal::Exchange| match &entry.detail {
            ExchangeDetail::SmsReceived { sid, .. } => Some(sid.clone()),
            _ => None,
        };
        assert!(sids.insert(report.journal.iter().find_map(of).unwrap()), "{sids:?}");
    }
    let other = ExternalBackend::start("/sms").await.steps("  - customer: \"hello\"\n").await;
    assert!(!sids.iter().any(|sid| format!("{:?}", other.journal).contains(sid)));
}

#[tokio::test]
async fn scenarios_that_are_run_at_once_take_turns() {
    let external = ExternalBackend::start("/sms").await;
    let text = "name: NAME\nsteps:\n  - customer: \"store KEY x\"\n    reply: \"Stored KEY\"\n  \
                - customer: \"slow on\"\n    reply: \"on\"\n  \
                - expect: { tables: { Notes: [{ id: KEY }] }, calls: { webhook.sms: 2 } }\n";
    let scenarios: Vec<_> = ["a", "b", "c", "d"]
        .map(|key| {
            let text = text.replace("NAME", key).replace("KEY", key);
            let path = external.folder.write(&format!("{key}.yaml"), text);
            read(&[path]).unwrap().remove(0)
        })
        .into();
    for report in join_all(scenarios.iter().map(|scenario| external.runner.run(scenario))).await {
        assert_passed(&report);
    }
}

#[tokio::test]
async fn time_is_the_machines() {
    let external = ExternalBackend::start("/sms").await;
    let today = || Timestamp::now().to_string()[..10].to_owned();
    let before = today();
    let report = external
        .steps("  - customer: \"{{ day(0) }}\"\n    reply: \"You said: {{ day(0) }}\"\n")
        .await;
    assert_passed(&report);
    let journal = format!("{:?}", report.journal);
    assert!(journal.contains(&before) || journal.contains(&today()), "{journal}");
}

#[tokio::test]
async fn what_cannot_be_given_is_said_and_nothing_is_run() {
    let external = ExternalBackend::start("/sms").await;
    let hello = "steps:\n  - customer: hello\n";
    let step = |step: &str| format!("steps:\n  - customer: hello\n  - {step}\n");
    for (text, line, says) in [
        (format!("now: 2026-02-10T15:10:00-05:00\n{hello}"), 2, "its own time"),
        (format!("given: {{ env: {{ A: b }} }}\n{hello}"), 2, "given.env"),
        (step("wait: 10m"), 4, "cannot move"),
        (step("at: 2026-02-10T15:10:00-05:00"), 4, "cannot move"),
        (step("customer: again\n    duplicate: { times: 2, gap: 5s }"), 5, "cannot move"),
        (step("expect: { calls: { http.POST /sms: 1 } }"), 4, "no gateway"),
        (format!("always: {{ calls: {{ http.POST /sms: 1 }} }}\n{hello}"), 2, "no gateway"),
    ] {
        let report = external.run(&format!("name: test\n{text}")).await;
        assert_eq!(report.status, Status::Skipped, "{text}: {:?}", report.problems);
        let problem = &report.problems[0];
        assert!(problem.summary.contains(says), "{text}: {}", problem.summary);
        assert_eq!(problem.location.as_ref().unwrap().line, line, "{text}");
        assert!(report.journal.is_empty());
    }
    // Neither a gap of no time nor a group needs what cannot be given.
    let report = external
        .steps(
            "  - customer: hello\n    duplicate: { times: 2, gap: 0s }\n  \
             - together:\n      - customer: one\n      - request: GET /notes?id=x\n",
        )
        .await;
    assert_passed(&report);
}

#[tokio::test]
async fn a_backend_that_hangs_up_failed_and_one_that_is_gone_is_the_environments() {
    let external = ExternalBackend::start("/sms").await;
    let report = external.steps("  - request: GET /gone\n    response: { status: 200 }\n").await;
    let failure = failed(report);
    assert_eq!(failure.problems[0].summary, "the backend did not answer the GET");
    assert_eq!(failure.problems[0].location.as_ref().unwrap().line, 3);
    external.server.abort();
    while !external.server.is_finished() {
        tokio::task::yield_now().await;
    }
    let report = external.steps("  - request: GET /notes\n").await;
    let why = environment_failure(&report);
    assert!(why.contains("the backend is gone"), "{why}");
}
