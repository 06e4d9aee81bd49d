//! How the items of an input refer to each other, and to what is stored.

use serde_json::{Map, Value};

use super::input::kind;
use crate::{conversation::get, error::ApiError, ids, stored_responses::StoredResponses};

/// Checks how items refer to each other. Items before `fresh` were accepted earlier; `unstored` says
/// that the request has `store: false`.
///
/// # Errors
/// What the provider refuses, in its words.
pub(super) fn check_references(
    items: &[&Map<String, Value>],
    fresh: usize,
    unstored: bool,
    stored: &StoredResponses,
) -> Result<(), ApiError> {
    let refuse = |message: String| Err(ApiError::invalid(message).param("input"));
    let of = |wanted: &'static str| items.iter().filter(move |i| kind(i) == wanted);
    for (at, item) in items.iter().enumerate().skip(fresh) {
        let id = get(item, "id");
        if !id.is_empty() && items[..at].iter().any(|other| get(other, "id") == id) {
            return refuse(format!(
                "Duplicate item found with id {id}. Remove duplicate items from your input and try again."
            ));
        }
        match kind(item) {
            "function_call" | "message" => {
                if let Some(reasoning) = ids::required_reasoning(id)
                    && !items[..at].iter().any(|other| get(other, "id") == reasoning)
                {
                    return refuse(format!(
                        "Item '{id}' of type '{}' was provided without its required 'reasoning' item: '{reasoning}'.",
                        kind(item)
                    ));
                }
            }
            "reasoning" => {
                check_reasoning_content(item, unstored, stored)?;
                let follows = items.get(at + 1).is_some_and(|next| match kind(next) {
                    "message" => get(next, "role") == "assistant",
                    other => !other.ends_with("_output"),
                });
                if !follows {
                    return refuse(format!(
                        "Item '{id}' of type 'reasoning' was provided without its required following item."
                    ));
                }
            }
            "item_reference" if !stored.has_item(id) => return Err(not_found(id, unstored)),
            "function_call_output" => {
                let call = get(item, "call_id");
                if !of("function_call").any(|c| get(c, "call_id") == call) {
                    return refuse(format!(
                        "No tool call found for function call output with call_id {call}."
                    ));
                }
            }
            _ => {}
        }
    }
    for call in of("function_call") {
        let call = get(call, "call_id");
        if !of("function_call_output").any(|o| get(o, "call_id") == call) {
            return refuse(format!("No tool output found for function call {call}."));
        }
    }
    Ok(())
}

/// A reasoning item must have its encrypted content or be stored.
fn check_reasoning_content(
    item: &Map<String, Value>,
    unstored: bool,
    stored: &StoredResponses,
) -> Result<(), ApiError> {
    let id = get(item, "id");
    let content = get(item, "encrypted_content");
    if content.is_empty() {
        return if stored.has_item(id) { Ok(()) } else { Err(not_found(id, unstored)) };
    }
    match ids::decrypt(content) {
        Some(own) if id.is_empty() || id == own => Ok(()),
        _ => {
            let start: String = content.chars().take(16).collect();
            Err(ApiError::invalid(format!(
                "The encrypted content {start}... could not be verified. Reason: Encrypted content could not be decrypted or parsed."
            ))
            .code("invalid_encrypted_content"))
        }
    }
}

fn not_found(id: &str, unstored: bool) -> ApiError {
    let hint = if unstored {
        " Items are not persisted when `store` is set to false. Try again with `store` set to true, or remove this item from your input."
    } else {
        ""
    };
    ApiError::invalid(format!("Item with id '{id}' not found.{hint}")).param("input").status(404)
}
