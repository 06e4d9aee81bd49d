//! Plain CloudFormation, as CDK synthesises it: APIs whose routes are resources of their own, function URLs, and the roles
//! of functions.

mod http;
mod rest;
mod role;

use rehearse_core::yaml::tree::Node;

use super::{
    Ignored,
    api::{Api, ApiKind},
    definition::{self, Defined},
    resolve::{Resolver, Resource, TemplateError},
};

pub(super) use self::role::policies;

/// Types of what belongs to an API and is read with it, or changes nothing here.
const PARTS: [&str; 8] = [
    "AWS::ApiGateway::Resource",
    "AWS::ApiGateway::Method",
    "AWS::ApiGateway::Deployment",
    "AWS::ApiGateway::Stage",
    "AWS::ApiGatewayV2::Route",
    "AWS::ApiGatewayV2::Integration",
    "AWS::ApiGatewayV2::Deployment",
    "AWS::ApiGatewayV2::Stage",
];

/// The plain APIs of a template with their routes.
#[derive(Debug, Default)]
pub(super) struct PlainApis {
    pub(super) apis: Vec<Api>,
    pub(super) defined: Defined,
}

/// Whether a resource is read as a part of a plain API.
pub(super) fn is_part(kind: &str) -> bool {
    PARTS.contains(&kind)
}

/// Whether a part belongs to a plain API among the resources. One of SAM's APIs, or of an API elsewhere, is not read.
pub(super) fn is_claimed(
    resolver: &Resolver<'_>,
    resources: &[Resource<'_>],
    part: &Resource<'_>,
) -> Result<bool, TemplateError> {
    let (property, kind) = match part.kind.starts_with("AWS::ApiGatewayV2::") {
        true => ("ApiId", "AWS::ApiGatewayV2::Api"),
        false => ("RestApiId", "AWS::ApiGateway::RestApi"),
    };
    let Some(api) = part.property(property) else { return Ok(false) };
    let api = match resolver.exactly(api) {
        Err(error) if error.only_on_aws => return Ok(false),
        api => api?.as_ref().and_then(Node::scalar),
    };
    let is_own = |one: &Resource<'_>| one.kind == kind && api.as_ref() == Some(&one.reference());
    Ok(resources.iter().any(is_own))
}

/// Reads every plain API among the resources.
pub(super) fn read(
    resolver: &Resolver<'_>,
    resources: &[Resource<'_>],
) -> Result<PlainApis, TemplateError> {
    let mut read = PlainApis::default();
    for resource in resources {
        let kind = match resource.kind {
            "AWS::ApiGateway::RestApi" => ApiKind::Rest,
            "AWS::ApiGatewayV2::Api" => ApiKind::Http,
            _ => continue,
        };
        let reader = PlainReader { resolver, resources, api: resource };
        if kind == ApiKind::Http
            && let Some(protocol) = reader.text(resource, "ProtocolType")?
            && protocol != "HTTP"
        {
            let kind = format!("{protocol} API");
            read.defined.ignored.push(Ignored {
                kind,
                id: resource.id.into(),
                line: resource.line,
            });
            continue;
        }
        if let Some(defined) = definition::read(resolver, resource, kind)? {
            read.defined.routes.extend(defined.routes);
            read.defined.ignored.extend(defined.ignored);
        }
        match kind {
            ApiKind::Rest => rest::read(&reader, &mut read)?,
            ApiKind::Http => http::read(&reader, &mut read)?,
        }
    }
    Ok(read)
}

/// An API and the resources around it.
struct PlainReader<'a> {
    resolver: &'a Resolver<'a>,
    resources: &'a [Resource<'a>],
    api: &'a Resource<'a>,
}

impl<'a> PlainReader<'a> {
    /// The resources of a type whose property names this API.
    fn of_api(&self, kind: &str, property: &str) -> Result<Vec<&'a Resource<'a>>, TemplateError> {
        let own = self.api.reference();
        let mut found = Vec::new();
        for resource in self.resources.iter().filter(|resource| resource.kind == kind) {
            if self.text(resource, property)?.as_deref() == Some(&own) {
                found.push(resource);
            }
        }
        Ok(found)
    }

    fn value(&self, resource: &Resource<'_>, name: &str) -> Result<Option<Node>, TemplateError> {
        let value = resource.property(name).map(|node| self.resolver.resolve(node));
        Ok(value.transpose()?.flatten())
    }

    /// What guards a route on AWS and is not emulated: `AuthorizationType JWT of a route`.
    fn guards(&self, route: &Resource<'_>) -> Result<Vec<String>, TemplateError> {
        let mut guards = Vec::new();
        if let Some(kind) = self.text(route, "AuthorizationType")?
            && !kind.eq_ignore_ascii_case("NONE")
        {
            guards.push(format!("AuthorizationType {kind} of a route"));
        }
        if self.text(route, "ApiKeyRequired")?.as_deref() == Some("true") {
            guards.push("ApiKeyRequired of a route".into());
        }
        Ok(guards)
    }

    fn text(&self, resource: &Resource<'_>, name: &str) -> Result<Option<String>, TemplateError> {
        Ok(self.value(resource, name)?.as_ref().and_then(Node::scalar))
    }
}
