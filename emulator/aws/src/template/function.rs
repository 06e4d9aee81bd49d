//! Functions and their environment.

use std::{collections::BTreeMap, time::Duration};

use serde_saphyr::Location;

use super::{
    Ignored,
    node::{Entry, Node, Yaml},
    policy::{self, Grant, Unread},
    resolve::{Reason, Resource, Scope},
    route::{self, Route},
};

/// A Lambda function.
#[derive(Debug, Clone, PartialEq)]
pub struct Function {
    /// Logical id.
    pub id: String,
    /// `FunctionName`, or the logical id, from which AWS makes a name up.
    pub name: String,
    /// What runs, `bootstrap`.
    pub handler: Option<String>,
    /// On what, `provided.al2023`.
    pub runtime: Option<String>,
    /// The binary of a Rust workspace that it is (`Metadata: BuildProperties: Binary`).
    pub binary: Option<String>,
    /// For which processors, `arm64`.
    pub architectures: Vec<String>,
    /// How many of it run at once at most.
    pub reserved_concurrency: Option<u32>,
    /// Environment, as far as the template says it.
    pub env: BTreeMap<String, String>,
    /// Variables whose value only AWS knows.
    pub unresolved: Vec<Unresolved>,
    /// How long it may run.
    pub timeout: Duration,
    /// Memory in MB.
    pub memory: u32,
    /// What its role may do.
    pub grants: Vec<Grant>,
    /// Policies that say it elsewhere.
    pub unread: Vec<Unread>,
    /// Layers, as far as the template says them.
    pub layers: Vec<String>,
    /// Routes that lead to it.
    pub routes: Vec<Route>,
    /// Its line in the template, from 1; 0 for a function that is in no template.
    pub line: u64,
}

impl Function {
    /// A function without routes, environment or permissions.
    ///
    /// Its timeout is 29 seconds, not AWS's default of 3, so that a slow machine fails no test.
    pub fn new(id: &str) -> Self {
        Self {
            id: id.into(),
            name: id.into(),
            handler: None,
            runtime: None,
            binary: None,
            architectures: Vec::new(),
            reserved_concurrency: None,
            env: BTreeMap::new(),
            unresolved: Vec::new(),
            timeout: Duration::from_secs(29),
            memory: 128,
            grants: Vec::new(),
            unread: Vec::new(),
            layers: Vec::new(),
            routes: Vec::new(),
            line: 0,
        }
    }
}

/// A variable without a value on the laptop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unresolved {
    /// Its name.
    pub variable: String,
    /// Why.
    pub reason: String,
    /// Where it stands, from 1.
    pub line: u64,
}

/// A function as it was read.
#[derive(Debug)]
pub(super) struct Read {
    pub(super) function: Function,
    /// Where its routes stand.
    pub(super) places: Vec<Location>,
    /// Its events of other kinds.
    pub(super) ignored: Vec<Ignored>,
}

pub(super) fn read(scope: &Scope<'_>, resource: &Resource<'_>) -> Result<Read, Reason> {
    let number = |name: &str, least: u64| number(scope, resource, name, least);
    let small = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
    let timeout = Duration::from_secs(number("Timeout", 1)?.unwrap_or(3));
    let memory = small(number("MemorySize", 1)?.unwrap_or(128));
    let text = |name: &str| text(scope, resource, name);
    let (grants, unread) = policy::read(scope, resource.property("Policies"))?;
    let mut function = Function {
        name: scope.function_name(resource.id, 0)?,
        handler: text("Handler")?,
        runtime: text("Runtime")?,
        binary: resource.metadata("BuildProperties").and_then(|node| node.get("Binary")?.scalar()),
        architectures: architectures(scope, resource)?,
        // 0 is allowed, and turns a function off.
        reserved_concurrency: number("ReservedConcurrentExecutions", 0)?.map(small),
        timeout,
        memory,
        grants,
        unread,
        layers: layers(scope, resource)?,
        line: resource.line,
        ..Function::new(resource.id)
    };
    // What the function says goes before what Globals says.
    for environment in [scope.global("Function", "Environment"), resource.property("Environment")] {
        let environment = chosen(scope, &mut function, environment, "Environment")?;
        let mut environment = entries(environment.as_ref(), "Environment")?.iter();
        let variables = environment.find(|entry| entry.key == "Variables").map(|e| &e.value);
        let variables = chosen(scope, &mut function, variables, "Variables")?;
        for variable in entries(variables.as_ref(), "Variables")? {
            set_variable(scope, &mut function, variable)?;
        }
    }
    let (mut places, mut ignored) = (Vec::new(), Vec::new());
    for event in entries(resource.property("Events"), "Events")? {
        match route::read(scope, event)? {
            Ok(route) => {
                function.routes.push(route);
                places.push(event.at);
            }
            Err(kind) => ignored.push(Ignored {
                kind: format!("{kind} event"),
                id: format!("{}.{}", resource.id, event.key),
                line: event.at.line(),
            }),
        }
    }
    Ok(Read { function, places, ignored })
}

