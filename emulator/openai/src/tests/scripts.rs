//! Which script and which round responds, and what is reported when none does.

use serde_json::{Value, json};

use super::support::{ApiResponse, TestServer, next, request, start, user};

fn from(identifier: &str, input: Value) -> Value {
    let mut body = request(input);
    body["safety_identifier"] = json!(identifier);
    body
}

#[tokio::test]
async fn a_repeated_request_gets_the_same_answer() {
    let server = start().await;
    let armed = server.arm("[{ call: [{ list_bookings: {} }] }, { say: None. }]");
    let mut history = vec![user("Hi")];
    let first = server.ask(&request(json!(history))).await;
    assert_eq!(server.ask(&request(json!(history))).await, first);
    next(&mut history, &first, &[json!({})]);
    let second = server.ask(&request(json!(history))).await;
    assert_eq!(server.ask(&request(json!(history))).await, second);
    assert_eq!(second.text(), "None.");
    assert_eq!(armed.finish(), []);
}

#[tokio::test]
async fn several_calls_are_one_round() {
    let server = start().await;
    let armed = server.arm(
        "
- say: One moment.
  call: [{ check_availability: { date: 2026-02-11 } }, { check_availability: { date: 2026-02-12 } }]
- sees: { results: [{ n: 1 }, { n: 2 }] }
  call: [{ list_bookings: {} }]
- sees: { results: [{ n: 3 }] }
  save: { last: 'results[0].n' }
  say: 'Got {{ last }}.'
",
    );
    let mut history = vec![user("Hi")];
    let first = server.ask(&request(json!(history))).await;
    next(&mut history, &first, &[json!({ "n": 1 }), json!({ "n": 2 })]);
    // The order of the outputs does not matter: they answer their calls.
    let length = history.len();
    history.swap(length - 1, length - 2);
    let second = server.ask(&request(json!(history))).await;
    next(&mut history, &second, &[json!({ "n": 3 })]);
    assert_eq!(server.ask(&request(json!(history))).await.text(), "Got 3.");
    assert_eq!(server.vars.render(&json!("{{ last }}")).unwrap(), json!(3));
    assert_eq!(armed.finish(), []);
}

#[tokio::test]
async fn a_request_that_does_not_meet_an_expectation_is_refused() {
    let server = start().await;
    for (sees, path) in [
        ("instructions: [sleeping]", "instructions"),
        ("tools: [book_slot]", "tools"),
        ("input: { matches: '^Bye' }", "input"),
        ("model: gpt-6-astra", "model"),
        ("history: [Hi]", "history[0]"),
        ("results: [{ success: true }]", "results"),
    ] {
        let armed = server.arm(&format!("[{{ sees: {{ {sees} }}, say: Hello }}]"));
        let answer = server.ask(&request(json!("Hi"))).await;
        let (code, _, message) = answer.error();
        assert_eq!((answer.status, code), (400, "rehearse"), "{sees}");
        assert!(message.starts_with("rehearse: step 1, round 1: "), "{message}");
        let problems = armed.finish();
        assert_eq!(problems.len(), 1);
        let problem = &problems[0];
        assert_eq!((problem.script.as_deref(), problem.round), (Some("step 1"), Some(1)));
        assert_eq!(problem.mismatches[0].path, path);
        assert!(problem.expected.as_ref().unwrap().contains("say: \"Hello\""));
        assert_eq!(problem.request.as_ref().unwrap().text, "Hi");
    }
    assert!(server.openai.take_unexpected_requests().is_empty());
    assert_eq!(server.responding_rounds()[0], "step 1, round 1");
    assert_eq!(server.exchanges()[0].outcome.as_ref().unwrap().status, Some(400));
}

