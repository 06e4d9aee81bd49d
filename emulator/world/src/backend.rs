//! A backend under test. All worlds of a process share one, because building it costs more than
//! running a scenario.

use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use super::{ExternalBackend, Processes, WorldError, environment};
use rehearse_aws::{
    Function, function,
    template::{MessagingService, RoutePath, Settings, Template, Webhook},
};
use rehearse_core::{threads::Threads, yaml::YamlError};
use rehearse_dynamodb::{
    Service,
    fixture::{self, Rows},
};
use url::Url;

/// A backend under test: its code, its template, its settings. Clones share it.
#[derive(Clone)]
pub struct Backend {
    shared: Arc<BackendParts>,
    databases: Service,
}

/// What the clones of a backend share.
pub(super) struct BackendParts {
    pub(super) functions: Vec<Function>,
    /// Replaces the functions, if somebody else started the backend.
    pub(super) external: Option<ExternalBackend>,
    pub(super) processes: Processes,
    pub(super) template: Template,
    pub(super) settings: Settings,
    pub(super) threads: Threads,
    pub(super) web: reqwest::Client,
    /// Calls webhooks and callbacks, as Twilio.
    pub(super) webhooks: reqwest::Client,
    /// Fixture files by their name without extension.
    fixtures: BTreeMap<String, PathBuf>,
    /// Fixtures that were read before.
    read: Mutex<BTreeMap<String, Arc<Rows>>>,
}

impl Backend {
    /// A backend whose functions run in this process. `root` is the folder that paths in the
    /// settings start from.
    ///
    /// # Errors
    /// The template and the code name different functions, the settings have no webhook or one that
    /// no function serves, or the HTTP client or threads cannot be created.
    pub fn new(
        functions: Vec<Function>,
        template: Template,
        settings: Settings,
        root: &Path,
    ) -> Result<Self, WorldError> {
        Self::with_processes(functions, Processes::default(), template, settings, root)
    }

    /// As [`Backend::new`], with options for functions that run as processes.
    ///
    /// # Errors
    /// As [`Backend::new`].
    pub fn with_processes(
        functions: Vec<Function>,
        processes: Processes,
        template: Template,
        settings: Settings,
        root: &Path,
    ) -> Result<Self, WorldError> {
        check_code(&functions, &template)?;
        check_webhook(&template, settings.webhook.as_ref().ok_or(WorldError::NoWebhook)?)?;
        check_numbers(&template, &settings)?;
        Self::build(functions, None, processes, template, settings, root)
    }

    /// A backend without code. For static checks, and for worlds that consist of fakes only; no
    /// function is executed.
    ///
    /// # Errors
    /// No function serves the webhook that the settings name, or the HTTP client or threads cannot
    /// be created.
    pub fn without_code(
        template: Template,
        settings: Settings,
        root: &Path,
    ) -> Result<Self, WorldError> {
        if let Some(webhook) = &settings.webhook {
            check_webhook(&template, webhook)?;
        }
        check_numbers(&template, &settings)?;
        Self::build(Vec::new(), None, Processes::default(), template, settings, root)
    }

    /// An external backend: somebody else started it, and it is reached by its URL. Only the tables
    /// of the template are used.
    ///
    /// With `[webhook] domain` the backend is called at its URL and signed for the domain, as behind a
    /// proxy that ends TLS.
    ///
    /// # Errors
    /// The domain of the settings is not a host name, or the HTTP client or threads cannot be created.
    pub fn external(
        external: ExternalBackend,
        template: Template,
        mut settings: Settings,
        root: &Path,
    ) -> Result<Self, WorldError> {
        // The given URL replaces the route in the settings.
        if let Ok(route) = RoutePath::try_from(external.url().path().to_owned()) {
            let webhook = settings.webhook.get_or_insert_with(|| Webhook::to(route.clone()));
            let written = std::mem::replace(&mut webhook.route, route.clone());
            webhook.fallback =
                webhook.fallback.take().map(|f| if f == written { route } else { f });
        }
        if let Some(domain) = settings.webhook.as_ref().and_then(|webhook| webhook.domain.as_ref())
            && !is_host(domain)
        {
            return Err(WorldError::NotAHost { domain: domain.clone() });
        }
        let processes = Processes::default();
        Self::build(Vec::new(), Some(external), processes, template, settings, root)
    }

    fn build(
        functions: Vec<Function>,
        external: Option<ExternalBackend>,
        processes: Processes,
        template: Template,
        settings: Settings,
        root: &Path,
    ) -> Result<Self, WorldError> {
        // An error means that the caller installed one already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        // Without certificates, because loading them takes longer than a whole scenario.
        let web = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .tls_certs_only([])
            .build()
            .map_err(WorldError::Client)?;
        let webhooks = rehearse_twilio::webhook_client()
            .map_err(|source| WorldError::Part { part: "twilio", source })?;
        let threads =
            Threads::start().map_err(|source| WorldError::Part { part: "threads", source })?;
        let fixtures = fixtures(&root.join(&settings.paths.fixtures));
        let read = Mutex::default();
        let shared = BackendParts {
            functions,
            external,
            processes,
            template,
            settings,
            threads,
            web,
            webhooks,
            fixtures,
            read,
        };
        Ok(Self { shared: Arc::new(shared), databases: Service::embedded() })
    }

    /// Keeps the tables in this database service instead of embedded engines.
    #[must_use]
    pub fn with_databases(self, databases: Service) -> Self {
        Self { databases, ..self }
    }

