//! How a world's calls stay apart from those of other worlds on one engine.
//!
//! DynamoDB Local keeps a database for each access key and region, so there a
//! world has an access key of its own. Other engines have one database: there a
//! prefix stands before each table's name. Either way functions and journal
//! see neither: requests are rewritten on the way in and answers on the way out.

use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue,
    header::{AUTHORIZATION, CONTENT_LENGTH, HOST},
};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use super::partiql;

/// The region under which every world is kept.
pub(super) const REGION: &str = "us-east-1";
/// Members of a request that name a table, as they are or in an ARN.
const NAMING: [&str; 5] =
    ["TableName", "ResourceArn", "TableArn", "StreamArn", "ExclusiveStartTableName"];
/// Longest `ClientRequestToken`.
const MAX_TOKEN: usize = 36;

/// What tells a world's calls from those of others.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct TableNamespace {
    /// `Host` that the engine wants; the caller's own when left out.
    pub(super) host: Option<HeaderValue>,
    /// Access key, letters and digits; the caller's own when left out.
    pub(super) access_key: Option<String>,
    /// What stands before each table's name. Nobody else may know it: wherever
    /// an answer contains it, it is taken out.
    pub(super) prefix: Option<String>,
}

impl TableNamespace {
    /// A caller's request as the engine gets it.
    pub(super) fn outgoing(&self, headers: &mut HeaderMap, body: Bytes) -> Bytes {
        if let Some(host) = &self.host {
            headers.insert(HOST, host.clone());
        }
        if let Some(key) = &self.access_key {
            let old = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
            let new = old.and_then(|old| HeaderValue::try_from(under_key(old, key)?).ok());
            if let Some(new) = new {
                headers.insert(AUTHORIZATION, new);
            }
        }
        let Some(prefix) = &self.prefix else { return body };
        // What is no JSON is the engine's to refuse.
        let Ok(mut request) = serde_json::from_slice(&body) else { return body };
        prefix_names(&mut request, prefix);
        headers.remove(CONTENT_LENGTH);
        request.to_string().into()
    }

    /// The engine's answer as the caller gets it.
    pub(super) fn incoming(&self, headers: &mut HeaderMap, body: Bytes) -> Bytes {
        let Some(prefix) = &self.prefix else { return body };
        let Some(body) = without(&body, prefix.as_bytes()) else { return body };
        headers.remove(CONTENT_LENGTH);
        if headers.contains_key("x-amz-crc32") {
            headers.insert("x-amz-crc32", crc32fast::hash(&body).into());
        }
        body
    }
}

/// An `Authorization` header under another access key. No local engine verifies
/// the signature, which covers what is rewritten.
fn under_key(header: &str, key: &str) -> Option<String> {
    const MARK: &str = "Credential=";
    let start = header.find(MARK)? + MARK.len();
    let length = header[start..].find([',', ' ']).unwrap_or(header.len() - start);
    let (credential, rest) = header[start..].split_at(length);
    let [_, date, _, service, end] = credential.split('/').collect::<Vec<_>>()[..] else {
        return None;
    };
    Some(format!("{}{key}/{date}/{REGION}/{service}/{end}{rest}", &header[..start]))
}

/// Puts the prefix before every table that a request names.
fn prefix_names(request: &mut Value, prefix: &str) {
    let Some(members) = request.as_object_mut() else { return };
    for name in NAMING {
        if let Some(Value::String(table)) = members.get_mut(name) {
            *table = prefixed(table, prefix);
        }
    }
    if let Some(Value::String(token)) = members.get_mut("ClientRequestToken")
        && (1..=MAX_TOKEN).contains(&token.chars().count())
    {
        *token = own_token(token, prefix);
    }
    if let Some(Value::String(statement)) = members.get_mut("Statement") {
        *statement = partiql::with_prefix(statement, prefix);
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

/// A token of this world alone. Two worlds that do the same derive the same ones, and the engine
/// would take the second booking for a repetition of the first.
fn own_token(token: &str, prefix: &str) -> String {
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

/// The bytes without each occurrence of `part`; `None` when there is none.
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
    fn the_access_key_and_region_of_a_call_are_the_worlds() {
        let header = |credential: &str| {
            format!("AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host, Signature=0")
        };
        let own = header("AKIA-x/20260210/eu-west-1/dynamodb/aws4_request");
        let worlds = header("w1/20260210/us-east-1/dynamodb/aws4_request");
        assert_eq!(under_key(&own, "w1"), Some(worlds));
        assert_eq!(under_key("AWS4-HMAC-SHA256 Credential=a/b", "w1"), None);
        assert_eq!(under_key("Bearer a", "w1"), None);
        let mut headers = HeaderMap::from_iter([(AUTHORIZATION, "Bearer a".parse().unwrap())]);
        namespace().outgoing(&mut headers, Bytes::new());
        assert_eq!(
            headers[AUTHORIZATION], "Bearer a",
            "what is malformed is the engine's to refuse"
        );
    }

    #[track_caller]
    fn rewritten(request: &Value, expected: &Value) {
        let body = namespace().outgoing(&mut HeaderMap::new(), request.to_string().into());
        assert_eq!(serde_json::from_slice::<Value>(&body).unwrap(), *expected);
    }

    #[test]
    fn every_table_that_a_request_names_gets_the_prefix_and_no_item_does() {
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
    fn two_worlds_never_share_a_token_and_one_keeps_its_own() {
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
        assert_eq!(token(&long, "run.1."), long, "what is too long is the engine's to refuse");
    }

    #[test]
    fn answers_lose_the_prefix_and_their_checksum_fits() {
        let body = br#"{"message":"Table: run.1.A not found","Responses":{"run.1.A":[]}}"#;
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_LENGTH, body.len().into());
        headers.insert("x-amz-crc32", crc32fast::hash(body).into());
        let answer = namespace().incoming(&mut headers, Bytes::from_static(body));
        assert_eq!(answer, r#"{"message":"Table: A not found","Responses":{"A":[]}}"#);
        assert_eq!(headers["x-amz-crc32"], crc32fast::hash(&answer).to_string());
        assert!(!headers.contains_key(CONTENT_LENGTH));
    }

    #[test]
    fn without_a_prefix_bytes_stay_as_they_are() {
        let body = Bytes::from_static(b"{ \"TableName\" : \"A\" }");
        let mut headers = HeaderMap::new();
        let namespace = TableNamespace { prefix: None, ..namespace() };
        assert_eq!(namespace.outgoing(&mut headers, body.clone()), body);
        assert_eq!(namespace.incoming(&mut headers, body.clone()), body);
    }
}
