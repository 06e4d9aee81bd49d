use jiff::Timestamp;
use serde_json::json;

use super::*;
use rehearse_core::{
    clock::Clock,
    faults::{Crash, CrashKind, Cut, Failure, Fault, Faults},
    journal::{ExchangeDetail, Journal},
};

struct TestExtension {
    server: Server,
    journal: Journal,
    faults: Faults,
    web: reqwest::Client,
}

const TOKEN: &str = "rehearse-session-F";

async fn extension(environment: &[(&str, &str)]) -> TestExtension {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let environment = environment.iter().map(|(n, v)| ((*n).into(), (*v).into())).collect();
    let options = Options {
        values: [("/shop/token".to_owned(), "s3cret".to_owned())].into(),
        sessions: [(TOKEN.to_owned(), Session::new("F", &environment))].into(),
    };
    let (journal, faults) =
        (Journal::new(Clock::stopped(Timestamp::UNIX_EPOCH)), Faults::default());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = Secrets::start(listener, options, journal.clone(), faults.clone()).unwrap();
    TestExtension {
        server,
        journal,
        faults,
        web: reqwest::Client::builder().no_proxy().build().unwrap(),
    }
}

impl TestExtension {
    async fn get(&self, path: &str) -> (u16, String) {
        self.get_with(path, Some(TOKEN)).await
    }

    async fn get_with(&self, path: &str, token: Option<&str>) -> (u16, String) {
        let mut request = self.web.get(format!("http://127.0.0.1:{}{path}", self.server.port()));
        if let Some(token) = token {
            request = request.header("X-Aws-Parameters-Secrets-Token", token);
        }
        let Ok(answer) = request.send().await else { return (0, "cut".into()) };
        (answer.status().as_u16(), answer.text().await.unwrap_or_else(|_| "cut".into()))
    }

    async fn parameter(&self) -> String {
        let (status, body) = self
            .get("/systemsmanager/parameters/get?name=%2Fshop%2Ftoken&withDecryption=true")
            .await;
        assert_eq!(status, 200, "{body}");
        let body: serde_json::Value = serde_json::from_str(&body).unwrap();
        body["Parameter"]["Value"].as_str().unwrap().to_owned()
    }
}

#[tokio::test]
async fn both_stores_answer_by_name_and_by_arn() {
    let extension = extension(&[]).await;
    assert_eq!(extension.parameter().await, "s3cret");
    for (path, expected) in [
        ("/systemsmanager/parameters/get/?name=/shop/token", "AQICAH"),
        (
            "/systemsmanager/parameters/get?name=arn:aws:ssm:us-east-1:1:parameter/shop/token&withDecryption=true",
            "s3cret",
        ),
        ("/secretsmanager/get?secretId=%2Fshop%2Ftoken", r#""SecretString":"s3cret""#),
        (
            "/secretsmanager/get?secretId=arn:aws:secretsmanager:us-east-1:1:secret:/shop/token",
            "s3cret",
        ),
    ] {
        let (status, body) = extension.get(path).await;
        assert_eq!(status, 200, "{path}: {body}");
        assert!(body.contains(expected), "{path}: {body}");
    }
}

#[tokio::test]
async fn the_journal_tells_who_asked_for_what_and_never_the_value() {
    let extension = extension(&[]).await;
    extension.parameter().await;
    extension.get("/secretsmanager/get?secretId=nothing").await;
    let exchanges = extension.journal.since(0);
    assert_eq!(
        (exchanges[0].name.as_str(), exchanges[1].name.as_str()),
        ("ssm.GetParameter", "secretsmanager.GetSecretValue")
    );
    let ExchangeDetail::Secret { function, operation, name } = &exchanges[0].detail else {
        panic!()
    };
    assert_eq!(
        (function.as_deref(), operation.as_str(), name.as_str()),
        (Some("F"), "GetParameter", "/shop/token")
    );
    let error = exchanges[1].outcome.as_ref().unwrap().error.as_deref();
    assert_eq!(error, Some("ResourceNotFoundException"));
    assert!(!serde_json::to_string(&exchanges).unwrap().contains("s3cret"));
    assert!(!format!("{:?}", extension.server).contains("s3cret"));
}

#[tokio::test]
async fn what_is_asked_wrongly_is_refused() {
    let extension = extension(&[]).await;
    let right = "/systemsmanager/parameters/get?name=/shop/token";
    assert_eq!(extension.get_with(right, None).await.0, 401);
    assert_eq!(extension.get_with(right, Some("")).await.0, 401);
    for (path, says) in [
        ("/systemsmanager/parameters/get?nam=a", "unknown parameter nam"),
        ("/secretsmanager/get?secretId=", "secretId is missing"),
        ("/parameters", "there is no /parameters"),
        ("/systemsmanager/parameters/get?name=/other", "an unexpected error occurred"),
    ] {
        let (status, body) = extension.get(path).await;
        assert_eq!(status, 400, "{path}");
        assert!(body.contains(says), "{path}: {body}");
    }
}

#[tokio::test]
async fn a_rotated_secret_shows_at_once_only_where_nothing_is_kept() {
    for (environment, expected) in [
        (&[][..], "s3cret"),
        (&[("PARAMETERS_SECRETS_EXTENSION_CACHE_ENABLED", "FALSE")][..], "new"),
    ] {
        let extension = extension(environment).await;
        extension.parameter().await;
        extension.server.put("/shop/token", "new");
        assert_eq!(extension.parameter().await, expected);
    }
}

#[tokio::test]
async fn it_fails_as_it_is_told() {
    let extension = extension(&[]).await;
    let arm = |failure| {
        let on = "ssm.GetParameter".into();
        extension.faults.arm(Fault { on, failure, times: Some(1), ..Fault::default() });
    };
    let path = "/systemsmanager/parameters/get?name=/shop/token";
    arm(Failure { status: Some(500), ..Failure::default() });
    assert_eq!(extension.get(path).await.0, 500);
    let cut = json!({ "cut": "before" });
    arm(serde_json::from_value(cut).unwrap());
    assert_eq!(extension.get(path).await.1, "cut");
    assert_eq!(extension.get(path).await.0, 200);
    let errors: Vec<_> =
        extension.journal.since(0).into_iter().filter_map(|e| e.outcome?.error).collect();
    assert_eq!(errors, ["InternalServerError", "cut"]);
}

#[tokio::test]
async fn who_asks_for_a_secret_can_crash_there_and_nobody_else() {
    let extension = extension(&[]).await;
    let (crashed, mut crashes) = tokio::sync::mpsc::unbounded_channel();
    extension.faults.on_crash(move |function, _| crashed.send(function.to_owned()).unwrap());
    let arm = |function: &str| {
        let crash =
            Some(Crash { function: function.into(), kind: CrashKind::Killed, attempt: None });
        let failure = Failure { cut: Some(Cut::Before), crash, ..Failure::default() };
        let on = "ssm.GetParameter".into();
        extension.faults.arm(Fault { on, failure, times: Some(1), ..Fault::default() });
    };
    arm("Other");
    assert_eq!(extension.parameter().await, "s3cret");
    arm("F");
    let path = "/systemsmanager/parameters/get?name=/shop/token";
    tokio::select! {
        answer = extension.get(path) => panic!("it is never answered: {answer:?}"),
        function = crashes.recv() => assert_eq!(function.as_deref(), Some("F")),
    }
}
