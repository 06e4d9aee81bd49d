//! Selects the script that a request is for: by the identifier of the person, else by the text.

use std::collections::HashMap;

use super::progress::ScriptProgress;
use crate::{conversation::Conversation, script::TextMatch};

/// The script for a request.
#[derive(Debug)]
pub(super) enum Selection {
    /// One script. `claimed_by` is the identifier to which one of several equivalent scripts
    /// belongs from now on.
    One { index: usize, claimed_by: Option<String> },
    /// No script matches.
    None,
    /// Different scripts match equally well.
    Ambiguous(Vec<usize>),
}

/// Selects scripts, and remembers which identifier belongs to which person.
#[derive(Debug, Default)]
pub(super) struct Selector {
    /// Persons by their identifiers.
    persons: HashMap<String, String>,
}

impl Selector {
    /// Selects by the identifier of the request if its person is known, else by the text. The person
    /// of an identifier is learned from the first request that the scripts of one person alone match.
    pub(super) fn select(
        &mut self,
        scripts: &[ScriptProgress],
        conversation: &Conversation<'_>,
    ) -> Selection {
        let (text, identifier) = (conversation.text(), conversation.identifier);
        let all = |wanted: &dyn Fn(Option<&String>) -> bool| -> Vec<usize> {
            let wanted = |at: &usize| wanted(scripts[*at].script.person.as_ref());
            (0..scripts.len()).filter(wanted).collect()
        };
        let person = identifier.and_then(|id| self.persons.get(id));
        if let Some(person) = person {
            let mut own = all(&|other| other == Some(person));
            own.retain(|at| scripts[*at].answers(text));
            // A script that stays armed for this person's texts does not hide one that is armed for exactly
            // this text, whoever sends it.
            let quality = |among: &[usize]| {
                among.iter().map(|at| scripts[*at].script.trigger.compare(text)).max()
            };
            let stay = own.iter().all(|at| scripts[*at].for_text);
            if stay && quality(&all(&|other| other.is_none())) > quality(&own) {
                own.clear();
            }
            match own.as_slice() {
                [] => {}
                [one] => return Selection::One { index: *one, claimed_by: None },
                _ => {
                    let best = best_matches(scripts, own, text, TextMatch::None);
                    return one_of(scripts, best, identifier);
                }
            }
        }
        // A person who is known by another identifier does not send this one.
        let free = match identifier {
            None => Vec::new(),
            Some(identifier) => {
                let others = self.persons.iter().filter(|(id, _)| *id != identifier);
                let others: Vec<&String> = others.map(|(_, person)| person).collect();
                let free = all(&|person| person.is_none_or(|person| !others.contains(&person)));
                best_matches(scripts, free, text, TextMatch::AnyText)
            }
        };
        let matching = if free.is_empty() {
            best_matches(scripts, all(&|_| true), text, TextMatch::AnyText)
        } else {
            free
        };
        if let ([one], Some(identifier), None) = (matching.as_slice(), identifier, person)
            && let Some(person) = &scripts[*one].script.person
        {
            self.persons.insert(identifier.into(), person.clone());
        }
        one_of(scripts, matching, identifier)
    }
}

/// The scripts that match best and at least as well as `least`.
fn best_matches(
    scripts: &[ScriptProgress],
    among: Vec<usize>,
    text: &str,
    least: TextMatch,
) -> Vec<usize> {
    let quality = |at: &usize| scripts[*at].script.trigger.compare(text);
    let best = among.iter().map(quality).max().unwrap_or(TextMatch::None);
    if best < least {
        return Vec::new();
    }
    among.into_iter().filter(|at| quality(at) == best).collect()
}

/// One of the scripts that match equally well. Of equivalent scripts, each identifier gets its own.
fn one_of(scripts: &[ScriptProgress], matching: Vec<usize>, identifier: Option<&str>) -> Selection {
    let Some((&first, rest)) = matching.split_first() else { return Selection::None };
    let person = &scripts[first].script.person;
    if matching.iter().all(|at| scripts[*at].for_text && scripts[*at].script.person == *person) {
        let latest = matching.into_iter().max_by_key(|at| scripts[*at].id);
        return Selection::One { index: latest.unwrap_or(first), claimed_by: None };
    }
    if rest.is_empty() {
        return Selection::One { index: first, claimed_by: None };
    }
    if !rest.iter().all(|at| scripts[*at].script.is_equivalent(&scripts[first].script)) {
        return Selection::Ambiguous(matching);
    }
    let Some(identifier) = identifier else {
        return Selection::One { index: first, claimed_by: None };
    };
    let own = |at: &&usize| scripts[**at].claimed_by.as_deref() == Some(identifier);
    let free = |at: &&usize| scripts[**at].claimed_by.is_none();
    let found = matching.iter().find(own).or_else(|| matching.iter().find(free));
    let index = found.copied().unwrap_or(first);
    Selection::One { index, claimed_by: Some(identifier.into()) }
}
