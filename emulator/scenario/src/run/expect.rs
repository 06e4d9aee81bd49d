//! `expect:` and `always:`

use serde_json::Value;

use super::{
    Running, StepError,
    rows::TableComparison,
    texts::{Recipients, SentText},
};
use crate::{
    expectation::{Count, Expect},
    outcome::Problem,
    places::YamlPath,
};
use rehearse_core::journal::{Exchange, ExchangeDetail, Via};

impl Running<'_> {
    /// Compares the world with the expectation at a path.
    pub(crate) async fn expectation(
        &self,
        expect: &Expect,
        at: &YamlPath,
    ) -> Result<(), StepError> {
        let mut problems = self.tables(expect, at).await?;
        let exchanges = self.journal();
        if let Some(sms) = &expect.sms {
            let at = at.to("sms");
            problems.extend(self.texts(
                sms,
                &SentText::all(&exchanges),
                Recipients::Everybody,
                &at,
            ));
        }
        for (name, wanted) in &expect.calls {
            let calls: Vec<&Exchange> = exchanges.iter().filter(|e| e.name == *name).collect();
            let at = at.to("calls").to(name.as_str());
            let mut problem = self.count(name, *wanted, calls.len() as u64, &at);
            if let Some(problem) = &mut problem {
                problem.notes = near_names(name, &exchanges);
            }
            problems.extend(problem);
        }
        let cost = [
            ("segments", expect.cost.segments, segments(&exchanges)),
            ("model_calls", expect.cost.model_calls, model_calls(&exchanges)),
        ];
        for (name, wanted, actual) in cost {
            let at = at.to("cost").to(name);
            problems.extend(wanted.and_then(|wanted| self.count(name, wanted, actual, &at)));
        }
        StepError::from_problems(problems)
    }

    async fn tables(&self, expect: &Expect, at: &YamlPath) -> Result<Vec<Problem>, StepError> {
        let mut problems = Vec::new();
        for (table, wanted) in &expect.tables {
            let at = at.to("tables").to(table.as_str());
            let wanted = wanted
                .render(&self.vars)
                .map_err(|e| StepError::template(&e, self.location(&at)))?;
            let database = self.world.database();
            let now = database
                .snapshot(table)
                .await
                .map_err(|error| StepError::broken(error.to_string(), self.location(&at)))?;
            let key: Vec<String> = database
                .tables()
                .iter()
                .filter(|spec| spec.id == *table)
                .flat_map(|spec| spec.key.attributes().map(|a| a.name.clone()))
                .collect();
            let start: &[Value] = self.at_start.get(table).map_or(&[], Vec::as_slice);
            let rows = TableComparison { table, key: &key, start, now: &now };
            problems.extend(
                rows.check(&wanted)
                    .into_iter()
                    .map(|found| found.problem.at(self.location(&at.join(&found.below)))),
            );
        }
        Ok(problems)
    }

    fn count(&self, what: &str, wanted: Count, actual: u64, at: &YamlPath) -> Option<Problem> {
        (!wanted.allows(actual)).then(|| {
            Problem::new(format!("{what}: expected {wanted}, got {actual}"))
                .differs(wanted.to_string(), actual.to_string())
                .at(self.location(at))
        })
    }
}

/// Other exchanges that happened, when a name never did: it may be misspelt.
fn near_names(name: &str, exchanges: &[Exchange]) -> Vec<String> {
    if exchanges.iter().any(|exchange| exchange.name == name) {
        return Vec::new();
    }
    let family = name.split('.').next().unwrap_or_default();
    let mut names: Vec<&str> = exchanges
        .iter()
        .map(|exchange| exchange.name.as_str())
        .filter(|other| other.split('.').next() == Some(family))
        .collect();
    names.sort_unstable();
    names.dedup();
    if names.is_empty() { Vec::new() } else { vec![format!("there were {}", names.join(", "))] }
}

/// Segments of the shop's texts; Twilio's own notices are free.
fn segments(exchanges: &[Exchange]) -> u64 {
    let paid = SentText::all(exchanges).into_iter().filter(|text| text.via != Via::Twilio);
    paid.map(|text| u64::from(text.segments)).sum()
}

fn model_calls(exchanges: &[Exchange]) -> u64 {
    let asked = |exchange: &&Exchange| matches!(exchange.detail, ExchangeDetail::Model { .. });
    exchanges.iter().filter(asked).count() as u64
}
