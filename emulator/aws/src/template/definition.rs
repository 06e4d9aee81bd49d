//! Routes that an OpenAPI definition has: `DefinitionBody` and `DefinitionUri` of SAM's APIs, `Body` of plain ones.
//!
//! An operation with `x-amazon-apigateway-integration` of the type `aws_proxy` is a route to the function of its `uri`;
//! any other integration is listed as not emulated.

use std::{path::Path, time::Duration};

use rehearse_core::yaml::{
    Limit, Location, Source,
    tree::{Entry, Node, Value},
};

use super::{
    Ignored,
    api::ApiKind,
    intrinsic,
    resolve::{Resolver, Resource, TemplateError},
    route::{self, Payload, Route},
};

const LIMIT: Limit = Limit { bytes: 6 << 20, advice: "API Gateway imports no larger definition" };
const INTEGRATION: &str = "x-amazon-apigateway-integration";
/// Deepest nesting of files that include each other.
const MAX_DEPTH: usize = 8;

/// A route to a function that is known by its ARN.
#[derive(Debug)]
pub(super) struct DefinedRoute {
    pub(super) route: Route,
    /// The name or ARN of its function.
    pub(super) function: String,
    pub(super) at: Location,
}

/// The routes of an API, and what of it is not emulated.
#[derive(Debug, Default)]
pub(super) struct Defined {
    pub(super) routes: Vec<DefinedRoute>,
    pub(super) ignored: Vec<Ignored>,
    /// Whether its definition, or a part of it, is at a place that only AWS knows.
    pub(super) is_elsewhere: bool,
}

/// Reads the definition of an API, if it has one.
pub(super) fn read(
    resolver: &Resolver<'_>,
    resource: &Resource<'_>,
    kind: ApiKind,
) -> Result<Option<Defined>, TemplateError> {
    let mut reader =
        DefinitionReader { resolver, id: resource.id, kind, defined: Defined::default() };
    for name in ["DefinitionBody", "Body"] {
        if let Some(body) = resource.property(name) {
            reader.body(name, body)?;
            return Ok(Some(reader.defined));
        }
    }
    for name in ["DefinitionUri", "BodyS3Location"] {
        if let Some(place) = resource.property(name) {
            reader.file(name, place)?;
            return Ok(Some(reader.defined));
        }
    }
    Ok(None)
}

/// The function of a URI: what is between `functions/` and `/invocations`, or the ARN itself; without an alias.
pub(super) fn function_of(uri: &str) -> Option<String> {
    let arn = match uri.split_once("/functions/") {
        Some((_, rest)) => rest.rsplit_once('/').map_or(rest, |(arn, _)| arn),
        None if uri.contains(":lambda:") => uri,
        None => return None,
    };
    if arn.starts_with("arn:") {
        return Some(arn.split(':').take(7).collect::<Vec<_>>().join(":"));
    }
    Some(arn.to_owned())
}

struct DefinitionReader<'a, 'b> {
    resolver: &'a Resolver<'b>,
    id: &'a str,
    kind: ApiKind,
    defined: Defined,
}

impl DefinitionReader<'_, '_> {
    fn ignore(&mut self, kind: String, at: Location) {
        self.defined.ignored.push(Ignored { kind, id: self.id.into(), line: at.line() });
    }

    /// A file beside the template; one at another place is listed as not emulated.
    fn file(&mut self, name: &str, place: &Node) -> Result<(), TemplateError> {
        let resolved = self.resolver.resolve(place)?;
        let text = resolved.as_ref().and_then(Node::scalar);
        match text.as_deref().map(|text| local(self.resolver.folder(), text, place.at)) {
            Some(Some(definition)) => self.body(name, &definition?),
            _ => {
                self.ignore(format!("{name} that is no file of this project"), place.at);
                self.defined.is_elsewhere = true;
                Ok(())
            }
        }
    }

    fn body(&mut self, name: &str, body: &Node) -> Result<(), TemplateError> {
        let body = match self.with_files(body, 0) {
            Err(error) if error.only_on_aws => {
                self.ignore(format!("{name} ({})", error.message), error.at);
                self.defined.is_elsewhere = true;
                return Ok(());
            }
            body => body?,
        };
        let Some(body) = self.resolver.outermost(&body)? else { return Ok(()) };
        let Some(paths) = body.get("paths") else { return Ok(()) };
        let Some(paths) = self.resolver.outermost(paths)? else { return Ok(()) };
        for path in paths.as_map().unwrap_or_default() {
            let Some(methods) = self.resolver.outermost(&path.value)? else { continue };
            for method in methods.as_map().unwrap_or_default() {
                if let Some(word) = route::method(&method.key) {
                    self.operation(&body, &path.key, word, method)?;
                }
            }
        }
        Ok(())
    }

