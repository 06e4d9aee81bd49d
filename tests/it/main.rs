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
mod differential;
mod doctor;
mod endpoint;
mod engine_contract;
mod exec;
mod explore;
mod external;
mod hostile_surfaces;
mod house;
mod interrupted;
mod lambda;
mod logs;
mod one_winner;
mod packages;
mod pages;
mod parity;
mod permissions;
mod process;
mod public_url;
mod readme;
mod record;
mod running;
mod runtimes;
mod scenarios;
mod secrets;
mod store;
mod store_calendar;
mod store_contract;
mod store_customers;
mod store_differential;
mod store_form_holds;
mod store_owner;
mod store_races;
mod store_turns;
mod suite;
mod support;
mod sweep;
mod template;
mod tools;
mod turns;
mod up;
mod watch;

#[test]
fn no_test_file_is_forgotten() {
    let main = include_str!("main.rs");
    let folder = support::root().join("tests/it");
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        let is_folder = entry.file_type().unwrap().is_dir();
        let module = match name.strip_suffix(".rs") {
            Some(module) => module,
            None if is_folder => name.as_str(),
            None => panic!("{name}: only Rust files stand here"),
        };
        assert!(
            module == "main" || main.contains(&format!("mod {module};")),
            "tests/it/{name} is not listed in main.rs, so it never runs"
        );
    }
}
