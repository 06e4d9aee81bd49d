//! The `Model` port on `async-openai`.

use std::sync::Arc;

use async_openai::{
    Client,
    config::OpenAIConfig,
    error::{ApiError, OpenAIError},
    middleware::HttpRequestFactory,
};
use async_trait::async_trait;
use tower::service_fn;

use super::{
    loggable::loggable,
    retry::{self, ApiKey, NoAnswerInTime, RetryPolicy},
    wire::{CreateResponse, Response},
};
use crate::{
    domain::turn::ConversationItem,
    ports::{BoxError, Credential, Model, ModelError, ModelRequest, Timer},
};

/// Address, model and credentials. Has no `Debug`, because of the key.
pub struct Settings<'a> {
    /// API key; must be printable ASCII.
    pub api_key: Arc<dyn Credential>,
    /// Base URL, including `/v1`.
    pub base_url: &'a str,
    /// Name of the model.
    pub model: &'a str,
    /// When and how often a failed request is sent again.
    pub retry_policy: RetryPolicy,
    /// Of the time for an attempt, and of delays.
    pub timer: Arc<dyn Timer>,
}

/// OpenAI's Responses API.
#[derive(Clone)]
pub struct OpenAi {
    client: Client<OpenAIConfig>,
    key: ApiKey,
    model: String,
}

impl OpenAi {
    /// Builds a client over a shared HTTP client; sends nothing.
    pub fn new(http: reqwest::Client, settings: &Settings<'_>) -> Self {
        let retry_policy = settings.retry_policy;
        // All fields are set, because the default of each is an environment variable.
        let config = OpenAIConfig::new()
            .with_api_base(settings.base_url)
            // Empty, because every attempt inserts the current key.
            .with_api_key("")
            .with_org_id("")
            .with_project_id("");
        let transport = http.clone();
        let key = ApiKey(Arc::clone(&settings.api_key));
        let (keys, timer) = (key.clone(), Arc::clone(&settings.timer));
        let service = service_fn(move |request: HttpRequestFactory| {
            retry::send(transport.clone(), keys.clone(), retry_policy, Arc::clone(&timer), request)
        });
        let client = Client::build(http, config).with_http_service(service);
        Self { client, key, model: settings.model.to_owned() }
    }
}

#[async_trait]
impl Model for OpenAi {
    async fn respond(
        &self,
        request: ModelRequest<'_>,
    ) -> Result<Vec<ConversationItem>, ModelError> {
        // Checked here, because the client has no error for a missing key.
        self.key.current().await.map_err(ModelError::Unavailable)?;
        let body = CreateResponse::new(&self.model, &request);
        let response: Response =
            self.client.responses().create_byot(body).await.map_err(to_model_error)?;
        response.into_items()
    }
}

/// The client's errors without the response that they quote, which may hold a customer's words.
#[derive(Debug, thiserror::Error)]
enum RequestError {
    #[error(
        "answered {status}: {kind}, code {code}, param {param}",
        kind = loggable(.error.r#type.as_deref()),
        code = loggable(.error.code.as_deref()),
        param = loggable(.error.param.as_deref()),
    )]
    Status { status: u16, error: ApiError },
    #[error("the request failed")]
    Transport(#[source] reqwest::Error),
    #[error("the answer cannot be read at line {line} column {column}")]
    Unreadable { line: usize, column: usize },
    #[error(transparent)]
    TooLate(NoAnswerInTime),
    #[error("the client failed")]
    Client,
}

fn to_model_error(error: OpenAIError) -> ModelError {
    let (error, rejected) = match error {
        OpenAIError::ApiError(answer) => {
            let status = answer.status_code.as_u16();
            // A 4xx means that the request is wrong, except for these, which mean that it came at a
            // bad time.
            let rejected = matches!(status, 400..=499) && !matches!(status, 408 | 409 | 429);
            (RequestError::Status { status, error: answer.api_error }, rejected)
        }
        OpenAIError::Reqwest(error) => (RequestError::Transport(error), false),
        OpenAIError::JSONDeserialize(error, _) => {
            (RequestError::Unreadable { line: error.line(), column: error.column() }, false)
        }
        OpenAIError::Boxed(error) => {
            let late = error.downcast::<NoAnswerInTime>();
            (late.map_or(RequestError::Client, |late| RequestError::TooLate(*late)), false)
        }
        _ => (RequestError::Client, false),
    };
    let source: BoxError = Box::new(error);
    if rejected { ModelError::Rejected(source) } else { ModelError::Unavailable(source) }
}
