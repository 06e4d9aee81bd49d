//! Faults over HTTP.

use serde_json::json;

use super::support::{Running, asking};

#[tokio::test]
async fn a_fault_in_the_words_of_scenarios_strikes_and_is_counted() {
    let running = Running::with(asking(), None).await;
    running.client.arm_script("{ model: [{ say: Hello }] }").await.unwrap();
    for fail in ["{ cut: mid-stream }", "malformed", "503", "{ as: malformed, delay: 1ms }"] {
        let armed = running
            .client
            .arm_faults(&format!("{{ on: openai.chat, fail: {fail}, times: 1 }}"))
            .await;
        let id = armed.unwrap().faults[0].id;
        assert_eq!(running.reply("Hi").await, "Sorry.", "{fail}");
        assert_eq!(running.reply("Hi").await, "Hello", "{fail}");
        let fault = running.ok("GET", &format!("/faults/{id}"), "").await;
        assert_eq!(
            (&fault["matched"], &fault["injected"], &fault["spent"]),
            (&json!(1), &json!(1), &json!(true))
        );
        assert_eq!(running.client.disarm_fault(id).await.unwrap().injected, 1);
        assert_eq!(running.raw("GET", &format!("/faults/{id}"), "").await.0, 404);
    }
    assert!(running.client.faults().await.unwrap().faults.is_empty());
}

#[tokio::test]
async fn a_list_of_faults_is_armed_and_one_of_them_disarmed() {
    let running = Running::start().await;
    let body = "faults:\n  - { on: webhook.sms, fail: 503, chance: 1 }\n  - { on: dynamodb.Query, table: Leads, key: { id: '{{ customer }}' }, fail: stale, skip: 2 }\n";
    let armed = running.client.arm_faults(body).await.unwrap().faults;
    assert_eq!(armed.len(), 2);
    assert_eq!((armed[0].chance, armed[1].skip), (Some(1.0), 2));
    assert_eq!(armed[1].target.key["id"], json!(super::CUSTOMER));
    assert_eq!(running.hello().await.attempts[0].status, Some(503));
    let listed = running.client.faults().await.unwrap().faults;
    assert_eq!((listed[0].injected, listed[1].injected), (1, 0));
    running.client.disarm_fault(armed[0].id).await.unwrap();
    assert_eq!(running.hello().await.attempts[0].status, Some(200));
    assert_eq!(running.client.faults().await.unwrap().faults.len(), 1);
    running.client.disarm_faults().await.unwrap();
    assert!(running.client.faults().await.unwrap().faults.is_empty());
}

#[tokio::test]
async fn wrong_faults_arm_nothing_and_say_where_they_are_wrong() {
    let running = Running::start().await;
    for (body, says) in [
        ("{ on: webhook.smss, fail: 503 }", "did you mean 'webhook.sms'?"),
        ("{ on: webhook.sms, fail: { cut: mid-stream } }", "cannot happen to webhook.sms"),
        ("{ on: webhook.sms, fail: 503, chance: 0 }", "above 0"),
        ("{ on: webhook.sms, fail: 503, chanse: 1 }", "unknown key `chanse`"),
        ("{ on: dynamodb.Query, table: Lead, fail: stale }", "did you mean 'Leads'?"),
        (
            "faults:\n  - { on: webhook.sms, fail: 503 }\n  - { on: nothing, fail: 503 }\n",
            "body:3:11",
        ),
        (
            r#"{"on": "openai.chat", "failure": {"status": 503}, "chance": 1}"#,
            "unknown field `chance`",
        ),
        (r#"{"on": "webhook.sms", "failure": {"cut": "mid-stream"}}"#, "cannot happen to"),
    ] {
        let (status, error) = running.raw("POST", "/faults", body).await;
        assert!(status == 400 && error.error.contains(says), "{body}\n{}", error.error);
    }
    assert!(running.client.faults().await.unwrap().faults.is_empty());
    let (status, error) = running.raw("DELETE", "/faults/3", "").await;
    assert!(status == 404 && error.help.unwrap().contains("none is armed"));
}
