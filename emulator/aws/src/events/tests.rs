//! Schedules and the Invoke API over HTTP, in front of a router and of `examples/runtime_client.rs`.

use std::{collections::BTreeMap, time::Duration};

use axum::{
    Json, Router,
    http::{HeaderMap, Method, StatusCode},
    routing::post,
};
use jiff::{SignedDuration, Timestamp};
use rehearse_core::{
    clock::Clock,
    faults::{Crash, CrashKind, Cut, Failure, Fault, Faults},
    journal::{Exchange, ExchangeDetail, Journal},
};
use rehearse_testutils::until;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::{
    Credentials, Options, Server,
    signature::{self, SignedRequest},
};
use crate::{
    function::Executable,
    gateway::{FunctionCode, Gateway, LambdaConfig, Launcher},
    template::{AsynchronousInvocations, Function, Schedule, Template},
};

const NOW: &str = "2026-02-10T20:10:00Z";

/// `Late`, a router, and `Program`, a process, which do what their event says; `Undertaker` gets the
/// records of `Late`.
struct World {
    lambda: Server,
    _gateway: Gateway,
    journal: Journal,
    clock: Clock,
    faults: Faults,
    web: reqwest::Client,
}

struct LambdaResponse {
    status: u16,
    headers: HeaderMap,
    body: String,
}

impl LambdaResponse {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

impl World {
    async fn start() -> Self {
        Self::with(Clock::stopped(NOW.parse().unwrap()), |_| {}).await
    }

    async fn with(clock: Clock, change: impl Fn(&mut Function)) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut late = Function { name: "late-on-aws".into(), ..Function::new("Late") };
        late.asynchronous.on_failure = Some(Function::new("Undertaker").arn());
        let mut all = [late, Function::new("Program"), Function::new("Undertaker")];
        all.iter_mut().for_each(change);
        let (journal, faults) = (Journal::new(clock.clone()), Faults::default());
        let code = |function: &Function| match function.id.as_str() {
            "Program" => FunctionCode::Lambda(Box::new(program(&journal, &clock))),
            _ => FunctionCode::Router(Router::new().route("/events", post(late_reply))),
        };
        let functions = all.iter().map(|function| (function.clone(), code(function))).collect();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let apis = Template::default().apis;
        let gateway =
            Gateway::start(listener, &apis, functions, journal.clone(), clock.clone()).unwrap();
        faults.on_crash(gateway.crash_handler());
        let key = |function: Option<&str>| Credentials {
            function: function.map(str::to_owned),
            access_key_id: "rehearse".into(),
            secret_access_key: "rehearse".into(),
            session_token: function.map(|function| format!("session-{function}")),
        };
        let options = Options {
            functions: all.into(),
            credentials: vec![key(None), key(Some("Late"))],
            invoker: gateway.invoker(),
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (j, c, f) = (journal.clone(), clock.clone(), faults.clone());
        let lambda = Server::start(listener, options, j, c, f).unwrap();
        let web = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { lambda, _gateway: gateway, journal, clock, faults, web }
    }

    async fn invoke(&self, name: &str, kind: &str, payload: impl ToString) -> LambdaResponse {
        self.call(name, kind, payload.to_string(), None).await.unwrap()
    }

    /// Calls the API, as the function `caller`.
    async fn call(
        &self,
        name: &str,
        kind: &str,
        body: String,
        caller: Option<&str>,
    ) -> Result<LambdaResponse, reqwest::Error> {
        let prefix = caller.map(|caller| format!("/fn/{caller}")).unwrap_or_default();
        let path = format!("{prefix}/2015-03-31/functions/{name}/invocations");
        let url = format!("{}{path}", self.lambda.url());
        let host = self.lambda.url().replace("http://", "");
        let mut headers = HeaderMap::new();
        headers.insert("host", host.parse().unwrap());
        headers.insert("x-amz-date", "20260210T201000Z".parse().unwrap());
        headers.insert("x-amz-invocation-type", kind.parse().unwrap());
        if let Some(caller) = caller {
            let token = format!("session-{caller}");
            headers.insert("x-amz-security-token", token.parse().unwrap());
        }
        let uri = path.parse().unwrap();
        let signed = SignedRequest {
            method: &Method::POST,
            uri: &uri,
            headers: &headers,
            body: body.as_bytes(),
        };
        let authorization = signature::sign(&signed).parse().unwrap();
        headers.insert("authorization", authorization);
        let response = self.web.post(url).headers(headers).body(body).send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Ok(LambdaResponse { status, headers, body: response.text().await? })
    }

