//! `template.yaml` (AWS SAM), read as AWS reads it, and `rehearse.toml`, which has what a template
//! does not say.
//!
//! [`Template::read`] reads functions with their routes and environment, APIs, and tables. What is
//! not emulated is listed in [`Template::ignored`], what only AWS knows in
//! [`Function::unresolved`]; a mistake is an error with its line. Both templates and [`Settings`] can
//! be built in code, too: see [`Template::with_function`].

mod api;
mod asynchronous;
mod code;
mod definition;
mod function;
mod intrinsic;
mod language;
mod plain;
mod policy;
mod resolve;
mod route;
mod schedule;
mod settings;
mod table;
#[cfg(test)]
mod tests;

use rehearse_core::yaml::tree::Node;
use std::{collections::BTreeMap, path::Path};

use self::resolve::{Given, Resolver, TemplateError};
use rehearse_core::yaml::{Limit, Location, Source, YamlError};
use rehearse_core::{names, table::TableSpec};

pub use self::{
    api::{Api, ApiKind, Cors, Domain, Origins, Throttle, Throttling},
    asynchronous::AsynchronousInvocations,
    code::{CodePlace, FunctionUrl},
    function::{Function, UnresolvedVariable},
    policy::{Grant, UncheckedPolicy},
    route::{Payload, Route},
    schedule::{Schedule, ScheduleExpression, ScheduleKind},
    settings::{
        Check, Defaults, Doctor, Endpoints, FunctionClock, FunctionSettings, LineType,
        MessagingService, OtherNumber, Paths, Phone, Ports, RoutePath, Services, Settings,
        SettingsError, TextTemplate, Twilio, Webhook,
    },
};

/// AWS's limit for templates.
const LIMIT: Limit = Limit { bytes: 1 << 20, advice: "AWS takes no larger template" };

/// The parts of a template that the emulator uses.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Template {
    /// Functions, in the template's order.
    pub functions: Vec<Function>,
    /// APIs, in the template's order, and those that SAM creates by itself.
    pub apis: Vec<Api>,
    /// Tables, in the template's order.
    pub tables: Vec<TableSpec>,
    /// Resources, events and properties that are not emulated.
    pub ignored: Vec<Ignored>,
    /// Values that only AWS knows, and what stands for them. Those of variables are in
    /// [`Function::unresolved`].
    pub placeholders: Vec<Placeholder>,
}

/// A value that is made up, because only AWS knows the real one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placeholder {
    /// The value.
    pub value: String,
    /// Why the real one is not known.
    pub reason: String,
    /// Its line in the template, from 1.
    pub line: u64,
}

/// Something in a template that is not emulated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ignored {
    /// Its type, `AWS::CloudWatch::Alarm`.
    pub kind: String,
    /// Its logical id.
    pub id: String,
    /// Its line in the template, from 1.
    pub line: u64,
}

impl Ignored {
    fn of(resource: &resolve::Resource<'_>) -> Self {
        Self { kind: resource.kind.into(), id: resource.id.into(), line: resource.line }
    }
}

impl Template {
    /// Adds a function that gets every request of the HTTP API: `ANY /` and `ANY /{proxy+}`.
    ///
    /// If several functions are added so, the last one gets every request. Use
    /// [`Template::with_routes`] to give each its own routes.
    ///
    /// ```
    /// use rehearse_aws::template::Template;
    ///
    /// let template = Template::default().with_function("Dispatcher");
    /// assert_eq!(template.functions[0].routes[1].key(), "ANY /{proxy+}");
    /// ```
    #[must_use]
    pub fn with_function(self, id: &str) -> Self {
        self.with_routes(id, &[("ANY", "/"), ("ANY", "/{proxy+}")])
    }

    /// Adds a function with these routes, each a method and a path, on the HTTP API.
    ///
    /// A function that is there already gets the routes as well. Methods and paths are taken as
    /// they are: `GET` or `ANY`; `/leads`, `/leads/{id}`, `/{proxy+}` or `$default`.
    #[must_use]
    pub fn with_routes(mut self, id: &str, routes: &[(&str, &str)]) -> Self {
        if self.apis.iter().all(|api| api.id != api::IMPLICIT_HTTP) {
            self.apis.push(Api::http(api::IMPLICIT_HTTP));
        }
        let routes = routes.iter().map(|(method, path)| Route::new(method, path));
        match self.functions.iter_mut().find(|function| function.id == id) {
            Some(function) => function.routes.extend(routes),
            None => {
                let routes = routes.collect();
                self.functions.push(Function { routes, ..Function::new(id) });
            }
        }
        self
    }

    /// Reads a template with the defaults of its parameters.
    ///
    /// # Errors
    /// When the file cannot be read or is larger than AWS takes; when it is not YAML or not a
    /// template that AWS would take, with the line of the mistake.
    pub fn read(path: &Path) -> Result<Self, YamlError> {
        Self::read_with(path, &BTreeMap::new(), &BTreeMap::new())
    }

