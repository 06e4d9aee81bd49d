//! A running world: starts the parts in order, and gives access to them.

use std::{collections::BTreeMap, fmt, io, sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use uuid::Uuid;

use super::{
    ExternalBackend, WorldBuilder, WorldConfig, WorldError,
    environment::environment_of,
    keys::keys,
    listen::{Listeners, on_tokio},
    twilio_account::{hosts, line_types, services, with_webhook},
};
use rehearse_aws::{
    Function,
    events::{self, Events},
    function,
    gateway::{FunctionCode, FunctionEnvironment, Gateway, INIT_TIMEOUT, Instances, LambdaConfig},
    secrets::{self, Secrets, Session},
    template::{Api, Endpoints},
};
use rehearse_core::{clock::Clock, faults::Faults, journal::Journal};
use rehearse_dynamodb::{Database, StartError};
use rehearse_openai::{self as openai, OpenAi, UnmetExpectations};
use rehearse_twilio::{self as twilio, NumberConfig, Twilio};

/// How long a reset waits for the turns whose rounds were held.
const RELEASED_LIMIT: Duration = Duration::from_secs(5);

/// A running world. Dropping it stops every part.
pub struct World {
    // Fields drop in this order: callers before the parts that they call.
    lambda: events::Server,
    /// `None` for an external backend.
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
    /// Business time at the start; `None` when it was the machine's.
    began_at: Option<Timestamp>,
    /// Whether it ran by itself at the start.
    began_running: bool,
    /// Whether dropping the world verifies its expectations.
    verify_on_drop: bool,
}

impl World {
    /// Describes a world in code; [`WorldBuilder::start`] starts it.
    ///
    /// Dropping such a world panics if a round of a mounted script was never asked for, or if a
    /// request came that no script expects.
    pub fn builder() -> WorldBuilder {
        WorldBuilder::new()
    }

    /// Starts every part inside the current tokio runtime and waits until all accept connections.
    ///
    /// # Errors
    /// A port is in use or cannot be opened, a function cannot be built from its environment, or the
    /// database or another part fails to start.
    pub async fn start(config: WorldConfig) -> Result<Self, WorldError> {
        let WorldConfig { backend, clock, bind, environment, number, seed, throttling, journal } =
            config;
        let shared = backend.shared();
        let (began_at, began_running) = (began_at(&clock), clock.is_running());
        let (settings, template) = (&shared.settings, &shared.template);
        let processes = &shared.processes;
        let messages_kept = journal.map(|limits| limits.exchanges);
        let journal = match journal {
            Some(limits) => Journal::bounded(clock.clone(), limits),
            None => Journal::new(clock.clone()),
        };
        let faults = Faults::default();
        let external = shared.external.as_ref();
        let listeners = Listeners::open(bind, external.is_none())?;
        let endpoints = endpoints(&listeners, external)?;
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
            {
                let mut options = openai::Options::default();
                options.api_key.clone_from(&settings.openai.api_key);
                options.models.extend(settings.openai.models.iter().cloned());
                options
            },
            journal.clone(),
            clock.clone(),
            faults.clone(),
        )
        .map_err(part("openai"))?;
        let number = with_webhook(number, &backend, &endpoints.gateway, None);
        let others = settings.twilio.numbers.iter().map(|other| {
            let config = NumberConfig::default();
            let route = other.route.as_ref();
            (other.number.to_string(), with_webhook(config, &backend, &endpoints.gateway, route))
        });
        let other_numbers = others.collect();
        let services = services(&settings.twilio.services, &backend, &endpoints.gateway);
        let seed = external.map_or(seed, |_| Uuid::new_v4().as_u64_pair().0);
        let options = twilio::Options {
            account_sid: settings.twilio.account_sid.clone(),
            auth_token: settings.twilio.auth_token.clone(),
            number: settings.twilio.number.to_string(),
            config: number,
            other_numbers,
            api_keys: settings.twilio.api_keys.clone(),
            services,
            contents: settings.twilio.contents.clone(),
            whatsapp: settings.twilio.whatsapp.iter().map(ToString::to_string).collect(),
            line_types: line_types(&settings.twilio.line_types),
            seed,
            hosts: hosts(&backend, &endpoints.gateway),
            gateway: external.is_none().then(|| endpoints.gateway.clone()),
            messages_kept,
        };
        let twilio = Twilio::start(
            on_tokio("twilio", listeners.twilio)?,
            options,
            journal.clone(),
            clock.clone(),
            faults.clone(),
            shared.webhooks.clone(),
        )
        .map_err(part("twilio"))?;

        let mut apis = template.apis.clone();
        if !throttling {
            apis.iter_mut().for_each(Api::remove_throttling);
        }
        let function_environments: BTreeMap<String, FunctionEnvironment> = template
            .functions
            .iter()
            .map(|function| {
                let code = shared.functions.iter().find(|code| code.id() == function.id);
                let is_process =
                    matches!(code.map(Function::code), Some(function::Code::Lambda(_)));
                let given = (is_process, port, &environment);
                let variables = environment_of(&backend, function, &endpoints, given);
                (function.id.clone(), variables)
            })
            .collect();
        let mut environments: BTreeMap<String, BTreeMap<String, String>> = function_environments
            .iter()
            .map(|(id, environment)| (id.clone(), environment.shared()))
            .collect();
        if external.is_some() {
            // Scenarios read it as `{{ env.NAME }}`.
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
            let environment = function_environments[&function.id].clone();
            let code = shared.functions.iter().find(|code| code.id() == function.id);
            let Some(code) = code else { continue };
            let code = match code.code() {
                function::Code::InProcess(build) => {
                    let (build, time) = (Arc::clone(build), clock.elapsed().clone());
                    let instances = Instances::new(&function.id, environment, move |variables| {
                        build(variables, &time)
                    });
                    FunctionCode::Instances(Box::new(instances.map_err(|source| {
                        WorldError::Function { id: function.id.clone(), source }
                    })?))
                }
                function::Code::Lambda(executable) => {
                    FunctionCode::Lambda(Box::new(LambdaConfig {
                        id: function.id.clone(),
                        name: function.name.clone(),
                        executable: executable.clone(),
                        environment,
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
                    }))
                }
            };
            functions.push((function.clone(), code));
        }
        let gateway = listeners.gateway.map(|listener| {
            Gateway::start(listener, &apis, functions, journal.clone(), clock.clone())
        });
        let gateway = gateway.transpose().map_err(part("gateway"))?;
        let lambda = events::Server::start(
            on_tokio("lambda", listeners.lambda)?,
            events::Options {
                functions: match external {
                    Some(_) => Vec::new(),
                    None => template.functions.clone(),
                },
                credentials: keys(&environments),
                invoker: gateway.as_ref().map(Gateway::invoker).unwrap_or_default(),
            },
            journal.clone(),
            clock.clone(),
            faults.clone(),
        )
        .map_err(part("lambda"))?;
        if let Some(crash) = gateway.as_ref().map(Gateway::crash_handler) {
            faults.on_crash(crash);
        }
        Ok(Self {
            lambda,
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
            began_at,
            began_running,
            verify_on_drop: false,
        })
    }

    /// Checks that the backend asked for every round of every mounted script, and made no request
    /// that no script expects. What it reports is not reported again when the world is dropped.
    ///
    /// # Errors
    /// The unmet expectations; their text is the report that scenarios print.
    pub fn verify(&self) -> Result<(), UnmetExpectations> {
        self.openai.verify()
    }

    pub(super) fn verify_on_drop(&mut self, verify: bool) {
        self.verify_on_drop = verify;
    }

    /// Resets every part to its initial state, and business time to that of the start: the machine's, now,
    /// unless the world was given another. It runs or stands still as it did then. Keeps the journal:
    /// its reader decides when to clear it.
    ///
    /// Turns whose round of the model was held end first, for which it waits 5 s at most.
    ///
    /// # Errors
    /// The tables cannot be emptied.
    pub async fn reset(self: &Arc<Self>) -> Result<(), WorldError> {
        // Nothing waits for somebody's answer, and time goes on.
        if self.openai.holding().reset() {
            // The turn of a round that was held goes on now. It writes into what is about to be emptied, and
            // what does not end in time is ended below as far as it can be.
            let _ = self.settled_within(RELEASED_LIMIT).await;
        }
        // What works by itself ends first, so that nothing of the old world writes into the new one.
        let halted = self.events().halt().await;
        // Before the delayed calls: no fault delays another one.
        self.faults.clear();
        self.database.abandon_delayed_calls().await;
        self.twilio.reset();
        // Whoever moves the clock no longer waits for any of that, and ends soon.
        let _firing = self.events().lock_firing().await;
        // Once more: a delivery may have ended meanwhile, and left its replies.
        self.twilio.reset();
        self.twilio.restore_numbers();
        self.openai.reset();
        let emptied = self.database.empty().await;
        if self.began_running {
            self.let_run();
        } else {
            self.clock.freeze();
        }
        self.clock.set(self.began_at.unwrap_or_else(Timestamp::now));
        // Schedules begin at the new time, and before anybody else may move it.
        drop(halted);
        emptied.map_err(|error| WorldError::Reset(io::Error::other(error)))
    }

    /// The base URLs of the parts.
    pub fn endpoints(&self) -> &Endpoints {
        &self.endpoints
    }

    /// The environment of each function, by logical id.
    pub fn environments(&self) -> &BTreeMap<String, BTreeMap<String, String>> {
        &self.environments
    }

    /// The backend's time zone: the first one that a function's environment names in a variable that
    /// ends with `TIMEZONE` or `TIME_ZONE` or is `TZ`; otherwise UTC.
    pub fn time_zone(&self) -> TimeZone {
        let variables = self.environments.values().flatten();
        let named = |(name, value): (&String, &String)| {
            let about_zone =
                name.ends_with("TIMEZONE") || name.ends_with("TIME_ZONE") || name == "TZ";
            about_zone.then(|| TimeZone::get(value).ok()).flatten()
        };
        variables.filter_map(named).next().unwrap_or(TimeZone::UTC)
    }

    /// The API Gateway in front of the functions; `None` for an external backend.
    pub fn gateway(&self) -> Option<&Gateway> {
        self.gateway.as_ref()
    }

    /// Schedules and asynchronous invocations.
    pub fn events(&self) -> &Events {
        self.lambda.events()
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

    /// Parameter Store and Secrets Manager.
    pub fn secrets(&self) -> &secrets::Server {
        &self.secrets
    }

    /// The record of every exchange.
    pub fn journal(&self) -> &Journal {
        &self.journal
    }

    /// Business time.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The armed faults.
    pub fn faults(&self) -> &Faults {
        &self.faults
    }
}

impl Drop for World {
    /// Panics with the unmet expectations of a world that a builder started, unless the thread is
    /// panicking already.
    fn drop(&mut self) {
        if self.verify_on_drop
            && !std::thread::panicking()
            && let Err(unmet) = self.verify()
        {
            #[expect(clippy::panic, reason = "a test must fail, and a drop can return nothing")]
            {
                panic!("{unmet}");
            }
        }
    }
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("World").field("endpoints", &self.endpoints).finish_non_exhaustive()
    }
}

