//! Schemas and arguments that are accepted and refused.

use serde_json::{Value, json};

use super::*;

fn tool() -> Value {
    json!({
        "type": "object",
        "properties": {
            "date": { "type": "string", "pattern": "^\\d{4}-\\d{2}-\\d{2}$" },
            "name": { "type": ["string", "null"] },
            "kind": { "anyOf": [{ "$ref": "#/$defs/kind" }, { "type": "null" }] },
            "list": { "type": "array", "items": { "type": "integer", "minimum": 1 } }
        },
        "required": ["date", "name", "kind", "list"],
        "additionalProperties": false,
        "$defs": { "kind": { "type": "string", "enum": ["a", "b"] } }
    })
}

#[test]
fn a_strict_schema_is_accepted_and_each_error_has_the_providers_words() {
    assert_eq!(schema_error(&tool(), true), None);
    let broken = |pointer: &str, value: Value| {
        let mut tool = tool();
        *tool.pointer_mut(pointer).unwrap() = value;
        schema_error(&tool, true).unwrap()
    };
    assert_eq!(
        broken("/additionalProperties", json!(true)),
        "In context=(), 'additionalProperties' is required to be supplied and to be false."
    );
    assert_eq!(
        broken("/required", json!(["date", "name", "kind"])),
        "In context=(), 'required' is required to be supplied and to be an array including every key in properties. Missing 'list'."
    );
    assert_eq!(
        broken("/required", json!(["date", "name", "kind", "list", "x"])),
        "In context=(), 'required' is required to be supplied and to be an array including every key in properties. Extra required key 'x' supplied."
    );
    assert_eq!(
        broken("/properties/name", json!({})),
        "In context=('properties', 'name'), schema must have a 'type' key."
    );
    assert_eq!(
        broken("/properties/list", json!({ "type": "array" })),
        "In context=('properties', 'list'), array schema missing items."
    );
    assert_eq!(
        broken("/properties/name", json!({ "type": "string", "default": "x" })),
        "In context=('properties', 'name'), 'default' is not permitted."
    );
    assert_eq!(
        broken("/type", json!("array")),
        "schema must be a JSON Schema of 'type: \"object\"', got 'type: \"array\"'."
    );
}

#[test]
fn a_schema_that_is_not_strict_needs_only_to_be_an_object() {
    assert_eq!(schema_error(&json!({ "type": "object" }), false), None);
    assert!(schema_error(&json!({}), false).unwrap().contains("got 'type: \"None\"'"));
}

#[test]
fn arguments_that_do_not_match_are_listed() {
    let good = json!({ "date": "2026-02-11", "name": null, "kind": "a", "list": [1, 2] });
    assert_eq!(argument_errors(&good, &tool()), Vec::<String>::new());
    let bad = json!({ "date": "tomorrow", "name": 3, "kind": "c", "list": [0], "phone": "1" });
    assert_eq!(
        argument_errors(&bad, &tool()),
        [
            r#"date: "tomorrow" does not match ^\d{4}-\d{2}-\d{2}$"#,
            "name: 3 is not of type string or null",
            r#"kind: "c" fits none of the alternatives"#,
            "list[0]: 0 is out of range",
            "phone: the tool has no such argument",
        ]
    );
    assert!(argument_errors(&json!({}), &tool())[0].contains("required and missing"));
}

#[test]
fn what_may_be_null_and_is_missing_is_null() {
    let arguments = with_nulls(json!({ "date": "2026-02-11", "kind": "a", "list": [1] }), &tool());
    assert_eq!(arguments["name"], json!(null));
    assert!(argument_errors(&arguments, &tool()).is_empty());
    let empty = with_nulls(json!({}), &tool());
    assert!(argument_errors(&empty, &tool())[0].contains("date: required and missing"));
}

#[test]
fn a_schema_that_refers_to_itself_is_checked_to_a_bounded_depth() {
    let schema = json!({ "$ref": "#" });
    assert!(argument_errors(&json!({}), &schema).is_empty());
}
