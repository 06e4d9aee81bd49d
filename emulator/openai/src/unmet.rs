//! Unmet expectations: requests that no round expected and rounds that no request reached, in parts
//! that a report can lay out and as text.

use std::fmt;

use serde_json::Value;

use super::{
    conversation::Conversation,
    position::{self, RoundPosition},
    render::ReplyError,
    script::{Round, Script},
};
use rehearse_core::matcher::{Mismatch, RenderError, differences};

/// All unmet expectations of a server. Its `Display` is a report of several lines.
#[derive(Debug, Clone, PartialEq)]
pub struct UnmetExpectations(Vec<UnmetExpectation>);

/// One unmet expectation.
///
/// Its `Display` has the words that scenarios print, without the name of the script.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct UnmetExpectation {
    /// The script that it concerns, such as `step 3`.
    pub script: Option<String>,
    /// The round, from 1.
    pub round: Option<usize>,
    /// What is wrong, in one line.
    pub title: String,
    /// The round that should have responded, as short YAML.
    pub expected: Option<String>,
    /// Where the request differs from it.
    pub mismatches: Vec<Mismatch>,
    /// The round that comes closest, if it is not the expected one.
    pub nearest: Option<NearestRound>,
    /// What the backend requested.
    pub request: Option<RequestSummary>,
    /// What else helps to understand it, a line each.
    pub notes: Vec<String>,
}

/// A round that nearly matches a request.
#[derive(Debug, Clone, PartialEq)]
pub struct NearestRound {
    /// Its script.
    pub script: String,
    /// Its position, from 1.
    pub round: usize,
    /// The round, as short YAML.
    pub text: String,
    /// Why it does not match.
    pub mismatches: Vec<Mismatch>,
}

/// A model request in short.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RequestSummary {
    /// `openai.responses` or `openai.chat`.
    pub operation: &'static str,
    /// The last text of the user.
    pub text: String,
    /// Calls made since that text, as `name(arguments)`.
    pub calls: Vec<String>,
    /// Their results, parsed where they are JSON.
    pub results: Vec<Value>,
    /// The tools that were offered.
    pub tools: Vec<String>,
}

impl UnmetExpectations {
    /// `Err` when there is at least one.
    pub(super) fn check(unmet: Vec<UnmetExpectation>) -> Result<(), Self> {
        if unmet.is_empty() { Ok(()) } else { Err(Self(unmet)) }
    }

    /// The single expectations, at least one.
    pub fn list(&self) -> &[UnmetExpectation] {
        &self.0
    }
}

impl std::error::Error for UnmetExpectations {}

impl fmt::Display for UnmetExpectations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.len() {
            1 => f.write_str("the OpenAI fake has 1 unmet expectation")?,
            n => write!(f, "the OpenAI fake has {n} unmet expectations")?,
        }
        let mut last = None;
        for unmet in &self.0 {
            f.write_str("\n")?;
            if let Some(script) = unmet.script.as_ref().filter(|script| last != Some(*script)) {
                write!(f, "\n{script}")?;
            }
            last = unmet.script.as_ref();
            for line in unmet.to_string().lines() {
                write!(f, "\n  {line}")?;
            }
        }
        Ok(())
    }
}

impl UnmetExpectation {
    /// What is wrong, with the number of the round: `model round 2: never reached`.
    pub fn summary(&self) -> String {
        match self.round {
            Some(round) => format!("model round {round}: {}", self.title),
            None => format!("model: {}", self.title),
        }
    }

    /// The message of the error that the backend gets as response to the request.
    pub(super) fn error_message(&self) -> String {
        let mut text = match (&self.script, self.round) {
            (Some(script), Some(round)) => format!("{script}, round {round}: {}", self.title),
            (Some(script), None) => format!("{script}: {}", self.title),
            (None, _) => self.title.clone(),
        };
        if let Some(expected) = &self.expected {
            text += &format!("\n  expected {expected}");
        }
        for mismatch in &self.mismatches {
            text += &format!("\n  - {mismatch}");
        }
        if let Some(near) = &self.nearest {
            text += &format!("\n  nearest: {}, round {}: {}", near.script, near.round, near.text);
            for mismatch in &near.mismatches {
                text += &format!("\n  - {mismatch}");
            }
        }
        if let Some(request) = &self.request {
            text += &format!("\n  asked ({}): {:?}", request.operation, request.text);
            for (i, result) in request.results.iter().enumerate() {
                let call = request.calls.get(i).map_or("?", String::as_str);
                text += &format!("\n    {call} -> {result}");
            }
        }
        for note in &self.notes {
            text += &format!("\n  note: {note}");
        }
        text
    }