#[tokio::test]
async fn the_history_must_be_found_in_order() {
    let server = start().await;
    let history =
        json!([user("one"), { "role": "assistant", "content": "two" }, user("three"), user("Hi")]);
    for (sees, fits) in [
        ("[one, three]", true),
        ("[two, three]", true),
        ("[three, one]", false),
        ("[on, { equals: two }]", true),
    ] {
        let armed = server.arm(&format!("[{{ sees: {{ history: {sees} }}, say: Hello }}]"));
        let status = server.ask(&request(history.clone())).await.status;
        assert_eq!(status == 200, fits, "{sees}");
        assert_eq!(armed.finish().is_empty(), fits);
    }
}

#[tokio::test]
async fn a_round_never_reached_is_reported_with_the_last_refusal() {
    let server = start().await;
    let armed = server.arm("[{ call: [{ list_bookings: {} }] }, { say: None. }]");
    server.ask(&request(json!("Hi"))).await;
    let mut broken = request(json!("Hi"));
    broken["nonsense"] = json!(1);
    server.ask(&broken).await;
    let problems = armed.finish();
    assert_eq!(problems.len(), 1);
    assert_eq!((problems[0].round, problems[0].title.as_str()), (Some(2), "never reached"));
    assert!(problems[0].notes[0].contains("Unknown parameter: 'nonsense'."), "{problems:?}");
}

#[tokio::test]
async fn a_request_beyond_the_last_round_is_reported() {
    let server = start().await;
    let armed = server.arm("[{ call: [{ list_bookings: {} }] }]");
    let mut history = vec![user("Hi")];
    let first = server.ask(&request(json!(history))).await;
    next(&mut history, &first, &[json!({})]);
    let answer = server.ask(&request(json!(history))).await;
    assert!(answer.error().2.contains("no round is left"), "{answer:?}");
    let problems = armed.finish();
    assert!(problems[0].title.contains("no round is left"));
    assert_eq!(problems[0].request.as_ref().unwrap().calls, ["list_bookings({})"]);
}

#[tokio::test]
async fn an_unexpected_request_names_the_nearest_round() {
    let server = start().await;
    let answer = server.ask(&request(json!("Hi"))).await;
    assert!(answer.error().2.contains("while no script was waiting"), "{answer:?}");
    let _armed = server.arm("[{ sees: { input: Hello }, say: Hello }]");
    let answer = server.ask(&request(json!("Hello"))).await;
    assert_eq!(answer.status, 400);
    let problems = server.openai.take_unexpected_requests();
    assert_eq!(problems.len(), 2);
    assert_eq!(problems[0].nearest, None);
    let near = problems[1].nearest.as_ref().unwrap();
    assert_eq!((near.script.as_str(), near.round), ("step 1", 1));
    assert_eq!(near.mismatches[0].expected, "\"Hi\"");
    assert!(server.openai.take_unexpected_requests().is_empty());
}

#[tokio::test]
async fn a_script_is_removed_when_its_guard_is_dropped() {
    let server = start().await;
    drop(server.arm("[{ say: Hello }]"));
    assert_eq!(server.ask(&request(json!("Hi"))).await.status, 400);
}

#[tokio::test]
async fn two_different_scripts_for_one_text_are_named() {
    let server = start().await;
    let one = server.arm_for("step 1.1", "ann", "Hi", "[{ say: Hello Ann }]");
    let two = server.arm_for("step 1.2", "bob", "Hi", "[{ say: Hello Bob }]");
    let answer = server.ask(&request(json!("Hi"))).await;
    let message = answer.error().2;
    assert!(message.contains("step 1.1") && message.contains("step 1.2"), "{message}");
    assert_eq!(server.openai.take_unexpected_requests().len(), 1);
    assert_eq!(one.finish()[0].title, "never reached");
    assert_eq!(two.finish()[0].title, "never reached");
}