fn endpoints(
    listeners: &Listeners,
    external: Option<&ExternalBackend>,
) -> Result<Endpoints, WorldError> {
    let url = |part, listener: &std::net::TcpListener| {
        let address = listener.local_addr();
        address
            .map(|address| format!("http://{address}"))
            .map_err(|source| WorldError::Part { part, source })
    };
    let gateway = listeners.gateway.as_ref().map(|listener| url("gateway", listener));
    Ok(Endpoints {
        gateway: gateway.transpose()?.or(external.map(ExternalBackend::origin)).unwrap_or_default(),
        twilio: url("twilio", &listeners.twilio)?,
        openai: url("openai", &listeners.openai)?,
        dynamodb: url("dynamodb", &listeners.dynamodb)?,
        secrets: url("secrets", &listeners.secrets)?,
        lambda: url("lambda", &listeners.lambda)?,
    })
}

fn secrets_port(listeners: &Listeners) -> Result<u16, WorldError> {
    let address = listeners.secrets.local_addr();
    let part = |source| WorldError::Part { part: "secrets", source };
    address.map(|address| address.port()).map_err(part)
}

/// Business time as a world begins, unless it is the machine's.
fn began_at(clock: &Clock) -> Option<Timestamp> {
    let now = clock.now();
    let apart = now.duration_since(Timestamp::now()).abs();
    (!clock.is_running() || apart > SignedDuration::from_secs(1)).then_some(now)
}

/// The functions' sessions by the tokens in their environments.
fn sessions(
    environments: &BTreeMap<String, BTreeMap<String, String>>,
) -> BTreeMap<String, Session> {
    let session = |(function, environment): (&String, &BTreeMap<String, String>)| {
        let token = environment.get("AWS_SESSION_TOKEN")?;
        Some((token.clone(), Session::new(function, environment)))
    };
    environments.iter().filter_map(session).collect()
}
