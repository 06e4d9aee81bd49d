//! Any point of any conversation gets the same answer again, in any order of asking.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::support::{next, request, user, world};

/// A script of rounds with so many calls each, and a last one that says something.
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
    fn a_history_decides_its_answer(
        calls in prop::collection::vec(1usize..4, 0..4),
        order in prop::collection::vec(any::<prop::sample::Index>(), 1..12),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let world = world().await;
            let armed = world.arm(&script(&calls));
            // The conversation once through.
            let mut seen: Vec<(Value, Value)> = Vec::new();
            let mut history = vec![user("before"), json!({ "role": "assistant", "content": "a" }), user("Hi")];
            for round in 0..=calls.len() {
                let body = request(json!(history));
                let answer = world.ask(&body).await;
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
                assert_eq!(&world.ask(body).await.body, answer);
            }
            assert_eq!(armed.finish(), []);
        });
    }
}
