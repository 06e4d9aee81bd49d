//! Starting, failing to start, and stopping.

use std::time::Duration;
use std::{collections::BTreeMap, net::TcpListener, path::Path};

use axum::{Router, routing::get};
use jiff::Timestamp;

use super::*;
use rehearse_aws::{
    Function,
    template::{Endpoints, Ports, Template},
};
use rehearse_core::clock::Clock;
use rehearse_testutils::{self as testing, SETTINGS};

const ENVIRONMENT: &str = r#"
[environment]
MODEL = "{openai}/v1"
NAME = "{function}"
"#;

fn template(route: &str) -> Template {
    testing::template(&format!(
        "Resources:\n  One:\n    Type: AWS::Serverless::Function\n    Properties:\n      Environment: {{ Variables: {{ A: template, B: template }} }}\n      Events:\n        Get: {{ Type: HttpApi, Properties: {{ Method: GET, Path: {route} }} }}\n"
    ))
}

fn function(id: &str) -> Function {
    Function::new(id, |vars: &BTreeMap<String, String>| {
        let text = format!("{vars:?}");
        Ok(Router::new().route("/sms", get(move || async move { text })))
    })
}

fn backend(functions: Vec<Function>, route: &str) -> Result<Backend, WorldError> {
    let settings = testing::settings(&format!("{SETTINGS}{ENVIRONMENT}"));
    Backend::new(functions, template(route), settings, Path::new("."))
}

fn config(bind: Bind) -> WorldConfig {
    let backend = backend(vec![function("One")], "/sms").unwrap();
    let environment = BTreeMap::from([("B".to_owned(), "scenario".to_owned())]);
    let clock = Clock::stopped(Timestamp::UNIX_EPOCH);
    WorldConfig { bind, environment, ..WorldConfig::new(backend, clock) }
}