    fn operation(
        &mut self,
        body: &Node,
        path: &str,
        method: &str,
        entry: &Entry,
    ) -> Result<(), TemplateError> {
        let Some(operation) = self.resolver.outermost(&entry.value)? else { return Ok(()) };
        let Some(integration) = operation.get(INTEGRATION) else { return Ok(()) };
        let Some(integration) = self.resolver.outermost(integration)? else { return Ok(()) };
        let integration = match integration.get("$ref").and_then(Node::as_str) {
            Some(reference) => referred(body, reference).unwrap_or(integration),
            None => integration,
        };
        let part = |name: &str| -> Result<Option<String>, TemplateError> {
            let node = integration.get(name).map(|node| self.resolver.resolve(node));
            Ok(node.transpose()?.flatten().as_ref().and_then(Node::scalar))
        };
        let kind = part("type")?.unwrap_or_default().to_ascii_uppercase();
        if kind != "AWS_PROXY" {
            self.ignore(format!("{kind} integration of a route"), entry.at);
            return Ok(());
        }
        let Some(function) = part("uri")?.as_deref().and_then(function_of) else {
            self.ignore("AWS_PROXY integration with no function".into(), entry.at);
            return Ok(());
        };
        let payload = match (self.kind, part("payloadFormatVersion")?.as_deref()) {
            (ApiKind::Rest, _) => Payload::Rest,
            (ApiKind::Http, Some("2.0" | "2")) => Payload::V2,
            (ApiKind::Http, _) => Payload::V1,
        };
        let timeout = part("timeoutInMillis")?.and_then(|text| text.parse().ok());
        let path = if path == "/$default" { "$default" } else { path };
        route::check_path(path, entry.at)?;
        let route = Route {
            api: self.id.into(),
            payload,
            timeout: timeout.map(Duration::from_millis),
            line: entry.at.line(),
            ..Route::new(method, path)
        };
        let security = operation.get("security").map(|node| self.resolver.outermost(node));
        let security = security.transpose()?.flatten();
        let requirements = security.as_ref().and_then(Node::as_list).unwrap_or_default();
        // `{}` among them asks for nothing.
        if requirements.iter().any(|one| one.as_map().is_none_or(|names| !names.is_empty())) {
            self.ignore("security of a route".into(), entry.at);
        }
        self.defined.routes.push(DefinedRoute { route, function, at: entry.at });
        Ok(())
    }

    /// The node with each `Fn::Transform: AWS::Include` replaced by its file.
    fn with_files(&self, node: &Node, depth: usize) -> Result<Node, TemplateError> {
        if depth > MAX_DEPTH {
            return Err(TemplateError::invalid(node.at, "these files include each other"));
        }
        let value = match &node.value {
            Value::Tagged(word, argument) if word == "Transform" => {
                return self.include(argument, node.at, depth);
            }
            Value::Map(map) => {
                let mut entries = Vec::with_capacity(map.len());
                for entry in map {
                    if entry.key == "Fn::Transform" {
                        let included = self.include(&entry.value, entry.at, depth)?;
                        entries.extend_from_slice(included.as_map().unwrap_or_default());
                    } else {
                        let value = self.with_files(&entry.value, depth)?;
                        entries.push(Entry { value, ..entry.clone() });
                    }
                }
                Value::Map(entries)
            }
            Value::List(list) => {
                let list: Result<_, _> =
                    list.iter().map(|item| self.with_files(item, depth)).collect();
                Value::List(list?)
            }
            _ => return Ok(node.clone()),
        };
        Ok(Node::new(value, node.at))
    }

    fn include(&self, argument: &Node, at: Location, depth: usize) -> Result<Node, TemplateError> {
        let name = argument.get("Name").and_then(Node::as_str).unwrap_or_default();
        let place = argument.get("Parameters").and_then(|parameters| parameters.get("Location"));
        if name != "AWS::Include" {
            let message = format!("the macro `{name}` runs only on AWS");
            return Err(TemplateError::only_on_aws(at, message));
        }
        let place = place.map(|place| self.resolver.resolve(place)).transpose()?.flatten();
        let place = place.as_ref().and_then(Node::scalar).unwrap_or_default();
        match local(self.resolver.folder(), &place, at) {
            Some(included) => self.with_files(&included?, depth + 1),
            None => {
                let message = format!("`{place}` is no file of this project");
                Err(TemplateError::only_on_aws(at, message))
            }
        }
    }
}

/// A file beside the template, YAML or JSON. Its errors, and its lines, are those of the place that names it.
fn local(folder: Option<&Path>, place: &str, at: Location) -> Option<Result<Node, TemplateError>> {
    let path = folder?.join(place);
    if place.is_empty() || !path.is_file() {
        return None;
    }
    let read = Source::read_within(&path, LIMIT).and_then(|source| intrinsic::parse(&source));
    Some(match read {
        Ok(node) => Ok(moved(node, at)),
        Err(error) => Err(TemplateError::invalid(at, error.to_string())),
    })
}

fn moved(node: Node, at: Location) -> Node {
    let value = match node.value {
        Value::List(list) => Value::List(list.into_iter().map(|item| moved(item, at)).collect()),
        Value::Map(map) => Value::Map(
            map.into_iter().map(|e| Entry { value: moved(e.value, at), at, ..e }).collect(),
        ),
        Value::Tagged(word, argument) => Value::Tagged(word, Box::new(moved(*argument, at))),
        other => other,
    };
    Node::new(value, at)
}

/// What a `$ref` of the same definition names: `#/components/x-amazon-apigateway-integrations/Shop`.
fn referred(body: &Node, reference: &str) -> Option<Node> {
    let path = reference.strip_prefix("#/")?;
    path.split('/').try_fold(body, |node, key| node.get(key)).cloned()
}
