//! The same suite on other databases: DynamoDB Local in Docker, and any URL.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
};

use rehearse_testutils::Folder;

use crate::{
    process::{Finished, command, interrupt, rehearse, send_signal, wait_for_exit},
    suite,
    support::{project, root},
    up::Up,
};

const SCENARIO: &str = "name: Hello\nsteps:\n  - customer: \"Hello\"\n    model: [{ say: \"Hi!\" }]\n    reply: \"Hi!\"\n";

/// Whether Docker and the image are there. CI says that they must be.
fn docker() -> bool {
    let image = Command::new("docker")
        .args(["image", "inspect", "amazon/dynamodb-local:3.1.0"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    let there = image.is_ok_and(|status| status.success());
    let required = std::env::var_os("REHEARSE_REQUIRE_DOCKER").is_some_and(|value| value == "1");
    assert!(there || !required, "REHEARSE_REQUIRE_DOCKER=1, but Docker or the image is missing");
    if !there {
        eprintln!("skipped: Docker or the image amazon/dynamodb-local:3.1.0 is not here");
    }
    there
}

/// Containers that a process started and that are still there.
fn containers_of(process: u32) -> String {
    let label = format!("label=rehearse.process={process}");
    let listed =
        Command::new("docker").args(["ps", "-a", "-q", "--filter", &label]).output().unwrap();
    assert!(listed.status.success(), "{listed:?}");
    String::from_utf8(listed.stdout).unwrap().trim().to_owned()
}

/// Runs to the end; what it said, and the containers that it left.
fn run_on_docker(folder: &Path, words: &[&str]) -> (Finished, String) {
    let words = [&["run", "--dynamodb", "docker"], words].concat();
    let process =
        command(folder, &words).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let id = process.id();
    let output = process.wait_with_output().unwrap();
    (output.into(), containers_of(id))
}

/// A run that does not end by itself, once its first scenario has passed.
fn long_run(folder: &Path, database: &str) -> (Child, BufReader<ChildStdout>) {
    let words = ["run", "--dynamodb", database, "--repeat", "5000"];
    let mut process = command(folder, &words).stdout(Stdio::piped()).spawn().unwrap();
    let mut out = BufReader::new(process.stdout.take().unwrap());
    out.read_line(&mut String::new()).unwrap();
    (process, out)
}

#[test]
fn every_scenario_passes_on_dynamodb_local_and_nothing_is_left() {
    if !docker() {
        return;
    }
    let _lock = suite::lock();
    let (ran, left) = run_on_docker(&root(), &[]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert_eq!(left, "");
}

#[test]
fn every_scenario_passes_at_a_url_and_nothing_is_left() {
    let up = Up::start_with(&["--dynamodb", "embedded"]);
    let before = tables(&up);
    let ran = suite::run(&["--dynamodb", &up.url("dynamodb")]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert_eq!(tables(&up), before);
}

/// The tests of the store's adapter, once more, on another database.
fn store_tests_pass_on(database: &str) {
    let files = ["store::", "store_contract::", "store_owner::", "store_races::", "store_turns::"];
    let ran = Command::new(std::env::current_exe().unwrap())
        .args(files)
        .env("REHEARSE_DYNAMODB", database)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success(), "{database}: {said}{}", String::from_utf8_lossy(&ran.stderr));
    for file in files {
        assert!(said.contains(&format!("test {file}")), "{database}: none of {file} ran: {said}");
    }
}

#[test]
fn every_test_of_the_store_passes_on_dynamodb_local() {
    if docker() {
        store_tests_pass_on("docker");
    }
}

#[test]
fn every_test_of_the_store_passes_at_a_url() {
    let up = Up::start_with(&["--dynamodb", "embedded"]);
    store_tests_pass_on(&up.url("dynamodb"));
}

#[test]
fn a_container_goes_after_a_failure_a_mistake_and_both_ways_to_end_a_run() {
    if !docker() {
        return;
    }
    let folder = project();
    folder.write("scenarios/a.yaml", SCENARIO.replace("reply: \"Hi!\"", "reply: \"Ho!\""));
    let (ran, left) = run_on_docker(folder.path(), &[]);
    assert_eq!((ran.code, left.as_str()), (1, ""), "{}", ran.err);
    // It is being started when this is found out.
    folder.write("scenarios/a.yaml", "name: 3\nstep: []\n");
    let (ran, left) = run_on_docker(folder.path(), &[]);
    assert_eq!((ran.code, left.as_str()), (2, ""), "{}", ran.err);

    folder.write("scenarios/a.yaml", SCENARIO);
    for (signal, code) in [("-INT", 130), ("-TERM", 143)] {
        let (mut process, mut out) = long_run(folder.path(), "docker");
        let id = process.id();
        assert_ne!(containers_of(id), "", "it runs in a container");
        assert!(send_signal(signal, &id.to_string()));
        out.read_to_string(&mut String::new()).unwrap();
        assert_eq!(wait_for_exit(&mut process), Some(code), "{signal}");
        assert_eq!(containers_of(id), "", "{signal}");
    }
}

/// An image whose program does not know an option.
#[test]
fn a_container_that_ends_at_once_is_told_with_its_last_words() {
    if !docker() {
        return;
    }
    let said = |words: &[&str]| {
        let ran = Command::new("docker").args(words).output().unwrap();
        assert!(ran.status.success(), "{ran:?}");
        String::from_utf8(ran.stdout).unwrap().trim().to_owned()
    };
    let image = format!("rehearse-broken:{}", std::process::id());
    let container = said(&["create", "amazon/dynamodb-local:3.1.0"]);
    said(&["commit", "--change", r#"ENTRYPOINT ["java", "-unheard-of"]"#, &container, &image]);
    said(&["rm", &container]);
    let (ran, left) = run_on_docker(&root(), &["scenarios/classic", "--dynamodb-image", &image]);
    said(&["rmi", &image]);
    assert_eq!((ran.code, left.as_str()), (3, ""), "{}", ran.err);
    let says = "it ended at once; Unrecognized option: -unheard-of";
    assert!(ran.err.contains(says), "{}", ran.err);
}

#[test]
fn a_container_whose_run_was_killed_goes_with_the_next_run() {
    if !docker() {
        return;
    }
    let folder = project();
    folder.write("scenarios/a.yaml", SCENARIO);
    let (mut process, _out) = long_run(folder.path(), "docker");
    let id = process.id();
    assert_ne!(containers_of(id), "", "it runs in a container");
    process.kill().unwrap();
    process.wait().unwrap();
    let (ran, left) = run_on_docker(folder.path(), &[]);
    assert_eq!((ran.code, left.as_str()), (0, ""), "{}", ran.err);
    assert_eq!(containers_of(id), "");
}

#[test]
fn a_container_that_is_kept_is_named_and_listens_on_loopback_alone() {
    if !docker() {
        return;
    }
    let folder = project();
    folder.write("scenarios/a.yaml", SCENARIO);
    let (ran, left) = run_on_docker(folder.path(), &["--keep"]);
    let ports = Command::new("docker").args(["port", &left]).output().unwrap();
    let removed = Command::new("docker").args(["rm", "-f", "-v", &left]).output().unwrap();
    assert!(removed.status.success(), "{removed:?}");
    assert_eq!(ran.code, 0, "{}", ran.err);
    let ports = String::from_utf8(ports.stdout).unwrap();
    let address = ports.trim().strip_prefix("8000/tcp -> ").unwrap();
    assert!(address.starts_with("127.0.0.1:") && !address.contains('\n'), "{ports}");
    assert!(ran.err.contains(&format!("kept DynamoDB Local at http://{address}")), "{}", ran.err);
}

/// Names of the tables that a world shows.
fn tables(up: &Up) -> Vec<String> {
    sdk(
        up,
        |client| async move { client.list_tables().send().await.unwrap().table_names().to_vec() },
    )
}

/// Does something with the SDK at a world's endpoint.
fn sdk<T, F: Future<Output = T>>(up: &Up, work: impl FnOnce(aws_sdk_dynamodb::Client) -> F) -> T {
    use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .endpoint_url(up.url("dynamodb"))
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("test", "test", None, None, "test"))
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .build();
    runtime.block_on(work(aws_sdk_dynamodb::Client::from_conf(config)))
}

#[test]
fn tables_at_a_url_go_after_a_failure_and_an_interruption_and_stay_when_kept() {
    let up = Up::start_with(&["--dynamodb", "embedded"]);
    let (url, before) = (up.url("dynamodb"), tables(&up));
    let folder = project();
    folder.write("scenarios/a.yaml", SCENARIO.replace("reply: \"Hi!\"", "reply: \"Ho!\""));
    assert_eq!(rehearse(folder.path(), &["run", "--dynamodb", &url]).code, 1);
    assert_eq!(tables(&up), before);

    folder.write("scenarios/a.yaml", SCENARIO);
    let (mut process, mut out) = long_run(folder.path(), &url);
    interrupt(&process);
    out.read_to_string(&mut String::new()).unwrap();
    assert_eq!(wait_for_exit(&mut process), Some(130));
    assert_eq!(tables(&up), before);

    let words = ["run", "--dynamodb", &url, "--keep", "--dynamodb-prefix", "mine"];
    let ran = rehearse(folder.path(), &words);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let named = ran.err.split("kept tables named ").nth(1).and_then(|rest| rest.split('*').next());
    let named = named.unwrap_or_else(|| panic!("{}", ran.err));
    assert!(named.starts_with("mine."), "{named}");
    let kept = format!("{named}1.Repairs_Lead_Log");
    assert!(tables(&up).contains(&kept), "{kept}");

    // Now they are somebody's, and this run did not make them.
    let (ran, there) = (rehearse(folder.path(), &words), tables(&up));
    assert_eq!(ran.code, 3, "{}", ran.err);
    let says = [&format!("has a table {named}1."), ", which this run did not create"];
    assert!(says.iter().all(|says| ran.err.contains(says)), "{}", ran.err);
    assert!(ran.err.contains("--dynamodb-prefix"), "{}", ran.err);
    assert!(there.contains(&kept), "nothing of it was touched");
}

#[test]
fn a_choice_that_is_none_is_told_with_the_nearest_one() {
    for (choice, says) in [
        ("dokcer", "did you mean `docker`?"),
        ("https://127.0.0.1:8000", "must begin with http://"),
        ("http://127.0.0.1:8000/shell", "a host and a port alone"),
        ("http://example.com", "http://example.com is not on this machine"),
    ] {
        for subcommand in ["run", "up"] {
            let ran = rehearse(project().path(), &[subcommand, "--dynamodb", choice]);
            assert_eq!(ran.code, 2, "{subcommand} {choice}: {}", ran.err);
            assert!(ran.err.contains(says), "{}", ran.err);
        }
    }
    let ran = rehearse(&root(), &["up", "--dynamodb", "docker", "--data", "x"]);
    assert!(ran.code == 2 && ran.err.contains("--data is for the embedded"), "{}", ran.err);
}

#[test]
fn an_endpoint_that_is_not_dynamodb_is_told() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let web = served(|_| Some("HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno".into()));
    for (address, says) in [
        (closed.to_string(), "failed to connect"),
        (silent.local_addr().unwrap().to_string(), "it accepts calls and does not answer"),
        (web, "not DynamoDB: it answered with status 404"),
    ] {
        let ran = rehearse(
            &root(),
            &["run", "scenarios/classic", "--dynamodb", &format!("http://{address}")],
        );
        assert_eq!(ran.code, 3, "{}", ran.err);
        assert!(ran.err.contains(says) && ran.err.contains("help:"), "{}", ran.err);
    }
}

/// A server that answers what it is told to by the first line; `None` keeps the caller waiting.
fn served(answer: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let answer = std::sync::Arc::new(answer);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let answer = std::sync::Arc::clone(&answer);
            std::thread::spawn(move || serve(stream.unwrap(), &*answer));
        }
    });
    address
}

