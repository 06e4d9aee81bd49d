//! The armed scripts: which of them a request is for, and which of its rounds answers.

mod armed;
mod pick;
mod round;
mod unexpected;

pub use armed::Armed;

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use super::{
    conversation::Conversation,
    persona::Persona,
    place::Place,
    problem::Problem,
    reply::Reply,
    script::{Fail, Script},
};

/// Everything that decides answers, behind one lock.
#[derive(Debug, Default)]
pub(super) struct Stage {
    slots: Vec<Slot>,
    next: u64,
    pub persona: Option<Arc<Persona>>,
    /// Who an identifier was found to be.
    bound: HashMap<String, String>,
    /// Requests that no script expected.
    pub problems: Vec<Problem>,
}

/// An armed script and what has become of it.
#[derive(Debug)]
struct Slot {
    id: u64,
    script: Arc<Script>,
    /// How often a failure struck.
    struck: HashMap<Place, u32>,
    reached: HashSet<Place>,
    problems: Vec<Problem>,
    /// The identifier that took this one of several equal scripts.
    claimed: Option<String>,
    /// Why the last request was refused before any script saw it.
    refused: Option<String>,
}

/// What a script answers.
#[derive(Debug)]
pub(super) struct Play {
    /// `step 2, round 1`.
    pub label: String,
    /// The answer; `None` when the failure leaves none.
    pub reply: Option<Reply>,
    pub fail: Option<Fail>,
}

/// Who answers a request.
#[derive(Debug)]
pub(super) enum Decision {
    Play(Play),
    Persona(Arc<Persona>),
    /// Nobody: the error's message, and the script that is concerned.
    Nobody {
        label: Option<String>,
        message: String,
    },
}

impl Stage {
    pub fn arm(&mut self, script: Script) -> u64 {
        let id = self.next;
        self.next += 1;
        self.slots.push(Slot {
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
        match self.pick(conversation) {
            pick::Pick::One(at) => self.play(at, conversation),
            pick::Pick::Nobody => match &self.persona {
                Some(persona) => Decision::Persona(Arc::clone(persona)),
                None => self.nobody(self.no_script(conversation)),
            },
            pick::Pick::Several(fitting) => self.nobody(self.ambiguous(&fitting, conversation)),
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

    fn nobody(&mut self, problem: Problem) -> Decision {
        let message = problem.to_string();
        if !self.problems.contains(&problem) {
            self.problems.push(problem);
        }
        Decision::Nobody { label: None, message }
    }
}
