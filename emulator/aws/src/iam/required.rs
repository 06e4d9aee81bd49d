//! The permissions that a call requires, by AWS's service authorization reference.

use serde_json::Value;

/// An action and its resource, `table/Leads` or `parameter/shop/token`.
pub(super) type RequiredPermission = (String, String);

/// What a call of DynamoDB requires: a transaction what its parts require, and a query of an index
/// the index alone.
pub(super) fn dynamodb(
    operation: &str,
    tables: &[String],
    request: &Value,
) -> Vec<RequiredPermission> {
    let on = |action: &str, table: &str| (format!("dynamodb:{action}"), format!("table/{table}"));
    match operation {
        "TransactWriteItems" | "TransactGetItems" => {
            let parts = request["TransactItems"].as_array().into_iter().flatten();
            let parts = parts.filter_map(Value::as_object).flatten();
            parts
                .filter_map(|(kind, part)| {
                    let action = match kind.as_str() {
                        "Put" => "PutItem",
                        "Update" => "UpdateItem",
                        "Delete" => "DeleteItem",
                        "ConditionCheck" => "ConditionCheckItem",
                        "Get" => "GetItem",
                        _ => return None,
                    };
                    Some(on(action, part["TableName"].as_str()?))
                })
                .collect()
        }
        "Query" | "Scan" => {
            let index = request["IndexName"].as_str();
            let resource = |table: &String| match index {
                Some(index) => format!("{table}/index/{index}"),
                None => table.clone(),
            };
            tables.iter().map(|table| on(operation, &resource(table))).collect()
        }
        "ExecuteStatement" | "BatchExecuteStatement" | "ExecuteTransaction" => {
            statements(request).filter_map(partiql).map(|(a, table)| on(a, &table)).collect()
        }
        "ListTables" => vec![("dynamodb:ListTables".into(), "*".into())],
        _ => tables.iter().map(|table| on(operation, table)).collect(),
    }
}

/// What a request for a secret requires.
pub(super) fn secret(operation: &str, name: &str) -> RequiredPermission {
    if operation == "GetSecretValue" {
        return ("secretsmanager:GetSecretValue".into(), format!("secret:{name}"));
    }
    (format!("ssm:{operation}"), format!("parameter/{}", name.trim_start_matches('/')))
}

/// What an invocation of a function requires.
pub(super) fn invocation(function: &str) -> RequiredPermission {
    ("lambda:InvokeFunction".into(), format!("function:{function}"))
}

fn statements(request: &Value) -> impl Iterator<Item = &str> {
    let many = ["Statements", "TransactStatements"].into_iter();
    let many = many.flat_map(|key| request[key].as_array().into_iter().flatten());
    std::iter::once(request).chain(many).filter_map(|part| part["Statement"].as_str())
}

/// The action of a statement in PartiQL, and its table.
fn partiql(statement: &str) -> Option<(&'static str, String)> {
    let words: Vec<&str> = statement.split_whitespace().collect();
    let (action, before) = match words.first()?.to_ascii_uppercase().as_str() {
        "SELECT" => ("PartiQLSelect", "FROM"),
        "INSERT" => ("PartiQLInsert", "INTO"),
        "UPDATE" => ("PartiQLUpdate", "UPDATE"),
        "DELETE" => ("PartiQLDelete", "FROM"),
        _ => return None,
    };
    let at = words.iter().position(|word| word.eq_ignore_ascii_case(before))?;
    let named = words.get(at + 1)?.replace("\".\"", "/index/");
    Some((action, named.trim_matches('"').to_owned()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn needed(operation: &str, request: Value) -> Vec<String> {
        let tables = vec!["A".to_owned()];
        let needed = dynamodb(operation, &tables, &request);
        needed.into_iter().map(|(action, on)| format!("{action} {on}")).collect()
    }

    #[test]
    fn a_transaction_needs_what_its_parts_need() {
        let request = json!({ "TransactItems": [
            { "Put": { "TableName": "A" } },
            { "Update": { "TableName": "B" } },
            { "Delete": { "TableName": "A" } },
            { "ConditionCheck": { "TableName": "C" } },
        ] });
        assert_eq!(
            needed("TransactWriteItems", request),
            [
                "dynamodb:PutItem table/A",
                "dynamodb:UpdateItem table/B",
                "dynamodb:DeleteItem table/A",
                "dynamodb:ConditionCheckItem table/C",
            ]
        );
        let request = json!({ "TransactItems": [{ "Get": { "TableName": "A" } }] });
        assert_eq!(needed("TransactGetItems", request), ["dynamodb:GetItem table/A"]);
    }

    #[test]
    fn an_index_has_a_resource_of_its_own_and_batches_have_actions_of_their_own() {
        assert_eq!(needed("Query", json!({})), ["dynamodb:Query table/A"]);
        let by_index = json!({ "IndexName": "by-phone" });
        assert_eq!(needed("Query", by_index), ["dynamodb:Query table/A/index/by-phone"]);
        assert_eq!(needed("BatchWriteItem", json!({})), ["dynamodb:BatchWriteItem table/A"]);
        assert_eq!(needed("ListTables", json!({})), ["dynamodb:ListTables *"]);
        let statement = json!({ "Statement": "select * from \"A\".\"i\" where x = 1" });
        assert_eq!(
            needed("ExecuteStatement", statement),
            ["dynamodb:PartiQLSelect table/A/index/i"]
        );
    }

    #[test]
    fn secrets_are_resources_by_their_names() {
        assert_eq!(
            secret("GetParameter", "/shop/token"),
            ("ssm:GetParameter".into(), "parameter/shop/token".into())
        );
        assert_eq!(secret("GetSecretValue", "token").1, "secret:token");
    }
}
