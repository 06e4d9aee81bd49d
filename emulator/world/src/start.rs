//! Starting the parts of a world, and what a runner does with them.

use std::{collections::BTreeMap, fmt, io, sync::Arc};

use jiff::{Timestamp, tz::TimeZone};
use uuid::Uuid;

use super::{
    Backend, Outside, WorldConfig, WorldError,
    listen::{Listeners, on_tokio},
};
use rehearse_aws::{
    function,
    gateway::{Code, End, Gateway, INIT_TIMEOUT, Lambda},
    secrets::{self, Secrets, Session},
    template::{Api, Endpoints, Template},
};
use rehearse_core::{
    clock::Clock,
    faults::{CrashKind, Faults},
    journal::Journal,
};
use rehearse_dynamodb::{Database, StartError};
use rehearse_openai::{self as openai, OpenAi};
use rehearse_twilio::{self as twilio, NumberConfig, Twilio};

/// A running world. Dropping it stops every part.
pub struct World {
    // Declared in the order in which they stop: callers before those whom they call.
    /// None in front of a backend that somebody else started.
    gateway: Option<Gateway>,
    twilio: twilio::Server,
    openai: OpenAi,
    database: Database,
    secrets: secrets::Server,
    endpoints: Endpoints,
    journal: Journal,
    clock: Clock,
    faults: Faults,
    environments: BTreeMap<String, BTreeMap<String, String>>,
    /// The number as it was at the start.
    number: NumberConfig,
}