#[tokio::test]
async fn the_identifier_selects_once_it_is_learned() {
    let server = start().await;
    let ask = async |id: &str, text: &str| server.ask(&from(id, json!(text))).await;
    let first = server.arm_for("step 1", "ann", "I am Ann", "[{ say: Hello Ann }]");
    assert_eq!(ask("id-a", "I am Ann").await.text(), "Hello Ann");
    assert_eq!(first.finish(), []);
    // The same words, different answers: only the identifier tells who asks.
    let ann = server.arm_for("step 2.1", "ann", "Yes", "[{ say: Booked Ann }]");
    let bob = server.arm_for("step 2.2", "bob", "Yes", "[{ say: Booked Bob }]");
    assert_eq!(ask("id-b", "Yes").await.text(), "Booked Bob");
    assert_eq!(ask("id-a", "Yes").await.text(), "Booked Ann");
    assert_eq!(ann.finish(), []);
    assert_eq!(bob.finish(), []);
    server.openai.reset();
    let _ann = server.arm_for("step 3.1", "ann", "Yes", "[{ say: Booked Ann }]");
    let _bob = server.arm_for("step 3.2", "bob", "Yes", "[{ say: Booked Bob }]");
    assert_eq!(ask("id-a", "Yes").await.status, 400);
}

#[tokio::test]
async fn equal_scripts_serve_everybody() {
    let server = start().await;
    let script = "[{ fail: 503 }, { say: Hello }]";
    let ann = server.arm_for("step 1.1", "ann", "Hi", script);
    let bob = server.arm_for("step 1.2", "bob", "Hi", script);
    let ask = async |id: &str| server.ask(&from(id, json!("Hi"))).await.status;
    assert_eq!(
        [ask("a").await, ask("b").await, ask("a").await, ask("b").await],
        [503, 503, 200, 200]
    );
    assert_eq!((ann.finish(), bob.finish()), (vec![], vec![]));

    let ann = server.arm_for("step 2.1", "ann", "Hi", "[{ say: Hello }]");
    let bob = server.arm_for("step 2.2", "bob", "Hi", "[{ say: Hello }]");
    assert_eq!(server.ask(&request(json!("Hi"))).await.text(), "Hello");
    assert_eq!((ann.finish(), bob.finish()), (vec![], vec![]));
}

#[tokio::test]
async fn a_whole_text_fits_better_than_a_part() {
    let server = start().await;
    let part = server.arm_for("step 1.1", "ann", "Yes", "[{ say: part }]");
    let whole = server.arm_for("step 1.2", "bob", "Yes please", "[{ say: whole }]");
    assert_eq!(server.ask(&request(json!("Yes please"))).await.text(), "whole");
    assert_eq!(server.ask(&request(json!("[1 picture]\nYes"))).await.text(), "part");
    assert_eq!((part.finish(), whole.finish()), (vec![], vec![]));
}

#[tokio::test]
async fn one_of_several_alternatives_answers() {
    let server = start().await;
    let script = "
- call: [{ check_availability: { date: 2026-02-11 } }]
- either:
    - { sees: { results: [{ free: true }] }, call: [{ list_bookings: {} }, { list_bookings: {} }] }
    - { sees: { results: [{ free: false }] }, call: [{ list_bookings: {} }] }
- sees: { results: [{ n: { any: number } }] }
  say: done
";
    let run = async |server: &TestServer, free: Value, results: &[Value]| -> (ApiResponse, usize) {
        let armed = server.arm(script);
        let mut history = vec![user("Hi")];
        let first = server.ask(&request(json!(history))).await;
        next(&mut history, &first, &[json!({ "free": free })]);
        let second = server.ask(&request(json!(history))).await;
        if second.status != 200 {
            return (second, armed.finish().len());
        }
        next(&mut history, &second, results);
        let third = server.ask(&request(json!(history))).await;
        (third, armed.finish().len())
    };
    let (answer, problems) = run(&server, json!(false), &[json!({ "n": 1 })]).await;
    assert_eq!((answer.text(), problems), ("done", 0));
    // The other way: two results, of which the last round expects one.
    let (answer, problems) =
        run(&server, json!(true), &[json!({ "n": 1 }), json!({ "n": 2 })]).await;
    assert!(answer.error().2.contains("1 item"), "{answer:?}");
    assert_eq!(problems, 1);
    let (answer, problems) = run(&server, json!("maybe"), &[]).await;
    assert!(answer.error().2.contains("none of its alternatives"), "{answer:?}");
    assert_eq!(problems, 1);
    assert_eq!(server.responding_rounds()[1], "step 1, round 2, alternative 2");
}

