//! The armed scripts: which of them a request is for, and which of its rounds answers.

mod armed;
mod round;
mod select;
mod unexpected;

pub use armed::ArmedScript;

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use super::{
    conversation::Conversation,
    persona::Persona,
    position::RoundPosition,
    reply::Reply,
    script::{RoundFailure, Script},
    unmet::UnmetExpectation,
};

/// Everything that decides answers, behind one lock.
#[derive(Debug, Default)]
pub(super) struct ScriptRegistry {
    slots: Vec<ScriptState>,
    next: u64,
    pub persona: Option<Arc<Persona>>,
    /// Who an identifier was found to be.
    bound: HashMap<String, String>,
    /// Requests that no script expected.
    pub problems: Vec<UnmetExpectation>,
}

/// An armed script and what has become of it.
#[derive(Debug)]
struct ScriptState {
    id: u64,
    script: Arc<Script>,
    /// How often a failure struck.
    struck: HashMap<RoundPosition, u32>,
    reached: HashSet<RoundPosition>,
    problems: Vec<UnmetExpectation>,
    /// The identifier that took this one of several equal scripts.
    claimed: Option<String>,
    /// Why the last request was refused before any script saw it.
    refused: Option<String>,
}

/// What a script answers.
#[derive(Debug)]
pub(super) struct ScriptedReply {
    /// `step 2, round 1`.
    pub label: String,
    /// The answer; `None` when the failure leaves none.
    pub reply: Option<Reply>,
    pub fail: Option<RoundFailure>,
}

/// Who answers a request.
#[derive(Debug)]
pub(super) enum Decision {
    Scripted(ScriptedReply),
    Persona(Arc<Persona>),
    /// Nobody: the error's message, and the script that is concerned.
    Unexpected {
        label: Option<String>,
        message: String,
    },
}

impl ScriptRegistry {
    pub fn arm(&mut self, script: Script) -> u64 {
        let id = self.next;
        self.next += 1;
        self.slots.push(ScriptState {
            id,
            script: Arc::new(script),
            struck: HashMap::new(),
            reached: HashSet::new(),
            problems: Vec::new(),
            claimed: None,
            refused: None,
        });
        id
    }

    /// Decides who answers, and remembers what a report needs.
    pub fn decide(&mut self, conversation: &Conversation<'_>) -> Decision {
        if self.slots.is_empty()
            && let Some(persona) = &self.persona
        {
            return Decision::Persona(Arc::clone(persona));
        }
        match self.select(conversation) {
            select::Selection::One(at) => self.play(at, conversation),
            select::Selection::None => match &self.persona {
                Some(persona) => Decision::Persona(Arc::clone(persona)),
                None => self.nobody(self.no_script(conversation)),
            },
            select::Selection::Ambiguous(fitting) => {
                self.nobody(self.ambiguous(&fitting, conversation))
            }
        }
    }

    /// A request was refused with an error of the provider's own.
    pub fn refused(&mut self, message: &str) {
        for slot in &mut self.slots {
            slot.refused = Some(message.to_owned());
        }
    }

    /// Forgets everything but the persona.
    pub fn reset(&mut self) {
        *self = Self { persona: self.persona.take(), next: self.next, ..Self::default() };
    }

    fn nobody(&mut self, problem: UnmetExpectation) -> Decision {
        let message = problem.to_string();
        if !self.problems.contains(&problem) {
            self.problems.push(problem);
        }
        Decision::Unexpected { label: None, message }
    }
}
