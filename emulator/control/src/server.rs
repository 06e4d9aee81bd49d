//! Serves the control API.

use std::{
    collections::BTreeMap,
    fmt, io,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use axum::{Router, extract::DefaultBodyLimit, middleware};
use tokio::net::TcpListener;

use super::{
    Endpoints, armed_scripts::ArmedScripts, console, error::ApiError, guard,
    kept_snapshots::KeptSnapshots, operations::Operations,
};
use rehearse_core::serve::Serving;
use rehearse_scenario::record::Recorder;
use rehearse_world::{Backend, World};

/// Limit of a request body in bytes: more than any text with its pictures' URLs needs.
const MAX_BODY_BYTES: usize = 1 << 20;

/// The world that the API controls, and what only the caller knows of it.
#[derive(Debug, Clone)]
pub struct ControlledWorld {
    /// The running world.
    pub world: Arc<World>,
    /// What it runs, for its fixtures.
    pub backend: Backend,
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
    pub backend: Backend,
    pub endpoints: Endpoints,
    pub people: BTreeMap<String, String>,
    pub scripts: ArmedScripts,
    pub snapshots: KeptSnapshots,
    pub recorder: Recorder,
    /// Another one for every world.
    pub instance: String,
}

impl Server {
    /// Serves the API on a listener, on the current tokio runtime.
    ///
    /// # Errors
    /// When the caller is not inside a tokio runtime, or the listener has no local address.
    pub fn start(listener: TcpListener, controlled: ControlledWorld) -> io::Result<Self> {
        let recorder = Recorder::new(&controlled.world, &controlled.backend);
        let serving = Serving::router(listener, router(controlled, recorder.clone()))?;
        // What happens from now on can be recorded. Texts that come by this API wait for it.
        tokio::spawn(async move {
            // Where the rows cannot be read, whoever records hears of it.
            let _ = recorder.begin().await;
        });
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

/// The API, without a server.
fn router(controlled: ControlledWorld, recorder: Recorder) -> Router {
    let ControlledWorld { world, backend, endpoints, people } = controlled;
    let scripts = ArmedScripts::new(&world, &endpoints, &people);
    let snapshots = KeptSnapshots::default();
    let instance = instance();
    let state =
        ApiState { world, backend, endpoints, people, scripts, snapshots, recorder, instance };
    let Operations { router, list } = Operations::all();
    let mut paths: Vec<&str> = list.iter().map(|operation| operation.path).collect();
    paths.dedup();
    let paths: Arc<str> = paths.join(" ").into();
    router
        .merge(console::router())
        .fallback(move || {
            let paths = Arc::clone(&paths);
            async move { ApiError::unknown_path(&paths) }
        })
        .method_not_allowed_fallback(|| async { ApiError::wrong_method() })
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .layer(middleware::from_fn(guard::loopback_only))
        .with_state(Arc::new(state))
}

/// Another text for every world, also of different processes: which process it is, when it began, and
/// how many began in the process before.
fn instance() -> String {
    static BEFORE: AtomicU64 = AtomicU64::new(0);
    let before = BEFORE.fetch_add(1, Ordering::Relaxed);
    let now = jiff::Timestamp::now().as_microsecond();
    format!("{:x}-{now:x}-{before:x}", std::process::id())
}
