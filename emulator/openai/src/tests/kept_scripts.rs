//! Scripts that stay armed while other texts come, as the control API arms them.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::support::{TestServer, request, rounds, start, user};
use crate::{ArmedScript, Persona, Script, Trigger};

fn arm(
    server: &TestServer,
    name: &str,
    person: Option<&str>,
    text: &str,
    yaml: &str,
) -> ArmedScript {
    server.openai.arm_for_text(Script {
        name: name.into(),
        person: person.map(Into::into),
        trigger: Trigger::Text { text: text.into(), media: 0 },
        rounds: rounds(yaml),
        vars: server.vars.clone(),
    })
}

/// What the model says to a text of somebody who is known by an identifier.
async fn said(server: &TestServer, identifier: &str, text: &str) -> String {
    let mut body: Value = request(json!([user(text)]));
    body["safety_identifier"] = json!(identifier);
    let answer = server.ask(&body).await;
    if answer.status == 200 { answer.text().into() } else { answer.error().2.into() }
}

fn persona() -> Persona {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    Persona::read(&path.join("../../fixtures/openai/linda.yaml")).unwrap()
}

#[tokio::test]
async fn a_script_wins_for_its_text_and_the_persona_answers_the_others() {
    let server = start().await;
    server.openai.set_persona(Some(persona()));
    for person in [None, Some("ann")] {
        let armed =
            arm(&server, "script 1", person, "Do you fix iPhone screens?", "[{ say: Scripted. }]");
        assert_eq!(said(&server, "a", "Do you fix iPhone screens?").await, "Scripted.");
        // The person of the identifier is known now, and this is not the script's text.
        let other = said(&server, "a", "Do you fix Samsung screens?").await;
        assert!(!other.contains("Scripted.") && !other.contains("script 1"), "{other}");
        assert_eq!(armed.finish(), []);
        let again = said(&server, "a", "Do you fix iPhone screens?").await;
        assert!(again.starts_with("Yes! iPhone screens"), "{again}");
    }
}

#[tokio::test]
async fn of_two_for_one_text_the_latest_answers_and_the_other_is_unmet() {
    let server = start().await;
    let first = arm(&server, "script 1", None, "Yes", "[{ say: One. }]");
    assert_eq!(said(&server, "a", "Yes").await, "One.");
    let second = arm(&server, "script 2", None, "Yes", "[{ say: Two. }]");
    assert_eq!(said(&server, "a", "Yes").await, "Two.");
    // The very same rounds again: that one was asked says nothing of the other.
    let third = arm(&server, "script 3", None, "Yes", "[{ say: Two. }]");
    let fourth = arm(&server, "script 4", None, "Yes", "[{ say: Two. }]");
    assert_eq!(said(&server, "a", "Yes").await, "Two.");
    assert_eq!((first.unmet(), second.unmet(), fourth.unmet()), (vec![], vec![], vec![]));
    assert_eq!(third.unmet().len(), 1);
    assert_eq!(third.unmet()[0].title, "never reached");
}

#[tokio::test]
async fn what_is_unmet_can_be_read_while_the_script_stays() {
    let server = start().await;
    let armed =
        arm(&server, "script 1", None, "Hi", "[{ call: { list_bookings: {} } }, { say: None. }]");
    assert_eq!(armed.unmet().len(), 2);
    let body = request(json!([user("Hi")]));
    assert_eq!(server.ask(&body).await.status, 200);
    assert_eq!(armed.rounds_reached(), BTreeSet::from([1]));
    assert_eq!(armed.unmet()[0].round, Some(2));
    let stranger = server.ask(&request(json!([user("Bye")]))).await;
    assert_eq!(stranger.status, 400);
    assert_eq!(server.openai.unexpected_requests().len(), 1);
    assert_eq!(server.openai.unexpected_requests().len(), 1, "reading leaves them");
    assert_eq!(armed.finish().len(), 1);
}

#[tokio::test]
async fn two_people_who_send_the_same_text_have_scripts_of_their_own() {
    let server = start().await;
    let _ann = arm(&server, "script 1", Some("ann"), "Ann here", "[{ say: Hello Ann. }]");
    let _bob = arm(&server, "script 2", Some("bob"), "Bob here", "[{ say: Hello Bob. }]");
    assert_eq!(said(&server, "a", "Ann here").await, "Hello Ann.");
    assert_eq!(said(&server, "b", "Bob here").await, "Hello Bob.");
    let _both = [("ann", "[{ say: One. }]"), ("bob", "[{ say: Two. }]")]
        .map(|(person, yaml)| arm(&server, person, Some(person), "Yes", yaml));
    assert_eq!(said(&server, "a", "Yes").await, "One.");
    assert_eq!(said(&server, "b", "Yes").await, "Two.");
    // Somebody who is not known: it is not guessed whose text it is.
    let unknown = said(&server, "c", "Yes").await;
    assert!(unknown.contains("fit this request equally"), "{unknown}");
}

/// A script without a text stays for whoever is known; one that is armed for exactly a text answers that.
#[tokio::test]
async fn a_script_for_any_text_of_a_person_hides_none_for_exactly_this_text() {
    let server = start().await;
    let any = server.openai.arm_for_text(Script {
        name: "script 1".into(),
        person: Some("ann".into()),
        trigger: Trigger::AnyText,
        rounds: rounds("[{ say: Any. }]"),
        vars: server.vars.clone(),
    });
    assert_eq!(said(&server, "a", "Hello").await, "Any.");
    let exact = arm(&server, "script 2", None, "Are you open?", "[{ say: Until six. }]");
    assert_eq!(said(&server, "a", "Are you open?").await, "Until six.");
    assert_eq!(said(&server, "a", "Hello again").await, "Any.");
    assert_eq!((any.finish(), exact.finish()), (vec![], vec![]));
}
