//! Functions, their environment and their routes.

use std::{collections::BTreeMap, time::Duration};

use serde_saphyr::Location;

use super::{
    Ignored,
    node::{Entry, Node, Yaml},
    resolve::{Reason, Resource, Scope},
};

/// Methods that a route may have, besides `ANY`.
const METHODS: [&str; 7] = ["GET", "POST", "PUT", "DELETE", "OPTIONS", "HEAD", "PATCH"];

/// A Lambda function.
#[derive(Debug, Clone, PartialEq)]
pub struct Function {
    /// Logical id.
    pub id: String,
    /// Environment, as far as the template says it.
    pub env: BTreeMap<String, String>,
    /// Variables whose value only AWS knows.
    pub unresolved: Vec<Unresolved>,
    /// How long it may run.
    pub timeout: Duration,
    /// Memory in MB.
    pub memory: u32,
    /// Routes that lead to it.
    pub routes: Vec<Route>,
    /// Where it stands, from 1.
    pub line: u64,
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

/// A route of the HTTP API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// `GET`, or `ANY`.
    pub method: String,
    /// `/state`, `/leads/{id}`, `/{proxy+}`, `$default`.
    pub path: String,
    /// Format of its events.
    pub payload: Payload,
    /// Where it stands, from 1; 0 for a route that is in no template.
    pub line: u64,
}

/// The formats of an HTTP API's events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Payload {
    /// 1.0, like a REST API's.
    V1,
    /// 2.0, the default.
    V2,
}

impl Route {
    /// A route with events of format 2.0 that is in no template.
    pub fn new(method: &str, path: &str) -> Self {
        Self { method: method.into(), path: path.into(), payload: Payload::V2, line: 0 }
    }
}

/// Who has which route.
#[derive(Debug, Default)]
pub(super) struct Taken(BTreeMap<(String, String), (String, u64)>);

