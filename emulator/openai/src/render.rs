//! A round's answer: templates filled in, values saved, calls held against the offered tools.

use serde_json::{Value, json};

use super::{
    conversation::{Conversation, ToolChoice},
    expectation::offered,
    position::RoundPosition,
    reply::{Part, Reply},
    schema,
    script::{Round, RoundFailure, Script},
};
use rehearse_core::matcher::RenderError;

/// Why a round cannot be played as it is written.
#[derive(Debug, PartialEq)]
pub(super) enum ReplyError {
    /// A template has no value.
    Template(String),
    /// A call, or an answer, that the model could not give to this request.
    Impossible(String, Vec<String>),
    /// Nothing is there to save.
    Save(String),
}

impl From<RenderError> for ReplyError {
    fn from(error: RenderError) -> Self {
        Self::Template(error.to_string())
    }
}

/// The reply of a round. `fail` is the failure that shapes it, if any.
pub(super) fn reply(
    script: &Script,
    place: &RoundPosition,
    round: &Round,
    fail: Option<&RoundFailure>,
    conversation: &Conversation<'_>,
    results: &[Value],
) -> Result<Reply, ReplyError> {
    save(script, round, conversation, results)?;
    let mut parts = Vec::new();
    if let Some(say) = &round.say {
        parts.push(Part::Text(script.vars.text(say)?));
    }
    for call in &round.call {
        let arguments = script.vars.render(&Value::Object(call.arguments.clone()))?;
        possible(&call.name, &arguments, conversation)?;
        parts.push(Part::Call { name: call.name.clone(), arguments: arguments.to_string() });
    }
    for call in &round.raw_call {
        parts.push(Part::Call {
            name: script.vars.text(&call.name)?,
            arguments: script.vars.text(&call.arguments)?,
        });
    }
    let forced = matches!(conversation.choice, ToolChoice::Required | ToolChoice::Named(_));
    if forced && round.calls() == 0 && round.answers() {
        return Err(ReplyError::Impossible(
            "the model cannot answer with text: the request's tool_choice asks for a call".into(),
            Vec::new(),
        ));
    }
    let mut incomplete = None;
    if let Some(fail) = fail {
        if let Some(refusal) = &fail.refusal {
            parts = vec![Part::Refusal(script.vars.text(refusal)?)];
        }
        if fail.malformed {
            parts.iter_mut().for_each(break_off);
        }
        incomplete = fail.incomplete;
    }
    let calls = parts.iter().any(|p| matches!(p, Part::Call { .. }));
    let reasoning = round.reasoning.unwrap_or(conversation.reasoning && calls);
    Ok(Reply {
        ids: place.ids(script),
        reasoning,
        hidden: reasoning && conversation.reasoning,
        parts,
        incomplete,
    })
}

fn save(
    script: &Script,
    round: &Round,
    conversation: &Conversation<'_>,
    results: &[Value],
) -> Result<(), ReplyError> {
    if round.save.is_empty() {
        return Ok(());
    }
    let seen = json!({
        "results": results,
        "input": conversation.text(),
        "instructions": conversation.instructions
    });
    for (name, path) in &round.save {
        let Some(value) = path.get(&seen) else {
            let results = Value::Array(results.to_vec());
            return Err(ReplyError::Save(format!(
                "there is nothing to save as '{name}'; the results are {results}"
            )));
        };
        script.vars.set(name.clone(), value.clone());
    }
    Ok(())
}

/// Whether the model could make this call.
fn possible(
    name: &str,
    arguments: &Value,
    conversation: &Conversation<'_>,
) -> Result<(), ReplyError> {
    let impossible = |why: String, details| Err(ReplyError::Impossible(why, details));
    let Some(tool) = conversation.tool(name) else {
        let offered = offered(conversation);
        return impossible(
            format!(
                "the model cannot call '{name}': the request offers {offered} (raw_call sends anything)"
            ),
            Vec::new(),
        );
    };
    match conversation.choice {
        ToolChoice::None => {
            return impossible(
                format!("the model cannot call '{name}': the request's tool_choice is none"),
                Vec::new(),
            );
        }
        ToolChoice::Named(only) if only != name => {
            return impossible(
                format!("the model cannot call '{name}': the request's tool_choice is '{only}'"),
                Vec::new(),
            );
        }
        _ => {}
    }
    let misfits = match tool.parameters {
        Some(schema) if tool.strict => schema::misfits(arguments, schema),
        _ => Vec::new(),
    };
    if misfits.is_empty() {
        return Ok(());
    }
    impossible(
        format!(
            "the model cannot call '{name}' with {arguments}: its strict schema forbids it (raw_call sends anything)"
        ),
        misfits,
    )
}

/// Cuts arguments off, so that they are no JSON.
fn break_off(part: &mut Part) {
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
    fn broken_arguments_are_no_json() {
        for arguments in ["{}", r#"{"date":"2026-02-11"}"#, r#"{"é":"é"}"#] {
            let mut part = Part::Call { name: "f".into(), arguments: arguments.into() };
            break_off(&mut part);
            let Part::Call { arguments, .. } = part else { unreachable!() };
            assert!(serde_json::from_str::<Value>(&arguments).is_err(), "{arguments}");
        }
    }
}
