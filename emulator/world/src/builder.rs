//! Builds a world in code, for tests in Rust: no template, no settings and no files are needed.

use std::{collections::BTreeMap, path::PathBuf, str::FromStr};

use axum::Router;
use jiff::Timestamp;
use rehearse_aws::{
    Executable, Function,
    function::BuildError,
    template::{Ports, RoutePath, Settings, Template, TextTemplate, Webhook},
};
use rehearse_core::{clock::Clock, table::TableSpec};
use rehearse_dynamodb::Service;
use rehearse_twilio::NumberConfig;

use crate::{Backend, Bind, World, WorldConfig, WorldError};

/// Route that texts are posted to when nothing else is said.
const DEFAULT_WEBHOOK: &str = "/sms";

/// In each function's environment unless settings are given: the addresses and credentials of the
/// fakes under the names that SDKs read.
const DEFAULT_ENVIRONMENT: [(&str, &str); 11] = [
    ("OPENAI_BASE_URL", "{openai}/v1"),
    ("OPENAI_API_KEY", "{api_key}"),
    ("TWILIO_API_BASE_URL", "{twilio}"),
    ("TWILIO_ACCOUNT_SID", "{account_sid}"),
    ("TWILIO_AUTH_TOKEN", "{auth_token}"),
    ("TWILIO_PHONE_NUMBER", "{number}"),
    ("AWS_ENDPOINT_URL_DYNAMODB", "{dynamodb}/fn/{function}"),
    ("AWS_ENDPOINT_URL_LAMBDA", "{lambda}/fn/{function}"),
    ("AWS_REGION", "us-east-1"),
    ("AWS_ACCESS_KEY_ID", "rehearse"),
    ("AWS_SECRET_ACCESS_KEY", "rehearse"),
];

/// The variables that a function is started with.
pub type Environment = BTreeMap<String, String>;

/// What a function of a [`WorldBuilder`] may be: a router, a closure that builds a router from the
/// function's environment, or a program that speaks the Lambda Runtime API.
pub trait IntoFunction {
    /// The function under its logical id.
    fn into_function(self, id: &str) -> Function;
}

impl IntoFunction for Router {
    fn into_function(self, id: &str) -> Function {
        Function::new(id, move |_| Ok(self.clone()))
    }
}

impl IntoFunction for Executable {
    fn into_function(self, id: &str) -> Function {
        Function::lambda(id, self)
    }
}

impl<F, R> IntoFunction for F
where
    F: Fn(&Environment) -> R + Send + Sync + 'static,
    R: IntoRouter,
{
    fn into_function(self, id: &str) -> Function {
        Function::new(id, move |environment| self(environment).into_router())
    }
}

/// What a closure given to [`WorldBuilder::function`] may return: a router, or a result with one.
pub trait IntoRouter {
    /// The router.
    ///
    /// # Errors
    /// Why the function could not be built.
    fn into_router(self) -> Result<Router, BuildError>;
}

impl IntoRouter for Router {
    fn into_router(self) -> Result<Router, BuildError> {
        Ok(self)
    }
}

impl<E: Into<BuildError>> IntoRouter for Result<Router, E> {
    fn into_router(self) -> Result<Router, BuildError> {
        self.map_err(Into::into)
    }
}

/// Builds a [`World`]; see [`World::builder`].
#[derive(Debug)]
#[must_use = "a world starts with `start`"]
pub struct WorldBuilder {
    functions: Vec<(String, Function)>,
    template: Option<Template>,
    settings: Option<Settings>,
    root: PathBuf,
    tables: Vec<TableSpec>,
    environment: Environment,
    webhook: Option<String>,
    now: Option<String>,
    bind: Bind,
    databases: Service,
    seed: u64,
    verify: bool,
}

impl WorldBuilder {
    pub(super) fn new() -> Self {
        Self {
            functions: Vec::new(),
            template: None,
            settings: None,
            root: PathBuf::new(),
            tables: Vec::new(),
            environment: Environment::new(),
            webhook: None,
            now: None,
            bind: Bind::Free,
            databases: Service::embedded(),
            seed: 0,
            verify: true,
        }
    }

    /// Adds a function: a router, a closure that builds one from the function's environment, or an
    /// [`Executable`].
    ///
    /// Without a template the function serves every path that belongs to no other function. With
    /// one, `id` is its logical id there, and the template says its routes.
    pub fn function(self, id: &str, code: impl IntoFunction) -> Self {
        self.function_at("/", id, code)
    }

    /// Adds a function that serves `path` and every path below it. With a template, the template's
    /// routes count instead.
    pub fn function_at(mut self, path: &str, id: &str, code: impl IntoFunction) -> Self {
        self.functions.push((path.to_owned(), code.into_function(id)));
        self
    }