impl Taken {
    /// Takes a function's routes, which stand at `places`, unless one is taken.
    pub(super) fn take(&mut self, function: &Function, places: &[Location]) -> Result<(), Reason> {
        for (route, at) in function.routes.iter().zip(places) {
            let key = (route.method.clone(), route.path.clone());
            if let Some((other, line)) = self.0.get(&key) {
                let message = format!(
                    "{} {} of {} already leads to {other} (line {line})",
                    route.method, route.path, function.id,
                );
                return Err(Reason::invalid(*at, message));
            }
            self.0.insert(key, (function.id.clone(), route.line));
        }
        Ok(())
    }
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
    let number = |name: &str, default: u64| number(scope, resource, name, default);
    let timeout = Duration::from_secs(number("Timeout", 3)?);
    let memory = u32::try_from(number("MemorySize", 128)?).unwrap_or(u32::MAX);
    let mut function = Function {
        id: resource.id.into(),
        env: BTreeMap::new(),
        unresolved: Vec::new(),
        timeout,
        memory,
        routes: Vec::new(),
        line: resource.line,
    };
    // What the function says goes before what Globals says.
    for environment in [scope.global("Function", "Environment"), resource.property("Environment")] {
        let variables = environment.and_then(|node| node.get("Variables"));
        for variable in entries(variables, "Variables")? {
            set_variable(scope, &mut function, variable)?;
        }
    }
    let (mut places, mut ignored) = (Vec::new(), Vec::new());
    for event in entries(resource.property("Events"), "Events")? {
        match read_event(scope, event)? {
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
        Err(reason) if reason.only_on_aws => function.unresolved.push(Unresolved {
            variable: name.clone(),
            reason: reason.message,
            line: reason.at.line(),
        }),
        Err(reason) => return Err(reason),
    }
    Ok(())
}

/// A route, or the type of an event that is something else.
fn read_event(scope: &Scope<'_>, event: &Entry) -> Result<Result<Route, String>, Reason> {
    let Some(kind) = event.value.get("Type").and_then(Node::as_str) else {
        return Err(Reason::invalid(event.at, format!("the event `{}` has no Type", event.key)));
    };
    if kind != "HttpApi" {
        return Ok(Err(kind.into()));
    }
    let property = |name: &str| -> Result<Option<(String, Location)>, Reason> {
        let Some(node) = event.value.get("Properties").and_then(|p| p.get(name)) else {
            return Ok(None);
        };
        let Some(resolved) = scope.resolve(node)? else { return Ok(None) };
        let text = resolved.scalar().ok_or_else(|| {
            Reason::invalid(node.at, format!("{name} must be a string, not {}", resolved.kind()))
        })?;
        Ok(Some((text, node.at)))
    };
    let line = event.at.line();
    let payload = match property("PayloadFormatVersion")? {
        None => Payload::V2,
        Some((version, at)) => payload(&version, at)?,
    };
    let (method, path) = match (property("Method")?, property("Path")?) {
        (None, None) => ("ANY".into(), "$default".into()),
        (method, Some((path, at))) => {
            check_path(&path, at)?;
            (method.map_or_else(|| Ok("ANY".to_owned()), |(m, at)| check_method(&m, at))?, path)
        }
        (Some((_, at)), None) => {
            return Err(Reason::invalid(at, "an HttpApi event with a Method needs a Path"));
        }
    };
    Ok(Ok(Route { method, path, payload, line }))
}

fn payload(version: &str, at: Location) -> Result<Payload, Reason> {
    match version {
        "2.0" | "2" => Ok(Payload::V2),
        "1.0" | "1" => Ok(Payload::V1),
        other => {
            Err(Reason::invalid(at, format!("PayloadFormatVersion is 1.0 or 2.0, not {other}")))
        }
    }
}

fn check_method(method: &str, at: Location) -> Result<String, Reason> {
    let upper = method.to_ascii_uppercase();
    if upper == "ANY" || upper == "X-AMAZON-APIGATEWAY-ANY-METHOD" {
        return Ok("ANY".into());
    }
    if METHODS.contains(&upper.as_str()) {
        return Ok(upper);
    }
    let message = format!("`{method}` is no HTTP method; ANY stands for all of them");
    Err(Reason::invalid(at, message))
}

fn check_path(path: &str, at: Location) -> Result<(), Reason> {
    if path == "$default" {
        return Ok(());
    }
    let Some(rest) = path.strip_prefix('/') else {
        return Err(Reason::invalid(at, format!("the path `{path}` must begin with `/`")));
    };
    let segments: Vec<&str> = rest.split('/').collect();
    for (at_segment, segment) in segments.iter().enumerate() {
        let variable = segment.strip_prefix('{').and_then(|s| s.strip_suffix('}'));
        let last = at_segment + 1 == segments.len();
        let valid = match variable {
            Some(name) => match name.strip_suffix('+') {
                Some(name) => last && is_name(name),
                None => is_name(name),
            },
            None => !segment.contains(['{', '}']),
        };
        if !valid {
            let message = format!(
                "`{segment}` in the path `{path}`: a variable is a whole segment, `{{id}}`, and a greedy one, `{{proxy+}}`, the last"
            );
            return Err(Reason::invalid(at, message));
        }
    }
    Ok(())
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c))
}

/// A whole number of the function, or of Globals, or Lambda's own default.
fn number(
    scope: &Scope<'_>,
    resource: &Resource<'_>,
    name: &str,
    default: u64,
) -> Result<u64, Reason> {
    let Some(node) = resource.property(name).or_else(|| scope.global("Function", name)) else {
        return Ok(default);
    };
    let Some(resolved) = scope.resolve(node)? else { return Ok(default) };
    let value = resolved.scalar().and_then(|text| text.parse().ok()).filter(|n| *n > 0);
    value.ok_or_else(|| Reason::invalid(node.at, format!("{name} must be a whole number above 0")))
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
