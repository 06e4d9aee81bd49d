//! What the server has against a run: requests that no round expected, rounds
//! that no request reached.

use std::fmt;

use serde_json::Value;

use rehearse_core::matcher::Mismatch;

/// One thing that is wrong, in parts that a report can lay out.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct UnmetExpectation {
    /// The script that it concerns, `step 3`.
    pub script: Option<String>,
    /// The round, from 1.
    pub round: Option<usize>,
    /// What is wrong, in one line.
    pub title: String,
    /// The round that should have answered, as short YAML.
    pub expected: Option<String>,
    /// Where the request differs from it.
    pub mismatches: Vec<Mismatch>,
    /// The round that comes closest, when it is not the expected one.
    pub nearest: Option<NearestRound>,
    /// What the backend asked.
    pub asked: Option<RequestSummary>,
    /// What else helps to understand it, a line each.
    pub notes: Vec<String>,
}

/// A round that nearly fits.
#[derive(Debug, Clone, PartialEq)]
pub struct NearestRound {
    /// Its script.
    pub script: String,
    /// Its position, from 1.
    pub round: usize,
    /// The round, as short YAML.
    pub text: String,
    /// Why it does not fit.
    pub mismatches: Vec<Mismatch>,
}

/// A request in short.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RequestSummary {
    /// `openai.responses` or `openai.chat`.
    pub operation: &'static str,
    /// The last text of the user.
    pub text: String,
    /// Calls made since that text, as `name(arguments)`.
    pub calls: Vec<String>,
    /// Their results, read as JSON where they are.
    pub results: Vec<Value>,
    /// The tools that were offered.
    pub tools: Vec<String>,
}

impl fmt::Display for UnmetExpectation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.script, self.round) {
            (Some(script), Some(round)) => write!(f, "{script}, round {round}: ")?,
            (Some(script), None) => write!(f, "{script}: ")?,
            (None, _) => {}
        }
        f.write_str(&self.title)?;
        if let Some(expected) = &self.expected {
            write!(f, "\n  expected {expected}")?;
        }
        for mismatch in &self.mismatches {
            write!(f, "\n  - {mismatch}")?;
        }
        if let Some(near) = &self.nearest {
            write!(f, "\n  nearest: {}, round {}: {}", near.script, near.round, near.text)?;
            for mismatch in &near.mismatches {
                write!(f, "\n  - {mismatch}")?;
            }
        }
        if let Some(asked) = &self.asked {
            write!(f, "\n  asked ({}): {:?}", asked.operation, asked.text)?;
            for (i, result) in asked.results.iter().enumerate() {
                let call = asked.calls.get(i).map_or("?", String::as_str);
                write!(f, "\n    {call} -> {result}")?;
            }
        }
        for note in &self.notes {
            write!(f, "\n  note: {note}")?;
        }
        Ok(())
    }
}
