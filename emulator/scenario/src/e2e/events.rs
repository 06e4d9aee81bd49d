//! Functions that schedules and other functions invoke. `Front` answers a text at once and has `Late`
//! answer it again; `Tick` runs every minute. They sign by code of their own.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    Json, Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::post,
};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::support::{SETTINGS, assert_passed, failed};
use crate::{Options, Runner, ScenarioResult, read};
use rehearse_aws::{Function, function::BuildError};
use rehearse_core::clock::Clock;
use rehearse_testutils::{self as testing, Folder};
use rehearse_world::{Backend, World, WorldConfig};

const TEMPLATE: &str = "
Transform: AWS::Serverless-2016-10-31
Resources:
  Front:
    Type: AWS::Serverless::Function
    Properties:
      Timeout: 5
      Environment: { Variables: { LATE: !Ref Late } }
      Events: { Sms: { Type: HttpApi, Properties: { Method: POST, Path: /sms } } }
  Late:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: late-reply
      Timeout: 5
      EventInvokeConfig:
        MaximumRetryAttempts: 1
        DestinationConfig: { OnFailure: { Type: Lambda, Destination: !GetAtt Tick.Arn } }
  Tick:
    Type: AWS::Serverless::Function
    Properties:
      Timeout: 5
      Events: { Every: { Type: Schedule, Properties: { Schedule: rate(10 minutes) } } }
";

struct App {
    vars: BTreeMap<String, String>,
    web: reqwest::Client,
    /// How often the function ran.
    runs: AtomicUsize,
}

fn function(id: &str, router: Router<Arc<App>>) -> Function {
    Function::new(id, move |vars| {
        let web = reqwest::Client::builder().no_proxy().tls_certs_only([]).build();
        let app = App { vars: vars.clone(), web: web.map_err(BuildError::from)?, runs: 0.into() };
        Ok(router.clone().with_state(Arc::new(app)))
    })
}

/// Answers at once, and has `Late` answer again.
async fn sms(State(app): State<Arc<App>>, body: Bytes) -> Response {
    let form: BTreeMap<String, String> = form_urlencoded::parse(&body).into_owned().collect();
    let event = json!({ "sid": form["MessageSid"], "from": form["From"], "text": form["Body"] });
    let status = app.invoke(event.to_string()).await;
    let text = format!("<Response><Message>Hold on ({status})</Message></Response>");
    ([("content-type", "text/xml")], text).into_response()
}

async fn late(State(app): State<Arc<App>>, Json(event): Json<Value>) -> StatusCode {
    let run = app.runs.fetch_add(1, Ordering::SeqCst);
    let text = event["text"].as_str().unwrap_or_default();
    if text == "hang" {
        std::future::pending::<()>().await;
    }
    if text == "never" || (text == "fail once" && run == 0) {
        return StatusCode::INTERNAL_SERVER_ERROR;
    }
    app.send(event["from"].as_str().unwrap_or_default(), &format!("Late: {text}")).await;
    StatusCode::OK
}

/// Tells the owner what it was invoked for.
async fn tick(State(app): State<Arc<App>>, Json(event): Json<Value>) -> StatusCode {
    let time = event["time"].as_str();
    let lost = event["requestContext"]["condition"].as_str();
    app.send(&app.vars["OWNER"], time.or(lost).unwrap_or("nothing")).await;
    StatusCode::OK
}

impl App {
    async fn send(&self, to: &str, text: &str) {
        let account = &self.vars["TWILIO_ACCOUNT_SID"];
        let url =
            format!("{}/2010-04-01/Accounts/{account}/Messages.json", self.vars["TWILIO_URL"]);
        let form = [("To", to), ("From", &self.vars["NUMBER"]), ("Body", text)];
        let request = self.web.post(url).basic_auth(account, Some(&self.vars["TWILIO_AUTH_TOKEN"]));
        // What became of it is in the journal.
        drop(request.form(&form).send().await);
    }

    /// Invokes `Late` asynchronously; returns the status, 0 for no response.
    async fn invoke(&self, event: String) -> u16 {
        let url = &self.vars["AWS_ENDPOINT_URL_LAMBDA"];
        let (host, base) = url.trim_start_matches("http://").split_once('/').unwrap();
        let path = format!("/{base}/2015-03-31/functions/{}/invocations", self.vars["LATE"]);
        let headers = signed(host, &path, &event, &self.vars["AWS_SESSION_TOKEN"]);
        let request = self.web.post(format!("http://{host}{path}")).headers(headers).body(event);
        request.send().await.map_or(0, |response| response.status().as_u16())
    }
}

