//! Scripts of the model, and what is unmet of them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use rehearse_core::matcher::Mismatch;
use rehearse_openai::UnmetExpectation;

/// Response of `GET /scripts`, and of `DELETE /scripts`, which removes what it tells of.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Scripts {
    /// The armed scripts, in the order in which they were armed.
    pub scripts: Vec<ScriptReport>,
    /// Requests to the model that no script is for. A persona answers such requests where there is one.
    pub unexpected: Vec<Unmet>,
    /// Whether every script is met and no request was unexpected.
    pub met: bool,
    /// What is not met, in the words of scenarios; null when all is.
    pub report: Option<String>,
}

/// A script, and what is unmet of it.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct ScriptReport {
    /// Its id, for `GET /scripts/{id}`.
    pub id: u64,
    /// Its name in the journal and in reports: `script 1`.
    pub name: String,
    /// The text that it answers; null is any text.
    pub text: Option<String>,
    /// The number of the person who sends it; null is anybody.
    pub from: Option<String>,
    /// How many rounds it has.
    pub rounds: usize,
    /// The rounds that have responded, counted from 1.
    pub reached: Vec<usize>,
    /// What its rounds have saved, by name.
    pub saved: Map<String, Value>,
    /// Whether nothing is unmet: every round was reached, and every request was as expected.
    pub met: bool,
    /// What is unmet.
    pub unmet: Vec<Unmet>,
    /// The same in the words of scenarios; null when it is met.
    pub report: Option<String>,
}

/// An expectation that is not met.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Unmet {
    /// What is wrong, in one line: `model round 2: never reached`.
    pub summary: String,
    /// The round, counted from 1.
    pub round: Option<usize>,
    /// The round that should have responded, as short YAML.
    pub expected: Option<String>,
    /// Where the request differs from it.
    pub mismatches: Vec<Difference>,
    /// The round that comes closest, if it is another one.
    pub nearest: Option<Nearest>,
    /// What the backend requested.
    pub request: Option<ModelRequest>,
    /// What else helps to understand it.
    pub notes: Vec<String>,
    /// All of it in the words of scenarios.
    pub report: String,
}

/// A round that nearly matches a request.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Nearest {
    /// Its script.
    pub script: String,
    /// Its position, from 1.
    pub round: usize,
    /// The round, as short YAML.
    pub text: String,
    /// Why it does not match.
    pub mismatches: Vec<Difference>,
}

/// One place where a request is not what a round expects.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Difference {
    /// The place in the request.
    pub path: String,
    /// What was expected.
    pub expected: String,
    /// What came.
    pub actual: String,
}

/// A request to the model in short.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct ModelRequest {
    /// `openai.responses` or `openai.chat`.
    pub operation: String,
    /// The last text of the user.
    pub text: String,
    /// Calls made since that text, as `name(arguments)`.
    pub calls: Vec<String>,
    /// Their results.
    pub results: Vec<Value>,
    /// The tools that were offered.
    pub tools: Vec<String>,
}

impl From<Mismatch> for Difference {
    fn from(Mismatch { path, expected, actual }: Mismatch) -> Self {
        Self { path, expected, actual }
    }
}

impl From<UnmetExpectation> for Unmet {
    fn from(unmet: UnmetExpectation) -> Self {
        let differences =
            |mismatches: Vec<Mismatch>| mismatches.into_iter().map(Into::into).collect();
        let (summary, report) = (unmet.summary(), unmet.to_string());
        Self {
            summary,
            round: unmet.round,
            expected: unmet.expected,
            mismatches: differences(unmet.mismatches),
            nearest: unmet.nearest.map(|nearest| Nearest {
                script: nearest.script,
                round: nearest.round,
                text: nearest.text,
                mismatches: differences(nearest.mismatches),
            }),
            request: unmet.request.map(|request| ModelRequest {
                operation: request.operation.into(),
                text: request.text,
                calls: request.calls,
                results: request.results,
                tools: request.tools,
            }),
            notes: unmet.notes,
            report,
        }
    }
}
