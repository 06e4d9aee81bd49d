//! Checks the URLs of pictures in a request. Nothing is fetched.

use super::{error::ApiError, respond::Endpoint};

/// Checks the URL of a picture. `path` leads to it.
///
/// # Errors
/// What the provider refuses, in its words.
pub(super) fn check(url: &str, path: &str, endpoint: Endpoint) -> Result<(), ApiError> {
    if ["http://", "https://"].iter().any(|scheme| url.starts_with(scheme)) {
        return Ok(());
    }
    let refuse = |why: &str| {
        let what = match endpoint {
            Endpoint::Responses => format!("Invalid '{path}'."),
            Endpoint::Chat => format!("Invalid image URL: '{path}'."),
        };
        Err(ApiError::invalid(format!(
            "{what} Expected a base64-encoded data URL with an image MIME type (e.g. 'data:image/png;base64,aW1nIGJ5dGVzIGhlcmU='), but got {why}."
        ))
        .param(path)
        .code("invalid_value"))
    };
    // Alibaba-NLP/OmniSearch#3.
    let Some(data) = url.strip_prefix("data:") else {
        return refuse("a value without the 'data:' prefix");
    };
    let (kind, bytes) = data.split_once(',').unwrap_or((data, ""));
    // langgenius/dify#11527, of Chat Completions.
    if endpoint == Endpoint::Chat && !kind.starts_with("image/") {
        return Err(ApiError::invalid("Invalid MIME type. Only image types are supported.")
            .code("invalid_image_format"));
    }
    // anomalyco/opencode#23983.
    if bytes.is_empty() { refuse("empty base64-encoded bytes") } else { Ok(()) }
}
