//! Lists that are read page by page: `limit`, `order` and `after`.

use serde_json::{Map, Value, json};

use super::{
    error::ApiError,
    params::{self, ParameterType},
};

const PARAMETERS: &[(&str, ParameterType)] = &[
    ("limit", ParameterType::Integer(1, 100)),
    ("order", ParameterType::OneOf(&["asc", "desc"])),
    ("after", ParameterType::Text),
    ("include", ParameterType::Any),
    ("api-version", ParameterType::Any),
];

/// A page of a list of items, as the query asks for it: twenty, the newest first, unless it says otherwise.
///
/// # Errors
/// A parameter is wrong, or `after` names no item.
pub(super) fn of(items: &[Value], query: &str) -> Result<Value, ApiError> {
    let mut given = Map::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        let name = name.strip_suffix("[]").unwrap_or(&name);
        let value = match (name, value.parse::<i64>()) {
            ("limit", Ok(number)) => Value::from(number),
            _ => Value::from(value.as_ref()),
        };
        given.insert(name.to_owned(), value);
    }
    params::check(&given, PARAMETERS, "")?;
    let text = |name: &str| given.get(name).and_then(Value::as_str);
    let limit = given.get("limit").and_then(Value::as_u64).unwrap_or(20);
    let mut ordered: Vec<&Value> = items.iter().collect();
    if text("order") != Some("asc") {
        ordered.reverse();
    }
    let from = match text("after") {
        None => 0,
        Some(id) => {
            let at = ordered.iter().position(|item| item["id"] == id);
            at.ok_or_else(|| ApiError::item_not_found(id).param("after"))? + 1
        }
    };
    let page: Vec<&Value> =
        ordered[from..].iter().take(usize::try_from(limit).unwrap_or(100)).copied().collect();
    let more = from + page.len() < ordered.len();
    Ok(list(&page, more))
}

/// A list with the ids of its ends.
pub(super) fn list(items: &[&Value], more: bool) -> Value {
    let id = |item: Option<&&Value>| item.map_or(Value::Null, |item| item["id"].clone());
    json!({
        "object": "list",
        "data": items,
        "first_id": id(items.first()),
        "last_id": id(items.last()),
        "has_more": more
    })
}
