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
    Router,
    extract::DefaultBodyLimit,
    middleware,
    routing::{get, post},
};
use tokio::net::TcpListener;

use super::{Endpoints, error::ApiError, guard, routes};
use rehearse_core::serve::Serving;
use rehearse_world::World;

/// Limit of a request body in bytes: more than any text with its pictures' URLs needs.
const MAX_BODY_BYTES: usize = 1 << 20;

/// Limit of a batch of rows in bytes: DynamoDB's own.
const MAX_BATCH_BYTES: usize = 16 << 20;

/// The world that the API controls, and what only the caller knows of it.
#[derive(Debug, Clone)]
pub struct ControlledWorld {
    /// The running world.
    pub world: Arc<World>,
    /// Response of `GET /endpoints`.
    pub endpoints: Endpoints,
    /// Phone numbers of people by name.
    pub people: BTreeMap<String, String>,
}

/// A running control API. Dropping it closes the listener and every connection.
pub struct Server {
    url: String,
    _serving: Serving,
}

/// What the handlers of requests share.
pub(super) struct ApiState {
    pub world: Arc<World>,
    pub endpoints: Endpoints,
    pub people: BTreeMap<String, String>,
    pub resets: AtomicU64,
}

impl ApiState {
    /// How many times the world was reset.
    pub fn resets(&self) -> u64 {
        self.resets.load(Ordering::SeqCst)
    }
}

impl Server {
    /// Serves the API on a listener, on the current tokio runtime.
    ///
    /// # Errors
    /// When the caller is not inside a tokio runtime, or the listener has no local address.
    pub fn start(listener: TcpListener, controlled: ControlledWorld) -> io::Result<Self> {
        let serving = Serving::router(listener, router(controlled))?;
        Ok(Self { url: serving.url(), _serving: serving })
    }

    /// Its URL, `http://127.0.0.1:4040`.
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("url", &self.url).finish_non_exhaustive()
    }
}

/// The routes of the API, without a server.
pub(super) fn router(controlled: ControlledWorld) -> Router {
    let ControlledWorld { world, endpoints, people } = controlled;
    let state = Arc::new(ApiState { world, endpoints, people, resets: AtomicU64::new(0) });
    Router::new()
        .route("/ready", get(routes::ready))
        .route("/endpoints", get(routes::endpoints))
        .route("/sms", post(routes::sms))
        .route("/messages", get(routes::messages))
        .route("/journal", get(routes::journal))
        .route("/tables/{id}", get(routes::table))
        .route(
            "/tables/{id}/items",
            get(routes::items).put(routes::put_items).layer(DefaultBodyLimit::max(MAX_BATCH_BYTES)),
        )
        .route("/clock", post(routes::clock))
        .route("/faults", post(routes::arm).delete(routes::disarm))
        .route("/reset", post(routes::reset))
        .fallback(|| async { ApiError::unknown_path() })
        .method_not_allowed_fallback(|| async { ApiError::wrong_method() })
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .layer(middleware::from_fn(guard::loopback_only))
        .with_state(state)
}
