//! Failures of OpenAI: temporary and permanent ones.

use std::{
    io::{Read, Write},
    net::TcpListener,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use handlers::{
    adapters::openai::RetryPolicy,
    app::error_chain::ErrorChain,
    domain::turn::ConversationItem,
    ports::{BoxError, ModelError},
};
use wiremock::{Mock, MockServer, ResponseTemplate, matchers::any};

use crate::{
    openai::{RETRY_POLICY, ask, model},
    support::recorded,
};

/// The result against a server that always answers the same, and the number of requests to it.
async fn always(
    answer: ResponseTemplate,
    retry_policy: RetryPolicy,
) -> (Result<Vec<ConversationItem>, ModelError>, usize) {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(answer).mount(&server).await;
    let outcome =
        ask(&model(&server.uri(), retry_policy), &[ConversationItem::User("Hi".into())]).await;
    (outcome, server.received_requests().await.unwrap().len())
}

fn chain(source: &BoxError) -> String {
    ErrorChain(source.as_ref()).to_string()
}

#[tokio::test]
async fn a_wrong_request_is_rejected_and_not_repeated() {
    for (status, body, says) in [
        (400, "error_400_no_tool_output.json", "param input"),
        (400, "error_400_no_tool_call.json", "param input"),
        (400, "error_400_duplicate_item.json", "param input"),
        (400, "error_400_missing_reasoning.json", "param input"),
        (400, "error_400_invalid_schema.json", "invalid_function_parameters"),
        (400, "error_400_context_length.json", "context_length_exceeded"),
        (401, "error_401_invalid_api_key.json", "invalid_api_key"),
        (404, "error_404_model_not_found.json", "model_not_found"),
    ] {
        let answer = recorded(status, &format!("openai/bodies/{body}"));
        let (outcome, asked) = always(answer, RETRY_POLICY).await;
        let Err(ModelError::Rejected(source)) = outcome else { panic!("{body}: {outcome:?}") };
        let text = chain(&source);
        assert!(text.contains(&format!("answered {status}")) && text.contains(says), "{text}");
        assert_eq!(asked, 1, "{body}");
    }
}

/// It may quote the request, with a customer's words in it, or the key.
#[tokio::test]
async fn what_an_error_says_in_words_is_not_told() {
    let words = r#"{"error":{"message":"secret words","type":"secret words","param":"secret words","code":"secret words"}}"#;
    for body in [words, "<p>secret words</p>", "secret words"] {
        let answer = ResponseTemplate::new(400).set_body_raw(body, "application/json");
        let (outcome, _) = always(answer, RETRY_POLICY).await;
        let Err(ModelError::Rejected(source)) = outcome else { panic!("{body}: {outcome:?}") };
        let text = chain(&source);
        assert!(text.contains("answered 400") && !text.contains("secret"), "{text}");
    }
}

#[tokio::test]
async fn overload_is_unavailable_after_two_more_attempts() {
    for (status, body) in [
        (429, "error_429_rate_limit.json"),
        (500, "error_500_server_error.json"),
        (503, "error_503_overloaded.json"),
        (502, "error_502_proxy.html"),
        (429, "error_502_proxy.html"),
    ] {
        let answer = recorded(status, &format!("openai/bodies/{body}"));
        let (outcome, asked) = always(answer, RETRY_POLICY).await;
        assert!(matches!(outcome, Err(ModelError::Unavailable(_))), "{body}: {outcome:?}");
        assert_eq!(asked, 3, "{body}");
    }
}

#[tokio::test]
async fn an_operator_can_do_without_further_attempts() {
    let busy = recorded(503, "openai/bodies/error_503_overloaded.json");
    let (outcome, asked) = always(busy, RetryPolicy { max_retries: 0, ..RETRY_POLICY }).await;
    assert!(matches!(outcome, Err(ModelError::Unavailable(_))), "{outcome:?}");
    assert_eq!(asked, 1);
}

#[tokio::test]
async fn an_empty_account_is_unavailable_at_once() {
    let answer = recorded(429, "openai/bodies/error_429_insufficient_quota.json");
    let (outcome, asked) = always(answer.insert_header("retry-after", "0"), RETRY_POLICY).await;
    assert!(matches!(outcome, Err(ModelError::Unavailable(_))), "{outcome:?}");
    assert_eq!(asked, 1);
}

#[tokio::test]
async fn rate_limited_once_then_fine() {
    let server = MockServer::start().await;
    let busy = recorded(429, "openai/bodies/error_429_rate_limit.json");
    let busy = busy.insert_header("retry-after-ms", "5");
    Mock::given(any()).respond_with(busy).up_to_n_times(1).mount(&server).await;
    let fine = recorded(200, "openai/bodies/text.json");
    Mock::given(any()).respond_with(fine).mount(&server).await;
    let items = ask(&model(&server.uri(), RETRY_POLICY), &[ConversationItem::User("Hi".into())])
        .await
        .unwrap();
    assert_eq!(items.len(), 2);
    let requests = server.received_requests().await.unwrap();
    assert_eq!(requests.len(), 2);
    assert_eq!(requests[0].body, requests[1].body);
}

#[tokio::test]
async fn a_longer_wait_than_the_deadline_allows_is_not_begun() {
    let busy = recorded(429, "openai/bodies/error_429_rate_limit.json");
    let (outcome, asked) = always(busy.insert_header("retry-after", "20"), RETRY_POLICY).await;
    assert!(matches!(outcome, Err(ModelError::Unavailable(_))), "{outcome:?}");
    assert_eq!(asked, 1);
}

#[tokio::test]
async fn a_slow_answer_is_not_asked_for_again() {
    let retry_policy = RetryPolicy { attempt_timeout: Duration::from_millis(50), ..RETRY_POLICY };
    let slow = recorded(200, "openai/bodies/text.json").set_delay(Duration::from_secs(30));
    let (outcome, asked) = always(slow, retry_policy).await;
    let Err(ModelError::Unavailable(source)) = outcome else { panic!("{outcome:?}") };
    assert_eq!((chain(&source).as_str(), asked), ("did not answer in time", 1));
}

#[tokio::test]
async fn an_answer_that_is_no_json_is_unavailable_and_not_quoted() {
    let page = ResponseTemplate::new(200).set_body_raw("<p>secret words</p>", "text/html");
    let (outcome, _) = always(page, RETRY_POLICY).await;
    let Err(ModelError::Unavailable(source)) = outcome else { panic!("{outcome:?}") };
    assert!(!chain(&source).contains("secret"), "{}", chain(&source));
    let cut = ResponseTemplate::new(200).set_body_raw(r#"{"status":"compl"#, "application/json");
    let (outcome, _) = always(cut, RETRY_POLICY).await;
    assert!(matches!(outcome, Err(ModelError::Unavailable(_))), "{outcome:?}");
}

#[tokio::test]
async fn a_connection_cut_within_the_answer_is_tried_again() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = asked.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            counter.fetch_add(1, Ordering::SeqCst);
            let _ = stream.read(&mut [0; 64 * 1024]);
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{\"id\":");
        }
    });
    let model = model(&format!("http://{address}"), RETRY_POLICY);
    let outcome = ask(&model, &[ConversationItem::User("Hi".into())]).await;
    assert!(matches!(outcome, Err(ModelError::Unavailable(_))), "{outcome:?}");
    assert_eq!(asked.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn an_unreachable_provider_is_unavailable() {
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let model = model(&format!("http://{address}"), RETRY_POLICY);
    let outcome = ask(&model, &[ConversationItem::User("Hi".into())]).await;
    assert!(matches!(outcome, Err(ModelError::Unavailable(_))), "{outcome:?}");
}
