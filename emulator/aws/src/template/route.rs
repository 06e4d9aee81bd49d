//! Routes of the APIs, and the functions that own them.

use super::intrinsic::kind_of;
use rehearse_core::yaml::tree::{Entry, Node, Value};
use std::{collections::BTreeMap, time::Duration};

use rehearse_core::yaml::Location;

use super::{
    api::{self, Throttle},
    function::Function,
    resolve::{Resolver, TemplateError},
};

/// Methods that a route may have, besides `ANY`.
const METHODS: [&str; 7] = ["GET", "POST", "PUT", "DELETE", "OPTIONS", "HEAD", "PATCH"];

/// A route of an API.
#[derive(Debug, Clone, PartialEq)]
pub struct Route {
    /// The logical id of its API.
    pub api: String,
    /// `GET`, or `ANY`.
    pub method: String,
    /// `/state`, `/leads/{id}`, `/{proxy+}`, `$default`.
    pub path: String,
    /// The format of its events.
    pub payload: Payload,
    /// How long the API waits for the function; the API's own limit if there is none.
    pub timeout: Option<Duration>,
    /// A throttle of its own, before those of the API.
    pub throttle: Option<Throttle>,
    /// Its line in the template, from 1; 0 for a route that is in no template.
    pub line: u64,
}

/// The formats of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Payload {
    /// Format 1.0 of an HTTP API, which is close to a REST API's.
    V1,
    /// Format 2.0 of an HTTP API, the default.
    V2,
    /// The format of a REST API.
    Rest,
}

impl Route {
    /// A route of the implicit HTTP API with events of format 2.0.
    pub fn new(method: &str, path: &str) -> Self {
        Self {
            api: api::IMPLICIT_HTTP.into(),
            method: method.into(),
            path: path.into(),
            payload: Payload::V2,
            timeout: None,
            throttle: None,
            line: 0,
        }
    }

    /// Its key, as events have it: `POST /dispatcher`, `ANY /{proxy+}`, `$default`.
    pub fn key(&self) -> String {
        match self.path.as_str() {
            "$default" => "$default".into(),
            path => format!("{} {path}", self.method),
        }
    }
}

/// The functions that own routes, by API, method and path.
#[derive(Debug, Default)]
pub(super) struct RouteOwners(BTreeMap<(String, String, String), (String, u64)>);

impl RouteOwners {
    /// Gives a function its routes, whose positions are `places`.
    ///
    /// # Errors
    /// When another function owns one of them.
    pub(super) fn claim(
        &mut self,
        function: &Function,
        places: &[Location],
    ) -> Result<(), TemplateError> {
        for (route, at) in function.routes.iter().zip(places) {
            self.claim_one(&function.id, route, *at)?;
        }
        Ok(())
    }

    /// Whether a function owns this route.
    pub(super) fn has(&self, route: &Route) -> bool {
        let key = (route.api.clone(), route.method.clone(), route.path.clone());
        self.0.contains_key(&key)
    }

    /// Gives a function one route.
    ///
    /// # Errors
    /// When another function owns it.
    pub(super) fn claim_one(
        &mut self,
        function: &str,
        route: &Route,
        at: Location,
    ) -> Result<(), TemplateError> {
        let key = (route.api.clone(), route.method.clone(), route.path.clone());
        if let Some((other, line)) = self.0.get(&key) {
            let message = format!(
                "{} {} of {function} already leads to {other} (line {line})",
                route.method, route.path,
            );
            return Err(TemplateError::invalid(at, message));
        }
        self.0.insert(key, (function.to_owned(), route.line));
        Ok(())
    }
}

