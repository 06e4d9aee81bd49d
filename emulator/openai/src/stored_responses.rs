//! Stored responses, for `previous_response_id` and references to items.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use serde_json::Value;

/// How many responses are kept. The oldest is removed first.
const LIMIT: usize = 1024;

/// The stored responses of one server.
#[derive(Debug, Default)]
pub(super) struct StoredResponses {
    conversations: HashMap<String, Arc<Vec<Value>>>,
    order: VecDeque<String>,
}

impl StoredResponses {
    /// The whole conversation up to and including a response.
    pub fn get(&self, id: &str) -> Option<Arc<Vec<Value>>> {
        self.conversations.get(id).map(Arc::clone)
    }

    /// Whether a stored response contains this item. Takes time linear in everything stored.
    pub fn has_item(&self, id: &str) -> bool {
        !id.is_empty()
            && self.conversations.values().flat_map(|items| items.iter()).any(|i| i["id"] == id)
    }

    /// The input with references to stored items replaced by the items; `None` if there are no
    /// references.
    pub fn resolve(&self, input: &Value) -> Option<Value> {
        let items = input.as_array()?;
        let is_reference = |item: &Value| {
            let bare = || item.as_object().is_some_and(|i| i.len() == 1 && i.contains_key("id"));
            item["type"] == "item_reference" || bare()
        };
        if !items.iter().any(is_reference) {
            return None;
        }
        let find = |id: &Value| {
            self.conversations.values().flat_map(|items| items.iter()).find(|i| i["id"] == *id)
        };
        let whole = |item: &Value| {
            let found = if is_reference(item) { find(&item["id"]) } else { None };
            found.unwrap_or(item).clone()
        };
        Some(items.iter().map(whole).collect())
    }

    /// Stores a conversation under the id of its last response.
    pub fn put(&mut self, id: String, items: Vec<Value>) {
        if self.conversations.insert(id.clone(), Arc::new(items)).is_none() {
            self.order.push_back(id);
        }
        if self.order.len() > LIMIT
            && let Some(oldest) = self.order.pop_front()
        {
            self.conversations.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_oldest_is_removed_first_and_a_repeat_takes_no_room() {
        let mut stored = StoredResponses::default();
        for i in 0..=LIMIT {
            stored.put(format!("resp_{i}"), vec![json!({ "id": format!("msg_{i}") })]);
            stored.put(format!("resp_{i}"), vec![json!({ "id": format!("msg_{i}") })]);
        }
        assert!(stored.get("resp_0").is_none() && stored.get("resp_1").is_some());
        assert!(!stored.has_item("msg_0") && stored.has_item("msg_1") && !stored.has_item(""));
    }
}
