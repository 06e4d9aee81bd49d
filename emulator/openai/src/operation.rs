//! The endpoints that ask no model: which request is which, its name in the journal, and its answer.

use bytes::Bytes;
use serde_json::{Map, Value};

use super::{
    conversations::{self, Action, ItemAction},
    embeddings,
    error::ApiError,
    moderations,
    responses::{self, StoredAction},
    state::ServerState,
};

/// A request to an endpoint that asks no model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Operation {
    Embed,
    Moderate,
    CreateConversation,
    Conversation(String, Action),
    Item(String, String, ItemAction),
    Response(String, StoredAction),
}

impl Operation {
    /// The operation of a method and a path; `None` if there is none.
    pub fn of(method: &str, path: &str) -> Option<Self> {
        let mut segments = path.strip_prefix("/v1/")?.split('/');
        let (family, id) = (segments.next()?, segments.next());
        let (part, item) = (segments.next(), segments.next());
        if segments.next().is_some() {
            return None;
        }
        match (method, family, id, part, item) {
            ("POST", "embeddings", None, None, None) => Some(Self::Embed),
            ("POST", "moderations", None, None, None) => Some(Self::Moderate),
            ("POST", "conversations", None, None, None) => Some(Self::CreateConversation),
            (_, "conversations", Some(id), part, None) => {
                let action = match (method, part) {
                    ("GET", None) => Action::Retrieve,
                    ("POST", None) => Action::Update,
                    ("DELETE", None) => Action::Delete,
                    ("GET", Some("items")) => Action::ListItems,
                    ("POST", Some("items")) => Action::AddItems,
                    _ => return None,
                };
                Some(Self::Conversation(id.into(), action))
            }
            (_, "conversations", Some(id), Some("items"), Some(item)) => {
                let action = match method {
                    "GET" => ItemAction::Retrieve,
                    "DELETE" => ItemAction::Delete,
                    _ => return None,
                };
                Some(Self::Item(id.into(), item.into(), action))
            }
            (_, "responses", Some(id), part, None) => {
                let action = match (method, part) {
                    ("GET", None) => StoredAction::Retrieve,
                    ("DELETE", None) => StoredAction::Delete,
                    ("POST", Some("cancel")) => StoredAction::Cancel,
                    ("GET", Some("input_items")) => StoredAction::ListInput,
                    _ => return None,
                };
                Some(Self::Response(id.into(), action))
            }
            _ => None,
        }
    }

    /// The name in the journal.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Embed => "openai.embeddings",
            Self::Moderate => "openai.moderations",
            Self::CreateConversation => "openai.conversations.create",
            Self::Conversation(_, Action::Retrieve) => "openai.conversations.retrieve",
            Self::Conversation(_, Action::Update) => "openai.conversations.update",
            Self::Conversation(_, Action::Delete) => "openai.conversations.delete",
            Self::Conversation(_, Action::ListItems) => "openai.conversations.items.list",
            Self::Conversation(_, Action::AddItems) => "openai.conversations.items.create",
            Self::Item(_, _, ItemAction::Retrieve) => "openai.conversations.items.retrieve",
            Self::Item(_, _, ItemAction::Delete) => "openai.conversations.items.delete",
            Self::Response(_, StoredAction::Retrieve) => "openai.responses.retrieve",
            Self::Response(_, StoredAction::Delete) => "openai.responses.delete",
            Self::Response(_, StoredAction::Cancel) => "openai.responses.cancel",
            Self::Response(_, StoredAction::ListInput) => "openai.responses.input_items",
        }
    }

    /// Whether the request has a body that cannot be left out.
    pub fn needs_body(&self) -> bool {
        matches!(
            self,
            Self::Embed | Self::Moderate | Self::Conversation(_, Action::Update | Action::AddItems)
        )
    }

    /// The error when what the request names does not exist, for faults; the provider's words differ from
    /// endpoint to endpoint. `None` if the endpoint names nothing.
    pub fn not_found(&self, request: &Value) -> Option<ApiError> {
        match self {
            Self::Embed => {
                Some(ApiError::model_not_found(request["model"].as_str().unwrap_or("unknown")))
            }
            Self::Moderate | Self::CreateConversation => None,
            Self::Conversation(id, _) => Some(ApiError::conversation_not_found(id)),
            Self::Item(_, item, _) => Some(ApiError::item_not_found(item)),
            Self::Response(id, _) => Some(ApiError::response_not_found(id)),
        }
    }

    /// The answer to a request; `query` is that of the URL, `body` the request as it came.
    ///
    /// # Errors
    /// What the provider refuses, in its words.
    pub fn answer(
        &self,
        server: &ServerState,
        query: &str,
        request: &Map<String, Value>,
        body: &[u8],
    ) -> Result<Bytes, ApiError> {
        let value = match self {
            Self::Embed => embeddings::create(request, &server.options),
            Self::Moderate => moderations::create(request, body),
            Self::CreateConversation => conversations::create(server, request),
            Self::Conversation(id, action) => {
                conversations::act(server, id, *action, query, request)
            }
            Self::Item(id, item, action) => conversations::act_on_item(server, id, item, *action),
            Self::Response(id, action) => return responses::act(server, id, *action, query),
        };
        value.map(|value| value.to_string().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_has_a_name_under_which_it_can_fail() {
        let mut names = Vec::new();
        for (method, path) in [
            ("POST", "embeddings"),
            ("POST", "moderations"),
            ("POST", "conversations"),
            ("GET", "conversations/conv_1"),
            ("POST", "conversations/conv_1"),
            ("DELETE", "conversations/conv_1"),
            ("GET", "conversations/conv_1/items"),
            ("POST", "conversations/conv_1/items"),
            ("GET", "conversations/conv_1/items/msg_1"),
            ("DELETE", "conversations/conv_1/items/msg_1"),
            ("GET", "responses/resp_1"),
            ("DELETE", "responses/resp_1"),
            ("POST", "responses/resp_1/cancel"),
            ("GET", "responses/resp_1/input_items"),
        ] {
            let operation = Operation::of(method, &format!("/v1/{path}"));
            let operation = operation.unwrap_or_else(|| panic!("{method} {path}"));
            assert!(rehearse_core::faults::can_fail(operation.name()), "{method} {path}");
            names.push(operation.name());
        }
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), 14, "no two have the same name");
        for (method, path) in [
            ("GET", "embeddings"),
            ("POST", "responses/compact"),
            ("POST", "conversations/conv_1/items/msg_1"),
            ("GET", "conversations/conv_1/items/msg_1/parts"),
            ("GET", "conversations"),
        ] {
            assert_eq!(Operation::of(method, &format!("/v1/{path}")), None, "{method} {path}");
        }
    }
}
