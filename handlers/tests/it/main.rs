//! Tests of the crate from outside: adapters against recorded bodies, routers behind gateway
//! events, use cases on ports in memory.
//!
//! Independent of the emulator, so that an error common to a fake and an adapter is noticed.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests fail their test"
)]

mod arbitrary_input;
mod bins;
mod booking_form;
mod booking_races;
mod claims;
mod compose;
mod dispatcher;
mod dynamodb;
mod events;
mod form_code_tries;
mod form_codes;
mod form_confirmation;
mod hostile_requests;
mod logs;
mod migration;
mod openai;
mod openai_failures;
mod outbox;
mod owner_calendar;
mod owner_page;
mod owner_session;
mod owner_state;
mod properties;
mod reply;
mod scheduler;
mod state;
mod support;
mod twilio;

/// A test file that is not named above would never run.
#[test]
fn every_file_is_part_of_this_binary() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it");
    let named = include_str!("main.rs");
    for entry in std::fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let module = name.trim_end_matches(".rs");
        assert!(module == "main" || named.contains(&format!("mod {module};")), "{name}");
    }
}
