//! Policies that grant what was used.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::usage::Usage;

/// A policy document for each function, by logical id: one statement for each resource.
pub fn minimal_policies(usage: &Usage) -> Value {
    let mut functions: BTreeMap<&str, BTreeMap<String, Vec<&str>>> = BTreeMap::new();
    for used in usage.iter() {
        let resources = functions.entry(&used.function).or_default();
        resources.entry(arn(&used.action, &used.resource)).or_default().push(&used.action);
    }
    functions
        .into_iter()
        .map(|(function, resources)| {
            let statements: Vec<Value> = resources
                .into_iter()
                .map(|(resource, actions)| {
                    json!({ "Effect": "Allow", "Action": actions, "Resource": resource })
                })
                .collect();
            let policy = json!({ "Version": "2012-10-17", "Statement": statements });
            (function.to_owned(), policy)
        })
        .collect::<serde_json::Map<_, _>>()
        .into()
}

/// The resource's ARN, with `*` for region and account.
fn arn(action: &str, resource: &str) -> String {
    if resource == "*" {
        return resource.to_owned();
    }
    let service = action.split(':').next().unwrap_or_default();
    // Secrets Manager adds six characters to a secret's name.
    let end = if service == "secretsmanager" { "-??????" } else { "" };
    format!("arn:aws:{service}:*:*:{resource}{end}")
}