    /// Reads a template; values in `parameters` go before the defaults, and those of Parameter Store and Secrets Manager
    /// are in `secrets`, by name.
    ///
    /// # Errors
    /// When the file cannot be read or is larger than AWS takes; when it is not YAML or not a
    /// template that AWS would take, with the line of the mistake.
    pub fn read_with(
        path: &Path,
        parameters: &BTreeMap<String, String>,
        secrets: &BTreeMap<String, String>,
    ) -> Result<Self, YamlError> {
        let given = Given { parameters, secrets, folder: path.parent() };
        Self::from_source(&Source::read_within(path, LIMIT)?, given)
    }

    /// Reads a template that may have no function, because only its tables are used.
    ///
    /// # Errors
    /// When the file cannot be read or is larger than AWS takes; when it is not YAML or not a
    /// template that AWS would take, with the line of the mistake.
    pub fn read_tables(
        path: &Path,
        parameters: &BTreeMap<String, String>,
        secrets: &BTreeMap<String, String>,
    ) -> Result<Self, YamlError> {
        let source = Source::read_within(path, LIMIT)?;
        let given = Given { parameters, secrets, folder: path.parent() };
        let (_, template) = Self::of(&source, given)?;
        template.map_err(|error| source.error(error.at, error.message))
    }

    /// Parses the text of a template.
    ///
    /// # Errors
    /// When it is not YAML or not a template that AWS would take, with the line of the mistake.
    pub fn parse(source: &Source) -> Result<Self, YamlError> {
        let none = BTreeMap::new();
        Self::from_source(source, Given { parameters: &none, secrets: &none, folder: None })
    }

    /// The function with this logical id.
    pub fn function(&self, id: &str) -> Option<&Function> {
        self.functions.iter().find(|f| f.id == id)
    }

    /// The API of the first route with this path.
    pub fn api_of(&self, path: &str) -> Option<&Api> {
        let mut routes = self.functions.iter().flat_map(|function| &function.routes);
        let route = routes.find(|route| route.path == path)?;
        self.apis.iter().find(|api| api.id == route.api)
    }

    /// The logical id of the function that another resource names: by its logical id, its name, its ARN, or the ARN of
    /// an alias or a version of it.
    fn id_of(&self, name: &str) -> Option<String> {
        let whole = |name: &str| {
            let known = self.functions.iter().find(|function| function.is_named(name));
            known.map(|function| function.id.clone())
        };
        let unqualified = || name.rsplit_once(':').and_then(|(name, _)| whole(name));
        whole(name).or_else(unqualified)
    }

    fn function_mut(&mut self, id: &str, change: impl FnOnce(&mut Function)) {
        if let Some(function) = self.functions.iter_mut().find(|function| function.id == id) {
            change(function);
        }
    }

    fn from_source(source: &Source, given: Given<'_>) -> Result<Self, YamlError> {
        let (root, template) = Self::of(source, given)?;
        let template = template.and_then(|template| template.with_functions(&root));
        template.map_err(|error| source.error(error.at, error.message))
    }

    /// The template's tree, its loops unrolled, and what it means.
    fn of(
        source: &Source,
        given: Given<'_>,
    ) -> Result<(Node, Result<Self, TemplateError>), YamlError> {
        let root = intrinsic::parse(source)?;
        match language::unrolled(&root, given) {
            Ok(root) => {
                let template = Self::from_root(&root, given);
                Ok((root, template))
            }
            Err(error) => Ok((root, Err(error))),
        }
    }

    fn with_functions(self, root: &Node) -> Result<Self, TemplateError> {
        if self.functions.is_empty() {
            let message =
                "the template has no function (AWS::Serverless::Function or AWS::Lambda::Function)";
            return Err(TemplateError::invalid(root.at, message));
        }
        Ok(self)
    }

