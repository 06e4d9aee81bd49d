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
fn a_schema_that_is_not_strict_is_checked_as_well() {
    let of = |properties: Value| json!({ "type": "object", "properties": properties });
    for accepted in [
        of(json!({})),
        of(
            json!({ "a": {}, "b": { "type": "object" }, "c": { "type": "string", "format": "uri" } }),
        ),
        of(json!({ "a": { "type": "array", "items": {} }, "b": { "oneOf": [] } })),
        of(json!({ "a": { "type": "array", "prefixItems": [] } })),
    ] {
        assert_eq!(schema_error(&accepted, false), None, "{accepted}");
    }
    for (schema, error) in [
        (json!({}), "schema must be a JSON Schema of 'type: \"object\"', got 'type: \"None\"'."),
        (json!({ "type": "object" }), "In context=(), object schema missing properties."),
        (
            of(json!({ "paths": { "type": "array" } })),
            "In context=('properties', 'paths'), array schema missing items.",
        ),
        (
            of(json!({ "a": { "type": "array", "items": { "type": ["array", "null"] } } })),
            "In context=('properties', 'a', 'items', 'type', '0'), array schema missing items.",
        ),
        (
            of(json!({ "a": { "anyOf": [{ "type": "null" }, { "type": "array" }] } })),
            "In context=('properties', 'a', 'anyOf', '1'), array schema missing items.",
        ),
        (
            json!({ "type": "object", "properties": {}, "anyOf": [] }),
            "schema must have type 'object' and not have 'oneOf'/'anyOf'/'allOf'/'enum'/'not' at the top level.",
        ),
    ] {
        assert_eq!(schema_error(&schema, false).as_deref(), Some(error), "{schema}");
    }
}

#[test]
fn what_strict_schemas_may_not_use_is_refused_where_it_stands() {
    let strict = |property: Value| {
        json!({
            "type": "object",
            "properties": { "a": property },
            "required": ["a"],
            "additionalProperties": false
        })
    };
    for accepted in [
        json!({ "type": "string", "format": "date-time", "minLength": 1, "pattern": "a" }),
        json!({ "type": "array", "items": { "type": "number", "minimum": 1 }, "minItems": 1 }),
        json!({ "$ref": "#" }),
    ] {
        assert_eq!(schema_error(&strict(accepted.clone()), true), None, "{accepted}");
    }
    for (property, error) in [
        (
            json!({ "type": "string", "format": "uri" }),
            "In context=('properties', 'a'), 'uri' is not a valid format.",
        ),
        (
            json!({ "type": ["string", "null"], "format": "uri" }),
            "In context=('properties', 'a', 'type', '0'), 'uri' is not a valid format.",
        ),
        (
            json!({ "$ref": "#", "description": "The same again." }),
            "context=('properties', 'a'), $ref cannot have keywords {'description'}.",
        ),
        (
            json!({ "type": "object", "propertyNames": { "type": "string" } }),
            "In context=('properties', 'a'), 'propertyNames' is not permitted.",
        ),
        (
            json!({ "type": "array", "items": { "oneOf": [] } }),
            "In context=('properties', 'a', 'items'), 'oneOf' is not permitted.",
        ),
        (
            json!({ "type": "array", "items": { "type": "string" }, "uniqueItems": true }),
            "In context=('properties', 'a'), 'uniqueItems' is not permitted.",
        ),
        (
            json!({ "type": "object" }),
            "In context=('properties', 'a'), 'additionalProperties' is required to be supplied and to be false.",
        ),
        (
            json!({ "anyOf": [{ "type": "null" }, { "type": "array" }] }),
            "In context=('properties', 'a', 'anyOf', '1'), array schema missing items.",
        ),
    ] {
        assert_eq!(
            schema_error(&strict(property.clone()), true).as_deref(),
            Some(error),
            "{property}"
        );
    }
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
            "phone: the schema has no such name",
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
