//! What a package of the program installs beside it, and what it says of itself.

#![expect(clippy::unwrap_used, reason = "a helper of a test fails its test")]

use std::process::Command;

fn rehearse(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_rehearse")).args(arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_version_names_what_it_was_built_from_and_for_what() {
    let version = env!("CARGO_PKG_VERSION");
    let short = rehearse(&["-V"]);
    assert!(short.starts_with(&format!("rehearse {version} (")), "{short}");
    assert_eq!(short.lines().count(), 1, "{short}");
    let long = rehearse(&["--version"]);
    assert!(long.starts_with(short.trim_end()), "{long}");
    assert!(long.contains("\ntarget: ") && long.contains(std::env::consts::ARCH), "{long}");
    assert!(long.contains("\ndatabases: embedded"), "{long}");
}

#[test]
fn every_command_has_a_manual_page() {
    let page = rehearse(&["man"]);
    assert!(page.contains(".TH rehearse 1"), "{page}");
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("share/man1");
    assert_eq!(rehearse(&["man", "--out", out.to_str().unwrap()]), "");
    let help = rehearse(&["--help"]);
    let commands = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    // What does not fit in a line goes on in the next, further in.
    let commands = commands.take_while(|line| !line.is_empty());
    let commands = commands.filter_map(|line| line.strip_prefix("  ")?.split(' ').next());
    let commands: Vec<_> = commands.filter(|command| !command.is_empty()).collect();
    assert!(commands.contains(&"run") && commands.contains(&"man"), "{commands:?}");
    for command in commands.into_iter().filter(|command| *command != "help") {
        let page = std::fs::read_to_string(out.join(format!("rehearse-{command}.1"))).unwrap();
        assert!(page.contains(".SH SYNOPSIS"), "{command}: {page}");
    }
}

#[test]
fn a_folder_that_cannot_be_made_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let out = file.join("man1");
    let mut command = Command::new(env!("CARGO_BIN_EXE_rehearse"));
    let output = command.args(["man", "--out", out.to_str().unwrap()]).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains("failed to write manual pages into") && said.contains("man1"), "{said}");
}
