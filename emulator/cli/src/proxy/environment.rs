//! The variables by which each runtime uses the proxy and trusts its certificates.

use super::{Files, text};
use rehearse_proxy::{DIRECT, Proxy};

/// Variables that would lead some clients elsewhere.
pub(super) const REMOVED: [&str; 7] = [
    "ALL_PROXY",
    "all_proxy",
    "grpc_proxy",
    "no_grpc_proxy",
    "npm_config_proxy",
    "npm_config_https_proxy",
    "npm_config_noproxy",
];

/// Java reads its options from these too, and they go before those of `JAVA_TOOL_OPTIONS`.
const STRONGER_JAVA_OPTIONS: [&str; 2] = ["_JAVA_OPTIONS", "JDK_JAVA_OPTIONS"];

/// Names with their values. `own` is what is set already: options of Java and Node are appended to it, and
/// everything else replaces it.
pub(super) fn variables(
    proxy: &Proxy,
    files: &Files,
    own: impl Fn(&str) -> Option<String>,
) -> Vec<(&'static str, String)> {
    let appended = |name: &str, more: String| match own(name) {
        Some(own) if !own.trim().is_empty() => format!("{own} {more}"),
        _ => more,
    };
    let is_set = |name: &str| own(name).is_some_and(|own| !own.trim().is_empty());
    let java = java_options(proxy, files);
    let url = proxy.url();
    let certificate = text(&files.certificate);
    let mut variables = vec![
        // Some programs read small letters alone, curl for `http_proxy`, and some capital ones alone.
        ("HTTPS_PROXY", url.clone()),
        ("https_proxy", url.clone()),
        ("HTTP_PROXY", url.clone()),
        ("http_proxy", url),
        ("NO_PROXY", DIRECT.into()),
        ("no_proxy", DIRECT.into()),
        // OpenSSL, and with it Python's ssl and httpx, Ruby, .NET; Go; Rust's native certificates.
        ("SSL_CERT_FILE", certificate.clone()),
        ("REQUESTS_CA_BUNDLE", certificate.clone()),
        ("CURL_CA_BUNDLE", certificate.clone()),
        ("AWS_CA_BUNDLE", certificate.clone()),
        ("NODE_EXTRA_CA_CERTS", certificate.clone()),
        ("NODE_USE_ENV_PROXY", "1".into()),
        ("DENO_CERT", certificate),
        ("NODE_OPTIONS", appended("NODE_OPTIONS", node_options(files))),
        ("JAVA_TOOL_OPTIONS", appended("JAVA_TOOL_OPTIONS", java.clone())),
    ];
    let stronger = STRONGER_JAVA_OPTIONS.into_iter().filter(|name| is_set(name));
    variables.extend(stronger.map(|name| (name, appended(name, java.clone()))));
    variables
}

/// Node reads a word in quotes, with backslashes before what would end it.
fn node_options(files: &Files) -> String {
    let path = text(&files.preload).replace('\\', "\\\\").replace('"', "\\\"");
    format!("--require \"{path}\"")
}

fn java_options(proxy: &Proxy, files: &Files) -> String {
    let port = proxy.port();
    let mut store = format!("-Djavax.net.ssl.trustStore={}", text(&files.trust_store));
    if store.contains(char::is_whitespace) {
        store = format!("\"{store}\"");
    }
    // Without a password, which Java takes for a store that is not encrypted.
    format!(
        "{store} -Djavax.net.ssl.trustStoreType=PKCS12 \
         -Dhttps.proxyHost=127.0.0.1 -Dhttps.proxyPort={port} \
         -Dhttp.proxyHost=127.0.0.1 -Dhttp.proxyPort={port} \
         -Dhttp.nonProxyHosts=localhost|*.localhost|127.*|0.0.0.0|[::1]"
    )
}