#[tokio::test]
async fn calls_are_checked_against_the_offered_tools() {
    let server = start().await;
    for (script, says) in [
        (
            "[{ call: [{ book_slot: {} }] }]",
            "cannot call 'book_slot': the request offers check_availability, list_bookings",
        ),
        ("[{ call: [{ check_availability: { day: monday } }] }]", "its strict schema forbids it"),
        ("[{ call: [{ check_availability: {} }] }]", "its strict schema forbids it"),
        ("[{ say: '{{ nobody }}' }]", "not defined"),
        ("[{ say: Hi, save: { ref: 'results[0].lead_id' } }]", "nothing to save as 'ref'"),
    ] {
        let armed = server.arm(script);
        let answer = server.ask(&request(json!("Hi"))).await;
        assert!(answer.error().2.contains(says), "{answer:?}");
        assert!(armed.finish()[0].title.contains(says));
    }
    let armed = server.arm("[{ raw_call: { name: fly, arguments: 'not json' } }]");
    let answer = server.ask(&request(json!("Hi"))).await;
    let call = answer.items().pop().unwrap();
    assert_eq!((&call["name"], &call["arguments"]), (&json!("fly"), &json!("not json")));
    assert_eq!(armed.finish(), []);
}

#[tokio::test]
async fn calls_are_checked_against_the_tool_choice() {
    let server = start().await;
    let ask = async |script: &str, choice: Value| {
        let _armed = server.arm(script);
        let mut body = request(json!("Hi"));
        body["tool_choice"] = choice;
        let answer = server.ask(&body).await;
        answer.error().2.to_owned()
    };
    let list = "[{ call: [{ list_bookings: {} }] }]";
    assert!(ask(list, json!("none")).await.contains("tool_choice is none"));
    assert!(ask("[{ say: Hi }]", json!("required")).await.contains("asks for a call"));
    let named = json!({ "type": "function", "name": "check_availability" });
    assert!(ask(list, named.clone()).await.contains("tool_choice is 'check_availability'"));
    let allowed =
        |mode: &str| json!({ "type": "allowed_tools", "mode": mode, "tools": [named.clone()] });
    assert!(ask(list, allowed("auto")).await.contains("tool_choice allows check_availability"));
    let hi = "[{ say: Hi }]";
    assert!(ask(hi, allowed("required")).await.contains("asks for a call of check_availability"));
    assert_eq!(ask(hi, allowed("auto")).await, "");
    assert_eq!(ask(list, json!("required")).await, "");
    // What is sent raw is sent.
    let raw = "[{ raw_call: { name: list_bookings, arguments: '{}' } }]";
    assert_eq!(ask(raw, json!("none")).await, "");
}

#[tokio::test]
async fn several_calls_need_a_request_that_allows_them() {
    let server = start().await;
    let mut body = request(json!("Hi"));
    body["parallel_tool_calls"] = json!(false);
    let armed = server.arm("[{ call: [{ list_bookings: {} }, { list_bookings: {} }] }]");
    let answer = server.ask(&body).await;
    assert_eq!((answer.status, answer.error().0), (400, "rehearse"));
    assert!(armed.finish()[0].title.contains("cannot make 2 calls at once"), "{answer:?}");
    for script in [
        "[{ call: { list_bookings: {} }, raw_call: { name: list_bookings, arguments: '{}' } }]",
        "[{ at_once: true, call: [{ list_bookings: {} }, { list_bookings: {} }] }]",
    ] {
        let _armed = server.arm(script);
        let answer = server.ask(&body).await;
        assert_eq!(answer.items().iter().filter(|i| i["type"] == "function_call").count(), 2);
    }
}

