//! The composition root: the only code that chooses adapters.
//!
//! It does not read the environment. HTTP clients are arguments, because building them takes longer
//! than answering a text.

mod clients;
mod plain_event;
mod serve;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use axum::Router;

pub use self::{
    clients::{Clients, ClientsError},
    plain_event::plain_event,
    serve::{serve_lambda, serve_lambda_events},
};
use crate::{
    adapters::{
        dynamodb::{self, DynamoDb},
        lambda::{self, LambdaWorker},
        openai::{self, OpenAi, RetryPolicy},
        secrets::{self, StaticCredential, StoredCredential},
        system::RandomIdGenerator,
        twilio::{self, Twilio},
    },
    app::{
        customers::CustomerService,
        outbox::OutboxService,
        owner_calendar::OwnerCalendarService,
        owner_page::OwnerPageService,
        owner_state::OwnerStateService,
        reply::{
            LATE_DEADLINE_FACTOR, LATE_SEND_TIMEOUT, ReplyPorts, ReplyService, ReplySettings,
            SEND_TIMEOUT,
        },
        scheduler::Scheduler,
    },
    config::{
        ConfigError, DispatcherConfig, DynamoDbConfig, OpenAiConfig, ReplyConfig, SchedulerConfig,
        Secret, SecretSource, SecretStore, StateConfig, TwilioConfig, Vars, WorkerConfig,
    },
    domain::{background::BackgroundTask, calendar::Calendar},
    http::{self, BookPage, WebhookAuthentication},
    ports::{BackgroundWorker, BoxError, Credential, Model, Sms, Store},
};

/// Longest time for one request to Twilio's REST API.
const MAX_SMS_TIMEOUT: Duration = Duration::from_secs(5);
/// Part of the deadline that one request to Twilio's REST API may take.
const SMS_TIMEOUT_DIVISOR: u32 = 2;
/// Time for starting another function.
const WORKER_TIMEOUT: Duration = Duration::from_secs(2);

/// A Lambda function: its logical id in `template.yaml`, and how its router is built.
#[derive(Debug, Clone, Copy)]
pub struct Function {
    /// Logical id in `template.yaml`.
    pub id: &'static str,
    /// Reads the configuration and builds the router; sends nothing.
    pub build: fn(&Vars, &Clients) -> Result<Router, ConfigError>,
}

/// The functions of the backend.
pub const fn functions() -> [Function; 4] {
    [
        Function { id: "Dispatcher", build: dispatcher },
        Function { id: "StateManager", build: state_manager },
        Function { id: "Scheduler", build: scheduler },
        Function { id: "LateReply", build: late_reply },
    ]
}

/// Builds the dispatcher on DynamoDB, OpenAI and Twilio.
///
/// # Errors
/// When variables are missing or invalid. The error names all of them.
pub fn dispatcher(vars: &Vars, clients: &Clients) -> Result<Router, ConfigError> {
    let DispatcherConfig { reply: config, worker } = DispatcherConfig::from_vars(vars)?;
    let public_urls = config.public_urls.clone();
    let auth_token = credential(clients, &config.twilio.auth_token);
    let outbox = outbox(clients, &config, &auth_token);
    // Without a function that works outside of requests, the dispatcher sends texts itself.
    let (background, late_replies): (Arc<dyn BackgroundWorker>, bool) = match worker {
        Some(worker) => (background_worker(clients, &config.dynamodb, worker), true),
        None => (Arc::new(outbox), false),
    };
    let TwilioConfig { account_sid, phone_number: number, .. } = config.twilio.clone();
    let limits =
        Limits { model_deadline: config.reply_deadline, send_timeout: SEND_TIMEOUT, late_replies };
    let reply = reply(clients, config, Arc::clone(&auth_token), background, limits);
    let authentication = WebhookAuthentication { auth_token, public_urls, account_sid, number };
    Ok(http::dispatcher(reply, authentication))
}