#[tokio::test]
async fn a_function_sees_template_settings_and_the_scenario() {
    let config = config(Bind::Free);
    let web = config.backend.web().clone();
    let world = World::start(config).await.unwrap();
    let url = format!("{}/sms", world.endpoints().gateway);
    let seen = web.get(url).send().await.unwrap().text().await.unwrap();
    for part in [r#""A": "template""#, r#""B": "scenario""#, r#""NAME": "One""#] {
        assert!(seen.contains(part), "{seen}");
    }
    assert!(seen.contains(&format!(r#""MODEL": "{}/v1""#, world.endpoints().openai)), "{seen}");
    assert_eq!(world.environments()["One"]["B"], "scenario");
}

#[tokio::test]
async fn the_number_calls_the_webhook_of_the_settings() {
    let world = World::start(config(Bind::Free)).await.unwrap();
    let gateway = &world.endpoints().gateway;
    assert_eq!(world.twilio().config().webhook_url, Some(format!("{gateway}/sms")));
    assert_eq!(world.twilio().config().fallback_url, None);
}

#[tokio::test]
async fn a_named_stage_and_a_custom_domain_are_in_the_webhooks_url() {
    let api = |properties: &str| {
        testing::template(&format!(
            "Resources:
  Web: {{ Type: AWS::Serverless::HttpApi, Properties: {{ {properties} }} }}
  One:
    Type: AWS::Serverless::Function
    Properties: {{ Events: {{ E: {{ Type: HttpApi, Properties: {{ ApiId: !Ref Web, Path: /sms }} }} }} }}
"
        ))
    };
    let config = |properties: &str, domain: &str| {
        let settings = SETTINGS.replace("[webhook]", &format!("[webhook]\n{domain}"));
        let (one, settings) = (vec![function("One")], testing::settings(&settings));
        let backend = Backend::new(one, api(properties), settings, Path::new("."))?;
        Ok::<_, WorldError>(WorldConfig::new(backend, Clock::stopped(Timestamp::UNIX_EPOCH)))
    };
    let world = World::start(config("StageName: prod", "").unwrap()).await.unwrap();
    let url = Some(format!("{}/prod/sms", world.endpoints().gateway));
    assert_eq!(world.twilio().config().webhook_url, url);
    let with = "Domain: { DomainName: a.example, BasePath: [v1] }";
    let world = World::start(config(with, "domain = \"A.example\"").unwrap()).await.unwrap();
    let url = Some("https://a.example/v1/sms".to_owned());
    assert_eq!(world.twilio().config().webhook_url, url);
    let error = config(with, "domain = \"b.example\"").unwrap_err().to_string();
    assert!(
        error.ends_with("no domain b.example, which [webhook] names (it has a.example)"),
        "{error}"
    );
}

#[tokio::test]
async fn throttling_may_be_turned_off() {
    let text = "Globals: { HttpApi: { DefaultRouteSettings: { ThrottlingBurstLimit: 0 } } }
Resources:
  One:
    Type: AWS::Serverless::Function
    Properties: { Events: { E: { Type: HttpApi, Properties: { Path: /sms } } } }
";
    let settings = testing::settings(SETTINGS);
    let one = vec![function("One")];
    let backend = Backend::new(one, testing::template(text), settings, Path::new(".")).unwrap();
    for (throttling, status) in [(true, 429), (false, 200)] {
        let clock = Clock::stopped(Timestamp::UNIX_EPOCH);
        let config = WorldConfig { throttling, ..WorldConfig::new(backend.clone(), clock) };
        let world = World::start(config).await.unwrap();
        let url = format!("{}/sms", world.endpoints().gateway);
        assert_eq!(backend.web().get(url).send().await.unwrap().status(), status);
    }
}

#[tokio::test]
async fn a_dropped_world_gives_its_ports_back() {
    let world = World::start(config(Bind::Free)).await.unwrap();
    let endpoints = world.endpoints().clone();
    drop(world);
    let Endpoints { gateway, twilio, openai, dynamodb, secrets, lambda } = endpoints;
    for url in [gateway, twilio, openai, dynamodb, secrets, lambda] {
        let address = url.strip_prefix("http://").unwrap();
        // The servers end on threads of their own, which nothing tells of; the limit is for a hang.
        let free = async {
            while TcpListener::bind(address).is_err() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), free).await.expect(address);
    }
}

#[tokio::test]
async fn a_world_takes_the_ports_that_it_is_told_or_says_which_is_taken() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let gateway = taken.local_addr().unwrap().port();
    let ports =
        Ports { gateway, twilio: 0, openai: 0, dynamodb: 0, control: 0, secrets: 0, lambda: 0 };
    let error = World::start(config(Bind::Fixed(ports))).await.unwrap_err();
    assert!(matches!(error, WorldError::Busy { part: "gateway", port, .. } if port == gateway));
    drop(taken);
    let world = World::start(config(Bind::Fixed(ports))).await.unwrap();
    assert_eq!(world.endpoints().gateway, format!("http://127.0.0.1:{gateway}"));
}

#[test]
fn code_and_template_must_name_the_same_functions() {
    for (functions, route, says) in [
        (vec![], "/sms", "the template's function One has no code (code: none)"),
        (vec![function("One"), function("Two")], "/sms", "Two is not in the template"),
        (vec![function("One")], "/other", "no function of the template has the route POST /sms"),
    ] {
        let error = backend(functions, route).unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
    }
}

#[tokio::test]
async fn a_function_that_does_not_start_is_named_with_its_reason() {
    let failing = Function::new("One", |_: &BTreeMap<String, String>| Err("no TOKEN".into()));
    let backend = backend(vec![failing], "/sms").unwrap();
    let clock = Clock::stopped(Timestamp::UNIX_EPOCH);
    let error = World::start(WorldConfig::new(backend, clock)).await.unwrap_err();
    assert_eq!(error.with_causes(), "failed to start the function One: no TOKEN");
}
