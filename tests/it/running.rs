//! A world that keeps running: `up`, and everything that talks to it.

use std::{io::Write, process::Stdio};

use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use serde_json::{Value, json};

use crate::{
    process::{command, interrupt, rehearse, wait_for_exit},
    support::root,
    up::{FREE_PORTS, Up},
};

#[test]
fn a_text_is_answered_and_the_log_shows_it() {
    let up = Up::start();
    let answer = up.rehearse(&["send", "Do you fix iPhone screens?"]);
    assert_eq!((answer.code, answer.out.contains("$79")), (0, true), "{answer:?}");

    let log = up.rehearse(&["log"]);
    for part in ["Do you fix iPhone screens?", "$79", "database"] {
        assert!(log.out.contains(part), "no '{part}' in:\n{}", log.out);
    }
    let lines = up.rehearse(&["log", "--json"]);
    let entries: Vec<Value> =
        lines.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(entries.iter().any(|entry| entry["name"] == "sms.received"));

    assert_eq!(up.rehearse(&["ready"]).code, 0);
    assert_eq!(up.rehearse(&["reset"]).code, 0);
    let log = up.rehearse(&["log"]);
    assert_eq!((log.out.as_str(), log.err.as_str()), ("", "nothing has happened yet\n"));
}

#[test]
fn a_person_books_over_three_texts_by_the_persona() {
    let up = Up::start();
    up.set_clock("2026-02-10T15:10:00-05:00");
    let mut last = String::new();
    for text in
        ["My iPhone screen is cracked", "Any time this Thursday?", "Yes, 2pm please, I'm Ana"]
    {
        let ran = up.rehearse(&["send", text]);
        assert_eq!(ran.code, 0, "{ran:?}");
        last = ran.out;
    }
    assert!(last.contains("Confirmed:") && last.contains("Ref LEAD-"), "{last}");
    let listed = up.rehearse(&["send", "What do I have booked?"]);
    assert!(listed.out.contains("Thu Feb 12") && listed.out.contains("2:00 PM"), "{listed:?}");
}

#[test]
fn the_aws_sdk_lists_the_tables_at_the_printed_endpoint() {
    let up = Up::start();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let tables = runtime.block_on(async {
        let config = aws_sdk_dynamodb::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .endpoint_url(up.url("dynamodb"))
            .region(Region::new("us-east-1"))
            .credentials_provider(Credentials::new("rehearse", "rehearse", None, None, "test"))
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .build();
        let client = aws_sdk_dynamodb::Client::from_conf(config);
        client.list_tables().send().await.unwrap().table_names.unwrap()
    });
    for table in ["Repairs_Lead_Log", "Brandon_State_Log", "Repairs_Schedule"] {
        assert!(tables.iter().any(|t| t == table), "{table} is not among {tables:?}");
    }
}

#[test]
fn what_to_export_is_what_is_running() {
    let up = Up::start();
    let dotenv = up.rehearse(&["env", "--format", "dotenv"]).out;
    assert!(
        dotenv.lines().any(|l| l == format!("AWS_ENDPOINT_URL=\"{}\"", up.url("dynamodb"))),
        "{dotenv}"
    );
    let json = up.rehearse(&["env", "--format", "json"]).out;
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["OPENAI_BASE_URL"], json!(format!("{}/v1", up.url("openai"))));
}

/// Read from `/proc`, which only Linux has.
#[cfg(target_os = "linux")]
#[test]
fn everything_listens_on_loopback_only() {
    let up = Up::start();
    let inodes = crate::process::sockets_of(up.child.id());
    let mut seen = 0;
    for table in ["/proc/net/tcp", "/proc/net/tcp6"] {
        for line in std::fs::read_to_string(table).unwrap_or_default().lines().skip(1) {
            let words: Vec<&str> = line.split_whitespace().collect();
            let (address, state, inode) = (words[1], words[3], words[9]);
            if state == "0A" && inodes.iter().any(|i| i == inode) {
                seen += 1;
                assert!(address.starts_with("0100007F:"), "listens on {address}");
            }
        }
    }
    assert!(seen >= 5, "only {seen} listening sockets were found");
}

#[test]
fn ctrl_c_ends_it() {
    let mut up = Up::start();
    interrupt(&up.child);
    assert_eq!(wait_for_exit(&mut up.child), Some(130));
}

#[test]
fn sigterm_ends_it_in_good_order_and_is_told_by_the_exit_code() {
    for (signal, code) in [("-TERM", 143), ("-HUP", 129)] {
        let mut up = Up::start();
        assert!(crate::process::send_signal(signal, &up.child.id().to_string()));
        assert_eq!(wait_for_exit(&mut up.child), Some(code), "{signal}");
    }
}

#[test]
fn a_busy_port_names_who_has_it_and_the_flag_that_moves() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let mut words = FREE_PORTS.map(str::to_owned);
    words[4] = port.clone();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let ran = rehearse(&root(), &words);
    assert_eq!(ran.code, 3, "{ran:?}");
    for part in [port.as_str(), "twilio", "--twilio-port"] {
        assert!(ran.err.contains(part), "no '{part}' in {ran:?}");
    }
}

#[test]
fn a_second_world_on_the_same_ports_is_told_of_the_first() {
    let up = Up::start();
    let control = up.url("control");
    let port = control.rsplit(':').next().unwrap();
    let ran = rehearse(&root(), &["up", "--control-port", port]);
    assert_eq!((ran.code, ran.err.contains("a world is running already")), (3, true), "{ran:?}");
}

#[test]
fn without_a_world_the_error_says_how_to_start_one() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let ran = rehearse(&root(), &["send", "hi", "--control", &format!("http://{nobody}")]);
    assert_eq!((ran.code, ran.err.contains("rehearse-shop up")), (3, true), "{ran:?}");
}

#[test]
fn chat_answers_in_a_pipe() {
    let mut child =
        command(&root(), &["chat"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"How much is a Samsung screen?\n").unwrap();
    let output = child.wait_with_output().unwrap();
    let out = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && out.contains("$89"), "{out}");
}
