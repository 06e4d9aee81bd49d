//! Checks what the model says against what is known, before it goes out.
//!
//! A sentence may name only times, prices, discounts and links that a tool result, the catalogue or
//! the owner's texts have, and say that something is booked, cancelled or moved only if it is. What
//! does not fit is replaced by a sentence that code writes.

mod answers;
mod callback;
mod carrier;
mod contact;
mod dates;
mod days;
mod deeds;
mod deeds_spanish;
mod durations;
mod facts;
mod free_times;
mod hours_said;
mod leak;
mod money;
mod offers;
mod open_days;
mod opening_hours;
mod percents;
mod phrases;
mod pledges;
mod prices;
mod replacement;
mod schedule;
mod sentence;
mod set_phrases;
mod status;
mod times;
mod times_said;
mod vocabulary;
mod words;

pub use facts::{Facts, KnownBooking};
use prices::Context;
use sentence::Sentence;

use super::text::sentences;

/// What of a sentence does not fit the facts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mismatch {
    /// It says that something was booked or moved.
    Change,
    /// It says that something was cancelled.
    Cancellation,
    /// A time or date that nothing names, or not as free or booked.
    Schedule,
    /// A price that the shop does not have.
    Price,
    /// A discount that nobody approved.
    Discount,
    /// A link, number or address that is not the owner's.
    Contact,
    /// It asks for a word that the telephone company reads as a command.
    Keyword,
    /// It quotes the instructions.
    Instructions,
    /// It promises a callback of which nobody can be told.
    Callback,
    /// It promises a refund or a warranty that the owner does not.
    Pledge,
}

/// The model's text after the check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// What may be sent. Empty only if nothing was said, or if it is said by confirmations.
    pub text: String,
    /// What did not fit, in order. Empty when the text is unchanged.
    pub mismatches: Vec<Mismatch>,
    /// The text promises that somebody will be in touch.
    pub promises_callback: bool,
}

/// Checks a text. `confirmed`: confirmations follow it, which say what was done.
pub fn check(text: &str, facts: &Facts, confirmed: bool) -> Checked {
    let parts = sentences(text);
    let mut kept: Vec<&str> = Vec::with_capacity(parts.len());
    let mut mismatches = Vec::new();
    let mut promises_callback = false;
    let mut dates = Vec::new();
    let context = Context::read(text, facts);
    for part in &parts {
        let tokens = words::tokens(part);
        let read = sentence::read(&tokens, facts);
        let found = whole_mismatch(part, &tokens, facts).or_else(|| {
            read.iter().find_map(|sentence| {
                let found = mismatch(sentence, &context, &dates, facts);
                if let Some(mention) = sentence.dates.last() {
                    dates.clone_from(&mention.dates);
                }
                found
            })
        });
        match found {
            Some(mismatch) => mismatches.push(mismatch),
            None if !mismatches.is_empty() && depends(&tokens) => {}
            None => {
                promises_callback |= read.iter().any(callback::promises);
                kept.push(part);
            }
        }
    }
    // Claims that only the sentences together make, such as a command over two lines.
    let together = kept.concat();
    let tokens = words::tokens(&together);
    let found = match () {
        () if carrier::is_keyword(&tokens) || carrier::asks_for_keyword(&tokens) => {
            Some(Mismatch::Keyword)
        }
        () if leak::leaks(&together, &tokens) => Some(Mismatch::Instructions),
        () => None,
    };
    if let Some(mismatch) = found {
        kept.clear();
        mismatches.push(mismatch);
    }
    let Some(first) = mismatches.first().copied() else {
        return Checked { text: text.to_owned(), mismatches, promises_callback };
    };
    let kept = kept.concat().trim().to_owned();
    // Half a sentence of greeting says nothing by itself.
    let truth = replacement::truth(first, text, facts);
    let is_change = matches!(first, Mismatch::Change | Mismatch::Cancellation | Mismatch::Schedule);
    let text = match (kept.is_empty(), confirmed && is_change) {
        (_, true) => kept,
        (true, false) => truth,
        (false, false) => format!("{kept} {truth}"),
    };
    Checked { text, mismatches, promises_callback }
}

/// What does not fit of a sentence as it is written.
fn whole_mismatch(text: &str, tokens: &[words::Token], facts: &Facts) -> Option<Mismatch> {
    if carrier::asks_for_keyword(tokens) {
        return Some(Mismatch::Keyword);
    }
    if leak::leaks(text, tokens) {
        return Some(Mismatch::Instructions);
    }
    (!contact::is_known(text, facts)).then_some(Mismatch::Contact)
}

/// What of a sentence does not fit. `dates`: those that the sentence before spoke of.
fn mismatch(
    sentence: &Sentence,
    context: &Context,
    dates: &[jiff::civil::Date],
    facts: &Facts,
) -> Option<Mismatch> {
    let claims = status::claims(sentence);
    let mut untrue = claims.iter().filter(|claim| !status::is_true(sentence, **claim, facts));
    if let Some(first) = untrue.next() {
        // "Done, it's cancelled": the word that says what.
        let says_what = |claim: &&status::Claim| claim.change != status::Change::Something;
        let claim = Some(first).filter(says_what).or_else(|| untrue.find(says_what));
        return Some(match claim.unwrap_or(first).change {
            status::Change::Cancelled => Mismatch::Cancellation,
            _ => Mismatch::Change,
        });
    }
    if answers::affirm_booking(sentence, facts) {
        return Some(Mismatch::Change);
    }
    if !schedule::is_known(sentence, &claims, dates, facts) {
        return Some(if claims.is_empty() { Mismatch::Schedule } else { Mismatch::Change });
    }
    let is_other = |at: usize| sentence.is_time_or_date(at);
    for price in money::prices_of_answer(&sentence.tokens, &facts.asked, is_other) {
        // "$19 is not possible" to somebody who asked for it.
        let asked = facts.customer.cents.contains(&price.cents);
        let refused = asked && offers::is_refused(sentence, price.at);
        if !refused && !prices::price_is_known(&sentence.tokens, &price, context, facts) {
            return Some(Mismatch::Price);
        }
    }
    if offers::gives_away(sentence, facts) {
        return Some(Mismatch::Price);
    }
    for percent in percents::percents(&sentence.tokens) {
        if !offers::discount_is_known(sentence, &percent, facts) {
            return Some(Mismatch::Discount);
        }
    }
    if pledges::is_made(sentence, facts) {
        return Some(Mismatch::Pledge);
    }
    (callback::promises(sentence) && !facts.owner_can_be_told).then_some(Mismatch::Callback)
}

/// Whether a sentence makes sense only after the one that is left out.
fn depends(sentence: &[words::Token]) -> bool {
    let first = sentence.iter().find(|t| !t.is_sign());
    let short = sentence.iter().filter(|t| !t.is_sign()).count() <= 1;
    short
        || first.is_some_and(|t| {
            t.any(&[
                "and",
                "but",
                "so",
                "it",
                "that",
                "then",
                "also",
                "they",
                "which",
                "ref",
                "reference",
                "this",
                "see",
                "both",
                "either",
                "those",
                "these",
                "just",
                "or",
                "y",
                "te",
                "nos",
            ])
        })
        || sentence.iter().any(|t| t.any(&["forward", "then", "ref"]))
}
