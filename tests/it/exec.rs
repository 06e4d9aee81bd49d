//! `rehearse exec -- COMMAND`: any test suite in a world of its own.

use std::{
    collections::BTreeSet,
    io::{BufRead, BufReader, Read},
    process::Stdio,
};

use crate::{
    process::{command, interrupt, rehearse, wait_for_exit, wait_until_gone},
    support::root,
};

/// Runs a shell's words in a world; `$rehearse` is the program.
fn exec(script: &str) -> crate::process::Finished {
    let script = format!("rehearse='{}'; {script}", env!("CARGO_BIN_EXE_rehearse-shop"));
    rehearse(&root(), &["exec", "--", "sh", "-c", &script])
}

#[test]
fn the_command_finds_its_world_and_its_code_is_the_end() {
    let ran = exec(
        r#""$rehearse" ready && "$rehearse" send 'Do you fix iPhone screens?' || exit 1
        "$rehearse" log | grep -c 'iPhone screens' || exit 2
        "$rehearse" reset && "$rehearse" log && exit 7"#,
    );
    assert_eq!(ran.code, 7, "{ran:?}");
    assert!(ran.out.contains("$79") && ran.err.contains("nothing has happened yet"), "{ran:?}");
}

#[test]
fn the_environment_is_what_env_prints() {
    let printed = exec(r#""$rehearse" env --format dotenv"#);
    let inside = exec("env | sort");
    let names = |text: &str| -> BTreeSet<String> {
        let ours = |name: &str| {
            ["AWS_", "OPENAI_", "TWILIO_", "REHEARSE_"].iter().any(|start| name.starts_with(start))
        };
        let names = text.lines().filter_map(|line| line.split_once('=')).map(|(name, _)| name);
        names.filter(|name| ours(name)).map(str::to_owned).collect()
    };
    assert!(names(&inside.out).contains("REHEARSE_CONTROL"), "{inside:?}");
    assert!(names(&printed.out).len() >= 10, "{printed:?}");
    // The developer may have more of that kind.
    assert!(names(&printed.out).is_subset(&names(&inside.out)), "{printed:?}\n{inside:?}");
}

#[test]
fn ends_are_told_as_a_shell_tells_them() {
    assert_eq!(exec("kill -9 $$").code, 137);
    assert_eq!(exec("kill -TERM $$").code, 143);
    let ran = rehearse(&root(), &["exec", "--", "no-such-command"]);
    assert_eq!((ran.code, ran.err.contains("there is no command 'no-such-command'")), (127, true));
    let ran = rehearse(&root(), &["exec", "--", "./README.md"]);
    assert_eq!((ran.code, ran.err.contains("README.md")), (126, true), "{ran:?}");
}

/// On macOS the kernel has no such signal.
#[test]
#[cfg(target_os = "linux")]
fn the_command_ends_with_a_world_that_is_killed() {
    let script = "echo $$; while :; do read x || sleep 1; done";
    let mut exec = command(&root(), &["exec", "--", "sh", "-c", script])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut pid = String::new();
    BufReader::new(exec.stdout.take().unwrap()).read_line(&mut pid).unwrap();
    exec.kill().unwrap();
    wait_for_exit(&mut exec);
    wait_until_gone(pid.trim());
}

#[test]
fn a_command_without_its_dashes_is_told_where_they_stand() {
    for words in [&["exec", "pytest", "tests"][..], &["exec", "pytest", "--", "tests"]] {
        let ran = rehearse(&root(), words);
        assert_eq!(ran.code, 2, "{ran:?}");
        assert!(ran.err.contains("rehearse-shop exec -- pytest tests"), "{ran:?}");
    }
    let ran = rehearse(&root(), &["exec"]);
    assert_eq!((ran.code, ran.err.contains("needs a command")), (2, true), "{ran:?}");
}

#[test]
fn ctrl_c_reaches_the_command_and_the_world_ends_with_it() {
    let script = "trap 'echo caught; exit 9' INT; echo $REHEARSE_CONTROL; while :; do read x; done";
    let mut exec = command(&root(), &["exec", "--", "sh", "-c", script])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut out = BufReader::new(exec.stdout.take().unwrap());
    let mut control = String::new();
    out.read_line(&mut control).unwrap();
    let address = control.trim().strip_prefix("http://").unwrap();
    assert!(std::net::TcpStream::connect(address).is_ok(), "the world is there");
    interrupt(&exec);
    let mut rest = String::new();
    out.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "caught\n");
    assert_eq!(wait_for_exit(&mut exec), Some(9));
    assert!(std::net::TcpStream::connect(address).is_err(), "the world is gone");
}
