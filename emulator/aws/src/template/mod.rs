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
mod function;
mod intrinsic;
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

use self::resolve::{Resolver, TemplateError};
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
        Self::read_with(path, &BTreeMap::new())
    }

    /// Reads a template; values in `parameters` go before the defaults.
    ///
    /// # Errors
    /// When the file cannot be read or is larger than AWS takes; when it is not YAML or not a
    /// template that AWS would take, with the line of the mistake.
    pub fn read_with(
        path: &Path,
        parameters: &BTreeMap<String, String>,
    ) -> Result<Self, YamlError> {
        Self::from_source(&Source::read_within(path, LIMIT)?, parameters)
    }

    /// Reads a template that may have no function, because only its tables are used.
    ///
    /// # Errors
    /// When the file cannot be read or is larger than AWS takes; when it is not YAML or not a
    /// template that AWS would take, with the line of the mistake.
    pub fn read_tables(
        path: &Path,
        parameters: &BTreeMap<String, String>,
    ) -> Result<Self, YamlError> {
        let source = Source::read_within(path, LIMIT)?;
        let root = intrinsic::parse(&source)?;
        Self::from_root(&root, parameters).map_err(|error| source.error(error.at, error.message))
    }

    /// Parses the text of a template.
    ///
    /// # Errors
    /// When it is not YAML or not a template that AWS would take, with the line of the mistake.
    pub fn parse(source: &Source) -> Result<Self, YamlError> {
        Self::from_source(source, &BTreeMap::new())
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

    /// The function that another resource names: by its logical id, its name or its ARN.
    fn named_function(&mut self, name: &str, at: Location) -> Result<&mut Function, TemplateError> {
        let known = self.functions.iter().find(|function| function.is_named(name));
        let Some(id) = known.map(|function| function.id.clone()) else {
            let message = format!("the template has no function `{name}`");
            return Err(TemplateError::invalid(at, message));
        };
        let mut functions = self.functions.iter_mut();
        functions.find(|function| function.id == id).ok_or_else(|| {
            TemplateError::invalid(at, format!("the template has no function `{name}`"))
        })
    }

    fn from_source(
        source: &Source,
        parameters: &BTreeMap<String, String>,
    ) -> Result<Self, YamlError> {
        let root = intrinsic::parse(source)?;
        let template = Self::from_root(&root, parameters);
        let template = template.and_then(|template| template.with_functions(&root));
        template.map_err(|error| source.error(error.at, error.message))
    }

    fn with_functions(self, root: &Node) -> Result<Self, TemplateError> {
        if self.functions.is_empty() {
            let message = "the template has no function (AWS::Serverless::Function)";
            return Err(TemplateError::invalid(root.at, message));
        }
        Ok(self)
    }

    fn from_root(
        root: &Node,
        parameters: &BTreeMap<String, String>,
    ) -> Result<Self, TemplateError> {
        let resolver = Resolver::new(root, parameters)?;
        let (functions, apis) = (Vec::new(), Vec::new());
        let mut template = Self { functions, apis, tables: Vec::new(), ignored: Vec::new() };
        let mut routes = route::RouteOwners::default();
        let mut apis = api::Apis::default();
        let (mut rules, mut invoke_configs) = (Vec::new(), Vec::new());
        for resource in resolver.resources()? {
            if apis.take(&resolver, &resource)? {
                continue;
            }
            match resource.kind {
                "AWS::Serverless::Function" => {
                    let read = function::read(&resolver, &resource)?;
                    routes.claim(&read.function, &read.places)?;
                    template.functions.push(read.function);
                    template.ignored.extend(read.ignored);
                }
                "AWS::DynamoDB::Table" => template.tables.push(table::read(&resolver, &resource)?),
                "AWS::Serverless::SimpleTable" => {
                    template.tables.push(table::read_simple(&resolver, &resource)?);
                }
                "AWS::Events::Rule" => {
                    let (schedules, ignored) = schedule::read_rule(&resolver, &resource)?;
                    let at = resource.at;
                    rules.extend(schedules.into_iter().map(|(arn, rule)| (at, arn, rule)));
                    template.ignored.extend(ignored);
                }
                "AWS::Lambda::EventInvokeConfig" => {
                    let ignored = &mut template.ignored;
                    let read = asynchronous::read_resource(&resolver, &resource, ignored)?;
                    invoke_configs.push((resource.at, read));
                }
                kind => {
                    if let Some(meant) = misspelt(kind) {
                        let message = format!("there is no type `{kind}`; did you mean `{meant}`?");
                        return Err(TemplateError::invalid(resource.at, message));
                    }
                    template.ignored.push(Ignored {
                        kind: kind.into(),
                        id: resource.id.into(),
                        line: resource.line,
                    });
                }
            }
        }
        for (at, arn, rule) in rules {
            template.named_function(&arn, at)?.schedules.push(rule);
        }
        for (at, (name, read)) in invoke_configs {
            template.named_function(&name, at)?.asynchronous = read;
        }
        apis.complete(&resolver, &template.functions)?;
        template.apis = apis.list;
        template.ignored.extend(apis.ignored);
        table::refuse_duplicate_names(&resolver, &template.tables)?;
        Ok(template)
    }
}

/// Types of resources that are read.
const TYPES: [&str; 7] = [
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
    TYPES.iter().filter(|known| **known != kind).find(alike).copied()
}
