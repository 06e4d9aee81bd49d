//! What an answer says, as far as engines must agree on it.

use serde_json::{Map, Value, json};

use super::call::Call;

/// An answer without what may differ: texts of errors, the order of sets and of scanned items.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// The error's code; none for a success.
    pub code: Option<String>,
    /// Reasons of a cancelled transaction: their codes.
    pub reasons: Vec<String>,
    /// The answer, or what an error carries besides its text.
    pub answer: Value,
}

impl Outcome {
    /// What an engine answered to a call.
    pub fn of(call: &Call, (status, body): (u16, Value)) -> Self {
        if status == 200 {
            let mut answer = sorted(described(call, body));
            if call.operation == "Scan" || call.operation == "BatchGetItem" {
                sort_items(&mut answer);
            }
            // A page that ended exactly at its limit may say so or not.
            return Self { code: None, reasons: Vec::new(), answer };
        }
        let code = body["__type"].as_str().unwrap_or("no code").rsplit('#').next();
        let reasons = body["CancellationReasons"].as_array().into_iter().flatten();
        let reasons = reasons.map(|reason| reason["Code"].as_str().unwrap_or("").to_owned());
        // `Item` is what the condition met; the text and its case are anybody's.
        let answer = body.get("Item").cloned().map(sorted).unwrap_or_default();
        Self { code: code.map(str::to_owned), reasons: reasons.collect(), answer }
    }

    /// All rows of a table.
    pub fn rows(rows: Vec<Value>) -> Self {
        let mut answer = sorted(rows.into());
        sort_list(&mut answer);
        Self { code: None, reasons: Vec::new(), answer }
    }

    /// Where a page ended.
    pub fn last_key(&self) -> Value {
        self.answer.get("LastEvaluatedKey").cloned().unwrap_or_default()
    }

    /// Whether it is an error of this code.
    pub fn is(&self, code: &str) -> bool {
        self.code.as_deref() == Some(code)
    }

    /// Whether it succeeded.
    pub fn ok(&self) -> bool {
        self.code.is_none()
    }
}

/// How two answers differ, in words.
pub fn differs(embedded: &Outcome, local: &Outcome) -> Option<String> {
    (embedded != local).then(|| {
        let told = |outcome: &Outcome| match &outcome.code {
            Some(code) => format!("{code} {:?} {}", outcome.reasons, outcome.answer),
            None => outcome.answer.to_string(),
        };
        format!("\n  embedded        {}\n  DynamoDB Local  {}", told(embedded), told(local))
    })
}

/// What a table is: its description without times, sizes and addresses.
fn described(call: &Call, body: Value) -> Value {
    if call.operation != "DescribeTable" {
        return body;
    }
    let table = &body["Table"];
    let mut attributes = table["AttributeDefinitions"].clone();
    sort_list(&mut attributes);
    let index = &table["GlobalSecondaryIndexes"][0];
    json!([
        table["TableName"],
        table["TableStatus"],
        table["KeySchema"],
        attributes,
        index["IndexName"],
        index["KeySchema"],
        index["Projection"],
    ])
}

/// Maps by name, sets by value.
fn sorted(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let mut entries: Vec<(String, Value)> = map
                .into_iter()
                .map(|(name, value)| {
                    let mut value = sorted(value);
                    if ["SS", "NS", "BS"].contains(&name.as_str()) {
                        sort_list(&mut value);
                    }
                    (name, value)
                })
                .collect();
            entries.sort_by(|a, b| a.0.cmp(&b.0));
            Value::Object(entries.into_iter().collect::<Map<_, _>>())
        }
        Value::Array(list) => list.into_iter().map(sorted).collect(),
        other => other,
    }
}

fn sort_items(answer: &mut Value) {
    if let Some(items) = answer.get_mut("Items") {
        sort_list(items);
    }
    let tables = answer.get_mut("Responses").and_then(Value::as_object_mut);
    tables.into_iter().flat_map(Map::values_mut).for_each(sort_list);
}

fn sort_list(list: &mut Value) {
    if let Value::Array(list) = list {
        list.sort_by_key(Value::to_string);
    }
}
