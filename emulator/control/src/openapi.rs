//! The OpenAPI document of the API, made from its [`Operations`] and the types of its bodies.

use std::sync::LazyLock;

use axum::Json;
use schemars::{SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value, json};

use super::{
    ErrorBody,
    operations::{Describe, Operation, Operations, Request, Response},
};

/// Made once for each process.
static DOCUMENT: LazyLock<Value> = LazyLock::new(|| document(&Operations::all().list));

pub(super) async fn openapi() -> Json<&'static Value> {
    Json(&DOCUMENT)
}

/// Errors that every operation has, by status.
const ALWAYS: [u16; 1] = [403];

fn document(operations: &[Operation]) -> Value {
    // OpenAPI 3.1 takes JSON Schema 2020-12 as it is.
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
        settings.meta_schema = None;
    });
    let mut generator = settings.into_generator();
    let mut paths = Map::new();
    for operation in operations {
        let methods = paths.entry(operation.path).or_insert_with(|| json!({}));
        methods[operation.method.as_str()] = described(operation, &mut generator);
    }
    let error = generator.subschema_for::<ErrorBody>();
    let responses: Map<String, Value> = ERRORS
        .iter()
        .map(|(status, about)| {
            let content = json!({ "application/json": { "schema": error } });
            (format!("Error{status}"), json!({ "description": about, "content": content }))
        })
        .collect();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "The control API of rehearse",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Everything that can be done to a running world: texts, scripts of the model, \
                faults, rows, business time, snapshots, and the journal of all exchanges. It listens on \
                loopback, and answers no request whose Host or Origin is not loopback.",
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "servers": [{ "url": "/" }],
        "paths": paths,
        "components": {
            "schemas": generator.take_definitions(true),
            "responses": responses,
        },
    })
}

/// What a status of an error means.
const ERRORS: [(u16, &str); 9] = [
    (400, "The request is wrong; `error` says where"),
    (403, "The Host or Origin is not loopback"),
    (404, "There is no such thing"),
    (408, "Nothing came within the time"),
    (409, "It cannot be done now"),
    (410, "The journal has dropped it; `first` is what it still has"),
    (413, "The body is too large"),
    (500, "The world failed"),
    (405, "The path does not take this method"),
];

fn described(operation: &Operation, generator: &mut SchemaGenerator) -> Value {
    let mut value = json!({ "operationId": operation.id, "summary": operation.summary });
    let parameters: Vec<Value> = in_path(operation.path)
        .chain(operation.query.into_iter().flat_map(|query| in_query(query, generator)))
        .collect();
    if !parameters.is_empty() {
        value["parameters"] = parameters.into();
    }
    if matches!(operation.response, Response::Events(_))
        && let Some(parameters) = value["parameters"].as_array_mut()
    {
        parameters.push(json!({
            "name": "Last-Event-ID",
            "in": "header",
            "description": "The id of the last event that was read: the stream goes on after it.",
            "schema": { "type": "string" },
        }));
    }
    if let Some(request) = &operation.request {
        value["requestBody"] = body(request, generator);
    }
    let (kind, schema) = match operation.response {
        Response::Json(schema) => ("application/json", schema(generator).to_value()),
        Response::Object => ("application/json", json!({ "type": "object" })),
        Response::Events(data) => {
            let data = data(generator);
            let about = "Events `began` and `ended`, whose data is an exchange; `reset` when the journal \
                was emptied, `dropped` when it no longer has what was asked for.";
            ("text/event-stream", json!({ "type": "string", "description": about, "x-data": data }))
        }
    };
    let mut responses = Map::new();
    let success = json!({ "description": "Done", "content": { kind: { "schema": schema } } });
    responses.insert(operation.status.to_string(), success);
    // A part of the path may be no text.
    let of_path = operation.path.contains('{').then_some(&400);
    for status in operation.errors.iter().chain(&ALWAYS).chain(of_path) {
        let reference = json!({ "$ref": format!("#/components/responses/Error{status}") });
        responses.insert(status.to_string(), reference);
    }
    value["responses"] = responses.into();
    value
}

fn body(request: &Request, generator: &mut SchemaGenerator) -> Value {
    let mut forms: Vec<Value> =
        request.forms.iter().map(|form| form(generator).to_value()).collect();
    let schema = if forms.len() == 1 { forms.remove(0) } else { json!({ "anyOf": forms }) };
    let mut content = json!({ "application/json": { "schema": schema } });
    if request.yaml {
        content["application/yaml"] = json!({ "schema": schema });
    }
    json!({ "required": !request.optional, "content": content })
}

/// The parts of a path that vary.
fn in_path(path: &str) -> impl Iterator<Item = Value> {
    let names = path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    names.map(|name| {
        let schema = match name {
            "id" | "seq" => json!({ "type": "integer", "minimum": 0 }),
            _ => json!({ "type": "string", "minLength": 1 }),
        };
        json!({ "name": name, "in": "path", "required": true, "schema": schema })
    })
}

fn in_query(query: Describe, generator: &mut SchemaGenerator) -> Vec<Value> {
    let schema = query(generator).to_value();
    let properties = schema["properties"].as_object().cloned().unwrap_or_default();
    properties
        .into_iter()
        .map(|(name, mut schema)| {
            let about = schema.as_object_mut().and_then(|schema| schema.remove("description"));
            // Nothing in a query is null.
            if let Some(types) = schema["type"].as_array() {
                let only: Vec<&Value> = types.iter().filter(|name| *name != "null").collect();
                if let [only] = only.as_slice() {
                    schema["type"] = (*only).clone();
                }
            }
            json!({ "name": name, "in": "query", "description": about, "schema": schema })
        })
        .collect()
}
