//! How the calls of one world stay apart from those of other worlds on one engine.
//!
//! DynamoDB Local keeps a database for each access key and region, so each world gets an access key
//! of its own. Other engines have one database, so there each table name gets a prefix. Neither the
//! functions nor the journal see this: requests are rewritten on the way to the engine, responses
//! on the way back.

use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue,
    header::{AUTHORIZATION, CONTENT_LENGTH, HOST},
};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use super::{partiql, wire};

/// The region of all calls to an engine.
const REGION: &str = "us-east-1";
/// Members of a request that hold a table name or a table's ARN.
const TABLE_MEMBERS: [&str; 5] =
    ["TableName", "ResourceArn", "TableArn", "StreamArn", "ExclusiveStartTableName"];
/// Most characters in a `ClientRequestToken`.
const MAX_TOKEN: usize = 36;

/// How one world's calls are told apart; the default changes nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct TableNamespace {
    /// The `Host` header that the engine expects; `None` keeps the caller's.
    pub(super) host: Option<HeaderValue>,
    /// Access key, letters and digits; `None` keeps the caller's.
    pub(super) access_key: Option<String>,
    /// Prefix of each table name. It must be unique: every occurrence in a response is removed.
    pub(super) prefix: Option<String>,
}

impl TableNamespace {
    /// Rewrites a caller's request for the engine, and returns the new body.
    pub(super) fn rewrite_request(&self, headers: &mut HeaderMap, body: Bytes) -> Bytes {
        if let Some(host) = &self.host {
            headers.insert(HOST, host.clone());
        }
        if let Some(key) = &self.access_key {
            let old = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
            let new = old.and_then(|old| HeaderValue::try_from(with_access_key(old, key)?).ok());
            if let Some(new) = new {
                headers.insert(AUTHORIZATION, new);
            }
        }
        let Some(prefix) = &self.prefix else { return body };
        // The engine refuses a body that is not JSON.
        let Ok(mut request) = serde_json::from_slice(&body) else { return body };
        prefix_names(&mut request, prefix);
        headers.remove(CONTENT_LENGTH);
        request.to_string().into()
    }

    /// Rewrites the engine's response for the caller, and returns the new body.
    pub(super) fn rewrite_response(&self, headers: &mut HeaderMap, body: Bytes) -> Bytes {
        let Some(prefix) = &self.prefix else { return body };
        let Some(body) = without(&body, prefix.as_bytes()) else { return body };
        headers.remove(CONTENT_LENGTH);
        if wire::has_checksum(headers) {
            wire::set_checksum(headers, &body);
        }
        body
    }
}

/// An `Authorization` header with another access key and region; `None` if it is malformed. The
/// signature no longer fits, but no local engine verifies it.
fn with_access_key(header: &str, key: &str) -> Option<String> {
    const MARK: &str = "Credential=";
    let start = header.find(MARK)? + MARK.len();
    let length = header[start..].find([',', ' ']).unwrap_or(header.len() - start);
    let (credential, rest) = header[start..].split_at(length);
    let [_, date, _, service, end] = credential.split('/').collect::<Vec<_>>()[..] else {
        return None;
    };
    Some(format!("{}{key}/{date}/{REGION}/{service}/{end}{rest}", &header[..start]))
}

/// Adds the prefix to every table name in a request.
fn prefix_names(request: &mut Value, prefix: &str) {
    let Some(members) = request.as_object_mut() else { return };
    for name in TABLE_MEMBERS {
        if let Some(Value::String(table)) = members.get_mut(name) {
            *table = prefixed(table, prefix);
        }
    }
    if let Some(Value::String(token)) = members.get_mut("ClientRequestToken")
        && (1..=MAX_TOKEN).contains(&token.chars().count())
    {
        *token = namespaced_token(token, prefix);
    }
    if let Some(Value::String(statement)) = members.get_mut("Statement") {
        *statement = partiql::prefix_table_names(statement, prefix);
    }
    if let Some(Value::Object(tables)) = members.get_mut("RequestItems") {
        let renamed: Map<String, Value> = std::mem::take(tables)
            .into_iter()
            .map(|(table, items)| (prefixed(&table, prefix), items))
            .collect();
        *tables = renamed;
    }
    for list in ["TransactItems", "TransactStatements", "Statements"] {
        for item in members.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten() {
            prefix_names(item, prefix);
            for action in item.as_object_mut().into_iter().flat_map(Map::values_mut) {
                prefix_names(action, prefix);
            }
        }
    }
}

/// A token for this world only. Worlds that run the same code send the same tokens, and the engine
/// would take the second world's transaction for a repetition of the first one's.
fn namespaced_token(token: &str, prefix: &str) -> String {
    let digest = Sha256::digest(format!("{prefix}{token}"));
    digest.iter().take(MAX_TOKEN / 2).map(|byte| format!("{byte:02x}")).collect()
}

fn prefixed(table: &str, prefix: &str) -> String {
    const TABLE: &str = ":table/";
    match table.find(TABLE).filter(|_| table.starts_with("arn:")) {
        Some(at) => {
            let (before, name) = table.split_at(at + TABLE.len());
            format!("{before}{prefix}{name}")
        }
        None => format!("{prefix}{table}"),
    }
}

