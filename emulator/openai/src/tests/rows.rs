//! Requests with the answers that the provider gives to them, for table tests.

use serde_json::{Value, json};

use super::support::{TestServer, start, user};
use crate::Persona;

/// A small request of an endpoint.
pub fn base(path: &str, model: &str) -> Value {
    match path {
        "/chat/completions" => json!({ "model": model, "messages": [user("Hi")] }),
        _ => json!({ "model": model, "input": "Hi" }),
    }
}

/// A request with other values; null leaves a key out.
pub fn changed(mut request: Value, changes: &Value) -> Value {
    for (key, value) in changes.as_object().unwrap() {
        if value.is_null() {
            request.as_object_mut().unwrap().remove(key);
        } else {
            request[key] = value.clone();
        }
    }
    request
}

/// A request that the provider refuses, and how.
pub struct Refused {
    pub model: &'static str,
    pub changes: Value,
    pub status: u16,
    pub param: Option<&'static str>,
    pub code: Option<&'static str>,
    pub message: &'static str,
    /// Whether the published document forbids it, too. It says nothing of models, and little of limits.
    pub published: bool,
}

/// A refusal with status 400. An empty parameter or code is null.
pub fn refused(
    model: &'static str,
    changes: Value,
    param: &'static str,
    code: &'static str,
    message: &'static str,
) -> Refused {
    let or_null = |text: &'static str| (!text.is_empty()).then_some(text);
    let (param, code) = (or_null(param), or_null(code));
    Refused { model, changes, status: 400, param, code, message, published: false }
}

impl Refused {
    /// The published document forbids it, too.
    pub fn published(self) -> Self {
        Self { published: true, ..self }
    }

    /// With another status.
    pub fn status(self, status: u16) -> Self {
        Self { status, ..self }
    }
}

/// A server that answers everything that it takes.
pub async fn answering() -> TestServer {
    let server = start().await;
    server.openai.set_persona(Some(Persona::canned("Hi!")));
    server
}

/// Checks every row, and reports all that differ.
pub async fn check_refused(path: &str, rows: Vec<Refused>) {
    let server = answering().await;
    let mut wrong = Vec::new();
    for row in rows {
        let request = changed(base(path, row.model), &row.changes);
        let answer = server.post(path, &request).await;
        let expected = json!({ "error": {
            "message": row.message, "type": "invalid_request_error",
            "param": row.param, "code": row.code
        } });
        if (answer.status, &answer.body) != (row.status, &expected) {
            wrong.push(format!(
                "{request}\n  expected {} {expected}\n       got {} {}",
                row.status, answer.status, answer.body
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Checks that every request is answered.
pub async fn check_accepted(path: &str, rows: &[(&str, Value)]) {
    let server = answering().await;
    let mut wrong = Vec::new();
    for (model, changes) in rows {
        let request = changed(base(path, model), changes);
        let answer = server.post(path, &request).await;
        if answer.status != 200 {
            wrong.push(format!("{request}\n  {} {}", answer.status, answer.body));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
