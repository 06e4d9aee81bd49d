//! What can be done with a response that is stored.

use serde_json::json;

use bytes::Bytes;

use crate::{error::ApiError, page, params, state::ServerState};

/// What is done with a stored response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StoredAction {
    Retrieve,
    Delete,
    Cancel,
    ListInput,
}

/// Does something with a stored response. `query` is that of the URL.
///
/// # Errors
/// There is no such response, or what the provider refuses, in its words.
pub(crate) fn act(
    server: &ServerState,
    id: &str,
    action: StoredAction,
    query: &str,
) -> Result<Bytes, ApiError> {
    params::check_id(id, "resp", "response_id")?;
    let not_found = || ApiError::response_not_found(id);
    if action == StoredAction::Delete {
        if !server.stored_mut().remove(id) {
            return Err(not_found());
        }
        return Ok(json!({ "id": id, "object": "response", "deleted": true }).to_string().into());
    }
    let stored = server.stored();
    let response = stored.response(id).ok_or_else(not_found)?;
    match action {
        StoredAction::Cancel => Err(ApiError::invalid("Cannot cancel a synchronous response.")),
        StoredAction::ListInput => {
            page::of(response.input(), query).map(|page| page.to_string().into())
        }
        _ if streams(query) => Err(ApiError::ours(
            "only background responses can be streamed again, and they are not reproduced; leave out 'stream'",
        )
        .param("stream")),
        _ => Ok(response.body.clone()),
    }
}

fn streams(query: &str) -> bool {
    form_urlencoded::parse(query.as_bytes())
        .any(|(name, value)| name == "stream" && value == "true")
}
