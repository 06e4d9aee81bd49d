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

use super::{Endpoints, answer::Answer, guard, routes};
use rehearse_core::serve::Serving;
use rehearse_world::World;

/// Larger than any text with its pictures' URLs.
const MAX_BODY_BYTES: usize = 1 << 20;

/// DynamoDB's own limit for a batch of rows.
const MAX_BATCH_BYTES: usize = 16 << 20;

/// What the API acts on.
#[derive(Debug, Clone)]
pub struct Controlled {
    /// The running world.
    pub world: Arc<World>,
    /// Where its parts listen, and what to export.
    pub endpoints: Endpoints,
    /// Numbers by name.
    pub people: BTreeMap<String, String>,
}

/// A control API that is serving. Dropping it stops it.
pub struct Server {
    url: String,
    /// Ends with it.
    _serving: Serving,
}

pub(super) struct State {
    pub world: Arc<World>,
    pub endpoints: Endpoints,
    pub people: BTreeMap<String, String>,
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
    pub fn start(listener: TcpListener, controlled: Controlled) -> io::Result<Self> {
        let serving = Serving::router(listener, router(controlled))?;
        Ok(Self { url: serving.url(), _serving: serving })
    }

    /// Where it is, `http://127.0.0.1:4040`.
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("url", &self.url).finish_non_exhaustive()
    }
}

/// The API of a world, without a server.
pub(super) fn router(controlled: Controlled) -> Router {
    let Controlled { world, endpoints, people } = controlled;
    let state = Arc::new(State { world, endpoints, people, resets: AtomicU64::new(0) });
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
        .fallback(|| async { Answer::unknown_path() })
        .method_not_allowed_fallback(|| async { Answer::wrong_method() })
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .layer(middleware::from_fn(guard::loopback_only))
        .with_state(state)
}
