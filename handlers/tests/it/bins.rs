//! The Lambda binaries in front of a small Runtime API.

use std::{
    process::{Child, Command, Stdio},
    time::Duration,
};

use serde_json::{Value, json};
use tokio::sync::mpsc;
use wiremock::{
    Mock, MockServer, Request, ResponseTemplate,
    matchers::{method, path, path_regex},
};

use crate::{
    dispatcher::sign_with,
    events::{TestRequest, request},
};

const TOKEN: &str = "12345";
const URL: &str = "https://shop.example/dispatcher";
const NEXT: &str = "/2018-06-01/runtime/invocation/next";

/// Kills the process when the test ends.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn command(binary: &str, vars: &[(&str, &str)]) -> Command {
    let mut command = Command::new(binary);
    command.env_clear().stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.envs(vars.iter().copied());
    command
}

/// What Lambda sets for every function.
fn on_lambda(runtime: &str) -> [(&str, &str); 6] {
    [
        ("AWS_LAMBDA_RUNTIME_API", runtime),
        ("AWS_LAMBDA_FUNCTION_NAME", "function"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
        ("AWS_ACCESS_KEY_ID", "local"),
        ("AWS_SECRET_ACCESS_KEY", "local"),
    ]
}

/// Gives the binary one event and returns its response.
async fn invoke(binary: &str, vars: &[(&str, &str)], event: TestRequest) -> Value {
    let runtime = MockServer::start().await;
    let (answers, mut answered) = mpsc::unbounded_channel::<(String, Value)>();
    let event = ResponseTemplate::new(200)
        .insert_header("lambda-runtime-aws-request-id", "invocation-1")
        .insert_header("lambda-runtime-deadline-ms", "4102444800000")
        .insert_header("lambda-runtime-invoked-function-arn", "arn:aws:lambda:x:1:function:f")
        .set_body_json(event.event());
    Mock::given(method("GET"))
        .and(path(NEXT))
        .respond_with(event)
        .up_to_n_times(1)
        .mount(&runtime)
        .await;
    // There is no second event.
    let never = ResponseTemplate::new(200).set_delay(Duration::from_secs(600));
    Mock::given(method("GET")).and(path(NEXT)).respond_with(never).mount(&runtime).await;
    Mock::given(method("POST"))
        .and(path_regex("^/2018-06-01/runtime/"))
        .respond_with(move |request: &Request| {
            let body = serde_json::from_slice(&request.body).unwrap_or_default();
            let _ = answers.send((request.url.path().to_owned(), body));
            ResponseTemplate::new(202)
        })
        .mount(&runtime)
        .await;
    let address = runtime.address().to_string();
    let vars = [&on_lambda(&address)[..], vars].concat();
    let _process = Process(command(binary, &vars).spawn().unwrap());
    let answer = tokio::time::timeout(Duration::from_secs(20), answered.recv()).await;
    let (path, body) = answer.unwrap_or_else(|_| panic!("no answer within 20 s")).unwrap();
    assert_eq!(path, "/2018-06-01/runtime/invocation/invocation-1/response", "{body}");
    body
}

fn body(answer: &Value) -> Value {
    serde_json::from_str(answer["body"].as_str().unwrap()).unwrap()
}

/// A database that answers every request with this body.
async fn database(answer: Value) -> MockServer {
    let server = MockServer::start().await;
    let answer =
        ResponseTemplate::new(200).set_body_raw(answer.to_string(), "application/x-amz-json-1.0");
    Mock::given(method("POST")).respond_with(answer).mount(&server).await;
    server
}

#[tokio::test]
async fn the_scheduler_lists_what_is_free() {
    let database = database(json!({ "Items": [], "Count": 0, "ScannedCount": 0 })).await;
    let vars = [("AWS_ENDPOINT_URL_DYNAMODB", &*database.uri())];
    let event = request("GET", "/scheduler").query("date=2026-02-11");
    let answer = invoke(env!("CARGO_BIN_EXE_scheduler"), &vars, event).await;
    assert_eq!(answer["statusCode"], 200, "{answer}");
    assert_eq!(answer["headers"]["access-control-allow-origin"], "*");
    assert_eq!(body(&answer)["available_count"], 8);
}

#[tokio::test]
async fn the_state_manager_shows_the_state_to_its_owner() {
    let database = database(json!({})).await;
    let vars = [("AWS_ENDPOINT_URL_DYNAMODB", &*database.uri()), ("ADMIN_TOKEN", "s3cret")];
    let event = request("GET", "/state").header("authorization", "Bearer s3cret");
    let answer = invoke(env!("CARGO_BIN_EXE_state_manager"), &vars, event).await;
    assert_eq!(answer["statusCode"], 200, "{answer}");
    assert_eq!(body(&answer)["state"]["status"], "available");
}

/// The database cannot be reached: the customer gets the fallback, the owner an alert through
/// Twilio.
#[tokio::test]
async fn the_dispatcher_answers_with_twiml() {
    let twilio = MockServer::start().await;
    Mock::given(method("POST"))
        .and(path("/2010-04-01/Accounts/AC1/Messages.json"))
        .respond_with(ResponseTemplate::new(201).set_body_json(json!({ "sid": "SM2" })))
        .expect(1)
        .mount(&twilio)
        .await;
    let vars = [
        ("AWS_ENDPOINT_URL_DYNAMODB", "http://127.0.0.1:9"),
        ("OPENAI_API_KEY", "sk-test"),
        ("OPENAI_BASE_URL", "http://127.0.0.1:9/v1"),
        ("TWILIO_ACCOUNT_SID", "AC1"),
        ("TWILIO_AUTH_TOKEN", TOKEN),
        ("TWILIO_PHONE_NUMBER", "+19045550100"),
        ("TWILIO_API_BASE_URL", &*twilio.uri()),
        ("OWNER_PHONE_NUMBER", "+19045550199"),
        ("PUBLIC_URLS", URL),
        ("REPLY_DEADLINE_MS", "3000"),
    ];
    let form = "AccountSid=AC1&To=%2B19045550100&Body=Hi&MessageSid=SM00000000000000000000000000000001&From=%2B19042520927";
    let signed = sign_with(TOKEN, URL, form);
    let event = request("POST", "/dispatcher").form(form).header("x-twilio-signature", signed);
    let answer = invoke(env!("CARGO_BIN_EXE_dispatcher"), &vars, event).await;
    assert_eq!(answer["statusCode"], 200, "{answer}");
    assert_eq!(answer["headers"]["content-type"], "text/xml");
    let twiml = answer["body"].as_str().unwrap();
    assert!(twiml.contains("<Message>Sorry, I can&apos;t answer right now."), "{twiml}");
}

#[test]
fn missing_variables_fail_at_the_start_and_are_all_named() {
    let nobody = on_lambda("127.0.0.1:9");
    let lambda = &nobody[..4];
    for (binary, missing) in [
        (
            env!("CARGO_BIN_EXE_dispatcher"),
            "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, OPENAI_API_KEY, TWILIO_ACCOUNT_SID, \
             TWILIO_AUTH_TOKEN, TWILIO_PHONE_NUMBER, PUBLIC_URLS",
        ),
        (env!("CARGO_BIN_EXE_state_manager"), "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY"),
        (env!("CARGO_BIN_EXE_scheduler"), "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY"),
    ] {
        let output = command(binary, lambda).stderr(Stdio::piped()).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success(), "{binary}");
        // `main` prints its error with `Debug`: the names must be readable in the log.
        for name in missing.split(", ") {
            assert!(said.contains(name), "{binary}: {said}");
        }
    }
}
