//! APIs: `AWS::Serverless::HttpApi`, `AWS::Serverless::Api`, and the two that
//! SAM creates by itself for events that name none.

mod cors;
mod throttle;

use crate::template::intrinsic::{kind_of, merged};
use rehearse_core::yaml::tree::Node;
use std::collections::{BTreeMap, BTreeSet};

use super::{
    Ignored,
    definition::{self, DefinedRoute},
    function::Function,
    resolve::{Resolver, Resource, TemplateError, Unknowns, api_id},
    route::Route,
};

pub(super) use self::{
    cors::read as read_cors,
    throttle::{of_all as throttling_of_all, of_methods as throttling_of_methods, throttle},
};
pub use self::{
    cors::{Cors, Origins},
    throttle::{Throttle, Throttling},
};

/// The logical ids of the APIs of events that name none.
pub(super) const IMPLICIT_HTTP: &str = "ServerlessHttpApi";
pub(super) const IMPLICIT_REST: &str = "ServerlessRestApi";

/// AWS's quota, which it raises for who asks: the routes of an HTTP API, the resources of a REST API.
const MOST_ROUTES: usize = 300;

/// Properties that change what a client sees and that are not emulated.
const NOT_EMULATED: [&str; 5] =
    ["Auth", "CacheClusterEnabled", "GatewayResponses", "Models", "UsagePlan"];

/// An API with its one stage.
#[derive(Debug, Clone, PartialEq)]
pub struct Api {
    /// Logical id.
    pub id: String,
    /// Its kind.
    pub kind: ApiKind,
    /// Its stage: `$default`, or the first segment of its URL's path.
    pub stage: String,
    /// Variables of the stage.
    pub variables: BTreeMap<String, String>,
    /// CORS by the API itself.
    pub cors: Option<Cors>,
    /// A custom domain.
    pub domain: Option<Domain>,
    /// How many requests its routes take.
    pub throttling: Throttling,
    /// The binary media types of a REST API.
    pub binary_types: Vec<String>,
    /// Whether it stands for the URL of a function.
    pub is_function_url: bool,
    /// Its line in the template, from 1; 0 for one that SAM creates.
    pub line: u64,
}

/// The two kinds of API that SAM knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ApiKind {
    /// An HTTP API (API Gateway V2).
    Http,
    /// A REST API (API Gateway V1).
    Rest,
}

/// A custom domain and its mappings to one API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Domain {
    /// Its name, lower case.
    pub name: String,
    /// The base paths of the API, without slashes at their ends; an empty one is the root.
    pub base_paths: Vec<String>,
}

impl Api {
    /// An HTTP API with the stage `$default` and nothing configured.
    pub fn http(id: &str) -> Self {
        Self::new(id, ApiKind::Http, "$default")
    }

    /// A REST API with this stage and nothing configured.
    pub fn rest(id: &str, stage: &str) -> Self {
        Self::new(id, ApiKind::Rest, stage)
    }

    /// Removes every throttle of the API and its routes.
    pub fn remove_throttling(&mut self) {
        self.throttling = Throttling::none();
    }

    fn new(id: &str, kind: ApiKind, stage: &str) -> Self {
        Self {
            id: id.into(),
            kind,
            stage: stage.into(),
            variables: BTreeMap::new(),
            cors: None,
            domain: None,
            throttling: Throttling::default(),
            binary_types: Vec::new(),
            is_function_url: false,
            line: 0,
        }
    }

    /// Its id in URLs and events; on AWS ten letters and digits.
    pub fn url_id(&self) -> String {
        api_id(&self.id)
    }

    /// The beginning of the path at which a function URL is reached beside other APIs: `/_url/SmsUrl`. Its events do not
    /// have it.
    pub fn function_url_path(&self) -> String {
        format!("/_url/{}", self.id)
    }

    /// The beginning of its URL's path: nothing, or `/prod`.
    pub fn stage_path(&self) -> String {
        if self.stage == "$default" { String::new() } else { format!("/{}", self.stage) }
    }
}

impl Domain {
    /// The URL of its first mapping, without a slash at the end. It is always https.
    pub fn url(&self) -> String {
        match self.base_paths.first().map(String::as_str) {
            None | Some("") => format!("https://{}", self.name),
            Some(path) => format!("https://{}/{path}", self.name),
        }
    }
}

