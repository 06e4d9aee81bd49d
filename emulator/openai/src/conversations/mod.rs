//! The Conversations endpoints: conversations that the server keeps, and their items.

mod lock;
mod stored;

use serde_json::{Map, Value, json};

use super::{
    error::ApiError,
    page,
    params::{self, ParameterType},
    responses,
    state::ServerState,
};

pub(super) use lock::{ConversationLock, ConversationLocks};
pub(super) use stored::StoredConversations;

/// Most items that a request adds, from the OpenAPI document.
const MAX_ITEMS: usize = 20;

const CREATE: &[(&str, ParameterType)] =
    &[("items", ParameterType::Entries(0, MAX_ITEMS)), ("metadata", ParameterType::Metadata)];
const UPDATE: &[(&str, ParameterType)] = &[("metadata", ParameterType::Metadata)];
const ADD: &[(&str, ParameterType)] = &[("items", ParameterType::Entries(0, MAX_ITEMS))];

/// What is done with a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    Retrieve,
    Update,
    Delete,
    ListItems,
    AddItems,
}

/// What is done with an item of a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ItemAction {
    Retrieve,
    Delete,
}

/// Begins a conversation.
///
/// # Errors
/// What the provider refuses, in its words.
pub(super) fn create(
    server: &ServerState,
    request: &Map<String, Value>,
) -> Result<Value, ApiError> {
    params::check(request, CREATE, "")?;
    let items = items(server, request)?;
    let metadata = request.get("metadata").filter(|m| !m.is_null()).cloned();
    let now = server.clock.now().as_second();
    let mut stored = server.stored_mut();
    let id = stored.conversations.create(now, metadata.unwrap_or_else(|| json!({})));
    let conversation = stored.conversations.get_mut(&id)?;
    conversation.append(&items);
    Ok(conversation.resource(&id))
}

/// Does something with a conversation. `query` is that of the URL.
///
/// # Errors
/// There is no such conversation, or what the provider refuses, in its words.
pub(super) fn act(
    server: &ServerState,
    id: &str,
    action: Action,
    query: &str,
    request: &Map<String, Value>,
) -> Result<Value, ApiError> {
    params::check_id(id, "conv", "conversation_id")?;
    if action == Action::AddItems {
        return add(server, id, request);
    }
    let mut stored = server.stored_mut();
    let conversation = stored.conversations.get_mut(id)?;
    match action {
        Action::Retrieve => Ok(conversation.resource(id)),
        Action::Update => {
            params::check(request, UPDATE, "")?;
            let metadata = request.get("metadata").ok_or_else(|| ApiError::missing("metadata"))?;
            conversation.metadata = if metadata.is_null() { json!({}) } else { metadata.clone() };
            Ok(conversation.resource(id))
        }
        Action::Delete => {
            stored.conversations.remove(id);
            Ok(json!({ "id": id, "object": "conversation.deleted", "deleted": true }))
        }
        Action::ListItems | Action::AddItems => page::of(&conversation.items, query),
    }
}

/// Adds items to a conversation.
fn add(server: &ServerState, id: &str, request: &Map<String, Value>) -> Result<Value, ApiError> {
    server.stored().conversations.get(id)?;
    params::check(request, ADD, "")?;
    if request.get("items").is_none_or(Value::is_null) {
        return Err(ApiError::missing("items"));
    }
    let items = items(server, request)?;
    let mut stored = server.stored_mut();
    let added = stored.conversations.get_mut(id)?.append(&items);
    Ok(page::list(&added.iter().collect::<Vec<_>>(), false))
}

/// Does something with an item of a conversation.
///
/// # Errors
/// There is no such conversation or item.
pub(super) fn act_on_item(
    server: &ServerState,
    id: &str,
    item: &str,
    action: ItemAction,
) -> Result<Value, ApiError> {
    params::check_id(id, "conv", "conversation_id")?;
    let mut stored = server.stored_mut();
    let conversation = stored.conversations.get_mut(id)?;
    let at = conversation.items.iter().position(|i| i["id"] == item);
    let at = at.ok_or_else(|| ApiError::item_not_found(item))?;
    match action {
        ItemAction::Retrieve => Ok(conversation.items[at].clone()),
        ItemAction::Delete => {
            conversation.items.remove(at);
            Ok(conversation.resource(id))
        }
    }
}

/// The items of a request, with what references name in their place.
fn items(server: &ServerState, request: &Map<String, Value>) -> Result<Vec<Value>, ApiError> {
    let Some(list) = request.get("items").and_then(Value::as_array) else { return Ok(Vec::new()) };
    responses::check_items(list, "items")?;
    let items = server.stored().resolve(list).unwrap_or_else(|| list.clone());
    match items.iter().find(|item| responses::is_reference(item)) {
        Some(missing) => Err(ApiError::item_not_found(missing["id"].as_str().unwrap_or_default())),
        None => Ok(items),
    }
}
