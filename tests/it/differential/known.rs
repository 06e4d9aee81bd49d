//! Where the two engines are known to differ: what, why, and who is right.

use serde_json::{Value, json};

use super::{call::Call, compare::Outcome};

/// A difference that is expected, for as long as it is there.
pub struct Known {
    /// What differs, in a few words.
    pub name: &'static str,
    /// Why, and which of the two DynamoDB itself is like.
    pub reason: &'static str,
    /// Where that is written.
    pub right: &'static str,
    /// Calls that show it, on empty tables.
    pub calls: fn() -> Vec<Call>,
    /// Whether a difference is this one; there is no call when it is between the rows at the end.
    pub explains: fn(Option<&Call>, &Outcome, &Outcome) -> bool,
    /// Whether both have the same rows after it, so that a sequence goes on.
    pub goes_on: bool,
}

/// All of them.
pub const ALL: [Known; 12] = [
    Known {
        name: "capacity that nobody asked for",
        reason: "DynamoDB Local tells what a DeleteItem consumed without ReturnConsumedCapacity",
        right: "https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_DeleteItem.html",
        calls: || {
            vec![Call::new("DeleteItem", json!({ "TableName": "Pairs", "Key": pair("p", "a") }))]
        },
        explains: |call, embedded, local| {
            let mut local = local.clone();
            let told = local.answer.as_object_mut().and_then(|a| a.remove("ConsumedCapacity"));
            told.is_some() && same_numbers(call, embedded, &local)
        },
        goes_on: true,
    },
    Known {
        name: "numbers as they were written",
        reason: "DynamoDB Local gives 1.0 and -0 back as an update wrote them; DynamoDB and the embedded engine trim them",
        right: "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html#HowItWorks.DataTypes.Number",
        calls: || {
            vec![
                Call::new(
                    "UpdateItem",
                    json!({
                        "TableName": "Pairs", "Key": pair("p", "a"), "UpdateExpression": "SET a = :uv",
                        "ExpressionAttributeValues": { ":uv": { "N": "1.0" } },
                    }),
                ),
                Call::new("GetItem", json!({ "TableName": "Pairs", "Key": pair("p", "a") })),
            ]
        },
        explains: |call, embedded, local| same_numbers(call, embedded, local),
        goes_on: true,
    },
    Known {
        name: "operands that cannot be compared",
        reason: "the embedded engine takes `flag < :number`, a BETWEEN of two types and an unknown type name for false; DynamoDB refuses the request",
        right: "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.OperatorsAndFunctions.html",
        calls: || {
            vec![Call::new(
                "PutItem",
                json!({
                    "TableName": "Pairs", "Item": pair("p", "a"),
                    "ConditionExpression": "a < :cv", "ExpressionAttributeValues": { ":cv": { "BOOL": true } },
                }),
            )]
        },
        explains: |call, embedded, local| {
            let wrong = call.is_some_and(|call| has_wrong_operands(&call.request));
            wrong && local.is("ValidationException") && embedded != local
        },
        // A condition that is false because of it writes nothing; one behind an OR may.
        goes_on: false,
    },
    Known {
        name: "which of two faults is told",
        reason: "a request that is wrong and names a table that is not there has two faults; DynamoDB checks what it can without the table first, and neither engine always does",
        right: "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html",
        calls: || {
            vec![Call::new(
                "PutItem",
                json!({
                    "TableName": "Nowhere", "Item": pair("p", "a"), "ReturnValues": "ALL_NEW",
                }),
            )]
        },
        explains: |call, embedded, local| {
            let nowhere = call.is_some_and(|call| call.request.to_string().contains("Nowhere"));
            let told = ["ValidationException", "ResourceNotFoundException"];
            let either = |outcome: &Outcome| told.iter().any(|code| outcome.is(code));
            nowhere && either(embedded) && either(local)
        },
        goes_on: true,
    },
    Known {
        name: "a wrong item within a transaction",
        reason: "the embedded engine cancels the transaction and names the item (ValidationError); DynamoDB Local refuses the request or passes over it. DynamoDB does the one or the other by the kind of fault",
        right: "https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html",
        calls: || {
            let mut item = pair("p", "a");
            item["kind"] = json!({ "NULL": true });
            vec![Call::new(
                "TransactWriteItems",
                json!({
                    "TransactItems": [{ "Put": { "TableName": "Pairs", "Item": item } }],
                }),
            )]
        },
        explains: |call, embedded, local| {
            let transaction = call.is_some_and(|c| c.operation == "TransactWriteItems");
            transaction
                && embedded.reasons.iter().any(|reason| reason == "ValidationError")
                && !local.ok()
        },
        goes_on: true,
    },
    Known {
        name: "a token used again for a wrong request",
        reason: "the embedded engine compares tokens before it checks the request; DynamoDB Local the other way round",
        right: "https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html#DDB-TransactWriteItems-request-ClientRequestToken",
        calls: || {
            let write = |update: &str| {
                Call::new(
                    "TransactWriteItems",
                    json!({
                        "ClientRequestToken": "one",
                        "TransactItems": [{ "Update": {
                            "TableName": "Pairs", "Key": pair("p", "a"), "UpdateExpression": update,
                        } }],
                    }),
                )
            };
            vec![write("REMOVE a"), write("SET a")]
        },
        explains: |_, embedded, local| {
            embedded.is("IdempotentParameterMismatchException") && local.is("ValidationException")
        },
        goes_on: true,
    },
    Known {
        name: "a transaction that is wrong, and whose conditions fail",
        reason: "the embedded engine refuses two operations on one item before it looks at rows, as DynamoDB does; DynamoDB Local tries the conditions first",
        right: "https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html",
        calls: || {
            let check = json!({ "ConditionCheck": {
                "TableName": "Pairs", "Key": pair("p", "a"), "ConditionExpression": "attribute_exists(a)",
            } });
            vec![Call::new(
                "TransactWriteItems",
                json!({ "TransactItems": [check.clone(), check] }),
            )]
        },
        explains: |call, embedded, local| {
            call.is_some_and(|c| c.operation == "TransactWriteItems")
                && embedded.is("ValidationException")
                && local.is("TransactionCanceledException")
        },
        goes_on: true,
    },
    Known {
        name: "what there was before a row was made",
        reason: "the embedded engine gives the key as the old attributes of a row that an update makes; DynamoDB gives none",
        right: "https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateItem.html#DDB-UpdateItem-request-ReturnValues",
        calls: || {
            vec![Call::new(
                "UpdateItem",
                json!({
                    "TableName": "Pairs", "Key": pair("p", "a"), "ReturnValues": "ALL_OLD",
                }),
            )]
        },
        explains: |call, embedded, local| {
            let key = call.filter(|c| c.operation == "UpdateItem").map(|c| &c.request["Key"]);
            local.answer == json!({})
                && key.is_some_and(|key| embedded.answer["Attributes"] == *key)
        },
        goes_on: true,
    },
    Known {
        name: "an index's key of another type",
        reason: "DynamoDB Local lets an update write it; DynamoDB and the embedded engine refuse",
        right: "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/GSI.html",
        calls: || {
            vec![Call::new(
                "UpdateItem",
                json!({
                    "TableName": "Pairs", "Key": pair("p", "a"), "UpdateExpression": "SET kind = :uv",
                    "ExpressionAttributeValues": { ":uv": { "N": "1" } },
                }),
            )]
        },
        explains: |call, embedded, local| {
            call.is_some_and(|c| c.request.to_string().contains("SET kind = :uv"))
                && !embedded.ok()
                && local.ok()
        },
        goes_on: false,
    },
    Known {
        name: "where a page of a megabyte ends",
        reason: "the embedded engine leaves the row that crosses the megabyte to the next page, and yet counts it as scanned",
        right: "https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Query.html#DDB-Query-response-ScannedCount",
        calls: || {
            let large = |sk: &str| {
                let mut item = pair("p", sk);
                item["a"] = json!({ "S": "x".repeat(390_000) });
                Call::new("PutItem", json!({ "TableName": "Pairs", "Item": item }))
            };
            let all = json!({
                "TableName": "Pairs", "KeyConditionExpression": "pk = :p",
                "ExpressionAttributeValues": { ":p": { "S": "p" } },
            });
            vec![large("a"), large("b"), large("c"), large("d"), Call::new("Query", all)]
        },
        explains: |_, embedded, local| {
            let counts = |outcome: &Outcome| {
                (outcome.answer["Count"].clone(), outcome.answer["ScannedCount"].clone())
            };
            let (ours, theirs) = (counts(embedded), counts(local));
            theirs.0 == theirs.1 && ours.0 != ours.1 && ours.1 == theirs.1
        },
        goes_on: true,
    },
    Known {
        name: "a page that ends at the bound of its condition",
        reason: "DynamoDB Local sees that nothing can follow a row that is the bound; DynamoDB and the embedded engine give a LastEvaluatedKey whenever the limit is reached",
        right: "https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Query.html#DDB-Query-request-Limit",
        calls: || {
            let last = json!({
                "TableName": "Pairs", "KeyConditionExpression": "pk = :p AND sk >= :s", "Limit": 1,
                "ScanIndexForward": false,
                "ExpressionAttributeValues": { ":p": { "S": "q" }, ":s": { "S": "b" } },
            });
            vec![
                Call::new("PutItem", json!({ "TableName": "Pairs", "Item": pair("q", "b") })),
                Call::new("Query", last),
            ]
        },
        explains: |call, embedded, local| {
            let limited = call.is_some_and(|c| !c.request["Limit"].is_null());
            let mut without = embedded.clone();
            let told = without.answer.as_object_mut().and_then(|a| a.remove("LastEvaluatedKey"));
            limited && told.is_some() && same_numbers(call, &without, local)
        },
        // The next page of one is a first page of the other.
        goes_on: false,
    },
    Known {
        name: "projections of transactional reads",
        reason: "the embedded engine adds the keys",
        right: "https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactGetItems.html",
        calls: || {
            vec![
                Call::new("PutItem", json!({ "TableName": "Pairs", "Item": pair("p", "a") })),
                Call::new(
                    "TransactGetItems",
                    json!({ "TransactItems": [{ "Get": {
                    "TableName": "Pairs", "Key": pair("p", "a"), "ProjectionExpression": "a",
                } }] }),
                ),
            ]
        },
        explains: |call, embedded, local| {
            call.is_some_and(|c| c.operation == "TransactGetItems") && embedded.ok() && local.ok()
        },
        goes_on: true,
    },
];