    /// Moves business time as a world does.
    async fn wait(&self, minutes: i64) {
        let events = self.lambda.events();
        let then = self.clock.now() + SignedDuration::from_mins(minutes);
        events.plan(then);
        while let Some(at) = events.next_due(then) {
            self.clock.set(at);
            events.fire(at);
            self.settled().await;
        }
        self.clock.set(then);
    }

    async fn settled(&self) {
        until("every invocation to end", self.lambda.events().settled()).await;
    }

    /// The function's invocations: minutes since the start, attempt, and error.
    fn invocations(&self, name: &str) -> Vec<(i64, u32, Option<String>)> {
        let start: Timestamp = NOW.parse().unwrap();
        let told = |exchange: Exchange| {
            let ExchangeDetail::Invocation { attempt, .. } = exchange.detail else {
                panic!("{exchange:?}")
            };
            let error = exchange.outcome.expect("an end").error;
            (exchange.at.duration_since(start).as_mins(), attempt, error)
        };
        self.journal.exchanges().named(name).into_iter().map(told).collect()
    }

    fn last(&self, name: &str) -> Exchange {
        let exchanges = self.journal.exchanges().named(name);
        exchanges.last().unwrap_or_else(|| panic!("no {name} in {:#?}", self.journal.since(0)))
    }

