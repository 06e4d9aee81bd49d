//! Which script and which round answers, and what is told when none does.

use serde_json::{Value, json};

use super::support::{Answer, World, next, request, user, world};

fn from(identifier: &str, input: Value) -> Value {
    let mut body = request(input);
    body["safety_identifier"] = json!(identifier);
    body
}

#[tokio::test]
async fn a_repeated_request_gets_the_same_answer() {
    let world = world().await;
    let armed = world.arm("[{ call: [{ list_bookings: {} }] }, { say: None. }]");
    let mut history = vec![user("Hi")];
    let first = world.ask(&request(json!(history))).await;
    assert_eq!(world.ask(&request(json!(history))).await, first);
    next(&mut history, &first, &[json!({})]);
    let second = world.ask(&request(json!(history))).await;
    assert_eq!(world.ask(&request(json!(history))).await, second);
    assert_eq!(second.text(), "None.");
    assert_eq!(armed.finish(), []);
}

#[tokio::test]
async fn several_calls_are_one_round() {
    let world = world().await;
    let armed = world.arm(
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
    let first = world.ask(&request(json!(history))).await;
    next(&mut history, &first, &[json!({ "n": 1 }), json!({ "n": 2 })]);
    // The order of the outputs does not matter: they answer their calls.
    let length = history.len();
    history.swap(length - 1, length - 2);
    let second = world.ask(&request(json!(history))).await;
    next(&mut history, &second, &[json!({ "n": 3 })]);
    assert_eq!(world.ask(&request(json!(history))).await.text(), "Got 3.");
    assert_eq!(world.vars.render(&json!("{{ last }}")).unwrap(), json!(3));
    assert_eq!(armed.finish(), []);
}

#[tokio::test]
async fn what_is_seen_is_held_against_the_request() {
    let world = world().await;
    for (sees, path) in [
        ("instructions: [sleeping]", "instructions"),
        ("tools: [book_slot]", "tools"),
        ("input: { matches: '^Bye' }", "input"),
        ("model: gpt-6-astra", "model"),
        ("history: [Hi]", "history[0]"),
        ("results: [{ success: true }]", "results"),
    ] {
        let armed = world.arm(&format!("[{{ sees: {{ {sees} }}, say: Hello }}]"));
        let answer = world.ask(&request(json!("Hi"))).await;
        let (code, _, message) = answer.error();
        assert_eq!((answer.status, code), (400, "rehearse"), "{sees}");
        assert!(message.starts_with("rehearse: step 1, round 1: "), "{message}");
        let problems = armed.finish();
        assert_eq!(problems.len(), 1);
        let problem = &problems[0];
        assert_eq!((problem.script.as_deref(), problem.round), (Some("step 1"), Some(1)));
        assert_eq!(problem.mismatches[0].path, path);
        assert!(problem.expected.as_ref().unwrap().contains("say: \"Hello\""));
        assert_eq!(problem.asked.as_ref().unwrap().text, "Hi");
    }
    assert!(world.openai.take_problems().is_empty());
    assert_eq!(world.answered()[0], "step 1, round 1");
    assert_eq!(world.entries()[0].outcome.as_ref().unwrap().status, Some(400));
}

#[tokio::test]
async fn history_is_found_in_order() {
    let world = world().await;
    let history =
        json!([user("one"), { "role": "assistant", "content": "two" }, user("three"), user("Hi")]);
    for (sees, fits) in [
        ("[one, three]", true),
        ("[two, three]", true),
        ("[three, one]", false),
        ("[on, { equals: two }]", true),
    ] {
        let armed = world.arm(&format!("[{{ sees: {{ history: {sees} }}, say: Hello }}]"));
        let status = world.ask(&request(history.clone())).await.status;
        assert_eq!(status == 200, fits, "{sees}");
        assert_eq!(armed.finish().is_empty(), fits);
    }
}

#[tokio::test]
async fn a_round_never_reached_is_told_with_the_last_refusal() {
    let world = world().await;
    let armed = world.arm("[{ call: [{ list_bookings: {} }] }, { say: None. }]");
    world.ask(&request(json!("Hi"))).await;
    let mut broken = request(json!("Hi"));
    broken["nonsense"] = json!(1);
    world.ask(&broken).await;
    let problems = armed.finish();
    assert_eq!(problems.len(), 1);
    assert_eq!((problems[0].round, problems[0].title.as_str()), (Some(2), "never reached"));
    assert!(problems[0].notes[0].contains("Unknown parameter: 'nonsense'."), "{problems:?}");
}

#[tokio::test]
async fn a_request_beyond_the_last_round_is_a_problem() {
    let world = world().await;
    let armed = world.arm("[{ call: [{ list_bookings: {} }] }]");
    let mut history = vec![user("Hi")];
    let first = world.ask(&request(json!(history))).await;
    next(&mut history, &first, &[json!({})]);
    let answer = world.ask(&request(json!(history))).await;
    assert!(answer.error().2.contains("no round is left"), "{answer:?}");
    let problems = armed.finish();
    assert!(problems[0].title.contains("no round is left"));
    assert_eq!(problems[0].asked.as_ref().unwrap().calls, ["list_bookings({})"]);
}

#[tokio::test]
async fn an_unexpected_request_names_the_nearest_round() {
    let world = world().await;
    let answer = world.ask(&request(json!("Hi"))).await;
    assert!(answer.error().2.contains("while no step was waiting"), "{answer:?}");
    let _armed = world.arm("[{ sees: { input: Hello }, say: Hello }]");
    let answer = world.ask(&request(json!("Hello"))).await;
    assert_eq!(answer.status, 400);
    let problems = world.openai.take_problems();
    assert_eq!(problems.len(), 2);
    assert_eq!(problems[0].nearest, None);
    let near = problems[1].nearest.as_ref().unwrap();
    assert_eq!((near.script.as_str(), near.round), ("step 1", 1));
    assert_eq!(near.mismatches[0].expected, "\"Hi\"");
    assert!(world.openai.take_problems().is_empty());
}

#[tokio::test]
async fn a_dropped_script_is_disarmed() {
    let world = world().await;
    drop(world.arm("[{ say: Hello }]"));
    assert_eq!(world.ask(&request(json!("Hi"))).await.status, 400);
}

#[tokio::test]
async fn two_different_scripts_for_one_text_are_named() {
    let world = world().await;
    let one = world.arm_for("step 1.1", "ann", "Hi", "[{ say: Hello Ann }]");
    let two = world.arm_for("step 1.2", "bob", "Hi", "[{ say: Hello Bob }]");
    let answer = world.ask(&request(json!("Hi"))).await;
    let message = answer.error().2;
    assert!(message.contains("step 1.1") && message.contains("step 1.2"), "{message}");
    assert_eq!(world.openai.take_problems().len(), 1);
    assert_eq!(one.finish()[0].title, "never reached");
    assert_eq!(two.finish()[0].title, "never reached");
}

#[tokio::test]
async fn the_identifier_selects_once_it_is_learned() {
    let world = world().await;
    let ask = async |id: &str, text: &str| world.ask(&from(id, json!(text))).await;
    let first = world.arm_for("step 1", "ann", "I am Ann", "[{ say: Hello Ann }]");
    assert_eq!(ask("id-a", "I am Ann").await.text(), "Hello Ann");
    assert_eq!(first.finish(), []);
    // The same words, different answers: only the identifier tells who asks.
    let ann = world.arm_for("step 2.1", "ann", "Yes", "[{ say: Booked Ann }]");
    let bob = world.arm_for("step 2.2", "bob", "Yes", "[{ say: Booked Bob }]");
    assert_eq!(ask("id-b", "Yes").await.text(), "Booked Bob");
    assert_eq!(ask("id-a", "Yes").await.text(), "Booked Ann");
    assert_eq!(ann.finish(), []);
    assert_eq!(bob.finish(), []);
    world.openai.reset();
    let _ann = world.arm_for("step 3.1", "ann", "Yes", "[{ say: Booked Ann }]");
    let _bob = world.arm_for("step 3.2", "bob", "Yes", "[{ say: Booked Bob }]");
    assert_eq!(ask("id-a", "Yes").await.status, 400);
}

#[tokio::test]
async fn equal_scripts_serve_everybody() {
    let world = world().await;
    let script = "[{ fail: 503 }, { say: Hello }]";
    let ann = world.arm_for("step 1.1", "ann", "Hi", script);
    let bob = world.arm_for("step 1.2", "bob", "Hi", script);
    let ask = async |id: &str| world.ask(&from(id, json!("Hi"))).await.status;
    assert_eq!(
        [ask("a").await, ask("b").await, ask("a").await, ask("b").await],
        [503, 503, 200, 200]
    );
    assert_eq!((ann.finish(), bob.finish()), (vec![], vec![]));

    let ann = world.arm_for("step 2.1", "ann", "Hi", "[{ say: Hello }]");
    let bob = world.arm_for("step 2.2", "bob", "Hi", "[{ say: Hello }]");
    assert_eq!(world.ask(&request(json!("Hi"))).await.text(), "Hello");
    assert_eq!((ann.finish(), bob.finish()), (vec![], vec![]));
}

#[tokio::test]
async fn a_whole_text_fits_better_than_a_part() {
    let world = world().await;
    let part = world.arm_for("step 1.1", "ann", "Yes", "[{ say: part }]");
    let whole = world.arm_for("step 1.2", "bob", "Yes please", "[{ say: whole }]");
    assert_eq!(world.ask(&request(json!("Yes please"))).await.text(), "whole");
    assert_eq!(world.ask(&request(json!("[1 picture]\nYes"))).await.text(), "part");
    assert_eq!((part.finish(), whole.finish()), (vec![], vec![]));
}

#[tokio::test]
async fn one_of_several_alternatives_answers() {
    let world = world().await;
    let script = "
- call: [{ check_availability: { date: 2026-02-11 } }]
- either:
    - { sees: { results: [{ free: true }] }, call: [{ list_bookings: {} }, { list_bookings: {} }] }
    - { sees: { results: [{ free: false }] }, call: [{ list_bookings: {} }] }
- sees: { results: [{ n: { any: number } }] }
  say: done
";
    let run = async |world: &World, free: Value, results: &[Value]| -> (Answer, usize) {
        let armed = world.arm(script);
        let mut history = vec![user("Hi")];
        let first = world.ask(&request(json!(history))).await;
        next(&mut history, &first, &[json!({ "free": free })]);
        let second = world.ask(&request(json!(history))).await;
        if second.status != 200 {
            return (second, armed.finish().len());
        }
        next(&mut history, &second, results);
        let third = world.ask(&request(json!(history))).await;
        (third, armed.finish().len())
    };
    let (answer, problems) = run(&world, json!(false), &[json!({ "n": 1 })]).await;
    assert_eq!((answer.text(), problems), ("done", 0));
    // The other way: two results, of which the last round expects one.
    let (answer, problems) =
        run(&world, json!(true), &[json!({ "n": 1 }), json!({ "n": 2 })]).await;
    assert!(answer.error().2.contains("1 item"), "{answer:?}");
    assert_eq!(problems, 1);
    let (answer, problems) = run(&world, json!("maybe"), &[]).await;
    assert!(answer.error().2.contains("none of its alternatives"), "{answer:?}");
    assert_eq!(problems, 1);
    assert_eq!(world.answered()[1], "step 1, round 2, alternative 2");
}

#[tokio::test]
async fn calls_are_held_against_the_offered_tools() {
    let world = world().await;
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
        let armed = world.arm(script);
        let answer = world.ask(&request(json!("Hi"))).await;
        assert!(answer.error().2.contains(says), "{answer:?}");
        assert!(armed.finish()[0].title.contains(says));
    }
    let armed = world.arm("[{ raw_call: { name: fly, arguments: 'not json' } }]");
    let answer = world.ask(&request(json!("Hi"))).await;
    let call = answer.items().pop().unwrap();
    assert_eq!((&call["name"], &call["arguments"]), (&json!("fly"), &json!("not json")));
    assert_eq!(armed.finish(), []);
}

