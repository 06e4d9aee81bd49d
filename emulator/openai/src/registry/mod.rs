//! The script registry: the scripts that may respond to a request, and the decision which one does.

mod progress;
mod select;

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

pub(super) use self::progress::{ScriptedReply, answer_alone};
use self::{
    progress::ScriptProgress,
    select::{Selection, Selector},
};
use super::{
    conversation::Conversation,
    persona::Persona,
    script::Script,
    unmet::{UnmetExpectation, UnmetExpectations},
};
use rehearse_core::matcher::Vars;

/// The scripts of one server. Clones are handles to the same registry.
#[derive(Debug, Clone)]
pub struct ScriptRegistry {
    state: Arc<Mutex<State>>,
    vars: Vars,
}

/// A script in the registry; dropping it removes the script.
#[must_use = "dropping it removes the script"]
#[derive(Debug)]
pub struct ArmedScript {
    registry: ScriptRegistry,
    id: u64,
}

/// Lets scripts that were removed respond again, while it lives, to requests that no other script
/// is for; dropping it ends that. They are not checked any more.
#[must_use = "dropping it ends the recall"]
#[derive(Debug)]
pub struct RecalledScripts {
    registry: ScriptRegistry,
}

/// Removed scripts that are kept for [`ScriptRegistry::recall`]; older ones are forgotten.
const MAX_PAST_SCRIPTS: usize = 64;

/// Who responds to a request.
#[derive(Debug)]
pub(super) enum Decision {
    /// A round of a script.
    Scripted(Box<ScriptedReply>),
    /// The persona.
    Persona(Arc<Persona>),
    /// Nobody: the request is refused with this message.
    Unexpected {
        /// The script and round that the request was for, if any.
        label: Option<String>,
        message: String,
    },
}

#[derive(Debug, Default)]
struct State {
    scripts: Vec<ScriptProgress>,
    /// Scripts that were armed before, latest first: of several alike the latest responds.
    past: Vec<ScriptProgress>,
    /// Number of living [`RecalledScripts`].
    recalls: usize,
    next_id: u64,
    persona: Option<Arc<Persona>>,
    selector: Selector,
    /// Requests that no script expected.
    unexpected: Vec<UnmetExpectation>,
    /// Whether rounds respond to requests that they do not expect.
    lenient: bool,
}

impl ScriptRegistry {
    /// An empty registry. `vars` are the variables of mounted scripts.
    pub(super) fn new(vars: Vars) -> Self {
        Self { state: Arc::default(), vars }
    }

    /// Adds a script until the returned guard is finished or dropped.
    pub fn arm(&self, script: Script) -> ArmedScript {
        let id = self.lock().add(script, false);
        ArmedScript { registry: self.clone(), id }
    }

    /// As [`ScriptRegistry::arm`], for a script that stays armed while other texts come: it answers its
    /// own text only, also when its person is known to ask, and of several such scripts of one person
    /// for one text the latest answers.
    pub fn arm_for_text(&self, script: Script) -> ArmedScript {
        let mut state = self.lock();
        let id = state.add(script, false);
        if let Some(script) = state.scripts.last_mut() {
            script.for_text = true;
        }
        drop(state);
        ArmedScript { registry: self.clone(), id }
    }

    /// Lets scripts that were removed respond again, to a backend that finishes its work later.
    pub fn recall(&self) -> RecalledScripts {
        self.lock().recalls += 1;
        RecalledScripts { registry: self.clone() }
    }

    /// Adds a script that stays until [`verify`](Self::verify) or [`reset`](Self::reset).
    pub fn mount(&self, script: Script) {
        self.lock().add(script, true);
    }

    /// The persona that responds when no script matches; `None` refuses such requests.
    pub fn set_persona(&self, persona: Option<Persona>) {
        self.lock().persona = persona.map(Arc::new);
    }

    /// The variables that the templates of mounted scripts use unless they bring their own.
    pub fn vars(&self) -> &Vars {
        &self.vars
    }

