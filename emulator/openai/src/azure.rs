//! URLs, keys and errors as Azure OpenAI has them.
//!
//! The forms of the URLs are those that OpenAI's own clients for Azure call, and those of Microsoft's
//! reference, <https://learn.microsoft.com/azure/foundry/openai/latest>. A deployment is a name of the
//! customer's; here it is the name of a model.

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

/// A form of Azure's URLs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// `/openai/deployments/{deployment}/...?api-version=2024-10-21`
    Deployment,
    /// `/openai/...?api-version=2025-04-01-preview`
    Dated,
    /// `/openai/v1/...`
    V1,
}

/// What Azure serves, in which forms. `*` stands for an id, `**` for anything that follows: the fake does
/// not reproduce those.
///
/// The deployments are those of `_deployments_endpoints` in openai-python; moderations are not among
/// them, betalgo/openai#496. Microsoft's reference has conversations under `/openai/v1`, though a resource
/// was seen to lack them: <https://learn.microsoft.com/answers/a/12821516>.
const SERVED: &[(&str, &[Form])] = &[
    ("chat/completions", &[Form::Deployment, Form::V1]),
    ("embeddings", &[Form::Deployment, Form::V1]),
    ("completions", &[Form::Deployment, Form::V1]),
    ("audio/**", &[Form::Deployment, Form::V1]),
    ("images/**", &[Form::Deployment, Form::V1]),
    ("responses", &[Form::Dated, Form::V1]),
    ("responses/*", &[Form::Dated, Form::V1]),
    ("responses/*/input_items", &[Form::Dated, Form::V1]),
    ("responses/*/cancel", &[Form::Dated, Form::V1]),
    ("models", &[Form::Dated, Form::V1]),
    ("models/*", &[Form::Dated, Form::V1]),
    ("conversations", &[Form::V1]),
    ("conversations/*", &[Form::V1]),
    ("conversations/*/items", &[Form::V1]),
    ("conversations/*/items/*", &[Form::V1]),
    ("files/**", &[Form::Dated, Form::V1]),
    ("batches/**", &[Form::Dated, Form::V1]),
    ("vector_stores/**", &[Form::Dated, Form::V1]),
    ("fine_tuning/**", &[Form::Dated, Form::V1]),
    ("uploads/**", &[Form::Dated, Form::V1]),
    ("videos/**", &[Form::V1]),
    ("realtime/**", &[Form::Dated, Form::V1]),
];

/// The first version of the dated form that has the Responses endpoint; Aider-AI/aider#4029.
const FIRST_RESPONSES: &str = "2025-03-01";

/// Reads a path with its query.
///
/// # Errors
/// Azure's error for a path that it does not serve, or not in this version.
pub(super) fn target(path: &str, query: Option<&str>) -> Result<Target, ApiError> {
    let Some(rest) = path.strip_prefix("/openai/") else {
        return Ok(Target { path: path.into(), deployment: None, azure: false });
    };
    let version = form_urlencoded::parse(query.unwrap_or_default().as_bytes())
        .find(|(name, value)| name == "api-version" && !value.is_empty())
        .map(|(_, value)| value);
    let (form, deployment, rest) = if let Some(rest) = rest.strip_prefix("v1/") {
        (Form::V1, None, rest)
    } else {
        match rest.strip_prefix("deployments/").and_then(|rest| rest.split_once('/')) {
            Some((deployment, rest)) => (Form::Deployment, Some(deployment.to_owned()), rest),
            None => (Form::Dated, None, rest),
        }
    };
    check_version(form, rest, version.as_deref())?;
    if !SERVED.iter().any(|(served, forms)| forms.contains(&form) && fits(served, rest)) {
        let others: Vec<&str> = SERVED
            .iter()
            .filter(|(served, _)| fits(served, rest))
            .flat_map(|(_, forms)| forms.iter().map(|form| form.url()))
            .collect();
        let hint = if others.is_empty() {
            format!("Azure has no endpoint '{rest}'")
        } else {
            format!("Azure has '{rest}' at {} alone", others.join(" and "))
        };
        return Err(not_found(&hint));
    }
    Ok(Target { path: format!("/v1/{rest}"), deployment, azure: true })
}

impl Form {
    fn url(self) -> &'static str {
        match self {
            Self::Deployment => "/openai/deployments/{deployment}/...?api-version=2024-10-21",
            Self::Dated => "/openai/...?api-version=2025-04-01-preview",
            Self::V1 => "/openai/v1/...",
        }
    }
}

/// Whether a path is one that Azure serves.
fn fits(served: &str, path: &str) -> bool {
    if let Some(family) = served.strip_suffix("/**") {
        return path
            .strip_prefix(family)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    }
    let (mut wanted, mut given) = (served.split('/'), path.split('/'));
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return true,
            (Some("*"), Some(id)) if !id.is_empty() => {}
            (Some(wanted), Some(given)) if wanted == given => {}
            _ => return false,
        }
    }
}