/// The headers of Signature Version 4.
fn signed(host: &str, path: &str, body: &str, token: &str) -> HeaderMap {
    let hex = |bytes: &[u8]| {
        bytes.iter().fold(String::new(), |mut text, byte| {
            write!(text, "{byte:02x}").unwrap();
            text
        })
    };
    let hmac = |key: &[u8], text: &str| {
        let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
        mac.update(text.as_bytes());
        mac.finalize().into_bytes().to_vec()
    };
    let (date, scope) = ("20260210T201000Z", "20260210/us-east-1/lambda/aws4_request");
    let names = "host;x-amz-date;x-amz-invocation-type;x-amz-security-token";
    let canonical = format!(
        "POST\n{path}\n\nhost:{host}\nx-amz-date:{date}\nx-amz-invocation-type:Event\n\
         x-amz-security-token:{token}\n\n{names}\n{}",
        hex(&Sha256::digest(body))
    );
    let text = format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{}", hex(&Sha256::digest(canonical)));
    let key = scope.split('/').fold(b"AWS4rehearse".to_vec(), |key, part| hmac(&key, part));
    let authorization = format!(
        "AWS4-HMAC-SHA256 Credential=rehearse/{scope}, SignedHeaders={names}, Signature={}",
        hex(&hmac(&key, &text))
    );
    let mut headers = HeaderMap::new();
    for (name, value) in [
        ("x-amz-date", date),
        ("x-amz-invocation-type", "Event"),
        ("x-amz-security-token", token),
        ("authorization", &authorization),
    ] {
        headers.insert(name, value.parse().unwrap());
    }
    headers
}

fn backend(folder: &Folder) -> Backend {
    let settings = format!("{SETTINGS}AWS_ENDPOINT_URL_LAMBDA = \"{{lambda}}/fn/{{function}}\"\n");
    let functions = vec![
        function("Front", Router::new().route("/sms", post(sms))),
        function("Late", Router::new().route("/events", post(late))),
        function("Tick", Router::new().route("/events", post(tick))),
    ];
    let (template, settings) = (testing::template(TEMPLATE), testing::settings(&settings));
    Backend::new(functions, template, settings, folder.path()).unwrap()
}

async fn run(steps: &str) -> ScenarioResult {
    let folder = Folder::new();
    let backend = backend(&folder);
    let file = folder.write("scenario.yaml", format!("name: test\nsteps:\n{steps}"));
    let scenarios = read(&[file]).unwrap_or_else(|errors| panic!("{}", errors[0]));
    let runner = Runner::new(backend, Options::default());
    let errors = runner.check(&scenarios);
    assert!(errors.is_empty(), "{}", errors[0]);
    runner.run(&scenarios[0]).await
}

async fn passes(steps: &str) {
    assert_passed(&run(steps).await);
}

#[tokio::test]
async fn a_late_text_belongs_to_the_step_that_caused_it() {
    passes(
        r#"
  - customer: hello
    replies: ["Hold on (202)", { equals: "Late: hello", via: rest }]
  - together:
      - { customer: one, replies: ["Hold on (202)", "Late: one"] }
      - { customer: two, from: other, replies: ["Hold on (202)", "Late: two"] }
  - expect: { calls: { lambda.invoke: 3, invocation.Late: 3, schedule.Tick: 0 } }
"#,
    )
    .await;
}

#[tokio::test]
async fn a_failed_invocation_is_repeated_by_business_time() {
    passes(
        r#"
  - customer: fail once
    reply: "Hold on (202)"
  - wait: 59s
  - expect: { calls: { invocation.Late: 1 } }
  - wait: 1s
  - expect:
      calls: { invocation.Late: 2, twilio.messages.create: 1 }
      sms: ["Hold on (202)", "Late: fail once"]
"#,
    )
    .await;
}

