//! `[services]`: functions find another emulator's services, here a server that plays S3.

use std::sync::{Arc, Mutex};

use axum::{
    Json, Router,
    body::Bytes,
    http::{Method, Uri},
    routing::post,
};
use serde_json::{Value, json};

use super::{
    invoking::python,
    support::{SETTINGS, assert_passed},
};
use crate::{Options, Runner, read};
use rehearse_aws::{Executable, Function, function::BuildError};
use rehearse_testutils::{self as testing, Folder};
use rehearse_world::Backend;

const TEMPLATE: &str = "
Transform: AWS::Serverless-2016-10-31
Resources:
  Keep:
    Type: AWS::Serverless::Function
    Properties:
      Timeout: 5
      Environment: { Variables: { AWS_ENDPOINT_URL_S3: 'https://s3.amazonaws.com' } }
      Events: { Sms: { Type: HttpApi, Properties: { Method: POST, Path: /sms } } }
";

/// Puts the event's object, and returns where and with which status.
const PROGRAM: &str = r#"
import json, os, urllib.request
base = f"http://{os.environ['AWS_LAMBDA_RUNTIME_API']}/2018-06-01/runtime/invocation/"
while True:
    with urllib.request.urlopen(base + "next") as answer:
        identity, event = answer.headers["Lambda-Runtime-Aws-Request-Id"], json.load(answer)
    url = os.environ["AWS_ENDPOINT_URL_S3"] + "/photos/a.png"
    request = urllib.request.Request(url, data=event["body"].encode(), method="PUT")
    with urllib.request.urlopen(request) as put:
        result = {"url": url, "status": put.status}
    urllib.request.urlopen(base + identity + "/response", data=json.dumps(result).encode()).read()
"#;

type Puts = Arc<Mutex<Vec<String>>>;

/// A server that plays S3: takes every object. Its URL, and what it took.
async fn s3() -> (String, Puts) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let puts = Puts::default();
    let taken = Arc::clone(&puts);
    let put = move |method: Method, uri: Uri, body: Bytes| {
        let body = String::from_utf8_lossy(&body).into_owned();
        taken.lock().unwrap().push(format!("{method} {uri} {body}"));
        std::future::ready(())
    };
    let router = Router::new().fallback(put);
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    (url, puts)
}

fn in_process() -> Function {
    Function::new("Keep", |variables| {
        let url = format!("{}/photos/a.png", variables["AWS_ENDPOINT_URL_S3"]);
        let web = reqwest::Client::builder().no_proxy().tls_certs_only([]).build();
        let web = web.map_err(BuildError::from)?;
        let keep = move |Json(event): Json<Value>| {
            let body = event["body"].as_str().unwrap_or_default().to_owned();
            let (put, url) = (web.put(&url).body(body), url.clone());
            async move {
                let put = put.send().await.unwrap();
                Json(json!({ "url": url, "status": put.status().as_u16() }))
            }
        };
        Ok(Router::new().route("/events", post(keep)))
    })
}

async fn puts_an_object(function: Function, folder: &Folder) {
    let (url, puts) = s3().await;
    let settings = format!("{SETTINGS}[services]\ns3 = \"{url}\"\n");
    let (template, settings) = (testing::template(TEMPLATE), testing::settings(&settings));
    let backend = Backend::new(vec![function], template, settings, folder.path()).unwrap();
    let text = format!(
        "name: test\nsteps:\n  - invoke: Keep\n    event: {{ body: a picture }}\n    \
         result: {{ url: \"{url}/photos/a.png\", status: 200 }}\n"
    );
    let scenarios = read(&[folder.write("scenario.yaml", text)]);
    let scenarios = scenarios.unwrap_or_else(|errors| panic!("{}", errors[0]));
    assert_passed(&Runner::new(backend, Options::default()).run(&scenarios[0]).await);
    assert_eq!(*puts.lock().unwrap(), ["PUT /photos/a.png a picture"]);
}

#[tokio::test]
async fn a_router_finds_a_service_and_the_templates_address_does_not_count() {
    puts_an_object(in_process(), &Folder::new()).await;
}

#[tokio::test]
async fn a_process_finds_a_service_and_the_templates_address_does_not_count() {
    let folder = Folder::new();
    let Some(program) = python() else { return };
    let executable = Executable {
        program,
        arguments: vec![folder.write("keep.py", PROGRAM).display().to_string()],
        folder: folder.path().to_owned(),
        world_clock: None,
    };
    puts_an_object(Function::lambda("Keep", executable), &folder).await;
}
