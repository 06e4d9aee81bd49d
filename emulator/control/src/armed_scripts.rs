//! The scripts of the model that were armed over HTTP.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    sync::{Mutex, MutexGuard, PoisonError},
};

use serde_json::Value;

use super::{Endpoints, ScriptReport, Unmet};
use rehearse_core::matcher::Vars;
use rehearse_openai::{ArmedScript, Round, Script, Trigger, UnmetExpectation};
use rehearse_world::World;

/// Most scripts that are armed at a time: each request to the model is compared with all.
pub(super) const MOST: usize = 1000;

/// The scripts that were armed over HTTP, with the names that their templates share.
pub(super) struct ArmedScripts {
    state: Mutex<State>,
    /// Names that exist before any script saves one.
    given: BTreeMap<String, Value>,
}

struct State {
    /// Ids count from 1 and are never used again.
    last: u64,
    armed: BTreeMap<u64, Armed>,
    vars: Vars,
}

struct Armed {
    guard: ArmedScript,
    name: String,
    text: Option<String>,
    from: Option<String>,
    rounds: usize,
    saves: BTreeSet<String>,
}

/// What a script is made of, with its templates filled in.
pub(super) struct NewScript {
    /// The text that it answers; `None` is any.
    pub text: Option<String>,
    /// The number of the person who sends it; `None` is anybody.
    pub from: Option<String>,
    /// How many pictures come with it.
    pub media: usize,
    pub rounds: Vec<Round>,
}

/// As many scripts are armed as can be.
pub(super) struct TooMany;

impl ArmedScripts {
    pub fn new(world: &World, endpoints: &Endpoints, people: &BTreeMap<String, String>) -> Self {
        let mut environment = endpoints.environment.clone();
        environment.extend(
            world
                .environments()
                .values()
                .flatten()
                .map(|(name, value)| (name.clone(), value.clone())),
        );
        let environment = environment.into_iter().map(|(k, v)| (k, Value::from(v))).collect();
        let mut given = BTreeMap::from([
            ("shop".to_owned(), Value::from(world.twilio().number())),
            ("env".to_owned(), environment),
        ]);
        given.extend(people.iter().map(|(name, number)| (name.clone(), number.as_str().into())));
        let vars = Vars::new(world.clock().clone(), world.time_zone());
        let this =
            Self { state: Mutex::new(State { last: 0, armed: BTreeMap::new(), vars }), given };
        this.fill(&this.lock().vars);
        this
    }

    /// The names that templates can use, with their values.
    pub fn vars(&self) -> Vars {
        self.lock().vars.clone()
    }

    /// Arms a script and tells of it.
    ///
    /// # Errors
    /// As many are armed as can be.
    pub fn arm(&self, world: &World, script: NewScript) -> Result<ScriptReport, TooMany> {
        let NewScript { text, from, media, rounds } = script;
        let mut state = self.lock();
        if state.armed.len() >= MOST {
            return Err(TooMany);
        }
        state.last += 1;
        let (id, name) = (state.last, format!("script {}", state.last));
        let mut saves = BTreeSet::new();
        rounds.iter().for_each(|round| saved_by(round, &mut saves));
        let trigger = match (&text, media) {
            (None, 0) => Trigger::AnyText,
            (text, media) => Trigger::Text { text: text.clone().unwrap_or_default(), media },
        };
        let count = rounds.len();
        let guard = world.openai().arm_for_text(Script {
            name: name.clone(),
            person: from.clone(),
            trigger,
            rounds,
            vars: state.vars.clone(),
        });
        let armed = Armed { guard, name, text, from, rounds: count, saves };
        let report = armed.report(id, armed.guard.unmet(), &state.vars);
        state.armed.insert(id, armed);
        Ok(report)
    }

    /// What is unmet of one script; `None` when it is not armed.
    pub fn report(&self, id: u64) -> Option<ScriptReport> {
        let state = self.lock();
        let armed = state.armed.get(&id)?;
        Some(armed.report(id, armed.guard.unmet(), &state.vars))
    }

    /// What is unmet of each script, in the order in which they were armed.
    pub fn reports(&self) -> Vec<ScriptReport> {
        let state = self.lock();
        let report =
            |(id, armed): (&u64, &Armed)| armed.report(*id, armed.guard.unmet(), &state.vars);
        state.armed.iter().map(report).collect()
    }

    /// Removes one script and tells of it; `None` when it is not armed.
    pub fn remove(&self, id: u64) -> Option<ScriptReport> {
        let mut state = self.lock();
        let armed = state.armed.remove(&id)?;
        Some(armed.report(id, armed.guard.unmet(), &state.vars))
    }

    /// Removes all scripts and tells of them.
    pub fn remove_all(&self) -> Vec<ScriptReport> {
        let ids: Vec<u64> = self.lock().armed.keys().copied().collect();
        ids.into_iter().filter_map(|id| self.remove(id)).collect()
    }

    /// Forgets scripts and what they have saved.
    pub fn reset(&self) {
        let mut state = self.lock();
        state.armed.clear();
        for name in state.vars.all().into_keys() {
            state.vars.remove(&name);
        }
        self.fill(&state.vars);
    }

    fn fill(&self, vars: &Vars) {
        for (name, value) in &self.given {
            vars.set(name, value.clone());
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Armed {
    fn report(&self, id: u64, unmet: Vec<UnmetExpectation>, vars: &Vars) -> ScriptReport {
        let values = vars.all();
        let saved = self.saves.iter().filter_map(|name| values.get_key_value(name));
        let unmet: Vec<Unmet> = unmet.into_iter().map(Into::into).collect();
        let about = self.text.as_ref().map(|text| format!(", text: {text}")).unwrap_or_default();
        ScriptReport {
            id,
            name: self.name.clone(),
            text: self.text.clone(),
            from: self.from.clone(),
            rounds: self.rounds,
            reached: self.guard.rounds_reached().into_iter().collect(),
            saved: saved.map(|(name, value)| (name.clone(), value.clone())).collect(),
            met: unmet.is_empty(),
            report: told(&format!("{}{about}", self.name), &unmet),
            unmet,
        }
    }
}

/// What is unmet in the words of scenarios, below a title; `None` when nothing is.
pub(super) fn told(title: &str, unmet: &[Unmet]) -> Option<String> {
    if unmet.is_empty() {
        return None;
    }
    let mut text = title.to_owned();
    for line in unmet.iter().flat_map(|unmet| unmet.report.lines()) {
        // Writing to a String cannot fail.
        let _ = write!(text, "\n  {line}");
    }
    Some(text)
}

/// Adds the names that a round and its alternatives save.
fn saved_by(round: &Round, names: &mut BTreeSet<String>) {
    names.extend(round.save.keys().cloned());
    round.either.iter().for_each(|round| saved_by(round, names));
}