    /// The template.
    pub fn template(&self) -> &Template {
        &self.shared.template
    }

    /// Whether its functions have a value of this variable that neither template nor settings give:
    /// those that run as processes find the fakes by themselves.
    pub fn gives(&self, variable: &str) -> bool {
        let in_process =
            |function: &Function| matches!(function.code(), function::Code::InProcess(_));
        !self.shared.functions.iter().any(in_process) && environment::is_given(variable)
    }

    /// Where the backend is reached, if somebody else started it.
    pub fn external_backend(&self) -> Option<&ExternalBackend> {
        self.shared.external.as_ref()
    }

    /// The settings.
    pub fn settings(&self) -> &Settings {
        &self.shared.settings
    }

    /// The HTTP client that all worlds of this backend share. It follows no redirects, uses no
    /// proxy and trusts no certificates.
    pub fn web(&self) -> &reqwest::Client {
        &self.shared.web
    }

    /// The threads that worlds run on.
    pub fn threads(&self) -> &Threads {
        &self.shared.threads
    }

    /// The names of all fixtures.
    pub fn fixtures(&self) -> impl Iterator<Item = &str> {
        self.shared.fixtures.keys().map(String::as_str)
    }

    /// The rows of a fixture, checked against the tables. The file is read once.
    ///
    /// # Errors
    /// The file is missing, is not YAML or JSON, or has a row that does not fit its table; the error
    /// names the line.
    pub fn fixture(&self, name: &str) -> Result<Arc<Rows>, YamlError> {
        let mut read = self.shared.read.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(rows) = read.get(name) {
            return Ok(Arc::clone(rows));
        }
        // An unknown name is reported as a missing file.
        let path = self.shared.fixtures.get(name).map_or(Path::new(name), PathBuf::as_path);
        let rows = Arc::new(fixture::read(path, &self.shared.template.tables)?);
        read.insert(name.to_owned(), Arc::clone(&rows));
        Ok(rows)
    }

    pub(super) fn shared(&self) -> &BackendParts {
        &self.shared
    }

    pub(super) fn databases(&self) -> &Service {
        &self.databases
    }
}

impl fmt::Debug for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Backend").field("functions", &self.shared.functions).finish_non_exhaustive()
    }
}

fn check_code(functions: &[Function], template: &Template) -> Result<(), WorldError> {
    let in_code: Vec<&str> = functions.iter().map(Function::id).collect();
    let in_template: Vec<&str> = template.functions.iter().map(|f| f.id.as_str()).collect();
    let list = |ids: &[&str]| if ids.is_empty() { "none".into() } else { ids.join(", ") };
    if let Some(id) = in_template.iter().find(|id| !in_code.contains(id)) {
        let message =
            format!("the template's function {id} has no code (code: {})", list(&in_code));
        return Err(WorldError::Functions(message));
    }
    if let Some(id) = in_code.iter().find(|id| !in_template.contains(id)) {
        let message =
            format!("the function {id} is not in the template (template: {})", list(&in_template));
        return Err(WorldError::Functions(message));
    }
    Ok(())
}

/// Whether a function serves a route that texts are posted to.
fn check_route(template: &Template, route: &str) -> Result<(), WorldError> {
    let mut routes = template.functions.iter().flat_map(|f| &f.routes);
    // A route with variables or `$default` may serve it too: the gateway decides that per request.
    let is_served = routes.any(|r| r.path == route || r.path.contains(['{', '$']));
    if is_served { Ok(()) } else { Err(WorldError::Webhook { route: route.into() }) }
}

/// Whether the routes of the account's other numbers and of its Messaging Services are served.
fn check_numbers(template: &Template, settings: &Settings) -> Result<(), WorldError> {
    let numbers = settings.twilio.numbers.iter().filter_map(|number| number.route.as_ref());
    let of_service = |service: &MessagingService| {
        [service.route.clone(), service.fallback.clone(), service.status_callback.clone()]
    };
    let services: Vec<_> = settings.twilio.services.iter().flat_map(of_service).flatten().collect();
    let mut routes = numbers.chain(&services);
    routes.try_for_each(|route| check_route(template, route.as_str()))
}

fn check_webhook(template: &Template, webhook: &Webhook) -> Result<(), WorldError> {
    let route = webhook.route.as_str();
    check_route(template, route)?;
    let Some(domain) = webhook.domain.as_deref() else { return Ok(()) };
    let known = template.api_of(route).and_then(|api| api.domain.as_ref());
    if known.is_some_and(|known| known.name.eq_ignore_ascii_case(domain)) {
        return Ok(());
    }
    let known = known.map(|known| known.name.clone());
    Err(WorldError::Domain { route: route.into(), domain: domain.into(), known })
}

/// Whether this is a host name as it stands in a URL: no scheme, no port, no path.
fn is_host(domain: &str) -> bool {
    let url = Url::parse(&format!("https://{domain}/"));
    url.is_ok_and(|url| url.host_str() == Some(&domain.to_ascii_lowercase()))
}

/// Fixture files in a folder; none if the folder does not exist.
fn fixtures(folder: &Path) -> BTreeMap<String, PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return BTreeMap::new() };
    entries
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.extension().is_some_and(|e| e == "json" || e == "yaml" || e == "yml"))
        .filter_map(|path| Some((path.file_stem()?.to_str()?.to_owned(), path.clone())))
        .collect()
}
