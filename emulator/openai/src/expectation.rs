//! Does a request show what a round expects.

use serde_json::Value;

use super::{
    conversation::Conversation,
    script::{RequestExpectation, Round},
};
use rehearse_core::matcher::{Matcher, Mismatch, RenderError, Vars};

/// Longest value that a mismatch shows.
const SHOWN: usize = 400;

/// What is wrong with a request in the eyes of a round.
pub(super) fn mismatches(
    round: &Round,
    conversation: &Conversation<'_>,
    results: &[Value],
    vars: &Vars,
) -> Result<Vec<Mismatch>, RenderError> {
    let mut found = Vec::new();
    if let Some(sees) = &round.sees {
        said(sees, conversation, vars, &mut found)?;
        if !sees.results.is_empty() {
            let list = sees.results.iter().map(|m| m.render(vars)).collect::<Result<_, _>>()?;
            let misses = Matcher::List(list).check(&Value::Array(results.to_vec()));
            found.extend(
                misses.into_iter().map(|m| Mismatch { path: format!("results{}", m.path), ..m }),
            );
        }
    }
    for mismatch in &mut found {
        shorten(&mut mismatch.actual);
    }
    Ok(found)
}

fn said(
    sees: &RequestExpectation,
    conversation: &Conversation<'_>,
    vars: &Vars,
    found: &mut Vec<Mismatch>,
) -> Result<(), RenderError> {
    if !sees.instructions.is_empty() {
        let instructions = Value::String(conversation.instructions.to_string());
        for matcher in &sees.instructions {
            expect(matcher, &instructions, "instructions", vars, found)?;
        }
    }
    for tool in &sees.tools {
        if conversation.tool(tool).is_none() {
            found.push(Mismatch {
                path: "tools".into(),
                expected: tool.clone(),
                actual: offered(conversation),
            });
        }
    }
    if let Some(matcher) = &sees.input {
        expect(matcher, &Value::String(conversation.text().into()), "input", vars, found)?;
    }
    if let Some(matcher) = &sees.model {
        let model = Value::String(conversation.model.into());
        found.extend(
            matcher
                .render(vars)?
                .check(&model)
                .into_iter()
                .map(|m| Mismatch { path: "model".into(), ..m }),
        );
    }
    let earlier: Vec<Value> =
        conversation.earlier().iter().map(|m| Value::String(m.text.to_string())).collect();
    if sees.history.as_ref().is_some_and(Vec::is_empty) && !earlier.is_empty() {
        found.push(Mismatch {
            path: "history".into(),
            expected: "no earlier message".into(),
            actual: Value::Array(earlier.clone()).to_string(),
        });
    }
    let mut from = 0;
    for (i, matcher) in sees.history.iter().flatten().enumerate() {
        let matcher = part_of_text(matcher.render(vars)?);
        match earlier[from..].iter().position(|text| matcher.is_match(text)) {
            Some(at) => from += at + 1,
            None => found.push(Mismatch {
                path: format!("history[{i}]"),
                expected: matcher.to_string(),
                actual: Value::Array(earlier[from..].to_vec()).to_string(),
            }),
        }
    }
    Ok(())
}

fn expect(
    matcher: &Matcher,
    text: &Value,
    path: &str,
    vars: &Vars,
    found: &mut Vec<Mismatch>,
) -> Result<(), RenderError> {
    let misses = part_of_text(matcher.render(vars)?).check(text);
    found.extend(misses.into_iter().map(|m| Mismatch { path: path.into(), ..m }));
    Ok(())
}

/// A plain text stands for a part of what is said.
fn part_of_text(matcher: Matcher) -> Matcher {
    match matcher {
        Matcher::Literal(Value::String(_)) => Matcher::Contains(vec![matcher]),
        other => other,
    }
}

/// The tools of a request, by name.
pub(super) fn offered(conversation: &Conversation<'_>) -> String {
    if conversation.tools.is_empty() {
        return "no tools".into();
    }
    conversation.tools.iter().map(|t| t.name).collect::<Vec<_>>().join(", ")
}

fn shorten(text: &mut String) {
    if let Some((at, _)) = text.char_indices().nth(SHOWN) {
        text.truncate(at);
        text.push_str("...");
    }
}
