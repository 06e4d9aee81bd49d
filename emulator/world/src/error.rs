//! Errors of starting and resetting a world.

use rehearse_core::errors;
use std::io;

use rehearse_aws::function::BuildError;
use rehearse_dynamodb::ServiceError;

/// A world could not be started or reset.
#[derive(Debug, thiserror::Error)]
pub enum WorldError {
    /// Another program uses the port.
    #[error(
        "port {port} for {part} is taken: end the program that has it, or change `{part}` \
         under [ports] in rehearse.toml"
    )]
    Busy {
        /// The part, as `[ports]` names it.
        part: &'static str,
        /// The port.
        port: u16,
        /// The error of the system.
        #[source]
        source: io::Error,
    },
    /// A port could not be opened for another reason.
    #[error("failed to listen on port {port} for {part}")]
    Listen {
        /// The part.
        part: &'static str,
        /// The port; 0 is any.
        port: u16,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// A part could not be started.
    #[error("failed to start {part}")]
    Part {
        /// The part.
        part: &'static str,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// The business time given to a builder cannot be read.
    #[error("'{text}' is not an instant such as 2026-02-10T15:10:00-05:00")]
    Time {
        /// What was given.
        text: String,
        /// The cause.
        #[source]
        source: jiff::Error,
    },
    /// The webhook's route given to a builder cannot be used.
    #[error("{0}")]
    Route(String),
    /// A variable of a builder cannot be filled in.
    #[error("{0}")]
    Environment(String),
    /// The database could not be started.
    #[error("failed to start dynamodb")]
    Database(#[source] ServiceError),
    /// The template and the code name different functions.
    #[error("{0}")]
    Functions(String),
    /// A function could not be built from its environment.
    #[error("failed to start the function {id}")]
    Function {
        /// Its logical id.
        id: String,
        /// Its own error.
        #[source]
        source: BuildError,
    },
    /// The settings do not say where texts are posted to.
    #[error(
        "rehearse.toml has no [webhook] with the `route` that texts are posted to, \
         such as route = \"/sms\""
    )]
    NoWebhook,
    /// No function serves the webhook's route.
    #[error("no function of the template has the route POST {route}, which [webhook] names")]
    Webhook {
        /// The route.
        route: String,
    },
    /// The webhook's domain is not a host name, for a backend at a URL.
    #[error(
        "{domain:?}, which [webhook] names as its domain, is not a host name such as sms.example.com"
    )]
    NotAHost {
        /// The domain.
        domain: String,
    },
    /// The API of the webhook's route does not have the webhook's domain.
    #[error(
        "the API of {route} has no domain {domain}, which [webhook] names{}",
        .known.as_ref().map(|known| format!(" (it has {known})")).unwrap_or_default()
    )]
    Domain {
        /// The route.
        route: String,
        /// The domain.
        domain: String,
        /// The API's own domain, if it has one.
        known: Option<String>,
    },
    /// The tables could not be emptied.
    #[error("failed to empty the tables")]
    Reset(#[source] io::Error),
    /// The HTTP client that all worlds share could not be built.
    #[error("failed to build the HTTP client")]
    Client(#[source] reqwest::Error),
}

impl WorldError {
    /// The error and its causes in one line.
    pub fn with_causes(&self) -> String {
        errors::with_causes(self)
    }
}

/// Business time was not moved, or not to its end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AdvanceError {
    /// The length of time is negative.
    #[error(
        "a length of time moves the clock forward only: to go back, set the earlier time itself"
    )]
    Backwards,
    /// It would be later than the last moment.
    #[error("the clock ends in the year 9999: give a shorter length of time")]
    TooFar,
    /// Something did not end.
    #[error(transparent)]
    Unsettled(#[from] Unsettled),
}

/// Something that was caused in a world did not end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} after {limit:?}")]
pub struct Unsettled {
    what: String,
    limit: std::time::Duration,
}

impl Unsettled {
    /// `under_way` is each thing that was, in words.
    pub(super) fn new(under_way: Vec<String>, limit: std::time::Duration) -> Self {
        let what = match under_way.as_slice() {
            // The last of it ended after the time was over.
            [] => "something was still under way".into(),
            all => all.join(", and "),
        };
        Self { what, limit }
    }

    /// Invocations of these functions in words, if there are any.
    pub(super) fn invocations(mut functions: Vec<String>) -> Option<String> {
        functions.sort_unstable();
        functions.dedup();
        match functions.as_slice() {
            [] => None,
            [one] => Some(format!("an invocation of {one} was still running")),
            many => Some(format!("invocations of {} were still running", many.join(", "))),
        }
    }
}
