//! Renders a round as a reply: fills in templates, saves values and checks the calls against the
//! offered tools.

use serde_json::{Value, json};

use super::{
    conversation::{Conversation, ToolChoice},
    position::RoundPosition,
    reply::{Part, Reply},
    schema,
    script::{Round, RoundFailure, Script},
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

impl ReplyError {
    fn impossible(reason: impl Into<String>) -> Self {
        Self::Impossible { reason: reason.into(), details: Vec::new() }
    }
}

impl From<RenderError> for ReplyError {
    fn from(error: RenderError) -> Self {
        Self::Template(error.to_string())
    }
}

/// The reply of a round. `fail` is the failure that changes it, if any.
///
/// # Errors
/// Every [`ReplyError`].
pub(super) fn render(
    script: &Script,
    position: &RoundPosition,
    round: &Round,
    fail: Option<&RoundFailure>,
    conversation: &Conversation<'_>,
) -> Result<Reply, ReplyError> {
    let mut parts = Vec::new();
    if let Some(say) = &round.say {
        parts.push(Part::Text(script.vars.text(say)?));
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
    let must_call = matches!(conversation.choice, ToolChoice::Required | ToolChoice::Named(_));
    if must_call && round.call_count() == 0 && round.has_reply() {
        return Err(ReplyError::impossible(
            "the model cannot answer with text: the request's tool_choice asks for a call",
        ));
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
    }
    let calls = parts.iter().any(|p| matches!(p, Part::Call { .. }));
    let reasoning = round.reasoning.unwrap_or(conversation.reasoning && calls);
    Ok(Reply {
        ids: position.ids(script),
        reasoning,
        encrypted: reasoning && conversation.reasoning,
        parts,
        incomplete,
    })
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
    let Some(tool) = conversation.tool(name) else {
        let offered = conversation.tool_names();
        return Err(ReplyError::impossible(format!(
            "the model cannot call '{name}': the request offers {offered} (raw_call sends anything)"
        )));
    };
    match conversation.choice {
        ToolChoice::None => {
            return Err(ReplyError::impossible(format!(
                "the model cannot call '{name}': the request's tool_choice is none"
            )));
        }
        ToolChoice::Named(only) if only != name => {
            return Err(ReplyError::impossible(format!(
                "the model cannot call '{name}': the request's tool_choice is '{only}'"
            )));
        }
        _ => {}
    }
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
