//! Serves the control API.

use std::{
    collections::BTreeMap,
    fmt, io,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use axum::{
    Router, middleware,
    routing::{get, post},
};
use tokio::{net::TcpListener, task::AbortHandle};

use super::{Endpoints, answer::Answer, guard, routes};
use crate::{
    clock::Clock, dynamodb::Database, faults::Faults, journal::Journal, openai::OpenAi,
    twilio::Twilio,
};

/// What the API acts on: handles of a running world.
#[derive(Clone)]
pub struct Controlled {
    /// What crossed.
    pub journal: Journal,
    /// Business time.
    pub clock: Clock,
    /// Armed failures.
    pub faults: Faults,
    /// Texts.
    pub twilio: Twilio,
    /// The model.
    pub openai: OpenAi,
    /// Tables.
    pub database: Arc<Database>,
    /// Where the parts listen.
    pub endpoints: Endpoints,
    /// Numbers by name.
    pub people: BTreeMap<String, String>,
}

/// A control API that is serving. Dropping it stops it.
pub struct Server {
    url: String,
    serving: AbortHandle,
}

pub(super) struct State {
    pub world: Controlled,
    pub resets: AtomicU64,
}

impl State {
    pub fn resets(&self) -> u64 {
        self.resets.load(Ordering::SeqCst)
    }
}

impl Server {
    /// Serves on `listener`, inside the current runtime.
    ///
    /// # Errors
    /// When the listener has no address.
    pub fn start(listener: TcpListener, world: Controlled) -> io::Result<Self> {
        let url = format!("http://{}", listener.local_addr()?);
        let router = router(world);
        let serving = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, router).await {
                tracing::error!(%error, "control server ended");
            }
        });
        Ok(Self { url, serving: serving.abort_handle() })
    }

    /// Where it is, `http://127.0.0.1:4040`.
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("url", &self.url).finish_non_exhaustive()
    }
}

/// The API of a world, without a server.
pub(super) fn router(world: Controlled) -> Router {
    let state = Arc::new(State { world, resets: AtomicU64::new(0) });
    Router::new()
        .route("/ready", get(routes::ready))
        .route("/endpoints", get(routes::endpoints))
        .route("/sms", post(routes::sms))
        .route("/messages", get(routes::messages))
        .route("/journal", get(routes::journal))
        .route("/tables/{id}", get(routes::table))
        .route("/clock", post(routes::clock))
        .route("/faults", post(routes::arm).delete(routes::disarm))
        .route("/reset", post(routes::reset))
        .fallback(|| async { Answer::unknown_path() })
        .method_not_allowed_fallback(|| async { Answer::wrong_method() })
        .layer(middleware::from_fn(guard::loopback_only))
        .with_state(state)
}
