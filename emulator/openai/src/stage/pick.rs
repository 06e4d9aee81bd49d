//! Which armed script a request is for.

use super::{Slot, Stage};
use crate::conversation::Conversation;

/// Positions of the scripts that fit.
pub(super) enum Pick {
    One(usize),
    Nobody,
    /// They fit equally and differ.
    Several(Vec<usize>),
}

/// How well a script's text is the user's last one.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Clone, Copy)]
enum Fit {
    No,
    /// The backend added something, or sent pictures only.
    Part,
    Whole,
}

impl Stage {
    /// The identifier selects, else the text. An identifier is learned from the
    /// first request that one person's script alone fits.
    pub(super) fn pick(&mut self, conversation: &Conversation<'_>) -> Pick {
        let text = conversation.text();
        let person = conversation.identifier.and_then(|id| self.bound.get(id)).cloned();
        if let Some(person) = &person {
            let own = self.positions(|slot| slot.script.person == *person);
            match own.as_slice() {
                [] => {}
                [one] => return Pick::One(*one),
                _ => return self.settle(self.best(own, text, true), conversation.identifier),
            }
        }
        // Who is known by another identifier does not ask by this one.
        let others: Vec<&String> = self
            .bound
            .iter()
            .filter(|(id, _)| Some(id.as_str()) != conversation.identifier)
            .map(|(_, p)| p)
            .collect();
        let free = match conversation.identifier {
            Some(_) => {
                self.best(self.positions(|s| !others.contains(&&s.script.person)), text, false)
            }
            None => Vec::new(),
        };
        let fitting =
            if free.is_empty() { self.best(self.positions(|_| true), text, false) } else { free };
        if let ([one], Some(id), None) = (fitting.as_slice(), conversation.identifier, &person) {
            self.bound.insert(id.into(), self.slots[*one].script.person.clone());
        }
        self.settle(fitting, conversation.identifier)
    }

    fn positions(&self, wanted: impl Fn(&Slot) -> bool) -> Vec<usize> {
        (0..self.slots.len()).filter(|at| wanted(&self.slots[*at])).collect()
    }

    /// Those that fit best; with `any`, also when none fits at all.
    fn best(&self, among: Vec<usize>, text: &str, any: bool) -> Vec<usize> {
        let fit = |at: &usize| self.slots[*at].fit(text);
        let best = among.iter().map(fit).max().unwrap_or(Fit::No);
        if best == Fit::No && !any {
            return Vec::new();
        }
        among.into_iter().filter(|at| fit(at) == best).collect()
    }

    /// Of several equal scripts each identifier gets its own.
    fn settle(&mut self, fitting: Vec<usize>, identifier: Option<&str>) -> Pick {
        let Some((&first, rest)) = fitting.split_first() else { return Pick::Nobody };
        if rest.is_empty() {
            return Pick::One(first);
        }
        if !rest.iter().all(|at| self.slots[*at].script.same(&self.slots[first].script)) {
            return Pick::Several(fitting);
        }
        let Some(identifier) = identifier else { return Pick::One(first) };
        let claimed = |at: &&usize| self.slots[**at].claimed.as_deref() == Some(identifier);
        let free = |at: &&usize| self.slots[**at].claimed.is_none();
        let at = fitting.iter().find(claimed).or_else(|| fitting.iter().find(free)).copied();
        let at = at.unwrap_or(first);
        self.slots[at].claimed = Some(identifier.into());
        Pick::One(at)
    }
}

impl Slot {
    fn fit(&self, text: &str) -> Fit {
        let own = self.script.text.trim();
        let text = text.trim();
        if own == text {
            Fit::Whole
        } else if (own.is_empty() && self.script.media > 0)
            || (!own.is_empty() && text.contains(own))
        {
            Fit::Part
        } else {
            Fit::No
        }
    }
}
