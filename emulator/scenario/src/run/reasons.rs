//! Why the backend did what a step did not expect: what its functions failed with, and what they called
//! that is not emulated.

use super::{Running, StepError};
use rehearse_core::journal::{Exchange, ExchangeDetail, Outcome};
use serde_json::Value;

/// How many reasons a report gives; one mistake may fail every attempt of a delivery.
const MOST: usize = 3;

impl Running<'_> {
    /// Adds the reasons to an error, as notes of its first problem, unless it gives them already.
    pub(super) fn with_reasons(&self, error: StepError, since: u64) -> StepError {
        let StepError::Failed(mut problems) = error else { return error };
        let told: Vec<String> =
            problems.iter().flat_map(|problem| problem.notes.iter().cloned()).collect();
        let reasons = reasons(&self.world.journal().since(since));
        let new = reasons.into_iter().filter(|reason| !told.contains(reason)).take(MOST);
        if let Some(problem) = problems.first_mut() {
            problem.notes.extend(new);
        }
        StepError::Failed(problems)
    }
}

/// A line or more each, without repeats.
fn reasons(exchanges: &[Exchange]) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for exchange in exchanges {
        if let Some(reason) = reason(exchange)
            && !all.contains(&reason)
        {
            all.push(reason);
        }
    }
    all
}

fn reason(exchange: &Exchange) -> Option<String> {
    match &exchange.detail {
        ExchangeDetail::Log { function, line, .. } if is_failure(line) => {
            Some(format!("{function}: {line}"))
        }
        ExchangeDetail::OtherService { function, .. } => {
            let said = exchange.outcome.as_ref().map(|outcome| &outcome.response);
            let said = said.and_then(Value::as_str)?;
            Some(match function {
                Some(function) => format!("{function}: {said}"),
                None => said.to_owned(),
            })
        }
        ExchangeDetail::OpenAi { .. } | ExchangeDetail::Twilio { .. } => {
            let outcome = exchange.outcome.as_ref()?;
            let is_unknown = outcome.error.as_deref() == Some(Outcome::NOT_REPRODUCED);
            is_unknown.then(|| outcome.response.as_str().map(str::to_owned))?
        }
        _ => None,
    }
}

/// Whether a line of a function's log is the gateway's own, about how an invocation ended.
pub(super) fn is_failure(line: &str) -> bool {
    ["the function ", "the function's ", "the event is ", "the answer is "]
        .iter()
        .any(|beginning| line.starts_with(beginning))
}

#[cfg(test)]
mod tests {
    use rehearse_core::{
        clock::Clock,
        journal::{Journal, Outcome},
    };

    use super::*;

    #[test]
    fn failures_and_refused_services_are_reasons_and_each_is_told_once() {
        let journal = Journal::new(Clock::running());
        let log = |line: &str| {
            let (function, line) = ("Sms".to_owned(), line.to_owned());
            journal.note("log.Sms", ExchangeDetail::Log { function, request_id: None, line });
        };
        log("asking the model");
        log("the function failed: KeyError: 'Body'; it wrote nothing");
        log("the function failed: KeyError: 'Body'; it wrote nothing");
        let detail = ExchangeDetail::OtherService {
            function: Some("Sms".into()),
            service: "s3".into(),
            method: "PUT".into(),
            path: "/a".into(),
            operation: None,
        };
        let refused = Outcome::status(501, "rehearse does not emulate Amazon S3".into());
        journal.begin("aws.s3", detail).end(refused);
        assert_eq!(
            reasons(&journal.since(0)),
            [
                "Sms: the function failed: KeyError: 'Body'; it wrote nothing",
                "Sms: rehearse does not emulate Amazon S3"
            ]
        );
    }
}
