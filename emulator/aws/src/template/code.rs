//! Where the code of a function is, and the address of its own that it may have.

use std::time::Duration;

use rehearse_core::yaml::tree::{Node, Value};

use super::{
    Ignored,
    api::{self, Cors},
    function::{property, text},
    resolve::{Resolver, Resource, TemplateError},
    route::Route,
};

/// Where the code of a function is, as the template says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CodePlace {
    /// `CodeUri`: a folder or a zip, from the template's folder.
    Folder(String),
    /// `InlineCode`: in the template itself.
    Inline,
    /// `PackageType: Image`.
    Image,
    /// A place that only AWS knows, such as an object of S3.
    Elsewhere,
}

/// `FunctionUrlConfig`: an address of the function's own, which every path below it leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionUrl {
    /// The API that stands for it: the function's logical id with `Url` behind, as SAM names it.
    pub api: String,
    /// CORS by the URL itself.
    pub cors: Option<Cors>,
    /// Its line in the template, from 1.
    pub line: u64,
}

/// Where the code is: an image goes before code in the template, and that before a folder.
pub(super) fn place(
    resolver: &Resolver<'_>,
    resource: &Resource<'_>,
) -> Result<CodePlace, TemplateError> {
    if text(resolver, resource, "PackageType")?.as_deref() == Some("Image") {
        return Ok(CodePlace::Image);
    }
    if resource.kind == "AWS::Lambda::Function" {
        return Ok(plain(resolver, resource));
    }
    if resource.property("InlineCode").is_some() {
        return Ok(CodePlace::Inline);
    }
    let Some(node) = property(resolver, resource, "CodeUri") else {
        return Ok(CodePlace::Folder(".".into()));
    };
    let resolved = match resolver.exactly(node) {
        Err(error) if error.only_on_aws => return Ok(CodePlace::Elsewhere),
        resolved => resolved?,
    };
    let place = resolved.as_ref().and_then(Node::scalar);
    let here = place.filter(|place| !place.starts_with("s3:"));
    Ok(here.map_or(CodePlace::Elsewhere, CodePlace::Folder))
}

/// The code of a plain function: of CDK's assets, which are folders beside the template.
fn plain(resolver: &Resolver<'_>, resource: &Resource<'_>) -> CodePlace {
    let code = resource.property("Code");
    let has = |name: &str| code.is_some_and(|code| code.get(name).is_some());
    if has("ZipFile") {
        return CodePlace::Inline;
    }
    if has("ImageUri") {
        return CodePlace::Image;
    }
    let local = |place: String| match resolver.folder() {
        Some(folder) => folder.join(&place).exists().then_some(place),
        None => Some(place),
    };
    let key = code.and_then(|code| code.get("S3Key"));
    let key = key.and_then(|key| resolver.resolve(key).ok().flatten()?.scalar());
    let asset = key.as_deref().and_then(|key| key.strip_suffix(".zip")).map(|key| {
        // `cdk deploy` may put a prefix before the hash.
        let hash = key.rsplit('/').next().unwrap_or(key);
        format!("asset.{hash}")
    });
    let path = resource.metadata("aws:asset:path").and_then(Node::scalar);
    let found = path.and_then(local).or_else(|| asset.and_then(local));
    // `aws cloudformation package` replaces a local path by its place on S3.
    let found = found.or_else(|| code.and_then(Node::scalar).filter(|p| !p.starts_with("s3:")));
    found.map_or(CodePlace::Elsewhere, CodePlace::Folder)
}

/// Reads an `AWS::Lambda::Url`: the name or ARN of its function, and the URL with its route.
pub(super) fn read_url(
    resolver: &Resolver<'_>,
    resource: &Resource<'_>,
    ignored: &mut Vec<Ignored>,
) -> Result<(String, FunctionUrl, Route), TemplateError> {
    let target = resource.property("TargetFunctionArn").map(|node| resolver.resolve(node));
    let target = target.transpose()?.flatten().as_ref().and_then(Node::scalar);
    let target = target.ok_or_else(|| {
        TemplateError::invalid(resource.at, format!("{} needs TargetFunctionArn", resource.id))
    })?;
    let config = Node::new(Value::Map(resource.properties().to_vec()), resource.at);
    let (url, route) = url_of(resolver, resource.id.to_owned(), resource.id, &config, ignored)?;
    Ok((target, url, route))
}

/// A function URL, and the one route of the API that stands for it.
pub(super) fn url(
    resolver: &Resolver<'_>,
    id: &str,
    config: &Node,
    ignored: &mut Vec<Ignored>,
) -> Result<(FunctionUrl, Route), TemplateError> {
    url_of(resolver, format!("{id}Url"), id, config, ignored)
}

fn url_of(
    resolver: &Resolver<'_>,
    api: String,
    id: &str,
    config: &Node,
    ignored: &mut Vec<Ignored>,
) -> Result<(FunctionUrl, Route), TemplateError> {
    let line = config.at.line();
    let resolved = resolver.resolve(config)?;
    let part = |name: &str| resolved.as_ref().and_then(|config| config.get(name));
    let cors = part("Cors").map(api::read_cors).transpose()?.flatten();
    let scalar = |name: &str| part(name).and_then(Node::scalar).unwrap_or_default();
    let mut ignore = |kind: &str| {
        ignored.push(Ignored { kind: kind.into(), id: id.to_owned(), line });
    };
    if scalar("AuthType") == "AWS_IAM" {
        ignore("AuthType AWS_IAM of a function URL");
    }
    if scalar("InvokeMode") == "RESPONSE_STREAM" {
        ignore("InvokeMode RESPONSE_STREAM of a function URL");
    }
    let route = Route {
        api: api.clone(),
        // Only the function's own timeout ends a call.
        timeout: Some(Duration::from_secs(900)),
        line,
        ..Route::new("ANY", "$default")
    };
    Ok((FunctionUrl { api, cors, line }, route))
}
