//! The door to a gateway's functions for events that no API brings.

use std::{fmt, sync::Arc, sync::Weak};

use serde_json::Value;

use super::{handler::Handler, invoke::InvokeError};
use rehearse_core::journal::PendingExchange;

/// Runs a gateway's functions with events that no API brings. Clones share the gateway, and none
/// keeps it alive.
#[derive(Clone, Default)]
pub struct Invoker(Weak<Handler>);

impl Invoker {
    pub(super) fn new(handler: Weak<Handler>) -> Self {
        Self(handler)
    }

    /// Runs the function with this logical id once, as this exchange. Dropping the future stops it.
    pub(crate) async fn invoke(
        &self,
        function: &str,
        request_id: Arc<str>,
        event: String,
        exchange: &PendingExchange,
    ) -> Result<Value, InvokeError> {
        match self.0.upgrade() {
            Some(handler) => handler.invoke(function, request_id, event, exchange).await,
            None => Err(InvokeError::Failed("the gateway has stopped".into())),
        }
    }
}

impl fmt::Debug for Invoker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Invoker")
    }
}