/// Builds the function that sends the outbox and finishes late turns, on DynamoDB, OpenAI and
/// Twilio.
///
/// # Errors
/// When variables are missing or invalid. The error names all of them.
pub fn late_reply(vars: &Vars, clients: &Clients) -> Result<Router, ConfigError> {
    let config = ReplyConfig::from_vars(vars)?;
    let auth_token = credential(clients, &config.twilio.auth_token);
    let outbox = outbox(clients, &config, &auth_token);
    let background = Arc::new(outbox.clone());
    let limits = Limits {
        model_deadline: config.reply_deadline * LATE_DEADLINE_FACTOR,
        send_timeout: LATE_SEND_TIMEOUT,
        late_replies: true,
    };
    let reply = reply(clients, config, auth_token, background, limits);
    Ok(http::background(reply, outbox))
}

fn outbox(
    clients: &Clients,
    config: &ReplyConfig,
    auth_token: &Arc<dyn Credential>,
) -> OutboxService {
    OutboxService::new(
        store(clients, &config.dynamodb),
        sms(clients, config, Arc::clone(auth_token)),
        Arc::new(RandomIdGenerator),
        Arc::clone(&clients.timer),
        config.owner_phone.clone(),
        config.calendar.clone(),
    )
}

/// In what the two functions that answer texts differ.
struct Limits {
    /// Time in which the model must have answered.
    model_deadline: Duration,
    /// Time to have texts of the outbox sent.
    send_timeout: Duration,
    /// Whether a turn that takes longer is handed over.
    late_replies: bool,
}

fn reply(
    clients: &Clients,
    config: ReplyConfig,
    auth_token: Arc<dyn Credential>,
    background: Arc<dyn BackgroundWorker>,
    Limits { model_deadline, send_timeout, late_replies }: Limits,
) -> ReplyService {
    let ports = ReplyPorts {
        model: model(clients, &config.openai, model_deadline),
        store: store(clients, &config.dynamodb),
        sms: sms(clients, &config, Arc::clone(&auth_token)),
        background,
        ids: Arc::new(RandomIdGenerator),
        timer: Arc::clone(&clients.timer),
        // Every instance has this secret, so a customer keeps the same identifier until it is
        // rotated.
        safety_key: auth_token,
    };
    let settings = ReplySettings {
        deadline: config.reply_deadline,
        lease: config.turn_lease,
        owner_phone: config.owner_phone,
        turn_limits: config.turn_limits,
        late_replies,
        send_timeout,
    };
    ReplyService::new(ports, config.calendar, settings)
}

/// Leaves everything to the schedule.
struct ScheduleOnly;

#[async_trait]
impl BackgroundWorker for ScheduleOnly {
    async fn start(&self, _: &BackgroundTask) -> Result<(), BoxError> {
        Ok(())
    }
}

/// Starts the function that sends the outbox, or leaves everything to its schedule.
fn starter(
    clients: &Clients,
    config: &DynamoDbConfig,
    worker: Option<WorkerConfig>,
) -> Arc<dyn BackgroundWorker> {
    match worker {
        Some(worker) => background_worker(clients, config, worker),
        None => Arc::new(ScheduleOnly),
    }
}

fn background_worker(
    clients: &Clients,
    config: &DynamoDbConfig,
    worker: WorkerConfig,
) -> Arc<dyn BackgroundWorker> {
    let settings = lambda::Settings {
        function: worker.function,
        endpoint: worker.endpoint,
        region: config.region.clone(),
        access_key_id: config.access_key_id.clone(),
        secret_access_key: config.secret_access_key.clone(),
        session_token: config.session_token.clone(),
        timeout: WORKER_TIMEOUT,
    };
    Arc::new(LambdaWorker::new(clients.web.clone(), settings))
}

/// Builds the state manager on DynamoDB.
///
/// # Errors
/// When variables are missing or invalid. The error names all of them.
pub fn state_manager(vars: &Vars, clients: &Clients) -> Result<Router, ConfigError> {
    let config = StateConfig::from_vars(vars)?;
    let token = config.admin_token.map(|token| credential(clients, &token));
    let store = store(clients, &config.dynamodb);
    let background = starter(clients, &config.dynamodb, config.worker);
    let customers = CustomerService::new(Arc::clone(&store), config.calendar.clone());
    let ids = Arc::new(RandomIdGenerator);
    let owner_page =
        OwnerPageService::new(Arc::clone(&store), ids, background, config.calendar.clone());
    let calendar = OwnerCalendarService::new(Arc::clone(&store), config.calendar);
    let owner = OwnerStateService::new(store, Arc::new(RandomIdGenerator));
    let state = http::state(owner, calendar, customers, owner_page, token);
    Ok(http::with_deadline(state, config.request_deadline))
}