    /// Adds tables to the database; without this and without a template there are none.
    pub fn tables(mut self, tables: impl IntoIterator<Item = TableSpec>) -> Self {
        self.tables.extend(tables);
        self
    }

    /// Describes functions, routes and tables by an AWS SAM template.
    pub fn template(mut self, template: Template) -> Self {
        self.template = Some(template);
        self
    }

    /// Uses these settings, as `rehearse.toml` holds them, instead of the built-in ones; `root` is
    /// the folder that paths in them start from.
    pub fn settings(mut self, settings: Settings, root: impl Into<PathBuf>) -> Self {
        (self.settings, self.root) = (Some(settings), root.into());
        self
    }

    /// Sets the route that texts are posted to; `/sms` by default.
    pub fn webhook(mut self, route: &str) -> Self {
        self.webhook = Some(route.to_owned());
        self
    }

    /// Stops business time at an instant, such as `2026-02-10T15:10:00-05:00`. Without this it
    /// follows the machine's clock.
    pub fn now(mut self, instant: &str) -> Self {
        self.now = Some(instant.to_owned());
        self
    }

    /// Sets a variable in the environment of every function.
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Listens on these ports instead of free ones.
    pub fn ports(mut self, ports: Ports) -> Self {
        self.bind = Bind::Fixed(ports);
        self
    }

    /// Keeps the tables in this service instead of an embedded engine.
    pub fn databases(mut self, databases: Service) -> Self {
        self.databases = databases;
        self
    }

    /// Derives message ids and chances from this seed; 0 by default.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Does not verify expectations when the world is dropped; [`World::verify`] still does.
    pub fn without_verification(mut self) -> Self {
        self.verify = false;
        self
    }

    /// Starts every part inside the current tokio runtime and waits until all accept connections.
    ///
    /// # Errors
    /// A time, route or template that cannot be read, two functions on one path, a function that
    /// does not start, a busy port, or a part that fails to start.
    pub async fn start(self) -> Result<World, WorldError> {
        let clock = match &self.now {
            None => Clock::running(),
            Some(text) => Clock::stopped(
                Timestamp::from_str(text)
                    .map_err(|source| WorldError::Time { text: text.clone(), source })?,
            ),
        };
        let has_code = !self.functions.is_empty();
        let mut template = match self.template {
            Some(template) => template,
            None if has_code => described(&self.functions)?,
            None => Template::default(),
        };
        template.tables.extend(self.tables);
        let mut settings = match self.settings {
            Some(settings) => settings,
            None => default_settings()?,
        };
        if has_code && (self.webhook.is_some() || settings.webhook.is_none()) {
            let route = self.webhook.unwrap_or_else(|| DEFAULT_WEBHOOK.to_owned());
            let route = RoutePath::try_from(route).map_err(WorldError::Route)?;
            settings.webhook = Some(Webhook::to(route));
        }
        let functions = self.functions.into_iter().map(|(_, function)| function).collect();
        let backend = if has_code {
            Backend::new(functions, template, settings, &self.root)?
        } else {
            Backend::without_code(template, settings, &self.root)?
        };
        let backend = backend.with_databases(self.databases);
        let config = WorldConfig {
            bind: self.bind,
            environment: self.environment,
            number: NumberConfig::default(),
            seed: self.seed,
            ..WorldConfig::new(backend, clock)
        };
        let mut world = World::start(config).await?;
        world.verify_on_drop(self.verify);
        Ok(world)
    }
}

fn default_settings() -> Result<Settings, WorldError> {
    let pattern =
        |text: &str| TextTemplate::try_from(text.to_owned()).map_err(WorldError::Environment);
    let environment = DEFAULT_ENVIRONMENT
        .iter()
        .map(|(name, value)| Ok(((*name).to_owned(), pattern(value)?)))
        .collect::<Result<_, WorldError>>()?;
    Ok(Settings { environment, ..Settings::default() })
}

/// A template with these functions, each behind the HTTP API under its path.
fn described(functions: &[(String, Function)]) -> Result<Template, WorldError> {
    let mut template = Template::default();
    for (at, (path, function)) in functions.iter().enumerate() {
        let base = path.trim_end_matches('/');
        if !base.is_empty() && !base.starts_with('/') {
            return Err(WorldError::Route(format!("the path '{path}' does not begin with '/'")));
        }
        let same = |(other, _): &&(String, Function)| other.trim_end_matches('/') == base;
        if let Some((_, other)) = functions[..at].iter().find(same) {
            let (one, two) = (other.id(), function.id());
            return Err(WorldError::Functions(format!(
                "the functions {one} and {two} both serve {base}/: give one of them another path \
                 with `function_at`"
            )));
        }
        let own = if base.is_empty() { "/" } else { base };
        let below = format!("{base}/{{proxy+}}");
        template = template.with_routes(function.id(), &[("ANY", own), ("ANY", &below)]);
    }
    Ok(template)
}