#[tokio::test]
async fn what_is_given_up_reaches_its_destination() {
    passes(
        r#"
  - customer: never
    reply: "Hold on (202)"
  - wait: 1m
  - expect:
      calls: { invocation.Late: 2, lambda.destination: 1, invocation.Tick: 1 }
      sms: ["Hold on (202)", { to: owner, equals: RetriesExhausted }]
"#,
    )
    .await;
}

#[tokio::test]
async fn schedules_fire_as_time_passes_and_with_its_moments() {
    passes(
        r#"
  - wait: 9m
  - expect: { calls: { schedule.Tick: 0 } }
  - wait: 21m
  - expect:
      calls: { schedule.Tick: 3 }
      sms:
        - { to: owner, equals: "2026-01-05T12:10:00Z" }
        - { to: owner, equals: "2026-01-05T12:20:00Z" }
        - { to: owner, equals: "2026-01-05T12:30:00Z" }
"#,
    )
    .await;
}

#[tokio::test]
async fn a_function_crashes_while_time_passes_and_is_repeated() {
    passes(
        r#"
  - wait: 10m
    crash: { function: Tick, before: twilio.messages.create }
  - expect: { calls: { schedule.Tick: 1 }, sms: none }
  - wait: 1m
  - expect: { calls: { schedule.Tick: 2, twilio.messages.create: 2 } }
"#,
    )
    .await;
    let result = failed(
        run("  - wait: 1m\n    crash: { function: Tick, before: twilio.messages.create }\n").await,
    );
    assert!(result.problems[0].summary.contains("the function Tick never crashed"));
}

#[tokio::test]
async fn faults_and_crashes_are_injected_into_the_call() {
    passes(
        r#"
  - faults: [{ on: lambda.invoke, fail: 429, times: 1 }]
  - customer: hello
    reply: "Hold on (429)"
  - faults: [{ on: lambda.invoke, fail: cut-after, times: 1 }]
  - customer: again
    replies: ["Hold on (0)", "Late: again"]
  - customer: crash
    crash: { function: Front, after: lambda.invoke }
    deliveries: [{ answer: 500 }, { answer: 200 }]
    replies: { exactly: ["Late: crash", "Hold on (202)", "Late: crash"] }
"#,
    )
    .await;
}

#[test]
fn counted_functions_and_calls_are_checked() {
    let folder = Folder::new();
    let runner = Runner::new(backend(&folder), Options::default());
    let wrong = |step: &str| {
        let file = folder.write("scenario.yaml", format!("name: test\nsteps:\n  - {step}\n"));
        let errors = match read(&[file]) {
            Ok(scenarios) => runner.check(&scenarios),
            Err(errors) => errors,
        };
        errors.iter().map(ToString::to_string).collect::<String>()
    };
    for (step, says) in [
        ("expect: { calls: { schedule.Tik: 0 } }", "unknown function 'Tik'; did you mean 'Tick'?"),
        ("expect: { calls: { invocation.Lat: 0 } }", "did you mean 'Late'?"),
        ("expect: { calls: { lambda.invok: 0 } }", "did you mean 'lambda.invoke'?"),
        ("{ wait: 1m, crash: { function: Tik, after: lambda.invoke } }", "did you mean 'Tick'?"),
        ("{ wait: 1m, crash: { function: Tick, after: lambda.destination } }", "cannot end at"),
        ("faults: [{ on: schedule.Tick, fail: 500 }]", "'schedule.Tick' cannot fail"),
    ] {
        let found = wrong(step);
        assert!(found.contains(says) && found.contains('^'), "{step}: {found}");
    }
    for right in [
        "expect: { calls: { schedule.Tick: 0, invocation.Late: 0, lambda.destination: 0 } }",
        "faults: [{ on: 'lambda.*', fail: 500 }]",
    ] {
        assert_eq!(wrong(right), "");
    }
}

#[tokio::test]
async fn an_invocation_that_does_not_end_is_named() {
    let folder = Folder::new();
    let clock = Clock::stopped("2026-02-10T20:10:00Z".parse().unwrap());
    let world = World::start(WorldConfig::new(backend(&folder), clock)).await.unwrap();
    let texts = world.twilio().text("+15552340001", "hang").await.unwrap();
    assert_eq!(texts, ["Hold on (202)"]);
    let unsettled = world.settled_within(Duration::from_millis(20)).await.unwrap_err();
    let says = "an invocation of Late was still running after 20ms";
    assert_eq!(unsettled.to_string(), says);
}
