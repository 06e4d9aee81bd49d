//! Names the commit for `rehearse --version`.
//!
//! Only release builds ask git: a build for development would otherwise compile this crate anew after
//! every commit. A crate that cargo has packaged carries the commit in a file.

use std::{fs, path::Path, process::Command};

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=REHEARSE_COMMIT");
    let set = |name: &str, value: &str| println!("cargo::rustc-env={name}={value}");
    let variable = |name: &str| std::env::var(name).unwrap_or_default();
    set("REHEARSE_TARGET", &variable("TARGET"));
    let commit = match std::env::var("REHEARSE_COMMIT") {
        Ok(commit) => Some(commit),
        Err(_) if variable("PROFILE") == "release" => packaged().or_else(from_git),
        Err(_) => None,
    };
    set(
        "REHEARSE_BUILT_FROM",
        &commit.map_or("development build".to_owned(), |c| format!("commit {c}")),
    );
}

/// From the file that `cargo package` writes, as JSON: `"sha1": "..."`.
fn packaged() -> Option<String> {
    let text = fs::read_to_string(".cargo_vcs_info.json").ok()?;
    let (_, rest) = text.split_once("\"sha1\"")?;
    rest.split('"').nth(1).map(|commit| commit.chars().take(9).collect())
}

/// From the repository, with `-dirty` if files differ from the commit.
fn from_git() -> Option<String> {
    // The current branch moves with each commit, and HEAD with each change of branch.
    for file in ["HEAD", "logs/HEAD"] {
        let path = git(&["rev-parse", "--git-path", file])?;
        if Path::new(&path).exists() {
            println!("cargo::rerun-if-changed={path}");
        }
    }
    git(&["describe", "--always", "--dirty", "--abbrev=9", "--exclude=*"])
}

fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let text = text.trim();
    (output.status.success() && !text.is_empty()).then(|| text.to_owned())
}