impl ApiKind {
    fn of(kind: &str) -> Option<Self> {
        match kind {
            "AWS::Serverless::HttpApi" => Some(Self::Http),
            "AWS::Serverless::Api" => Some(Self::Rest),
            _ => None,
        }
    }

    /// The section of `Globals`.
    fn section(self) -> &'static str {
        match self {
            Self::Http => "HttpApi",
            Self::Rest => "Api",
        }
    }
}

/// The APIs of a template, and what of them is not emulated.
#[derive(Debug, Default)]
pub(super) struct Apis {
    pub(super) list: Vec<Api>,
    pub(super) ignored: Vec<Ignored>,
    settings: Vec<throttle::RouteSetting>,
    /// The routes that definitions have.
    pub(super) defined: Vec<DefinedRoute>,
    /// The APIs whose definition is the template's own, so that events add nothing to it.
    pub(super) with_definition: Vec<String>,
    /// The APIs whose definition events add to.
    pub(super) merging: Vec<String>,
}

impl Apis {
    /// Reads a resource if it is an API. Returns whether it is.
    pub(super) fn take(
        &mut self,
        resolver: &Resolver<'_>,
        resource: &Resource<'_>,
    ) -> Result<bool, TemplateError> {
        let Some(kind) = ApiKind::of(resource.kind) else { return Ok(false) };
        self.read(resolver, kind, Some(resource), resource.id)?;
        if let Some(defined) = definition::read(resolver, resource, kind)? {
            self.defined.extend(defined.routes);
            self.ignored.extend(defined.ignored);
            let reader = ApiReader { resolver, kind, resource: Some(resource) };
            let merges = reader.text("MergeDefinitions")?.as_deref() == Some("true");
            let elsewhere = resource.property("DefinitionBody").is_none();
            match (kind, merges) {
                // Nobody knows which of its routes are in the definition: the events' are better than none.
                _ if defined.is_elsewhere => self.merging.push(resource.id.into()),
                (ApiKind::Rest, false) => self.with_definition.push(resource.id.into()),
                (ApiKind::Http, _) if elsewhere => self.with_definition.push(resource.id.into()),
                // An event goes before the definition's own operation.
                _ => self.merging.push(resource.id.into()),
            }
        }
        Ok(true)
    }

    /// Adds the implicit APIs that events use, and checks the routes of every API.
    pub(super) fn complete(
        &mut self,
        resolver: &Resolver<'_>,
        functions: &[Function],
    ) -> Result<(), TemplateError> {
        for (id, kind) in [(IMPLICIT_HTTP, ApiKind::Http), (IMPLICIT_REST, ApiKind::Rest)] {
            let named = functions.iter().flat_map(|f| &f.routes).any(|route| route.api == id);
            if named && self.list.iter().all(|api| api.id != id) {
                self.read(resolver, kind, None, id)?;
            }
        }
        // Last, so that the routes of the other APIs go before.
        for url in functions.iter().filter_map(|function| function.url.as_ref()) {
            let (line, cors) = (url.line, url.cors.clone());
            let mut api = Api { line, cors, is_function_url: true, ..Api::http(&url.api) };
            api.remove_throttling();
            self.list.push(api);
        }
        for api in &self.list {
            let routes = || functions.iter().flat_map(|f| &f.routes).filter(|r| r.api == api.id);
            let (count, what) = match api.kind {
                ApiKind::Http => (routes().count(), "routes"),
                ApiKind::Rest => (resources(routes()), "resources"),
            };
            if count > MOST_ROUTES {
                self.ignored.push(Ignored {
                    kind: format!("AWS's quota of {MOST_ROUTES} {what} of an API"),
                    id: api.id.clone(),
                    line: resolver.place(&api.id).line(),
                });
            }
            let settings = self.settings.iter().filter(|setting| setting.api == api.id);
            settings.into_iter().try_for_each(|setting| setting.check(routes()))?;
        }
        Ok(())
    }

