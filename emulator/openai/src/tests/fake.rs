//! The fake alone, as a test of a backend uses it.

use std::panic::{AssertUnwindSafe, catch_unwind};

use async_openai::{
    Client,
    config::OpenAIConfig,
    types::responses::{CreateResponse, OutputItem},
};
use rehearse_core::errors::panic_message;
use serde_json::{Value, json};

use super::support::{request, user, web};
use crate::{CutPoint, FakeOpenAi, Round, RoundFailure};

/// A small backend: it asks the model with the client that backends use and runs every tool as
/// `{"ok": true}` until the model answers with a text.
async fn backend(openai: &FakeOpenAi, text: &str) -> Result<String, String> {
    let config = OpenAIConfig::default().with_api_base(openai.url()).with_api_key(openai.api_key());
    let client = Client::with_config(config).with_http_client(web());
    let mut history = vec![user(text)];
    loop {
        let body: CreateResponse = serde_json::from_value(request(json!(history))).unwrap();
        let response = client.responses().create(body).await.map_err(|e| e.to_string())?;
        if let Some(text) = response.output_text() {
            return Ok(text);
        }
        history.extend(response.output.iter().map(|item| serde_json::to_value(item).unwrap()));
        for item in &response.output {
            if let OutputItem::FunctionCall(call) = item {
                history.push(json!({
                    "type": "function_call_output",
                    "call_id": call.call_id,
                    "output": "{\"ok\":true}"
                }));
            }
        }
    }
}

/// The message with which dropping the fake panics.
fn panic_on_drop(openai: FakeOpenAi) -> Option<String> {
    catch_unwind(AssertUnwindSafe(|| drop(openai))).err().map(|panic| panic_message(&*panic))
}

fn list_bookings() -> (&'static str, Value) {
    ("list_bookings", json!({}))
}

fn availability(date: &str) -> (&'static str, Value) {
    ("check_availability", json!({ "date": date }))
}