/// Builds the scheduler on DynamoDB.
///
/// # Errors
/// When variables are missing or invalid. The error names all of them.
pub fn scheduler(vars: &Vars, clients: &Clients) -> Result<Router, ConfigError> {
    let config = SchedulerConfig::from_vars(vars)?;
    let background = starter(clients, &config.dynamodb, config.worker);
    let scheduler = Scheduler::new(
        store(clients, &config.dynamodb),
        Arc::new(RandomIdGenerator),
        background,
        config.calendar,
        config.owner_phone,
    )
    .with_limits(config.limits)
    .with_confirmation(config.confirmation);
    let page = BookPage {
        frame_ancestors: config.page.frame_ancestors,
        shop_phone: config.page.shop_phone,
    };
    Ok(http::with_deadline(http::scheduler(scheduler, page), config.request_deadline))
}

/// The tables and the calendar, for the migration of the old system's rows. Needs the variables of
/// the scheduler.
///
/// # Errors
/// When variables are missing or invalid. The error names all of them.
pub fn migration(vars: &Vars, clients: &Clients) -> Result<(DynamoDb, Calendar), ConfigError> {
    let config = SchedulerConfig::from_vars(vars)?;
    Ok((database(clients, &config.dynamodb), config.calendar))
}

/// A credential with the given value, or one that fetches it when it is first needed.
fn credential(clients: &Clients, source: &SecretSource) -> Arc<dyn Credential> {
    let stored = match source {
        SecretSource::Plain(secret) => return Arc::new(StaticCredential::new(secret.expose())),
        SecretSource::Stored(stored) => stored,
    };
    let settings = secrets::Settings {
        variable: stored.variable,
        store: match stored.store {
            SecretStore::ParameterStore => secrets::StoreKind::ParameterStore,
            SecretStore::SecretsManager => secrets::StoreKind::SecretsManager,
        },
        name: &stored.name,
        port: stored.port,
        session_token: stored.session_token.expose(),
    };
    Arc::new(StoredCredential::new(clients.web.clone(), &settings, Arc::clone(&clients.timer)))
}

fn store(clients: &Clients, config: &DynamoDbConfig) -> Arc<dyn Store> {
    Arc::new(database(clients, config))
}

fn database(clients: &Clients, config: &DynamoDbConfig) -> DynamoDb {
    let tables = &config.tables;
    let settings = dynamodb::Settings {
        endpoint: config.endpoint.as_deref(),
        region: &config.region,
        access_key_id: &config.access_key_id,
        secret_access_key: config.secret_access_key.expose(),
        session_token: config.session_token.as_ref().map(Secret::expose),
        tables: dynamodb::Tables {
            leads: tables.leads.clone(),
            owner: tables.owner.clone(),
            schedule: tables.schedule.clone(),
            conversations: tables.conversations.clone(),
            bookings: tables.bookings.clone(),
            opt_outs: tables.opt_outs.clone(),
        },
        timer: Arc::clone(&clients.timer),
    };
    DynamoDb::new(clients.dynamodb.clone(), settings)
}

fn model(clients: &Clients, config: &OpenAiConfig, deadline: Duration) -> Arc<dyn Model> {
    let settings = openai::Settings {
        api_key: credential(clients, &config.api_key),
        base_url: &config.base_url,
        model: &config.model,
        timer: Arc::clone(&clients.timer),
        retry_policy: RetryPolicy {
            max_retries: config.retries,
            ..RetryPolicy::for_deadline(deadline)
        },
    };
    Arc::new(OpenAi::new(clients.web.clone(), &settings))
}

fn sms(clients: &Clients, config: &ReplyConfig, auth_token: Arc<dyn Credential>) -> Arc<dyn Sms> {
    let settings = twilio::Settings {
        account_sid: config.twilio.account_sid.clone(),
        auth_token,
        from: config.twilio.phone_number.clone(),
        base_url: config.twilio.base_url.clone(),
        timeout: (config.reply_deadline / SMS_TIMEOUT_DIVISOR).min(MAX_SMS_TIMEOUT),
        status_callback: config.public_urls.first().map(|url| http::message_status_url(url)),
    };
    Arc::new(Twilio::new(clients.web.clone(), settings))
}