    /// A round of a script that no request reached.
    pub(super) fn never_reached(script: &Script, number: usize, note: Option<String>) -> Self {
        let mut written = position::all_rounds(script).filter(|(p, _)| p.round() == number);
        Self {
            script: Some(script.name.clone()),
            round: Some(number),
            title: "never reached".into(),
            expected: written.next().map(|(_, round)| round.to_string()),
            notes: note.into_iter().collect(),
            ..Self::default()
        }
    }

    /// No script is for this request. `scripts` are all that could have been.
    pub(super) fn no_script<'s>(
        scripts: impl ExactSizeIterator<Item = &'s Script>,
        conversation: &Conversation<'_>,
    ) -> Self {
        let title = match scripts.len() {
            0 => "the model was asked while no script was waiting for it".into(),
            n => format!("the model was asked something that none of the {n} armed scripts is for"),
        };
        let results = conversation.results(0);
        let nearest = scripts.filter_map(|script| {
            let mut near = NearestRound::find(script, conversation, &results)?;
            near.mismatches.insert(
                0,
                Mismatch {
                    path: "text".into(),
                    expected: format!("{:?}", script.trigger.text()),
                    actual: format!("{:?}", conversation.text()),
                },
            );
            Some(near)
        });
        Self {
            title,
            nearest: nearest.min_by_key(|near| near.mismatches.len()),
            request: Some(RequestSummary::of(conversation)),
            ..Self::default()
        }
    }

    /// Several different scripts match the request equally well.
    pub(super) fn ambiguous<'s>(
        scripts: impl Iterator<Item = &'s Script>,
        conversation: &Conversation<'_>,
    ) -> Self {
        let names: Vec<String> = scripts
            .map(|Script { name, person, trigger, .. }| match person {
                Some(person) => format!("{name} ({person}: {:?})", trigger.text()),
                None => name.clone(),
            })
            .collect();
        Self {
            title: format!("{} fit this request equally", names.join(" and ")),
            request: Some(RequestSummary::of(conversation)),
            notes: vec![
                "give the texts different words, or let the backend send a safety_identifier for each person".into(),
            ],
            ..Self::default()
        }
    }

    /// The script has no round left at this point of the conversation.
    pub(super) fn no_round(script: &Script, conversation: &Conversation<'_>) -> Self {
        Self {
            script: Some(script.name.clone()),
            title: format!(
                "no round is left: the model was asked again after {} of the {} rounds' calls were answered",
                conversation.position(),
                script.rounds.len()
            ),
            nearest: NearestRound::find(script, conversation, &conversation.results(0)),
            request: Some(RequestSummary::of(conversation)),
            ..Self::default()
        }
    }

    /// The request meets the expectation of none of these alternatives.
    pub(super) fn no_alternative(
        script: &Script,
        mut alternatives: Vec<(&RoundPosition, &Round, Vec<Mismatch>)>,
        conversation: &Conversation<'_>,
        results: &[Value],
    ) -> Self {
        alternatives.sort_by_key(|(_, _, mismatches)| mismatches.len());
        let title = if alternatives.len() > 1 {
            "none of its alternatives expected this request"
        } else {
            "the request is not what it expected"
        };
        let mut alternatives = alternatives.into_iter();
        let Some((position, round, mismatches)) = alternatives.next() else {
            return Self::default();
        };
        let nearest = NearestRound::find(script, conversation, results).filter(|near| {
            near.round != position.round() && near.mismatches.len() < mismatches.len()
        });
        Self {
            script: Some(script.name.clone()),
            round: Some(position.round()),
            title: title.into(),
            expected: Some(round.to_string()),
            mismatches,
            nearest: nearest.or_else(|| {
                alternatives.next().map(|(position, round, mismatches)| {
                    NearestRound::of(script, position, round, mismatches)
                })
            }),
            request: Some(RequestSummary::of(conversation)),
            notes: Vec::new(),
        }
    }

    /// The round cannot be rendered as a reply to this request.
    pub(super) fn not_renderable(
        script: &Script,
        position: &RoundPosition,
        round: &Round,
        error: &ReplyError,
        conversation: &Conversation<'_>,
    ) -> Self {
        let notes = match error {
            ReplyError::Impossible { details, .. } => details.clone(),
            ReplyError::Template(_) | ReplyError::NothingToSave(_) => Vec::new(),
        };
        Self {
            script: Some(script.name.clone()),
            round: Some(position.round()),
            title: error.to_string(),
            expected: Some(round.to_string()),
            request: Some(RequestSummary::of(conversation)),
            notes,
            ..Self::default()
        }
    }
}

