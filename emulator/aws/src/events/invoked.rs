//! Invocations that somebody outside of the world waits for, as a client of Lambda's Invoke API does.

use std::sync::Arc;

use serde_json::{Value, json};
use uuid::Uuid;

use super::{Events, queue::error_payload, server::MAX_SYNC};
use crate::gateway::invoke::InvokeError;

/// What came of an invocation.
#[derive(Debug, Clone, PartialEq)]
pub struct Invoked {
    /// The request's id, with which the journal marks the lines that the function wrote.
    pub request_id: Arc<str>,
    /// The function's result; or its error, an object with `errorType` and `errorMessage`.
    pub result: Result<Value, Value>,
}

impl Events {
    /// Invokes the function with this logical id once, and waits for what comes of it, at most for the function's
    /// timeout. A failed invocation is not repeated. `cause` says in words why it is invoked. The journal has it as
    /// `invocation.FUNCTION`.
    ///
    /// Lambda's refusals of an event that is too large, or of a function of which too many run, are errors here too,
    /// by their types.
    pub async fn invoke_once(&self, function: &str, event: Value, cause: &str) -> Invoked {
        let request_id: Arc<str> = Uuid::new_v4().to_string().into();
        let error =
            |kind: &str, message: &str| Err(json!({ "errorType": kind, "errorMessage": message }));
        let result = if event.to_string().len() > MAX_SYNC {
            let message = format!(
                "Request must be smaller than {MAX_SYNC} bytes for the InvokeFunction operation"
            );
            error("RequestTooLargeException", &message)
        } else {
            let id = Arc::clone(&request_id);
            match self.invoke(function, event, cause.to_owned(), id).await {
                Err(InvokeError::Throttled { .. }) => {
                    error("TooManyRequestsException", "Rate Exceeded.")
                }
                result => result.map_err(|error| error_payload(&error)),
            }
        };
        Invoked { request_id, result }
    }
}
