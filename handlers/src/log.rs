//! The log of the Lambda binaries: one JSON line per event.

use tracing::Subscriber;
use tracing_subscriber::{
    filter::{LevelFilter, Targets},
    fmt::MakeWriter,
    layer::SubscriberExt as _,
    util::SubscriberInitExt as _,
};

use crate::config::Vars;

/// Crates that log whole bodies and parameters, which contain customers' words.
const QUIET: [&str; 10] = [
    "async_openai",
    "aws_runtime",
    "aws_sdk_dynamodb",
    "aws_smithy_http_client",
    "aws_smithy_runtime",
    "aws_smithy_runtime_api",
    "hyper",
    "hyper_util",
    "reqwest",
    "rustls",
];

/// This crate.
const OWN: &str = env!("CARGO_CRATE_NAME");

/// Installs the subscriber. `LOG_LEVEL` (`error` to `info`, in debug builds to `trace`) defaults to
/// `info`.
pub fn init(vars: &Vars) {
    // A second call changes nothing.
    let _ = subscriber(vars, std::io::stdout).try_init();
}

/// Returns the subscriber that [`init`] installs, writing to `writer`.
///
/// Lines carry no time, because CloudWatch adds one. What other crates say below `info` is left out
/// at every level: the Lambda runtime writes whole events there.
pub fn subscriber<W>(vars: &Vars, writer: W) -> impl Subscriber + Send + Sync
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let level =
        vars.get("LOG_LEVEL").and_then(|level| level.parse().ok()).unwrap_or(LevelFilter::INFO);
    let quiet = QUIET.map(|target| (target, LevelFilter::OFF));
    let filter = Targets::new()
        .with_default(level.min(LevelFilter::INFO))
        .with_target(OWN, level)
        .with_targets(quiet);
    let lines = tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(true)
        .with_span_list(false)
        .without_time()
        .with_ansi(false)
        .with_writer(writer);
    tracing_subscriber::registry().with(filter).with(lines)
}