    /// Takes out the requests that no script expected since the last call.
    pub fn take_unexpected_requests(&self) -> Vec<UnmetExpectation> {
        std::mem::take(&mut self.lock().unexpected)
    }

    /// The requests that no script expected since they were taken out last; they stay.
    pub fn unexpected_requests(&self) -> Vec<UnmetExpectation> {
        self.lock().unexpected.clone()
    }

    /// Removes every mounted script and checks that all of its rounds were reached and that every
    /// request since the last call was expected. Armed scripts are not checked: their guards are.
    ///
    /// # Errors
    /// What was not met, once: a second call reports only what happened after the first.
    pub fn verify(&self) -> Result<(), UnmetExpectations> {
        let mut state = self.lock();
        let (mounted, armed): (Vec<_>, Vec<_>) =
            std::mem::take(&mut state.scripts).into_iter().partition(|script| script.mounted);
        state.scripts = armed;
        let mut unmet: Vec<_> = mounted.iter().flat_map(ScriptProgress::unmet).collect();
        unmet.append(&mut state.unexpected);
        UnmetExpectations::check(unmet)
    }

    /// Lets a round respond to a request that does not meet its expectation: a model answers whatever
    /// it is asked, and what it should save and is not there is not saved. For runs that are judged by
    /// something else than their scripts.
    pub fn respond_regardless(&self) {
        self.lock().lenient = true;
    }

    /// Removes scripts, unexpected requests and learned identifiers. The persona stays.
    pub fn reset(&self) {
        let mut state = self.lock();
        let (persona, next_id) = (state.persona.take(), state.next_id);
        *state = State { persona, next_id, ..State::default() };
    }

    /// Decides who responds to a request, and records what a report needs.
    pub(super) fn decide(&self, conversation: &Conversation<'_>) -> Decision {
        self.lock().decide(conversation)
    }

    /// Records that a request was refused with an error of the provider, before any script saw it.
    pub(super) fn record_refusal(&self, message: &str) {
        for script in &mut self.lock().scripts {
            script.last_refusal = Some(message.to_owned());
        }
    }

    /// The state is consistent after every statement, so a panic elsewhere does not spoil it.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ArmedScript {
    /// Removes the script and returns what was not met: requests that did not match, calls that the
    /// model could not make, rounds never reached.
    pub fn finish(self) -> Vec<UnmetExpectation> {
        let Some(script) = self.remove() else { return Vec::new() };
        self.registry.lock().keep(script.past());
        script.unmet()
    }

    /// What is not met so far: as [`ArmedScript::finish`], but the script stays.
    pub fn unmet(&self) -> Vec<UnmetExpectation> {
        self.look(ScriptProgress::unmet).unwrap_or_default()
    }

    /// The rounds that have responded, counted from 1.
    pub fn rounds_reached(&self) -> BTreeSet<usize> {
        self.look(ScriptProgress::rounds_reached).unwrap_or_default()
    }

    /// `None` when the registry was reset.
    fn look<T>(&self, of: impl FnOnce(&ScriptProgress) -> T) -> Option<T> {
        self.registry.lock().scripts.iter().find(|script| script.id == self.id).map(of)
    }

    fn remove(&self) -> Option<ScriptProgress> {
        let mut state = self.registry.lock();
        let at = state.scripts.iter().position(|s| s.id == self.id)?;
        Some(state.scripts.remove(at))
    }
}

impl Drop for RecalledScripts {
    fn drop(&mut self) {
        let mut state = self.registry.lock();
        state.recalls = state.recalls.saturating_sub(1);
    }
}

impl Drop for ArmedScript {
    fn drop(&mut self) {
        self.remove();
    }
}

