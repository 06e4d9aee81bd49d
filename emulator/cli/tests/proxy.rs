//! `rehearse exec --proxy`: what its command is given, and what of it is left at the end.

#![expect(clippy::unwrap_used, reason = "a helper of a test fails its test")]

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Write as _},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
};

use rehearse_testutils::{Finished, wait_for};
use reqwest::{Certificate, Client, Proxy, StatusCode};

/// A project whose backend nobody starts, since nobody is texted.
const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/python");
const TARGET: &str = "http://127.0.0.1:9/sms";
/// What an AWS SDK writes; the tables take any signature.
const SIGNED: &str = "AWS4-HMAC-SHA256 Credential=rehearse/20260101/us-east-1/dynamodb/aws4_request, \
                      SignedHeaders=host, Signature=0";
/// What is said when the world runs functions itself.
const FUNCTIONS: &str = "functions do not go through the proxy";
/// Prints the environment, and ends when its input does.
const SCRIPT: &str = "env; echo; while read x; do :; done";

fn exec(arguments: &[&str]) -> Command {
    let arguments = [&["exec"], arguments].concat();
    rehearse_testutils::command(env!("CARGO_BIN_EXE_rehearse"), Path::new(FOLDER), &arguments)
}

/// A command that runs behind the proxy.
struct Running {
    exec: Child,
    input: ChildStdin,
    environment: BTreeMap<String, String>,
}

