//! Which armed script a request is for.

use super::{ScriptRegistry, ScriptState};
use crate::conversation::Conversation;

/// Positions of the scripts that fit.
pub(super) enum Selection {
    One(usize),
    None,
    /// They fit equally and differ.
    Ambiguous(Vec<usize>),
}

/// How well a script's text is the user's last one.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Clone, Copy)]
enum TextMatch {
    None,
    /// The backend added something, or sent pictures only.
    Contained,
    Equal,
}

impl ScriptRegistry {
    /// The identifier selects, else the text. An identifier is learned from the
    /// first request that one person's script alone fits.
    pub(super) fn select(&mut self, conversation: &Conversation<'_>) -> Selection {
        let text = conversation.text();
        let person = conversation.identifier.and_then(|id| self.bound.get(id)).cloned();
        if let Some(person) = &person {
            let own = self.positions(|slot| slot.script.person == *person);
            match own.as_slice() {
                [] => {}
                [one] => return Selection::One(*one),
                _ => return self.choose_among(self.best(own, text, true), conversation.identifier),
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
        self.choose_among(fitting, conversation.identifier)
    }

    fn positions(&self, wanted: impl Fn(&ScriptState) -> bool) -> Vec<usize> {
        (0..self.slots.len()).filter(|at| wanted(&self.slots[*at])).collect()
    }

    /// Those that fit best; with `any`, also when none fits at all.
    fn best(&self, among: Vec<usize>, text: &str, any: bool) -> Vec<usize> {
        let fit = |at: &usize| self.slots[*at].fit(text);
        let best = among.iter().map(fit).max().unwrap_or(TextMatch::None);
        if best == TextMatch::None && !any {
            return Vec::new();
        }
        among.into_iter().filter(|at| fit(at) == best).collect()
    }

    /// Of several equal scripts each identifier gets its own.
    fn choose_among(&mut self, fitting: Vec<usize>, identifier: Option<&str>) -> Selection {
        let Some((&first, rest)) = fitting.split_first() else { return Selection::None };
        if rest.is_empty() {
            return Selection::One(first);
        }
        if !rest.iter().all(|at| self.slots[*at].script.same(&self.slots[first].script)) {
            return Selection::Ambiguous(fitting);
        }
        let Some(identifier) = identifier else { return Selection::One(first) };
        let claimed = |at: &&usize| self.slots[**at].claimed.as_deref() == Some(identifier);
        let free = |at: &&usize| self.slots[**at].claimed.is_none();
        let at = fitting.iter().find(claimed).or_else(|| fitting.iter().find(free)).copied();
        let at = at.unwrap_or(first);
        self.slots[at].claimed = Some(identifier.into());
        Selection::One(at)
    }
}

impl ScriptState {
    fn fit(&self, text: &str) -> TextMatch {
        let own = self.script.text.trim();
        let text = text.trim();
        if own == text {
            TextMatch::Equal
        } else if (own.is_empty() && self.script.media > 0)
            || (!own.is_empty() && text.contains(own))
        {
            TextMatch::Contained
        } else {
            TextMatch::None
        }
    }
}
