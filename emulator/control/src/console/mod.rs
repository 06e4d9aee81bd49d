//! The console: a page that shows the running world and does what the control API can do.
//!
//! It is plain HTML, CSS and ES modules inside of the program, and a client of the control API as any
//! other. Its policy lets nothing run that is not one of these files, and nothing be fetched from
//! elsewhere.

use std::io::Write as _;

use axum::{
    Router,
    body::Bytes,
    http::{
        HeaderMap, HeaderValue,
        header::{
            ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY,
            CONTENT_TYPE, REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
        },
    },
    routing::get,
};
use flate2::{Compression, write::GzEncoder};

/// Pictures of texts are shown when this machine serves them: a page of a local world asks nobody else.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
    img-src 'self' data: http://127.0.0.1:* http://localhost:*; base-uri 'none'; form-action 'none'; \
    frame-ancestors 'none'";

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

/// A file of the page: its path, its type and its content.
pub(crate) type Asset = (&'static str, &'static str, &'static str);

/// A script below `assets/`.
macro_rules! script {
    ($name:literal) => {
        (concat!("/console/", $name), SCRIPT, include_str!(concat!("assets/", $name)))
    };
}

/// Every file of the page.
pub(crate) const ASSETS: &[Asset] = &[
    ("/", HTML, include_str!("assets/index.html")),
    ("/console/console.css", CSS, include_str!("assets/console.css")),
    ("/console/icon.svg", SVG, include_str!("assets/icon.svg")),
    script!("actions.js"),
    script!("api.js"),
    script!("app.js"),
    script!("clock.js"),
    script!("commands.js"),
    script!("describe.js"),
    script!("details.js"),
    script!("dom.js"),
    script!("exchanges.js"),
    script!("faults.js"),
    script!("look.js"),
    script!("model.js"),
    script!("palette.js"),
    script!("phones.js"),
    script!("record.js"),
    script!("redraw.js"),
    script!("rows.js"),
    script!("selection.js"),
    script!("snapshots.js"),
    script!("store.js"),
    script!("tables.js"),
    script!("time.js"),
    script!("turn.js"),
    script!("virtual.js"),
];

/// The routes of the page's files. They are sent compressed to whoever takes that, as every browser does.
pub(crate) fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    ASSETS.iter().fold(Router::new(), |router, (path, kind, content)| {
        let serve = move |request: HeaderMap| async move {
            let accepted = request.get(ACCEPT_ENCODING).and_then(|value| value.to_str().ok());
            let mut headers = headers(kind);
            match accepted.filter(|accepted| takes_gzip(accepted)).and_then(|_| gzip(content)) {
                Some(packed) => {
                    headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
                    (headers, Bytes::from(packed))
                }
                None => (headers, Bytes::from_static(content.as_bytes())),
            }
        };
        router.route(path, get(serve))
    })
}

/// Whether an `Accept-Encoding` names gzip and does not refuse it.
fn takes_gzip(accepted: &str) -> bool {
    accepted.split(',').any(|part| {
        let (name, weight) = part.split_once(';').unwrap_or((part, ""));
        name.trim() == "gzip" && !matches!(weight.replace(' ', "").as_str(), "q=0" | "q=0.0")
    })
}

/// The files are small: it takes less than a millisecond.
pub(crate) fn gzip(content: &str) -> Option<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(content.as_bytes()).and_then(|()| encoder.finish()).ok()
}

/// The files are small and loopback is fast: a browser asks each time, and never shows the page of an
/// older version. A policy is of a document, so only the page itself has one.
fn headers(kind: &'static str) -> HeaderMap {
    let mut headers = vec![
        (CONTENT_TYPE, kind),
        (CACHE_CONTROL, "no-store"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (VARY, "accept-encoding"),
    ];
    if kind == HTML {
        headers.extend([
            (CONTENT_SECURITY_POLICY, POLICY),
            (X_FRAME_OPTIONS, "DENY"),
            (REFERRER_POLICY, "no-referrer"),
        ]);
    }
    headers.into_iter().map(|(name, value)| (name, HeaderValue::from_static(value))).collect()
}
