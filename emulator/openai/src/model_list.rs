//! `GET /v1/models`: the models that there are.

use http::{HeaderMap, Response};
use serde_json::{Value, json};

use super::{
    embeddings::EMBEDDING_MODELS,
    error::ApiError,
    http::{Body, check_api_key, error_response, value_response},
    moderations::MODERATION_MODELS,
    state::ServerState,
};

/// All models, or the one with this id.
pub(super) fn models(
    server: &ServerState,
    headers: &HeaderMap,
    azure: bool,
    id: Option<&str>,
) -> Response<Body> {
    if let Err(error) = check_api_key(server, headers, azure) {
        return error_response(&error);
    }
    let model = |id: &str| json!({ "id": id, "object": "model", "created": 1_767_225_600, "owned_by": "openai" });
    match id {
        None => {
            let models = server.options.models.iter().map(|id| model(id));
            let all: Vec<Value> = models.chain(others().map(model)).collect();
            value_response(200, &json!({ "object": "list", "data": all }))
        }
        Some(id) if server.options.has_model(id) || others().any(|o| o == id) => {
            value_response(200, &model(id))
        }
        Some(id) => error_response(
            &ApiError::invalid(format!("The model '{id}' does not exist"))
                .status(404)
                .param("model")
                .code("model_not_found"),
        ),
    }
}

/// The models that make no texts.
fn others() -> impl Iterator<Item = &'static str> {
    EMBEDDING_MODELS.iter().map(|(id, ..)| *id).chain(MODERATION_MODELS)
}