fn serve(stream: TcpStream, answer: &dyn Fn(&str) -> Option<String>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    loop {
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).unwrap_or(0) == 0 {
                return;
            }
            if line == "\r\n" {
                break;
            }
            lines.push(line.to_ascii_lowercase());
        }
        let length = lines.iter().find_map(|l| l.strip_prefix("content-length: "));
        let length = length.map_or(0, |text| text.trim().parse().unwrap());
        reader.read_exact(&mut vec![0; length]).unwrap();
        let text = answer(&lines[0]);
        let text = text.unwrap_or_else(|| {
            loop {
                std::thread::park();
            }
        });
        if (&stream).write_all(text.as_bytes()).is_err() {
            return;
        }
    }
}

/// A Docker daemon without the image; what it says to a pull.
fn daemon(pull: Option<&'static str>) -> String {
    let json = |status: &str, body: &str| {
        Some(format!(
            "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        ))
    };
    let address = served(move |line| match line {
        line if line.contains("/_ping") => {
            Some("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK".into())
        }
        line if line.contains("/images/create") => pull.map(str::to_owned),
        _ => json("404 Not Found", r#"{"message":"No such image"}"#),
    });
    format!("tcp://{address}")
}

/// Each way in which there may be no container is told apart, and what to do about it.
#[test]
fn no_docker_is_told_by_its_kind() {
    const REFUSED: &str = "HTTP/1.1 500 Internal Server Error\r\nContent-Type: application/json\r\nContent-Length: 53\r\n\r\n{\"message\":\"dial tcp: lookup registry: no such host\"}";
    const SLOW: &str = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n6B\r\n{\"status\":\"Downloading\",\"id\":\"a\",\"progressDetail\":{\"current\":1000,\"total\":90000000},\"progress\":\"[>     ]\"}\n\r\n";
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let folder = Folder::new();
    let socket = format!("unix://{}", folder.path().join("docker.sock").display());
    for (host, says, help) in [
        (socket, "Docker is not running here: nothing listens at unix://", "start Docker"),
        (format!("tcp://{closed}"), "does not answer: ", "`docker info`"),
        (
            format!("tcp://{}", silent.local_addr().unwrap()),
            "it accepts calls and says nothing",
            "`docker info`",
        ),
        ("tcp://docker.example.com:2375".into(), "is another machine", "unset DOCKER_HOST"),
        (daemon(Some(REFUSED)), "cannot be pulled: dial tcp", "--dynamodb-image"),
        (daemon(None), "its registry does not answer", "`docker pull amazon/dynamodb-local:3.1.0`"),
        (daemon(Some(SLOW)), "takes longer than this command waits", "`docker pull amazon/"),
    ] {
        let words = ["run", "scenarios/classic", "--dynamodb", "docker"];
        let output = command(&root(), &words).env("DOCKER_HOST", &host).output().unwrap();
        let Finished { code, err, .. } = output.into();
        assert_eq!(code, 3, "{host}: {err}");
        assert!(err.contains(says) && err.contains(help), "{host}: {err}");
        assert_eq!(err.matches("error:").count(), 1, "said once, not by every scenario: {err}");
    }
}
