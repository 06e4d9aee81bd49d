//! What `sam validate --lint` would say of template.yaml, without AWS.

use std::process::Command;

use crate::support::root;

/// Runs a check of `tests/sdk`; REHEARSE_PYTHON names an interpreter that has the packages.
fn python(script: &str) {
    let python = std::env::var("REHEARSE_PYTHON").unwrap_or_else(|_| "python3".into());
    let ran = match Command::new(&python).arg(root().join("tests/sdk").join(script)).output() {
        Ok(ran) => ran,
        Err(error) => return eprintln!("skipped: {python}: {error}"),
    };
    let said = String::from_utf8_lossy(&ran.stdout);
    match ran.status.code() {
        Some(77) => eprintln!("{said}"),
        code => assert_eq!(code, Some(0), "{said}{}", String::from_utf8_lossy(&ran.stderr)),
    }
}

#[test]
fn it_expands_and_lints_and_holds_no_secret() {
    python("template.py");
}

#[test]
fn planted_faults_are_found() {
    python("template_faults.py");
}
