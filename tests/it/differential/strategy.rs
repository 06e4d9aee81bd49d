//! Random calls: every operation and shape of expression that the backend or the runner uses, the
//! other common ones, and requests that are nearly right.

mod expression;
mod value;

use proptest::{option, prelude::*, sample::select};
use serde_json::{Map, Value, json};

use self::{
    expression::{condition, key_condition, update},
    value::{item, key, odd_key, table},
};
use super::call::Call;

/// Up to so many calls, which share a handful of rows.
const CALLS: usize = 14;

/// A sequence of calls on empty tables.
pub fn sequence() -> impl Strategy<Value = Vec<Call>> {
    prop::collection::vec(call(), 1..=CALLS)
}

fn call() -> impl Strategy<Value = Call> {
    prop_oneof![
        5 => put().prop_map(|request| Call::new("PutItem", request)),
        5 => update_item().prop_map(|request| Call::new("UpdateItem", request)),
        2 => delete().prop_map(|request| Call::new("DeleteItem", request)),
        3 => get().prop_map(|request| Call::new("GetItem", request)),
        4 => (query(), any::<bool>()).prop_map(|(request, follows)| {
            Call { follows, ..Call::new("Query", request) }
        }),
        2 => scan().prop_map(|request| Call::new("Scan", request)),
        5 => transaction().prop_map(|request| Call::new("TransactWriteItems", request)),
        1 => transact_get().prop_map(|request| Call::new("TransactGetItems", request)),
        1 => batch_write().prop_map(|request| Call::new("BatchWriteItem", request)),
        1 => batch_get().prop_map(|request| Call::new("BatchGetItem", request)),
        1 => Just(Call::new("ListTables", json!({}))),
        1 => select(vec!["Pairs", "Counted", "Nowhere"])
            .prop_map(|table| Call::new("DescribeTable", json!({ "TableName": table }))),
    ]
}

/// Adds what is there.
fn with(mut request: Value, name: &str, value: Option<impl Into<Value>>) -> Value {
    if let Some(value) = value {
        request[name] = value.into();
    }
    request
}

/// Members that not every request has.
fn maybe<T: Into<Value> + Clone + std::fmt::Debug + 'static>(
    values: &[T],
) -> impl Strategy<Value = Option<T>> + use<T> {
    option::weighted(0.4, select(values.to_vec()))
}

fn returns(values: &'static [&'static str]) -> impl Strategy<Value = Option<&'static str>> {
    maybe(values)
}

fn put() -> impl Strategy<Value = Value> {
    let table = table();
    table.prop_flat_map(|table| {
        (
            item(table),
            option::weighted(0.5, condition()),
            returns(&["NONE", "ALL_OLD", "ALL_NEW"]),
            returns(&["NONE", "ALL_OLD"]),
        )
            .prop_map(move |(item, condition, old, on_failure)| {
                let request = json!({ "TableName": table, "Item": item });
                let request = match condition {
                    Some(condition) => condition.into(request, "ConditionExpression"),
                    None => request,
                };
                let request = with(request, "ReturnValues", old);
                with(request, "ReturnValuesOnConditionCheckFailure", on_failure)
            })
    })
}

fn update_item() -> impl Strategy<Value = Value> {
    table().prop_flat_map(|table| {
        (
            odd_key(table),
            option::weighted(0.95, update()),
            option::weighted(0.4, condition()),
            returns(&["NONE", "ALL_OLD", "ALL_NEW", "UPDATED_OLD", "UPDATED_NEW", "SOME"]),
            returns(&["NONE", "ALL_OLD"]),
        )
            .prop_map(move |(key, update, condition, what, on_failure)| {
                let mut request = json!({ "TableName": table, "Key": key });
                if let Some(update) = update {
                    request = update.into(request, "UpdateExpression");
                }
                if let Some(condition) = condition {
                    request = condition.into(request, "ConditionExpression");
                }
                let request = with(request, "ReturnValues", what);
                with(request, "ReturnValuesOnConditionCheckFailure", on_failure)
            })
    })
}

fn delete() -> impl Strategy<Value = Value> {
    table().prop_flat_map(|table| {
        (odd_key(table), option::weighted(0.4, condition()), returns(&["NONE", "ALL_OLD"]))
            .prop_map(move |(key, condition, what)| {
                let request = json!({ "TableName": table, "Key": key });
                let request = match condition {
                    Some(condition) => condition.into(request, "ConditionExpression"),
                    None => request,
                };
                with(request, "ReturnValues", what)
            })
    })
}

/// Some attributes only.
fn projection() -> impl Strategy<Value = Option<&'static str>> {
    maybe(&["pk, a", "a, m.x", "list[0]", "#a", "a,", "a, a"])
}