/// Reads an event: its route, or the type of an event that is not a route.
pub(super) fn read(
    resolver: &Resolver<'_>,
    event: &Entry,
) -> Result<Result<Route, String>, TemplateError> {
    let Some(kind) = event.value.get("Type").and_then(Node::as_str) else {
        return Err(TemplateError::invalid(
            event.at,
            format!("the event `{}` has no Type", event.key),
        ));
    };
    let (rest, api_property) = match kind {
        "HttpApi" => (false, "ApiId"),
        "Api" => (true, "RestApiId"),
        other => return Ok(Err(other.into())),
    };
    let node = |name: &str| event.value.get("Properties").and_then(|p| p.get(name));
    let property = |name: &str| -> Result<Option<(String, Location)>, TemplateError> {
        let Some(node) = node(name) else { return Ok(None) };
        let Some(resolved) = resolver.resolve(node)? else { return Ok(None) };
        let text = resolved.scalar().ok_or_else(|| {
            TemplateError::invalid(
                node.at,
                format!("{name} must be a string, not {}", kind_of(&resolved)),
            )
        })?;
        Ok(Some((text, node.at)))
    };
    let payload = match property("PayloadFormatVersion")? {
        _ if rest => Payload::Rest,
        None => Payload::V2,
        Some((version, at)) => payload(&version, at)?,
    };
    let (method, path) = match (property("Method")?, property("Path")?) {
        (None, None) if !rest => ("ANY".into(), "$default".into()),
        // As definitions write it.
        (_, Some((path, _))) if !rest && path == "/$default" => ("ANY".into(), "$default".into()),
        (method, Some((path, at))) => {
            check_path(&path, at)?;
            (method.map_or_else(|| Ok("ANY".to_owned()), |(m, at)| check_method(&m, at))?, path)
        }
        (method, None) => {
            let at = method.map_or(event.at, |(_, at)| at);
            let message = format!("an {kind} event with a Method needs a Path");
            return Err(TemplateError::invalid(at, message));
        }
    };
    let api = match property(api_property)? {
        Some((id, at)) => match resolver.api(&id, rest) {
            Some(api) => api,
            // A plain API, or one of another stack.
            None if node(api_property).is_some_and(is_reference) && !resolver.has(&id) => {
                return Ok(Err(format!("{kind} (of an API elsewhere)")));
            }
            None => {
                let api = if rest { "Api" } else { "HttpApi" };
                let message = format!("`{id}` is not an AWS::Serverless::{api} of this template");
                return Err(TemplateError::invalid(at, message));
            }
        },
        None if rest => api::IMPLICIT_REST.into(),
        None => api::IMPLICIT_HTTP.into(),
    };
    let timeout = match property("TimeoutInMillis")? {
        Some((text, at)) => Some(timeout(&text, rest, at)?),
        None => None,
    };
    let throttle = match node("RouteSettings").map(|node| resolver.resolve(node)).transpose()? {
        Some(Some(settings)) => api::throttle(&settings)?,
        _ => None,
    };
    let line = event.at.line();
    Ok(Ok(Route { api, method, path, payload, timeout, throttle, line }))
}

fn is_reference(node: &Node) -> bool {
    matches!(node.value, Value::Tagged(..))
}

fn timeout(text: &str, rest: bool, at: Location) -> Result<Duration, TemplateError> {
    // A REST API's may be raised above 29 seconds, an HTTP API's never above 30.
    let most = if rest { 300_000 } else { 30_000 };
    let millis = text.parse().ok().filter(|millis| (50..=most).contains(millis));
    let message = || format!("TimeoutInMillis is between 50 and {most}, not {text}");
    millis.map(Duration::from_millis).ok_or_else(|| TemplateError::invalid(at, message()))
}

fn payload(version: &str, at: Location) -> Result<Payload, TemplateError> {
    match version {
        "2.0" | "2" => Ok(Payload::V2),
        "1.0" | "1" => Ok(Payload::V1),
        other => Err(TemplateError::invalid(
            at,
            format!("PayloadFormatVersion is 1.0 or 2.0, not {other}"),
        )),
    }
}

fn check_method(word: &str, at: Location) -> Result<String, TemplateError> {
    method(word).map(str::to_owned).ok_or_else(|| {
        let message = format!("`{word}` is not an HTTP method; ANY stands for all of them");
        TemplateError::invalid(at, message)
    })
}

/// A method as routes have it: `GET`, or `ANY`, also for `x-amazon-apigateway-any-method`.
pub(super) fn method(word: &str) -> Option<&'static str> {
    let upper = word.to_ascii_uppercase();
    if upper == "ANY" || upper == "X-AMAZON-APIGATEWAY-ANY-METHOD" {
        return Some("ANY");
    }
    METHODS.into_iter().find(|method| *method == upper)
}

pub(super) fn check_path(path: &str, at: Location) -> Result<(), TemplateError> {
    if path == "$default" {
        return Ok(());
    }
    let Some(rest) = path.strip_prefix('/') else {
        return Err(TemplateError::invalid(at, format!("the path `{path}` must begin with `/`")));
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
            return Err(TemplateError::invalid(at, message));
        }
    }
    Ok(())
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c))
}
