//! The template as a YAML tree, with CloudFormation's intrinsic functions in one form.
//!
//! `!Sub x` and `{ "Fn::Sub": x }` are the same [`Value::Tagged`]: the function without `Fn::`, and
//! its argument.

use rehearse_core::yaml::{
    Location, Source, YamlError,
    tree::{Entry, Node, Value},
};

/// Reads a template.
pub(super) fn parse(source: &Source) -> Result<Node, YamlError> {
    source.parse().map(normalize)
}

/// A value of `Globals` and a resource's own, as SAM merges them: maps key by key, lists one after
/// the other, and of anything else the resource's own.
pub(super) fn merged(global: Option<&Node>, own: Option<&Node>) -> Option<Node> {
    let (global, own) = match (global, own) {
        (Some(global), Some(own)) => (global, own),
        (one, other) => return one.or(other).cloned(),
    };
    let value = match (&global.value, &own.value) {
        (Value::List(global), Value::List(own)) => Value::List([&global[..], &own[..]].concat()),
        (Value::Map(global), Value::Map(own)) => {
            let find = |list: &[Entry], key: &str| list.iter().find(|e| e.key == key).cloned();
            let merge = |entry: &Entry| {
                let own = find(own, &entry.key);
                let value = merged(Some(&entry.value), own.as_ref().map(|e| &e.value));
                let at = own.map_or(entry.at, |own| own.at);
                value.map(|value| Entry { key: entry.key.clone(), at, value })
            };
            let more = own.iter().filter(|entry| find(global, &entry.key).is_none()).cloned();
            Value::Map(global.iter().filter_map(merge).chain(more).collect())
        }
        (_, own) => own.clone(),
    };
    Some(Node::new(value, own.at))
}

/// What a value is, for error messages: `a list`.
pub(super) fn kind_of(node: &Node) -> &'static str {
    match node.value {
        Value::Null => "nothing",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::List(_) => "a list",
        Value::Map(_) => "a map",
        Value::Tagged(..) => "a function",
    }
}

fn normalize(node: Node) -> Node {
    let at = node.at;
    match node.value {
        Value::List(list) => Node::new(Value::List(list.into_iter().map(normalize).collect()), at),
        Value::Map(entries) => long_form(
            entries.into_iter().map(|e| Entry { value: normalize(e.value), ..e }).collect(),
            at,
        ),
        Value::Tagged(function, argument) => call(&function, normalize(*argument), at),
        _ => node,
    }
}

/// `{ Ref: x }` and `{ "Fn::Sub": x }` as calls; any other map as it is.
fn long_form(entries: Vec<Entry>, at: Location) -> Node {
    let function = match entries.as_slice() {
        [entry] => match entry.key.as_str() {
            name @ ("Ref" | "Condition") => Some(name.to_owned()),
            name => name.strip_prefix("Fn::").map(str::to_owned),
        },
        _ => None,
    };
    match function {
        Some(function) => match <[Entry; 1]>::try_from(entries) {
            Ok([entry]) => call(&function, entry.value, at),
            Err(entries) => Node::new(Value::Map(entries), at),
        },
        None => Node::new(Value::Map(entries), at),
    }
}

fn call(function: &str, argument: Node, at: Location) -> Node {
    // `!GetAtt A.B` is `Fn::GetAtt: [A, B]`.
    let argument = match (function, argument.as_str().and_then(|text| text.split_once('.'))) {
        ("GetAtt", Some((resource, attribute))) => {
            let parts = [resource, attribute].map(|part| Node::string(part, argument.at));
            Node::new(Value::List(parts.into()), argument.at)
        }
        _ => argument,
    };
    Node::new(Value::Tagged(function.to_owned(), Box::new(argument)), at)
}
