//! A model that does what the customer's text says, and claims nothing by itself.

use std::sync::Arc;

use async_trait::async_trait;
use handlers::{
    domain::turn::ConversationItem,
    ports::{Model, ModelError, ModelRequest},
};
use memory_ports::{CallChance, CallFate, pass};
use serde_json::Value;

use crate::chance::Chance;

/// What it says when somebody else has the time.
pub const TAKEN: &str = "That time is already taken.";
/// What it says when nothing was changed for another reason.
pub const REFUSED: &str = "What would you like to do instead?";
/// What it says when it is done; what was done, code says.
pub const DONE: &str = "Is there anything else?";

/// A text `book_slot {...}` is a call of that tool.
pub struct ObedientModel {
    /// What happens to its calls.
    pub chance: Arc<Chance>,
}

#[async_trait]
impl Model for ObedientModel {
    async fn respond(
        &self,
        request: ModelRequest<'_>,
    ) -> Result<Vec<ConversationItem>, ModelError> {
        pass().await;
        match self.chance.fate("model") {
            CallFate::FailsBefore | CallFate::FailsAfter => {
                return Err(ModelError::Unavailable("it failed".into()));
            }
            CallFate::Slow(before, after) => self.chance.wait(before + after).await,
            CallFate::Works => {}
        }
        Ok(vec![answer(request.input)])
    }
}

fn answer(input: &[ConversationItem]) -> ConversationItem {
    let said = |text: &str| ConversationItem::Assistant(text.to_owned());
    if let Some(ConversationItem::Result { output, .. }) = input.last() {
        let result: Value = serde_json::from_str(output).unwrap_or_default();
        return said(match (result["success"].as_bool(), result["message"].as_str()) {
            (Some(true), _) => DONE,
            (_, Some(TAKEN_BY_TOOL)) => TAKEN,
            // It was booked, and somebody changed it since: that says nothing of what is now.
            (_, Some(message)) if message.starts_with("That booking is ") => DONE,
            _ => REFUSED,
        });
    }
    let last = input.iter().rev().find_map(|item| match item {
        ConversationItem::User(text) => Some(text.as_str()),
        _ => None,
    });
    let call = last.and_then(|text| {
        let (start, end) = (text.find('{')?, text.rfind('}')?);
        let name = text.get(..start)?.trim().rsplit(' ').next()?.to_owned();
        Some((name, text.get(start..=end)?.to_owned()))
    });
    match call {
        Some((name, arguments)) => ConversationItem::Call {
            id: "fc_1".to_owned(),
            call_id: "call_1".to_owned(),
            name,
            arguments,
        },
        None => said(DONE),
    }
}

/// How the tools say it.
const TAKEN_BY_TOOL: &str = "That time is already taken";
