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

/// What came of judging a history.
#[derive(Debug, Default)]
pub(crate) struct Judgement {
    /// One for each thing for which a sentence does not hold.
    pub(crate) violations: Vec<Violation>,
    /// For how many things each sentence was judged.
    pub(crate) things: Vec<usize>,
}

impl Invariants {
    /// Judges every sentence. `vars` has the names that templates may use; `it` is set in it.
    ///
    /// # Errors
    /// A template of a sentence uses a name or a field that does not exist.
    pub(crate) fn judge(&self, history: &History, vars: &Vars) -> Result<Judgement, JudgeError> {
        let mut judgement = Judgement::default();
        for invariant in &self.file.always {
            let things = invariant.judge(history, vars, &mut judgement.violations);
            judgement.things.push(
                things.map_err(|source| JudgeError {
                    sentence: invariant.sentence.clone(),
                    source,
                })?,
            );
        }
        Ok(judgement)
    }
}

impl Invariant {
    /// Adds a violation for each thing for which it does not hold; returns for how many it was judged.
    fn judge(
        &self,
        history: &History,
        vars: &Vars,
        violations: &mut Vec<Violation>,
    ) -> Result<usize, RenderError> {
        let mut things = 0;
        // What the sentence before was about must not stand in this one's `each`.
        vars.remove("it");
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
            things += 1;
            let why = if !self.there_is.0.is_empty() {
                (count(&self.there_is)? == 0)
                    .then(|| format!("no {}", described(&self.there_is, ", no ")))
            } else if !self.there_is_no.0.is_empty() {
                let some = count(&self.there_is_no)?;
                (some > 0).then(|| format!("{some}: {}", described(&self.there_is_no, ", ")))
            } else {
                let some = count(&self.at_most_one)?;
                (some > 1).then(|| format!("{some}: {}", described(&self.at_most_one, ", ")))
            };
            if let Some(why) = why {
                let about = format!("{}: {why}", shown(&it));
                violations.push(Violation { sentence: self.sentence.clone(), about });
            }
        }
        Ok(things)
    }
}

fn described(selections: &Selections, between: &str) -> String {
    let all: Vec<String> = selections.0.iter().map(super::Selection::describe).collect();
    all.join(between)
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