impl Running {
    fn start(set: &[(&str, &str)]) -> Self {
        let mut exec = exec(&["--proxy", "--target", TARGET, "--", "sh", "-c", SCRIPT])
            .envs(set.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(exec.stdout.take().unwrap()).lines().map(Result::unwrap);
        let environment = lines
            .take_while(|line| !line.is_empty())
            .filter_map(|line| {
                line.split_once('=').map(|(name, value)| (name.into(), value.into()))
            })
            .collect();
        let input = exec.stdin.take().unwrap();
        Self { exec, input, environment }
    }

    /// A client as the environment describes it.
    fn client(&self) -> Client {
        // Whoever comes second finds it installed.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let authority = std::fs::read(&self.environment["SSL_CERT_FILE"]).unwrap();
        Client::builder()
            .proxy(Proxy::all(&self.environment["HTTPS_PROXY"]).unwrap())
            .tls_certs_only([Certificate::from_pem(&authority).unwrap()])
            .build()
            .unwrap()
    }

    fn files(&self) -> PathBuf {
        Path::new(&self.environment["SSL_CERT_FILE"]).parent().unwrap().to_owned()
    }

    /// Ends the command's input, and with it the command.
    fn end(self) -> Finished {
        drop(self.input);
        self.exec.wait_with_output().unwrap().into()
    }
}

#[tokio::test]
async fn the_providers_own_hosts_are_the_world_and_every_other_one_is_refused() {
    let mut running = Running::start(&[]);
    let client = running.client();
    let account = &running.environment["TWILIO_ACCOUNT_SID"];
    let token = &running.environment["TWILIO_AUTH_TOKEN"];
    let url = format!("https://api.twilio.com/2010-04-01/Accounts/{account}/Messages.json");
    let text = [("To", "+15555550123"), ("From", "+19045550100"), ("Body", "Hello")];
    let send = |token: &str| client.post(&url).basic_auth(account, Some(token)).form(&text).send();
    assert_eq!(send("wrong").await.unwrap().status(), StatusCode::UNAUTHORIZED);
    assert_eq!(send(token).await.unwrap().status(), StatusCode::CREATED);

    let tables = client
        .post("https://dynamodb.us-east-1.amazonaws.com/")
        .header("x-amz-target", "DynamoDB_20120810.ListTables")
        .header("content-type", "application/x-amz-json-1.0")
        .header("x-amz-date", "20260101T000000Z")
        .header("authorization", SIGNED)
        .body("{}");
    let tables = tables.send().await.unwrap().text().await.unwrap();
    assert!(tables.contains("questions"), "{tables}");

    for _ in 0..3 {
        assert!(client.get("https://example.com/").send().await.is_err());
    }
    // The journal has them as it has what comes by a base URL.
    let log = Command::new(env!("CARGO_BIN_EXE_rehearse"))
        .arg("log")
        .env("REHEARSE_CONTROL", &running.environment["REHEARSE_CONTROL"])
        .output()
        .unwrap();
    let log = Finished::from(log).out;
    assert!(log.contains("Hello") && log.contains("ListTables") && log.contains("401"), "{log}");

    let files = running.files();
    assert!(files.join("authority.p12").is_file());
    let preload = std::fs::read_to_string(files.join("preload.cjs")).unwrap();
    let url = format!("new URL('{}')", running.environment["HTTPS_PROXY"]);
    assert!(preload.contains(&url), "it needs no variable: {preload}");
    running.input.write_all(b"go on\n").unwrap();
    let ended = running.end();
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(ended.err.contains("warning: refused: example.com:443, 3 times: "), "{ended:?}");
    assert!(ended.err.contains("set for it: HTTPS_PROXY"), "{ended:?}");
    assert!(!ended.err.contains(FUNCTIONS), "the backend is started separately: {ended:?}");
    assert!(!files.exists(), "the files are gone");
}

#[test]
fn what_would_lead_elsewhere_is_replaced_and_options_are_kept() {
    let running = Running::start(&[
        ("NO_PROXY", "*"),
        ("https_proxy", "http://proxy.example:3128"),
        ("ALL_PROXY", "socks5://proxy.example"),
        ("NODE_OPTIONS", "--max-old-space-size=100"),
        ("JAVA_TOOL_OPTIONS", "-Xmx100m"),
        ("_JAVA_OPTIONS", "-Dhttps.proxyHost=proxy.example"),
        ("JDK_JAVA_OPTIONS", " "),
        ("grpc_proxy", "http://proxy.example"),
        ("npm_config_https_proxy", "http://proxy.example"),
        ("npm_config_noproxy", "*"),
    ]);
    let set = &running.environment;
    let url = set["HTTPS_PROXY"].clone();
    assert!(url.starts_with("http://127.0.0.1:"), "{url}");
    for name in ["https_proxy", "HTTP_PROXY", "http_proxy"] {
        assert_eq!(set[name], url, "{name}");
    }
    assert_eq!(set["NO_PROXY"], "localhost,.localhost,127.0.0.1,::1");
    assert_eq!(set["no_proxy"], set["NO_PROXY"]);
    for name in ["ALL_PROXY", "grpc_proxy", "npm_config_https_proxy", "npm_config_noproxy"] {
        assert!(!set.contains_key(name), "{name}");
    }
    assert!(set["NODE_OPTIONS"].starts_with("--max-old-space-size=100 --require "));
    assert!(set["JAVA_TOOL_OPTIONS"].starts_with("-Xmx100m -Djavax.net.ssl.trustStore="));
    // What stands last counts, and these options count more than those above.
    let stronger = &set["_JAVA_OPTIONS"];
    assert!(stronger.starts_with("-Dhttps.proxyHost=proxy.example -Djavax."), "{stronger}");
    assert!(stronger.contains(" -Dhttps.proxyHost=127.0.0.1 "), "{stronger}");
    assert!(stronger.ends_with("-Dhttp.nonProxyHosts=localhost|*.localhost|127.*|0.0.0.0|[::1]"));
    assert_eq!(set["JDK_JAVA_OPTIONS"], " ", "there is nothing in it that could count more");
    // Whoever heeds a base URL goes on doing so.
    assert!(set["OPENAI_BASE_URL"].starts_with("http://127.0.0.1:"));
    assert_eq!(running.end().code, 0);
}

#[test]
fn functions_that_the_world_runs_are_said_not_to_go_through_the_proxy() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/python-lambda");
    // Nobody calls it, so that it is never started.
    let target = ["--target", "lambda", "--function", "Sms=true"];
    let arguments = [&["exec", "--proxy"], &target[..], &["--", "true"]].concat();
    let program = env!("CARGO_BIN_EXE_rehearse");
    let ran = rehearse_testutils::command(program, Path::new(folder), &arguments).output().unwrap();
    let ran = Finished::from(ran);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.err.contains(FUNCTIONS), "{ran:?}");
}

#[test]
fn the_files_are_gone_when_a_signal_ends_the_command() {
    for (signal, code) in [("-INT", 130), ("-TERM", 143)] {
        let mut running = Running::start(&[]);
        let files = running.files();
        assert!(files.is_dir());
        let id = running.exec.id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
        let ended = wait_for("the end", || running.exec.try_wait().unwrap());
        assert_eq!(ended.code(), Some(code), "{signal}");
        assert!(!files.exists(), "{signal}");
    }
}

#[test]
fn without_the_flag_nothing_of_it_is_set_and_a_wrong_flag_is_explained() {
    let ran = exec(&["--target", TARGET, "--", "sh", "-c", "env"]).output().unwrap();
    let ran = Finished::from(ran);
    assert!(!ran.out.contains("rehearse-proxy-"), "{ran:?}");
    let wrong = Finished::from(exec(&["--proxy=8080", "--", "true"]).output().unwrap());
    assert_eq!(wrong.code, 2, "{wrong:?}");
    assert!(wrong.err.contains("--proxy"), "{wrong:?}");
    let bare = Finished::from(exec(&["--proxy", "true"]).output().unwrap());
    assert!(bare.code == 2 && bare.err.contains("a command stands after `--`"), "{bare:?}");
}