/// The entry that a difference belongs to.
pub fn explains(
    call: Option<&Call>,
    embedded: &Outcome,
    local: &Outcome,
) -> Option<&'static Known> {
    ALL.iter().find(|known| (known.explains)(call, embedded, local))
}

fn pair(pk: &str, sk: &str) -> Value {
    json!({ "pk": { "S": pk }, "sk": { "S": sk } })
}

/// Whether two outcomes are the same but for how numbers are written.
fn same_numbers(call: Option<&Call>, embedded: &Outcome, local: &Outcome) -> bool {
    let scans = call.is_some_and(|call| call.operation == "Scan");
    let plain = |outcome: &Outcome| {
        let mut outcome = outcome.clone();
        trim(&mut outcome.answer);
        // Rows that were sorted by other digits.
        if let Value::Array(rows) = &mut outcome.answer {
            rows.sort_by_key(Value::to_string);
        }
        if let (Some(Value::Array(rows)), true) = (outcome.answer.get_mut("Items"), scans) {
            rows.sort_by_key(Value::to_string);
        }
        outcome
    };
    plain(embedded) == plain(local)
}

/// Writes every number as its digits and its power of ten.
fn trim(value: &mut Value) {
    match value {
        Value::Object(map) => {
            for (kind, value) in map {
                match (kind.as_str(), value) {
                    ("N", Value::String(number)) => *number = digits(number),
                    ("NS", Value::Array(set)) => {
                        for number in set.iter_mut() {
                            *number = digits(number.as_str().unwrap_or_default()).into();
                        }
                        set.sort_by_key(Value::to_string);
                    }
                    (_, value) => trim(value),
                }
            }
        }
        Value::Array(list) => list.iter_mut().for_each(trim),
        _ => {}
    }
}

