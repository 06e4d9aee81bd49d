//! Scripts of the model, in the words of scenarios, and what is unmet of them.

use axum::{Json, extract::State, http::StatusCode};

use super::{SharedState, filled, number};
use crate::{
    ScriptReport, Scripts, Unmet,
    armed_scripts::{self, NewScript, TooMany, told},
    error::{ApiError, PathNumber, YamlBody},
    server::ApiState,
};
use rehearse_scenario::ModelScript;

pub(crate) async fn arm(
    State(api): SharedState,
    YamlBody(source): YamlBody,
) -> Result<(StatusCode, Json<ScriptReport>), ApiError> {
    let script = ModelScript::parse(&source, &api.names());
    let script = script.map_err(|error| ApiError::bad_request(error.to_string()))?;
    let vars = api.scripts.vars();
    let from = script.from.map(|from| number(&api.people, &filled(&vars, &from)?)).transpose()?;
    let script = NewScript {
        text: script.text.map(|text| filled(&vars, &text)).transpose()?,
        from,
        media: script.media.len(),
        rounds: script.model,
    };
    let armed = api.scripts.arm(&api.world, script).map_err(|TooMany| {
        let most = armed_scripts::MOST;
        ApiError::conflict(format!("{most} scripts are armed already"))
            .help("DELETE /scripts removes all, DELETE /scripts/{id} one")
    })?;
    Ok((StatusCode::CREATED, Json(armed)))
}

pub(crate) async fn list(State(api): SharedState) -> Json<Scripts> {
    let scripts = api.scripts.reports();
    let unexpected = api.world.openai().unexpected_requests();
    Json(all(scripts, unexpected.into_iter().map(Into::into).collect()))
}

pub(crate) async fn remove_all(State(api): SharedState) -> Json<Scripts> {
    let scripts = api.scripts.remove_all();
    let unexpected = api.world.openai().take_unexpected_requests();
    Json(all(scripts, unexpected.into_iter().map(Into::into).collect()))
}

pub(crate) async fn script(
    State(api): SharedState,
    PathNumber(id): PathNumber,
) -> Result<Json<ScriptReport>, ApiError> {
    api.scripts.report(id).map(Json).ok_or_else(|| unknown(&api, id))
}

pub(crate) async fn remove(
    State(api): SharedState,
    PathNumber(id): PathNumber,
) -> Result<Json<ScriptReport>, ApiError> {
    api.scripts.remove(id).map(Json).ok_or_else(|| unknown(&api, id))
}

fn all(scripts: Vec<ScriptReport>, unexpected: Vec<Unmet>) -> Scripts {
    let parts: Vec<String> = scripts
        .iter()
        .filter_map(|script| script.report.clone())
        .chain(told("requests that no script is for", &unexpected))
        .collect();
    let report = (!parts.is_empty()).then(|| parts.join("\n\n"));
    Scripts { scripts, unexpected, met: report.is_none(), report }
}

fn unknown(api: &ApiState, id: u64) -> ApiError {
    let ids: Vec<String> = api.scripts.reports().iter().map(|s| s.id.to_string()).collect();
    let help = if ids.is_empty() {
        "none is armed".into()
    } else {
        format!("there are {}", ids.join(", "))
    };
    ApiError::not_found(format!("no script {id} is armed")).help(help)
}
