//! One call, and the tables that calls are made on.

use std::sync::LazyLock;

use serde_json::{Value, json};

/// The tables, by name.
pub const TABLES: [&str; 2] = ["Pairs", "Counted"];

/// Their keys.
pub const KEYS: [(&str, [&str; 2]); 2] = [("Pairs", ["pk", "sk"]), ("Counted", ["id", "n"])];

/// `CreateTable` for each of them: strings and an index, strings and numbers.
pub static CREATE: LazyLock<[Value; 2]> = LazyLock::new(|| {
    let key = |name: &str, role: &str| json!({ "AttributeName": name, "KeyType": role });
    let attribute =
        |name: &str, kind: &str| json!({ "AttributeName": name, "AttributeType": kind });
    [
        json!({
            "TableName": "Pairs",
            "KeySchema": [key("pk", "HASH"), key("sk", "RANGE")],
            "AttributeDefinitions": [
                attribute("pk", "S"), attribute("sk", "S"), attribute("kind", "S"), attribute("at", "N"),
            ],
            "BillingMode": "PAY_PER_REQUEST",
            "GlobalSecondaryIndexes": [{
                "IndexName": "ByKind",
                "KeySchema": [key("kind", "HASH"), key("at", "RANGE")],
                "Projection": { "ProjectionType": "ALL" },
            }],
        }),
        json!({
            "TableName": "Counted",
            "KeySchema": [key("id", "HASH"), key("n", "RANGE")],
            "AttributeDefinitions": [attribute("id", "S"), attribute("n", "N")],
            "BillingMode": "PAY_PER_REQUEST",
        }),
    ]
});

/// A call to both engines.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// `PutItem`.
    pub operation: &'static str,
    /// The body, its tokens still to be made those of one run.
    pub request: Value,
    /// Whether it goes on after the last key of the answer before it, if there was one.
    pub follows: bool,
}

impl Call {
    /// A call with this body.
    pub fn new(operation: &'static str, request: Value) -> Self {
        Self { operation, request, follows: false }
    }

    /// The body, after an answer whose last key was this; tokens are those of one run.
    pub fn request(&self, last: &Value, run: u64) -> Value {
        let mut request = self.request.clone();
        if let Some(token) = self.request["ClientRequestToken"].as_str() {
            request["ClientRequestToken"] = format!("{token}-{run}").into();
        }
        if self.follows && last.is_object() {
            request["ExclusiveStartKey"] = last.clone();
        }
        request
    }

    /// The body, with what stands for a key of the answer before.
    pub fn shown(&self) -> Value {
        let last = json!({ "LastEvaluatedKey": "of the answer before" });
        self.request(if self.follows { &last } else { &Value::Null }, 0)
    }
}

/// A call as a command of the AWS CLI.
pub fn line(operation: &str, request: &Value) -> String {
    let mut kebab = String::new();
    for letter in operation.chars() {
        if letter.is_ascii_uppercase() && !kebab.is_empty() {
            kebab.push('-');
        }
        kebab.push(letter.to_ascii_lowercase());
    }
    let json = request.to_string().replace('\'', r"'\''");
    format!("aws dynamodb {kebab} --cli-input-json '{json}'")
}