#[tokio::test]
async fn the_tool_choice_binds_the_script() {
    let world = world().await;
    let ask = async |script: &str, choice: Value| {
        let _armed = world.arm(script);
        let mut body = request(json!("Hi"));
        body["tool_choice"] = choice;
        let answer = world.ask(&body).await;
        answer.error().2.to_owned()
    };
    let list = "[{ call: [{ list_bookings: {} }] }]";
    assert!(ask(list, json!("none")).await.contains("tool_choice is none"));
    assert!(ask("[{ say: Hi }]", json!("required")).await.contains("asks for a call"));
    let named = json!({ "type": "function", "name": "check_availability" });
    assert!(ask(list, named).await.contains("tool_choice is 'check_availability'"));
    assert_eq!(ask(list, json!("required")).await, "");
}

#[tokio::test]
async fn a_second_answer_follows_the_first_when_the_backend_asks_again() {
    let world = world().await;
    let armed = world.arm("[{ say: first }, { say: second }]");
    let mut history = vec![user("Hi")];
    let first = world.ask(&request(json!(history))).await;
    assert_eq!(first.text(), "first");
    history.extend(first.items());
    history.push(json!({ "role": "developer", "content": "Shorter, please." }));
    assert_eq!(world.ask(&request(json!(history))).await.text(), "second");
    assert_eq!(armed.finish(), []);
}
