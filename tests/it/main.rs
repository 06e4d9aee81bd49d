//! The integration tests of the whole, one file per boundary, one binary.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests fail their test"
)]

mod backends;
mod bad_input;
mod data;
mod exec;
mod house;
mod interrupted;
mod outside;
mod running;
mod scenarios;
mod store;
mod store_races;
mod store_turns;
mod support;
mod tools;
mod up;

#[test]
fn no_test_file_is_forgotten() {
    let main = include_str!("main.rs");
    let folder = support::root().join("tests/it");
    for entry in std::fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let module = name.strip_suffix(".rs").expect("only Rust files stand here");
        assert!(
            module == "main" || main.contains(&format!("mod {module};")),
            "tests/it/{name} is not listed in main.rs, so it never runs"
        );
    }
}
