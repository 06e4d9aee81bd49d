//! Functions as processes, over HTTP: `examples/runtime_client.rs` behind the gateway.

mod environment;
mod failures;
mod lifecycle;
mod load;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use crate::template::Template;
use futures::future::BoxFuture;
use jiff::Timestamp;
use rehearse_core::yaml::Source;
use rehearse_testutils::{until_true, wait_for};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpSocket, TcpStream},
};

use super::{LambdaConfig, Launcher, ProcessPool, pool_state::RETURN_TIMEOUT};
use crate::{
    function::Executable,
    gateway::{
        Gateway,
        handler::{GatewayFunction, Handler},
        invoke::{Invocation, InvokeError, RunFunction},
        server::stages,
    },
};
use rehearse_core::{
    clock::Clock,
    journal::{ExchangeDetail, Journal},
};

const TEMPLATE: &str = r#"
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties:
      Events:
        Any: { Type: HttpApi, Properties: { Method: ANY, Path: "/{proxy+}" } }
"#;

/// Longer than the gateway waits: a test in which it passes fails before.
const FOREVER: Duration = Duration::from_secs(3600);

/// One function, `F`, under every path of an HTTP API.
struct TestGateway {
    server: Gateway,
    journal: Journal,
    pool: Arc<ProcessPool>,
}

impl TestGateway {
    fn start() -> Self {
        Self::of(lambda("runtime_client"), FOREVER)
    }

    fn of(lambda: LambdaConfig, timeout: Duration) -> Self {
        let template = Template::parse(&Source::new("template.yaml", TEMPLATE)).unwrap();
        let stages = stages(&template.apis, template.functions.iter());
        let (journal, clock) = (lambda.journal.clone(), lambda.clock.clone());
        let pool = Arc::new(ProcessPool::new(lambda));
        let target = GatewayFunction::new("F".into(), timeout, Pooled(Arc::clone(&pool)));
        let api = Handler::new(stages, vec![target], journal.clone(), clock);
        // As many may connect at once as a test likes: std's own limit of 128 resets the rest.
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let listener = socket.listen(1024).unwrap().into_std().unwrap();
        Self { server: Gateway::serve(listener, api).unwrap(), journal, pool }
    }

    fn get(&self, path: &str) -> impl Future<Output = HttpResponse> + use<> {
        let (address, path) = (self.server.url().replace("http://", ""), path.to_owned());
        async move {
            let mut stream = TcpStream::connect(&address).await.unwrap();
            let request =
                format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
            stream.write_all(request.as_bytes()).await.unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.unwrap();
            let (head, body) = answer.split_once("\r\n\r\n").expect("an answer");
            let status = head.split(' ').nth(1).unwrap().parse().unwrap();
            let pid = head.lines().find_map(|line| line.strip_prefix("x-pid: ")?.parse().ok());
            HttpResponse { status, pid, body: body.to_owned() }
        }
    }

    /// The process that answers now.
    async fn pid(&self) -> u32 {
        let answer = self.get("/who").await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.pid.unwrap()
    }

    /// Lines of the journal with their request ids.
    fn lines(&self) -> Vec<(Option<String>, String)> {
        self.journal.select(0, |exchange| match &exchange.detail {
            ExchangeDetail::Log { request_id, line, .. } => {
                Some((request_id.clone(), line.clone()))
            }
            _ => None,
        })
    }

    /// What the gateway said of the last failure, and its code.
    fn failure(&self) -> (String, String) {
        let mut said = self.lines().into_iter().map(|(_, line)| line);
        let said = said.rfind(|line| line.starts_with("the function")).expect("a failure");
        let calls = self.journal.since(0).into_iter();
        let mut codes = calls.filter_map(|exchange| exchange.outcome?.error);
        (said, codes.next_back().expect("an error code"))
    }
}

#[derive(Debug, Clone)]
struct HttpResponse {
    status: u16,
    /// The process that gave it.
    pid: Option<u32>,
    body: String,
}

/// The pool, which a test keeps in sight.
struct Pooled(Arc<ProcessPool>);

impl RunFunction for Pooled {
    fn invoke(&self, invocation: Invocation) -> BoxFuture<'_, Result<Value, InvokeError>> {
        self.0.invoke(invocation)
    }

    fn replace_executable(&self, executable: Executable) {
        self.0.replace_executable(executable);
    }

    fn stop(&self) {
        self.0.stop();
    }
}

/// A function that is meant to be run with an example of this package.
fn lambda(example: &str) -> LambdaConfig {
    let clock = Clock::stopped(Timestamp::UNIX_EPOCH);
    LambdaConfig {
        id: "F".into(),
        name: "F-on-aws".into(),
        executable: executable(example),
        environment: BTreeMap::new().into(),
        handler: "bootstrap".into(),
        memory: 128,
        concurrency: 10,
        cold: false,
        init_timeout: FOREVER,
        launcher: Launcher::direct(),
        journal: Journal::new(clock.clone()),
        clock,
    }
}

fn with(variables: &[(&str, &str)]) -> LambdaConfig {
    let pairs = variables.iter().map(|(name, value)| ((*name).into(), (*value).into()));
    LambdaConfig {
        environment: pairs.collect::<BTreeMap<_, _>>().into(),
        ..lambda("runtime_client")
    }
}

/// Examples stand beside the folder of the test's own binary; `cargo test` builds them.
fn executable(example: &str) -> Executable {
    let own = std::env::current_exe().unwrap();
    let folder = own.parent().and_then(|deps| deps.parent()).unwrap().join("examples");
    let program = folder.join(example);
    assert!(program.is_file(), "build it first: `cargo build -p rehearse-aws --examples`");
    Executable { program, arguments: Vec::new(), folder, world_clock: None }
}

/// Where functions connect to, so that a test knows that they run, and decides when they go on.
struct ArrivalListener(TcpListener);

impl ArrivalListener {
    async fn open() -> (Self, u16) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        (Self(listener), port)
    }

    /// Waits until a function has connected; it goes on when the result is dropped.
    async fn arrived(&self) -> TcpStream {
        self.0.accept().await.unwrap().0
    }
}

/// Waits until a process has ended.
async fn ended(pid: u32) {
    until_true(format!("the end of process {pid}"), || has_ended(pid)).await;
}

/// Whether a process has ended. On Linux it may still be a zombie, if another process must reap it.
fn has_ended(pid: u32) -> bool {
    let process = rustix::process::Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    let stat = || std::fs::read_to_string(format!("/proc/{pid}/stat"));
    rustix::process::test_kill_process(process).is_err()
        || cfg!(target_os = "linux") && stat().is_ok_and(|stat| stat.contains(") Z "))
}
