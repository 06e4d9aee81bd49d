//! Decides which sentences a history does not keep.

use super::{
    Invariant, Invariants, Selections, Violation,
    history::{History, Item},
};
use rehearse_core::matcher::{RenderError, Vars};

/// A sentence that cannot be judged.
#[derive(Debug, thiserror::Error)]
#[error("the sentence \"{sentence}\" cannot be judged: {source}")]
pub(crate) struct JudgeError {
    sentence: String,
    source: RenderError,
}

impl Invariants {
    /// The sentences that a history does not keep, one for each thing for which one does not hold. `vars`
    /// has the names that templates may use; `it` is set in it.
    ///
    /// # Errors
    /// A template of a sentence uses a name or a field that does not exist.
    pub(crate) fn judge(
        &self,
        history: &History,
        vars: &Vars,
    ) -> Result<Vec<Violation>, JudgeError> {
        let mut violations = Vec::new();
        for invariant in &self.file.always {
            let found = invariant
                .judge(history, vars)
                .map_err(|source| JudgeError { sentence: invariant.sentence.clone(), source })?;
            violations.extend(found);
        }
        Ok(violations)
    }
}

impl Invariant {
    fn judge(&self, history: &History, vars: &Vars) -> Result<Vec<Violation>, RenderError> {
        let mut violations = Vec::new();
        for it in self.each.of(history, None, vars)? {
            vars.set("it", it.value.clone());
            let count = |selections: &Selections| -> Result<usize, RenderError> {
                let mut count = 0;
                for selection in &selections.0 {
                    count += selection.of(history, Some(&it), vars)?.len();
                }
                Ok(count)
            };
            if count(&self.unless)? > 0 {
                continue;
            }
            let why = if !self.there_is.0.is_empty() {
                (count(&self.there_is)? == 0).then(|| format!("no {}", described(&self.there_is)))
            } else if !self.there_is_no.0.is_empty() {
                let some = count(&self.there_is_no)?;
                (some > 0).then(|| format!("{some} of: {}", described(&self.there_is_no)))
            } else {
                let some = count(&self.at_most_one)?;
                (some > 1).then(|| format!("{some} of: {}", described(&self.at_most_one)))
            };
            if let Some(why) = why {
                let about = format!("{}: {why}", shown(&it));
                violations.push(Violation { sentence: self.sentence.clone(), about });
            }
        }
        Ok(violations)
    }
}

fn described(selections: &Selections) -> String {
    let all: Vec<String> = selections.0.iter().map(super::Selection::describe).collect();
    all.join(", no ")
}

/// Most characters of a field that are shown.
const SHOWN: usize = 80;

/// The fields that tell an item from others, on one line.
fn shown(it: &Item) -> String {
    let Some(fields) = it.value.as_object() else { return it.value.to_string() };
    let scalar = fields.iter().filter(|(_, value)| !value.is_object() && !value.is_array());
    let parts: Vec<String> = scalar
        .filter(|(name, value)| !value.is_null() && name.as_str() != "kind")
        .map(|(name, value)| {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let text: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
            let short: String = text.chars().take(SHOWN).collect();
            let more = if short.len() < text.len() { "..." } else { "" };
            format!("{name} {short}{more}")
        })
        .collect();
    parts.join(", ")
}
