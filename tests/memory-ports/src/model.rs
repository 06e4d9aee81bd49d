//! A model whose output the test determines.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use handlers::{
    domain::turn::ConversationItem,
    ports::{Model, ModelError, ModelRequest, Timer as _},
};
use serde_json::Value;

use super::{TestTimer, executor::pass};

/// The model's output or error.
type Answer = Result<Vec<ConversationItem>, ModelError>;

/// Answers in the order of the script, whoever calls.
pub struct FakeModel {
    timer: Arc<TestTimer>,
    script: Mutex<VecDeque<(Duration, Answer)>>,
    requests: Mutex<Vec<Request>>,
}

/// A request that the model received.
#[derive(Debug, Clone)]
pub struct Request {
    pub instructions: String,
    pub input: Vec<ConversationItem>,
}

impl Request {
    /// The tool results in the input, as JSON.
    pub fn results(&self) -> Vec<Value> {
        let result = |item: &ConversationItem| match item {
            ConversationItem::Result { output, .. } => Some(serde_json::from_str(output).unwrap()),
            _ => None,
        };
        self.input.iter().filter_map(result).collect()
    }
}

impl FakeModel {
    /// A model without a script, whose delays are on this clock.
    pub fn new(timer: Arc<TestTimer>) -> Self {
        Self { timer, script: Mutex::default(), requests: Mutex::default() }
    }

    /// Adds these items to the script.
    pub fn then(&self, items: impl IntoIterator<Item = ConversationItem>) -> &Self {
        self.after(Duration::ZERO, Ok(items.into_iter().collect()))
    }

    /// Adds an answer to the script that takes `delay`.
    pub fn after(&self, delay: Duration, answer: Answer) -> &Self {
        self.script.lock().unwrap().push_back((delay, answer));
        self
    }

    /// Forgets what was not asked for.
    pub fn forget_script(&self) {
        self.script.lock().unwrap().clear();
    }

    /// Every request so far.
    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }

    /// The tool results in the last request.
    pub fn results(&self) -> Vec<Value> {
        self.requests().last().unwrap().results()
    }
}

/// The model says something.
pub fn say(text: &str) -> ConversationItem {
    ConversationItem::Assistant(text.to_owned())
}

/// The model calls a tool.
pub fn call(name: &str, arguments: Value) -> ConversationItem {
    ConversationItem::Call {
        id: "fc_1".to_owned(),
        call_id: "call_1".to_owned(),
        name: name.to_owned(),
        arguments: arguments.to_string(),
    }
}

#[async_trait]
impl Model for FakeModel {
    async fn respond(
        &self,
        request: ModelRequest<'_>,
    ) -> Result<Vec<ConversationItem>, ModelError> {
        pass().await;
        self.requests.lock().unwrap().push(Request {
            instructions: request.instructions.to_owned(),
            input: request.input.to_vec(),
        });
        let next = self.script.lock().unwrap().pop_front();
        let (delay, answer) = next.expect("the model was asked more often than the test says");
        self.timer.sleep(delay).await;
        answer
    }
}
