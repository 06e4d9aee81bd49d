//! `within:` texts by REST, from a backend that answers the webhook with an empty response and goes on in the background.

use super::{
    external::ExternalBackend,
    support::{assert_passed, failed, fails, passes},
};
use crate::read;
use rehearse_testutils::Folder;

#[tokio::test]
async fn a_step_waits_for_a_text_that_comes_after_the_webhooks_answer() {
    passes(
        r#"
  - customer: "later 150 Done"
    reply: { within: 20s, via: rest, equals: Done }
  - together:
      - { customer: "later 50 One", reply: { within: 20s, equals: One } }
      - { customer: "later 50 Two", from: other, reply: { within: 20s, equals: Two } }
  - together:
      - { customer: "later 50 One" }
      - { customer: "You", from: other }
    replies: { exactly: ["You said: You", { within: 20s, equals: One, to: customer }] }
"#,
    )
    .await;
}

#[tokio::test]
async fn a_text_that_is_too_late_is_told_with_how_late() {
    let result =
        fails("  - customer: later 300 Done\n    reply: { within: 100ms, equals: Done }\n").await;
    let report = result.to_string();
    for part in ["the text to customer came too late", "within 100ms", "too late: Done"] {
        assert!(report.contains(part), "{part}: {report}");
    }
}

#[tokio::test]
async fn a_text_that_never_comes_is_told_with_the_time_it_had() {
    let result = fails("  - customer: silence\n    reply: { within: 50ms, equals: Done }\n").await;
    let report = result.to_string();
    for part in ["no text arrived for customer", "within 50ms"] {
        assert!(report.contains(part), "{part}: {report}");
    }
}

#[tokio::test]
async fn a_backend_at_a_url_is_waited_for_as_well() {
    let external = ExternalBackend::start("/sms").await;
    let step =
        "  - customer: later 150 Done\n    reply: { within: 20s, via: rest, equals: Done }\n";
    assert_passed(&external.steps(step).await);
    let late = "  - customer: later 300 Done\n    reply: { within: 100ms, equals: Done }\n";
    let result = failed(external.steps(late).await);
    assert_eq!(result.problems[0].summary, "the text to customer came too late");
}

#[test]
fn a_time_is_for_the_replies_of_a_step() {
    let folder = Folder::new();
    let text = "name: a\nsteps:\n  - expect: { sms: [{ within: 5s, equals: a }] }\n";
    let wrong = read(&[folder.write("scenario.yaml", text)]).unwrap_err();
    let wrong: String = wrong.iter().map(ToString::to_string).collect();
    assert!(wrong.contains("write it at the reply of a step"), "{wrong}");
}
