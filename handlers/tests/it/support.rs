//! Helpers of several test files.

use handlers::compose::Clients;
use wiremock::ResponseTemplate;

/// The text of a file under `fixtures/`.
pub fn fixture(path: &str) -> String {
    let path = format!("{}/../fixtures/{path}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// A response with a recorded body.
pub fn recorded(status: u16, path: &str) -> ResponseTemplate {
    let media_type = if path.ends_with(".json") { "application/json" } else { "text/html" };
    ResponseTemplate::new(status).set_body_raw(fixture(path), media_type)
}

/// The HTTP client for providers on this machine.
pub fn web() -> reqwest::Client {
    Clients::plain().unwrap().web
}
