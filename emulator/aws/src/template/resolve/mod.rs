//! The values of a template's intrinsic functions.

mod conditions;
mod functions;
mod generated;
mod kinds;
mod names;
mod network;
mod secrets;

use crate::template::intrinsic::kind_of;
use rehearse_core::yaml::tree::{Entry, Node, Value};
use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    path::Path,
};

use rehearse_core::names::hint;
use rehearse_core::yaml::Location;

use super::Placeholder;

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

    pub(super) fn only_on_aws(at: Location, message: impl Into<String>) -> Self {
        Self { at, message: message.into(), only_on_aws: true }
    }
}

/// What a template is read with.
#[derive(Debug, Clone, Copy)]
pub(super) struct Given<'a> {
    /// Values of parameters, before their defaults.
    pub(super) parameters: &'a BTreeMap<String, String>,
    /// Values of Parameter Store and Secrets Manager.
    pub(super) secrets: &'a BTreeMap<String, String>,
    /// The template's folder, if it is a file.
    pub(super) folder: Option<&'a Path>,
}

/// What becomes of a value that only AWS knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unknowns {
    /// It is an error, with `only_on_aws`.
    Refused,
    /// A plausible value takes its place, but not that of a parameter without a value.
    OfResources,
    /// A plausible value takes its place.
    All,
}

/// Resolves values of a template.
#[derive(Debug)]
pub(super) struct Resolver<'a> {
    root: &'a Node,
    given: Given<'a>,
    parameters: BTreeMap<&'a str, Option<Value>>,
    types: BTreeMap<&'a str, &'a str>,
    unknowns: Cell<Unknowns>,
    placeholders: RefCell<Vec<Placeholder>>,
    /// How many values were made up so far; the same one counts each time that it is.
    made_up: Cell<usize>,
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
    /// What `Ref` gives for an API, a resource of one or an integration.
    pub(super) fn reference(&self) -> String {
        api_id(self.id)
    }

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
    /// Resolves what is made of parameters and mappings, of a template whose resources are not known yet.
    pub(super) fn of_parameters(root: &'a Node, given: Given<'a>) -> Self {
        let (unknowns, placeholders) = (Cell::new(Unknowns::All), RefCell::default());
        let (types, parameters) = (BTreeMap::new(), parameters(root, given).unwrap_or_default());
        let made_up = Cell::new(0);
        Self { root, given, parameters, types, unknowns, placeholders, made_up }
    }

    pub(super) fn new(root: &'a Node, given: Given<'a>) -> Result<Self, TemplateError> {
        let Some(_) = root.as_map() else {
            return Err(TemplateError::invalid(root.at, "a template is a map with `Resources`"));
        };
        let parameters = parameters(root, given)?;
        if let Some(name) =
            given.parameters.keys().find(|name| !parameters.contains_key(name.as_str()))
        {
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
        let (unknowns, placeholders) = (Cell::new(Unknowns::All), RefCell::default());
        let made_up = Cell::new(0);
        Ok(Self { root, given, parameters, types, unknowns, placeholders, made_up })
    }

    /// The template's folder, if it is a file.
    pub(super) fn folder(&self) -> Option<&'a Path> {
        self.given.folder
    }

    /// What `read` makes when values that only AWS knows are treated so.
    pub(super) fn with_unknowns<T>(&self, unknowns: Unknowns, read: impl FnOnce() -> T) -> T {
        let before = self.unknowns.replace(unknowns);
        let made = read();
        self.unknowns.set(before);
        made
    }

    /// A value as [`Resolver::resolve`] computes it; one that only AWS knows is an error.
    pub(super) fn exactly(&self, node: &Node) -> Result<Option<Node>, TemplateError> {
        self.with_unknowns(Unknowns::Refused, || self.resolve(node))
    }

    /// The placeholders since the last call.
    pub(super) fn take_placeholders(&self) -> Vec<Placeholder> {
        self.placeholders.take()
    }

    /// Puts placeholders back that were taken.
    pub(super) fn put_back(&self, placeholders: Vec<Placeholder>) {
        self.placeholders.replace(placeholders);
    }

    /// A plausible value in the place of one that only AWS knows, or the error that says why it is not known.
    fn placeholder(&self, error: TemplateError, value: String) -> Result<String, TemplateError> {
        if self.unknowns.get() == Unknowns::Refused {
            return Err(error);
        }
        self.note(&error, &value);
        Ok(value)
    }

    fn note(&self, error: &TemplateError, value: &str) {
        self.made_up.set(self.made_up.get() + 1);
        let (reason, line) = (error.message.clone(), error.at.line());
        let placeholder = Placeholder { value: value.into(), reason, line };
        let mut placeholders = self.placeholders.borrow_mut();
        if !placeholders.contains(&placeholder) {
            placeholders.push(placeholder);
        }
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

    /// Whether the template has a resource with this id.
    pub(super) fn has(&self, id: &str) -> bool {
        self.types.contains_key(id)
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
                let computed = self.call(function, argument, node.at, depth + 1)?;
                // Functions may put the parts of a dynamic reference together.
                return match computed {
                    Some(Node { value: Value::String(text), at }) => {
                        Ok(Some(Node::string(self.with_secrets(&text, at)?, at)))
                    }
                    computed => Ok(computed),
                };
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
            Value::String(text) => Value::String(self.with_secrets(text, node.at)?),
            scalar => scalar.clone(),
        };
        Ok(Some(Node::new(value, node.at)))
    }

    /// A resolved list.
    fn list(&self, function: &str, node: &Node, depth: usize) -> Result<Vec<Node>, TemplateError> {
        let before = self.made_up.get();
        match self.at_depth(node, depth)? {
            Some(Node { value: Value::List(list), .. }) => Ok(list),
            // Some attributes are lists on AWS; what is made up is always text.
            Some(text) if text.as_str().is_some() && self.made_up.get() > before => Ok(vec![text]),
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

/// The parameters by name; `None` is one without a value.
fn parameters<'a>(
    root: &'a Node,
    given: Given<'_>,
) -> Result<BTreeMap<&'a str, Option<Value>>, TemplateError> {
    let mut parameters = BTreeMap::new();
    for entry in section(root, "Parameters")? {
        let value = match given.parameters.get(&entry.key) {
            Some(value) => Some(value.clone()),
            None => entry.value.get("Default").and_then(Node::scalar),
        };
        let kind = entry.value.get("Type").and_then(Node::as_str).unwrap_or("String");
        parameters.insert(entry.key.as_str(), value.map(|v| parameter(kind, v, entry.at)));
    }
    Ok(parameters)
}

fn parameter(kind: &str, value: String, at: Location) -> Value {
    if kind == "CommaDelimitedList" || kind.starts_with("List<") {
        let parts = value.split(',').map(|part| Node::string(part.trim(), at));
        return Value::List(parts.collect());
    }
    Value::String(value)
}