impl World {
    /// Starts every part inside the current tokio runtime.
    ///
    /// # Errors
    /// A busy port, a function that does not start, a part that fails.
    pub async fn start(config: WorldConfig) -> Result<Self, WorldError> {
        let WorldConfig { backend, clock, bind, environment, number, seed, throttling, journal } =
            config;
        let shared = backend.shared();
        let (settings, template) = (&shared.settings, &shared.template);
        let processes = &shared.processes;
        let journal = match journal {
            Some(limits) => Journal::bounded(clock.clone(), limits),
            None => Journal::new(clock.clone()),
        };
        let faults = Faults::default();
        let outside = shared.outside.as_ref();
        let listeners = Listeners::open(bind, outside.is_none())?;
        let endpoints = endpoints(&listeners, outside)?;
        let port = secrets_port(&listeners)?;
        let part = |part| move |source| WorldError::Part { part, source };

        let database = Database::start(
            listeners.dynamodb,
            &shared.threads,
            backend.databases(),
            &template.tables,
            journal.clone(),
            faults.clone(),
        )
        .await
        .map_err(|source| match source {
            StartError::Service(source) => WorldError::Database(source),
            StartError::Serve(source) => part("dynamodb")(source),
        })?;
        let openai = OpenAi::start(
            on_tokio("openai", listeners.openai)?,
            openai::Options {
                api_key: settings.openai.api_key.clone(),
                ..openai::Options::default()
            },
            journal.clone(),
            clock.clone(),
            faults.clone(),
        )
        .map_err(part("openai"))?;
        let number = with_webhook(number, &backend, &endpoints.gateway);
        let seed = outside.map_or(seed, |_| Uuid::new_v4().as_u64_pair().0);
        let options = twilio::Options {
            account_sid: settings.twilio.account_sid.clone(),
            auth_token: settings.twilio.auth_token.clone(),
            number: settings.twilio.number.to_string(),
            config: number.clone(),
            seed,
            hosts: hosts(template, &endpoints.gateway),
            ..twilio::Options::default()
        };
        let twilio = Twilio::start(
            on_tokio("twilio", listeners.twilio)?,
            options,
            journal.clone(),
            clock.clone(),
            faults.clone(),
            shared.web.clone(),
        )
        .map_err(part("twilio"))?;

        let mut apis = template.apis.clone();
        if !throttling {
            apis.iter_mut().for_each(Api::unthrottled);
        }
        let mut environments: BTreeMap<String, BTreeMap<String, String>> = template
            .functions
            .iter()
            .map(|function| {
                let mut variables = function.env.clone();
                variables.insert("AWS_SESSION_TOKEN".into(), Session::token(&function.id));
                if function.layers.iter().any(|layer| Session::is_extension(layer)) {
                    let name = "PARAMETERS_SECRETS_EXTENSION_HTTP_PORT";
                    variables.insert(name.into(), port.to_string());
                }
                variables.extend(settings.environment(&endpoints, &function.id));
                variables.extend(environment.clone());
                (function.id.clone(), variables)
            })
            .collect();
        if outside.is_some() {
            // What its owner exported, for `{{ env.NAME }}`.
            environments.insert(String::new(), settings.environment(&endpoints, ""));
        }
        let secrets = Secrets::start(
            on_tokio("secrets", listeners.secrets)?,
            secrets::Options {
                values: settings.secrets(&endpoints),
                sessions: sessions(&environments),
            },
            journal.clone(),
            faults.clone(),
        )
        .map_err(part("secrets"))?;
        let mut functions = Vec::new();
        for function in &template.functions {
            let variables = &environments[&function.id];
            let code = shared.functions.iter().find(|code| code.id() == function.id);
            let Some(code) = code else { continue };
            let code = match code.code() {
                function::Code::InProcess(build) => {
                    Code::Router(build(variables).map_err(|source| WorldError::Function {
                        id: function.id.clone(),
                        source,
                    })?)
                }
                function::Code::Lambda(executable) => Code::Lambda(Box::new(Lambda {
                    id: function.id.clone(),
                    name: function.name.clone(),
                    executable: executable.clone(),
                    environment: variables.clone(),
                    handler: function.handler.clone().unwrap_or_else(|| "bootstrap".into()),
                    memory: function.memory,
                    concurrency: function
                        .reserved_concurrency
                        .map_or(processes.concurrency.get(), |reserved| reserved as usize),
                    cold: processes.cold,
                    init_timeout: INIT_TIMEOUT,
                    launcher: processes.launcher.clone(),
                    journal: journal.clone(),
                    clock: clock.clone(),
                })),
            };
            functions.push((function.clone(), code));
        }
        let gateway = listeners.gateway.map(|listener| {
            Gateway::start(listener, &apis, functions, journal.clone(), clock.clone())
        });
        let gateway = gateway.transpose().map_err(part("gateway"))?;
        if let Some(end) = gateway.as_ref().map(Gateway::ender) {
            faults.on_crash(move |function, how| {
                let how = match how {
                    CrashKind::Killed => End::Crash,
                    CrashKind::TimedOut => End::Timeout,
                };
                end(function, how);
            });
        }
        Ok(Self {
            gateway,
            twilio,
            openai,
            database,
            secrets,
            endpoints,
            journal,
            clock,
            faults,
            environments,
            number,
        })
    }

    /// Puts every part back to its start, and business time to the machine's. The journal is left:
    /// who reads it says when it begins anew.
    ///
    /// # Errors
    /// When the tables cannot be emptied.
    pub async fn reset(self: &Arc<Self>) -> Result<(), WorldError> {
        self.faults.clear();
        self.twilio.reset();
        self.twilio.configure(|config| *config = self.number.clone());
        self.openai.reset();
        let emptied = self.database.empty().await;
        emptied.map_err(|error| WorldError::Reset(io::Error::other(error)))?;
        self.clock.set(Timestamp::now());
        Ok(())
    }

    /// Base URLs of the parts.
    pub fn endpoints(&self) -> &Endpoints {
        &self.endpoints
    }

    /// The environment of each function, by logical id.
    pub fn environments(&self) -> &BTreeMap<String, BTreeMap<String, String>> {
        &self.environments
    }

    /// Where the shop is: the first time zone that a function's environment names, or UTC.
    pub fn time_zone(&self) -> TimeZone {
        let variables = self.environments.values().flatten();
        let named = |(name, value): (&String, &String)| {
            let about_zone =
                name.ends_with("TIMEZONE") || name.ends_with("TIME_ZONE") || name == "TZ";
            about_zone.then(|| TimeZone::get(value).ok()).flatten()
        };
        variables.filter_map(named).next().unwrap_or(TimeZone::UTC)
    }

