//! The README's commands do what it shows.

use crate::{process::rehearse, support::root, up::Up};

/// A block of the README: the commands, each with the lines that it prints.
fn commands(block: &str) -> Vec<(Vec<String>, Vec<String>)> {
    let mut commands: Vec<(Vec<String>, Vec<String>)> = Vec::new();
    for line in block.lines().map(str::trim) {
        match line.strip_prefix("$ ") {
            Some(command) => commands.push((words(command), Vec::new())),
            None => commands.last_mut().expect("output follows a command").1.push(line.into()),
        }
    }
    commands
}

/// The words of a command line with quotes.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (index, part) in line.split('"').enumerate() {
        if index % 2 == 1 {
            words.push(part.to_owned());
        } else {
            words.extend(part.split_whitespace().map(str::to_owned));
        }
    }
    words
}

/// The console blocks of the README, each with the comment above it.
fn blocks() -> Vec<(String, String)> {
    let text = std::fs::read_to_string(root().join("README.md")).unwrap();
    let mut blocks = Vec::new();
    let mut rest = text.as_str();
    while let Some((before, after)) = rest.split_once("```console\n") {
        let (block, after) = after.split_once("```").unwrap();
        let above = before.trim_end().lines().last().unwrap_or_default().trim();
        blocks.push((above.to_owned(), block.trim_end().to_owned()));
        rest = after;
    }
    blocks
}

/// Whether a printed line is the one of the README; times and ids differ from run to run.
fn is_like(shown: &str, printed: &str) -> bool {
    let plain = |line: &str| {
        let line = regex::Regex::new(r"[0-9.]+ (ms|s)\b").unwrap().replace_all(line, "TIME");
        let line = regex::Regex::new(r"LEAD-\d+-\d+-[0-9a-f]+").unwrap().replace(&line, "LEAD");
        line.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    plain(shown) == plain(printed)
}

#[test]
fn the_readmes_scenarios_print_what_it_shows() {
    let (_, block) =
        blocks().into_iter().find(|(_, block)| block.starts_with("$ rehearse run")).unwrap();
    for (words, shown) in commands(&block) {
        let words: Vec<&str> = words[1..].iter().map(String::as_str).collect();
        let ran = rehearse(&root(), &words);
        assert_eq!(ran.code, 0, "{}", ran.err);
        let printed: Vec<&str> = ran.out.lines().filter(|line| !line.trim().is_empty()).collect();
        let shown: Vec<&String> = shown.iter().filter(|line| !line.is_empty()).collect();
        assert_eq!(printed.len(), shown.len(), "{}", ran.out);
        for (shown, printed) in shown.iter().zip(printed) {
            assert!(is_like(shown, printed), "{shown:?} is now {printed:?}");
        }
    }
}

#[test]
fn the_readmes_ten_minutes_hold_on_any_day() {
    let (above, block) = blocks()
        .into_iter()
        .find(|(_, block)| block.contains("rehearse send"))
        .expect("a block that sends texts");
    let up = above.strip_prefix("<!-- up: rehearse up ").and_then(|up| up.strip_suffix(" -->"));
    let arguments = words(up.expect("the comment above says how the world is started"));
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let world = Up::start_with(&arguments);
    let mut sent = 0;
    for (words, shown) in commands(&block).into_iter().filter(|(words, _)| words[0] == "rehearse") {
        let words: Vec<&str> = words[1..].iter().map(String::as_str).collect();
        let ran = world.rehearse(&words);
        assert_eq!(ran.code, 0, "{words:?}: {}", ran.err);
        let printed: Vec<&str> = ran.out.lines().collect();
        for (shown, printed) in shown.iter().zip(&printed) {
            assert!(is_like(shown, printed), "{words:?}: {shown:?} is now {printed:?}");
        }
        sent += shown.len();
    }
    assert!(sent >= 4, "replies were compared");
}
