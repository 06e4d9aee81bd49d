//! The page's files.

use std::sync::LazyLock;

use axum::{
    extract::RawQuery,
    http::HeaderMap,
    response::Response,
    routing::{MethodRouter, get},
};

use crate::http::{page::Asset, routing, scheduler::SchedulerState};

const SCRIPT_TYPE: &str = "text/javascript; charset=utf-8";

/// Improves the page.
pub(super) static SCRIPT: LazyLock<Asset> =
    LazyLock::new(|| Asset::new(SCRIPT_TYPE, include_str!("assets/book.js")));
/// How it looks.
pub(super) static STYLE: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("text/css; charset=utf-8", include_str!("assets/book.css")));
/// Puts it into another page.
static EMBED: LazyLock<Asset> =
    LazyLock::new(|| Asset::new(SCRIPT_TYPE, include_str!("assets/embed.js")));

pub(super) fn routes() -> [(&'static str, MethodRouter<SchedulerState>); 3] {
    [
        ("/book/book.js", asset(&SCRIPT)),
        ("/book/book.css", asset(&STYLE)),
        ("/book/embed.js", asset(&EMBED)),
    ]
}

fn asset(asset: &'static LazyLock<Asset>) -> MethodRouter<SchedulerState> {
    let respond = move |headers: HeaderMap, RawQuery(query): RawQuery| async move {
        let response: Response = asset.respond(&headers, query.as_deref());
        response
    };
    get(respond).fallback(routing::method_not_allowed)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_page_stays_small() {
        let assets = [
            include_str!("assets/book.js"),
            include_str!("assets/book.css"),
            include_str!("assets/embed.js"),
        ];
        let bytes: usize = assets.iter().map(|asset| asset.len()).sum();
        // With the page itself, about 10 KB, far below 60 KB.
        assert!(bytes < 30 * 1024, "{bytes} bytes");
    }
}