    fn from_root(root: &Node, given: Given<'_>) -> Result<Self, TemplateError> {
        let resolver = Resolver::new(root, given)?;
        let mut template = Self::default();
        let mut routes = route::RouteOwners::default();
        let mut read_functions = Vec::new();
        let mut apis = api::Apis::default();
        let (mut rules, mut invoke_configs) = (Vec::new(), Vec::new());
        let resources = resolver.resources()?;
        let plain = plain::read(&resolver, &resources)?;
        let mut urls = Vec::new();
        for resource in &resources {
            if plain::is_part(resource.kind) {
                if !plain::is_claimed(&resolver, &resources, resource)? {
                    template.ignored.push(Ignored::of(resource));
                }
                continue;
            }
            if plain.apis.iter().any(|api| api.id == resource.id) {
                continue;
            }
            if apis.take(&resolver, resource)? {
                continue;
            }
            match resource.kind {
                "AWS::Serverless::Function" | "AWS::Lambda::Function" => {
                    let read = function::read(&resolver, resource)?;
                    read_functions.push((read.function, read.places));
                    template.ignored.extend(read.ignored);
                }
                "AWS::Lambda::Url" => {
                    let ignored = &mut template.ignored;
                    urls.push((resource, code::read_url(&resolver, resource, ignored)?));
                }
                // What they are of is invoked without them.
                "AWS::Lambda::Alias" | "AWS::Lambda::Version" | "AWS::Lambda::Permission" => {}
                "AWS::DynamoDB::Table" | "AWS::DynamoDB::GlobalTable" => {
                    template.tables.push(table::read(&resolver, resource)?);
                }
                "AWS::Serverless::SimpleTable" => {
                    template.tables.push(table::read_simple(&resolver, resource)?);
                }
                "AWS::Events::Rule" => {
                    let (schedules, ignored) = schedule::read_rule(&resolver, resource)?;
                    rules.extend(schedules.into_iter().map(|(arn, rule)| (resource, arn, rule)));
                    template.ignored.extend(ignored);
                }
                "AWS::Lambda::EventInvokeConfig" => {
                    let ignored = &mut template.ignored;
                    let read = asynchronous::read_resource(&resolver, resource, ignored)?;
                    invoke_configs.push((resource, read));
                }
                kind => {
                    if let Some(meant) = misspelt(kind) {
                        let message = format!("there is no type `{kind}`; did you mean `{meant}`?");
                        return Err(TemplateError::invalid(resource.at, message));
                    }
                    template.ignored.push(Ignored::of(resource));
                }
            }
        }
        for (mut function, places) in read_functions {
            let kept = |route: &Route| !apis.with_definition.contains(&route.api);
            let places = function.routes.iter().zip(places).filter(|(route, _)| kept(route));
            let places: Vec<Location> = places.map(|(_, at)| at).collect();
            function.routes.retain(kept);
            routes.claim(&function, &places)?;
            template.functions.push(function);
        }
        template.ignored.extend(plain.defined.ignored);
        let from_sam = std::mem::take(&mut apis.defined);
        for defined in from_sam.into_iter().chain(plain.defined.routes) {
            let Some(id) = template.id_of(&defined.function) else {
                let id = format!("{} of {}", defined.route.key(), defined.route.api);
                let line = defined.route.line;
                template.ignored.push(Ignored {
                    kind: "route to a function elsewhere".into(),
                    id,
                    line,
                });
                continue;
            };
            let merging = apis.merging.contains(&defined.route.api);
            if merging && routes.has(&defined.route) {
                continue;
            }
            routes.claim_one(&id, &defined.route, defined.at)?;
            template.function_mut(&id, |function| function.routes.push(defined.route));
        }
        for (resource, (arn, url, route)) in urls {
            let has_url = |id: &String| template.function(id).is_some_and(|f| f.url.is_some());
            // A second one is of an alias, which is the same function here.
            match template.id_of(&arn).filter(|id| !has_url(id)) {
                Some(id) => template.function_mut(&id, |function| {
                    function.url = Some(url);
                    function.routes.push(route);
                }),
                None => template.ignored.push(Ignored::of(resource)),
            }
        }
        for (resource, arn, rule) in rules {
            match template.id_of(&arn) {
                Some(id) => template.function_mut(&id, |function| function.schedules.push(rule)),
                None => template.ignored.push(Ignored::of(resource)),
            }
        }
        for (resource, (name, read)) in invoke_configs {
            match template.id_of(&name) {
                Some(id) => template.function_mut(&id, |function| function.asynchronous = read),
                None if !name.starts_with("arn:") => {
                    let message = format!("the template has no function `{name}`");
                    return Err(TemplateError::invalid(resource.at, message));
                }
                None => template.ignored.push(Ignored::of(resource)),
            }
        }
        apis.list.extend(plain.apis);
        apis.complete(&resolver, &template.functions)?;
        template.apis = apis.list;
        template.ignored.extend(apis.ignored);
        table::refuse_duplicate_names(&resolver, &template.tables)?;
        template.placeholders = resolver.take_placeholders();
        Ok(template)
    }
}

/// Types of resources that are read.
const TYPES: [&str; 13] = [
    "AWS::ApiGateway::RestApi",
    "AWS::ApiGatewayV2::Api",
    "AWS::DynamoDB::GlobalTable",
    "AWS::Lambda::Function",
    "AWS::Lambda::Permission",
    "AWS::Lambda::Url",
    "AWS::Serverless::Function",
    "AWS::Serverless::HttpApi",
    "AWS::Serverless::Api",
    "AWS::Serverless::SimpleTable",
    "AWS::DynamoDB::Table",
    "AWS::Events::Rule",
    "AWS::Lambda::EventInvokeConfig",
];

/// The type that a misspelt one stands for. It is looked at part by part, since whole names of different
/// services are alike.
fn misspelt(kind: &str) -> Option<&'static str> {
    let parts: Vec<&str> = kind.split("::").collect();
    let alike = |known: &&&str| {
        let known: Vec<&str> = known.split("::").collect();
        let same = |(part, known): (&&str, &&str)| {
            part == known || names::nearest(part, [*known]).is_some()
        };
        known.len() == parts.len() && parts.iter().zip(&known).all(same)
    };
    if TYPES.contains(&kind) {
        return None;
    }
    TYPES.iter().find(alike).copied()
}
