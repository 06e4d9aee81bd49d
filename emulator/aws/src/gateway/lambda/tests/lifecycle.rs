//! When a process begins, which one gets an event, and when it ends.

use super::*;

#[tokio::test]
async fn a_process_is_started_for_the_first_request_and_serves_the_next() {
    let gateway = TestGateway::start();
    assert_eq!(gateway.pool.idle(), 0, "none before it is needed");
    let first = gateway.pid().await;
    assert_eq!((gateway.pid().await, gateway.pid().await), (first, first));
}

#[tokio::test]
async fn over_its_timeout_it_is_killed_and_the_next_request_gets_a_new_one() {
    let gateway = TestGateway::of(lambda("runtime_client"), Duration::from_secs(1));
    let first = gateway.pid().await;
    assert_eq!(gateway.get("/hang").await.status, 500);
    let (said, code) = gateway.failure();
    let says = "still running after 1.00 seconds; it wrote last:\n  doing /hang";
    assert!(said.contains(says), "{said}");
    assert_eq!(code, "function_timeout");
    ended(first).await;
    assert_ne!(gateway.pid().await, first);
}

#[tokio::test]
async fn the_most_recently_used_process_is_the_next_to_work() {
    let gateway = TestGateway::start();
    let (first, at_first) = ArrivalListener::open().await;
    let (second, at_second) = ArrivalListener::open().await;
    let one = tokio::spawn(gateway.get(&format!("/meet?{at_first}")));
    let there = first.arrived().await;
    let two = tokio::spawn(gateway.get(&format!("/meet?{at_second}")));
    let there_too = second.arrived().await;
    drop(there_too);
    let two = two.await.unwrap().pid;
    until_true("the process to wait", || gateway.pool.idle() == 1).await;
    drop(there);
    let one = one.await.unwrap().pid;
    until_true("both processes to wait", || gateway.pool.idle() == 2).await;
    assert_ne!(one, two);
    assert_eq!(Some(gateway.pid().await), one);
}

#[tokio::test]
async fn beyond_the_limit_a_request_is_throttled_at_once() {
    let gateway =
        TestGateway::of(LambdaConfig { concurrency: 2, ..lambda("runtime_client") }, FOREVER);
    let (arrivals, port) = ArrivalListener::open().await;
    let path = format!("/meet?{port}");
    let (one, two) = (tokio::spawn(gateway.get(&path)), tokio::spawn(gateway.get(&path)));
    let there = (arrivals.arrived().await, arrivals.arrived().await);
    let third = gateway.get("/who").await;
    assert_eq!((third.status, third.body.as_str()), (429, r#"{"message":"Too Many Requests"}"#));
    let (said, code) = gateway.failure();
    assert!(said.contains("throttled: 2 run at once already"), "{said}");
    assert_eq!(code, "throttled");
    drop(there);
    assert_eq!((one.await.unwrap().status, two.await.unwrap().status), (200, 200));
    gateway.pid().await;
}

/// The second counts as coming back just when the first has lost its place.
#[tokio::test]
async fn all_that_answer_and_ask_for_nothing_lose_their_places_one_after_the_other() {
    let gateway =
        TestGateway::of(LambdaConfig { concurrency: 2, ..lambda("runtime_client") }, FOREVER);
    let (first, at_first) = ArrivalListener::open().await;
    let (second, at_second) = ArrivalListener::open().await;
    let one = tokio::spawn(gateway.get(&format!("/work-on?{at_first}")));
    let two = tokio::spawn(gateway.get(&format!("/work-on?{at_second}")));
    drop(first.arrived().await);
    let there = second.arrived().await;
    let one = one.await.unwrap().pid.unwrap();
    let third = tokio::spawn(gateway.get("/who"));
    tokio::time::sleep(RETURN_TIMEOUT * 4 / 5).await;
    drop(there);
    let two = two.await.unwrap().pid.unwrap();
    let third = tokio::time::timeout(RETURN_TIMEOUT * 10, third).await.expect("an answer").unwrap();
    assert_eq!(third.status, 200, "{third:?}");
    assert!(third.pid != Some(one) && third.pid != Some(two), "{third:?}");
}

#[tokio::test]
async fn cold_gives_every_request_a_process_of_its_own() {
    let gateway = TestGateway::of(
        LambdaConfig { cold: true, concurrency: 1, ..lambda("runtime_client") },
        FOREVER,
    );
    let pids = [gateway.pid().await, gateway.pid().await, gateway.pid().await];
    assert!(pids[0] != pids[1] && pids[1] != pids[2] && pids[0] != pids[2], "{pids:?}");
    for pid in pids {
        ended(pid).await;
    }
}

#[tokio::test]
async fn a_swap_lets_what_runs_end_and_gives_the_next_request_the_new_program() {
    let gateway = TestGateway::start();
    let (arrivals, port) = ArrivalListener::open().await;
    let running = tokio::spawn(gateway.get(&format!("/meet?{port}")));
    let there = arrivals.arrived().await;
    let idle = gateway.pid().await;
    until_true("the process to wait", || gateway.pool.idle() == 1).await;
    gateway.server.replace_executable("F", executable("lambda_http_function"));
    ended(idle).await;
    let new: u32 = gateway.get("/who").await.body.parse().expect("the other program's answer");
    drop(there);
    let old = running.await.unwrap();
    assert_eq!((old.status, old.body.as_str()), (200, "met"));
    ended(old.pid.unwrap()).await;
    assert_eq!(gateway.get("/who").await.body, new.to_string());
}

#[tokio::test]
async fn a_dropped_gateway_leaves_no_process_and_no_child_of_one() {
    let gateway = TestGateway::start();
    let (arrivals, port) = ArrivalListener::open().await;
    let running = tokio::spawn(gateway.get(&format!("/meet?{port}")));
    let mut there = arrivals.arrived().await;
    let answer = gateway.get("/child").await;
    let (idle, child) = (answer.pid.unwrap(), answer.body.parse().unwrap());
    let TestGateway { server, pool, .. } = gateway;
    drop((server, pool));
    ended(idle).await;
    ended(child).await;
    // The one that works is gone when its connection is.
    let _ = there.read(&mut [0]).await;
    running.abort();
}

/// Nothing else runs on this thread between the drop and the end, so it is the drop that kills. What the
/// process calls may have another owner right after.
#[tokio::test]
async fn a_process_that_works_is_killed_by_the_drop_of_its_gateway() {
    let gateway = TestGateway::start();
    let (arrivals, port) = ArrivalListener::open().await;
    let pid = gateway.pid().await;
    let running = tokio::spawn(gateway.get(&format!("/meet?{port}")));
    let _there = arrivals.arrived().await;
    drop(gateway.server);
    wait_for(&format!("the end of process {pid}"), || has_ended(pid).then_some(()));
    running.abort();
}

#[tokio::test]
async fn a_child_that_a_dead_process_left_behind_ends_too() {
    let gateway = TestGateway::start();
    let child = gateway.get("/child").await.body.parse().unwrap();
    assert_eq!(gateway.get("/exit?1").await.status, 500);
    ended(child).await;
}
