//! Credentials in a store, against a fake of the secrets extension.

use std::sync::{
    Mutex as Lock,
    atomic::{AtomicI64, Ordering},
};

use wiremock::{
    Mock, MockServer, ResponseTemplate,
    matchers::{header, method, path, query_param},
};

use super::*;

/// A clock that only the test moves; sleeps are recorded and end at once.
#[derive(Default)]
struct ManualTimer(AtomicI64, Lock<Vec<Duration>>);

#[async_trait]
impl Timer for ManualTimer {
    fn unix_ms(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }

    async fn sleep(&self, time: Duration) {
        self.1.lock().unwrap().push(time);
    }
}

fn stored(
    server: &MockServer,
    store: StoreKind,
    name: &str,
) -> (StoredCredential, Arc<ManualTimer>) {
    at_port(server.address().port(), store, name)
}

fn at_port(port: u16, store: StoreKind, name: &str) -> (StoredCredential, Arc<ManualTimer>) {
    let timer = Arc::new(ManualTimer::default());
    let settings =
        Settings { variable: "TWILIO_AUTH_TOKEN", store, name, port, session_token: "session" };
    let http = crate::compose::Clients::plain().unwrap().web;
    (StoredCredential::new(http, &settings, timer.clone()), timer)
}

/// The value that the store returns from now on.
async fn store_holds(server: &MockServer, value: &str) {
    server.reset().await;
    let answer = serde_json::json!({ "Parameter": { "Value": value, "Type": "SecureString" } });
    answers(server, ResponseTemplate::new(200).set_body_json(answer)).await;
}

async fn answers(server: &MockServer, answer: ResponseTemplate) {
    Mock::given(method("GET")).respond_with(answer).mount(server).await;
}

async fn asked(server: &MockServer) -> usize {
    server.received_requests().await.unwrap().len()
}

fn text(secret: &Secret) -> &str {
    secret.expose()
}

#[tokio::test]
async fn a_parameter_is_asked_for_as_the_extension_documents_it() {
    let server = MockServer::start().await;
    let answer = serde_json::json!({ "Parameter": { "Value": "t0ken\n" } });
    Mock::given(method("GET"))
        .and(path("/systemsmanager/parameters/get"))
        .and(query_param("name", "/shop/a token"))
        .and(query_param("withDecryption", "true"))
        .and(header("X-Aws-Parameters-Secrets-Token", "session"))
        .respond_with(ResponseTemplate::new(200).set_body_json(answer))
        .expect(1)
        .mount(&server)
        .await;
    let (secret, _) = stored(&server, StoreKind::ParameterStore, "/shop/a token");
    assert_eq!(text(&secret.current().await.unwrap()), "t0ken");
    assert_eq!(text(&secret.current().await.unwrap()), "t0ken", "fetched once");
    let url = server.received_requests().await.unwrap()[0].url.clone();
    assert!(url.as_str().contains("name=%2Fshop%2Fa+token"), "{url}");
}

#[tokio::test]
async fn a_secret_is_read_from_secrets_manager() {
    let server = MockServer::start().await;
    Mock::given(path("/secretsmanager/get"))
        .and(query_param("secretId", "shop/token"))
        .respond_with(
            ResponseTemplate::new(200)
                .set_body_json(serde_json::json!({ "SecretString": "t0ken" })),
        )
        .mount(&server)
        .await;
    let (secret, _) = stored(&server, StoreKind::SecretsManager, "shop/token");
    assert_eq!(text(&secret.current().await.unwrap()), "t0ken");
}

#[tokio::test]
async fn a_rotated_secret_is_found_and_the_store_is_asked_once_a_minute_at_most() {
    let server = MockServer::start().await;
    store_holds(&server, "old").await;
    let (secret, timer) = stored(&server, StoreKind::ParameterStore, "a");
    let old = secret.current().await.unwrap();
    // The value is the same, as with forged requests.
    for _ in 0..5 {
        assert_eq!(secret.refresh(&old).await, None);
    }
    assert_eq!(asked(&server).await, 2, "at the start, and once more");

    store_holds(&server, "new").await;
    timer.0.store(59_999, Ordering::SeqCst);
    assert_eq!(secret.refresh(&old).await, None);
    assert_eq!(asked(&server).await, 0, "the minute is not over");
    timer.0.store(60_000, Ordering::SeqCst);
    assert_eq!(text(&secret.refresh(&old).await.unwrap()), "new");
    assert_eq!(text(&secret.current().await.unwrap()), "new");
    // A request that still has the old value gets the new one without asking the store.
    assert_eq!(text(&secret.refresh(&old).await.unwrap()), "new");
    assert_eq!(asked(&server).await, 1);
}

