//! Renders a round as a reply: fills in templates, saves values and checks the calls against the
//! offered tools.

use serde_json::{Value, json};

use super::{
    conversation::Conversation,
    error::ApiError,
    position::RoundPosition,
    possible::{self, Impossible},
    reply::{Failed, Part, Reply},
    schema,
    script::{CutPoint, Round, RoundFailure, Script},
};
use rehearse_core::matcher::RenderError;

/// Why a round cannot be rendered as it is written.
#[derive(Debug, PartialEq, thiserror::Error)]
pub(super) enum ReplyError {
    /// A template has no value.
    #[error("{0}")]
    Template(String),
    /// The model could not give this reply to this request.
    #[error("{reason}")]
    Impossible { reason: String, details: Vec<String> },
    /// The path of a `save` leads to nothing.
    #[error("{0}")]
    NothingToSave(String),
}

impl From<Impossible> for ReplyError {
    fn from(Impossible { reason, details }: Impossible) -> Self {
        Self::Impossible { reason, details }
    }
}

impl From<RenderError> for ReplyError {
    fn from(error: RenderError) -> Self {
        Self::Template(error.to_string())
    }
}

/// The reply of a round. `fail` is the failure that changes it, if any. When `lenient`, calls are made at
/// once whatever the request says.
///
/// # Errors
/// Every [`ReplyError`].
pub(super) fn render(
    script: &Script,
    position: &RoundPosition,
    round: &Round,
    fail: Option<&RoundFailure>,
    conversation: &Conversation<'_>,
    lenient: bool,
) -> Result<Reply, ReplyError> {
    let mut parts = Vec::new();
    // A text that stops early need not be whole.
    let stops_early = fail.is_some_and(|fail| fail.incomplete.is_some() || fail.failed.is_some());
    if let Some(say) = &round.say {
        let text = script.vars.text(say)?;
        if !stops_early {
            possible::check_text(conversation, &text)?;
        }
        parts.push(Part::Text(text));
    }
    if !round.at_once && !lenient {
        possible::check_count(conversation, round.call.len())?;
    }
    for call in &round.call {
        let arguments = script.vars.render(&Value::Object(call.arguments.clone()))?;
        let arguments = check_call(&call.name, arguments, conversation)?;
        parts.push(Part::Call { name: call.name.clone(), arguments: arguments.to_string() });
    }
    for call in &round.raw_call {
        parts.push(Part::Call {
            name: script.vars.text(&call.name)?,
            arguments: script.vars.text(&call.arguments)?,
        });
    }
    if round.call_count() == 0 && round.has_reply() && !stops_early {
        possible::check_no_call(conversation)?;
    }
    let mut incomplete = None;
    if let Some(fail) = fail {
        if let Some(refusal) = &fail.refusal {
            parts = vec![Part::Refusal(script.vars.text(refusal)?)];
        }
        if fail.malformed {
            parts.iter_mut().for_each(truncate_arguments);
        }
        incomplete = fail.incomplete;
        if incomplete.is_some()
            && let Some(last) = parts.last_mut()
        {
            truncate_arguments(last);
        }
    }
    let calls = parts.iter().any(|p| matches!(p, Part::Call { .. }));
    let reasoning = round.reasoning.unwrap_or(conversation.reasoning && calls);
    Ok(Reply {
        ids: position.ids(script),
        reasoning,
        encrypted: reasoning && conversation.reasoning,
        parts,
        incomplete,
        failed: fail.and_then(|fail| failed(fail, conversation)),
    })
}

/// The error with which a response fails after it began, if it does.
fn failed(fail: &RoundFailure, conversation: &Conversation<'_>) -> Option<Failed> {
    // An HTTP status within a stream.
    let status = fail.status.filter(|_| fail.cut == Some(CutPoint::MidStream));
    let (status, code, event) = match (status, fail.failed.as_deref()) {
        (Some(status), _) => (status, fail.code.as_deref(), true),
        (None, Some(code @ "rate_limit_exceeded")) => (429, Some(code), false),
        (None, Some(code)) => (500, Some(code), false),
        (None, None) => return None,
    };
    let error = ApiError::failure(status, code, conversation.model);
    // Of the codes of an error, a failed response has few.
    let code = match (&fail.failed, status) {
        (Some(code), _) => code.clone(),
        (None, 429) => "rate_limit_exceeded".into(),
        (None, _) => "server_error".into(),
    };
    Some(Failed { error, code, event })
}

/// Sets the values of a round's `save` in the script's variables, in order. `results` are the outputs of the
/// calls of the round before.
///
/// # Errors
/// [`ReplyError::NothingToSave`].
pub(super) fn save(
    script: &Script,
    round: &Round,
    conversation: &Conversation<'_>,
    results: &[Value],
) -> Result<(), ReplyError> {
    if round.save.is_empty() {
        return Ok(());
    }
    let source = json!({
        "results": results,
        "input": conversation.text(),
        "instructions": conversation.instructions
    });
    for (name, path) in &round.save {
        let Some(value) = path.get(&source) else {
            let results = Value::Array(results.to_vec());
            return Err(ReplyError::NothingToSave(format!(
                "there is nothing to save as '{name}'; the results are {results}"
            )));
        };
        script.vars.set(name.clone(), value.clone());
    }
    Ok(())
}

/// The arguments as the model sends them, if it could make this call.
fn check_call(
    name: &str,
    arguments: Value,
    conversation: &Conversation<'_>,
) -> Result<Value, ReplyError> {
    possible::check_call(conversation, name)?;
    let Some(tool) = conversation.tool(name) else { return Ok(arguments) };
    let Some(schema) = tool.parameters.filter(|_| tool.strict) else { return Ok(arguments) };
    let errors = schema::argument_errors(&schema::with_nulls(arguments.clone(), schema), schema);
    if errors.is_empty() {
        return Ok(schema::with_nulls(arguments, schema));
    }
    Err(ReplyError::Impossible {
        reason: format!(
            "the model cannot call '{name}' with {arguments}: its strict schema forbids it (raw_call sends anything)"
        ),
        details: errors,
    })
}

/// Cuts arguments off, so that they are not JSON.
fn truncate_arguments(part: &mut Part) {
    if let Part::Call { arguments, .. } = part {
        let keep = arguments.chars().count() * 2 / 3;
        if let Some((at, _)) = arguments.char_indices().nth(keep.max(1)) {
            arguments.truncate(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn truncated_arguments_are_not_json() {
        for arguments in ["{}", r#"{"date":"2026-02-11"}"#, r#"{"é":"é"}"#] {
            let mut part = Part::Call { name: "f".into(), arguments: arguments.into() };
            truncate_arguments(&mut part);
            let Part::Call { arguments, .. } = part else { unreachable!() };
            assert!(serde_json::from_str::<Value>(&arguments).is_err(), "{arguments}");
        }
    }
}
