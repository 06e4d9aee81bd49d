//! Checks what the model says against what is known, before it goes out.
//!
//! A sentence may name only times, prices, discounts and links that a tool result, the catalogue or
//! the owner's texts have, and say that something is booked, cancelled or moved only if it is. What
//! does not fit is replaced by a sentence that code writes.

mod callback;
mod carrier;
mod contact;
mod dates;
mod days;
mod durations;
mod facts;
mod free_times;
mod hours_said;
mod leak;
mod money;
mod open_days;
mod opening_hours;
mod phrases;
mod prices;
mod replacement;
mod schedule;
mod sentence;
mod status;
mod times;
mod vocabulary;
mod words;

pub use facts::{Facts, KnownBooking};
use sentence::Sentence;
use vocabulary::LIMITS;

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
    let context = words::tokens(&format!("{text} {}", facts.question));
    for part in &parts {
        let sentence = Sentence::read(part, facts.today());
        let found = mismatch(part, &sentence, &context, &dates, facts);
        if let Some(mention) = sentence.dates.last() {
            dates.clone_from(&mention.dates);
        }
        match found {
            Some(mismatch) => mismatches.push(mismatch),
            None if !mismatches.is_empty() && depends(&sentence) => {}
            None => {
                promises_callback |= callback::promises(&sentence);
                kept.push(part);
            }
        }
    }
    if mismatches.is_empty() && !carrier::is_keyword(text) {
        // Claims that only the whole text makes, such as a command over two lines.
        let whole = words::tokens(text);
        if !carrier::asks_for_keyword(&whole) && !leak::leaks(text, &whole) {
            return Checked { text: text.to_owned(), mismatches, promises_callback };
        }
    }
    if mismatches.is_empty() {
        kept.clear();
        mismatches.push(Mismatch::Keyword);
    }
    let first = mismatches.first().copied().unwrap_or(Mismatch::Change);
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

/// What of a sentence does not fit. `dates`: those that the sentence before spoke of.
fn mismatch(
    text: &str,
    sentence: &Sentence,
    context: &[words::Token],
    dates: &[jiff::civil::Date],
    facts: &Facts,
) -> Option<Mismatch> {
    if carrier::asks_for_keyword(&sentence.tokens) {
        return Some(Mismatch::Keyword);
    }
    if leak::leaks(text, &sentence.tokens) {
        return Some(Mismatch::Instructions);
    }
    if !contact::is_known(text, facts) {
        return Some(Mismatch::Contact);
    }
    let claims = status::claims(sentence);
    if let Some(claim) = claims.iter().find(|claim| !status::is_true(sentence, **claim, facts)) {
        return Some(match claim.change {
            status::Change::Cancelled => Mismatch::Cancellation,
            _ => Mismatch::Change,
        });
    }
    if affirms_booking(sentence, facts) {
        return Some(Mismatch::Change);
    }
    if !schedule::is_known(sentence, &claims, dates, facts) {
        return Some(if claims.is_empty() { Mismatch::Schedule } else { Mismatch::Change });
    }
    for price in money::prices(&sentence.tokens) {
        // "$19 is not possible" to somebody who asked for it.
        let asked = facts.customer.cents.contains(&price.cents);
        let refused = asked && sentence.is_denied(sentence.clause(price.at));
        if !refused && !prices::price_is_known(&sentence.tokens, &price, context, facts) {
            return Some(Mismatch::Price);
        }
    }
    if prices::gives_away(&sentence.tokens)
        && !sentence.asks(0)
        && !["free", "complimentary", "gratis", "no charge", "on the house"]
            .iter()
            .any(|word| facts.owner.text.contains(word))
        && !sentence.tokens.iter().any(|t| t.any(&["not", "never"]))
    {
        return Some(Mismatch::Price);
    }
    for percent in money::percents(&sentence.tokens) {
        if !discount_is_known(sentence, &percent, facts) {
            return Some(Mismatch::Discount);
        }
    }
    (callback::promises(sentence) && !facts.owner_can_be_told).then_some(Mismatch::Callback)
}

/// Whether a discount was approved, stands in the owner's texts, is refused, or is the most that
/// there is.
fn discount_is_known(sentence: &Sentence, percent: &money::PercentMention, facts: &Facts) -> bool {
    let value = percent.value;
    let clause = sentence.clause(percent.at);
    let limit = sentence.has(&LIMITS)
        || sentence.has(&["only", "ceiling", "highest", "tope", "over", "above", "more", "least"]);
    let approved = facts.discounts.contains(&value) || facts.owner.percents.contains(&value);
    approved
        || sentence.is_denied(clause.clone())
        || sentence
            .words(clause)
            .iter()
            .any(|t| t.any(&["much", "high", "impossible", "cannot", "beyond", "than"]))
        || (limit && value == u32::from(facts.max_discount))
        || (sentence.asks(percent.at) && facts.customer.percents.contains(&value))
}

/// "Yes, you are!" to "Am I booked?".
fn affirms_booking(sentence: &Sentence, facts: &Facts) -> bool {
    if !facts.bookings.is_empty() || sentence.asks(0) {
        return false;
    }
    let question = facts.question.to_lowercase();
    // "See you tomorrow!" to "Book me tomorrow at two".
    let goodbye = sentence
        .tokens
        .windows(2)
        .any(|w| matches!(w, [a, b] if a.any(&["see", "seeing"]) && b.is("you")))
        && !(sentence.dates.is_empty() && sentence.times.is_empty());
    let wish = words::tokens(&question);
    if goodbye
        && !sentence.is_denied(0..sentence.tokens.len())
        && (!sentence.times.is_empty()
            || !times::times(&wish).is_empty()
            || wish.iter().any(|t| t.any(&["book", "reserve", "schedule", "appointment"])))
    {
        return true;
    }
    let has = |words: &[&str]| wish.iter().any(|t| t.any(words));
    let state =
        has(&["booked", "confirmed", "reserved", "scheduled", "set", "cancelled", "reservada"])
            || (has(&["appointment", "appointments", "booking", "reservation", "cita"])
                && has(&["my", "still", "have", "i", "mi", "tengo"]))
            || (has(&["still"]) && has(&["on", "good"]))
            || (has(&["am"]) && has(&["good"]));
    let asked = question.contains('?')
        && state
        && !has(&["can", "could", "want", "need", "would", "make", "get", "puedo", "quiero"]);
    let words: Vec<&str> =
        sentence.tokens.iter().filter(|t| !t.is_sign()).map(|t| t.text.as_str()).collect();
    let yes = matches!(
        words.first(),
        Some(
            &("yes"
                | "yep"
                | "yeah"
                | "correct"
                | "absolutely"
                | "exactly"
                | "sure"
                | "indeed"
                | "claro"
                | "yup")
        )
    ) || matches!(
        words.as_slice(),
        ["you", "are", ..]
            | ["that", "is", "right", ..]
            | ["of", "course", ..]
            | ["all", "good", ..]
    );
    asked && yes && !sentence.is_denied(0..sentence.tokens.len())
}

/// Whether a sentence makes sense only after the one that is left out.
fn depends(sentence: &Sentence) -> bool {
    let first = sentence.tokens.iter().find(|t| !t.is_sign());
    let short = sentence.tokens.iter().filter(|t| !t.is_sign()).count() <= 1;
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
        || sentence.has(&["forward", "then", "ref"])
}
