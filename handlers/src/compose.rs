//! Composition: the only code that chooses adapters.
//!
//! It never reads the environment; its HTTP clients are arguments, because
//! building them costs more than a whole rehearsal of a turn.

mod clients;

use std::{sync::Arc, time::Duration};

use axum::Router;

pub use self::clients::{Clients, ClientsError};
use crate::{
    adapters::{
        dynamodb::DynamoDb,
        openai::{OpenAi, Patience},
        system::{RandomIds, SystemTimer},
        twilio::Twilio,
    },
    app::reply::{Ports, Reply, ReplySettings},
    config::{ConfigError, DispatcherConfig, DynamoDbConfig, SchedulerConfig, StateConfig, Vars},
    http::{self, Authenticity},
    ports::Store,
};

/// How long one call of Twilio's REST API may take.
const SMS_TIMEOUT: Duration = Duration::from_secs(5);

/// A Lambda function: its logical id in `template.yaml`, and how its router is built.
#[derive(Debug, Clone, Copy)]
pub struct Function {
    /// Logical id.
    pub id: &'static str,
    /// Reads the configuration and composes the router; sends nothing.
    pub build: fn(&Vars, &Clients) -> Result<Router, ConfigError>,
}

/// The functions of the backend.
pub const fn functions() -> [Function; 3] {
    [
        Function { id: "Dispatcher", build: dispatcher },
        Function { id: "StateManager", build: state_manager },
        Function { id: "Scheduler", build: scheduler },
    ]
}

/// The dispatcher on DynamoDB, OpenAI and Twilio.
///
/// # Errors
/// When variables are missing or invalid: all of them.
pub fn dispatcher(vars: &Vars, clients: &Clients) -> Result<Router, ConfigError> {
    let config = DispatcherConfig::from_vars(vars)?;
    let patience = Patience::within(config.reply_deadline);
    let auth_token = config.twilio.auth_token.clone();
    let settings = ReplySettings {
        deadline: config.reply_deadline,
        owner_phone: config.owner_phone,
        // A secret that every instance has, so that a customer is always the same one.
        safety_key: auth_token.expose().as_bytes().to_vec(),
    };
    let ports = Ports {
        model: Arc::new(OpenAi::new(clients.web.clone(), &config.openai, patience)),
        store: store(clients, &config.dynamodb),
        sms: Arc::new(Twilio::new(clients.web.clone(), config.twilio, SMS_TIMEOUT)),
        ids: Arc::new(RandomIds),
        timer: Arc::new(SystemTimer),
    };
    let reply = Reply::new(ports, config.calendar, settings);
    let authenticity = Authenticity { auth_token, public_urls: config.public_urls };
    Ok(http::dispatcher(reply, authenticity))
}

/// The state manager on DynamoDB.
///
/// # Errors
/// When variables are missing or invalid: all of them.
pub fn state_manager(vars: &Vars, clients: &Clients) -> Result<Router, ConfigError> {
    let config = StateConfig::from_vars(vars)?;
    Ok(http::state(store(clients, &config.dynamodb), config.admin_token))
}

/// The scheduler on DynamoDB.
///
/// # Errors
/// When variables are missing or invalid: all of them.
pub fn scheduler(vars: &Vars, clients: &Clients) -> Result<Router, ConfigError> {
    let config = SchedulerConfig::from_vars(vars)?;
    let store = store(clients, &config.dynamodb);
    Ok(http::scheduler(store, Arc::new(RandomIds), config.calendar))
}

fn store(clients: &Clients, config: &DynamoDbConfig) -> Arc<dyn Store> {
    Arc::new(DynamoDb::new(clients.dynamodb.clone(), config))
}