#[tokio::test]
async fn a_script_leads_the_real_client_through_a_turn() {
    let openai = FakeOpenAi::start().await.unwrap();
    let (tool, arguments) = availability("2026-02-11");
    openai.when("Book me").call(tool, arguments).say("Done").mount();
    assert_eq!(backend(&openai, "Book me for tomorrow").await.unwrap(), "Done");
    assert_eq!(openai.journal().since(0).len(), 2);
    assert_eq!(openai.verify(), Ok(()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_script_works_on_a_multi_thread_runtime() {
    let openai = FakeOpenAi::start().await.unwrap();
    openai.when("Hi").say("Hello").mount();
    assert_eq!(backend(&openai, "Hi").await.unwrap(), "Hello");
}

#[tokio::test]
async fn dropping_panics_with_rounds_never_reached_and_unexpected_requests() {
    let openai = FakeOpenAi::start().await.unwrap();
    openai.when("Book me").call("list_bookings", json!({})).say("Done").mount();
    let error = backend(&openai, "Hello").await.unwrap_err();
    assert!(error.contains("none of the 1 armed scripts is for"), "{error}");
    assert_eq!(
        panic_on_drop(openai).unwrap(),
        r#"the OpenAI fake has 3 unmet expectations

when("Book me")
  model round 1: never reached
    expected  { call: [{ list_bookings: {} }] }
        came  nothing

  model round 2: never reached
    expected  { say: "Done" }
        came  nothing

  model: the model was asked something that none of the 1 armed scripts is for
    expected  nothing
        came  openai.responses: "Hello"
              tools: check_availability, list_bookings
    nearest: when("Book me"), round 1: { call: [{ list_bookings: {} }] }
    text: expected "Book me", got "Hello""#
    );
}

#[tokio::test]
async fn dropping_panics_with_the_mismatches_of_a_request() {
    let openai = FakeOpenAi::start().await.unwrap();
    openai
        .when("Hi")
        .calls([list_bookings()])
        .sees(json!({ "results": [{ "ok": false }] }))
        .say("Sorry")
        .mount();
    backend(&openai, "Hi").await.unwrap_err();
    assert_eq!(
        panic_on_drop(openai).unwrap(),
        r#"the OpenAI fake has 1 unmet expectation

when("Hi")
  model round 2: the request is not what it expected
    results[0].ok
      expected  false
          came  true
    nearest: when("Hi"), round 1: { call: [{ list_bookings: {} }] }"#
    );
}

#[tokio::test]
async fn what_was_verified_is_not_reported_again_on_drop() {
    let openai = FakeOpenAi::start().await.unwrap();
    openai.when("Hi").say("Hello").mount();
    let unmet = openai.verify().unwrap_err();
    assert_eq!(unmet.list()[0].title, "never reached");
    assert_eq!(panic_on_drop(openai), None);
}

#[tokio::test]
async fn dropping_without_verification_does_not_panic() {
    let openai = FakeOpenAi::start().await.unwrap().without_verification();
    openai.when("Hi").say("Hello").mount();
    assert_eq!(panic_on_drop(openai), None);
}

#[tokio::test]
async fn dropping_during_a_panic_does_not_abort() {
    let openai = FakeOpenAi::start().await.unwrap();
    openai.when("Hi").say("Hello").mount();
    let panic = catch_unwind(AssertUnwindSafe(move || {
        let _openai = openai;
        panic!("the test's own panic");
    }));
    assert_eq!(panic_message(&*panic.unwrap_err()), "the test's own panic");
}

#[tokio::test]
async fn an_equal_text_beats_a_contained_one_and_that_beats_any_text() {
    let openai = FakeOpenAi::start().await.unwrap();
    openai.when_any().say("any").mount();
    openai.when("Yes").say("contained").mount();
    openai.when("Yes please").say("equal").mount();
    assert_eq!(backend(&openai, "Yes please").await.unwrap(), "equal");
    assert_eq!(backend(&openai, "Yes, at two").await.unwrap(), "contained");
    assert_eq!(backend(&openai, "No").await.unwrap(), "any");
}

#[tokio::test]
async fn different_scripts_for_the_same_text_are_ambiguous() {
    let openai = FakeOpenAi::start().await.unwrap().without_verification();
    openai.when("Yes").say("one").mount();
    openai.when("please").say("two").mount();
    let error = backend(&openai, "Yes please").await.unwrap_err();
    let expected = r#"when("Yes") and when("please") fit this request equally"#;
    assert!(error.contains(expected), "{error}");
}

#[tokio::test]
async fn a_turn_can_be_played_again_with_the_same_responses() {
    let openai = FakeOpenAi::start().await.unwrap();
    let dates = [availability("2026-02-11"), availability("2026-02-12")];
    openai.when("Hi").calls(dates).call("list_bookings", json!({})).say("Done").mount();
    for _ in 0..3 {
        assert_eq!(backend(&openai, "Hi").await.unwrap(), "Done");
    }
    assert_eq!(openai.journal().since(0).len(), 9);
}

#[tokio::test]
async fn failures_happen_as_often_as_they_say_and_then_the_next_round_follows() {
    let openai = FakeOpenAi::start().await.unwrap();
    let cut = RoundFailure { cut: Some(CutPoint::Before), ..RoundFailure::default() };
    openai
        .when("Hi")
        .fail(503)
        .fail(500)
        .times(2)
        .round(Round { fail: Some(cut), say: Some("Hello".into()), ..Round::default() })
        .mount();
    // The client repeats requests that fail.
    let mut answer = backend(&openai, "Hi").await;
    if answer.is_err() {
        answer = backend(&openai, "Hi").await;
    }
    assert_eq!(answer.unwrap(), "Hello");
    let statuses: Vec<Option<u16>> = openai
        .journal()
        .since(0)
        .into_iter()
        .map(|exchange| exchange.outcome.unwrap().status)
        .collect();
    assert_eq!(statuses, [Some(503), Some(500), Some(500), None, Some(200)]);
}

#[tokio::test]
async fn a_script_is_for_its_text_alone_when_the_person_is_identified() {
    let openai = FakeOpenAi::start().await.unwrap().without_verification();
    openai.when("Hi").say("Hello").mount();
    let ask = async |text: &str| {
        let mut body = request(json!([user(text)]));
        body["safety_identifier"] = json!("person-1");
        let call = web().post(format!("{}/responses", openai.url())).bearer_auth(openai.api_key());
        call.json(&body).send().await.unwrap().status().as_u16()
    };
    assert_eq!((ask("Hi").await, ask("Bye").await), (200, 400));
}

#[tokio::test]
async fn tools_that_a_round_expects_must_be_offered() {
    let openai = FakeOpenAi::start().await.unwrap();
    openai.when("Hi").expect_tools(["list_bookings", "fly"]).say("Hello").mount();
    backend(&openai, "Hi").await.unwrap_err();
    let unmet = openai.verify().unwrap_err();
    let mismatch = &unmet.list()[0].mismatches[0];
    assert_eq!((mismatch.path.as_str(), mismatch.expected.as_str()), ("tools", "fly"));
}

#[tokio::test]
#[should_panic(expected = "a script needs at least one round")]
async fn a_script_without_rounds_cannot_be_mounted() {
    FakeOpenAi::start().await.unwrap().when("Hi").mount();
}

#[tokio::test]
#[should_panic(expected = "the arguments of 'f' must be an object, not 3")]
async fn arguments_must_be_an_object() {
    FakeOpenAi::start().await.unwrap().when("Hi").call("f", json!(3)).mount();
}

#[tokio::test]
#[should_panic(expected = "invalid expectation: unknown")]
async fn an_expectation_must_have_known_keys() {
    FakeOpenAi::start().await.unwrap().when("Hi").sees(json!({ "modle": "a" })).mount();
}

#[tokio::test]
#[should_panic(expected = "`times` must follow a failure")]
async fn times_must_follow_a_failure() {
    FakeOpenAi::start().await.unwrap().when("Hi").say("Hello").times(2).mount();
}

#[tokio::test]
#[should_panic(expected = "an expectation must be followed by the round that responds")]
async fn an_expectation_needs_a_round() {
    FakeOpenAi::start().await.unwrap().when("Hi").say("a").expect_tools(["f"]).mount();
}
