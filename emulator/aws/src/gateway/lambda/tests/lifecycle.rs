//! When a process begins, which one gets an event, and when it ends.

use super::*;

#[tokio::test]
async fn a_process_is_started_for_the_first_request_and_serves_the_next() {
    let lab = TestGateway::start();
    assert_eq!(lab.pool.idle(), 0, "none before it is needed");
    let first = lab.pid().await;
    assert_eq!((lab.pid().await, lab.pid().await), (first, first));
}

#[tokio::test]
async fn over_its_timeout_it_is_killed_and_the_next_request_gets_a_new_one() {
    let lab = TestGateway::of(lambda("runtime_client"), Duration::from_secs(1));
    let first = lab.pid().await;
    assert_eq!(lab.get("/hang").await.status, 500);
    let (said, code) = lab.failure();
    let says = "still running after 1.00 seconds; it wrote last:\n  doing /hang";
    assert!(said.contains(says), "{said}");
    assert_eq!(code, "function_timeout");
    ended(first).await;
    assert_ne!(lab.pid().await, first);
}

#[tokio::test]
async fn the_most_recently_used_process_is_the_next_to_work() {
    let lab = TestGateway::start();
    let (first, at_first) = Rendezvous::open().await;
    let (second, at_second) = Rendezvous::open().await;
    let one = tokio::spawn(lab.get(&format!("/meet?{at_first}")));
    let there = first.arrived().await;
    let two = tokio::spawn(lab.get(&format!("/meet?{at_second}")));
    let there_too = second.arrived().await;
    drop(there_too);
    let two = two.await.unwrap().pid;
    until("it waits", || lab.pool.idle() == 1).await;
    drop(there);
    let one = one.await.unwrap().pid;
    until("both wait", || lab.pool.idle() == 2).await;
    assert_ne!(one, two);
    assert_eq!(Some(lab.pid().await), one);
}

#[tokio::test]
async fn beyond_the_limit_a_request_is_throttled_at_once() {
    let lab = TestGateway::of(LambdaConfig { concurrency: 2, ..lambda("runtime_client") }, FOREVER);
    let (meeting, port) = Rendezvous::open().await;
    let path = format!("/meet?{port}");
    let (one, two) = (tokio::spawn(lab.get(&path)), tokio::spawn(lab.get(&path)));
    let there = (meeting.arrived().await, meeting.arrived().await);
    let third = lab.get("/who").await;
    assert_eq!((third.status, third.body.as_str()), (429, r#"{"message":"Too Many Requests"}"#));
    let (said, code) = lab.failure();
    assert!(said.contains("throttled: 2 run at once already"), "{said}");
    assert_eq!(code, "throttled");
    drop(there);
    assert_eq!((one.await.unwrap().status, two.await.unwrap().status), (200, 200));
    lab.pid().await;
}

/// The second counts as coming back just when the first has lost its place.
#[tokio::test]
async fn all_that_answer_and_ask_for_nothing_lose_their_places_one_after_the_other() {
    let lab = TestGateway::of(LambdaConfig { concurrency: 2, ..lambda("runtime_client") }, FOREVER);
    let (first, at_first) = Rendezvous::open().await;
    let (second, at_second) = Rendezvous::open().await;
    let one = tokio::spawn(lab.get(&format!("/work-on?{at_first}")));
    let two = tokio::spawn(lab.get(&format!("/work-on?{at_second}")));
    drop(first.arrived().await);
    let there = second.arrived().await;
    let one = one.await.unwrap().pid.unwrap();
    let third = tokio::spawn(lab.get("/who"));
    tokio::time::sleep(RETURN_TIMEOUT * 4 / 5).await;
    drop(there);
    let two = two.await.unwrap().pid.unwrap();
    let third = tokio::time::timeout(RETURN_TIMEOUT * 10, third).await.expect("an answer").unwrap();
    assert_eq!(third.status, 200, "{third:?}");
    assert!(third.pid != Some(one) && third.pid != Some(two), "{third:?}");
}

#[tokio::test]
async fn cold_gives_every_request_a_process_of_its_own() {
    let lab = TestGateway::of(
        LambdaConfig { cold: true, concurrency: 1, ..lambda("runtime_client") },
        FOREVER,
    );
    let pids = [lab.pid().await, lab.pid().await, lab.pid().await];
    assert!(pids[0] != pids[1] && pids[1] != pids[2] && pids[0] != pids[2], "{pids:?}");
    for pid in pids {
        ended(pid).await;
    }
}

#[tokio::test]
async fn a_swap_lets_what_runs_end_and_gives_the_next_request_the_new_program() {
    let lab = TestGateway::start();
    let (meeting, port) = Rendezvous::open().await;
    let running = tokio::spawn(lab.get(&format!("/meet?{port}")));
    let there = meeting.arrived().await;
    let idle = lab.pid().await;
    until("it waits", || lab.pool.idle() == 1).await;
    lab.gateway.replace_executable("F", executable("lambda_http_function"));
    ended(idle).await;
    let new: u32 = lab.get("/who").await.body.parse().expect("the other program's answer");
    drop(there);
    let old = running.await.unwrap();
    assert_eq!((old.status, old.body.as_str()), (200, "met"));
    ended(old.pid.unwrap()).await;
    assert_eq!(lab.get("/who").await.body, new.to_string());
}

#[tokio::test]
async fn a_dropped_gateway_leaves_no_process_and_no_child_of_one() {
    let lab = TestGateway::start();
    let (meeting, port) = Rendezvous::open().await;
    let running = tokio::spawn(lab.get(&format!("/meet?{port}")));
    let mut there = meeting.arrived().await;
    let answer = lab.get("/child").await;
    let (idle, child) = (answer.pid.unwrap(), answer.body.parse().unwrap());
    let TestGateway { gateway, pool, .. } = lab;
    drop((gateway, pool));
    ended(idle).await;
    ended(child).await;
    // The one that works is gone when its connection is.
    let _ = there.read(&mut [0]).await;
    running.abort();
}

#[tokio::test]
async fn a_child_that_a_dead_process_left_behind_ends_too() {
    let lab = TestGateway::start();
    let child = lab.get("/child").await.body.parse().unwrap();
    assert_eq!(lab.get("/exit?1").await.status, 500);
    ended(child).await;
}