    fn read(
        &mut self,
        resolver: &Resolver<'_>,
        kind: ApiKind,
        resource: Option<&Resource<'_>>,
        id: &str,
    ) -> Result<(), TemplateError> {
        let reader = ApiReader { resolver, kind, resource };
        let stage = match (reader.text("StageName")?, kind) {
            (Some(stage), _) => stage,
            (None, ApiKind::Http) => "$default".into(),
            (None, ApiKind::Rest) if resource.is_none() => "Prod".into(),
            (None, ApiKind::Rest) => {
                let message = format!("{id} has no StageName, which AWS::Serverless::Api needs");
                return Err(TemplateError::invalid(resolver.place(id), message));
            }
        };
        let mut api = Api { line: resource.map_or(0, |r| r.line), ..Api::new(id, kind, &stage) };
        let variables = if kind == ApiKind::Http { "StageVariables" } else { "Variables" };
        api.variables = reader.texts(variables)?;
        let cors = if kind == ApiKind::Http { "CorsConfiguration" } else { "Cors" };
        if let Some(node) = reader.property(cors)? {
            api.cors = cors::read(&node)?;
        }
        api.throttling = throttle::read(&reader, id, &mut self.settings)?;
        if let Some(types) = reader.property("BinaryMediaTypes")? {
            let types = types.as_list().unwrap_or_default().iter().filter_map(Node::scalar);
            api.binary_types = types.map(|kind| kind.replace("~1", "/")).collect();
        }
        match resolver.with_unknowns(Unknowns::Refused, || reader.domain()) {
            Ok(domain) => api.domain = domain,
            Err(error) if error.only_on_aws => self.ignored.push(Ignored {
                kind: format!("Domain ({})", error.message),
                id: id.into(),
                line: error.at.line(),
            }),
            Err(error) => return Err(error),
        }
        for name in NOT_EMULATED {
            if let Some(node) = resource.and_then(|r| r.property(name)) {
                self.ignored.push(Ignored { kind: name.into(), id: id.into(), line: node.line() });
            }
        }
        self.list.push(api);
        Ok(())
    }
}

/// The number of resources of a REST API: each beginning of a path is one.
fn resources<'r>(routes: impl Iterator<Item = &'r Route>) -> usize {
    let mut resources = BTreeSet::new();
    for route in routes {
        let path = route.path.as_str();
        resources.extend(path.match_indices('/').skip(1).map(|(at, _)| &path[..at]));
        resources.insert(path);
    }
    resources.len()
}

/// Properties of an API, with those of `Globals`.
struct ApiReader<'a> {
    resolver: &'a Resolver<'a>,
    kind: ApiKind,
    resource: Option<&'a Resource<'a>>,
}

impl ApiReader<'_> {
    /// A resolved property, merged from Globals and the API's own.
    fn property(&self, name: &str) -> Result<Option<Node>, TemplateError> {
        let global = self.resolver.global(self.kind.section(), name);
        let own = self.resource.and_then(|resource| resource.property(name));
        match merged(global, own) {
            Some(node) => self.resolver.resolve(&node),
            None => Ok(None),
        }
    }

    fn text(&self, name: &str) -> Result<Option<String>, TemplateError> {
        let Some(node) = self.property(name)? else { return Ok(None) };
        node.scalar().map(Some).ok_or_else(|| {
            TemplateError::invalid(
                node.at,
                format!("{name} must be a string, not {}", kind_of(&node)),
            )
        })
    }

    fn texts(&self, name: &str) -> Result<BTreeMap<String, String>, TemplateError> {
        let node = self.property(name)?;
        let entries = node.as_ref().and_then(Node::as_map).unwrap_or_default().iter();
        Ok(entries.filter_map(|e| Some((e.key.clone(), e.value.scalar()?))).collect())
    }

    fn domain(&self) -> Result<Option<Domain>, TemplateError> {
        let Some(node) = self.property("Domain")? else { return Ok(None) };
        let Some(name) = node.get("DomainName").and_then(Node::scalar) else {
            return Err(TemplateError::invalid(node.at, "Domain needs a DomainName"));
        };
        let paths = match node.get("BasePath") {
            None => vec![String::new()],
            Some(paths) => match (paths.as_list(), paths.scalar()) {
                (Some(list), _) => list.iter().filter_map(Node::scalar).collect(),
                (None, Some(one)) => vec![one],
                (None, None) => {
                    return Err(TemplateError::invalid(paths.at, "BasePath is a list of paths"));
                }
            },
        };
        // SAM takes `/` for the root.
        let base_paths = paths.iter().map(|path| path.trim_matches('/').to_owned()).collect();
        Ok(Some(Domain { name: name.to_ascii_lowercase(), base_paths }))
    }
}
