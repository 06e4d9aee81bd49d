//! What every call meets before the engine, for tests that send anything. Not for others.

use bytes::Bytes;
use http::HeaderMap;
use serde_json::Value;

use super::{
    item,
    namespace::TableNamespace,
    number::Number,
    partiql, request, row,
    strict::{self, StrictRules},
    table::{AttributeKind, Index, Projection, TableSpec},
    wire,
};

/// Reads a call as the proxy and the rules before the engine do. Returns the error with which it is
/// refused, and its body as it goes to an engine that many worlds share.
pub fn before_the_engine(operation: &str, body: &[u8]) -> (Option<Value>, Bytes) {
    let table = TableSpec::new("Table")
        .partition_key("pk", AttributeKind::String)
        .sort_key("sk", AttributeKind::Number)
        .index(
            Index::global("Index", "kind", AttributeKind::String).projecting(Projection::KeysOnly),
        );
    let tables = [table];
    let request = wire::json_or_text(body);
    strict::may_apply(operation, body);
    let refusal = StrictRules::new(&tables).refusal(operation, &request);
    request::split_function(&String::from_utf8_lossy(body));
    request::tables(&request);
    request::item_count(operation, &request);
    request::is_eventually_consistent(operation, &request);
    request::touched_rows(&request, &tables);
    for item in [&request["Item"], &request["Key"], &request].map(Value::as_object) {
        let Some(item) = item else { continue };
        item::size_bytes(item);
        let row = row::from_item(&tables[0], item.clone());
        row::key_text(&tables[0], &row);
        // Whether the row may be stored is for the caller of this check to say.
        let _ = row::check(&tables[0], &row);
    }
    if let Some(text) = request.as_str() {
        Number::parse(text);
        partiql::prefix_table_names(text, "w1_");
    }
    let namespace = TableNamespace { prefix: Some("w1_".into()), ..TableNamespace::default() };
    let body = namespace.rewrite_request(&mut HeaderMap::new(), Bytes::copy_from_slice(body));
    (refusal, body)
}
