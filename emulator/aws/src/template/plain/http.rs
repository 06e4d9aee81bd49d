//! `AWS::ApiGatewayV2::Api` with its routes, integrations and stage.

use std::time::Duration;

use rehearse_core::yaml::{Location, tree::Node};

use super::{PlainApis, PlainReader};
use crate::template::{
    Ignored,
    api::{self, Api},
    definition::{DefinedRoute, function_of},
    resolve::{Resource, TemplateError},
    route::{self, Payload, Route},
};

pub(super) fn read(reader: &PlainReader<'_>, read: &mut PlainApis) -> Result<(), TemplateError> {
    let stages = reader.of_api("AWS::ApiGatewayV2::Stage", "ApiId")?;
    let mut stage = None;
    if let Some(first) = stages.first() {
        stage = reader.text(first, "StageName")?;
    }
    let id = reader.api.id;
    let mut api = Api { line: reader.api.line, ..Api::http(id) };
    api.stage = stage.unwrap_or_else(|| "$default".into());
    if let Some(own) = stages.first() {
        let variables = reader.value(own, "StageVariables")?;
        let variables = variables.as_ref().and_then(Node::as_map).unwrap_or_default();
        api.variables =
            variables.iter().filter_map(|e| Some((e.key.clone(), e.value.scalar()?))).collect();
        if let Some(settings) = reader.value(own, "DefaultRouteSettings")? {
            api.throttling = api::throttling_of_all(&settings)?;
        }
    }
    for other in stages.iter().skip(1) {
        let kind = "a second stage of an API".into();
        read.defined.ignored.push(Ignored { kind, id: other.id.into(), line: other.line });
    }
    if let Some(cors) = reader.value(reader.api, "CorsConfiguration")? {
        api.cors = api::read_cors(&cors)?;
    }
    read.apis.push(api);
    // Quick create: a route to one function, `$default` unless it is named.
    if let Some(target) = reader.text(reader.api, "Target")?
        && let Some(function) = function_of(&target)
    {
        let key = reader.text(reader.api, "RouteKey")?.unwrap_or_else(|| "$default".into());
        let route = Route { line: reader.api.line, ..self::route(id, &key, reader.api.at)? };
        read.defined.routes.push(DefinedRoute { route, function, at: reader.api.at });
    }
    for resource in reader.of_api("AWS::ApiGatewayV2::Route", "ApiId")? {
        of_resource(reader, resource, read)?;
    }
    Ok(())
}

fn of_resource(
    reader: &PlainReader<'_>,
    resource: &Resource<'_>,
    read: &mut PlainApis,
) -> Result<(), TemplateError> {
    let mut ignore = |kind: &str| {
        let (id, line) = (resource.id.into(), resource.line);
        read.defined.ignored.push(Ignored { kind: kind.into(), id, line });
    };
    let target = reader.text(resource, "Target")?.unwrap_or_default();
    let target = target.rsplit('/').next().unwrap_or_default();
    let mut integrations = reader.resources.iter();
    let integration = integrations
        .find(|one| one.kind == "AWS::ApiGatewayV2::Integration" && one.reference() == target);
    let Some(integration) = integration else {
        ignore("route with no integration of this template");
        return Ok(());
    };
    let kind = reader.text(integration, "IntegrationType")?.unwrap_or_default();
    let function = reader.text(integration, "IntegrationUri")?.as_deref().and_then(function_of);
    let (Some(function), "AWS_PROXY") = (function, kind.as_str()) else {
        ignore(&format!("{kind} integration of a route"));
        return Ok(());
    };
    let version = reader.text(integration, "PayloadFormatVersion")?;
    let millis = reader.text(integration, "TimeoutInMillis")?.and_then(|text| text.parse().ok());
    let key = reader.text(resource, "RouteKey")?.unwrap_or_default();
    reader.guards(resource)?.iter().for_each(|guard| ignore(guard));
    let route = Route {
        payload: if version.as_deref() == Some("2.0") { Payload::V2 } else { Payload::V1 },
        timeout: millis.map(Duration::from_millis),
        line: resource.line,
        ..route(reader.api.id, &key, resource.at)?
    };
    read.defined.routes.push(DefinedRoute { route, function, at: resource.at });
    Ok(())
}

/// A route by its key: `GET /pets`, `$default`.
fn route(api: &str, key: &str, at: Location) -> Result<Route, TemplateError> {
    if key == "$default" {
        return Ok(Route { api: api.into(), ..Route::new("ANY", key) });
    }
    let parts = key.split_once(' ').and_then(|(word, path)| Some((route::method(word)?, path)));
    let Some((method, path)) = parts else {
        let message = format!("`{key}` is no RouteKey, such as `GET /pets` or `$default`");
        return Err(TemplateError::invalid(at, message));
    };
    route::check_path(path, at)?;
    Ok(Route { api: api.into(), ..Route::new(method, path) })
}