    /// The API in front of the functions; none in front of a backend that somebody else started.
    pub fn gateway(&self) -> Option<&Gateway> {
        self.gateway.as_ref()
    }

    /// The fake Twilio.
    pub fn twilio(&self) -> &Twilio {
        &self.twilio
    }

    /// The scripted OpenAI.
    pub fn openai(&self) -> &OpenAi {
        &self.openai
    }

    /// The database.
    pub fn database(&self) -> &Database {
        &self.database
    }

    /// The stores of secrets.
    pub fn secrets(&self) -> &secrets::Server {
        &self.secrets
    }

    /// Everything that crossed.
    pub fn journal(&self) -> &Journal {
        &self.journal
    }

    /// Business time.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Failures of providers.
    pub fn faults(&self) -> &Faults {
        &self.faults
    }
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("World").field("endpoints", &self.endpoints).finish_non_exhaustive()
    }
}

fn endpoints(listeners: &Listeners, outside: Option<&Outside>) -> Result<Endpoints, WorldError> {
    let url = |part, listener: &std::net::TcpListener| {
        let address = listener.local_addr();
        address
            .map(|address| format!("http://{address}"))
            .map_err(|source| WorldError::Part { part, source })
    };
    let gateway = listeners.gateway.as_ref().map(|listener| url("gateway", listener));
    Ok(Endpoints {
        gateway: gateway.transpose()?.or(outside.map(Outside::origin)).unwrap_or_default(),
        twilio: url("twilio", &listeners.twilio)?,
        openai: url("openai", &listeners.openai)?,
        dynamodb: url("dynamodb", &listeners.dynamodb)?,
        secrets: url("secrets", &listeners.secrets)?,
    })
}

fn secrets_port(listeners: &Listeners) -> Result<u16, WorldError> {
    let address = listeners.secrets.local_addr();
    let part = |source| WorldError::Part { part: "secrets", source };
    address.map(|address| address.port()).map_err(part)
}

/// Functions by the session tokens in their environments.
fn sessions(
    environments: &BTreeMap<String, BTreeMap<String, String>>,
) -> BTreeMap<String, Session> {
    let session = |(function, environment): (&String, &BTreeMap<String, String>)| {
        let token = environment.get("AWS_SESSION_TOKEN")?;
        Some((token.clone(), Session::new(function, environment)))
    };
    environments.iter().filter_map(session).collect()
}

/// The number's configuration with the webhook of the settings.
fn with_webhook(number: NumberConfig, backend: &Backend, gateway: &str) -> NumberConfig {
    let Some(webhook) = &backend.settings().webhook else { return number };
    let url = |route: &str| match backend.is_outside() {
        // The URL that was given stands for the route, with overrides of its own if it has any.
        Some(outside) if route == webhook.route.as_str() => match outside.url().fragment() {
            Some(_) => outside.to_string(),
            None => format!("{outside}{}", webhook.overrides),
        },
        Some(_) => format!("{gateway}{route}{}", webhook.overrides),
        None => {
            let api = backend.template().api_of(route);
            let domain = api.and_then(|api| api.domain.as_ref());
            let base = match (domain.filter(|_| webhook.domain.is_some()), api) {
                (Some(domain), _) => domain.url(),
                (None, Some(api)) => format!("{gateway}{}", api.stage_path()),
                (None, None) => gateway.to_owned(),
            };
            format!("{base}{route}{}", webhook.overrides)
        }
    };
    NumberConfig {
        webhook_url: number.webhook_url.or_else(|| Some(url(webhook.route.as_str()))),
        fallback_url: number
            .fallback_url
            .or_else(|| webhook.fallback.as_ref().map(|route| url(route.as_str()))),
        ..number
    }
}

/// The template's domains, all of which are the gateway.
fn hosts(template: &Template, gateway: &str) -> BTreeMap<String, String> {
    let domains = template.apis.iter().filter_map(|api| api.domain.as_ref());
    domains.map(|domain| (domain.name.clone(), gateway.to_owned())).collect()
}
