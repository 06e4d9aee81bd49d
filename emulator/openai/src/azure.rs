//! URLs, keys and errors as Azure OpenAI has them.
//!
//! The forms of the URLs are those that OpenAI's own clients for Azure call. The words of its errors have no
//! source here and may differ. A deployment is a name of the customer's; here it is the name of a model.

use serde_json::Value;

use super::{error::ApiError, options::Options};

/// What a path means once the forms of Azure's URLs are taken off.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Target {
    /// The path as OpenAI itself has it, such as `/v1/chat/completions`.
    pub path: String,
    /// The deployment in the path, which is the model of the request.
    pub deployment: Option<String>,
    /// Whether the path is one of Azure's.
    pub azure: bool,
}

/// Reads a path with its query.
///
/// # Errors
/// Azure's error for a path without `api-version`.
pub(super) fn target(path: &str, query: Option<&str>) -> Result<Target, ApiError> {
    let Some(rest) = path.strip_prefix("/openai/") else {
        return Ok(Target { path: path.into(), deployment: None, azure: false });
    };
    // The newer form needs no version.
    if rest.starts_with("v1/") {
        return Ok(Target { path: format!("/{rest}"), deployment: None, azure: true });
    }
    let versioned = form_urlencoded::parse(query.unwrap_or_default().as_bytes())
        .any(|(name, value)| name == "api-version" && !value.is_empty());
    if !versioned {
        return Err(ApiError::azure("404", "Resource not found").status(404));
    }
    let (deployment, rest) = match rest.strip_prefix("deployments/").and_then(|r| r.split_once('/'))
    {
        Some((deployment, rest)) => (Some(deployment.to_owned()), rest),
        None => (None, rest),
    };
    Ok(Target { path: format!("/v1/{rest}"), deployment, azure: true })
}

/// Makes the deployment the model of a request, whatever model its body names.
///
/// # Errors
/// There is no model of this name.
pub(super) fn deploy(
    deployment: &str,
    request: &mut Value,
    options: &Options,
) -> Result<(), ApiError> {
    if !options.has_model(deployment) && !super::embeddings::is_model(deployment) {
        let message = "The API deployment for this resource does not exist. If you created the deployment within the last 5 minutes, please wait a moment and try again.";
        return Err(ApiError::azure("DeploymentNotFound", message).status(404).hint(format!(
            "the fake OpenAI takes the name of a deployment as a model's; name it in rehearse.toml: [openai] models = [{deployment:?}], or in `Options::models`"
        )));
    }
    if let Some(request) = request.as_object_mut() {
        request.insert("model".into(), Value::from(deployment));
    }
    Ok(())
}

/// The error for a request without the right key.
pub(super) fn access_denied() -> ApiError {
    ApiError::azure(
        "401",
        "Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide a valid key for an active subscription and use a correct regional API endpoint for your resource.",
    )
    .status(401)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_forms_of_azure_are_taken_off() {
        let read = |path, query| {
            let target = target(path, query).unwrap();
            (target.path, target.deployment, target.azure)
        };
        let version = Some("api-version=2024-10-21");
        assert_eq!(read("/v1/responses", None), ("/v1/responses".into(), None, false));
        assert_eq!(read("/openai/v1/responses", None), ("/v1/responses".into(), None, true));
        assert_eq!(read("/openai/responses", version), ("/v1/responses".into(), None, true));
        assert_eq!(
            read("/openai/deployments/gpt-4o/chat/completions", version),
            ("/v1/chat/completions".into(), Some("gpt-4o".into()), true)
        );
        for query in [None, Some("api-version="), Some("version=1")] {
            let error = target("/openai/responses", query).unwrap_err();
            assert_eq!((error.status, error.code.as_deref()), (404, Some("404")));
        }
    }
}