/// Checks `api-version`. The newer form needs none, and knows no dates.
fn check_version(form: Form, path: &str, version: Option<&str>) -> Result<(), ApiError> {
    if form == Form::V1 {
        return match version {
            None | Some("v1" | "preview" | "latest") => Ok(()),
            // mindsdb/mindshub#11563.
            Some(_) => Err(ApiError::azure("BadRequest", "API version not supported").hint(
                "URLs with /openai/v1/ take no dated api-version; leave it out, or name 'v1' or 'preview'",
            )),
        };
    }
    let Some(version) = version else {
        return Err(not_found("URLs of this form need api-version=..., such as 2024-10-21"));
    };
    // Azure has no such resource with `preview`: CherryHQ/cherry-studio#8077, openai/openai-python#2584.
    if !is_dated(version) {
        return Err(not_found(&format!(
            "URLs of this form have a dated api-version, such as 2024-10-21, not '{version}'"
        )));
    }
    if path.starts_with("responses") && &version[..10] < FIRST_RESPONSES {
        let message = "Azure OpenAI Responses API is enabled only for api-version 2025-03-01-preview and later";
        return Err(ApiError::azure("BadRequest", message));
    }
    Ok(())
}

/// Whether a version is a date, or one with `-preview` behind it.
fn is_dated(version: &str) -> bool {
    let date = version.strip_suffix("-preview").unwrap_or(version);
    date.len() == 10 && date.is_ascii() && date.parse::<jiff::civil::Date>().is_ok()
}

fn not_found(hint: &str) -> ApiError {
    ApiError::azure("404", "Resource not found").status(404).hint(hint)
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
        let version = Some("api-version=2025-04-01-preview");
        assert_eq!(read("/v1/responses", None), ("/v1/responses".into(), None, false));
        assert_eq!(read("/openai/v1/responses", None), ("/v1/responses".into(), None, true));
        assert_eq!(read("/openai/responses", version), ("/v1/responses".into(), None, true));
        assert_eq!(
            read("/openai/deployments/gpt-4o/chat/completions", version),
            ("/v1/chat/completions".into(), Some("gpt-4o".into()), true)
        );
    }

    #[test]
    fn azure_serves_what_the_table_has_and_nothing_else() {
        let refusal = |path: &str, query: &str| {
            target(path, Some(query)).err().map(|error| (error.status, error.code.unwrap()))
        };
        let old = "api-version=2024-10-21";
        let new = "api-version=2025-04-01-preview";
        for (path, query) in [
            ("/openai/deployments/ours/chat/completions", old),
            ("/openai/deployments/ours/embeddings", old),
            ("/openai/deployments/ours/audio/transcriptions", old),
            ("/openai/responses", new),
            ("/openai/responses/resp_1/input_items", new),
            ("/openai/models/gpt-4o", old),
            ("/openai/v1/chat/completions", ""),
            ("/openai/v1/responses/resp_1", "api-version=preview"),
            ("/openai/v1/conversations/conv_1/items/msg_1", "api-version=v1"),
            ("/openai/v1/embeddings", ""),
        ] {
            assert_eq!(refusal(path, query), None, "{path}?{query}");
        }
        let (gone, bad) = ((404, "404".to_owned()), (400, "BadRequest".to_owned()));
        for (path, query, expected) in [
            ("/openai/deployments/ours/responses", new, &gone),
            ("/openai/deployments/ours/moderations", old, &gone),
            ("/openai/deployments/ours/models", old, &gone),
            ("/openai/deployments/ours", old, &gone),
            ("/openai/chat/completions", old, &gone),
            ("/openai/embeddings", old, &gone),
            ("/openai/conversations", new, &gone),
            ("/openai/v1/moderations", "", &gone),
            ("/openai/v1/responses/resp_1/output", "", &gone),
            ("/openai/v1/deployments/ours/chat/completions", "", &gone),
            ("/openai/v1/responses/", "", &gone),
            ("/openai/responses", "", &gone),
            ("/openai/responses", "api-version=", &gone),
            ("/openai/responses", "version=2025-04-01", &gone),
            ("/openai/responses", "api-version=preview", &gone),
            ("/openai/deployments/ours/embeddings", "api-version=1", &gone),
            ("/openai/responses", old, &bad),
            ("/openai/v1/responses", new, &bad),
        ] {
            assert_eq!(refusal(path, query).as_ref(), Some(expected), "{path}?{query}");
        }
    }

    #[test]
    fn a_hint_says_where_azure_has_it() {
        let hint = |path| target(path, Some("api-version=2024-10-21")).unwrap_err().hint.unwrap();
        assert!(hint("/openai/chat/completions").contains("/openai/deployments/{deployment}/"));
        assert!(hint("/openai/moderations").contains("no endpoint 'moderations'"));
    }
}
