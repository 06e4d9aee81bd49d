//! The `Model` port on the client.

use async_openai::{
    Client, config::OpenAIConfig, error::OpenAIError, middleware::HttpRequestFactory,
};
use async_trait::async_trait;
use tower::service_fn;

use super::{
    retry::{self, Patience},
    wire::{CreateResponse, Response},
};
use crate::{
    config::OpenAiConfig,
    domain::turn::Item,
    ports::{Model, ModelError, ModelRequest, Source},
};

/// OpenAI's Responses API.
#[derive(Debug, Clone)]
pub struct OpenAi {
    client: Client<OpenAIConfig>,
    model: String,
}

impl OpenAi {
    /// Composes a client over a shared HTTP client; sends nothing.
    pub fn new(http: reqwest::Client, config: &OpenAiConfig, patience: Patience) -> Self {
        // Every field is set, because the default of each is an environment variable.
        let settings = OpenAIConfig::new()
            .with_api_base(&config.base_url)
            .with_api_key(config.api_key.expose())
            .with_org_id("")
            .with_project_id("");
        let transport = http.clone();
        let service = service_fn(move |request: HttpRequestFactory| {
            retry::send(transport.clone(), patience, request)
        });
        let client = Client::build(http, settings).with_http_service(service);
        Self { client, model: config.model.clone() }
    }
}

#[async_trait]
impl Model for OpenAi {
    async fn respond(&self, request: ModelRequest<'_>) -> Result<Vec<Item>, ModelError> {
        let body = CreateResponse::new(&self.model, &request);
        let response: Response =
            self.client.responses().create_byot(body).await.map_err(failure)?;
        response.into_items()
    }
}

/// The client's errors without what they quote: an unreadable body has somebody's words in it.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("answered {status}: {error}")]
    Status { status: u16, error: async_openai::error::ApiError },
    #[error("the request failed")]
    Transport(#[source] reqwest::Error),
    #[error("the answer cannot be read at line {line} column {column}")]
    Unreadable { line: usize, column: usize },
    #[error("the client failed")]
    Client,
}

fn failure(error: OpenAIError) -> ModelError {
    let (failure, ours) = match error {
        OpenAIError::ApiError(answer) => {
            let status = answer.status_code.as_u16();
            // A 4xx says that the request is wrong; these say that the moment is.
            let ours = matches!(status, 400..=499) && !matches!(status, 408 | 409 | 429);
            (Failure::Status { status, error: answer.api_error }, ours)
        }
        OpenAIError::Reqwest(error) => (Failure::Transport(error), false),
        OpenAIError::JSONDeserialize(error, _) => {
            (Failure::Unreadable { line: error.line(), column: error.column() }, false)
        }
        _ => (Failure::Client, false),
    };
    let source: Source = Box::new(failure);
    if ours { ModelError::Rejected(source) } else { ModelError::Unavailable(source) }
}
