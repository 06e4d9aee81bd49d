//! Sends anything to whatever reads bytes of somebody else, and says what must hold then: no panic, no
//! answer of 5xx, and what each target says besides.
//!
//! Each target is a function of bytes, which panics when something does not hold. The fuzzers in `fuzz/`
//! call it with what libFuzzer finds, `tests/twins.rs` with what is in `fuzz/corpus` and with changes of
//! it.

#![expect(clippy::expect_used, clippy::panic, reason = "what does not hold fails the test")]

mod answers;
mod database;
mod documents;
mod events;
mod forms;
mod shop;
mod texts;
mod tool_arguments;
mod yaml;

use std::time::{Duration, Instant};

/// Something that reads bytes of somebody else.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// The name of its fuzzer and of its corpus.
    pub name: &'static str,
    /// Gives it bytes.
    pub run: fn(&[u8]),
}

/// All of them.
pub const TARGETS: [Target; 11] = [
    Target { name: "form_body", run: forms::form_body },
    Target { name: "signature", run: forms::signature },
    Target { name: "twilio_rest", run: forms::twilio_rest },
    Target { name: "twiml", run: documents::twiml },
    Target { name: "tool_arguments", run: tool_arguments::tool_arguments },
    Target { name: "scenario", run: yaml::scenario },
    Target { name: "template", run: yaml::template },
    Target { name: "gateway_event", run: events::gateway_event },
    Target { name: "runtime_answer", run: answers::runtime_answer },
    Target { name: "phone_and_time", run: texts::phone_and_time },
    Target { name: "database_body", run: database::database_body },
];

/// Gives bytes to the target of a name.
///
/// # Panics
/// When there is no such target, or when something does not hold.
pub fn run(name: &str, bytes: &[u8]) {
    let target = TARGETS.iter().find(|target| target.name == name);
    (target.unwrap_or_else(|| panic!("there is no target {name}")).run)(bytes);
}

/// Longest time that a target may take.
const LIMIT: Duration = Duration::from_millis(100);

/// As [`run`], for a fuzzer: an input that takes too long is a failure, too.
///
/// # Panics
/// As [`run`], and when the input takes longer than 100 ms three times in a row: once may be the
/// machine's doing.
pub fn run_within_limit(name: &str, bytes: &[u8]) {
    let timed = || {
        let begin = Instant::now();
        run(name, bytes);
        begin.elapsed()
    };
    let mut took = timed();
    for _ in 0..2 {
        if took <= LIMIT {
            return;
        }
        took = took.min(timed());
    }
    assert!(took <= LIMIT, "{name} takes {took:?}");
}
