//! Waiting for texts, delivering them again, and what the carrier says of them.

use axum::{Router, http::header, routing::post};
use serde_json::json;

use super::support::{CUSTOMER, Running};
use rehearse_aws::Function;
use rehearse_testutils::TEMPLATE;

#[tokio::test]
async fn a_wait_ends_with_the_text_that_matches() {
    let running = Running::start().await;
    let sent = running.hello().await;
    let body =
        format!(r#"{{"to": "customer", "body": {{"contains": "Hel"}}, "after": {}}}"#, sent.seq);
    let text = running.ok("POST", "/messages/wait", &body).await;
    assert_eq!(
        (&text["body"], &text["to"], &text["status"]),
        (&json!("Hello"), &json!(CUSTOMER), &json!("delivered"))
    );

    // One that is still to come.
    let seq = &text["seq"];
    let body = format!("{{ from: '+19045550102', body: Late, after: {seq}, timeout: 30s }}");
    let later = async {
        let request = crate::SmsRequest {
            from: Some("+19045550102".into()),
            body: "Late".into(),
            ..crate::SmsRequest::default()
        };
        running.client.sms(&request).await.unwrap()
    };
    let (text, _) = tokio::join!(running.ok("POST", "/messages/wait", &body), later);
    assert_eq!((&text["body"], &text["via"]), (&json!("Late"), &json!(null)));
}

#[tokio::test]
async fn a_wait_for_nothing_ends_and_tells_what_came_instead() {
    let running = Running::start().await;
    running.hello().await;
    let body = "{ to: customer, body: { contains: Confirmed }, timeout: 10ms }";
    let (status, error) = running.raw("POST", "/messages/wait", body).await;
    assert_eq!(status, 408);
    assert!(error.error.contains("Confirmed") && error.help.unwrap().contains("Hello"));
    for (body, says) in [
        ("{ to: custmer }", "custmer"),
        ("{ body: { contans: a, b: c }, timout: 1s }", "unknown key `timout`"),
        ("{ timeout: soon }", "not a delay"),
    ] {
        let (status, error) = running.raw("POST", "/messages/wait", body).await;
        assert!(status == 400 && error.error.contains(says), "{body}: {error:?}");
    }
}

#[tokio::test]
async fn a_whatsapp_message_to_a_number_without_whatsapp_is_refused() {
    let running = Running::start().await;
    let body = r#"{"from": "whatsapp:customer", "body": "Hi"}"#;
    let (status, error) = running.raw("POST", "/sms", body).await;
    assert_eq!(status, 400);
    let says = "+19045550100 is no WhatsApp sender: add it to `whatsapp`";
    assert_eq!(error.error, says);
    assert_eq!(running.world.twilio().messages().len(), 0);
}

#[tokio::test]
async fn a_text_is_delivered_again_under_the_same_sid() {
    let running = Running::start().await;
    let sent = running.hello().await;
    let again = running.ok("POST", &format!("/messages/{}/redeliver", sent.sid), "").await;
    assert_eq!((&again["sid"], again["attempts"].as_array().unwrap().len()), (&json!(sent.sid), 1));
    assert_eq!(again["replies"][0]["body"], "Hello");
    assert_eq!(running.world.journal().exchanges().named("webhook.sms").count(), 2);
    let reply = &sent.replies[0].sid;
    let (status, error) = running.raw("POST", &format!("/messages/{reply}/redeliver"), "").await;
    assert!(status == 404 && error.error.contains("a text of the shop"), "{error:?}");
    for sid in ["SM1", "SM00000000000000000000000000000001"] {
        assert_eq!(running.raw("POST", &format!("/messages/{sid}/redeliver"), "").await.0, 404);
    }
}

#[tokio::test]
async fn a_carriers_late_report_is_seen_by_the_backend() {
    let template = TEMPLATE.replace("Path: /sms,", "Path: '/{proxy+}',");
    let shop = Function::new("Hello", |_| {
        let reply = || async {
            let twiml = "<Response><Message action='/status'>Hello</Message></Response>";
            ([(header::CONTENT_TYPE, "text/xml")], twiml)
        };
        Ok(Router::new().route("/sms", post(reply)).route("/status", post(|| async { "" })))
    });
    let running = Running::with_template(shop, None, &template).await;
    let reply = running.hello().await.replies.remove(0);
    running.world.settled().await.unwrap();
    let calls = || running.world.journal().exchanges().named("webhook.status").count();
    let before = calls();
    assert!(before > 0);
    let path = format!("/messages/{}/status", reply.sid);
    let body = r#"{"status": "undelivered", "error_code": 30003}"#;
    let text = running.ok("POST", &path, body).await;
    assert_eq!((&text["status"], &text["error_code"]), (&json!("undelivered"), &json!(30003)));
    assert_eq!(calls(), before + 1);
    let text = running.ok("GET", &format!("/messages/{}", reply.sid), "").await;
    assert_eq!(text["error_code"], json!(30003));
    let text = running.ok("POST", &path, r#"{"status": "delivered"}"#).await;
    assert_eq!((&text["status"], &text["error_code"]), (&json!("delivered"), &json!(null)));
    for (body, says) in [
        (r#"{"status": "lost"}"#, "unknown variant `lost`"),
        (r#"{"status": "delivered", "error_code": 30003}"#, "with undelivered and failed"),
        (r#"{"status": "failed", "error_code": 3}"#, "five digits"),
    ] {
        let (status, error) = running.raw("POST", &path, body).await;
        assert!(status == 400 && error.error.contains(says), "{error:?}");
    }
    let received = running.hello().await.sid;
    let body = r#"{"status": "delivered"}"#;
    let (status, _) = running.raw("POST", &format!("/messages/{received}/status"), body).await;
    assert_eq!(status, 404);
    assert_eq!(running.raw("GET", "/messages/SM1", "").await.0, 404);
}
