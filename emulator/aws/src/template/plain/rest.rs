//! `AWS::ApiGateway::RestApi` with its resources, methods and stage.

use rehearse_core::yaml::tree::Node;

use super::{PlainApis, PlainReader};
use crate::template::{
    Ignored,
    api::{self, Api},
    definition::{DefinedRoute, function_of},
    resolve::{Resource, TemplateError},
    route::{self, Payload, Route},
};

/// Deepest path that API Gateway takes is far below.
const MOST_SEGMENTS: usize = 64;

pub(super) fn read(reader: &PlainReader<'_>, read: &mut PlainApis) -> Result<(), TemplateError> {
    let stages = reader.of_api("AWS::ApiGateway::Stage", "RestApiId")?;
    let deployments = reader.of_api("AWS::ApiGateway::Deployment", "RestApiId")?;
    let mut stage = None;
    for one in stages.iter().chain(&deployments) {
        stage = match stage {
            None => reader.text(one, "StageName")?,
            known => known,
        };
    }
    let id = reader.api.id;
    let mut api =
        Api { line: reader.api.line, ..Api::rest(id, stage.as_deref().unwrap_or("prod")) };
    if let Some(own) = stages.first() {
        let variables = reader.value(own, "Variables")?;
        let variables = variables.as_ref().and_then(Node::as_map).unwrap_or_default();
        api.variables =
            variables.iter().filter_map(|e| Some((e.key.clone(), e.value.scalar()?))).collect();
        let settings = reader.value(own, "MethodSettings")?;
        let settings = settings.as_ref().and_then(Node::as_list).unwrap_or_default();
        api.throttling = api::throttling_of_methods(settings)?;
    }
    for other in stages.iter().skip(1) {
        let kind = "a second stage of an API".into();
        read.defined.ignored.push(Ignored { kind, id: other.id.into(), line: other.line });
    }
    if let Some(types) = reader.value(reader.api, "BinaryMediaTypes")? {
        api.binary_types =
            types.as_list().unwrap_or_default().iter().filter_map(Node::scalar).collect();
    }
    read.apis.push(api);
    for method in reader.of_api("AWS::ApiGateway::Method", "RestApiId")? {
        self::method(reader, method, read)?;
    }
    Ok(())
}

fn method(
    reader: &PlainReader<'_>,
    resource: &Resource<'_>,
    read: &mut PlainApis,
) -> Result<(), TemplateError> {
    let mut ignore = |kind: String| {
        read.defined.ignored.push(Ignored { kind, id: resource.id.into(), line: resource.line });
    };
    let integration = reader.value(resource, "Integration")?;
    let part = |name: &str| integration.as_ref().and_then(|i| i.get(name)).and_then(Node::scalar);
    let kind = part("Type").unwrap_or_else(|| "missing".into()).to_ascii_uppercase();
    let function = part("Uri").as_deref().and_then(function_of);
    let (Some(function), "AWS_PROXY") = (function, kind.as_str()) else {
        ignore(format!("{kind} integration of a route"));
        return Ok(());
    };
    let Some(path) = path(reader, resource, "ResourceId")? else {
        ignore("method of a resource that is in no template".into());
        return Ok(());
    };
    let word = reader.text(resource, "HttpMethod")?.unwrap_or_default();
    let Some(word) = route::method(&word) else {
        let message = format!("`{word}` is not an HTTP method; ANY stands for all of them");
        return Err(TemplateError::invalid(resource.at, message));
    };
    route::check_path(&path, resource.at)?;
    reader.guards(resource)?.into_iter().for_each(&mut ignore);
    let millis = part("TimeoutInMillis").and_then(|text| text.parse().ok());
    let route = Route {
        api: reader.api.id.into(),
        payload: Payload::Rest,
        timeout: millis.map(std::time::Duration::from_millis),
        line: resource.line,
        ..Route::new(word, &path)
    };
    read.defined.routes.push(DefinedRoute { route, function, at: resource.at });
    Ok(())
}

/// The path of the resource that a property names; `None` if it leads out of the template.
fn path(
    reader: &PlainReader<'_>,
    resource: &Resource<'_>,
    property: &str,
) -> Result<Option<String>, TemplateError> {
    let root = format!("{}/root", reader.api.reference());
    let mut path = String::new();
    let mut place = reader.text(resource, property)?;
    for _ in 0..MOST_SEGMENTS {
        let Some(id) = place else { return Ok(None) };
        if id == root {
            return Ok(Some(if path.is_empty() { "/".into() } else { path }));
        }
        let mut resources = reader.resources.iter();
        let parent =
            resources.find(|one| one.kind == "AWS::ApiGateway::Resource" && one.reference() == id);
        let Some(parent) = parent else { return Ok(None) };
        let part = reader.text(parent, "PathPart")?.unwrap_or_default();
        path = format!("/{part}{path}");
        place = reader.text(parent, "ParentId")?;
    }
    let message = format!("the resources above {} are above themselves", resource.id);
    Err(TemplateError::invalid(resource.at, message))
}
