//! Starting, failing to start, and stopping.

use std::{
    collections::BTreeMap,
    net::TcpListener,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    http::{HeaderMap, Uri},
    routing::{get, post},
};
use jiff::{SignedDuration, Timestamp};

use super::*;
use rehearse_aws::{
    Function,
    template::{Endpoints, Ports, Template},
};
use rehearse_core::{
    clock::Clock,
    faults::{Failure, Fault},
    serve::Serving,
    table::{AttributeKind, TableSpec},
};
use rehearse_openai::HoldRule;
use rehearse_testutils::{self as testing, SETTINGS, until, until_true};
use rehearse_twilio::Inbound;

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
    // The path of its own by which its calls are known.
    let model = format!(r#""MODEL": "{}/caller/One-1/v1""#, world.endpoints().openai);
    assert!(seen.contains(&model), "{seen}");
    assert_eq!(world.environments()["One"]["B"], "scenario");
}

#[tokio::test]
async fn the_fake_openai_knows_the_models_of_the_settings_besides_its_own() {
    let own = "[openai]\nmodels = [\"our-own\"]\n";
    let settings = testing::settings(&format!("{own}{SETTINGS}{ENVIRONMENT}"));
    let backend =
        Backend::new(vec![function("One")], template("/sms"), settings, Path::new(".")).unwrap();
    let config = WorldConfig {
        bind: Bind::Free,
        ..WorldConfig::new(backend, Clock::stopped(Timestamp::UNIX_EPOCH))
    };
    let web = config.backend.web().clone();
    let world = World::start(config).await.unwrap();
    for (model, status) in [("our-own", 200), ("gpt-6-luna", 200), ("nobodys", 404)] {
        let url = format!("{}/v1/models/{model}", world.endpoints().openai);
        let response = web.get(url).bearer_auth("sk-rehearse").send().await.unwrap();
        assert_eq!(response.status().as_u16(), status, "{model}");
    }
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
async fn a_backend_at_a_url_is_called_there_and_signed_for_its_domain() {
    let external = |url: &str, domain: &str| {
        let settings = SETTINGS.replace(
            "[webhook]",
            &format!(
                "[webhook]\noverrides = \"#rc=2\"\nfallback = \"/other\"\ndomain = \"{domain}\""
            ),
        );
        let (template, settings) =
            (testing::template(testing::TEMPLATE), testing::settings(&settings));
        Backend::external(url.parse().unwrap(), template, settings, Path::new("."))
    };
    let seen = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&seen);
    let router = Router::new().fallback(move |uri: Uri, headers: HeaderMap| {
        let host = headers["host"].to_str().unwrap().to_owned();
        heard.lock().unwrap().push(format!("{host}{uri}"));
        async { ([("content-type", "text/xml")], "<Response/>") }
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let serving = Serving::router(listener, router).unwrap();
    for (path, url) in [
        ("/text?shop=1", "https://sms.example.com/text?shop=1#rc=2"),
        ("/text#rc=0", "https://sms.example.com/text#rc=0"),
    ] {
        let backend = external(&format!("{}{path}", serving.url()), "SMS.example.com").unwrap();
        let config = WorldConfig::new(backend, Clock::stopped(Timestamp::UNIX_EPOCH));
        let world = World::start(config).await.unwrap();
        let number = world.twilio().config();
        assert_eq!(number.webhook_url.as_deref(), Some(url));
        assert_eq!(number.fallback_url.as_deref(), Some("https://sms.example.com/other#rc=2"));
        let text = Inbound { from: "+15550123456".into(), body: "hi".into(), ..Inbound::default() };
        let delivery = world.twilio().receive(text).await;
        assert_eq!(delivery.failure, None, "{delivery:?}");
    }
    assert_eq!(*seen.lock().unwrap(), ["sms.example.com/text?shop=1", "sms.example.com/text"]);
    for wrong in ["https://sms.example.com", "sms.example.com/x", "sms.example.com:80", ""] {
        let error = external("http://127.0.0.1:3000/sms", wrong).unwrap_err().to_string();
        assert!(error.ends_with("is not a host name such as sms.example.com"), "{error}");
    }
}

#[tokio::test]
async fn a_messaging_service_of_the_settings_has_its_routes_at_the_backend() {
    let with = |service: &str| {
        let settings = testing::settings(&format!("{SETTINGS}\n[[twilio.services]]\n{service}"));
        let number = settings.twilio.number.to_string();
        (settings, number)
    };
    let seen = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&seen);
    let router = Router::new().fallback(move |uri: Uri| {
        heard.lock().unwrap().push(uri.to_string());
        async { ([("content-type", "text/xml")], "<Response/>") }
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let serving = Serving::router(listener, router).unwrap();
    let url = format!("{}/text", serving.url());
    for service in
        ["route = \"/service\"", "route = \"/service\"\nuse_inbound_webhook_on_number = true", ""]
    {
        let (_, number) = with("name = \"a\"");
        let (settings, _) = with(&format!("name = \"a\"\nnumbers = [\"{number}\"]\n{service}"));
        let sid = settings.twilio.services[0].sid();
        let template = testing::template(testing::TEMPLATE);
        let backend =
            Backend::external(url.parse().unwrap(), template, settings, Path::new(".")).unwrap();
        let config = WorldConfig::new(backend, Clock::stopped(Timestamp::UNIX_EPOCH));
        let world = World::start(config).await.unwrap();
        assert_eq!(world.twilio().config().messaging_service_sid, Some(sid));
        let text = Inbound { from: "+15550123456".into(), body: "hi".into(), ..Inbound::default() };
        let delivery = world.twilio().receive(text).await;
        assert_eq!(delivery.failure, None, "{delivery:?}");
    }
    assert_eq!(*seen.lock().unwrap(), ["/service", "/text", "/text"]);
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

#[tokio::test]
async fn two_advances_at_once_are_made_one_after_the_other() {
    let world = World::start(config(Bind::Free)).await.unwrap();
    let minutes = SignedDuration::from_mins(10);
    // Both are asked for before the first can begin.
    let firing = world.events().lock_firing().await;
    let begin = async {
        tokio::task::yield_now().await;
        drop(firing);
    };
    let both = async { tokio::join!(world.advance(minutes), world.advance(minutes), begin) };
    let (one, two, ()) = until("both advances", both).await;
    assert_eq!((one, two), (Ok(()), Ok(())));
    assert_eq!(world.clock().now().as_second(), 20 * 60);
}

#[tokio::test]
async fn a_clock_that_runs_past_a_moment_is_not_set_back_to_it() {
    let running = WorldConfig { clock: Clock::running(), ..config(Bind::Free) };
    let world = World::start(running).await.unwrap();
    let then = world.clock().now() + SignedDuration::from_hours(1);
    let firing = world.events().lock_firing().await;
    let pass = async {
        tokio::task::yield_now().await;
        world.clock().advance(SignedDuration::from_hours(3));
        drop(firing);
    };
    let both = async { tokio::join!(world.set_time(then), pass) };
    let (moved, ()) = until("the move", both).await;
    moved.unwrap();
    assert!(world.clock().now() > then + SignedDuration::from_hours(1), "{:?}", world.clock());
}

#[tokio::test]
async fn an_earlier_moment_is_set_and_no_length_goes_back() {
    let world = World::start(config(Bind::Free)).await.unwrap();
    let hour = SignedDuration::from_hours(1);
    let earlier = world.clock().now() - hour;
    world.set_time(earlier).await.unwrap();
    assert_eq!(world.clock().now(), earlier);
    assert_eq!(world.advance(-hour).await, Err(AdvanceError::Backwards));
    assert_eq!(world.advance(SignedDuration::MAX).await, Err(AdvanceError::TooFar));
    assert_eq!(world.clock().now(), earlier);
}

#[tokio::test]
async fn a_world_that_is_let_run_sends_what_was_scheduled_by_itself() {
    let number = testing::settings(SETTINGS).twilio.number.to_string();
    let settings = testing::settings(&format!(
        "{SETTINGS}\n[[twilio.services]]\nname = \"a\"\nnumbers = [\"{number}\"]"
    ));
    let service = settings.twilio.services[0].sid();
    let one = vec![function("One")];
    let backend = Backend::new(one, template("/sms"), settings, Path::new(".")).unwrap();
    let web = backend.web().clone();
    let config = WorldConfig::new(backend, Clock::stopped(Timestamp::UNIX_EPOCH));
    let world = World::start(config).await.unwrap();
    let twilio = world.twilio();
    let account = twilio.account_sid();
    let form = format!(
        "To=%2B19042520927&MessagingServiceSid={service}&Body=later&ScheduleType=fixed\
         &SendAt=1970-01-01T01%3A00%3A00Z"
    );
    let sent = web
        .post(format!("{}/2010-04-01/Accounts/{account}/Messages.json", twilio.url()))
        .basic_auth(account, Some(twilio.auth_token()))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(form);
    assert_eq!(sent.send().await.unwrap().status().as_u16(), 201);
    let mut changes = world.journal().watch();
    world.let_run();
    // Not as `World::advance` does it, which looks at what is due.
    world.clock().advance(SignedDuration::from_hours(2));
    let sent = || world.journal().exchanges().named("sms.sent").count() == 1;
    until("the message to be sent", changes.wait_for(|_| sent())).await.unwrap();
}

#[tokio::test]
async fn after_a_reset_the_clock_runs_or_stands_still_as_it_did_at_the_start() {
    for clock in [Clock::running(), Clock::stopped(Timestamp::UNIX_EPOCH)] {
        let runs = clock.is_running();
        let config = WorldConfig { clock, ..config(Bind::Free) };
        let world = Arc::new(World::start(config).await.unwrap());
        if runs {
            world.clock().freeze();
        } else {
            world.let_run();
        }
        until("the reset", world.reset()).await.unwrap();
        assert_eq!(world.clock().is_running(), runs);
    }
}

#[tokio::test]
async fn a_reset_waits_for_the_turn_whose_round_was_held() {
    let ended = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&ended);
    let build = move |environment: &BTreeMap<String, String>| {
        let url = format!("{}/chat/completions", environment["OPENAI_BASE_URL"]);
        let key = environment["OPENAI_API_KEY"].clone();
        let ended = Arc::clone(&ended);
        let turn = move || async move {
            let web = reqwest::Client::builder().no_proxy().build().unwrap();
            let body = r#"{"model":"gpt-4.1","messages":[{"role":"user","content":"Hi"}]}"#;
            let ask = web.post(url).bearer_auth(key).header("content-type", "application/json");
            let _ = ask.body(body).send().await;
            // It has something to do after the answer, as a turn that books has.
            tokio::time::sleep(Duration::from_millis(200)).await;
            ended.store(true, Ordering::SeqCst);
            ([("content-type", "text/xml")], "<Response/>")
        };
        Router::new().route("/sms", post(turn))
    };
    let world = World::builder().function("F", build).without_verification().start().await.unwrap();
    let world = Arc::new(world);
    world.openai().holding().begin(HoldRule::default());
    let texting = tokio::spawn({
        let world = Arc::clone(&world);
        async move {
            let from = "+15550123456".to_owned();
            world.twilio().receive(Inbound { from, body: "Hi".into(), ..Inbound::default() }).await
        }
    });
    let held = || !world.openai().holding().held().is_empty();
    until_true("a round to be held", held).await;
    until("the reset", world.reset()).await.unwrap();
    assert!(seen.load(Ordering::SeqCst), "the old turn goes on in the new world");
    until("the delivery to end", texting).await.unwrap();
}

#[tokio::test]
async fn a_delayed_call_to_the_database_is_waited_for_and_abandoned_by_a_reset() {
    let notes = TableSpec::new("Notes").partition_key("id", AttributeKind::String);
    let world = Arc::new(World::builder().tables([notes]).start().await.unwrap());
    let failure = Failure { delay_ms: Some(5_000), ..Failure::default() };
    world.faults().arm(Fault { on: "dynamodb.PutItem".into(), failure, ..Fault::default() });
    let puts = || world.journal().exchanges().named("dynamodb.PutItem");
    let mut changes = world.journal().watch();
    let web = reqwest::Client::builder().no_proxy().build().unwrap();
    let put = web
        .post(world.endpoints().dynamodb.as_str())
        .header("x-amz-target", "DynamoDB_20120810.PutItem")
        .body(r#"{"TableName":"Notes","Item":{"id":{"S":"a"}}}"#);
    tokio::select! {
        biased;
        _ = changes.wait_for(|_| puts().count() == 1) => {}
        _ = put.send() => panic!("it is delayed"),
    }
    // Its end in the journal comes after its delay has begun.
    let abandoned = changes.wait_for(|_| puts().last().is_some_and(|put| put.outcome.is_some()));
    until("the end of the abandoned call", abandoned).await.unwrap();

    let unsettled = world.settled_within(Duration::from_millis(1)).await.unwrap_err();
    let says = "a delayed call to the database was still outstanding after 1ms";
    assert_eq!(unsettled.to_string(), says);
    until("the reset", world.reset()).await.unwrap();
    until("the world to settle", world.settled()).await.unwrap();
}
