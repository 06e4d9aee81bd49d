//! Logs of the Lambda binaries: one JSON line per event.

use tracing::Subscriber;
use tracing_subscriber::{
    filter::{LevelFilter, Targets},
    fmt::MakeWriter,
    layer::SubscriberExt as _,
    util::SubscriberInitExt as _,
};

use crate::config::Vars;

/// The clients log whole bodies and parameters, which hold customers' words.
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

/// Installs the subscriber; `LOG_LEVEL` (`error` to `info`, in debug builds to `trace`) defaults to `info`.
pub fn init(vars: &Vars) {
    // A second call finds the first one's subscriber and changes nothing.
    let _ = subscriber(vars, std::io::stdout).try_init();
}

/// CloudWatch stamps every line, so the lines carry no time of their own.
fn subscriber<W>(vars: &Vars, writer: W) -> impl Subscriber + Send + Sync
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let level =
        vars.get("LOG_LEVEL").and_then(|level| level.parse().ok()).unwrap_or(LevelFilter::INFO);
    let quiet = QUIET.map(|target| (target, LevelFilter::OFF));
    let filter = Targets::new().with_default(level).with_targets(quiet);
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

#[cfg(test)]
mod tests {
    use std::{
        io,
        sync::{Arc, Mutex},
    };

    use serde_json::{Value, json};

    use super::*;

    #[derive(Clone, Default)]
    struct LogBuffer(Arc<Mutex<Vec<u8>>>);

    impl io::Write for LogBuffer {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn logged(level: Option<&str>, work: impl FnOnce()) -> Vec<Value> {
        let lines = LogBuffer::default();
        let writer = lines.clone();
        let vars = level.map(|level| ("LOG_LEVEL".to_owned(), level.to_owned()));
        let vars: Vars = vars.into_iter().collect();
        let subscriber = subscriber(&vars, move || writer.clone());
        tracing::subscriber::with_default(subscriber, work);
        let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    #[test]
    fn an_event_is_one_line_with_its_request() {
        let lines = logged(None, || {
            let _request = tracing::info_span!("request", request_id = "r-1").entered();
            tracing::info!(status = 200, "answered\nwith care");
            tracing::debug!("not at this level");
        });
        assert_eq!(
            lines,
            [json!({
                "level": "INFO",
                "target": "handlers::log::tests",
                "message": "answered\nwith care",
                "status": 200,
                "span": { "name": "request", "request_id": "r-1" },
            })]
        );
    }

    #[test]
    fn clients_are_quiet_at_every_level() {
        let lines = logged(Some("trace"), || {
            tracing::error!(target: "async_openai::error", "failed deserialization of: secret words");
            tracing::trace!("ours");
        });
        assert_eq!(lines.len(), 1);
        assert_eq!(lines[0]["message"], "ours");
    }
}
