//! Refunds and warranties that none of the owner's texts promises.

use super::{facts::Facts, sentence::Sentence, vocabulary::Words, words::Token};

const REFUNDS: &[&str] = &[
    "refund",
    "refunds",
    "refunded",
    "refundable",
    "reimburse",
    "reimbursed",
    "reembolso",
    "reembolsamos",
    "reembolsar",
];
const WARRANTIES: &[&str] =
    &["warranty", "warranties", "guarantee", "guarantees", "guaranteed", "garantia", "garantizado"];
const LENGTHS: &[&str] = &[
    "day", "days", "week", "weeks", "month", "months", "year", "years", "lifetime", "life", "dias",
    "mes", "meses", "ano", "anos", "vida",
];

/// Words that leave it to somebody else.
static LEFT_OPEN: Words = Words::new(
    "ask pregunta decides whether talk speak sure about sobre depends discuss check consulta habla want like need quieres",
);

/// Whether the sentence promises a refund, or how long a warranty lasts, on its own account.
pub(super) fn is_made(sentence: &Sentence, facts: &Facts) -> bool {
    sentence.clauses.iter().any(|clause| {
        let words = sentence.words(clause.clone());
        let said = |roots: &[&str]| roots.iter().any(|root| facts.owner.text.contains(root));
        let has = |list: &[&str]| words.iter().any(|t| t.any(list));
        let refund =
            (has(REFUNDS) || gives_back(words)) && !said(&["refund", "money back", "reembols"]);
        let warranty = has(WARRANTIES) && has(LENGTHS) && !said(&["warrant", "guarant", "garant"]);
        (refund || warranty)
            && !sentence.is_denied(clause.clone())
            && !sentence.asks(clause.start)
            && !words.iter().any(|t| t.any(&LEFT_OPEN))
    })
}

/// "Your money back", "te devolvemos el dinero".
fn gives_back(words: &[Token]) -> bool {
    let money = words.iter().position(|t| t.any(&["money", "dinero"]));
    money.is_some_and(|at| {
        let near = words.get(at.saturating_sub(4)..words.len().min(at + 4)).unwrap_or_default();
        near.iter().any(|t| {
            t.any(&["back", "devolvemos", "devuelvo", "devuelve", "devolvera", "devolveremos"])
        })
    })
}
