//! The values of a template's intrinsic functions.

mod conditions;
mod functions;
mod names;

use crate::template::intrinsic::kind_of;
use rehearse_core::yaml::tree::{Entry, Node, Value};
use std::collections::BTreeMap;

use rehearse_core::names::hint;
use rehearse_core::yaml::Location;

pub(super) use self::names::api_id;

/// Deepest nesting: what is deeper refers to itself.
const MAX_DEPTH: usize = 48;

/// A mistake in a template, or a value that only AWS knows.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct TemplateError {
    pub(super) at: Location,
    pub(super) message: String,
    /// Whether nothing is wrong and only AWS knows the value.
    pub(super) only_on_aws: bool,
}

impl TemplateError {
    pub(super) fn invalid(at: Location, message: impl Into<String>) -> Self {
        Self { at, message: message.into(), only_on_aws: false }
    }

    fn only_on_aws(at: Location, message: impl Into<String>) -> Self {
        Self { at, message: message.into(), only_on_aws: true }
    }
}

/// Resolves values of a template.
#[derive(Debug)]
pub(super) struct Resolver<'a> {
    root: &'a Node,
    parameters: BTreeMap<&'a str, Option<Value>>,
    types: BTreeMap<&'a str, &'a str>,
}

/// A resource whose condition holds.
#[derive(Debug)]
pub(super) struct Resource<'a> {
    pub(super) id: &'a str,
    pub(super) kind: &'a str,
    pub(super) at: Location,
    pub(super) line: u64,
    node: &'a Node,
}

impl<'a> Resource<'a> {
    pub(super) fn property(&self, name: &str) -> Option<&'a Node> {
        self.node.get("Properties")?.get(name)
    }

    pub(super) fn properties(&self) -> &'a [Entry] {
        self.node.get("Properties").and_then(Node::as_map).unwrap_or_default()
    }

    pub(super) fn metadata(&self, name: &str) -> Option<&'a Node> {
        self.node.get("Metadata")?.get(name)
    }
}

impl<'a> Resolver<'a> {
    pub(super) fn new(
        root: &'a Node,
        given: &BTreeMap<String, String>,
    ) -> Result<Self, TemplateError> {
        let Some(_) = root.as_map() else {
            return Err(TemplateError::invalid(root.at, "a template is a map with `Resources`"));
        };
        let mut parameters = BTreeMap::new();
        for entry in section(root, "Parameters")? {
            let value = match given.get(&entry.key) {
                Some(value) => Some(value.clone()),
                None => entry.value.get("Default").and_then(Node::scalar),
            };
            let kind = entry.value.get("Type").and_then(Node::as_str).unwrap_or("String");
            parameters.insert(entry.key.as_str(), value.map(|v| parameter(kind, v, entry.at)));
        }
        if let Some(name) = given.keys().find(|name| !parameters.contains_key(name.as_str())) {
            let hint = hint(name, parameters.keys().copied());
            let message = format!("the template has no parameter `{name}`{hint}");
            return Err(TemplateError::invalid(root.at, message));
        }
        let mut types = BTreeMap::new();
        for entry in section(root, "Resources")? {
            let Some(kind) = entry.value.get("Type").and_then(Node::as_str) else {
                let message = format!("the resource `{}` has no Type", entry.key);
                return Err(TemplateError::invalid(entry.at, message));
            };
            types.insert(entry.key.as_str(), kind);
        }
        if types.is_empty() {
            return Err(TemplateError::invalid(root.at, "the template has no Resources"));
        }
        Ok(Self { root, parameters, types })
    }

