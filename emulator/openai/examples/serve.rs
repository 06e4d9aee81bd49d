//! Serves the fake OpenAI with a few scripts until its input ends, for `tests/sdk/clients/run`.
//!
//! It prints the base URL as its first line.

use std::io::{self, Read as _};

use rehearse_openai::FakeOpenAi;
use serde_json::json;

#[tokio::main(flavor = "multi_thread", worker_threads = 1)]
async fn main() -> io::Result<()> {
    let openai = FakeOpenAi::start().await?.without_verification();
    let ann = json!({ "name": "Ann", "time": "2:00 PM" });
    // Two rounds: a tool, and a text that uses its result.
    openai
        .when("What is free tomorrow?")
        .call("check_availability", json!({ "date": "2026-02-11" }))
        .say("2:00 PM is free.")
        .mount();
    openai
        .when("And on Friday?")
        .sees(json!({ "history": { "contains": "2:00 PM is free." } }))
        .say("Friday, too.")
        .mount();
    // Objects, as clients ask for them: by a format, by a tool of the client's.
    openai.when("Ann as JSON").say(ann.to_string()).mount();
    openai.when("Ann as a tool").call("Appointment", ann.clone()).mount();
    openai
        .when("Book the first free time for Ann")
        .call("check_availability", json!({ "date": "2026-02-11" }))
        .call("final_result", ann)
        .mount();
    println!("{}", openai.url());
    tokio::task::spawn_blocking(|| io::stdin().read_to_end(&mut Vec::new())).await.ok();
    Ok(())
}