impl fmt::Display for UnmetExpectation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.summary())?;
        let request = self.request.as_ref().map(ToString::to_string);
        for difference in differences(self.expected.clone(), request, self.mismatches.clone()) {
            let Mismatch { path, expected, actual } = difference;
            let indent = if path.is_empty() { "  " } else { "    " };
            if !path.is_empty() {
                write!(f, "\n  {path}")?;
            }
            for (label, text) in [("expected", expected), ("came", actual)] {
                for (i, line) in text.lines().enumerate() {
                    let label = if i == 0 { label } else { "" };
                    write!(f, "\n{indent}{label:>8}  {line}")?;
                }
            }
        }
        if let Some(nearest) = &self.nearest {
            write!(f, "\n  nearest: {}", nearest.to_string().replace('\n', "\n  "))?;
        }
        for note in &self.notes {
            write!(f, "\n  {note}")?;
        }
        Ok(())
    }
}

impl NearestRound {
    fn of(
        script: &Script,
        position: &RoundPosition,
        round: &Round,
        mismatches: Vec<Mismatch>,
    ) -> Self {
        let (script, text) = (script.name.clone(), round.to_string());
        Self { script, round: position.round(), text, mismatches }
    }

    /// The round of a script with the fewest mismatches; rounds whose templates have no value are
    /// left out.
    fn find(script: &Script, conversation: &Conversation<'_>, results: &[Value]) -> Option<Self> {
        position::all_rounds(script)
            .filter_map(|(position, round)| {
                let mismatches = mismatches(round, script, conversation, results).ok()?;
                Some(Self::of(script, &position, round, mismatches))
            })
            .min_by_key(|near| near.mismatches.len())
    }
}

impl fmt::Display for NearestRound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, round {}: {}", self.script, self.round, self.text)?;
        for mismatch in &self.mismatches {
            write!(f, "\n{mismatch}")?;
        }
        Ok(())
    }
}

impl RequestSummary {
    fn of(conversation: &Conversation<'_>) -> Self {
        let calls = conversation.calls.iter().map(|c| format!("{}({})", c.name, c.arguments));
        Self {
            operation: conversation.operation,
            text: conversation.text().into(),
            calls: calls.collect(),
            results: conversation.results(0),
            tools: conversation.tools.iter().map(|t| t.name.to_owned()).collect(),
        }
    }
}

impl fmt::Display for RequestSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {:?}", self.operation, self.text)?;
        for (index, call) in self.calls.iter().enumerate() {
            match self.results.get(index) {
                Some(result) => write!(f, "\n{call} -> {result}")?,
                None => write!(f, "\n{call}")?,
            }
        }
        if !self.tools.is_empty() {
            write!(f, "\ntools: {}", self.tools.join(", "))?;
        }
        Ok(())
    }
}

/// Where a request differs from what a round expects.
pub(super) fn mismatches(
    round: &Round,
    script: &Script,
    conversation: &Conversation<'_>,
    results: &[Value],
) -> Result<Vec<Mismatch>, RenderError> {
    match &round.expectation {
        Some(expectation) => expectation.mismatches(conversation, results, &script.vars),
        None => Ok(Vec::new()),
    }
}
