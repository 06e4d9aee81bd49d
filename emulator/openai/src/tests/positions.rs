//! Property: every point of a conversation gets the same response again, in any order of requests.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::support::{next, request, start, user};

/// A script of rounds with these numbers of calls, and a last round with a text.
fn script(calls: &[usize]) -> String {
    let mut yaml = String::new();
    for (round, count) in calls.iter().enumerate() {
        let list: Vec<String> = (0..*count)
            .map(|n| format!("{{ check_availability: {{ date: r{round}c{n} }} }}"))
            .collect();
        yaml.push_str(&format!("- call: [{}]\n", list.join(", ")));
    }
    yaml + "- say: done\n"
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn the_history_alone_decides_the_response(
        calls in prop::collection::vec(1usize..4, 0..4),
        order in prop::collection::vec(any::<prop::sample::Index>(), 1..12),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let server = start().await;
            let armed = server.arm(&script(&calls));
            // The conversation once through.
            let mut seen: Vec<(Value, Value)> = Vec::new();
            let mut history = vec![user("before"), json!({ "role": "assistant", "content": "a" }), user("Hi")];
            for round in 0..=calls.len() {
                let body = request(json!(history));
                let answer = server.ask(&body).await;
                assert_eq!(answer.status, 200, "{answer:?}");
                seen.push((body, answer.body.clone()));
                if let Some(count) = calls.get(round) {
                    let results: Vec<Value> = (0..*count).map(|n| json!({ "n": n })).collect();
                    next(&mut history, &answer, &results);
                }
            }
            // Then any part of it, in any order.
            for index in order {
                let (body, answer) = index.get(&seen);
                assert_eq!(&server.ask(body).await.body, answer);
            }
            assert_eq!(armed.finish(), []);
        });
    }
}
