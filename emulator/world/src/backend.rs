//! What all worlds of a process share: made once, since building it costs more than a scenario.

use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use super::{Outside, Processes, WorldError};
use rehearse_aws::{
    Function,
    template::{RoutePath, Settings, Template, Webhook},
};
use rehearse_core::{threads::Threads, yaml::YamlError};
use rehearse_dynamodb::{
    Service,
    fixture::{self, Rows},
};

/// A backend under test: its code, its template, its settings. Clones share it.
#[derive(Clone)]
pub struct Backend {
    shared: Arc<Shared>,
    databases: Service,
}

pub(super) struct Shared {
    pub(super) functions: Vec<Function>,
    /// Takes the place of the functions.
    pub(super) outside: Option<Outside>,
    pub(super) processes: Processes,
    pub(super) template: Template,
    pub(super) settings: Settings,
    pub(super) threads: Threads,
    pub(super) web: reqwest::Client,
    /// Files of rows by their name without ending.
    fixtures: BTreeMap<String, PathBuf>,
    /// Those that were read.
    read: Mutex<BTreeMap<String, Arc<Rows>>>,
}

impl Backend {
    /// A backend whose settings stand in the folder `root`.
    ///
    /// # Errors
    /// When template and code name different functions, or the shared client or threads fail.
    pub fn new(
        functions: Vec<Function>,
        template: Template,
        settings: Settings,
        root: &Path,
    ) -> Result<Self, WorldError> {
        Self::with_processes(functions, Processes::default(), template, settings, root)
    }

    /// A backend some of whose functions are processes, and how these are run.
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
        Self::build(functions, None, processes, template, settings, root)
    }

    /// A backend whose functions nobody runs: what is written about it can be checked.
    ///
    /// # Errors
    /// When the webhook leads nowhere, or the shared client or threads fail.
    pub fn without_code(
        template: Template,
        settings: Settings,
        root: &Path,
    ) -> Result<Self, WorldError> {
        if let Some(webhook) = &settings.webhook {
            check_webhook(&template, webhook)?;
        }
        Self::build(Vec::new(), None, Processes::default(), template, settings, root)
    }

    /// A backend that somebody else started; of the template only the tables count.
    ///
    /// # Errors
    /// When the shared client or threads fail.
    pub fn outside(
        outside: Outside,
        template: Template,
        mut settings: Settings,
        root: &Path,
    ) -> Result<Self, WorldError> {
        // The URL that is given stands for the route that is written.
        if let Ok(route) = RoutePath::try_from(outside.url().path().to_owned()) {
            let webhook = settings.webhook.get_or_insert_with(|| Webhook::to(route.clone()));
            let written = std::mem::replace(&mut webhook.route, route.clone());
            webhook.fallback =
                webhook.fallback.take().map(|f| if f == written { route } else { f });
        }
        let processes = Processes::default();
        Self::build(Vec::new(), Some(outside), processes, template, settings, root)
    }

    fn build(
        functions: Vec<Function>,
        outside: Option<Outside>,
        processes: Processes,
        template: Template,
        settings: Settings,
        root: &Path,
    ) -> Result<Self, WorldError> {
        // Already installed by the caller: fine.
        let _ = rustls::crypto::ring::default_provider().install_default();
        // Without certificates: loading them costs more than a whole scenario.
        let web = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .tls_certs_only([])
            .build()
            .map_err(WorldError::Client)?;
        let threads =
            Threads::start().map_err(|source| WorldError::Part { part: "threads", source })?;
        let fixtures = fixtures(&root.join(&settings.paths.fixtures));
        let read = Mutex::default();
        let shared = Shared {
            functions,
            outside,
            processes,
            template,
            settings,
            threads,
            web,
            fixtures,
            read,
        };
        Ok(Self { shared: Arc::new(shared), databases: Service::embedded() })
    }

    /// The same backend, its tables kept by another service than embedded engines.
    #[must_use]
    pub fn with_databases(self, databases: Service) -> Self {
        Self { databases, ..self }
    }

    /// Its template.
    pub fn template(&self) -> &Template {
        &self.shared.template
    }

    /// Where it is, when somebody else started it.
    pub fn is_outside(&self) -> Option<&Outside> {
        self.shared.outside.as_ref()
    }

    /// Its settings.
    pub fn settings(&self) -> &Settings {
        &self.shared.settings
    }

    /// The HTTP client that worlds share: loopback only, no redirects.
    pub fn web(&self) -> &reqwest::Client {
        &self.shared.web
    }

    /// The threads that worlds live on.
    pub fn threads(&self) -> &Threads {
        &self.shared.threads
    }

    /// Names of the fixtures.
    pub fn fixtures(&self) -> impl Iterator<Item = &str> {
        self.shared.fixtures.keys().map(String::as_str)
    }

    /// The rows of a fixture, checked against the tables.
    ///
    /// # Errors
    /// What is wrong with the file, with its place.
    pub fn fixture(&self, name: &str) -> Result<Arc<Rows>, YamlError> {
        let mut read = self.shared.read.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(rows) = read.get(name) {
            return Ok(Arc::clone(rows));
        }
        // An unknown name is reported as the file that is not there.
        let path = self.shared.fixtures.get(name).map_or(Path::new(name), PathBuf::as_path);
        let rows = Arc::new(fixture::read(path, &self.shared.template.tables)?);
        read.insert(name.to_owned(), Arc::clone(&rows));
        Ok(rows)
    }

    pub(super) fn shared(&self) -> &Shared {
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

fn check_webhook(template: &Template, webhook: &Webhook) -> Result<(), WorldError> {
    let route = webhook.route.as_str();
    let mut routes = template.functions.iter().flat_map(|f| &f.routes);
    // A route with variables or `$default` may serve it as well; the gateway decides then.
    let served = routes.any(|r| r.path == route || r.path.contains(['{', '$']));
    if !served {
        return Err(WorldError::Webhook { route: route.into() });
    }
    let Some(domain) = webhook.domain.as_deref() else { return Ok(()) };
    let known = template.api_of(route).and_then(|api| api.domain.as_ref());
    if known.is_some_and(|known| known.name.eq_ignore_ascii_case(domain)) {
        return Ok(());
    }
    let known = known.map(|known| known.name.clone());
    Err(WorldError::Domain { route: route.into(), domain: domain.into(), known })
}

/// Files of rows in a folder; none when there is no folder.
fn fixtures(folder: &Path) -> BTreeMap<String, PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return BTreeMap::new() };
    entries
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.extension().is_some_and(|e| e == "json" || e == "yaml" || e == "yml"))
        .filter_map(|path| Some((path.file_stem()?.to_str()?.to_owned(), path.clone())))
        .collect()
}
