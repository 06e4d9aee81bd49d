//! Scripts over HTTP.

use serde_json::json;

use super::support::{Running, asking, persona};
use crate::ClientError;

#[tokio::test]
async fn a_script_answers_its_text_and_says_what_is_unmet() {
    let running = Running::with(asking(), None).await;
    let body = "
text: Book me
model:
  - sees: { input: Book me }
    call: { look_up: {} }
  - sees: { results: [{ id: { any: string } }] }
    save: { ref: 'results[0].id' }
    say: 'Done, {{ ref }}.'
";
    let armed = running.ok("POST", "/scripts", body).await;
    assert_eq!(
        (&armed["id"], &armed["name"], &armed["met"]),
        (&json!(1), &json!("script 1"), &json!(false))
    );
    assert_eq!(armed["unmet"].as_array().unwrap().len(), 2);
    let report = "script 1, text: Book me\n  model round 1: never reached\n";
    assert!(armed["report"].as_str().unwrap().starts_with(report), "{}", armed["report"]);

    assert_eq!(running.reply("Book me").await, "Done, L1.");
    let met = running.ok("GET", "/scripts/1", "").await;
    assert_eq!(
        (&met["met"], &met["report"], &met["reached"]),
        (&json!(true), &json!(null), &json!([1, 2]))
    );
    assert_eq!(met["saved"], json!({ "ref": "L1" }));

    // A later script uses what this one has saved.
    running
        .ok("POST", "/scripts", r#"{"text": "Which?", "model": [{"say": "It is {{ ref }}."}]}"#)
        .await;
    assert_eq!(running.reply("Which?").await, "It is L1.");
    let all = running.ok("GET", "/scripts", "").await;
    assert_eq!((&all["met"], all["scripts"].as_array().unwrap().len()), (&json!(true), 2));
}

#[tokio::test]
async fn a_request_that_is_not_as_expected_is_reported_as_scenarios_report_it() {
    let running = Running::with(asking(), None).await;
    let body = "{ text: Hi, model: [{ sees: { input: Bye }, say: Hello }] }";
    let id = running.client.arm_script(body).await.unwrap().id;
    assert_eq!(running.reply("Hi").await, "Sorry.");
    let script = running.client.remove_script(id).await.unwrap();
    let report = script.report.unwrap();
    for part in [
        "model round 1: the request is not what it expected",
        "expected  something with \"Bye\"",
        "came  \"Hi\"",
    ] {
        assert!(report.contains(part), "{report}");
    }
    assert_eq!(script.unmet[0].round, Some(1));
    assert_eq!(script.unmet[0].request.as_ref().unwrap().operation, "openai.chat");

    // And one that no script is for.
    assert_eq!(running.reply("Anything else").await, "Sorry.");
    let all = running.client.scripts().await.unwrap();
    assert!(!all.met && all.report.unwrap().contains("requests that no script is for"));
    assert_eq!(all.unexpected[0].request.as_ref().unwrap().text, "Anything else");
    let all = running.client.remove_scripts().await.unwrap();
    assert!(!all.met);
    assert!(running.client.scripts().await.unwrap().met, "told and forgotten");
}

#[tokio::test]
async fn an_armed_script_wins_over_the_persona_until_it_is_removed() {
    let running = Running::with(asking(), None).await;
    running.world.openai().set_persona(Some(persona("I am Linda.")));
    assert_eq!(running.reply("Hi").await, "I am Linda.");
    for from in ["", r#""from": "customer", "#] {
        let body = format!(r#"{{"text": "Hi", {from}"model": [{{"say": "Scripted."}}]}}"#);
        let id = running.client.arm_script(&body).await.unwrap().id;
        assert_eq!(running.reply("Hi").await, "Scripted.");
        assert_eq!(running.reply("Something else").await, "I am Linda.");
        assert!(running.client.remove_script(id).await.unwrap().met);
        assert_eq!(running.reply("Hi").await, "I am Linda.");
    }
    let any = running.client.arm_script("{ model: [{ say: To any text. }] }").await.unwrap();
    assert_eq!(any.text, None);
    assert_eq!(running.reply("Whatever").await, "To any text.");
}

#[tokio::test]
async fn the_model_fails_as_a_script_says() {
    let running = Running::with(asking(), None).await;
    for fail in ["503", "malformed", "{ cut: mid-stream }", "{ status: 429, retry_after: 1 }"] {
        let body = format!("{{ text: Hi, model: [{{ fail: {fail}, say: Hello }}] }}");
        running.client.arm_script(&body).await.unwrap();
        assert_eq!(running.reply("Hi").await, "Sorry.", "{fail}");
    }
    assert!(running.client.remove_scripts().await.unwrap().met);
}

#[tokio::test]
async fn a_wrong_script_is_refused_with_its_place() {
    let running = Running::with(asking(), None).await;
    for (body, says) in [
        ("text: Hi\nmodel:\n  - sya: Hello\n", "body:3:5"),
        ("text: Hi\nmodel: []\n", "needs at least one round"),
        ("text: Hi\nmodel: [{ say: '{{ nobody }}' }]\n", "unknown name 'nobody'"),
        ("from: custmer\nmodel: [{ say: Hello }]\n", "did you mean 'customer'?"),
        ("{\"text\": 1", "body"),
        ("", ""),
        ("[]", "is needed here"),
    ] {
        let (status, error) = running.raw("POST", "/scripts", body).await;
        assert_eq!(status, 400, "{body}");
        assert!(error.error.contains(says), "{body}\n{}", error.error);
    }
    let error = running.client.remove_script(7).await.unwrap_err();
    assert!(matches!(error, ClientError::Refused { status: 404, .. }), "{error}");
    assert_eq!(running.raw("GET", "/scripts/one", "").await.0, 400);
    assert_eq!(running.raw("GET", "/scripts/1", "").await.0, 404);
    assert!(running.client.scripts().await.unwrap().scripts.is_empty());
}

#[tokio::test]
async fn a_reset_forgets_scripts_and_what_they_saved() {
    let running = Running::with(asking(), None).await;
    let body = "{ text: Hi, model: [{ call: { look_up: {} } }, { save: { ref: 'results[0].id' }, say: Hello }] }";
    running.client.arm_script(body).await.unwrap();
    assert_eq!(running.reply("Hi").await, "Hello");
    running.client.reset().await.unwrap();
    assert!(running.client.scripts().await.unwrap().scripts.is_empty());
    assert_eq!(running.reply("Hi").await, "Sorry.");
    let (status, error) =
        running.raw("POST", "/scripts", "{ model: [{ say: '{{ ref }}' }] }").await;
    assert!(status == 400 && error.error.contains("unknown name 'ref'"), "{error:?}");
    let next = running.client.arm_script("{ model: [{ say: '{{ customer }}' }] }").await.unwrap();
    assert_eq!(next.id, 2, "an id is never used again");
    assert_eq!(running.reply("Hi").await, super::CUSTOMER);
}
