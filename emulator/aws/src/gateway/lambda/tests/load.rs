//! Many requests: each is answered.

use std::collections::BTreeSet;

use super::*;

fn four() -> TestGateway {
    TestGateway::of(LambdaConfig { concurrency: 4, ..lambda("runtime_client") }, FOREVER)
}

#[tokio::test]
async fn four_clients_at_concurrency_four_are_never_refused() {
    let gateway = four();
    let client = || async {
        let mut answers = Vec::new();
        for _ in 0..50 {
            answers.push(gateway.get("/who").await);
        }
        answers
    };
    let answers = futures::future::join_all((0..4).map(|_| client())).await.concat();
    let refused: Vec<_> = answers.iter().filter(|answer| answer.status != 200).collect();
    assert!(answers.len() == 200 && refused.is_empty(), "{refused:?}");
    let pids: BTreeSet<_> = answers.iter().map(|answer| answer.pid).collect();
    assert!(pids.len() <= 4, "processes are reused: {pids:?}");
}

#[tokio::test]
async fn two_hundred_at_once_are_each_answered_or_throttled() {
    let gateway = four();
    let answers = futures::future::join_all((0..200).map(|_| gateway.get("/who"))).await;
    let with = |status| answers.iter().filter(|answer| answer.status == status).count();
    assert!(with(200) >= 4 && with(200) + with(429) == 200, "{answers:?}");
    assert_eq!(gateway.get("/who").await.status, 200);
}

/// One half fails in its own way; the other half must not notice.
#[tokio::test]
async fn failures_beside_others_are_each_ones_own() {
    let gateway =
        TestGateway::of(LambdaConfig { concurrency: 40, ..lambda("runtime_client") }, FOREVER);
    let paths =
        ["/who", "/exit?1", "/who", "/error", "/who", "/without-answer", "/who", "/not-json"];
    for _ in 0..3 {
        let all = paths.iter().cycle().take(32).map(|path| (path, gateway.get(path)));
        let all = all.map(|(path, answer)| async move { (path, answer.await.status) });
        for (path, status) in futures::future::join_all(all).await {
            assert_eq!(status, if *path == "/who" { 200 } else { 500 }, "{path}");
        }
    }
}
