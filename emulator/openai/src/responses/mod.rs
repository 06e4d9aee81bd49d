//! `POST /v1/responses`: checks requests and builds responses.

mod input;
mod references;
mod request;
mod response;
mod stored_item;
mod stored_operations;

pub(super) use input::{check_items, input_items, is_reference};
pub(super) use request::{conversation_id, read};
pub(super) use response::{ResponseObject, events};
pub(super) use stored_item::stored_items;
pub(super) use stored_operations::{StoredAction, act};