    fn arm(&self, failure: Failure) {
        self.faults.arm(Fault {
            on: "lambda.invoke".into(),
            failure,
            times: Some(1),
            ..Fault::default()
        });
    }
}

async fn late_reply(
    headers: HeaderMap,
    Json(event): Json<Value>,
) -> Result<Json<Value>, (StatusCode, String)> {
    match event["do"].as_str() {
        Some("panic") => panic!("on purpose"),
        Some("hang") => std::future::pending().await,
        Some("fail") => Err((StatusCode::INTERNAL_SERVER_ERROR, "on purpose".into())),
        _ => {
            let header = |name: &str| headers[name].to_str().unwrap();
            let id = header("lambda-runtime-aws-request-id");
            let arn = header("lambda-runtime-invoked-function-arn");
            Ok(Json(json!({ "event": event, "id": id, "arn": arn })))
        }
    }
}

fn program(journal: &Journal, clock: &Clock) -> LambdaConfig {
    let own = std::env::current_exe().unwrap();
    let folder = own.parent().and_then(|deps| deps.parent()).unwrap().join("examples");
    let program = folder.join("runtime_client");
    assert!(program.is_file(), "build it first: `cargo build -p rehearse-aws --examples`");
    LambdaConfig {
        id: "Program".into(),
        name: "Program".into(),
        executable: Executable { program, arguments: Vec::new(), folder, world_clock: None },
        environment: BTreeMap::new().into(),
        handler: "bootstrap".into(),
        memory: 128,
        concurrency: 10,
        cold: false,
        init_timeout: Duration::from_secs(60),
        launcher: Launcher::direct(),
        journal: journal.clone(),
        clock: clock.clone(),
    }
}

fn every_minute(function: &mut Function) {
    if function.id != "Undertaker" {
        function.schedules = vec![Schedule::rule("Every", "rate(1 minute)").unwrap()];
    }
}

#[tokio::test]
async fn an_invocation_with_a_response_has_the_functions_result() {
    let world = World::start().await;
    let answer = world.invoke("Late", "RequestResponse", json!({ "a": 1 })).await;
    assert_eq!((answer.status, answer.header("x-amz-executed-version")), (200, "$LATEST"));
    assert_eq!(answer.json()["event"], json!({ "a": 1 }));
    assert_eq!(answer.json()["id"], answer.header("x-amzn-requestid"));
    let arn = "arn:aws:lambda:us-east-1:123456789012:function:late-on-aws";
    assert_eq!(answer.json()["arn"], arn, "of its name, not of its logical id");
    assert_eq!(answer.header("x-amz-function-error"), "");
    // Without a payload the event is an empty object.
    assert_eq!(world.invoke("Late", "RequestResponse", "").await.json()["event"], json!({}));
    let answer = world.invoke("Program", "RequestResponse", json!({ "body": "hi" })).await;
    assert_eq!((answer.status, answer.body.contains("hi")), (200, true), "{}", answer.body);
}

#[tokio::test]
async fn a_failed_function_is_a_response_with_its_error() {
    let world = World::start().await;
    let answer = world.invoke("Late", "RequestResponse", json!({ "do": "fail" })).await;
    assert_eq!((answer.status, answer.header("x-amz-function-error")), (200, "Unhandled"));
    let answer = world.invoke("Late", "RequestResponse", json!({ "do": "panic" })).await;
    let panicked = json!({ "errorType": "Runtime.Panic", "errorMessage": "on purpose" });
    assert_eq!((answer.json(), answer.header("x-amz-function-error")), (panicked, "Unhandled"));
    let error = json!({ "rawPath": "/error" });
    let answer = world.invoke("Program", "RequestResponse", error).await;
    let boom = json!({ "errorType": "Boom", "errorMessage": "on purpose" });
    assert_eq!((answer.status, answer.json()), (200, boom));
    world.settled().await;
    world.wait(10).await;
    assert_eq!(world.invocations("invocation.Late").len(), 2, "nothing of this is repeated");
}

#[tokio::test]
async fn an_event_is_taken_and_runs_by_itself() {
    let world = World::start().await;
    for (name, kind, status) in [
        ("Late", "Event", 202),
        ("late-on-aws", "Event", 202),
        ("arn%3Aaws%3Alambda%3Aus-east-1%3A123456789012%3Afunction%3Alate-on-aws", "Event", 202),
        ("Late", "DryRun", 204),
    ] {
        let answer = world.invoke(name, kind, json!({ "a": 1 })).await;
        assert_eq!((answer.status, answer.body.as_str()), (status, ""), "{name} {kind}");
    }
    world.settled().await;
    assert_eq!(world.invocations("invocation.Late"), vec![(0, 1, None); 3]);
    assert_eq!(world.last("invocation.Late").outcome.unwrap().response["event"], json!({ "a": 1 }));
}

#[tokio::test]
async fn what_lambda_refuses_is_refused_in_its_words() {
    let world = World::start().await;
    let large = format!("\"{}\"", "x".repeat(1 << 20));
    for (name, kind, body, status, error) in [
        ("Nobody", "Event", "{}", 404, "ResourceNotFoundException"),
        ("Late", "Sometimes", "{}", 400, "InvalidParameterValueException"),
        ("Late", "Event", "{", 400, "InvalidRequestContentException"),
        ("Late", "Event", &large, 413, "RequestTooLargeException"),
    ] {
        let answer = world.invoke(name, kind, body).await;
        assert_eq!((answer.status, answer.header("x-amzn-errortype")), (status, error));
        assert_eq!(answer.json()["Type"], "User");
        let outcome = world.last("lambda.invoke").outcome.unwrap();
        assert_eq!((outcome.status, outcome.error.as_deref()), (Some(status), Some(error)));
    }
    let message = world.invoke("Nobody", "Event", "{}").await.json()["Message"].clone();
    let arn = "arn:aws:lambda:us-east-1:123456789012:function:Nobody";
    assert_eq!(message, format!("Function not found: {arn}"));
    assert_eq!(world.invoke("Late", "RequestResponse", &large).await.status, 200);
    let foreign = world.call("Late", "Event", "{}".into(), Some("Program")).await.unwrap();
    assert_eq!(foreign.header("x-amzn-errortype"), "UnrecognizedClientException");
    assert_eq!(foreign.status, 403);
    world.settled().await;
    assert_eq!(world.invocations("invocation.Late").len(), 1);
}

#[tokio::test]
async fn the_journal_knows_the_caller() {
    let world = World::start().await;
    for (caller, expected) in [(None, None), (Some("Late"), Some("Late"))] {
        let answer = world.call("late-on-aws", "Event", "{}".into(), caller).await.unwrap();
        assert_eq!(answer.status, 202, "{}", answer.body);
        let ExchangeDetail::Invoke { function, target, invocation_type, .. } =
            world.last("lambda.invoke").detail
        else {
            panic!("no call")
        };
        let found = (function.as_deref(), target.as_str(), invocation_type.as_str());
        assert_eq!(found, (expected, "Late", "Event"));
    }
}

#[tokio::test]
async fn a_failed_event_is_repeated_as_business_time_passes_and_then_given_up() {
    let world = World::start().await;
    let event = json!({ "do": "fail" });
    world.invoke("Late", "Event", &event).await;
    world.settled().await;
    let failed = |minute, attempt| (minute, attempt, Some("function_error".to_owned()));
    assert_eq!(world.invocations("invocation.Late"), [failed(0, 1)]);
    world.wait(1).await;
    assert_eq!(world.invocations("invocation.Late"), [failed(0, 1), failed(1, 2)]);
    world.wait(1).await;
    assert_eq!(world.invocations("invocation.Late").len(), 2, "two minutes, not one");
    world.wait(10).await;
    assert_eq!(world.invocations("invocation.Late"), [failed(0, 1), failed(1, 2), failed(3, 3)]);
    let ExchangeDetail::Destination { function, record, .. } =
        world.last("lambda.destination").detail
    else {
        panic!("no destination")
    };
    assert_eq!((function.as_str(), &record["requestPayload"]), ("Late", &event));
    assert_eq!(record["requestContext"]["condition"], "RetriesExhausted");
    assert_eq!(world.invocations("invocation.Undertaker"), [(3, 1, None)]);
    let ExchangeDetail::Invocation { cause, event, .. } =
        world.last("invocation.Undertaker").detail
    else {
        panic!("no invocation")
    };
    assert_eq!((cause.as_str(), event), ("destination of Late", record));
}

#[tokio::test]
async fn a_process_that_ends_is_repeated_in_a_new_one() {
    let world = World::start().await;
    world.invoke("Program", "Event", json!({ "rawPath": "/exit" })).await;
    world.settled().await;
    world.wait(3).await;
    let ended = |minute, attempt| (minute, attempt, Some("function_exit".to_owned()));
    let expected = [ended(0, 1), ended(1, 2), ended(3, 3)];
    assert_eq!(world.invocations("invocation.Program"), expected);
    assert_eq!(world.journal.exchanges().named("lambda.destination").count(), 0, "it has none");
}

#[tokio::test]
async fn an_event_that_grows_too_old_is_given_up() {
    let old = |function: &mut Function| {
        function.asynchronous = AsynchronousInvocations {
            max_age: Duration::from_secs(90),
            ..function.asynchronous.clone()
        };
    };
    let world = World::with(Clock::stopped(NOW.parse().unwrap()), old).await;
    world.invoke("Late", "Event", json!({ "do": "fail" })).await;
    world.settled().await;
    world.wait(10).await;
    assert_eq!(world.invocations("invocation.Late").len(), 2);
    let ExchangeDetail::Destination { record, .. } = world.last("lambda.destination").detail else {
        panic!("no destination")
    };
    assert_eq!(record["requestContext"]["condition"], "EventAgeExceeded");
    assert_eq!(record["requestContext"]["approximateInvokeCount"], 2);
}

#[tokio::test]
async fn schedules_fire_on_both_targets_as_business_time_passes() {
    let world = World::with(Clock::stopped(NOW.parse().unwrap()), every_minute).await;
    world.wait(3).await;
    for name in ["schedule.Late", "schedule.Program"] {
        assert_eq!(world.invocations(name), [(1, 1, None), (2, 1, None), (3, 1, None)]);
    }
    let event = world.last("schedule.Late").outcome.unwrap().response["event"].clone();
    assert_eq!(event["time"], "2026-02-10T20:13:00Z");
    assert_eq!(event["detail-type"], "Scheduled Event");
}

#[tokio::test]
async fn a_jump_fires_the_last_moments_and_the_log_says_so() {
    let world = World::with(Clock::stopped(NOW.parse().unwrap()), |function| {
        if function.id == "Late" {
            every_minute(function);
        }
    })
    .await;
    world.wait(24 * 60).await;
    let all = world.invocations("schedule.Late");
    assert_eq!((all.len(), all[0].0, all[4].0), (5, 24 * 60 - 4, 24 * 60));
    let ExchangeDetail::Log { line, .. } = world.last("log.Late").detail else { panic!("no log") };
    assert!(line.contains("only the last 5 moments of the schedule Every"), "{line}");
}

#[tokio::test]
async fn a_running_clock_fires_schedules_by_itself() {
    let world = World::with(Clock::running(), every_minute).await;
    let mut changes = world.journal.watch();
    world.clock.advance(SignedDuration::from_mins(1));
    let fired = || world.journal.exchanges().named("schedule.Late").count() == 1;
    until("a schedule to fire", changes.wait_for(|_| fired())).await.unwrap();
    world.settled().await;
}

#[tokio::test]
async fn a_clock_that_is_let_run_fires_schedules_by_itself() {
    let world = World::with(Clock::stopped(NOW.parse().unwrap()), every_minute).await;
    drop(world.lambda.events().halt().await);
    let mut changes = world.journal.watch();
    world.clock.let_run();
    world.lambda.events().follow_running_clock();
    world.clock.advance(SignedDuration::from_mins(1));
    let fired = || world.journal.exchanges().named("schedule.Late").count() > 0;
    until("a schedule to fire", changes.wait_for(|_| fired())).await.unwrap();
    world.settled().await;
}

#[tokio::test]
async fn a_halt_ends_what_runs_forgets_what_is_due_and_lets_nothing_begin() {
    let world = World::with(Clock::stopped(NOW.parse().unwrap()), |_| {}).await;
    world.invoke("Late", "Event", json!({ "do": "hang" })).await;
    world.invoke("Late", "Event", json!({ "do": "fail" })).await;
    let failed = || {
        let all = world.journal.exchanges().named("invocation.Late");
        all.into_iter().filter(|exchange| exchange.outcome.is_some()).count() == 1
    };
    let mut changes = world.journal.watch();
    until("one to fail", changes.wait_for(|_| failed())).await.unwrap();
    assert_eq!(world.lambda.events().under_way(), ["Late"]);
    let halted = until("it to end", world.lambda.events().halt()).await;
    assert!(world.lambda.events().under_way().is_empty(), "it has ended, not only been told to");
    assert_eq!(world.invoke("Late", "Event", "{}").await.status, 202);
    world.settled().await;
    drop(halted);
    world.wait(10).await;
    assert_eq!(world.journal.exchanges().named("invocation.Late").count(), 2);
    world.invoke("Late", "Event", "{}").await;
    world.settled().await;
    assert_eq!(world.journal.exchanges().named("invocation.Late").count(), 3, "it goes on");
}

#[tokio::test]
async fn faults_fail_the_call_and_say_whether_it_took_effect() {
    let world = World::start().await;
    let status = Some(429);
    world.arm(Failure { status, ..Failure::default() });
    let answer = world.invoke("Late", "Event", "{}").await;
    assert_eq!(
        (answer.status, answer.header("x-amzn-errortype")),
        (429, "TooManyRequestsException")
    );
    for (cut, runs) in [(Cut::Before, 0), (Cut::After, 1)] {
        world.arm(Failure { cut: Some(cut), ..Failure::default() });
        let answer = world.call("Late", "Event", "{}".into(), None).await;
        assert!(answer.is_err(), "{cut:?}: the connection is cut");
        world.settled().await;
        assert_eq!(world.invocations("invocation.Late").len(), runs, "{cut:?}");
    }
}

#[tokio::test]
async fn a_crash_ends_an_asynchronous_invocation_which_is_then_repeated() {
    let world = World::start().await;
    world.invoke("Late", "Event", json!({ "do": "hang" })).await;
    let begun = || world.journal.exchanges().named("invocation.Late").count() == 1;
    let mut changes = world.journal.watch();
    until("it to begin", changes.wait_for(|_| begun())).await.unwrap();
    let crash = Some(Crash { function: "Late".into(), kind: CrashKind::Killed, attempt: None });
    let failure = Failure { cut: Some(Cut::Before), crash, ..Failure::default() };
    let faults = world.faults.clone();
    // The call at which it crashes is never answered.
    let crashed = tokio::spawn(async move {
        faults.crash_if_requested(&failure, Cut::Before).await;
    });
    world.settled().await;
    crashed.abort();
    let error = world.last("invocation.Late").outcome.unwrap().error;
    assert_eq!(error.as_deref(), Some("function_exit"));
    let then = world.clock.now() + SignedDuration::from_mins(1);
    assert_eq!(world.lambda.events().next_due(then), Some(then), "it is repeated");
}