#[tokio::test]
async fn a_clock_that_was_set_back_does_not_lock_out() {
    let server = MockServer::start().await;
    store_holds(&server, "old").await;
    let (secret, timer) = stored(&server, StoreKind::ParameterStore, "a");
    timer.0.store(86_400_000, Ordering::SeqCst);
    let old = secret.current().await.unwrap();
    assert_eq!(secret.refresh(&old).await, None);
    store_holds(&server, "new").await;
    timer.0.store(0, Ordering::SeqCst);
    assert_eq!(text(&secret.refresh(&old).await.unwrap()), "new");
}

#[tokio::test]
async fn while_the_extension_is_away_the_old_secret_stays() {
    let server = MockServer::start().await;
    store_holds(&server, "old").await;
    let (secret, _) = stored(&server, StoreKind::ParameterStore, "a");
    let old = secret.current().await.unwrap();
    server.reset().await;
    answers(&server, ResponseTemplate::new(500)).await;
    assert_eq!(secret.refresh(&old).await, None);
    assert_eq!(secret.current().await.unwrap(), old);
}

#[tokio::test]
async fn an_extension_that_is_starting_is_waited_for() {
    let server = MockServer::start().await;
    let starting =
        ResponseTemplate::new(400).set_body_string("not ready to serve traffic, please wait");
    Mock::given(method("GET")).respond_with(starting).up_to_n_times(2).mount(&server).await;
    let answer = serde_json::json!({ "Parameter": { "Value": "t0ken" } });
    answers(&server, ResponseTemplate::new(200).set_body_json(answer)).await;
    let (secret, timer) = stored(&server, StoreKind::ParameterStore, "a");
    assert_eq!(text(&secret.current().await.unwrap()), "t0ken");
    assert_eq!(*timer.1.lock().unwrap(), RETRY_DELAYS[..2]);
}

#[tokio::test]
async fn what_is_wrong_is_said_without_the_secret_and_the_next_request_tries_again() {
    let server = MockServer::start().await;
    let (secret, _) = stored(&server, StoreKind::ParameterStore, "a");
    let said = |error: CredentialError| format!("{error}: {}", error.source);
    for (answer, expected, tries) in [
        (
            ResponseTemplate::new(400).set_body_string("ParameterNotFound"),
            "answered 400 Bad Request: ParameterNotFound",
            4,
        ),
        (ResponseTemplate::new(500), "answered 500 Internal Server Error", 4),
        (ResponseTemplate::new(200).set_body_string("t0ken"), "something else than a secret", 1),
        (
            ResponseTemplate::new(200)
                .set_body_json(serde_json::json!({ "Parameter": { "Value": " \n" } })),
            "the secret is empty",
            1,
        ),
    ] {
        server.reset().await;
        answers(&server, answer).await;
        let error = said(secret.current().await.unwrap_err());
        assert!(error.starts_with("TWILIO_AUTH_TOKEN cannot be fetched: "), "{error}");
        assert!(error.contains(expected) && !error.contains("t0ken"), "{error}");
        assert_eq!(asked(&server).await, tries, "{expected}");
    }
    store_holds(&server, "t0ken").await;
    assert_eq!(text(&secret.current().await.unwrap()), "t0ken");
}

#[tokio::test]
async fn an_unreachable_extension_is_named_in_the_error() {
    // Nothing listens on port 9.
    let (secret, timer) = at_port(9, StoreKind::ParameterStore, "a");
    let error = secret.current().await.unwrap_err();
    let said = error.source.to_string();
    assert!(said.contains("cannot be reached on localhost port 9: its layer must be"), "{said}");
    assert_eq!(timer.1.lock().unwrap().len(), RETRY_DELAYS.len());
}
