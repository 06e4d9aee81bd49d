//! `deliveries:` the results of the webhook's attempts.

use serde_json::Value;

use super::Running;
use crate::{outcome::Problem, places::YamlPath, step::Customer};
use rehearse_core::journal::{Exchange, ExchangeDetail};
use rehearse_twilio::{Attempt, Delivery};

impl Running<'_> {
    /// What is wrong with how the webhook's attempts went.
    pub(super) fn attempts(
        &self,
        step: &Customer,
        attempts: &[&Attempt],
        path: &YamlPath,
    ) -> Vec<Problem> {
        let wanted = step.deliveries.as_deref().unwrap_or_default();
        let at = |index: usize| self.location(&path.to("deliveries").to(index));
        let mut problems = Vec::new();
        for (index, (wanted, attempt)) in wanted.iter().zip(attempts).enumerate() {
            let parts = [
                ("answer", &wanted.answer, attempt.status.map(u32::from)),
                ("error", &wanted.error, attempt.error),
            ];
            for (name, matcher, actual) in parts {
                let actual = actual.map_or(Value::Null, Value::from);
                let matcher = match matcher.as_ref().map(|m| m.render(&self.vars)).transpose() {
                    Ok(Some(matcher)) => matcher,
                    Ok(None) => continue,
                    Err(error) => {
                        problems.push(Problem::new(error.to_string()).at(at(index)));
                        continue;
                    }
                };
                if !matcher.is_match(&actual) {
                    let summary =
                        format!("the {name} of delivery {} is not what was expected", index + 1);
                    let problem =
                        Problem::new(summary).differs(matcher.to_string(), actual.to_string());
                    problems.push(problem.at(at(index)));
                }
            }
        }
        if wanted.len() != attempts.len() {
            let summary = format!(
                "the webhook was called {} instead of {}",
                times(attempts.len()),
                times(wanted.len())
            );
            let listed: Vec<String> = attempts.iter().map(|attempt| outcome(attempt)).collect();
            let problem = Problem::new(summary)
                .differs(times(wanted.len()), listed.join("\n"))
                .at(self.location(&path.to("deliveries")));
            problems.push(problem);
        }
        problems
    }

    /// A webhook that failed for good although the step does not expect it.
    pub(super) fn unanswered(
        &self,
        deliveries: &[Delivery],
        exchanges: &[Exchange],
        path: &YamlPath,
    ) -> Option<Problem> {
        let delivery = deliveries.iter().find(|delivery| delivery.failure.is_some())?;
        let mut last = delivery.attempts.last()?.clone();
        // The last document may have been fine, and one too many.
        last.error = delivery.failure;
        let mut problem = Problem::new("the webhook failed; Twilio sends nothing then")
            .differs("an answer with status 200 that Twilio can read", outcome(&last))
            .at(self.location(path));
        problem.notes = exchanges
            .iter()
            .filter_map(|exchange| match &exchange.detail {
                ExchangeDetail::Log { function, line, .. } => Some(format!("{function}: {line}")),
                _ => None,
            })
            .collect();
        Some(problem)
    }
}

fn outcome(attempt: &Attempt) -> String {
    let status = attempt.status.map_or_else(|| "no answer".into(), |s| format!("status {s}"));
    let error = attempt.error.map(|code| match rehearse_twilio::error_text(code) {
        Some(text) => format!(" (Twilio error {code}, {text})"),
        None => format!(" (Twilio error {code})"),
    });
    let error = error.unwrap_or_default();
    format!("{}: {status}{error}", attempt.kind.name())
}

fn times(count: usize) -> String {
    match count {
        1 => "once".into(),
        n => format!("{n} times"),
    }
}