/// Layers by what the template says of them: an ARN, or the parameter that holds one.
fn layers(scope: &Scope<'_>, resource: &Resource<'_>) -> Result<Vec<String>, Reason> {
    let mut layers = Vec::new();
    for list in [scope.global("Function", "Layers"), resource.property("Layers")] {
        for layer in list.and_then(Node::as_list).unwrap_or_default() {
            match scope.resolve(layer) {
                Ok(layer) => layers.extend(layer.as_ref().and_then(Node::scalar)),
                Err(reason) if reason.only_on_aws => layers.push(reason.message),
                Err(reason) => return Err(reason),
            }
        }
    }
    Ok(layers)
}

/// What `If` chooses, its values as they stand: each is resolved, or listed, for itself. Where
/// nobody knows what is chosen, the whole is listed by its name.
fn chosen(
    scope: &Scope<'_>,
    function: &mut Function,
    node: Option<&Node>,
    name: &str,
) -> Result<Option<Node>, Reason> {
    match node.map(|node| scope.outermost(node)) {
        Some(Err(reason)) if reason.only_on_aws => {
            function.unresolved.push(unresolved(name, reason));
            Ok(None)
        }
        chosen => Ok(chosen.transpose()?.flatten()),
    }
}

fn unresolved(name: &str, reason: Reason) -> Unresolved {
    let (reason, line) = (reason.message, reason.at.line());
    Unresolved { variable: name.into(), reason, line }
}

fn set_variable(
    scope: &Scope<'_>,
    function: &mut Function,
    variable: &Entry,
) -> Result<(), Reason> {
    let name = &variable.key;
    function.env.remove(name);
    function.unresolved.retain(|u| u.variable != *name);
    match scope.resolve(&variable.value) {
        Ok(Some(value)) => {
            let text = value.scalar().ok_or_else(|| {
                let message = format!("{name} must be text, not {}", value.kind());
                Reason::invalid(variable.value.at, message)
            })?;
            function.env.insert(name.clone(), text);
        }
        Ok(None) => {}
        Err(reason) if reason.only_on_aws => {
            function.unresolved.push(unresolved(name, reason));
        }
        Err(reason) => return Err(reason),
    }
    Ok(())
}

/// What the function says, or else `Globals`.
fn property<'a>(scope: &Scope<'a>, resource: &Resource<'a>, name: &str) -> Option<&'a Node> {
    resource.property(name).or_else(|| scope.global("Function", name))
}

/// A whole number, not below `least`.
fn number(
    scope: &Scope<'_>,
    resource: &Resource<'_>,
    name: &str,
    least: u64,
) -> Result<Option<u64>, Reason> {
    let Some(node) = property(scope, resource, name) else { return Ok(None) };
    let Some(resolved) = scope.resolve(node)? else { return Ok(None) };
    let value = resolved.scalar().and_then(|text| text.parse().ok()).filter(|n| *n >= least);
    let message = || match least {
        0 => format!("{name} must be a whole number"),
        _ => format!("{name} must be a whole number above 0"),
    };
    value.map(Some).ok_or_else(|| Reason::invalid(node.at, message()))
}

fn text(scope: &Scope<'_>, resource: &Resource<'_>, name: &str) -> Result<Option<String>, Reason> {
    let Some(node) = property(scope, resource, name) else { return Ok(None) };
    let Some(resolved) = scope.resolve(node)? else { return Ok(None) };
    resolved.scalar().map(Some).ok_or_else(|| {
        Reason::invalid(node.at, format!("{name} must be a string, not {}", resolved.kind()))
    })
}

fn architectures(scope: &Scope<'_>, resource: &Resource<'_>) -> Result<Vec<String>, Reason> {
    let Some(node) = property(scope, resource, "Architectures") else { return Ok(Vec::new()) };
    let Some(resolved) = scope.resolve(node)? else { return Ok(Vec::new()) };
    let list = resolved.as_list().ok_or_else(|| {
        Reason::invalid(node.at, format!("Architectures is a list, not {}", resolved.kind()))
    })?;
    Ok(list.iter().filter_map(Node::scalar).collect())
}

fn entries<'a>(node: Option<&'a Node>, name: &str) -> Result<&'a [Entry], Reason> {
    match node.map(|node| (&node.value, node)) {
        None | Some((Yaml::Null, _)) => Ok(&[]),
        Some((Yaml::Map(entries), _)) => Ok(entries),
        Some((_, node)) => {
            Err(Reason::invalid(node.at, format!("{name} is a map, not {}", node.kind())))
        }
    }
}