impl State {
    fn add(&mut self, script: Script, mounted: bool) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        self.scripts.push(ScriptProgress::new(id, script, mounted));
        id
    }

    fn keep(&mut self, script: ScriptProgress) {
        self.past.insert(0, script);
        self.past.truncate(MAX_PAST_SCRIPTS);
    }

    /// The response of a script that was removed, if scripts are recalled and one is for the
    /// request. Of one person's that fit equally it is the latest that has a round for it: what is
    /// finished late is most likely what was begun last. Which of several persons asks is not guessed.
    fn respond_from_past(&mut self, conversation: &Conversation<'_>) -> Option<Decision> {
        if self.recalls == 0 {
            return None;
        }
        let fitting = match self.selector.select(&self.past, conversation) {
            Selection::One { index, .. } => vec![index],
            Selection::Ambiguous(indices) => {
                let person = |at: usize| &self.past[at].script.person;
                if indices.windows(2).any(|pair| person(pair[0]) != person(pair[1])) {
                    let matching = indices.iter().map(|at| &*self.past[*at].script);
                    let unmet = UnmetExpectation::ambiguous(matching, conversation);
                    return Some(self.unexpected(unmet));
                }
                indices
            }
            Selection::None => return None,
        };
        let (past, lenient) = (&mut self.past, self.lenient);
        let response =
            fitting.into_iter().find_map(|at| past[at].respond(conversation, lenient).ok());
        response.map(|reply| Decision::Scripted(Box::new(reply)))
    }

    fn decide(&mut self, conversation: &Conversation<'_>) -> Decision {
        if self.scripts.is_empty()
            && let Some(persona) = &self.persona
        {
            return Decision::Persona(Arc::clone(persona));
        }
        let scripts = self.scripts.iter().map(|s| &*s.script);
        match self.selector.select(&self.scripts, conversation) {
            Selection::One { index, claimed_by } => {
                if claimed_by.is_some() {
                    self.scripts[index].claimed_by = claimed_by;
                }
                self.respond(index, conversation)
            }
            Selection::None => {
                let no_script = UnmetExpectation::no_script(scripts, conversation);
                match (self.respond_from_past(conversation), &self.persona) {
                    (Some(decision), _) => decision,
                    (None, Some(persona)) => Decision::Persona(Arc::clone(persona)),
                    (None, None) => self.unexpected(no_script),
                }
            }
            Selection::Ambiguous(indices) => {
                let matching = indices.iter().map(|at| &*self.scripts[*at].script);
                self.unexpected(UnmetExpectation::ambiguous(matching, conversation))
            }
        }
    }

    fn respond(&mut self, index: usize, conversation: &Conversation<'_>) -> Decision {
        let script = &mut self.scripts[index];
        match script.respond(conversation, self.lenient) {
            Ok(reply) => {
                self.share_progress(index);
                Decision::Scripted(Box::new(reply))
            }
            Err(unmet) => {
                let name = &script.script.name;
                let label = match unmet.round {
                    Some(round) => format!("{name}, round {round}"),
                    None => name.clone(),
                };
                let message = unmet.error_message();
                script.record(*unmet);
                Decision::Unexpected { label: Some(label), message }
            }
        }
    }

    fn unexpected(&mut self, unmet: UnmetExpectation) -> Decision {
        let message = unmet.error_message();
        if !self.unexpected.contains(&unmet) {
            self.unexpected.push(unmet);
        }
        Decision::Unexpected { label: None, message }
    }

    /// Without identifiers, equivalent scripts cannot be told apart: a round that one of them
    /// reached counts for all.
    fn share_progress(&mut self, index: usize) {
        if self.scripts.len() < 2 || self.scripts[index].claimed_by.is_some() {
            return;
        }
        let one = &self.scripts[index];
        let (script, reached, for_text) =
            (Arc::clone(&one.script), one.reached.clone(), one.for_text);
        for other in &mut self.scripts {
            // Of one person's that stay armed, the latest alone was asked.
            if for_text && other.for_text && other.script.person == script.person {
                continue;
            }
            if other.script.is_equivalent(&script) && other.claimed_by.is_none() {
                other.reached.extend(reached.iter().cloned());
            }
        }
    }
}
