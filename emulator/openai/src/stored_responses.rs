//! Stored responses, for `previous_response_id`, references to items, and the endpoints that read them;
//! with them the stored conversations.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use bytes::Bytes;
use serde_json::Value;

use super::{conversations::StoredConversations, responses};

/// How many responses are kept. The oldest is removed first.
const LIMIT: usize = 1024;

/// The stored responses of one server.
#[derive(Debug, Default)]
pub(super) struct StoredResponses {
    pub conversations: StoredConversations,
    responses: HashMap<String, StoredResponse>,
    order: VecDeque<String>,
    /// How many responses were ever numbered.
    numbered: u64,
}

/// A response as it is stored.
#[derive(Debug, Default)]
pub(super) struct StoredResponse {
    /// What was answered.
    pub body: Bytes,
    /// The whole conversation up to and including the response.
    pub items: Arc<Vec<Value>>,
    /// How many of the items are the response's own.
    pub output: usize,
}

impl StoredResponse {
    /// The items that the model was given.
    pub fn input(&self) -> &[Value] {
        &self.items[..self.items.len().saturating_sub(self.output)]
    }
}

impl StoredResponses {
    /// The number of the next response that is kept, from 1.
    pub fn next_number(&mut self) -> u64 {
        self.numbered += 1;
        self.numbered
    }

    /// Removes everything. Numbers are not used again: a backend may remember ids that it has seen.
    pub fn clear(&mut self) {
        self.conversations.clear();
        self.responses.clear();
        self.order.clear();
    }

    /// The response of this id.
    pub fn response(&self, id: &str) -> Option<&StoredResponse> {
        self.responses.get(id)
    }

    /// The whole conversation up to and including a response.
    pub fn get(&self, id: &str) -> Option<Arc<Vec<Value>>> {
        self.responses.get(id).map(|response| Arc::clone(&response.items))
    }

    /// Whether a stored response or conversation contains this item. Takes time linear in everything
    /// stored.
    pub fn has_item(&self, id: &str) -> bool {
        !id.is_empty() && self.items().any(|i| i["id"] == id)
    }

    /// Items with references to stored items replaced by the items; `None` if there are no
    /// references.
    pub fn resolve(&self, items: &[Value]) -> Option<Vec<Value>> {
        if !items.iter().any(responses::is_reference) {
            return None;
        }
        let find = |id: &Value| self.items().find(|i| i["id"] == *id);
        let whole = |item: &Value| {
            let found = if responses::is_reference(item) { find(&item["id"]) } else { None };
            found.unwrap_or(item).clone()
        };
        Some(items.iter().map(whole).collect())
    }

    /// Stores a response under its id.
    pub fn put(&mut self, id: String, response: StoredResponse) {
        if self.responses.insert(id.clone(), response).is_none() {
            self.order.push_back(id);
        }
        if self.order.len() > LIMIT
            && let Some(oldest) = self.order.pop_front()
        {
            self.responses.remove(&oldest);
        }
    }

    /// Removes a response, and says whether there was one.
    pub fn remove(&mut self, id: &str) -> bool {
        self.order.retain(|other| other != id);
        self.responses.remove(id).is_some()
    }

    fn items(&self) -> impl Iterator<Item = &Value> {
        let of_responses = self.responses.values().flat_map(|response| response.items.iter());
        of_responses.chain(self.conversations.items())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_oldest_is_removed_first_and_a_repeat_takes_no_room() {
        let mut stored = StoredResponses::default();
        let response = |i: usize| StoredResponse {
            items: Arc::new(vec![json!({ "id": format!("msg_{i}") })]),
            ..StoredResponse::default()
        };
        for i in 0..=LIMIT {
            stored.put(format!("resp_{i}"), response(i));
            stored.put(format!("resp_{i}"), response(i));
        }
        assert!(stored.get("resp_0").is_none() && stored.get("resp_1").is_some());
        assert!(!stored.has_item("msg_0") && stored.has_item("msg_1") && !stored.has_item(""));
        assert!(stored.remove("resp_1") && !stored.remove("resp_1") && !stored.has_item("msg_1"));
    }
}