#[tokio::test]
async fn a_text_must_match_the_format_that_the_request_asks_for() {
    let server = start().await;
    let schema = json!({
        "type": "object",
        "properties": { "n": { "type": "integer" } },
        "required": ["n"],
        "additionalProperties": false
    });
    let mut body = request(json!("Hi"));
    body["text"] = json!({ "format": {
        "type": "json_schema", "name": "number", "strict": true, "schema": schema.clone()
    } });
    for (script, refused) in [
        ("[{ say: Hello }]", "text.format asks for JSON by a strict schema"),
        ("[{ say: '{\"n\":\"x\"}' }]", "which it does not match"),
        ("[{ say: '{\"n\":1}' }]", ""),
        ("[{ fail: { refusal: I cannot do that. } }]", ""),
        ("[{ fail: { incomplete: content_filter }, say: '{\"n\":' }]", ""),
    ] {
        let armed = server.arm(script);
        let answer = server.ask(&body).await;
        assert_eq!(answer.status == 200, refused.is_empty(), "{script} {answer:?}");
        let unmet = armed.finish();
        assert_eq!(unmet.is_empty(), refused.is_empty(), "{script}");
        assert!(unmet.iter().all(|unmet| unmet.title.contains(refused)), "{unmet:?}");
    }
    let chat = json!({
        "model": "gpt-4.1",
        "messages": [user("Hi")],
        "response_format": { "type": "json_schema", "json_schema": {
            "name": "number", "strict": true, "schema": schema
        } }
    });
    let _armed = server.arm("[{ say: Hello }]");
    let answer = server.post("/chat/completions", &chat).await;
    assert!(answer.error().2.contains("response_format asks for JSON"), "{answer:?}");
}

#[tokio::test]
async fn a_second_answer_follows_the_first_when_the_backend_asks_again() {
    let server = start().await;
    let armed = server.arm("[{ say: first }, { say: second }]");
    let mut history = vec![user("Hi")];
    let first = server.ask(&request(json!(history))).await;
    assert_eq!(first.text(), "first");
    history.extend(first.items());
    history.push(json!({ "role": "developer", "content": "Shorter, please." }));
    assert_eq!(server.ask(&request(json!(history))).await.text(), "second");
    assert_eq!(armed.finish(), []);
}

/// A backend may finish a turn after the step that its script belongs to.
#[tokio::test]
async fn a_removed_script_responds_again_only_while_it_is_recalled() {
    let server = start().await;
    let armed = server.arm("[{ say: Hello }]");
    let body = request(json!("Hi"));
    assert_eq!(server.ask(&body).await.text(), "Hello");
    assert_eq!(armed.finish(), []);
    assert_eq!(server.post("/responses", &body).await.status, 400);
    assert_eq!(server.openai.take_unexpected_requests().len(), 1);
    let recalled = server.openai.recall();
    assert_eq!(server.ask(&body).await.text(), "Hello");
    drop(recalled);
    assert_eq!(server.post("/responses", &body).await.status, 400);
}

#[tokio::test]
async fn of_removed_scripts_for_the_same_text_the_latest_that_fits_responds() {
    let server = start().await;
    let body = request(json!("Hi"));
    for rounds in ["[{ say: first }]", "[{ say: second }]"] {
        let armed = server.arm(rounds);
        server.ask(&body).await;
        assert_eq!(armed.finish(), []);
    }
    let _recalled = server.openai.recall();
    for _ in 0..2 {
        assert_eq!(server.ask(&body).await.text(), "second");
    }
    // This one does not fit: it never saw such a request.
    let armed = server.arm("[{ sees: { instructions: [sleeping] }, say: third }]");
    drop(armed.finish());
    assert_eq!(server.ask(&body).await.text(), "second");
    // Nobody knows which person asks.
    drop(server.arm_for("step 2", "bob", "Hi", "[{ say: fourth }]").finish());
    let answer = server.ask(&body).await;
    let message = answer.error().2;
    assert!(message.contains("step 1") && message.contains("step 2"), "{message}");
    assert_eq!(server.openai.take_unexpected_requests().len(), 1);
}
