//! Worlds that are described in code.

use axum::{
    Router,
    routing::{get, post},
};
use rehearse_world::{Environment, World, WorldError};

fn twiml(text: &str) -> ([(&'static str, &'static str); 1], String) {
    let body = format!("<Response><Message>{text}</Message></Response>");
    ([("content-type", "text/xml")], body)
}

fn greeter() -> Router {
    Router::new().route("/sms", post(|| async { twiml("Hello") }))
}

async fn body(url: String) -> reqwest::Result<String> {
    let client = reqwest::Client::builder().no_proxy().build()?;
    client.get(url).send().await?.text().await
}

#[tokio::test]
async fn a_router_is_reached_through_the_gateway() {
    let world = World::builder().function("Greeter", greeter()).start().await.unwrap();
    let url = world.gateway().unwrap().url();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let response = client.post(format!("{url}/sms")).send().await.unwrap();
    assert!(response.text().await.unwrap().contains("Hello"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_closure_sees_where_the_fakes_are_and_the_variables_of_the_test() {
    let build = |environment: &Environment| {
        let line = format!("{} {}", environment["OPENAI_BASE_URL"], environment["COLOUR"]);
        Router::new().route("/", get(move || async move { line }))
    };
    let world = World::builder().function("F", build).env("COLOUR", "green").start().await.unwrap();
    let expected = format!("{}/caller/F-1/v1 green", world.endpoints().openai);
    assert_eq!(body(format!("{}/", world.gateway().unwrap().url())).await.unwrap(), expected);
}

#[tokio::test]
async fn functions_divide_the_paths() {
    let says = |text: &'static str| Router::new().fallback(get(move || async move { text }));
    let world = World::builder()
        .function("Rest", says("rest"))
        .function_at("/state", "State", says("state"))
        .start()
        .await
        .unwrap();
    let url = world.gateway().unwrap().url();
    for (path, expected) in
        [("/", "rest"), ("/other/a", "rest"), ("/state", "state"), ("/state/a", "state")]
    {
        assert_eq!(body(format!("{url}{path}")).await.unwrap(), expected, "{path}");
    }
}

#[tokio::test]
async fn business_time_stands_still_where_it_is_set() {
    let world = World::builder().now("2026-02-10T15:10:00-05:00").start().await.unwrap();
    assert_eq!(world.clock().now().to_string(), "2026-02-10T20:10:00Z");
}

#[tokio::test]
async fn what_cannot_be_used_is_an_error_that_says_so() {
    let error = World::builder().now("yesterday").start().await.unwrap_err();
    assert!(matches!(&error, WorldError::Time { text, .. } if text == "yesterday"), "{error}");
    let error = World::builder().function("F", greeter()).webhook("sms").start().await.unwrap_err();
    assert!(matches!(&error, WorldError::Route(_)), "{error}");
    let fails = |_: &Environment| Err::<Router, _>("no TOKEN");
    let error = World::builder().function("F", fails).start().await.unwrap_err();
    assert_eq!(error.with_causes(), "failed to start the function F: no TOKEN");
    let twice = World::builder().function("A", greeter()).function("B", greeter());
    let error = twice.start().await.unwrap_err().with_causes();
    assert!(error.contains("A and B both serve /"), "{error}");
}

#[tokio::test]
async fn a_world_that_is_dropped_with_a_round_that_nobody_asked_for_panics_with_a_report() {
    let world = World::builder().start().await.unwrap();
    world.openai().when("Book me").say("Done").mount();
    let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drop(world)));
    let text = panic.unwrap_err().downcast::<String>().unwrap();
    assert!(text.contains("Book me"), "{text}");
}

#[tokio::test]
async fn a_world_without_verification_may_be_dropped_with_unmet_expectations() {
    let world = World::builder().without_verification().start().await.unwrap();
    world.openai().when("Book me").say("Done").mount();
    assert!(world.verify().is_err(), "told when asked");
    world.openai().when("Book me").say("Done").mount();
    drop(world);
}