fn projected(request: Value, projection: Option<&str>) -> Value {
    let named = projection == Some("#a");
    let mut request = with(request, "ProjectionExpression", projection);
    if named {
        let names = request["ExpressionAttributeNames"].as_object().cloned().unwrap_or_default();
        let mut names: Map<String, Value> = names;
        names.insert("#a".into(), "a".into());
        request["ExpressionAttributeNames"] = names.into();
    }
    request
}

fn get() -> impl Strategy<Value = Value> {
    table().prop_flat_map(|table| {
        (odd_key(table), projection(), maybe(&[true, false])).prop_map(
            move |(key, projection, consistent)| {
                let request = projected(json!({ "TableName": table, "Key": key }), projection);
                with(request, "ConsistentRead", consistent)
            },
        )
    })
}

fn query() -> impl Strategy<Value = Value> {
    let filter = option::weighted(0.2, condition());
    (
        key_condition(),
        filter,
        projection(),
        maybe(&[true, false]),
        maybe(&[true, false]),
        maybe(&[1, 2, 3, 0]),
        maybe(&["COUNT", "ALL_ATTRIBUTES"]),
    )
        .prop_map(|(keys, filter, projection, consistent, forward, limit, what)| {
            let mut request = json!({ "TableName": keys.table });
            if let Some(index) = keys.index {
                request["IndexName"] = index.into();
            }
            request = keys.expression.into(request, "KeyConditionExpression");
            if let Some(filter) = filter {
                request = filter.into(request, "FilterExpression");
            }
            // Counting and projecting exclude each other, which is one near miss enough.
            request = projected(request, projection.filter(|_| what.is_none()));
            request = with(request, "ConsistentRead", consistent);
            request = with(request, "ScanIndexForward", forward);
            request = with(request, "Limit", limit);
            with(request, "Select", what)
        })
}

fn scan() -> impl Strategy<Value = Value> {
    // Pages of a scan are in the engine's own order: whole tables only.
    (
        table(),
        option::weighted(0.4, condition()),
        projection(),
        maybe(&[true, false]),
        maybe(&["ByKind"]),
    )
        .prop_map(|(table, filter, projection, consistent, index)| {
            let mut request = json!({ "TableName": table });
            if let Some(filter) = filter {
                request = filter.into(request, "FilterExpression");
            }
            request = projected(request, projection);
            request = with(request, "ConsistentRead", consistent);
            with(request, "IndexName", index)
        })
}

fn action() -> impl Strategy<Value = Value> {
    table().prop_flat_map(|table| {
        let put =
            (item(table), option::weighted(0.6, condition())).prop_map(move |(item, condition)| {
                ("Put", json!({ "TableName": table, "Item": item }), None, condition)
            });
        let update = (key(table), update(), option::weighted(0.5, condition())).prop_map(
            move |(key, update, condition)| {
                ("Update", json!({ "TableName": table, "Key": key }), Some(update), condition)
            },
        );
        let delete =
            (key(table), option::weighted(0.5, condition())).prop_map(move |(key, condition)| {
                ("Delete", json!({ "TableName": table, "Key": key }), None, condition)
            });
        let check =
            (key(table), option::weighted(0.95, condition())).prop_map(move |(key, condition)| {
                ("ConditionCheck", json!({ "TableName": table, "Key": key }), None, condition)
            });
        prop_oneof![4 => put, 3 => update, 2 => delete, 2 => check].prop_map(
            |(kind, mut action, update, condition)| {
                if let Some(update) = update {
                    action = update.into(action, "UpdateExpression");
                }
                if let Some(condition) = condition {
                    action = condition.into(action, "ConditionExpression");
                }
                json!({ kind: action })
            },
        )
    })
}

fn transaction() -> impl Strategy<Value = Value> {
    (prop::collection::vec(action(), 1..=4), maybe(&["one", "two"])).prop_map(|(actions, token)| {
        with(json!({ "TransactItems": actions }), "ClientRequestToken", token)
    })
}

fn transact_get() -> impl Strategy<Value = Value> {
    let get = table().prop_flat_map(|table| {
        key(table).prop_map(move |key| json!({ "Get": { "TableName": table, "Key": key } }))
    });
    prop::collection::vec(get, 1..=3).prop_map(|gets| json!({ "TransactItems": gets }))
}

fn batch_write() -> impl Strategy<Value = Value> {
    table().prop_flat_map(|table| {
        let write = prop_oneof![
            item(table).prop_map(|item| json!({ "PutRequest": { "Item": item } })),
            key(table).prop_map(|key| json!({ "DeleteRequest": { "Key": key } })),
        ];
        prop::collection::vec(write, 1..=3)
            .prop_map(move |writes| json!({ "RequestItems": { table: writes } }))
    })
}

fn batch_get() -> impl Strategy<Value = Value> {
    table().prop_flat_map(|table| {
        (prop::collection::vec(key(table), 1..=3), maybe(&[true, false])).prop_map(
            move |(keys, consistent)| {
                let keys = with(json!({ "Keys": keys }), "ConsistentRead", consistent);
                json!({ "RequestItems": { table: keys } })
            },
        )
    })
}