    /// The resources whose condition holds, in the template's order.
    pub(super) fn resources(&self) -> Result<Vec<Resource<'a>>, TemplateError> {
        let mut resources = Vec::new();
        for Entry { key, at, value: node } in section(self.root, "Resources")? {
            let condition = node.get("Condition");
            if let Some(condition) = condition
                && !self.condition(condition, 0)?
            {
                continue;
            }
            let kind = node.get("Type").and_then(Node::as_str).unwrap_or_default();
            resources.push(Resource { id: key, kind, at: *at, line: at.line(), node });
        }
        Ok(resources)
    }

    /// A property of `Globals`: `Globals.Function.<name>` for the kind `Function`.
    pub(super) fn global(&self, kind: &str, name: &str) -> Option<&'a Node> {
        self.root.get("Globals")?.get(kind)?.get(name)
    }

    /// A value with every function in it computed; `None` is `AWS::NoValue`.
    pub(super) fn resolve(&self, node: &Node) -> Result<Option<Node>, TemplateError> {
        self.at_depth(node, 0)
    }

    /// A value that is not a function itself, with the values in it unresolved. So one that only AWS
    /// knows does not hide those beside it.
    pub(super) fn outermost(&self, node: &Node) -> Result<Option<Node>, TemplateError> {
        self.outermost_at_depth(node, 0)
    }

    fn outermost_at_depth(&self, node: &Node, depth: usize) -> Result<Option<Node>, TemplateError> {
        match &node.value {
            Value::Tagged(function, argument) if function == "If" => {
                let chosen = self.branch(argument, node.at, depth + 1)?;
                self.outermost_at_depth(chosen, depth + 1)
            }
            Value::List(_) | Value::Map(_) => Ok(Some(node.clone())),
            _ => self.at_depth(node, depth),
        }
    }

    /// The position of the resource with this id.
    pub(super) fn place(&self, id: &str) -> Location {
        let resources = self.root.get("Resources").and_then(Node::as_map).unwrap_or_default();
        resources.iter().find(|entry| entry.key == id).map_or(self.root.at, |entry| entry.at)
    }

    fn at_depth(&self, node: &Node, depth: usize) -> Result<Option<Node>, TemplateError> {
        if depth > MAX_DEPTH {
            return Err(TemplateError::invalid(
                node.at,
                "this refers to itself, or nests too deeply",
            ));
        }
        let value = match &node.value {
            Value::Tagged(function, argument) => {
                return self.call(function, argument, node.at, depth + 1);
            }
            Value::List(list) => {
                let mut resolved = Vec::with_capacity(list.len());
                for item in list {
                    resolved.extend(self.at_depth(item, depth + 1)?);
                }
                Value::List(resolved)
            }
            Value::Map(map) => {
                let mut resolved = Vec::with_capacity(map.len());
                for Entry { key, at, value } in map {
                    if let Some(value) = self.at_depth(value, depth + 1)? {
                        resolved.push(Entry { key: key.clone(), at: *at, value });
                    }
                }
                Value::Map(resolved)
            }
            Value::String(text) if text.contains("{{resolve:") => {
                let message = format!("`{text}` is read from AWS when the stack is created");
                return Err(TemplateError::only_on_aws(node.at, message));
            }
            scalar => scalar.clone(),
        };
        Ok(Some(Node::new(value, node.at)))
    }

    /// A resolved list.
    fn list(&self, function: &str, node: &Node, depth: usize) -> Result<Vec<Node>, TemplateError> {
        match self.at_depth(node, depth)? {
            Some(Node { value: Value::List(list), .. }) => Ok(list),
            other => {
                let kind = other.as_ref().map_or("nothing", kind_of);
                Err(TemplateError::invalid(node.at, format!("{function} needs a list, not {kind}")))
            }
        }
    }

    /// Resolved text.
    fn text(&self, function: &str, node: &Node, depth: usize) -> Result<String, TemplateError> {
        let resolved = self.at_depth(node, depth)?;
        resolved.as_ref().and_then(Node::scalar).ok_or_else(|| {
            let kind = resolved.as_ref().map_or("nothing", kind_of);
            TemplateError::invalid(node.at, format!("{function} needs text, not {kind}"))
        })
    }

    /// Text that is not resolved: names are never computed.
    fn word(&self, function: &str, node: &Node) -> Result<String, TemplateError> {
        node.scalar().ok_or_else(|| {
            TemplateError::invalid(
                node.at,
                format!("{function} needs a string, not {}", kind_of(node)),
            )
        })
    }

    fn unknown(&self, name: &str, at: Location) -> TemplateError {
        let known = self.parameters.keys().chain(self.types.keys()).copied();
        let hint = hint(name, known);
        TemplateError::invalid(at, format!("there is no parameter or resource `{name}`{hint}"))
    }
}

/// A section of the template; empty if it is left out.
fn section<'a>(root: &'a Node, name: &str) -> Result<&'a [Entry], TemplateError> {
    let Some(node) = root.get(name) else { return Ok(&[]) };
    node.as_map().ok_or_else(|| {
        TemplateError::invalid(node.at, format!("{name} is a map, not {}", kind_of(node)))
    })
}

fn parameter(kind: &str, value: String, at: Location) -> Value {
    if kind == "CommaDelimitedList" || kind.starts_with("List<") {
        let parts = value.split(',').map(|part| Node::string(part.trim(), at));
        return Value::List(parts.collect());
    }
    Value::String(value)
}
