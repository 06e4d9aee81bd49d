//! Rounds that are answered by hand.

use serde_json::{Value, json};

use super::support::{TestServer, start};
use crate::{HandError, HeldRound, HoldEnd, HoldRule, Round};
use rehearse_testutils::until;

async fn held(server: &TestServer) -> HeldRound {
    let held = async {
        loop {
            if let Some(round) = server.openai.holding().held().pop() {
                return round;
            }
            tokio::task::yield_now().await;
        }
    };
    until("a round to be held", held).await
}

fn round(yaml: &str) -> Round {
    super::support::rounds(&format!("[{yaml}]")).remove(0)
}

/// A body, and the words and arguments of a stream of Chat Completions put together, in which they come in pieces.
fn whole(body: &str) -> String {
    let chunks = body.lines().filter_map(|line| line.strip_prefix("data: "));
    let chunks = chunks.filter_map(|chunk| serde_json::from_str::<Value>(chunk).ok());
    let pieces = chunks.map(|chunk| {
        let delta = &chunk["choices"][0]["delta"];
        let arguments = &delta["tool_calls"][0]["function"]["arguments"];
        [delta["content"].as_str(), arguments.as_str()].into_iter().flatten().collect::<String>()
    });
    format!("{body}{}", pieces.collect::<String>().replace('"', "\\\""))
}

/// A request of either endpoint, with a strict tool.
fn asking(path: &str, stream: bool) -> Value {
    let schema = json!({
        "type": "object",
        "properties": { "date": { "type": "string" } },
        "required": ["date"],
        "additionalProperties": false
    });
    let tool = json!({ "name": "check_availability", "strict": true, "parameters": schema });
    let mut flat = tool.clone();
    flat["type"] = json!("function");
    let message = json!([{ "role": "user", "content": "Hi" }]);
    match path {
        "/responses" => {
            json!({ "model": "gpt-4.1", "input": message, "tools": [flat], "stream": stream })
        }
        _ => {
            json!({ "model": "gpt-4.1", "messages": message, "tools": [{ "type": "function", "function": tool }], "stream": stream })
        }
    }
}

#[tokio::test]
async fn both_endpoints_answer_by_hand_in_words_and_calls_streamed_or_not() {
    let server = start().await;
    server.openai.holding().begin(HoldRule::default());
    for path in ["/responses", "/chat/completions"] {
        for (stream, answer, part) in [
            (false, "{ say: By hand }", "By hand"),
            (true, "{ say: Hand-made }", "Hand-made"),
            (false, "{ call: { check_availability: { date: today } } }", r#"{\"date\":\"today\"}"#),
            (true, "{ call: { check_availability: { date: today } } }", r#"{\"date\":\"today\"}"#),
        ] {
            let request = asking(path, stream);
            let answering = async {
                let held = held(&server).await;
                assert_eq!((held.text.as_str(), held.tools.len()), ("Hi", 1));
                assert!(held.tools[0].strict && held.tools[0].parameters.is_some());
                let holding = server.openai.holding();
                let wrong = "{ call: { check_availability: { day: today } } }";
                let refused = holding.answer(held.id, round(wrong), server.vars.clone()).await;
                let Err(HandError::Impossible { details, .. }) = refused else {
                    panic!("{refused:?}")
                };
                assert!(details.iter().any(|line| line.contains("date")), "{details:?}");
                holding.answer(held.id, round(answer), server.vars.clone()).await.unwrap();
            };
            let (response, ()) = tokio::join!(server.send(path, &request), answering);
            let body = response.unwrap().text().await.unwrap();
            assert!(whole(&body).contains(part), "{path} {stream} {answer}: {body}");
        }
    }
    assert!(server.responding_rounds().iter().all(|label| label == "by hand"));
    let ended = server.openai.holding().ended();
    assert_eq!(ended.len(), 8);
    assert!(ended.iter().all(|round| round.how == HoldEnd::Answered));
}

#[tokio::test]
async fn other_texts_are_not_held_and_a_reset_lets_everything_go() {
    let server = start().await;
    let script = server.arm("[{ say: Scripted }]");
    let holding = server.openai.holding();
    holding.begin(HoldRule { text: Some("Bye".into()), from: None });
    let answered = server.ask(&asking("/responses", false)).await;
    assert_eq!(answered.text(), "Scripted");
    // Nobody's text is known to have caused it.
    holding.begin(HoldRule { text: None, from: Some("+15550123456".into()) });
    assert_eq!(server.ask(&asking("/responses", false)).await.text(), "Scripted");
    drop(script);
    holding.begin(HoldRule::default());
    let request = asking("/responses", false);
    let (answer, ()) = tokio::join!(server.ask(&request), async {
        let id = held(&server).await.id;
        server.openai.reset();
        assert_eq!((holding.held(), holding.rule()), (Vec::new(), None));
        let late = holding.answer(id, round("{ say: Late }"), server.vars.clone()).await;
        assert_eq!(late, Err(HandError::NotHeld { id, ended: None }));
    });
    assert_eq!(answer.status, 400);
}

#[tokio::test]
async fn time_stands_still_exactly_while_a_round_is_in_the_list() {
    let server = start().await;
    let script = server.arm("[{ say: Scripted }]");
    let (holding, time) = (server.openai.holding(), server.clock.elapsed());
    let request = asking("/responses", false);
    holding.begin(HoldRule::default());
    let (answer, ()) = tokio::join!(server.ask(&request), async {
        let id = held(&server).await.id;
        assert!(time.stands_still());
        holding.release(id).unwrap();
        // At once, before whoever waits for the answer has heard of it.
        assert!(!time.stands_still());
    });
    assert_eq!(answer.text(), "Scripted");
    let (_, ()) = tokio::join!(server.ask(&request), async {
        held(&server).await;
        assert!(holding.reset(), "something was held");
        assert!(!time.stands_still());
        assert!(!holding.reset(), "nothing is held any more");
    });
    drop(script);
}

#[tokio::test]
async fn who_answers_a_round_that_is_released_at_the_same_moment_hears_that() {
    let server = start().await;
    let script = server.arm("[{ say: Scripted }]");
    let holding = server.openai.holding();
    holding.begin(HoldRule::default());
    let request = asking("/responses", false);
    let (answer, ()) = tokio::join!(server.ask(&request), async {
        let id = held(&server).await.id;
        // The answer is on its way when the round is released, and the server's task runs after both.
        let answering = holding.answer(id, round("{ say: By hand }"), server.vars.clone());
        let (answered, released) = tokio::join!(biased; answering, async { holding.release(id) });
        assert_eq!(released, Ok(()));
        let ended = Some(HoldEnd::Released);
        assert_eq!(answered, Err(HandError::NotHeld { id, ended }));
    });
    assert_eq!(answer.text(), "Scripted");
    drop(script);
}

#[tokio::test]
async fn a_request_that_the_provider_refuses_is_not_held() {
    let server = start().await;
    server.openai.holding().begin(HoldRule::default());
    let answer = server.ask(&json!({ "model": "gpt-4.1", "input": "Hi", "tols": [] })).await;
    assert_eq!(answer.status, 400);
    assert_eq!(server.openai.holding().ended(), []);
}