/// The bytes without any occurrence of `part`; `None` if there is none.
fn without(bytes: &[u8], part: &[u8]) -> Option<Bytes> {
    let mut rest = bytes;
    let mut kept = Vec::with_capacity(bytes.len());
    while let Some(at) = find(rest, part) {
        kept.extend_from_slice(&rest[..at]);
        rest = &rest[at + part.len()..];
    }
    if rest.len() == bytes.len() {
        return None;
    }
    kept.extend_from_slice(rest);
    Some(kept.into())
}

fn find(bytes: &[u8], part: &[u8]) -> Option<usize> {
    let first = part.first()?;
    let mut from = 0;
    while let Some(at) = bytes[from..].iter().position(|byte| byte == first) {
        if bytes[from + at..].starts_with(part) {
            return Some(from + at);
        }
        from += at + 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn namespace() -> TableNamespace {
        TableNamespace { host: None, access_key: Some("w1".into()), prefix: Some("run.1.".into()) }
    }

    #[test]
    fn a_call_gets_the_access_key_and_region_of_its_world() {
        let header = |credential: &str| {
            format!("AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host, Signature=0")
        };
        let own = header("AKIA-x/20260210/eu-west-1/dynamodb/aws4_request");
        let worlds = header("w1/20260210/us-east-1/dynamodb/aws4_request");
        assert_eq!(with_access_key(&own, "w1"), Some(worlds));
        assert_eq!(with_access_key("AWS4-HMAC-SHA256 Credential=a/b", "w1"), None);
        assert_eq!(with_access_key("Bearer a", "w1"), None);
        let mut headers = HeaderMap::from_iter([(AUTHORIZATION, "Bearer a".parse().unwrap())]);
        namespace().rewrite_request(&mut headers, Bytes::new());
        assert_eq!(headers[AUTHORIZATION], "Bearer a", "the engine refuses a malformed header");
    }

    #[track_caller]
    fn rewritten(request: &Value, expected: &Value) {
        let body = namespace().rewrite_request(&mut HeaderMap::new(), request.to_string().into());
        assert_eq!(serde_json::from_slice::<Value>(&body).unwrap(), *expected);
    }

    #[test]
    fn table_names_get_the_prefix_and_items_do_not() {
        rewritten(
            &json!({ "TableName": "A", "Item": { "TableName": { "S": "A" } } }),
            &json!({ "TableName": "run.1.A", "Item": { "TableName": { "S": "A" } } }),
        );
        rewritten(
            &json!({ "RequestItems": { "A": [{ "PutRequest": {} }], "B": [] } }),
            &json!({ "RequestItems": { "run.1.A": [{ "PutRequest": {} }], "run.1.B": [] } }),
        );
        rewritten(
            &json!({ "TransactItems": [{ "Put": { "TableName": "A", "Item": {} } }, { "Update": { "TableName": "B" } }] }),
            &json!({ "TransactItems": [{ "Put": { "TableName": "run.1.A", "Item": {} } }, { "Update": { "TableName": "run.1.B" } }] }),
        );
        rewritten(
            &json!({ "ResourceArn": "arn:aws:dynamodb:us-east-1:000000000000:table/A" }),
            &json!({ "ResourceArn": "arn:aws:dynamodb:us-east-1:000000000000:table/run.1.A" }),
        );
        rewritten(
            &json!({ "Statements": [{ "Statement": "SELECT * FROM A" }] }),
            &json!({ "Statements": [{ "Statement": "SELECT * FROM \"run.1.A\"" }] }),
        );
    }

    #[test]
    fn worlds_never_share_a_token_and_each_keeps_its_own() {
        let token = |token: &str, prefix: &str| {
            let mut request = json!({ "ClientRequestToken": token });
            prefix_names(&mut request, prefix);
            request["ClientRequestToken"].as_str().unwrap().to_owned()
        };
        assert_eq!(token("a", "run.1."), token("a", "run.1."));
        assert_ne!(token("a", "run.1."), token("a", "run.2."));
        assert_ne!(token("a", "run.1."), token("b", "run.1."));
        assert_eq!(token("a", "run.1.").len(), MAX_TOKEN);
        let long = "x".repeat(MAX_TOKEN + 1);
        assert_eq!(token(&long, "run.1."), long, "the engine refuses a token that is too long");
    }

    #[test]
    fn responses_lose_the_prefix_and_get_a_new_checksum() {
        let body = br#"{"message":"Table: run.1.A not found","Responses":{"run.1.A":[]}}"#;
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_LENGTH, body.len().into());
        headers.insert("x-amz-crc32", crc32fast::hash(body).into());
        let response = namespace().rewrite_response(&mut headers, Bytes::from_static(body));
        assert_eq!(response, r#"{"message":"Table: A not found","Responses":{"A":[]}}"#);
        assert_eq!(headers["x-amz-crc32"], crc32fast::hash(&response).to_string());
        assert!(!headers.contains_key(CONTENT_LENGTH));
    }

    #[test]
    fn without_a_prefix_bodies_are_unchanged() {
        let body = Bytes::from_static(b"{ \"TableName\" : \"A\" }");
        let mut headers = HeaderMap::new();
        let namespace = TableNamespace { prefix: None, ..namespace() };
        assert_eq!(namespace.rewrite_request(&mut headers, body.clone()), body);
        assert_eq!(namespace.rewrite_response(&mut headers, body.clone()), body);
    }
}
