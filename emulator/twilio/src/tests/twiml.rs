//! Responses of the webhook: what Twilio sends, warns of and refuses.

use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};

use super::harness::*;

fn typed(content_type: &'static str, body: impl Into<String>) -> Response {
    ([(header::CONTENT_TYPE, content_type)], body.into()).into_response()
}

#[tokio::test]
async fn every_document_has_its_codes_and_replies() {
    let harness = Harness::start().await;
    let long = |n: usize| format!("<Message>{}</Message>", "x".repeat(n));
    let many = "<Message>a</Message>".repeat(11);
    // The response, the codes of errors and warnings, the number of replies that are sent.
    let table: Vec<(Response, Vec<u32>, usize)> = vec![
        (xml("<Message>a</Message>").into_response(), vec![], 1),
        (xml("").into_response(), vec![], 0),
        (StatusCode::NO_CONTENT.into_response(), vec![], 0),
        (typed("text/plain", " just text "), vec![], 1),
        (typed("text/html; charset=utf-8", "<Response><Message>a</Message></Response>"), vec![], 1),
        (typed("text/xml", ""), vec![11770], 0),
        (typed("text/xml", "x".repeat(65 * 1024)), vec![11750], 0),
        (typed("text/xml", "\n<?xml version=\"1.0\"?><Response/>"), vec![12100], 0),
        (typed("text/xml", "<Response><Message>Tom & Jerry</Message></Response>"), vec![12100], 0),
        (typed("text/html", "<html>Internal error</html>"), vec![12102], 0),
        (typed("application/json", "{\"reply\":\"hi\"}"), vec![12300], 0),
        (xml("<message>a</message><Message>b</Message>").into_response(), vec![12200], 1),
        (xml("<Say>a</Say><Message>b</Message>").into_response(), vec![14110], 1),
        (xml("<Message to='x'>a</Message>").into_response(), vec![14101], 0),
        (xml("<Message from='+15559999999'>a</Message>").into_response(), vec![14102], 0),
        (xml("<Message><Body> </Body></Message>").into_response(), vec![14103], 0),
        (xml("<Message/><Message to='x'>a</Message>").into_response(), vec![14103, 14101], 0),
        (xml("<Message action='/s' method='PUT'>a</Message>").into_response(), vec![14104], 1),
        (xml("<Message statusCallback='ftp://x/'>a</Message>").into_response(), vec![14105], 1),
        (xml(&many).into_response(), vec![14109], 10),
        (xml(&long(1600)).into_response(), vec![], 1),
        (xml(&long(1601)).into_response(), vec![21617], 0),
    ];
    for (at, (response, errors, replies)) in table.into_iter().enumerate() {
        harness.backend.respond(response);
        let delivery = harness.server.receive(text("hello")).await;
        assert_eq!((delivery.errors, delivery.replies.len()), (errors, replies), "row {at}");
    }
    harness.settled().await;
}

#[tokio::test]
async fn a_reply_that_is_too_long_is_journaled_as_refused() {
    let harness = Harness::start().await;
    harness.backend.respond(xml(&format!("<Message>{}</Message>", "x".repeat(1601))));
    harness.server.receive(text("hello")).await;
    let sent = &harness.exchanges("sms.sent")[0];
    assert_eq!(sent.outcome.as_ref().unwrap().error.as_deref(), Some("21617"));
    assert_eq!(harness.server.messages().len(), 1);
}

#[tokio::test]
async fn a_redirect_gets_the_next_document_with_the_same_parameters() {
    let harness = Harness::start().await;
    harness.backend.respond(xml(
        "<Message>one</Message><Redirect method='GET'>next?a=1#rc=0</Redirect><Message>no</Message>",
    ));
    harness.backend.respond(xml("<Message>two</Message>"));
    let delivery = harness.server.receive(text("hello")).await;
    assert_eq!((delivery.replies.len(), delivery.errors), (2, vec![]));
    let got = &harness.backend.requests()[1];
    assert!(got.uri.starts_with("/next?a=1&ToCountry=US&"), "{}", got.uri);
    assert!(got.uri.contains("Body=hello"), "{}", got.uri);
    assert_eq!(
        harness.exchange_names(),
        ["sms.received", "webhook.sms", "sms.sent", "webhook.sms", "sms.sent"]
    );
}

#[tokio::test]
async fn a_redirect_to_itself_ends_after_50_documents() {
    let harness = Harness::start().await;
    for _ in 0..60 {
        harness.backend.respond(xml("<Redirect/>"));
    }
    let delivery = harness.server.receive(text("hello")).await;
    assert_eq!((delivery.attempts.len(), delivery.errors), (50, vec![14106]));
}

#[tokio::test]
async fn a_failing_redirect_uses_the_fallback_and_keeps_the_first_reply() {
    let harness = Harness::start().await;
    harness
        .server
        .configure(|number| number.fallback_url = Some(format!("{}/fallback", harness.url)));
    harness.backend.respond(xml("<Message>one</Message><Redirect>/gone</Redirect>"));
    harness.backend.respond(StatusCode::NOT_FOUND);
    harness.backend.respond(xml("<Message>sorry</Message>"));
    let delivery = harness.server.receive(text("hello")).await;
    assert_eq!((delivery.replies.len(), delivery.errors), (2, vec![11200]));
    let error_url = harness.backend.requests()[2].param("ErrorUrl");
    assert_eq!(error_url, Some(format!("{}/gone", harness.url)));
}

#[tokio::test]
async fn media_make_a_reply_an_mms() {
    let harness = Harness::start().await;
    harness.backend.respond(xml("<Message><Body>Look</Body><Media>/a.png</Media></Message>"));
    let delivery = harness.server.receive(text("hello")).await;
    let sid = delivery.replies[0].to_string();
    assert!(sid.starts_with("MM"), "{sid}");
    let (_, json) = harness.get(&harness.url_of(&format!("Messages/{sid}.json"))).await;
    assert_eq!((&json["num_media"], &json["num_segments"]), (&"1".into(), &"1".into()));
    assert_eq!(harness.server.messages()[1].media, [format!("{}/a.png", harness.url)]);
}