/// `1.50E-3` as `15E-4`.
fn digits(number: &str) -> String {
    let (mantissa, power) = number.split_once(['E', 'e']).unwrap_or((number, "0"));
    let (sign, mantissa) = mantissa.strip_prefix('-').map_or(("", mantissa), |m| ("-", m));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all = format!("{whole}{fraction}");
    let kept = all.trim_end_matches('0');
    let power = power.trim_start_matches('+').parse::<i64>().unwrap_or_default();
    let power = power - fraction.len() as i64 + (all.len() - kept.len()) as i64;
    match kept.trim_start_matches('0') {
        "" => "0".into(),
        kept => format!("{sign}{kept}E{power}"),
    }
}

/// Whether an expression in a request compares what cannot be compared.
fn has_wrong_operands(request: &Value) -> bool {
    match request {
        Value::Object(map) => {
            let values = &request["ExpressionAttributeValues"];
            let kind = |name: &str| values[name].as_object().and_then(|v| v.keys().next().cloned());
            let orders = |kind: &Option<String>| {
                kind.as_deref().is_some_and(|kind| ["S", "N", "B"].contains(&kind))
            };
            let expressions = ["ConditionExpression", "FilterExpression"];
            let wrong =
                expressions.iter().filter_map(|name| map.get(*name)?.as_str()).any(|text| {
                    let (v, w) = (kind(":cv"), kind(":cw"));
                    (text == "a < :cv" && !orders(&v))
                        || (text.contains("BETWEEN :cv") && (!orders(&v) || v != w))
                        || (text.contains("BETWEEN :cv")
                            && descends(&values[":cv"], &values[":cw"]))
                        || (text.contains("attribute_type") && values[":ct"]["S"] == "X")
                });
            wrong || map.values().any(has_wrong_operands)
        }
        Value::Array(list) => list.iter().any(has_wrong_operands),
        _ => false,
    }
}

/// Whether the lower bound is above the upper one.
fn descends(lower: &Value, upper: &Value) -> bool {
    let number = |value: &Value| value["N"].as_str().and_then(|n| n.parse::<f64>().ok());
    match (number(lower), number(upper)) {
        (Some(lower), Some(upper)) => lower > upper,
        _ => lower["S"].as_str() > upper["S"].as_str(),
    }
}
