//! Each failure is seen at once, named, and of no consequence for the next request.

use super::*;

#[tokio::test]
async fn each_failure_is_named_with_what_was_written_last_and_the_next_request_is_fine() {
    let gateway = TestGateway::start();
    for (path, code, says) in [
        ("/error", "function_error", "Boom: on purpose"),
        ("/without-answer", "function_error", "asked for the next event without answering"),
        ("/exit?3", "function_exit", "exited with code 3"),
        ("/exit?0", "function_exit", "exited with code 0"),
        ("/abort", "function_exit", "was ended by signal 6"),
        ("/panic", "function_exit", "exited with code 101"),
        ("/large", "payload_too_large", "more than the 6291556 bytes that Lambda takes"),
        ("/not-json", "malformed_response", "is not JSON"),
    ] {
        let answer = gateway.get(path).await;
        assert_eq!(
            (answer.status, answer.body.as_str()),
            (500, r#"{"message":"Internal Server Error"}"#),
            "{path}"
        );
        let (said, named) = gateway.failure();
        assert_eq!(named, code, "{path}: {said}");
        let last = format!("it wrote last:\n  doing {}", path.split('?').next().unwrap());
        assert!(said.contains(says) && said.contains(&last), "{path}: {said}");
        gateway.pid().await;
    }
    let (panicked, _) = gateway.lines().into_iter().partition::<Vec<_>, _>(|(id, line)| {
        id.is_some() && line.contains("the handler fell over")
    });
    assert!(!panicked.is_empty(), "{:?}", gateway.lines());
}

#[tokio::test]
async fn a_failure_to_start_is_named_and_the_next_request_tries_again() {
    for (how, says) in [
        ("exit", "exited with code 7; it wrote last:\n  there is no table"),
        ("error", "NoTable: tell me its name; it wrote last:\n  there is no table"),
        ("panic", "exited with code 101; it wrote last:"),
    ] {
        let gateway = TestGateway::of(with(&[("INIT", how)]), FOREVER);
        for _ in 0..2 {
            assert_eq!(gateway.get("/who").await.status, 500, "{how}");
            let (said, code) = gateway.failure();
            assert!(said.contains("did not start") && said.contains(says), "{how}: {said}");
            assert_eq!(code, "function_init", "{how}");
        }
        let lines = gateway.lines();
        let failures = lines.iter().filter(|(_, line)| line.contains("did not start"));
        assert_eq!(failures.count(), 2, "each request tried: {lines:?}");
        // A better executable ends the misery.
        gateway.server.replace_executable("F", executable("lambda_http_function"));
        assert_eq!(gateway.get("/who").await.status, 200, "{how}");
    }
}

#[tokio::test]
async fn a_start_that_hangs_is_run_again_within_the_timeout_and_named() {
    let hangs = with(&[("INIT", "hang")]);
    let gateway = TestGateway::of(
        LambdaConfig { init_timeout: Duration::from_millis(300), ..hangs },
        Duration::from_secs(1),
    );
    assert_eq!(gateway.get("/who").await.status, 500);
    let (said, code) = gateway.failure();
    let says = "still running after 1.00 seconds; it wrote last:\n  there is no table";
    assert!(said.contains(says), "{said}");
    assert_eq!(code, "function_timeout");
    let reports = gateway.lines().into_iter().filter(|(_, line)| line.starts_with("INIT_REPORT"));
    assert_eq!(reports.count(), 1, "of the first start alone");
    gateway.server.replace_executable("F", executable("lambda_http_function"));
    assert_eq!(gateway.get("/who").await.status, 200, "the next request is fine");
}

#[tokio::test]
async fn a_start_that_is_too_slow_once_is_told_and_its_request_answered() {
    let folder = rehearse_testutils::Folder::new();
    let file = folder.path().join("started").display().to_string();
    let slow = with(&[("INIT", "hang-once"), ("FILE", &file)]);
    let gateway =
        TestGateway::of(LambdaConfig { init_timeout: Duration::from_millis(300), ..slow }, FOREVER);
    assert_eq!(gateway.get("/who").await.status, 200);
    let lines = gateway.lines();
    let report = "INIT_REPORT Init Duration: 300 ms Phase: init Status: timeout";
    assert!(lines.iter().any(|(_, line)| line.starts_with(report)), "{lines:?}");
}

#[tokio::test]
async fn a_program_that_is_not_there_is_named() {
    let mut lambda = lambda("runtime_client");
    lambda.executable.program = "/nowhere/bootstrap".into();
    let gateway = TestGateway::of(lambda, FOREVER);
    assert_eq!(gateway.get("/who").await.status, 500);
    let (said, code) = gateway.failure();
    assert!(said.contains("failed to start /nowhere/bootstrap: No such file"), "{said}");
    assert_eq!(code, "function_init");
}

#[tokio::test]
async fn a_panic_in_lambda_http_fails_its_request_alone() {
    let gateway = TestGateway::of(lambda("lambda_http_function"), FOREVER);
    let before = gateway.get("/who").await.body;
    assert_eq!(gateway.get("/panic").await.status, 500);
    let (said, code) = gateway.failure();
    assert!(said.contains("the handler fell over"), "{said}");
    assert_eq!(code, "function_error");
    assert_eq!(
        gateway.get("/who").await.body,
        before,
        "the runtime catches it: the process lives on"
    );
}

#[tokio::test]
async fn a_second_answer_and_one_to_an_unknown_request_are_refused() {
    let gateway = TestGateway::start();
    let answer = gateway.get("/twice").await;
    assert_eq!((answer.status, answer.body.as_str()), (200, "first"));
    let pid = gateway.pid().await;
    assert_eq!(answer.pid, Some(pid), "it lives on");
    let lines = gateway.lines();
    let of = |part: &str| lines.iter().find(|(_, line)| line.contains(part)).cloned();
    let (id, _) = of("doing /twice").unwrap();
    let (of_remark, remark) = of("is not under way").unwrap();
    assert_eq!(of_remark, id, "{remark}");
    let (_, told) = of("the second answer:").expect("the function hears of it");
    assert!(told.contains("400") && told.contains("InvalidRequestID"), "{told}");

    let answer = gateway.get("/unknown-id").await;
    assert!(answer.body.starts_with("400 ") && answer.body.contains("InvalidRequestID"));
    assert_eq!(answer.status, 200, "its own request is answered none the less");
    assert!(gateway.get("/unknown-call").await.body.starts_with("404 "));
    assert_eq!(gateway.pid().await, pid);
}

#[tokio::test]
async fn a_megabyte_without_a_newline_is_cut_into_lines() {
    let gateway = TestGateway::start();
    let answer = gateway.get("/loud").await;
    assert_eq!((answer.status, answer.body.as_str()), (200, "said"));
    gateway.pid().await;
    let lines = gateway.lines();
    let pieces: Vec<_> = lines.iter().filter(|(_, line)| line.starts_with('x')).collect();
    assert_eq!(pieces.iter().map(|(_, line)| line.len()).sum::<usize>(), 1 << 20);
    assert_eq!(pieces.len(), 4);
    let (id, _) = lines.iter().find(|(_, line)| line == "doing /loud").unwrap();
    assert!(pieces.iter().all(|(of, _)| of == id));
}

#[tokio::test]
async fn a_function_that_hangs_up_is_heard_on_its_next_connection() {
    let gateway = TestGateway::start();
    let answer = gateway.get("/break").await;
    assert_eq!((answer.status, answer.body.as_str()), (200, "on another connection"));

    let (arrivals, port) = ArrivalListener::open().await;
    let pid = gateway.get(&format!("/hang-up?{port}")).await.pid.unwrap();
    drop(arrivals.arrived().await);
    until_true("the process to ask again", || gateway.pool.idle() == 1).await;
    assert_eq!(gateway.pid().await, pid);
}

#[tokio::test]
async fn a_function_that_hangs_up_for_good_gives_its_place_to_another() {
    for concurrency in [1, 2] {
        let gateway =
            TestGateway::of(LambdaConfig { concurrency, ..lambda("runtime_client") }, FOREVER);
        let (arrivals, port) = ArrivalListener::open().await;
        let pid = gateway.get(&format!("/go-away?{port}")).await.pid.unwrap();
        let there = arrivals.arrived().await;
        assert_ne!(gateway.pid().await, pid);
        drop(there);
        if concurrency == 1 {
            ended(pid).await;
        }
    }
}
